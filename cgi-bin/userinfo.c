/*
 * NAME
 *	userinfo -- claims about the person, for the app that the person allowed
 *
 * DESCRIPTION
 *	GET or POST ISSUER/userinfo with an access token that has the scope openid.
 *	profile adds the name, email the address.
 *
 * SECURITY
 *	Its role may read the claims of the person whose live token is presented.
 *
 * STANDARDS
 *	OpenID Connect Core section 5.3; RFC 6750.
 */
#include "endpoint/endpoint.h"
#include "jose/prepare.h"
#include "oauth/bearer.h"
#include "store/introspection.h"

enum { P_ACCESS_TOKEN, P__COUNT };

static const struct parameter parameters[P__COUNT] = {
	[P_ACCESS_TOKEN] = { "access_token", BEARER_MAX_BYTES, form_is_vschar, false },	/* RFC 6750 section 2.2 */
};

static void
answer(struct exchange *x, const struct userinfo_claims *claims)
{
	struct buf json = buf_new(x->arena, REPLY_MAX_BODY_BYTES);

	buf_add(&json, STR("{\"sub\":"));
	buf_add_json(&json, claims->sub);
	if (str_has_word(claims->scope, STR("profile"))) {
		buf_add_member(&json, "name", claims->name);
		buf_add_member(&json, "preferred_username", claims->login_name);
	}
	if (str_has_word(claims->scope, STR("email")) && !str_is_absent(claims->email)) {
		buf_add_member(&json, "email", claims->email);
		buf_addf(&json, ",\"email_verified\":%s", claims->email_verified ? "true" : "false");
	}
	buf_addc(&json, '}');
	exchange_json(x, 200, buf_str(&json));
}

static enum error
userinfo(struct exchange *x)
{
	struct userinfo_claims	claims;
	struct presented	presented;
	struct str		token;
	enum store_status	status;
	/* A token in the query would end up in logs (RFC 9700 section 4.3.2): only a
	 * body may have it. */
	struct str		in_body = x->request.method == METHOD_POST ? exchange_parameter(x, P_ACCESS_TOKEN) : STR_ABSENT;
	enum error		error = bearer_of_request(&x->request, in_body, &token);
	enum bearer_outcome	outcome;

	if (error != ERROR_NONE)
		return exchange_fail(x, error, error == ERROR_MISSING_TOKEN ? NULL : "there are several credentials");
	outcome = bearer_read(x->store, x->arena, x->issuer->url, token, &presented, &status);
	if (outcome == BEARER_AWAY)
		return exchange_store_failed(x, status);
	/* Alive or not: it is not looked up. */
	if (presented.has_key)
		return exchange_fail(x, ERROR_INVALID_TOKEN, "API keys are not accepted here: send an access token with the scope openid");
	if (outcome == BEARER_NOT_OURS)
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token is not one of ours");
	status = userinfo_read(x->store, x->arena, &presented, &claims);
	if (status == STORE_NONE)
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token has expired or was revoked");
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (!str_has_word(claims.scope, STR("openid")))
		return exchange_fail(x, ERROR_INSUFFICIENT_SCOPE, "the access token lacks the scope openid");
	exchange_note(x, "sub", claims.sub);
	answer(x, &claims);
	return ERROR_NONE;
}

static const struct endpoint endpoint = {
	.name = "userinfo",
	.path = "/userinfo",
	.methods = METHOD_GET | METHOD_HEAD | METHOD_POST,
	.cors = true,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.optional_body = true,
	.prepare = jose_prepare,
	.handle = userinfo,
	.fail = exchange_fail_bearer,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
