/*
 * base64url.c -- fuzz target: a text has an octet string only if it is the one
 *                spelling of it
 */
#include "base/base64url.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena = fuzz_arena(8 * 1024 * 1024);
	struct str	 input = { (const char *)data, size };
	struct str	 bytes, text;

	if (base64url_decode(arena, input, &bytes) &&
	    !str_equal(base64url_encode(arena, bytes), input))
		abort();
	text = base64url_encode(arena, input);
	if (text.n != BASE64URL_LENGTH(size) || !base64url_decode(arena, text, &bytes) ||
	    !str_equal(bytes, input))
		abort();
	arena_reset(arena);
	return 0;
}
