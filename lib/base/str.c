/*
 * str.c -- slices; see str.h
 */
#include "base/str.h"

#include <strings.h>

struct str
str_of(const char *text)
{
	return (struct str){ text, text == NULL ? 0 : strlen(text) };
}

bool
str_is_absent(struct str s)
{
	return s.p == NULL;
}

bool
str_is_empty(struct str s)
{
	return s.n == 0;
}

bool
str_equal(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_equal_ignoring_case(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool
str_starts_with(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_equal(str_first(s, prefix.n), prefix);
}

bool
str_ends_with(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_equal(str_from(s, s.n - suffix.n), suffix);
}

long
str_index(struct str s, char c)
{
	const char *place = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return place == NULL ? -1 : place - s.p;
}

bool
str_consists_of(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
			return false;
	}
	return true;
}

struct str
str_from(struct str s, size_t from)
{
	if (s.p == NULL)
		return s;
	if (from > s.n)
		from = s.n;
	return (struct str){ s.p + from, s.n - from };
}

struct str
str_first(struct str s, size_t n)
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

bool
str_cut(struct str *rest, char separator, struct str *part)
{
	long at;

	if (str_is_absent(*rest))
		return false;
	at = str_index(*rest, separator);
	if (at < 0) {
		*part = *rest;
		*rest = STR_ABSENT;
		return true;
	}
	*part = str_first(*rest, (size_t)at);
	*rest = str_from(*rest, (size_t)at + 1);
	return true;
}

bool
str_has_word(struct str list, struct str word)
{
	struct str part;

	if (str_is_empty(word))
		return false;
	while (str_cut(&list, ' ', &part)) {
		if (str_equal(part, word))
			return true;
	}
	return false;
}

/* Length of the UTF-8 sequence at p with n bytes left; 0 if it is not one. */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
	size_t		length;
	uint32_t	code;
	static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };

	if (p[0] < 0x80)
		return p[0] != 0;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		length = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > n)
		return 0;
	code = p[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fU);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

bool
str_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	}
	return true;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0, length; i < s.n; i += length) {
		length = utf8_sequence(p + i, s.n - i);
		if (length == 0)
			return false;
	}
	return true;
}

bool
str_to_long(struct str s, long *value)
{
	long sum = 0;

	if (s.n == 0 || s.n > 18)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		sum = sum * 10 + (s.p[i] - '0');
	}
	*value = sum;
	return true;
}

struct str
str_dup(struct arena *arena, struct str s)
{
	char *copy;

	if (str_is_absent(s))
		return s;
	copy = arena_alloc(arena, s.n + 1);
	memcpy(copy, s.p, s.n);
	return (struct str){ copy, s.n };
}

const char *
str_z(struct arena *arena, struct str s)
{
	return str_is_absent(s) ? "" : str_dup(arena, s).p;
}
