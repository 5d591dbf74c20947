/*
 * password.h -- a password as it is hashed
 *
 * The same characters are other octets on another keyboard: a letter with an accent is
 * one code point or two.  So whoever makes a hash and whoever checks one bring the
 * password to the same form first.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include "base/str.h"

/* What is read of a password, and what it may have as it is hashed: libxcrypt takes no
 * more.  Longer ones are refused, never cut (SEC-PWD-02). */
#define PASSWORD_MAX_TYPED_BYTES	1024
#define PASSWORD_MAX_BYTES		511

/* The password in Unicode Normalization Form C (NIST SP 800-63B-4 section 3.1.1.2), in
 * the arena or where it was.  Absent if it has more than PASSWORD_MAX_BYTES then, is not
 * UTF-8 or has a NUL.  typed has at most PASSWORD_MAX_TYPED_BYTES. */
struct str password_normal(struct arena *arena, struct str typed);

#endif
