/*
 * markup.c -- the elements and attributes that a template may use; see markup.h
 *
 * The sets are the content models of the HTML standard, made a little narrower.
 */
#include "page/markup.h"

#define DOCUMENT	MARKUP_DOCUMENT
#define IN_HTML		0x002U
#define METADATA	0x004U
#define FLOW		0x008U
#define PHRASING	0x010U
#define ITEM		0x020U
#define TERM		0x040U
#define SUMMARY		0x080U
#define LEGEND		0x100U
#define TEXT		MARKUP_CHARACTERS
#define PROSE		(PHRASING | TEXT)
#define ANY		(FLOW | PROSE)

#define ELEMENT(name, is, holds)	{ STR_INIT(name), is, holds, 0, { NULL, 0 } }
#define VOID(name, is)			{ STR_INIT(name), is, 0, MARKUP_VOID, { NULL, 0 } }

static const struct markup_element elements[] = {
	ELEMENT("html", DOCUMENT, IN_HTML),
	ELEMENT("head", IN_HTML, METADATA),
	ELEMENT("body", IN_HTML, ANY),
	ELEMENT("title", METADATA, TEXT),
	ELEMENT("style", METADATA, 0),
	VOID("meta", METADATA),
	ELEMENT("header", FLOW, ANY),
	ELEMENT("main", FLOW, ANY),
	ELEMENT("footer", FLOW, ANY),
	ELEMENT("nav", FLOW, ANY),
	ELEMENT("section", FLOW, ANY),
	ELEMENT("article", FLOW, ANY),
	ELEMENT("div", FLOW | TERM, ANY | TERM),
	ELEMENT("h1", FLOW, PROSE),
	ELEMENT("h2", FLOW, PROSE),
	ELEMENT("h3", FLOW, PROSE),
	ELEMENT("p", FLOW, PROSE),
	ELEMENT("ul", FLOW, ITEM),
	ELEMENT("ol", FLOW, ITEM),
	ELEMENT("li", ITEM, ANY),
	ELEMENT("dl", FLOW, TERM),
	ELEMENT("dt", TERM, PROSE),
	ELEMENT("dd", TERM, ANY),
	ELEMENT("details", FLOW, SUMMARY | ANY),
	ELEMENT("summary", SUMMARY, PROSE),
	ELEMENT("fieldset", FLOW, LEGEND | ANY),
	ELEMENT("legend", LEGEND, PROSE),
	/* without a method a form puts its fields, the password too, into the URL */
	{ STR_INIT("form"), FLOW, ANY, MARKUP_ONCE, STR_INIT("method") },
	{ STR_INIT("label"), PHRASING, PROSE, MARKUP_ONCE, { NULL, 0 } },
	{ STR_INIT("button"), PHRASING, PROSE, MARKUP_ONCE, STR_INIT("type") },
	{ STR_INIT("a"), PHRASING, PROSE, MARKUP_ONCE, { NULL, 0 } },
	{ STR_INIT("input"), PHRASING, 0, MARKUP_VOID, STR_INIT("type") },
	{ STR_INIT("img"), PHRASING, 0, MARKUP_VOID, STR_INIT("alt") },
	VOID("br", PHRASING),
	VOID("hr", FLOW),
	ELEMENT("span", PHRASING, PROSE),
	ELEMENT("strong", PHRASING, PROSE),
	ELEMENT("em", PHRASING, PROSE),
	ELEMENT("small", PHRASING, PROSE),
	ELEMENT("code", PHRASING, PROSE),
	ELEMENT("time", PHRASING, PROSE),
	ELEMENT("abbr", PHRASING, PROSE),
	ELEMENT("bdi", PHRASING, PROSE),
};

#define ON_ALL	{ NULL, 0 }

static const struct markup_attribute attributes[] = {
	{ STR_INIT("class"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("id"), MARKUP_TEXT, ON_ALL },
	{ STR_INIT("lang"), MARKUP_TEXT, ON_ALL },
	{ STR_INIT("dir"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("title"), MARKUP_TEXT, ON_ALL },
	{ STR_INIT("role"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("hidden"), MARKUP_FLAG, ON_ALL },
	{ STR_INIT("tabindex"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("aria-"), MARKUP_TEXT, ON_ALL },
	{ STR_INIT("data-"), MARKUP_TEXT, ON_ALL },
	{ STR_INIT("charset"), MARKUP_FIXED, STR_INIT("meta") },
	{ STR_INIT("name"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("content"), MARKUP_FIXED, STR_INIT("meta") },
	{ STR_INIT("href"), MARKUP_LINK, STR_INIT("a") },
	{ STR_INIT("rel"), MARKUP_FIXED, STR_INIT("a") },
	{ STR_INIT("target"), MARKUP_FIXED, STR_INIT("a") },
	{ STR_INIT("src"), MARKUP_LINK, STR_INIT("img") },
	{ STR_INIT("alt"), MARKUP_TEXT, STR_INIT("img") },
	{ STR_INIT("width"), MARKUP_FIXED, STR_INIT("img") },
	{ STR_INIT("height"), MARKUP_FIXED, STR_INIT("img") },
	{ STR_INIT("referrerpolicy"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("action"), MARKUP_LINK, STR_INIT("form") },
	{ STR_INIT("method"), MARKUP_POST, STR_INIT("form") },
	{ STR_INIT("autocomplete"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("novalidate"), MARKUP_FLAG, STR_INIT("form") },
	{ STR_INIT("for"), MARKUP_TEXT, STR_INIT("label") },
	{ STR_INIT("type"), MARKUP_FIXED, ON_ALL },
	{ STR_INIT("value"), MARKUP_TEXT, ON_ALL },
	{ STR_INIT("placeholder"), MARKUP_TEXT, STR_INIT("input") },
	{ STR_INIT("inputmode"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("autocapitalize"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("autocorrect"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("spellcheck"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("enterkeyhint"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("minlength"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("maxlength"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("min"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("max"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("pattern"), MARKUP_FIXED, STR_INIT("input") },
	{ STR_INIT("required"), MARKUP_FLAG, STR_INIT("input") },
	{ STR_INIT("readonly"), MARKUP_FLAG, STR_INIT("input") },
	{ STR_INIT("checked"), MARKUP_FLAG, STR_INIT("input") },
	{ STR_INIT("autofocus"), MARKUP_FLAG, ON_ALL },
	{ STR_INIT("disabled"), MARKUP_FLAG, ON_ALL },
	{ STR_INIT("open"), MARKUP_FLAG, STR_INIT("details") },
	{ STR_INIT("datetime"), MARKUP_TEXT, STR_INIT("time") },
};

const struct markup_element *
markup_element(struct str name)
{
	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
		if (str_equal(elements[i].name, name))
			return &elements[i];
	}
	return NULL;
}

const struct markup_attribute *
markup_attribute(struct str name, const struct markup_element *element)
{
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
		const struct markup_attribute *a = &attributes[i];
		bool prefix = str_ends_with(a->name, STR("-"));

		if (!str_equal(a->name, prefix ? str_first(name, a->name.n) : name))
			continue;
		if (str_is_absent(a->on) || str_equal(a->on, element->name))
			return a;
	}
	return NULL;
}
