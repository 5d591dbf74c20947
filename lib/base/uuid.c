/*
 * uuid.c -- UUIDs, and their textual form; see uuid.h
 */
#include "base/uuid.h"

#include "base/buf.h"
#include "base/secret.h"

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

void
uuid_new(unsigned char out[UUID_BYTES])
{
	random_bytes(out, UUID_BYTES);
	out[6] = (out[6] & 0x0f) | 0x40;
	out[8] = (out[8] & 0x3f) | 0x80;
}

struct str
uuid_text(struct arena *arena, const unsigned char uuid[UUID_BYTES])
{
	struct buf text = buf_new(arena, UUID_TEXT_BYTES + 1);

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (is_hyphen_place(text.n))
			buf_addc(&text, '-');
		buf_addf(&text, "%02x", uuid[i]);
	}
	return buf_str(&text);
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
