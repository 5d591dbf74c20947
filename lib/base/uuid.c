/*
 * uuid.c -- UUIDs in their textual form; see uuid.h
 */
#include "base/uuid.h"

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_hyphen_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
uuid_parse(struct str text, unsigned char out[UUID_BYTES])
{
	unsigned nibbles = 0;

	if (text.n != UUID_TEXT_BYTES)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int value;

		if (is_hyphen_place(i)) {
			if (text.p[i] != '-')
				return false;
			continue;
		}
		value = digit_value(text.p[i]);
		if (value < 0)
			return false;
		out[nibbles / 2] = (unsigned char)((nibbles % 2 == 0 ? 0 : out[nibbles / 2] << 4) | value);
		nibbles++;
	}
	return true;
}
