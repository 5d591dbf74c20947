/*
 * password.c -- fuzz target: a password has one normal form, which is its own
 */
#include "base/password.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena = fuzz_arena(1024 * 1024);
	struct str	 typed = { (const char *)data, size };
	struct str	 normal, again;

	switch (password_normal(arena, typed, &normal)) {
	case PASSWORD_GOOD:
		HOLDS(str_is_utf8(typed) && str_is_utf8(normal) && normal.n <= PASSWORD_MAX_BYTES && typed.n <= 3 * normal.n);
		HOLDS(!str_is_ascii(typed) || str_equal(normal, typed));
		HOLDS(password_normal(arena, normal, &again) == PASSWORD_GOOD && str_equal(again, normal));
		break;
	case PASSWORD_NOT_TEXT:
		HOLDS(!str_is_utf8(typed));
		break;
	case PASSWORD_UNASSIGNED:
		HOLDS(!str_is_ascii(typed));
		break;
	case PASSWORD_TOO_LONG:
		HOLDS(size > PASSWORD_MAX_BYTES / 3);	/* no text has more than three times as much in Form C */
		break;
	case PASSWORD__COUNT:
		HOLDS(false);
	}
	arena_reset(arena);
	return 0;
}
