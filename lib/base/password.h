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

/* What a password may have as it is hashed: libxcrypt takes no more.  A longer one is
 * refused, never cut (SEC-PWD-02). */
#define PASSWORD_MAX_BYTES		511
/* And as it is typed: no text is more than three times as long as its Form C
 * (three letters of a Hangul syllable have 9 octets, the syllable has 3). */
#define PASSWORD_MAX_TYPED_BYTES	(3 * PASSWORD_MAX_BYTES)

enum password_fault {
	PASSWORD_GOOD,
	PASSWORD_NOT_TEXT,	/* no UTF-8, or it has a NUL */
	PASSWORD_UNASSIGNED,	/* a code point that is none yet: its form may change */
	PASSWORD_TOO_LONG,	/* more than PASSWORD_MAX_BYTES in that form, or more than is read */
	PASSWORD__COUNT
};

/* The password in Unicode Normalization Form C, by the process for stabilized strings
 * (NIST SP 800-63B-4 section 3.1.1.2; Unicode Standard Annex #15 section 12.1).
 * *normal is in the arena or where typed was; absent unless it is PASSWORD_GOOD. */
enum password_fault password_normal(struct arena *arena, struct str typed, struct str *normal);

#endif
