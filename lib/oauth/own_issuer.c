/*
 * own_issuer.c -- does a token that our key has signed name us? see own_issuer.h
 */
#include "oauth/own_issuer.h"

enum own_issuer
own_issuer_check(struct store *store, struct arena *arena, struct str known, struct str claimed,
    enum store_status *status)
{
	struct issuer now;

	if (str_equal(claimed, known))
		return OWN_ISSUER_IS_US;
	*status = issuer_read(store, arena, &now);
	if (*status == STORE_BUSY || *status == STORE_AWAY)
		return OWN_ISSUER_UNKNOWN;
	if (*status == STORE_NONE || !str_equal(claimed, now.url))
		return OWN_ISSUER_IS_ANOTHER;
	*status = STORE_AWAY;
	return OWN_ISSUER_UNKNOWN;
}
