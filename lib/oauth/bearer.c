/*
 * bearer.c -- a presented access token; see bearer.h
 */
#include "oauth/bearer.h"

#include "base/base64url.h"
#include "base/uuid.h"
#include "jose/jwt.h"
#include "oauth/own_issuer.h"
#include "oauth/own_keys.h"
#include "oauth/tokens.h"
#include "oauth/verified.h"

/* No row lets an access token live longer (postern.issuer, postern.resource). */
#define LIFETIME_MAX_SECONDS	86400

static struct str reason;

/* When the token ends; false if its times are not such as we write: iat and exp, and
 * no nbf.  What time it is, is the database's business. */
static bool
read_times(const struct jwt_claims *claims, int64_t *expires)
{
	int64_t issued;

	return jwt_claim_integer(claims, "iat", &issued) && jwt_claim_integer(claims, "exp", expires) &&
	    issued < *expires && *expires - issued <= LIFETIME_MAX_SECONDS && !jwt_has_claim(claims, "nbf");
}

static enum bearer_outcome
read_jwt(struct store *store, struct arena *arena, struct str issuer, struct str token,
    struct presented *out, enum store_status *status)
{
	struct own_keys			 keys = { store, arena, STR_ABSENT, STORE_ROWS, false };
	const struct jwt_claims		*claims;
	enum jwt_outcome		 outcome = jwt_verify(arena, token, ACCESS_TOKEN_TYPE, own_keys_find, &keys, &claims);
	enum own_issuer			 whose;
	int64_t				 expires;

	reason = jwt_outcome_name(outcome);
	*status = keys.status;
	if (keys.status == STORE_BUSY || keys.status == STORE_AWAY)
		return BEARER_AWAY;
	if (outcome != JWT_OK)
		return BEARER_NOT_OURS;
	whose = own_issuer_check(store, arena, issuer, jwt_claim_string(claims, "iss"), status);
	if (whose == OWN_ISSUER_UNKNOWN)
		return BEARER_AWAY;
	*out = (struct presented){
		.client_id = jwt_claim_string(claims, "client_id"),
		.jti = jwt_claim_string(claims, "jti"),
		.scope = jwt_claim_string(claims, "scope"),
		.audience = jwt_claim_string(claims, "aud"),
		.kid = keys.kid,
	};
	out->has_grant = uuid_parse(jwt_claim_string(claims, CLAIM_GRANT_ID), out->grant_id);
	if (whose != OWN_ISSUER_IS_US || !out->has_grant || !read_times(claims, &expires) ||
	    str_is_absent(out->client_id) || str_is_absent(out->jti) || str_is_absent(out->audience)) {
		reason = STR("wrong_claims");
		return BEARER_NOT_OURS;
	}
	out->expires = expires;
	return BEARER_OK;
}

static enum bearer_outcome
read_remembered_jwt(struct store *store, struct arena *arena, struct str issuer, struct str token,
    struct presented *out, enum store_status *status)
{
	enum bearer_outcome outcome;

	if (verified_recall(token, out))
		return BEARER_OK;
	outcome = read_jwt(store, arena, issuer, token, out, status);
	if (outcome == BEARER_OK)
		verified_remember(token, out);
	return outcome;
}

enum bearer_outcome
bearer_read(struct store *store, struct arena *arena, struct str issuer, struct str token,
    struct presented *presented, enum store_status *status)
{
	*presented = (struct presented){ .has_grant = false };
	*status = STORE_ROWS;
	reason = STR_ABSENT;
	if (token.n > BEARER_MAX_BYTES)
		return BEARER_NOT_OURS;
	if (str_starts_with(token, API_KEY_PREFIX)) {
		presented->has_key = handle_parse(arena, str_from(token, API_KEY_PREFIX.n), &presented->key);
		return presented->has_key ? BEARER_OK : BEARER_NOT_OURS;
	}
	if (str_index(token, '.') >= 0)
		return read_remembered_jwt(store, arena, issuer, token, presented, status);
	return base64url_decode(arena, token, &presented->sealed) && presented->sealed.n > 0 ?
	    BEARER_OK : BEARER_NOT_OURS;
}

enum error
bearer_of_request(const struct request *request, struct str in_body, struct str *token)
{
	bool malformed;

	*token = request_credentials(request, STR("Bearer"), &malformed);
	if (malformed || (!str_is_empty(*token) && !str_is_empty(in_body)))
		return ERROR_INVALID_REQUEST;
	if (str_is_empty(*token))
		*token = in_body;
	return str_is_empty(*token) ? ERROR_MISSING_TOKEN : ERROR_NONE;
}

struct str
bearer_reason(void)
{
	return reason;
}
