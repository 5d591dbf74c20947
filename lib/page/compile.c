/*
 * compile.c -- a page's files become a list of nodes; see compile.h
 *
 * Literal text goes byte by byte through the context checker, and each {{...}}
 * asks it whether it may stand where it stands.
 */
#include "page/compile.h"

#include "page/context.h"
#include "page/vocabulary.h"

#define FIRST_NODES	64

/* A place in a file. */
struct cursor {
	const struct source	*file;
	size_t			 at;
	size_t			 line;
};

struct open_section {
	struct str		name;	/* with "url:" */
	size_t			line;
	uint32_t		node;
	struct context_mark	mark;
};

/* A page that is being compiled. */
struct compiler {
	struct source_library	*library;
	struct compiled		*page;
	uint32_t		 room;		/* for nodes */
	struct context		 context;
	struct open_section	 open[COMPILE_MAX_DEPTH];
	size_t			 depth;
	size_t			 outside;	/* sections that other files opened */
	size_t			 partials;	/* included so far */
	size_t			 partial_depth;
};

/* A refusal with its place. */
#define FAIL(compiler, cursor, ...) \
	source_fail(&(compiler)->library->error, (cursor)->file->name, (cursor)->line, __VA_ARGS__)

static bool
refused(struct compiler *compiler, const struct cursor *cursor)
{
	return FAIL(compiler, cursor, "%s", compiler->context.message);
}

/* A new last node; NULL if there are too many. */
static struct node *
add_node(struct compiler *compiler, enum node_kind kind, struct str text)
{
	struct compiled	*page = compiler->page;
	struct node	*nodes;

	if (page->count == COMPILE_MAX_NODES)
		return NULL;
	if (page->count == compiler->room) {
		compiler->room = compiler->room == 0 ? FIRST_NODES : compiler->room * 2;
		nodes = arena_array(compiler->library->arena, compiler->room, sizeof *nodes);
		if (page->count > 0)
			memcpy(nodes, page->nodes, page->count * sizeof *nodes);
		page->nodes = nodes;
	}
	page->nodes[page->count] = (struct node){ .kind = kind, .text = text };
	return &page->nodes[page->count++];
}

static bool
too_many(struct compiler *compiler, const struct cursor *cursor)
{
	return FAIL(compiler, cursor, "the page has more than %d pieces", COMPILE_MAX_NODES);
}

/* A node whose place in the page has been found good. */
static bool
add(struct compiler *compiler, const struct cursor *cursor, enum node_kind kind, struct str text)
{
	return add_node(compiler, kind, text) != NULL || too_many(compiler, cursor);
}

/* What stands between the braces. */

