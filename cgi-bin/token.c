/*
 * NAME
 *	token -- the token endpoint
 *
 * DESCRIPTION
 *	POST ISSUER/token with a grant: an authorization code with its verifier, a
 *	refresh token, or the client's own credentials.  The database decides; this program signs what
 *	the database says.
 *
 * SECURITY
 *	Faces every client.  It holds the signing keys, which it gets from the
 *	database by the kid that a decision names; its role may redeem a code that
 *	it presents and authenticate a client, and read no table.
 *
 * STANDARDS
 *	RFC 6749 sections 2.3, 3.2, 4.1.3, 4.4, 5, 6; RFC 7636 section 4.5; RFC 8707
 *	section 2.2; RFC 9068; OpenID Connect Core sections 3.1.3 and 12.
 */
#include "base/base64url.h"
#include "endpoint/endpoint.h"
#include "http/uri.h"
#include "jose/prepare.h"
#include "oauth/client_authentication.h"
#include "oauth/key_cache.h"
#include "oauth/pkce.h"
#include "oauth/tokens.h"

enum {
	P_GRANT_TYPE, P_CLIENT_ID, P_CLIENT_SECRET, P_CLIENT_ASSERTION, P_CODE, P_REDIRECT_URI, P_CODE_VERIFIER,
	P_REFRESH_TOKEN, P_SCOPE, P_RESOURCE,
	P__COUNT
};

static const struct parameter parameters[P__COUNT] = {
	[P_GRANT_TYPE] = { "grant_type", 255, NULL, false },
	[P_CLIENT_ID] = { "client_id", CLIENT_ID_MAX_BYTES, form_is_vschar, false },
	[P_CLIENT_SECRET] = { "client_secret", CLIENT_SECRET_MAX_BYTES, NULL, false },
	[P_CLIENT_ASSERTION] = { "client_assertion", REQUEST_MAX_BODY_BYTES, NULL, false },
	[P_CODE] = { "code", 512, form_is_vschar, false },			/* RFC 6749 appendix A.11 */
	[P_REDIRECT_URI] = { "redirect_uri", URI_MAX_BYTES, NULL, false },
	[P_CODE_VERIFIER] = { "code_verifier", 512, NULL, false },
	[P_REFRESH_TOKEN] = { "refresh_token", 512, form_is_vschar, false },	/* appendix A.17 */
	[P_SCOPE] = { "scope", 2048, form_is_nqchar_list, false },
	[P_RESOURCE] = { "resource", 1024, NULL, false },
};

/* What a client hears of each outcome.  Everything about a code is invalid_grant;
 * which it was is for the log (RFC 6749 section 5.2). */
static const struct {
	enum error	error;
	const char	*description;
} answers[TOKEN__COUNT] = {
	[TOKEN_INVALID_CLIENT] = { ERROR_INVALID_CLIENT, "the client is unknown, or its authentication is wrong" },
	[TOKEN_UNAUTHORIZED_CLIENT] = { ERROR_UNAUTHORIZED_CLIENT, "this client may not use this grant type" },
	[TOKEN_INVALID_SCOPE] = { ERROR_INVALID_SCOPE, "the scope is unknown, or not among the client's" },
	[TOKEN_INVALID_TARGET] = { ERROR_INVALID_TARGET, "the scopes are of several resources, or not of this one" },
	[TOKEN_UNKNOWN] = { ERROR_INVALID_GRANT, "the code or refresh token is not valid" },
	[TOKEN_EXPIRED] = { ERROR_INVALID_GRANT, "the code or refresh token is not valid" },
	[TOKEN_REPLAYED] = { ERROR_INVALID_GRANT, "the code or refresh token is not valid" },
	[TOKEN_WRONG_CLIENT] = { ERROR_INVALID_GRANT, "the code or refresh token is not valid" },
	[TOKEN_WRONG_REDIRECT_URI] = { ERROR_INVALID_GRANT, "redirect_uri is not that of the authorization request" },
	[TOKEN_WRONG_VERIFIER] = { ERROR_INVALID_GRANT, "code_verifier does not fit the authorization request" },
	[TOKEN_ENDED] = { ERROR_INVALID_GRANT, "the code or refresh token is not valid" },
};

