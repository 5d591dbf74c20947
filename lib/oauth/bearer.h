/*
 * bearer.h -- a presented access token: from the request to what it claims
 *
 * Whatever form a token has, it becomes a struct presented, and the database says
 * what that is worth.  Whoever accepts tokens -- guard, userinfo, introspect,
 * revoke -- starts here.
 */
#ifndef OAUTH_BEARER_H
#define OAUTH_BEARER_H

#include "http/request.h"
#include "store/presented.h"

#define BEARER_MAX_BYTES	((size_t)8 * 1024)

/* A personal API key is this and a handle: recognisable in code and in logs. */
#define API_KEY_PREFIX		STR("postern_key_")

enum bearer_outcome {
	BEARER_OK,		/* well-formed, and signed by us if it is a JWT */
	BEARER_NOT_OURS,	/* cannot be a token of ours */
	BEARER_AWAY,		/* the database did not answer; see *status */
};

/* Take a token apart.  Verifies a JWT's signature with our public keys, asking the
 * database for a key at most once per kid and process. */
enum bearer_outcome bearer_read(struct store *store, struct arena *arena, struct str issuer,
    struct str token, struct presented *presented, enum store_status *status);

/* The token of an Authorization header (RFC 6750 section 2.1), or of the body of a
 * form (section 2.2; absent where that is not accepted).  ERROR_MISSING_TOKEN: none;
 * ERROR_INVALID_REQUEST: more than one. */
enum error bearer_of_request(const struct request *request, struct str in_body, struct str *token) MUST_USE;

/* The name of the JWT outcome of the last bearer_read(), for the log; absent if the
 * token was no JWT. */
struct str bearer_reason(void);

#endif
