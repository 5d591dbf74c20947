/*
 * template.c -- pages from template files; see template.h
 *
 * The set, its files and its compiled pages live in one arena of their own.
 */
#include "page/template.h"

#include "base/secret.h"
#include "page/compile.h"
#include "page/link.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>

#define HASH_TEXT_BYTES	(4 * ((SHA256_BYTES + 2) / 3) + 1)	/* base64 and NUL */

struct template_set {
	struct source_library	 library;
	struct compiled		*pages;
	size_t			 count;
	struct str		 style;
	char			 style_hash[HASH_TEXT_BYTES];
};

/* Loading. */

static bool
load_style(struct template_set *set)
{
	const struct source	*file = source_find(&set->library, STR("style.css"));
	struct sha256		 digest;

	if (file == NULL || !source_check_style(file, &set->library.error))
		return false;
	set->style = file->text;
	digest = sha256_of(file->text);
	EVP_EncodeBlock((unsigned char *)set->style_hash, digest.bytes, SHA256_BYTES);
	return true;
}

static bool
load_all(struct template_set *set, const char *const *names, size_t count)
{
	if (!load_style(set))
		return false;
	set->pages = arena_array(set->library.arena, count, sizeof *set->pages);
	for (; set->count < count; set->count++) {
		if (!compile_page(&set->library, str_of(names[set->count]), &set->pages[set->count]))
			return false;
	}
	return true;
}

/* The same; false also when the arena is exhausted. */
static bool
load_guarded(struct template_set *set, const char *const *names, size_t count)
{
	struct source_library	*library = &set->library;
	jmp_buf			 exhausted;
	bool			 loaded;

	if (setjmp(exhausted) != 0) {
		arena_on_exhaustion(library->arena, NULL);
		return source_fail(&library->error, library->directory, 0,
		    "the templates need more than %zu bytes of memory", TEMPLATE_SET_MAX_BYTES);
	}
	arena_on_exhaustion(library->arena, &exhausted);
	loaded = load_all(set, names, count);
	arena_on_exhaustion(library->arena, NULL);
	return loaded;
}

struct template_set *
template_set_load(const char *directory, const char *const *names, size_t count,
    char *error, size_t error_size)
{
	struct arena		*arena = arena_new(TEMPLATE_SET_MAX_BYTES);
	struct template_set	*set;

	if (arena == NULL) {
		snprintf(error, error_size, "%s: no memory for the templates", directory);
		return NULL;
	}
	set = arena_alloc(arena, sizeof *set);
	set->library.arena = arena;
	set->library.directory = str_of(directory);
	set->library.error = (struct source_error){ error, error_size };
	if (!load_guarded(set, names, count)) {
		arena_free(&arena);
		return NULL;
	}
	/* the caller's, and used no more */
	set->library.directory = STR_ABSENT;
	set->library.error = (struct source_error){ NULL, 0 };
	return set;
}

void
template_set_free(struct template_set **set)
{
	struct arena *arena;

	if (*set == NULL)
		return;
	arena = (*set)->library.arena;
	arena_free(&arena);
	*set = NULL;
}

const char *
template_style_hash(const struct template_set *set)
{
	return set->style_hash;
}

/* Rendering. */

/* An item's names hide those outside. */
struct scope {
	const struct page_data	*data;
	const struct scope	*outer;
};

static const struct page_field *
look_up(const struct scope *scope, struct str name)
{
	const struct page_field *field;

	for (; scope != NULL; scope = scope->outer) {
		field = page_find(scope->data, name);
		if (field != NULL)
			return field;
	}
	return NULL;
}

static struct str
text_of(const struct page_field *field)
{
	return field != NULL && field->kind == PAGE_TEXT ? field->text : STR_ABSENT;
}

static bool
is_true(const struct node *node, const struct page_field *field)
{
	if (node->link)
		return link_is_allowed(text_of(field));
	if (field == NULL)
		return false;
	switch (field->kind) {
	case PAGE_TEXT:
		return !str_is_empty(field->text);
	case PAGE_FLAG:
		return field->flag;
	case PAGE_LIST:
		return field->first != NULL;
	}
	return false;
}

static void render(const struct template_set *set, const struct compiled *page, uint32_t from,
    uint32_t to, const struct scope *scope, struct buf *out);

static void
render_section(const struct template_set *set, const struct compiled *page, uint32_t at,
    const struct scope *scope, struct buf *out)
{
	const struct node	*node = &page->nodes[at];
	const struct page_field	*field = look_up(scope, node->text);
	struct scope		 inner = { .outer = scope };

	if (is_true(node, field) == (node->kind == NODE_UNLESS))
		return;
	if (node->kind != NODE_EACH || field->kind != PAGE_LIST) {
		render(set, page, at + 1, node->end, scope, out);
		return;
	}
	for (inner.data = field->first; inner.data != NULL; inner.data = inner.data->next)
		render(set, page, at + 1, node->end, &inner, out);
}

static void
render_link(const struct scope *scope, struct str name, struct buf *out)
{
	struct str url = text_of(look_up(scope, name));

	if (link_is_allowed(url))
		buf_add_html(out, url);
}

/* The nodes from .. to, without to. */
static void
render(const struct template_set *set, const struct compiled *page, uint32_t from, uint32_t to,
    const struct scope *scope, struct buf *out)
{
	for (uint32_t i = from; i < to; i++) {
		const struct node *node = &page->nodes[i];

		switch (node->kind) {
		case NODE_LITERAL:
			buf_add(out, node->text);
			break;
		case NODE_VALUE:
			buf_add_html(out, text_of(look_up(scope, node->text)));
			break;
		case NODE_LINK:
			render_link(scope, node->text, out);
			break;
		case NODE_STYLE:
			buf_add(out, set->style);
			break;
		case NODE_EACH:
		case NODE_IF:
		case NODE_UNLESS:
			render_section(set, page, i, scope, out);
			i = node->end - 1;
			break;
		}
	}
}

bool
template_render(const struct template_set *set, const char *name,
    const struct page_data *data, struct buf *out)
{
	struct scope scope = { .data = data };

	for (size_t i = 0; i < set->count; i++) {
		if (!str_equal(set->pages[i].name, str_of(name)))
			continue;
		render(set, &set->pages[i], 0, set->pages[i].count, &scope, out);
		return !out->overflowed;
	}
	return false;
}

/* Checking a directory. */

static int
is_page(const struct dirent *entry)
{
	struct str name = str_of(entry->d_name);

	return name.p[0] != '_' && name.p[0] != '.' && str_ends_with(name, STR(".html"));
}

bool
template_check(const char *directory, char *error, size_t error_size)
{
	struct template_set	 *set = NULL;
	struct dirent		**entries;
	const char		 *names[SOURCE_MAX_FILES];
	size_t			  n = 0;
	int			  count = scandir(directory, &entries, is_page, alphasort);

	if (count < 0) {
		snprintf(error, error_size, "%s: could not read the directory: %s", directory, strerror(errno));
		return false;
	}
	for (int i = 0; i < count && n < SOURCE_MAX_FILES; i++)
		names[n++] = entries[i]->d_name;
	if (count > SOURCE_MAX_FILES)
		snprintf(error, error_size, "%s: has more than %d pages", directory, SOURCE_MAX_FILES);
	else if (count == 0)
		snprintf(error, error_size, "%s: has no page \"*.html\"", directory);
	else
		set = template_set_load(directory, names, n, error, error_size);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	if (set == NULL)
		return false;
	template_set_free(&set);
	return true;
}
