/*
 * page.c -- what a page shows; see page.h
 */
#include "page/page.h"

struct page_data *
page_new(struct arena *arena)
{
	struct page_data *data = arena_alloc(arena, sizeof *data);

	data->arena = arena;
	return data;
}

static struct page_field *
find(const struct page_data *data, struct str name)
{
	struct page_field *field;

	for (field = data->fields; field != NULL; field = field->next) {
		if (str_equal(field->name, name))
			return field;
	}
	return NULL;
}

/* The field called name, empty and of this kind. */
static struct page_field *
field_of(struct page_data *data, const char *name, enum page_kind kind)
{
	struct page_field *field = find(data, str_of(name));

	if (field == NULL) {
		field = arena_alloc(data->arena, sizeof *field);
		field->next = data->fields;
		data->fields = field;
	}
	*field = (struct page_field){ .next = field->next, .name = str_of(name), .kind = kind };
	return field;
}

void
page_set(struct page_data *data, const char *name, struct str text)
{
	field_of(data, name, PAGE_TEXT)->text = text;
}

void
page_set_flag(struct page_data *data, const char *name, bool flag)
{
	field_of(data, name, PAGE_FLAG)->flag = flag;
}

struct page_data *
page_add_item(struct page_data *data, const char *name)
{
	struct page_field *list = find(data, str_of(name));
	struct page_data  *item = page_new(data->arena);

	if (list == NULL || list->kind != PAGE_LIST)
		list = field_of(data, name, PAGE_LIST);
	if (list->last == NULL)
		list->first = item;
	else
		list->last->next = item;
	list->last = item;
	return item;
}

const struct page_field *
page_find(const struct page_data *data, struct str name)
{
	return find(data, name);
}
