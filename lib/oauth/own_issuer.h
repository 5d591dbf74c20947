/*
 * own_issuer.h -- does a token that our key has signed name us?
 */
#ifndef OAUTH_OWN_ISSUER_H
#define OAUTH_OWN_ISSUER_H

#include "store/issuer.h"

enum own_issuer {
	OWN_ISSUER_IS_US,
	OWN_ISSUER_IS_ANOTHER,	/* who we were once: the issuer's row was changed */
	OWN_ISSUER_UNKNOWN,	/* see *status */
};

/* Compare the claim iss with the issuer that this worker knows, byte by byte.  A worker
 * that has read the issuer before it was changed would call a good token foreign, and
 * "revoked" what it has not: if the database knows the claimed issuer and the worker
 * does not, *status is STORE_AWAY, so that the request is answered with 503 and the
 * worker makes room for one that knows better.  At most one question to the database,
 * and none when the two are equal. */
enum own_issuer own_issuer_check(struct store *store, struct arena *arena, struct str known,
    struct str claimed, enum store_status *status);

#endif
