/*
 * own_keys.h -- the public halves of our own keys, for jwt_verify()
 */
#ifndef OAUTH_OWN_KEYS_H
#define OAUTH_OWN_KEYS_H

#include "jose/key.h"
#include "store/presented.h"

/* The context of own_keys_find(). */
struct own_keys {
	struct store		*store;
	struct arena		*arena;
	struct str		 kid;		/* out: of the key that was looked for */
	enum store_status	 status;	/* out: how the database answered */
	bool			 ask_always;	/* whether a key that is kept is still in use */
};

/* A key of ours by kid: kept by this process, or asked for once (ask_always: each
 * time, for those whose next question does not name the kid); NULL if there is
 * none or the database is away.  Has the type of jwt_find_key. */
const struct jose_key *own_keys_find(void *context, struct str kid);

#endif
