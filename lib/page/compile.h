/*
 * compile.h -- a page's files, checked and turned into a flat list of nodes
 *
 * Partials have disappeared from it, and a section is a node that knows where its
 * body ends.  Names and literal text are slices of the files' text.
 */
#ifndef PAGE_COMPILE_H
#define PAGE_COMPILE_H

#include "page/source.h"

#define COMPILE_NAME_MAX_BYTES		32	/* between the braces */
#define COMPILE_MAX_NODES		2048	/* of a page */
#define COMPILE_MAX_DEPTH		16	/* sections inside each other */
#define COMPILE_MAX_PARTIALS		32	/* files that a page includes */
#define COMPILE_MAX_PARTIAL_DEPTH	4

enum node_kind {
	NODE_LITERAL,
	NODE_VALUE,
	NODE_LINK,
	NODE_STYLE,
	NODE_EACH,	/* {{#name}} */
	NODE_IF,	/* {{?name}} */
	NODE_UNLESS,	/* {{^name}} */
};

struct node {
	enum node_kind	kind;
	bool		link;	/* sections: ask the link filter */
	uint32_t	end;	/* sections: the first node behind the body */
	struct str	text;	/* literal text, or a name */
};

struct compiled {
	struct str	 name;		/* of the page's file */
	struct node	*nodes;
	uint32_t	 count;
};

/* Compile the page called name, from the library's files; it lives in the
 * library's arena.  False if it is refused: the library's error then says why,
 * with file and line. */
bool compile_page(struct source_library *library, struct str name, struct compiled *page);

#endif
