/*
 * passwd.h -- postern passwd: a password in, its hash out
 */
#ifndef SBIN_PASSWD_H
#define SBIN_PASSWD_H

#include "invocation.h"

/* Characters of a password that is the only factor: NIST SP 800-63B-4 section
 * 3.1.1.2. */
#define PASSWD_MIN_CHARACTERS	15
/* What crypt(3) and therefore login take; never cut (SEC-PWD-02). */
#define PASSWD_MAX_BYTES	511

/* Read a password, twice from a terminal and without echo, or once from standard
 * input; print its yescrypt hash for postern.account.password_hash.  The bytes are
 * taken as they are typed.  EX_DATAERR when the password is refused. */
int passwd(const struct invocation *invocation);

#endif