static enum error
refuse(struct exchange *x, enum token_outcome outcome)
{
	exchange_note(x, "outcome", token_outcome_name(outcome));
	if (outcome == TOKEN__COUNT)
		return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
	return exchange_fail(x, answers[outcome].error, answers[outcome].description);
}

/* The key that the database has named: from the cache, or once from the database. */
static enum error
find_key(struct exchange *x, struct str kid, const struct jose_key **key)
{
	struct str		 name, pem;
	enum jose_algorithm	 algorithm;
	enum store_status	 status;

	if (str_is_absent(kid))
		return exchange_fail(x, ERROR_SERVER_ERROR, "there is no signing key: run postern key add");
	*key = key_cache_find(kid);
	if (*key != NULL)
		return ERROR_NONE;
	status = token_signing_key(x->store, x->arena, kid, &name, &pem);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (!jose_algorithm_by_name(name, &algorithm))
		return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
	*key = key_cache_add(jose_key_from_private_pem(algorithm, pem));
	if (*key == NULL || !str_equal(jose_key_kid(*key), kid))
		return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
	return ERROR_NONE;
}

/* A signature that does not verify: this process's memory is not to be trusted any
 * more (SEC-JOSE-14). */
static enum error
faulty(struct exchange *x)
{
	x->leave = true;
	return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
}

/* The access token: from the database if it is opaque, else signed here. */
static enum error
make_access_token(struct exchange *x, const struct token_claims *claims, struct str client_id, struct str *token)
{
	const struct jose_key	*key;
	enum error		 error;

	*token = claims->access_token;
	if (!str_is_absent(*token))
		return ERROR_NONE;
	error = find_key(x, claims->access_kid, &key);
	if (error != ERROR_NONE)
		return error;
	*token = access_token_make(x->arena, key, claims, client_id);
	return str_is_absent(*token) ? faulty(x) : ERROR_NONE;
}

static enum error
add_id_token(struct exchange *x, struct buf *json, const struct token_claims *claims, struct str client_id,
    struct str access_token)
{
	const struct jose_key	*key;
	struct str		 id_token;
	enum error		 error = find_key(x, claims->id_kid, &key);

	if (error != ERROR_NONE)
		return error;
	id_token = id_token_make(x->arena, key, claims, client_id, access_token);
	if (str_is_absent(id_token))
		return faulty(x);
	buf_add(json, STR(",\"id_token\":"));
	buf_add_json(json, id_token);
	return ERROR_NONE;
}

/* RFC 6749 section 5.1. */
static enum error
answer(struct exchange *x, enum token_outcome outcome, const struct token_claims *claims, struct str client_id)
{
	struct buf	json = buf_new(x->arena, REPLY_MAX_BODY_BYTES);
	struct str	token;
	enum error	error;

	if (outcome != TOKEN_OK)
		return refuse(x, outcome);
	error = make_access_token(x, claims, client_id, &token);
	if (error != ERROR_NONE)
		return error;
	buf_add(&json, STR("{\"access_token\":"));
	buf_add_json(&json, token);
	buf_addf(&json, ",\"token_type\":\"Bearer\",\"expires_in\":%ld,\"scope\":", claims->access_token_seconds);
	buf_add_json(&json, claims->scope);
	if (!str_is_absent(claims->refresh_token)) {
		buf_add(&json, STR(",\"refresh_token\":"));
		buf_add_json(&json, claims->refresh_token);
	}
	if (str_has_word(claims->scope, STR("openid"))) {
		error = add_id_token(x, &json, claims, client_id, token);
		if (error != ERROR_NONE)
			return error;
	}
	buf_addc(&json, '}');
	exchange_note(x, "grant_id", claims->grant_id);
	exchange_json(x, 200, buf_str(&json));
	return ERROR_NONE;
}

