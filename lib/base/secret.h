/*
 * secret.h -- random values, digests and comparisons that secrets need
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

#define SHA256_BYTES	32

struct sha256 {
	unsigned char	bytes[SHA256_BYTES];
};

/* n random bytes from OpenSSL's generator.  A failure ends the request and the process,
 * as when memory is out: nothing else that it could answer would be safe (SEC-KEY-04). */
void random_bytes(void *out, size_t n);

/* Have the generator and the digest ready: OpenSSL takes four thousand allocations to
 * find them.  Before workers are forked, they share it; each draws its own numbers. */
void secret_prepare(void);

/* SHA-256 of text. */
struct sha256 sha256_of(struct str text);

/* Equal?  In time that depends on the lengths only. */
bool secret_equal(struct str a, struct str b);

#endif
