/*
 * password.c -- a password as it is hashed; see password.h
 */
#include "base/password.h"

#include <utf8proc.h>

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	}
	return true;
}

/* In memory that is wiped; utf8proc's own way would take some from malloc. */
static struct str
compose(struct arena *arena, struct str s)
{
	static const utf8proc_option_t	 form_c = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	const utf8proc_uint8_t		*text = (const utf8proc_uint8_t *)s.p;
	utf8proc_ssize_t		 room = utf8proc_decompose(text, (utf8proc_ssize_t)s.n, NULL, 0, form_c), n;
	utf8proc_int32_t		*points;

	if (room < 0)
		return STR_ABSENT;
	points = arena_array(arena, (size_t)room + 1, sizeof *points);	/* one more: for the NUL of reencode */
	n = utf8proc_decompose(text, (utf8proc_ssize_t)s.n, points, room, form_c);
	n = n < 0 ? n : utf8proc_reencode(points, n, form_c);
	return n < 0 ? STR_ABSENT : (struct str){ (const char *)points, (size_t)n };
}

struct str
password_normal(struct arena *arena, struct str typed)
{
	struct str normal;

	if (typed.n > PASSWORD_MAX_TYPED_BYTES || !str_is_utf8(typed))
		return STR_ABSENT;
	normal = is_ascii(typed) ? typed : compose(arena, typed);
	return normal.n <= PASSWORD_MAX_BYTES ? normal : STR_ABSENT;
}