static enum error
authorization_code(struct exchange *x, const struct client_authentication *client)
{
	struct str		verifier = exchange_parameter(x, P_CODE_VERIFIER);
	struct code_redemption	redemption = {
		.client = client->proof,
		.redirect_uri = exchange_parameter(x, P_REDIRECT_URI),
	};
	struct token_claims	claims;
	struct handle		code;
	enum token_outcome	outcome;
	enum store_status	status;

	if (str_is_absent(exchange_parameter(x, P_CODE)))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "code is missing");
	if (!str_is_absent(verifier) && !pkce_is_verifier(verifier))
		return exchange_fail(x, ERROR_INVALID_GRANT, "code_verifier must be 43 to 128 unreserved characters");
	if (!str_is_absent(verifier))
		redemption.challenge = pkce_challenge(x->arena, verifier);
	/* What is no handle is asked for all the same: the client must authenticate
	 * before it learns anything about its code. */
	if (handle_parse(x->arena, exchange_parameter(x, P_CODE), &code))
		redemption.code = &code;
	status = token_redeem_code(x->store, x->arena, &redemption, &outcome, &claims);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	return answer(x, outcome, &claims, client->proof.client_id);
}

static enum error
refresh_token(struct exchange *x, const struct client_authentication *client)
{
	struct str		text = exchange_parameter(x, P_REFRESH_TOKEN);
	struct token_refresh	request = {
		.client = client->proof,
		.scope = exchange_parameter(x, P_SCOPE),
		.resource = exchange_parameter(x, P_RESOURCE),
	};
	struct token_claims	claims;
	enum token_outcome	outcome;
	enum store_status	status;

	if (str_is_absent(text))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "refresh_token is missing");
	/* Not base64url: asked all the same, as with codes. */
	if (!base64url_decode(x->arena, text, &request.sealed))
		request.sealed = STR("");
	status = token_refresh(x->store, x->arena, &request, &outcome, &claims);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	/* OpenID Connect Core section 12.2: no nonce in a refreshed ID token. */
	claims.nonce = STR_ABSENT;
	return answer(x, outcome, &claims, client->proof.client_id);
}

static enum error
client_credentials(struct exchange *x, const struct client_authentication *client)
{
	struct token_claims	claims;
	enum token_outcome	outcome;
	enum store_status	status = token_client_credentials(x->store, x->arena, &client->proof,
	    exchange_parameter(x, P_SCOPE), exchange_parameter(x, P_RESOURCE), &outcome, &claims);

	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	return answer(x, outcome, &claims, client->proof.client_id);
}

static enum error (*const grants[GRANT__COUNT])(struct exchange *, const struct client_authentication *) = {
	[GRANT_AUTHORIZATION_CODE] = authorization_code,
	[GRANT_REFRESH_TOKEN] = refresh_token,
	[GRANT_CLIENT_CREDENTIALS] = client_credentials,
};

static enum error
token(struct exchange *x)
{
	struct client_authentication	 client;
	struct str			 type = exchange_parameter(x, P_GRANT_TYPE);
	const char			*description = NULL;
	size_t				 which;
	enum error			 error;

	if (str_is_absent(type))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "grant_type is missing");
	which = supported_find(grant_types, GRANT__COUNT, type);
	if (which == GRANT__COUNT)
		return exchange_fail(x, ERROR_UNSUPPORTED_GRANT_TYPE, NULL);
	error = client_authentication_read(x->arena, &x->request, &(struct client_parameters){
	    .id = exchange_parameter(x, P_CLIENT_ID),
	    .secret = exchange_parameter(x, P_CLIENT_SECRET),
	    .assertion = exchange_parameter(x, P_CLIENT_ASSERTION),
	}, &client, &description);
	if (error != ERROR_NONE)
		return exchange_fail(x, error, description);
	exchange_note(x, "client_id", client.proof.client_id);
	exchange_note(x, "grant_type", type);
	return grants[which](x, &client);
}

static const struct endpoint endpoint = {
	.name = "token",
	.path = "/token",
	.sweeps = true,
	.methods = METHOD_POST,
	.cors = true,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.prepare = jose_prepare,
	.handle = token,
	.fail = exchange_fail_client,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
