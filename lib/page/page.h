/*
 * page.h -- what a page shows: named texts, flags and lists
 *
 * An endpoint fills a struct page_data in its request's arena and hands it to
 * template_render().  Names are the words of page/vocabulary.c; the values are
 * whatever the database or the request said: the renderer escapes them.
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "base/str.h"

enum page_kind { PAGE_TEXT, PAGE_FLAG, PAGE_LIST };

struct page_field {
	struct page_field	*next;
	struct str		 name;
	enum page_kind		 kind;
	bool			 flag;		/* PAGE_FLAG */
	struct str		 text;		/* PAGE_TEXT */
	struct page_data	*first;		/* PAGE_LIST: its items in order */
	struct page_data	*last;
};

struct page_data {
	struct arena		*arena;
	struct page_field	*fields;
	struct page_data	*next;		/* the next item of the same list */
};

/* Empty data; lives as long as the arena's present contents. */
struct page_data *page_new(struct arena *arena);

/* name shows text.  Neither is copied: both must live until the page is
 * rendered.  Setting a name again replaces what it was.  Inside a list's item,
 * an absent text hides a text of the same name outside. */
void page_set(struct page_data *data, const char *name, struct str text);

/* name is true or false as a section; it shows nothing as text. */
void page_set_flag(struct page_data *data, const char *name, bool flag);

/* A new last item of the list called name; fill it like the page itself. */
struct page_data *page_add_item(struct page_data *data, const char *name);

/* The field called name of this data alone, or NULL. */
const struct page_field *page_find(const struct page_data *data, struct str name);

#endif
