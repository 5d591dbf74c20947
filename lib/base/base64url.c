/*
 * base64url.c -- base64url without padding; see base64url.h
 */
#include "base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str
base64url_encode(struct arena *arena, struct str bytes)
{
	const unsigned char	*in = (const unsigned char *)bytes.p;
	size_t			 length = BASE64URL_LENGTH(bytes.n);
	char			*text = arena_alloc(arena, length + 1);
	uint32_t		 bits = 0;
	unsigned		 count = 0;
	size_t			 n = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | in[i];
		for (count += 8; count >= 6; count -= 6)
			text[n++] = alphabet[bits >> (count - 6) & 63];
	}
	if (count > 0)
		text[n++] = alphabet[bits << (6 - count) & 63];
	return (struct str){ text, n };
}

/* 0 to 63, or -1. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool
base64url_decode(struct arena *arena, struct str text, struct str *bytes)
{
	unsigned char	*out;
	uint32_t	 bits = 0;
	unsigned	 count = 0;
	size_t		 n = 0;

	if (text.n % 4 == 1)
		return false;
	out = arena_alloc(arena, text.n * 3 / 4 + 1);
	for (size_t i = 0; i < text.n; i++) {
		int value = value_of(text.p[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[n++] = (unsigned char)(bits >> count);
		}
	}
	if ((bits & ((1U << count) - 1)) != 0)
		return false;
	*bytes = (struct str){ (const char *)out, n };
	return true;
}
