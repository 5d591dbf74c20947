/*
 * passwd.h -- postern passwd: a password in, its hash out
 */
#ifndef SBIN_PASSWD_H
#define SBIN_PASSWD_H

#include "invocation.h"

/* Characters of a password that is the only factor: NIST SP 800-63B-4 section
 * 3.1.1.2. */
#define PASSWD_MIN_CHARACTERS	15

/* Read a password, twice from a terminal and without echo, or once from standard
 * input; print the yescrypt hash of its normal form (base/password.h) for
 * postern.account.password_hash.  EX_DATAERR when the password is refused; EX_NOINPUT when
 * the list of known passwords cannot be read. */
int passwd(const struct invocation *invocation);

#endif
