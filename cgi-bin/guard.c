/*
 * NAME
 *	guard -- may this request pass?
 *
 * DESCRIPTION
 *	A web server asks guard before it answers a protected path: as a FastCGI
 *	Authorizer (lighttpd), or by a subrequest (nginx auth_request).  The path's
 *	demands stand in the web server's configuration and come as parameters that
 *	no client header can form:
 *
 *	POSTERN_REQUIRE_AUDIENCE	the resource; must be set
 *	POSTERN_REQUIRE_SCOPE		scopes, space-separated; all are needed
 *
 *	200 lets the request pass and names who it is for: POSTERN_SUBJECT,
 *	POSTERN_CLIENT_ID, POSTERN_SCOPE.  401, 403 and 503 refuse it.  A CORS
 *	preflight carries no token and passes; it only asks what it may ask.
 *
 * SECURITY
 *	Sees tokens as they are used.  It verifies with public keys and cannot make
 *	a token; its role may ask whether one grant is alive.
 *
 * STANDARDS
 *	RFC 6750 sections 2.1 and 3; RFC 9068 section 4; FastCGI 1.0 section 6.3.
 */
#include "endpoint/endpoint.h"
#include "oauth/key_cache.h"
#include "oauth/tokens.h"
#include "store/grant.h"

#define UUID_TEXT_BYTES	36

/* What verification needs besides the token. */
struct search {
	struct exchange	*x;
	struct str	 kid;		/* of the key that was looked for */
	bool		 failed;	/* the database did not answer */
};

/* A key of ours: from the cache, or once from the database. */
static const struct jose_key *
find_key(void *context, struct str kid)
{
	struct search		*search = context;
	struct str		 jwk;
	const struct jose_key	*key = key_cache_find(kid);
	enum store_status	 status;

	search->kid = kid;
	if (key != NULL || str_is_absent(kid))
		return key;
	status = grant_verification_key(search->x->store, search->x->arena, kid, &jwk);
	if (status == STORE_NONE)
		return NULL;
	if (status != STORE_ROWS) {
		search->failed = true;
		return NULL;
	}
	key = key_cache_add(jose_key_from_public_jwk(jwk));
	return key != NULL && str_equal(jose_key_kid(key), kid) ? key : NULL;
}

static enum error
verify(struct exchange *x, struct str token, const struct jwt_claims **claims, struct str *kid)
{
	struct search		search = { .x = x };
	enum jwt_outcome	outcome = jwt_verify(x->arena, token, ACCESS_TOKEN_TYPE, find_key, &search, claims);

	*kid = search.kid;
	if (search.failed)
		return exchange_store_failed(x, STORE_AWAY);
	if (outcome != JWT_OK) {
		exchange_note(x, "jwt", jwt_outcome_name(outcome));
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token is not one of ours");
	}
	return ERROR_NONE;
}

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" as 16 octets. */
static bool
parse_uuid(struct str text, unsigned char *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned	  nibbles = 0;

	if (text.n != UUID_TEXT_BYTES)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		const char *digit;

		if (text.p[i] == '-')
			continue;
		digit = memchr(digits, text.p[i], 16);
		if (digit == NULL || nibbles == 2 * HANDLE_ID_BYTES)
			return false;
		out[nibbles / 2] = (unsigned char)(out[nibbles / 2] << 4 | (digit - digits));
		nibbles++;
	}
	return nibbles == 2 * HANDLE_ID_BYTES;
}

/* Ask whether what the token names is still alive.  Time is the database's, so exp is
 * compared there; so is whether its key, which this process may have kept, is still
 * in use. */
static enum error
check_grant(struct exchange *x, const struct jwt_claims *claims, struct str audience, struct str kid)
{
	unsigned char		id[HANDLE_ID_BYTES] = { 0 };
	struct str		client_id;
	int64_t			expires;
	enum store_status	status;

	if (!parse_uuid(jwt_claim_string(claims, CLAIM_GRANT_ID), id) || !jwt_claim_integer(claims, "exp", &expires))
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token is not one of ours");
	status = grant_check(x->store, x->arena, id, audience, expires, kid, &client_id);
	if (status != STORE_ROWS && status != STORE_NONE)
		return exchange_store_failed(x, status);
	if (status == STORE_NONE || !str_equal(client_id, jwt_claim_string(claims, "client_id")))
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token has expired or was revoked");
	return ERROR_NONE;
}

