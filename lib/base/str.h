/*
 * str.h -- slices: text from outside is a pointer and a length
 *
 * A slice does not own its bytes; each function says where they live.  A slice
 * may hold any byte; text that has passed the edge (http/form.h) holds no NUL
 * and is valid UTF-8.  {NULL, 0} is "absent", a non-NULL empty slice is "empty".
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct str {
	const char	*p;
	size_t		 n;
};

/* A slice of a string literal; also usable in static tables. */
#define STR(literal)	((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal) { "" literal, sizeof(literal) - 1 }
#define STR_ABSENT	((struct str){ NULL, 0 })

/* For "%.*s". */
#define STR_ARG(s)	(int)(s).n, (s).p == NULL ? "" : (s).p

/* A slice of a NUL-terminated string (NULL gives "absent"); lives as long as it does. */
struct str str_of(const char *text);

bool str_is_absent(struct str s);
bool str_is_empty(struct str s);	/* absent or of length 0 */

/* Byte equality.  Not for secrets: secret.h. */
bool str_equal(struct str a, struct str b);
bool str_equal_ignoring_case(struct str a, struct str b);	/* ASCII only */
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);

/* Does s hold the byte c?  Its first place, or -1. */
long str_index(struct str s, char c);

/* Every byte of s is one of the NUL-terminated set; an empty s is true. */
bool str_consists_of(struct str s, const char *set);

/* Bytes from .. to the end, or of length n; clipped to s. */
struct str str_from(struct str s, size_t from);
struct str str_first(struct str s, size_t n);

/* Cut the next part up to the separator off *rest; false when *rest was absent.
 * "a b" by ' ' gives "a", "b"; the parts live as long as *rest's bytes. */
bool str_cut(struct str *rest, char separator, struct str *part);

/* Is word one of the words of a space-separated list? */
bool str_has_word(struct str list, struct str word);

/* Every byte is below 0x80; an empty s is true. */
bool str_is_ascii(struct str s);

/* Valid UTF-8 (RFC 3629: no overlong form, no surrogate) without NUL. */
bool str_is_utf8(struct str s);

/* Decimal digits only, at most 18 of them; false for anything else. */
bool str_to_long(struct str s, long *value);

/* Copies in the arena.  str_z() is NUL-terminated: for the border to libraries
 * only, and only for text without NUL. */
struct str  str_dup(struct arena *arena, struct str s);
const char *str_z(struct arena *arena, struct str s);

#endif
