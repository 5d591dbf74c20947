/*
 * context.c -- where in an HTML page a template is; see context.h
 *
 * The names of the states' contents follow the HTML standard (content models,
 * character references); the subset is ours.
 */
#include "page/context.h"

#include "page/link.h"

#include <stdarg.h>

static const struct str doctype = STR_INIT("<!doctype html>");
static const struct str style_name = STR_INIT("style");

__attribute__((format(printf, 2, 3)))
static bool
refuse(struct context *context, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(context->message, sizeof context->message, format, args);
	va_end(args);
	return false;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str
name_of(const struct context *context)
{
	return (struct str){ context->name, context->name_n };
}

static bool
add_to_name(struct context *context, char c)
{
	if (context->name_n == sizeof context->name)
		return refuse(context, "the name that begins with \"%.*s\" is too long",
		    STR_ARG(name_of(context)));
	context->name[context->name_n++] = c;
	return true;
}

/* What the innermost open element may hold. */
static unsigned
content(const struct context *context)
{
	return context->depth == 0 ? MARKUP_DOCUMENT : context->open[context->depth - 1]->holds;
}

static const char *
place(const struct context *context, char *text, size_t size)
{
	if (context->depth == 0)
		return "outside <html>";
	snprintf(text, size, "inside <%.*s>",
	    STR_ARG(context->open[context->depth - 1]->name));
	return text;
}

/* The name of a start tag is complete. */
static bool
begin_element(struct context *context)
{
	const struct markup_element	*element = markup_element(name_of(context));
	char				 where[48];

	if (element == NULL)
		return refuse(context, "element <%.*s> is not allowed in a template",
		    STR_ARG(name_of(context)));
	if ((element->is & content(context)) == 0)
		return refuse(context, "element <%.*s> is not allowed %s",
		    STR_ARG(element->name), place(context, where, sizeof where));
	for (size_t i = 0; (element->flags & MARKUP_ONCE) != 0 && i < context->depth; i++) {
		if (context->open[i] == element)
			return refuse(context, "element <%.*s> is not allowed inside another one",
			    STR_ARG(element->name));
	}
	context->element = element;
	context->has_required = false;
	context->tags++;
	return true;
}

/* The ">" of a start tag. */
static bool
finish_tag(struct context *context)
{
	const struct markup_element *element = context->element;

	if (!str_is_absent(element->required) && !context->has_required)
		return refuse(context, "element <%.*s> needs the attribute %.*s, outside of any section",
		    STR_ARG(element->name), STR_ARG(element->required));
	context->state = CONTEXT_TEXT;
	if ((element->flags & MARKUP_VOID) != 0)
		return true;
	if (context->depth == CONTEXT_MAX_DEPTH)
		return refuse(context, "more than %d elements inside each other", CONTEXT_MAX_DEPTH);
	context->open[context->depth++] = element;
	if (str_equal(element->name, style_name))
		context->state = CONTEXT_STYLE;
	return true;
}

/* The ">" of an end tag. */
static bool
end_element(struct context *context)
{
	char where[48];

	if (context->depth <= context->floor && context->depth > 0)
		return refuse(context, "</%.*s> closes an element from outside of the section",
		    STR_ARG(name_of(context)));
	if (context->depth == 0 ||
	    !str_equal(context->open[context->depth - 1]->name, name_of(context)))
		return refuse(context, "</%.*s> does not fit: we are %s",
		    STR_ARG(name_of(context)), place(context, where, sizeof where));
	context->depth--;
	context->state = CONTEXT_TEXT;
	return true;
}

/* What may follow an element's name or an attribute. */
static bool
after_name(struct context *context, char c)
{
	if (is_space(c)) {
		context->state = CONTEXT_BETWEEN;
		return true;
	}
	if (c == '>')
		return finish_tag(context);
	if (c == '/')
		return refuse(context, "write <%.*s> without a slash at its end",
		    STR_ARG(context->element->name));
	return refuse(context, "unexpected character in the tag <%.*s>",
	    STR_ARG(context->element->name));
}

static bool
in_doctype(struct context *context, char c)
{
	char expected = doctype.p[context->count];

	if (context->count == 0 && is_space(c))
		return true;
	if (is_upper(c))
		c = (char)(c - 'A' + 'a');
	if (c != expected)
		return refuse(context, "begin the page with <!doctype html>");
	if (++context->count == doctype.n)
		context->state = CONTEXT_TEXT;
	return true;
}

static bool
in_text(struct context *context, char c)
{
	char where[48];

	if (c == '<') {
		context->state = CONTEXT_TAG_OPEN;
		context->name_n = 0;
		return true;
	}
	if (is_space(c))
		return true;
	if ((content(context) & MARKUP_CHARACTERS) == 0)
		return refuse(context, "text is not allowed %s", place(context, where, sizeof where));
	if (c == '&') {
		context->state = CONTEXT_TEXT_REFERENCE;
		context->count = 0;
	}
	return true;
}

/* Between "&" and ";" of a character reference in text or in a value. */
static bool
in_reference(struct context *context, char c)
{
	if (c == ';' && context->count > 0) {
		context->state = context->state == CONTEXT_TEXT_REFERENCE ?
		    CONTEXT_TEXT : CONTEXT_VALUE;
		return true;
	}
	if (!is_lower(c) && !is_upper(c) && !is_digit(c) && (c != '#' || context->count > 0))
		return refuse(context, "write &amp; for a single &");
	if (++context->count > CONTEXT_REFERENCE_MAX_BYTES)
		return refuse(context, "write &amp; for a single &");
	return true;
}

static bool
in_tag_open(struct context *context, char c)
{
	if (c == '/') {
		context->state = CONTEXT_END_NAME;
		return true;
	}
	if (c == '!')
		return refuse(context, "<! is not allowed here: comments are written {{! ... }}");
	if (is_upper(c))
		return refuse(context, "write the names of elements in lower case");
	if (!is_lower(c))
		return refuse(context, "write &lt; for a single <");
	context->state = CONTEXT_TAG_NAME;
	return add_to_name(context, c);
}

static bool
in_tag_name(struct context *context, char c)
{
	if (is_lower(c) || is_digit(c))
		return add_to_name(context, c);
	if (is_upper(c))
		return refuse(context, "write the names of elements in lower case");
	return begin_element(context) && after_name(context, c);
}

static bool
in_end_name(struct context *context, char c)
{
	if (is_lower(c) || is_digit(c))
		return add_to_name(context, c);
	if (c != '>')
		return refuse(context, "unexpected character in the tag </%.*s>",
		    STR_ARG(name_of(context)));
	return end_element(context);
}

static bool
in_between(struct context *context, char c)
{
	if (is_upper(c))
		return refuse(context, "write the names of attributes in lower case");
	if (!is_lower(c))
		return after_name(context, c);
	context->state = CONTEXT_ATTRIBUTE;
	context->name_n = 0;
	return add_to_name(context, c);
}

/* The name of an attribute is complete and c follows. */
static bool
begin_attribute(struct context *context, char c)
{
	const struct markup_attribute *attribute =
	    markup_attribute(name_of(context), context->element);

	if (attribute == NULL)
		return refuse(context, "attribute %.*s is not allowed on <%.*s>",
		    STR_ARG(name_of(context)), STR_ARG(context->element->name));
	if ((attribute->kind == MARKUP_FLAG) == (c == '='))
		return refuse(context, attribute->kind == MARKUP_FLAG ?
		    "attribute %.*s takes no value" : "attribute %.*s needs a value: %.*s=\"...\"",
		    STR_ARG(name_of(context)), STR_ARG(name_of(context)));
	context->attribute = attribute;
	context->attributes++;
	context->value_n = 0;
	if (str_equal(name_of(context), context->element->required))
		context->has_required = true;
	return true;
}

static bool
in_attribute(struct context *context, char c)
{
	if (is_lower(c) || is_digit(c) || c == '-')
		return add_to_name(context, c);
	if (is_upper(c))
		return refuse(context, "write the names of attributes in lower case");
	if (!begin_attribute(context, c))
		return false;
	if (c != '=')
		return after_name(context, c);
	context->state = CONTEXT_EQUALS;
	return true;
}

static bool
in_equals(struct context *context, char c)
{
	if (c != '"')
		return refuse(context, "put the value of %.*s in double quotes",
		    STR_ARG(name_of(context)));
	context->state = CONTEXT_VALUE;
	return true;
}

static bool
is_literal_link(struct str value)
{
	if (str_starts_with(value, STR("#")))
		return value.n > 1;
	return str_starts_with(value, STR("mailto:")) || link_is_allowed(value);
}

/* The closing quote of a value. */
static bool
end_value(struct context *context)
{
	struct str value = { context->value, context->value_n };

	if (context->attribute->kind == MARKUP_LINK && !is_literal_link(value))
		return refuse(context, "the link in %.*s is not allowed: use https: or a path that begins with /",
		    STR_ARG(name_of(context)));
	if (context->attribute->kind == MARKUP_POST && !str_equal(value, STR("post")))
		return refuse(context, "write method=\"post\"");
	context->state = CONTEXT_AFTER_VALUE;
	return true;
}

static bool
in_value(struct context *context, char c)
{
	enum markup_kind kind = context->attribute->kind;

	if (c == '"')
		return end_value(context);
	if (c == '<')
		return refuse(context, "write &lt; for a single <");
	if (kind == MARKUP_LINK || kind == MARKUP_POST) {
		/* "&" could spell a second "/" that the link filter does not see */
		if (c == '&' || context->value_n == sizeof context->value)
			return refuse(context, "the link in %.*s is too long or holds a &",
			    STR_ARG(name_of(context)));
		context->value[context->value_n++] = c;
		return true;
	}
	if (c == '&') {
		context->state = CONTEXT_VALUE_REFERENCE;
		context->count = 0;
	}
	return true;
}

static bool
in_link_done(struct context *context, char c)
{
	if (c != '"')
		return refuse(context, "{{url:...}} must be the whole value of %.*s",
		    STR_ARG(name_of(context)));
	context->state = CONTEXT_AFTER_VALUE;
	return true;
}

static bool
in_style(struct context *context, char c)
{
	(void)c;
	return refuse(context, "only {{style}} is allowed inside <style>, without a space around it");
}

static bool
in_style_done(struct context *context, char c)
{
	if (c != '<')
		return in_style(context, c);
	return in_text(context, c);
}

bool
context_byte(struct context *context, char c)
{
	static bool (*const on_byte[CONTEXT__COUNT])(struct context *, char) = {
		[CONTEXT_DOCTYPE] = in_doctype,
		[CONTEXT_TEXT] = in_text,
		[CONTEXT_TEXT_REFERENCE] = in_reference,
		[CONTEXT_TAG_OPEN] = in_tag_open,
		[CONTEXT_TAG_NAME] = in_tag_name,
		[CONTEXT_END_NAME] = in_end_name,
		[CONTEXT_BETWEEN] = in_between,
		[CONTEXT_ATTRIBUTE] = in_attribute,
		[CONTEXT_EQUALS] = in_equals,
		[CONTEXT_VALUE] = in_value,
		[CONTEXT_VALUE_REFERENCE] = in_reference,
		[CONTEXT_LINK_DONE] = in_link_done,
		[CONTEXT_AFTER_VALUE] = after_name,
		[CONTEXT_STYLE] = in_style,
		[CONTEXT_STYLE_DONE] = in_style_done,
	};

	if ((unsigned char)c < 0x20 && !is_space(c))
		return refuse(context, "control character 0x%02x", (unsigned char)c);
	return on_byte[context->state](context, c);
}

void
context_begin(struct context *context)
{
	*context = (struct context){ .state = CONTEXT_DOCTYPE };
}

/* Say why a placeholder may not stand here. */
static bool
refuse_placeholder(struct context *context)
{
	switch (context->state) {
	case CONTEXT_DOCTYPE:
		return refuse(context, "begin the page with <!doctype html>");
	case CONTEXT_TEXT_REFERENCE:
	case CONTEXT_VALUE_REFERENCE:
		return refuse(context, "write &amp; for a single &");
	case CONTEXT_EQUALS:
		return refuse(context, "put the value of %.*s in double quotes",
		    STR_ARG(name_of(context)));
	case CONTEXT_LINK_DONE:
		return in_link_done(context, '{');
	case CONTEXT_STYLE:
	case CONTEXT_STYLE_DONE:
		return in_style(context, '{');
	case CONTEXT_TEXT:
	case CONTEXT_VALUE:
	case CONTEXT_TAG_OPEN:
	case CONTEXT_TAG_NAME:
	case CONTEXT_END_NAME:
	case CONTEXT_BETWEEN:
	case CONTEXT_ATTRIBUTE:
	case CONTEXT_AFTER_VALUE:
	case CONTEXT__COUNT:
		break;
	}
	return refuse(context, "a placeholder is not allowed inside a tag");
}

bool
context_value(struct context *context)
{
	char where[48];

	if (context->state == CONTEXT_TEXT) {
		if ((content(context) & MARKUP_CHARACTERS) != 0)
			return true;
		return refuse(context, "a placeholder is not allowed %s",
		    place(context, where, sizeof where));
	}
	if (context->state != CONTEXT_VALUE)
		return refuse_placeholder(context);
	if (context->attribute->kind == MARKUP_TEXT)
		return true;
	if (context->attribute->kind == MARKUP_LINK)
		return refuse(context, "write {{url:...}} as the whole value of %.*s",
		    STR_ARG(name_of(context)));
	return refuse(context, "attribute %.*s takes no placeholder", STR_ARG(name_of(context)));
}

bool
context_link(struct context *context)
{
	if (context->state == CONTEXT_TEXT)
		return refuse(context, "{{url:...}} is only allowed as the value of href, src or action");
	if (context->state != CONTEXT_VALUE)
		return refuse_placeholder(context);
	if (context->attribute->kind != MARKUP_LINK)
		return refuse(context, "attribute %.*s takes no {{url:...}}", STR_ARG(name_of(context)));
	if (context->value_n > 0)
		return in_link_done(context, '{');
	context->state = CONTEXT_LINK_DONE;
	return true;
}

bool
context_style(struct context *context)
{
	if (context->state != CONTEXT_STYLE)
		return refuse(context, "{{style}} is only allowed as the whole content of <style>");
	context->state = CONTEXT_STYLE_DONE;
	return true;
}

/* May the page take one of two ways here? */
static bool
may_branch(const struct context *context)
{
	if (context->state == CONTEXT_TEXT)
		return context->depth > 0;
	if (context->state == CONTEXT_BETWEEN)
		return true;
	return context->state == CONTEXT_VALUE &&
	    (context->attribute->kind == MARKUP_FIXED || context->attribute->kind == MARKUP_TEXT);
}

bool
context_section(struct context *context, struct context_mark *mark)
{
	if (!may_branch(context))
		return refuse(context, "a section is only allowed in text, between attributes after a space, or in a value that is not a link");
	mark->state = context->state;
	mark->depth = context->depth;
	mark->floor = context->floor;
	mark->tags = context->tags;
	mark->attributes = context->attributes;
	mark->has_required = context->has_required;
	context->floor = context->depth;
	return true;
}

bool
context_section_end(struct context *context, const struct context_mark *mark)
{
	bool same = context->state == mark->state && context->depth == mark->depth;

	if (mark->state != CONTEXT_TEXT)
		same = same && context->tags == mark->tags;
	if (mark->state == CONTEXT_VALUE)
		same = same && context->attributes == mark->attributes;
	if (!same)
		return refuse(context, "a section must end where it began: in the same element, tag or value");
	/* what a section brings may be missing */
	context->has_required = mark->has_required;
	context->floor = mark->floor;
	return true;
}

bool
context_end(struct context *context)
{
	char where[48];

	if (context->state != CONTEXT_TEXT || context->depth > 0)
		return refuse(context, "the page ends %s",
		    context->depth > 0 ? place(context, where, sizeof where) : "inside a tag");
	if (context->tags == 0)
		return refuse(context, "the page is empty");
	return true;
}
