/*
 * secret.c -- random values, digests and comparisons; see secret.h
 */
#include "base/secret.h"

#include "base/memory.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <limits.h>

void
random_bytes(void *out, size_t n)
{
	if (n > INT_MAX || RAND_bytes(out, (int)n) != 1)
		memory_exhausted();
}

struct sha256
sha256_of(struct str text)
{
	struct sha256 digest;

	if (SHA256((const unsigned char *)text.p, text.n, digest.bytes) == NULL)
		memory_exhausted();
	return digest;
}

bool
secret_equal(struct str a, struct str b)
{
	return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
