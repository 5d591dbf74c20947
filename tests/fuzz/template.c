/*
 * template.c -- fuzz target: in a template that loads, no value can change the
 *               markup around it
 *
 * The input is a page.  If it loads, it is shown twice, with harmless and with
 * hostile values that are equally true; both must have the same markup.
 */
#include "page/template.h"

#include <unistd.h>

#include "fuzz.h"

#define ARENA_BYTES	((size_t)64 * 1024 * 1024)
#define OUT_BYTES	((size_t)8 * 1024 * 1024)

static char	directory[] = "template-fuzz-XXXXXX";
static char	page_path[sizeof directory + 16];
static char	style_path[sizeof directory + 16];

static const struct value {
	const char	*name;
	struct str	 harmless, hostile;
} values[] = {
	{ "a", STR_INIT("x"), STR_INIT("\"'><script>alert(1)</script>&lt;{{b}}") },
	{ "b", STR_INIT("x"), STR_INIT("javascript:\"onload='x'") },
	{ "link", STR_INIT("/x"), STR_INIT("https://a.example/?'=&lt;&quot;") },
};

static void
clean_up(void)
{
	unlink(page_path);
	unlink(style_path);
	rmdir(directory);
}

static void
write_file(const char *path, const void *text, size_t n)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(text, 1, n, file) != n || fclose(file) != 0)
		abort();
}

static void
prepare(void)
{
	if (page_path[0] != '\0')
		return;
	if (mkdtemp(directory) == NULL)
		abort();
	snprintf(page_path, sizeof page_path, "%s/t.html", directory);
	snprintf(style_path, sizeof style_path, "%s/style.css", directory);
	write_file(style_path, "p{}", 3);
	atexit(clean_up);
}

static void
fill(struct page_data *data, bool hostile)
{
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		page_set(data, values[i].name, hostile ? values[i].hostile : values[i].harmless);
	page_set_flag(data, "yes", true);
	page_set_flag(data, "no", false);
}

/* The page's markup characters, in order. */
static struct str
skeleton(const struct template_set *set, struct arena *arena, bool hostile)
{
	struct page_data	*data = page_new(arena);
	struct buf		 out = buf_new(arena, OUT_BYTES), marks = buf_new(arena, OUT_BYTES);
	struct str		 text;

	fill(data, hostile);
	fill(page_add_item(data, "list"), hostile);
	fill(page_add_item(data, "list"), hostile);
	if (!template_render(set, "t.html", data, &out))
		return STR("");
	text = buf_str(&out);
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("<>\"'", text.p[i]) != NULL)
			buf_addc(&marks, text.p[i]);
	}
	return buf_str(&marks);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char	*const names[] = { "t.html" };
	char			 error[TEMPLATE_ERROR_MAX_BYTES];
	struct template_set	*set;
	struct arena		*arena;

	prepare();
	write_file(page_path, data, size);
	set = template_set_load(directory, names, 1, error, sizeof error);
	if (set == NULL) {
		if (error[0] == '\0' || strchr(error, '\n') != NULL)
			abort();
		return 0;
	}
	arena = arena_new(ARENA_BYTES);
	if (arena != NULL && !str_equal(skeleton(set, arena, false), skeleton(set, arena, true)))
		abort();
	arena_free(&arena);
	template_set_free(&set);
	return 0;
}
