/*
 * key_cache.c -- keys that a process has parsed; see key_cache.h
 */
#include "oauth/key_cache.h"

static struct jose_key	*keys[KEY_CACHE_MAX_KEYS];
static size_t		 next;

const struct jose_key *
key_cache_find(struct str kid)
{
	for (size_t i = 0; i < KEY_CACHE_MAX_KEYS; i++) {
		if (keys[i] != NULL && str_equal(jose_key_kid(keys[i]), kid))
			return keys[i];
	}
	return NULL;
}

const struct jose_key *
key_cache_add(struct jose_key *key)
{
	if (key == NULL)
		return NULL;
	jose_key_free(&keys[next]);
	keys[next] = key;
	next = (next + 1) % KEY_CACHE_MAX_KEYS;
	return key;
}
