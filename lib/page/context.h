/*
 * context.h -- where in an HTML page a template is, and what may stand there
 *
 * Every context in which an escaped value could still do harm is forbidden
 * instead of escaped: a template may use the elements and attributes of
 * page/markup.h, values in double quotes, and placeholders in text, in attributes that
 * hold text, and (through the link filter) as a whole link.  What is not
 * named there does not load (SEC-WEB-02).
 *
 * The checker follows a small, strict HTML: lower-case names, every element
 * closed, nothing that a browser would have to repair, so that what it believes
 * about a place is what every browser believes.
 *
 * Each function returns false when the construct is refused; context->message
 * then says why, in words for the author of the template.
 */
#ifndef PAGE_CONTEXT_H
#define PAGE_CONTEXT_H

#include "page/markup.h"

#define CONTEXT_MAX_DEPTH		32	/* open elements */
#define CONTEXT_NAME_MAX_BYTES		24	/* of an element or attribute */
#define CONTEXT_VALUE_MAX_BYTES		512	/* of a literal link */
#define CONTEXT_REFERENCE_MAX_BYTES	32	/* between "&" and ";" */
#define CONTEXT_MESSAGE_MAX_BYTES	160

enum context_state {
	CONTEXT_DOCTYPE,		/* before or inside <!doctype html> */
	CONTEXT_TEXT,
	CONTEXT_TEXT_REFERENCE,		/* "&am" */
	CONTEXT_TAG_OPEN,		/* "<" */
	CONTEXT_TAG_NAME,		/* "<di" */
	CONTEXT_END_NAME,		/* "</di" */
	CONTEXT_BETWEEN,		/* "<div " */
	CONTEXT_ATTRIBUTE,		/* "<div cla" */
	CONTEXT_EQUALS,			/* "<div class=" */
	CONTEXT_VALUE,			/* "<div class=\"no" */
	CONTEXT_VALUE_REFERENCE,	/* "<div title=\"&am" */
	CONTEXT_LINK_DONE,		/* "<a href=\"{{url:x}}" */
	CONTEXT_AFTER_VALUE,		/* "<div class=\"note\"" */
	CONTEXT_STYLE,			/* "<style>" */
	CONTEXT_STYLE_DONE,		/* "<style>{{style}}" */
	CONTEXT__COUNT
};

struct context {
	enum context_state		 state;
	const struct markup_element	*open[CONTEXT_MAX_DEPTH];
	size_t				 depth;
	size_t				 floor;		/* elements opened outside the section */
	const struct markup_element	*element;	/* of the tag that we are in */
	const struct markup_attribute	*attribute;
	bool				 has_required;	/* the element's required attribute */
	unsigned			 tags;		/* numbers the tags */
	unsigned			 attributes;	/* numbers the attributes */
	char				 name[CONTEXT_NAME_MAX_BYTES];
	size_t				 name_n;
	char				 value[CONTEXT_VALUE_MAX_BYTES];
	size_t				 value_n;
	size_t				 count;		/* of a reference or the doctype */
	char				 message[CONTEXT_MESSAGE_MAX_BYTES];
};

/* Where a section began. */
struct context_mark {
	enum context_state	state;
	size_t			depth;
	size_t			floor;
	unsigned		tags;
	unsigned		attributes;
	bool			has_required;
};

/* Before the first byte of a page. */
void context_begin(struct context *context);

/* The next byte of literal text. */
bool context_byte(struct context *context, char c);

/* {{name}}, {{url:name}} or {{style}} stands here. */
bool context_value(struct context *context);
bool context_link(struct context *context);
bool context_style(struct context *context);

/* A section begins here; it must end in the same place of the same element,
 * because it may be left out or repeated. */
bool context_section(struct context *context, struct context_mark *mark);
bool context_section_end(struct context *context, const struct context_mark *mark);

/* After the last byte: the page must be complete. */
bool context_end(struct context *context);

#endif
