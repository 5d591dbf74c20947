/*
 * NAME
 *	revoke -- a client gives a token back
 *
 * DESCRIPTION
 *	POST ISSUER/revoke with token.  A refresh token takes its grant with it; an
 *	access token ends alone.  A token that is unknown, or another client's, is
 *	answered with 200 and nothing happens.
 *
 * SECURITY
 *	Its role may end what belongs to a client that authenticates, and nothing
 *	else.  200 means that it is committed.
 *
 * STANDARDS
 *	RFC 7009.
 */
#include "endpoint/endpoint.h"
#include "jose/prepare.h"
#include "oauth/bearer.h"
#include "oauth/client_authentication.h"
#include "store/introspection.h"

enum { P_TOKEN, P_TOKEN_TYPE_HINT, P_CLIENT_ID, P_CLIENT_SECRET, P_CLIENT_ASSERTION, P__COUNT };

static const struct parameter parameters[P__COUNT] = {
	[P_TOKEN] = { "token", BEARER_MAX_BYTES, form_is_vschar, false },
	[P_TOKEN_TYPE_HINT] = { "token_type_hint", 255, NULL, false },	/* section 2.1: may be ignored */
	[P_CLIENT_ID] = { "client_id", CLIENT_ID_MAX_BYTES, form_is_vschar, false },
	[P_CLIENT_SECRET] = { "client_secret", CLIENT_SECRET_MAX_BYTES, NULL, false },
	[P_CLIENT_ASSERTION] = { "client_assertion", REQUEST_MAX_BODY_BYTES, NULL, false },
};

static enum error
revoke(struct exchange *x)
{
	struct client_authentication	 client;
	struct presented		 presented;
	enum revocation_outcome		 outcome;
	struct str			 what;
	const char			*description = NULL;
	enum store_status		 status;
	enum error			 error;

	error = client_authentication_read(x->arena, &x->request, &(struct client_parameters){
	    .id = exchange_parameter(x, P_CLIENT_ID),
	    .secret = exchange_parameter(x, P_CLIENT_SECRET),
	    .assertion = exchange_parameter(x, P_CLIENT_ASSERTION),
	}, &client, &description);
	if (error != ERROR_NONE)
		return exchange_fail(x, error, description);
	exchange_note(x, "client_id", client.proof.client_id);
	if (str_is_absent(exchange_parameter(x, P_TOKEN)))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "token is missing");
	if (bearer_read(x->store, x->arena, x->issuer->url, exchange_parameter(x, P_TOKEN), &presented,
	    &status) == BEARER_AWAY)
		return exchange_store_failed(x, status);
	status = revocation_do(x->store, x->arena, &client.proof, &presented, &outcome, &what);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (outcome != REVOCATION_OK)
		return exchange_fail(x, ERROR_INVALID_CLIENT, "the client is unknown, or its authentication is wrong");
	exchange_note(x, "revoked", what);
	exchange_empty(x, 200);
	return ERROR_NONE;
}

static const struct endpoint endpoint = {
	.name = "revoke",
	.path = "/revoke",
	.methods = METHOD_POST,
	.cors = true,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.prepare = jose_prepare,
	.handle = revoke,
	.fail = exchange_fail_client,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
