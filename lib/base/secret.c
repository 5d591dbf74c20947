/*
 * secret.c -- random values, digests and comparisons; see secret.h
 */
#include "base/secret.h"

#include "base/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <limits.h>

void
random_bytes(void *out, size_t n)
{
	if (n > INT_MAX || RAND_bytes(out, (int)n) != 1)
		memory_exhausted();
}

/* SHA256() looks the algorithm up by its name at each call, which costs more than to
 * hash what we hash. */
struct sha256
sha256_of(struct str text)
{
	static EVP_MD	*algorithm;
	struct sha256	 digest;

	if (algorithm == NULL)
		algorithm = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	if (algorithm == NULL || EVP_Digest(text.p, text.n, digest.bytes, NULL, algorithm, NULL) != 1)
		memory_exhausted();
	return digest;
}

void
secret_prepare(void)
{
	unsigned char unused;

	random_bytes(&unused, sizeof unused);
	sha256_of(STR(""));
}

bool
secret_equal(struct str a, struct str b)
{
	return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
