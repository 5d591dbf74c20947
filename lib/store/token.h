/*
 * token.h -- what token asks the database
 *
 * The function that decides also says everything that the tokens will: issuer,
 * time by the database's clock, lifetimes, audience, and the keys that sign now.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "store/store.h"

/* How a client has authenticated (RFC 7591 section 2); its secret only as digest. */
struct client_proof {
	struct str		 client_id;
	struct str		 method;	/* token_endpoint_auth_method */
	const struct sha256	*secret;	/* NULL for "none" */
};

struct code_redemption {
	struct client_proof	 client;
	const struct handle	*code;
	struct str		 redirect_uri;	/* absent: the request had none */
	struct str		 challenge;	/* of the verifier; absent: none was sent */
};

struct token_claims {
	struct str	issuer;
	long		issued_at;		/* seconds since 1970 */
	long		access_token_seconds;
	long		id_token_seconds;	/* 0 without an ID token */
	struct str	grant_id;
	struct str	sub;
	struct str	scope;			/* space-separated */
	struct str	audience;
	struct str	nonce;			/* may be absent */
	long		auth_time;
	struct str	session_id;
	struct str	access_kid;		/* absent: there is no key */
	struct str	id_kid;
	struct str	access_token;		/* opaque; absent: a JWT is to be signed */
	struct str	refresh_token;		/* may be absent */
};

enum token_outcome {
	TOKEN_OK,
	TOKEN_INVALID_CLIENT,
	TOKEN_UNAUTHORIZED_CLIENT,
	TOKEN_INVALID_SCOPE,
	TOKEN_INVALID_TARGET,
	TOKEN_UNKNOWN,			/* from here on: invalid_grant; the reason is for the log */
	TOKEN_EXPIRED,
	TOKEN_REPLAYED,
	TOKEN_WRONG_CLIENT,
	TOKEN_WRONG_REDIRECT_URI,
	TOKEN_WRONG_VERIFIER,
	TOKEN_ENDED,
	TOKEN__COUNT
};

/* Redeem a code (RFC 6749 section 4.1.3): at most one call ever gets TOKEN_OK. */
enum store_status token_redeem_code(struct store *store, struct arena *arena,
    const struct code_redemption *redemption, enum token_outcome *outcome,
    struct token_claims *claims) MUST_USE;

struct token_refresh {
	struct client_proof	client;
	struct str		sealed;		/* the refresh token's octets */
	struct str		scope;		/* narrower than the grant's; absent: the same */
	struct str		resource;
};

/* Refresh (RFC 6749 section 6): of any number of calls with one token, all that come
 * within the window get the same successor; a later one ends the grant. */
enum store_status token_refresh(struct store *store, struct arena *arena,
    const struct token_refresh *refresh, enum token_outcome *outcome,
    struct token_claims *claims) MUST_USE;

/* The client's own access (RFC 6749 section 4.4). */
enum store_status token_client_credentials(struct store *store, struct arena *arena,
    const struct client_proof *client, struct str scope, struct str resource,
    enum token_outcome *outcome, struct token_claims *claims) MUST_USE;

/* The private half of a key: its algorithm's name and PKCS #8 PEM.  STORE_NONE: it
 * has just been retired. */
enum store_status token_signing_key(struct store *store, struct arena *arena, struct str kid,
    struct str *algorithm, struct str *pem) MUST_USE;

/* The name of an outcome, for the log. */
struct str token_outcome_name(enum token_outcome outcome);

#endif
