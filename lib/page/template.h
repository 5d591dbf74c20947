/*
 * template.h -- pages from template files
 *
 * A subset of mustache:
 *
 *	{{name}}		the value, escaped: in text, or in a double-quoted
 *				attribute that holds text
 *	{{url:name}}		the whole value of href, src or action; empty unless
 *				link_is_allowed()
 *	{{#name}}..{{/name}}	for a list once for each item, whose names are looked
 *				up first; else once if the text is not empty or the
 *				flag is set
 *	{{?name}}..{{/name}}	once if the list, text or flag is not empty
 *	{{^name}}..{{/name}}	once if it is
 *	{{#url:name}} {{?url:name}} {{^url:name}}	the same for "is an allowed link"
 *	{{>file.html}}		another file, put in place when the page is loaded
 *	{{style}}		the text of style.css, the only content of <style>
 *	{{! ... }}		a comment, not sent
 *
 * There is no unescaped form.  Files are read, checked by page/context.h and
 * compiled once, when the program starts; rendering reads no file.  Their limits
 * are in page/source.h and page/compile.h.
 */
#ifndef PAGE_TEMPLATE_H
#define PAGE_TEMPLATE_H

#include "base/buf.h"
#include "page/page.h"

#define TEMPLATE_SET_MAX_BYTES		((size_t)4 * 1024 * 1024)
#define TEMPLATE_ERROR_MAX_BYTES	512	/* enough for any message */

struct template_set;

/* Read style.css and the count files in names, with what they include, from
 * directory.  NULL if one cannot be read or is refused: error then holds one
 * line, "login.html:12: ...", of at most error_size bytes.  The caller owns the
 * set; it is meant to live as long as the process. */
struct template_set *template_set_load(const char *directory, const char *const *names,
    size_t count, char *error, size_t error_size);

/* Let go of a set.  *set becomes NULL. */
void template_set_free(struct template_set **set);

/* SHA-256 of the style sheet as it stands in the pages, in base64, for
 * "style-src 'sha256-...'" (Content Security Policy level 3, section 2.3.1).
 * Lives as long as the set. */
const char *template_style_hash(const struct template_set *set);

/* Add the page called name to out.  A name that data does not have is empty.
 * False if the set has no such page or out overflowed. */
bool template_render(const struct template_set *set, const char *name,
    const struct page_data *data, struct buf *out);

/* Would every page in directory load?  A page is a file "*.html" whose name does
 * not begin with "_" or ".".  Else false and one line in error. */
bool template_check(const char *directory, char *error, size_t error_size);

#endif