/* Is name well-formed, and known where we know the page's names? */
static bool
check_name(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	bool good = name.n > 0 && name.n <= COMPILE_NAME_MAX_BYTES &&
	    name.p[0] >= 'a' && name.p[0] <= 'z' &&
	    str_consists_of(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (!good)
		return FAIL(compiler, cursor,
		    "\"%.*s\" is not a name: use lower-case letters, digits and _",
		    (int)(name.n < 80 ? name.n : 80), name.p);
	if (vocabulary_covers(compiler->page->name) && !vocabulary_has(compiler->page->name, name))
		return FAIL(compiler, cursor,
		    "the page %.*s has no value called %.*s", STR_ARG(compiler->page->name), STR_ARG(name));
	return true;
}

/* Cut "url:" off the front of a name; was it there? */
static bool
cut_link(struct str *name)
{
	static const struct str prefix = STR_INIT("url:");

	if (!str_starts_with(*name, prefix))
		return false;
	*name = str_from(*name, prefix.n);
	return true;
}

static bool
parse_value(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	bool link = cut_link(&name);
	bool allowed;

	if (!link && str_equal(name, STR("style")))
		return context_style(&compiler->context) ?
		    add(compiler, cursor, NODE_STYLE, name) : refused(compiler, cursor);
	if (!check_name(compiler, cursor, name))
		return false;
	allowed = link ? context_link(&compiler->context) : context_value(&compiler->context);
	if (!allowed)
		return refused(compiler, cursor);
	return add(compiler, cursor, link ? NODE_LINK : NODE_VALUE, name);
}

static bool
open_section(struct compiler *compiler, const struct cursor *cursor, enum node_kind kind,
    struct str full_name)
{
	struct str		 name = full_name;
	bool			 link = cut_link(&name);
	struct open_section	*section;
	struct node		*node;

	if (!check_name(compiler, cursor, name))
		return false;
	if (compiler->depth == COMPILE_MAX_DEPTH)
		return FAIL(compiler, cursor,
		    "more than %d sections inside each other", COMPILE_MAX_DEPTH);
	section = &compiler->open[compiler->depth];
	if (!context_section(&compiler->context, &section->mark))
		return refused(compiler, cursor);
	section->name = full_name;
	section->line = cursor->line;
	section->node = compiler->page->count;
	node = add_node(compiler, kind, name);
	if (node == NULL)
		return too_many(compiler, cursor);
	node->link = link;
	compiler->depth++;
	return true;
}

/* {{#name}}, {{?name}}, {{^name}} */
static bool
parse_each(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	return open_section(compiler, cursor, NODE_EACH, name);
}

static bool
parse_if(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	return open_section(compiler, cursor, NODE_IF, name);
}

static bool
parse_unless(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	return open_section(compiler, cursor, NODE_UNLESS, name);
}

/* {{/name}} */
static bool
parse_end(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	const struct open_section *section;

	if (compiler->depth == compiler->outside)
		return FAIL(compiler, cursor, "{{/%.*s}} closes no section", STR_ARG(name));
	section = &compiler->open[compiler->depth - 1];
	if (!str_equal(section->name, name))
		return FAIL(compiler, cursor,
		    "{{/%.*s}} does not fit: the open section is %.*s, from line %zu",
		    STR_ARG(name), STR_ARG(section->name), section->line);
	if (!context_section_end(&compiler->context, &section->mark))
		return refused(compiler, cursor);
	compiler->page->nodes[section->node].end = compiler->page->count;
	compiler->depth--;
	return true;
}

static bool
parse_comment(struct compiler *compiler, const struct cursor *cursor, struct str text)
{
	(void)compiler;
	(void)cursor;
	(void)text;
	return true;
}

static bool
parse_unescaped(struct compiler *compiler, const struct cursor *cursor, struct str text)
{
	(void)text;
	return FAIL(compiler, cursor,
		    "{{{ and {{& are not allowed: every value is escaped, write {{name}}");
}

static bool parse_file(struct compiler *compiler, const struct source *file);

/* {{>file.html}} */
static bool
parse_partial(struct compiler *compiler, const struct cursor *cursor, struct str name)
{
	const struct source	*file;
	bool			 parsed;

	if (!source_is_name(name) || !str_ends_with(name, STR(".html")))
		return FAIL(compiler, cursor,
		    "{{>...}} needs the name of a file in the same directory that ends in .html");
	if (compiler->partial_depth == COMPILE_MAX_PARTIAL_DEPTH ||
	    compiler->partials++ == COMPILE_MAX_PARTIALS)
		return FAIL(compiler, cursor,
		    "more than %d files inside each other, or %d in all", COMPILE_MAX_PARTIAL_DEPTH,
		    COMPILE_MAX_PARTIALS);
	file = source_find(compiler->library, name);
	if (file == NULL)
		return false;
	compiler->partial_depth++;
	parsed = parse_file(compiler, file);
	compiler->partial_depth--;
	return parsed;
}

static const struct sigil {
	char	sigil;
	bool	(*parse)(struct compiler *, const struct cursor *, struct str);
} sigils[] = {
	{ '#', parse_each },
	{ '?', parse_if },
	{ '^', parse_unless },
	{ '/', parse_end },
	{ '>', parse_partial },
	{ '!', parse_comment },
	{ '{', parse_unescaped },
	{ '&', parse_unescaped },
};

static bool
parse_tag(struct compiler *compiler, const struct cursor *cursor, struct str tag)
{
	for (size_t i = 0; i < sizeof sigils / sizeof *sigils; i++) {
		if (tag.n > 0 && tag.p[0] == sigils[i].sigil)
			return sigils[i].parse(compiler, cursor, str_from(tag, 1));
	}
	return parse_value(compiler, cursor, tag);
}

/* Bytes up to the first occurrence of two, or all of text. */
static size_t
length_before(struct str text, const char *two)
{
	const char *found = text.n == 0 ? NULL : memmem(text.p, text.n, two, 2);

	return found == NULL ? text.n : (size_t)(found - text.p);
}

static void
advance(struct cursor *cursor, size_t n)
{
	for (; n > 0; n--) {
		if (cursor->file->text.p[cursor->at++] == '\n')
			cursor->line++;
	}
}

static bool
parse_literal(struct compiler *compiler, struct cursor *cursor, struct str literal)
{
	struct cursor start = *cursor;

	for (size_t i = 0; i < literal.n; i++) {
		if (!context_byte(&compiler->context, literal.p[i]))
			return refused(compiler, cursor);
		advance(cursor, 1);
	}
	return literal.n == 0 || add(compiler, &start, NODE_LITERAL, literal);
}

static bool
parse_file(struct compiler *compiler, const struct source *file)
{
	struct cursor	cursor = { .file = file, .line = 1 };
	size_t		outside = compiler->outside;
	struct str	rest, tag;

	compiler->outside = compiler->depth;
	while (cursor.at < file->text.n) {
		rest = str_from(file->text, cursor.at);
		if (!parse_literal(compiler, &cursor, str_first(rest, length_before(rest, "{{"))))
			return false;
		if (cursor.at == file->text.n)
			break;
		rest = str_from(file->text, cursor.at + 2);
		tag = str_first(rest, length_before(rest, "}}"));
		if (tag.n == rest.n)
			return FAIL(compiler, &cursor, "{{ without }}");
		if (!parse_tag(compiler, &cursor, tag))
			return false;
		advance(&cursor, tag.n + 4);
	}
	if (compiler->depth > compiler->outside)
		return source_fail(&compiler->library->error, file->name, compiler->open[compiler->depth - 1].line,
		    "section %.*s is not closed in this file",
		    STR_ARG(compiler->open[compiler->depth - 1].name));
	compiler->outside = outside;
	return true;
}

bool
compile_page(struct source_library *library, struct str name, struct compiled *page)
{
	struct compiler		 compiler = { .library = library, .page = page };
	const struct source	*file;

	if (!source_is_name(name))
		return source_fail(&library->error, name, 0, "is not the name of a template file");
	file = source_find(library, name);
	if (file == NULL)
		return false;
	*page = (struct compiled){ .name = file->name };
	context_begin(&compiler.context);
	if (!parse_file(&compiler, file))
		return false;
	if (!context_end(&compiler.context))
		return source_fail(&library->error, name, 0, "%s", compiler.context.message);
	return true;
}
