/*
 * password.c -- a password as it is hashed; see password.h
 */
#include "base/password.h"

#include "base/buf.h"

#include <utf8proc.h>

/* Form C of text, which has at most PASSWORD_MAX_TYPED_BYTES of UTF-8.  In memory that is
 * wiped; utf8proc's own way would take some from malloc.  utf8proc_reencode() composes the
 * code points and writes UTF-8 in their place. */
static enum password_fault
compose(struct arena *arena, struct str text, struct buf *out)
{
	static const utf8proc_option_t	 form_c = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_REJECTNA;
	const utf8proc_uint8_t		*bytes = (const utf8proc_uint8_t *)text.p;
	utf8proc_ssize_t		 room = utf8proc_decompose(bytes, (utf8proc_ssize_t)text.n, NULL, 0, form_c), n;
	utf8proc_int32_t		*points;

	if (room < 0)
		return room == UTF8PROC_ERROR_NOTASSIGNED ? PASSWORD_UNASSIGNED : PASSWORD_NOT_TEXT;
	points = arena_array(arena, (size_t)room + 1, sizeof *points);	/* one more: for the NUL of reencode */
	n = utf8proc_decompose(bytes, (utf8proc_ssize_t)text.n, points, room, form_c);
	n = n < 0 ? n : utf8proc_reencode(points, n, form_c);
	if (n < 0)
		return PASSWORD_NOT_TEXT;
	buf_add(out, (struct str){ (const char *)points, (size_t)n });
	return PASSWORD_GOOD;
}

/* Piece by piece between U+11A7, which utf8proc (2.8, at least) takes for the end of a Hangul
 * syllable and drops.  It is no part of any composition. */
static enum password_fault
compose_pieces(struct arena *arena, struct str text, struct buf *out)
{
	static const struct str	 apart = STR_INIT("\xe1\x86\xa7");
	enum password_fault	 fault;
	const char		*place;

	while ((place = memmem(text.p, text.n, apart.p, apart.n)) != NULL) {
		struct str piece = str_first(text, (size_t)(place - text.p));

		if ((fault = compose(arena, piece, out)) != PASSWORD_GOOD)
			return fault;
		buf_add(out, apart);
		text = str_from(text, piece.n + apart.n);
	}
	return compose(arena, text, out);
}

enum password_fault
password_normal(struct arena *arena, struct str typed, struct str *normal)
{
	struct buf		out = buf_new(arena, PASSWORD_MAX_BYTES);
	enum password_fault	fault;

	*normal = STR_ABSENT;
	if (typed.n > PASSWORD_MAX_TYPED_BYTES)
		return PASSWORD_TOO_LONG;
	if (!str_is_utf8(typed))
		return PASSWORD_NOT_TEXT;
	if (str_is_ascii(typed)) {
		if (typed.n > PASSWORD_MAX_BYTES)
			return PASSWORD_TOO_LONG;
		*normal = typed;
		return PASSWORD_GOOD;
	}
	fault = compose_pieces(arena, typed, &out);
	if (fault != PASSWORD_GOOD)
		return fault;
	*normal = buf_str(&out);
	return str_is_absent(*normal) ? PASSWORD_TOO_LONG : PASSWORD_GOOD;
}
