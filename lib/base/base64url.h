/*
 * base64url.h -- base64url without padding (RFC 4648 section 5, RFC 7515 appendix C)
 */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/str.h"

/* Characters that n bytes become. */
#define BASE64URL_LENGTH(n)	(((n) * 4 + 2) / 3)

/* The text of bytes, in the arena. */
struct str base64url_encode(struct arena *arena, struct str bytes);

/* The bytes of text, in the arena.  False for anything but the one canonical
 * spelling: a character outside the alphabet, padding, white space, a length of
 * 1 mod 4, or unused bits that are not zero (SEC-JOSE-08 b). */
bool base64url_decode(struct arena *arena, struct str text, struct str *bytes);

#endif
