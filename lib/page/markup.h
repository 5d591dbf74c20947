/*
 * markup.h -- the elements and attributes that a template may use
 *
 * Two tables; what they do not name does not load.  Left out on purpose:
 * everything that runs or loads (script, iframe, object, embed, link, base, svg,
 * math, on*, style=, srcset, formaction, http-equiv) and everything whose content
 * browsers parse by rules of its own (textarea, select, template, tables, pre).
 */
#ifndef PAGE_MARKUP_H
#define PAGE_MARKUP_H

#include "base/str.h"

/* What an element is, as a child, and what it may hold: bits of one set. */
#define MARKUP_DOCUMENT		0x001U	/* stands alone: <html> */
#define MARKUP_CHARACTERS	0x200U	/* text */

/* How an element behaves. */
#define MARKUP_VOID		0x1U	/* has no content and no end tag */
#define MARKUP_ONCE		0x2U	/* not inside another of its kind: browsers drop it */

struct markup_element {
	struct str	name;
	unsigned	is;
	unsigned	holds;
	unsigned	flags;
	struct str	required;	/* an attribute that it must have; or absent */
};

enum markup_kind {
	MARKUP_FLAG,	/* no value: the attribute's presence says it */
	MARKUP_FIXED,	/* literal text and sections */
	MARKUP_TEXT,	/* also {{name}} */
	MARKUP_LINK,	/* {{url:name}} or a literal link, and nothing else */
	MARKUP_POST,	/* "post" */
};

struct markup_attribute {
	struct str		name;	/* "-" at the end: any name that begins so */
	enum markup_kind	kind;
	struct str		on;	/* only on this element; absent: on all */
};

/* The element called name, or NULL. */
const struct markup_element *markup_element(struct str name);

/* The attribute called name on element, or NULL. */
const struct markup_attribute *markup_attribute(struct str name,
    const struct markup_element *element);

#endif
