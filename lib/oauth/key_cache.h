/*
 * key_cache.h -- keys that a process has parsed, by kid
 *
 * A kid is the thumbprint of its key, so what it names never changes and may be
 * kept; whether the key may still be used is the database's to say, which names
 * the kid anew with every decision.
 */
#ifndef OAUTH_KEY_CACHE_H
#define OAUTH_KEY_CACHE_H

#include "jose/key.h"

#define KEY_CACHE_MAX_KEYS	16

/* The key, or NULL if it is not here.  It lives until KEY_CACHE_MAX_KEYS others
 * have been added. */
const struct jose_key *key_cache_find(struct str kid);

/* Keep a key; the cache owns it from now on.  NULL is passed through. */
const struct jose_key *key_cache_add(struct jose_key *key);

#endif
