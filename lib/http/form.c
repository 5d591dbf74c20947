/*
 * form.c -- parameters by table; see form.h
 */
#include "http/form.h"

#include "base/buf.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
form_decode(struct arena *arena, struct str text, struct str *value)
{
	char	*out = arena_alloc(arena, text.n + 1);
	size_t	 n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		if (text.p[i] != '%') {
			out[n++] = text.p[i] == '+' ? ' ' : text.p[i];
			continue;
		}
		if (text.n - i < 3 || (high = hex_value(text.p[i + 1])) < 0 ||
		    (low = hex_value(text.p[i + 2])) < 0)
			return false;
		out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*value = (struct str){ out, n };
	return str_is_utf8(*value);
}

static int
find(const struct parameter *table, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal(name, str_of(table[i].name)))
			return (int)i;
	}
	return -1;
}

/* What is wrong with one value, or NULL. */
static const char *
fault_of(const struct parameter *parameter, struct str value)
{
	if (value.n > parameter->max_bytes)
		return "a parameter is too long";
	if (parameter->valid != NULL && !parameter->valid(value))
		return "a parameter has characters that are not allowed in it";
	return NULL;
}

static void
note(struct form_fault *fault, int parameter, const char *description)
{
	if (fault->description == NULL)
		*fault = (struct form_fault){ parameter, description };
}

static struct str
join(struct arena *arena, struct str first, struct str second)
{
	struct buf text = buf_new(arena, first.n + second.n + 1);

	buf_add(&text, first);
	if (first.n > 0 && second.n > 0)
		buf_addc(&text, ' ');
	buf_add(&text, second);
	return buf_str(&text);
}

void
form_parse(struct arena *arena, struct str text, const struct parameter *table,
    size_t count, struct str *values, struct form_fault *fault)
{
	bool		seen[FORM_MAX_PARAMETERS] = { false }, wrong[FORM_MAX_PARAMETERS] = { false };
	struct str	pair, name, value;
	size_t		pairs = 0;

	*fault = (struct form_fault){ -1, NULL };
	for (size_t i = 0; i < count; i++)
		values[i] = STR_ABSENT;
	if (str_is_empty(text))
		return;
	while (str_cut(&text, '&', &pair)) {
		const char	*why;
		int		 which;

		if (pair.n == 0)
			continue;
		if (++pairs > FORM_MAX_PAIRS) {
			note(fault, -1, "too many parameters");
			break;
		}
		value = pair;
		str_cut(&value, '=', &name);
		if (!form_decode(arena, name, &name)) {
			note(fault, -1, "a parameter is not percent-encoded UTF-8");
			continue;
		}
		which = find(table, count, name);
		if (!form_decode(arena, value, &value)) {
			note(fault, which, "a parameter is not percent-encoded UTF-8");
			if (which >= 0)
				seen[which] = wrong[which] = true;
			continue;
		}
		if (which < 0)
			continue;
		if (seen[which] && table[which].list)
			value = join(arena, values[which], value);
		else if (seen[which]) {
			note(fault, which, "a parameter is repeated");
			wrong[which] = true;
			continue;
		}
		seen[which] = true;
		if (value.n == 0)
			continue;
		why = fault_of(&table[which], value);
		if (why != NULL) {
			note(fault, which, why);
			wrong[which] = true;
			continue;
		}
		values[which] = value;
	}
	for (size_t i = 0; i < count; i++) {
		if (wrong[i])
			values[i] = STR_ABSENT;
	}
}

bool
form_is_vschar(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < 0x20 || value.p[i] > 0x7e)
			return false;
	}
	return true;
}

bool
form_is_line(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
			return false;
	}
	return true;
}

bool
form_is_nqchar_list(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < 0x20 || value.p[i] > 0x7e || value.p[i] == '"' || value.p[i] == '\\')
			return false;
	}
	return true;
}
