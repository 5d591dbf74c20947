/*
 * own_keys.c -- the public halves of our own keys; see own_keys.h
 */
#include "oauth/own_keys.h"

#include "oauth/key_cache.h"

const struct jose_key *
own_keys_find(void *context, struct str kid)
{
	struct own_keys		*keys = context;
	struct str		 jwk;
	const struct jose_key	*key = key_cache_find(kid);

	keys->kid = kid;
	if (str_is_absent(kid) || (key != NULL && !keys->ask_always))
		return key;
	keys->status = presented_verification_key(keys->store, keys->arena, kid, &jwk);
	if (keys->status != STORE_ROWS)
		return NULL;
	if (key != NULL)
		return key;
	key = key_cache_add(jose_key_from_public_jwk(jwk));
	return key != NULL && str_equal(jose_key_kid(key), kid) ? key : NULL;
}
