/*
 * prepare.c -- OpenSSL, ready before the first request; see prepare.h
 */
#include "jose/prepare.h"

#include "jose/key.h"

#define SCRATCH_BYTES	((size_t)64 * 1024)

/* Nothing comes of a failure: the first request then does what was to be done here. */
static void
use(struct arena *arena, enum jose_algorithm algorithm, struct jose_key *key)
{
	struct jose_signature	 signature;
	struct jose_key		*private = jose_key_from_private_pem(algorithm, jose_key_private_pem(arena, key));
	struct jose_key		*public = jose_key_from_public_jwk(jose_key_public_jwk(arena, key));
	struct str		 message = STR("x");

	if (private != NULL && public != NULL && jose_key_sign(private, message, &signature) &&
	    jose_key_verify(public, message, (struct str){ (const char *)signature.bytes, signature.n }))
		jose_key_sign(key, message, &signature);
	jose_key_free(&private);
	jose_key_free(&public);
}

void
jose_prepare(void)
{
	struct arena	*arena = arena_new(SCRATCH_BYTES);
	struct jose_key	*key = jose_key_generate(JOSE_ES256);	/* the one that is quick to make */

	if (arena != NULL && key != NULL)
		use(arena, JOSE_ES256, key);
	jose_key_free(&key);
	arena_free(&arena);
}
