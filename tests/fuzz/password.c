/*
 * password.c -- fuzz target: a password has one normal form, which is its own
 */
#include "base/password.h"

#include "fuzz.h"

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena = fuzz_arena(1024 * 1024);
	struct str	 typed = { (const char *)data, size };
	struct str	 normal = password_normal(arena, typed);

	if (str_is_absent(normal)) {
		HOLDS(size == 0 || size > PASSWORD_MAX_BYTES || !str_is_utf8(typed) || !is_ascii(typed));
	} else {
		HOLDS(str_is_utf8(typed) && str_is_utf8(normal) && normal.n <= PASSWORD_MAX_BYTES);
		HOLDS(!is_ascii(typed) || str_equal(normal, typed));
		HOLDS(str_equal(password_normal(arena, normal), normal));
	}
	arena_reset(arena);
	return 0;
}
