/*
 * tokens.h -- the tokens that we make
 */
#ifndef OAUTH_TOKENS_H
#define OAUTH_TOKENS_H

#include "jose/jwt.h"
#include "store/token.h"

/* The typ of our access tokens (RFC 9068 section 2.1). */
#define ACCESS_TOKEN_TYPE	STR("at+jwt")

/* The claim that names the grant; the name is that of Grant Management for OAuth
 * 2.0.  guard asks the database whether the grant is alive. */
#define CLAIM_GRANT_ID		"grant_id"

/* A JWT access token (RFC 9068 section 2.2); absent if it could not be signed. */
struct str access_token_make(struct arena *arena, const struct jose_key *key,
    const struct token_claims *claims, struct str client_id);

/* An ID token (OpenID Connect Core section 2) with at_hash (section 3.1.3.6). */
struct str id_token_make(struct arena *arena, const struct jose_key *key,
    const struct token_claims *claims, struct str client_id, struct str access_token);

#endif