static enum error
check_scope(struct exchange *x, const struct jwt_claims *claims)
{
	struct str rest = x->request.variable[VARIABLE_REQUIRE_SCOPE], scope;

	while (str_cut(&rest, ' ', &scope)) {
		if (scope.n > 0 && !jwt_has_scope(claims, scope))
			return exchange_fail(x, ERROR_INSUFFICIENT_SCOPE, "the access token lacks a scope that this path needs");
	}
	return ERROR_NONE;
}

static enum error
read_token(struct exchange *x, struct str *token)
{
	bool malformed;

	*token = request_credentials(&x->request, STR("Bearer"), &malformed);
	if (malformed)
		return exchange_fail(x, ERROR_INVALID_REQUEST, "there are several credentials");
	if (str_is_empty(*token))
		return exchange_fail(x, ERROR_MISSING_TOKEN, NULL);
	return ERROR_NONE;
}

static bool
is_preflight(const struct exchange *x)
{
	return x->request.method == METHOD_OPTIONS && str_is_absent(x->request.variable[VARIABLE_AUTHORIZATION]) &&
	    !str_is_absent(x->request.variable[VARIABLE_ORIGIN]) &&
	    !str_is_absent(x->request.variable[VARIABLE_PREFLIGHT_METHOD]);
}

static enum error
guard(struct exchange *x)
{
	struct str			 audience = x->request.variable[VARIABLE_REQUIRE_AUDIENCE], token, kid;
	const struct jwt_claims		*claims;
	enum error			 error;

	if (str_is_absent(audience))
		return exchange_fail(x, ERROR_TEMPORARILY_UNAVAILABLE,
		    "the web server does not say which resource this is: set POSTERN_REQUIRE_AUDIENCE");
	if (is_preflight(x)) {
		exchange_empty(x, 200);
		return ERROR_NONE;
	}
	if ((error = read_token(x, &token)) != ERROR_NONE || (error = verify(x, token, &claims, &kid)) != ERROR_NONE)
		return error;
	if (!str_equal(jwt_claim_string(claims, "iss"), x->issuer->url) || !jwt_has_only_audience(claims, audience))
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token is for another resource");
	if ((error = check_grant(x, claims, audience, kid)) != ERROR_NONE || (error = check_scope(x, claims)) != ERROR_NONE)
		return error;
	reply_header(&x->reply, "Variable-POSTERN_SUBJECT", jwt_claim_string(claims, "sub"));
	reply_header(&x->reply, "Variable-POSTERN_CLIENT_ID", jwt_claim_string(claims, "client_id"));
	reply_header(&x->reply, "Variable-POSTERN_SCOPE", jwt_claim_string(claims, "scope"));
	exchange_note(x, "sub", jwt_claim_string(claims, "sub"));
	exchange_note(x, "client_id", jwt_claim_string(claims, "client_id"));
	exchange_empty(x, 200);
	return ERROR_NONE;
}

/* RFC 6750 section 3.  A malformed request is a 401 here: web servers make 500 of
 * the 400 that section 3.1 names. */
static void
fail(struct exchange *x, enum error error)
{
	struct buf	challenge = buf_new(x->arena, 1024);
	struct str	scope = x->request.variable[VARIABLE_REQUIRE_SCOPE];
	int		status = error_status(error);

	if (status != 403 && status != 503)
		status = 401;
	buf_add(&challenge, STR("Bearer realm="));
	buf_add_json(&challenge, x->issuer == NULL ? STR("Postern") : x->issuer->name);
	if (error != ERROR_MISSING_TOKEN) {
		buf_add(&challenge, STR(", error="));
		buf_add_json(&challenge, error_name(error));
	}
	if (x->description != NULL) {
		buf_add(&challenge, STR(", error_description="));
		buf_add_json(&challenge, str_of(x->description));
	}
	if (!str_is_empty(scope)) {
		buf_add(&challenge, STR(", scope="));
		buf_add_json(&challenge, scope);
	}
	if (status != 503)
		reply_header(&x->reply, "WWW-Authenticate", buf_str(&challenge));
	exchange_fail_json(x, error);
	x->reply.status = status;
}

static const struct endpoint endpoint = {
	.name = "guard",
	.methods = METHOD_ANY,
	.fastcgi_only = true,
	.handle = guard,
	.fail = fail,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
