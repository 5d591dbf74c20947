/*
 * hint.h -- an ID token that comes back to us as id_token_hint
 */
#ifndef OAUTH_HINT_H
#define OAUTH_HINT_H

#include "store/presented.h"

#define HINT_MAX_BYTES	((size_t)8 * 1024)

struct hint_claims {
	struct str	client_id;	/* aud */
	struct str	sub;
	unsigned char	session_id[16];	/* sid; zeros if the token has none */
};

enum hint_outcome { HINT_OK, HINT_NOT_OURS, HINT_AWAY };

/* Verify that we made it; it may have expired (RP-Initiated Logout section 2).
 * With HINT_AWAY *status says what the database did. */
enum hint_outcome hint_read(struct store *store, struct arena *arena, struct str issuer,
    struct str token, struct hint_claims *claims, enum store_status *status);

#endif
