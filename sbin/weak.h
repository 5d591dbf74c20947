/*
 * weak.h -- passwords that are tried first
 *
 * Asked when a password is set, never when somebody logs in, and without a network
 * (NIST SP 800-63B-4 section 3.1.1.2; SEC-PWD-03).
 */
#ifndef SBIN_WEAK_H
#define SBIN_WEAK_H

#include "base/password.h"
#include "invocation.h"

/* Characters that must be left of a password without the names in it. */
#define WEAK_MIN_OWN_CHARACTERS	10
/* A shorter part of a name is in too many words. */
#define WEAK_MIN_NAME_BYTES	3
/* So many digits and signs at its end make no other password of a known one. */
#define WEAK_TAIL_BYTES		4

/* EX_OK if nobody would try the password first.  EX_DATAERR after a message if the password is a known one (invocation->known: a file
 * with one in each line, "# " begins a comment), one piece again and again, a row of the
 * keyboard, or little more than invocation->names.  EX_NOINPUT after one if the file
 * cannot be read, EX_USAGE if the names are no text.  The letters A to Z are those of
 * either case.  password is as password_normal() gives it, and not empty. */
int weak_check(const struct invocation *invocation, struct str password);

#endif
