/*
 * NAME
 *	introspect -- what is this token worth?
 *
 * DESCRIPTION
 *	POST ISSUER/introspect with token, by a client that authenticates.  Only the
 *	client that the token was issued to and the resource server that it is for
 *	learn anything; everybody else hears {"active":false}, as for rubbish.
 *
 * SECURITY
 *	Verifies with public keys; cannot make or end a token.  Its role may ask
 *	about one token at a time, as a client that authenticates.
 *
 * STANDARDS
 *	RFC 7662.
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

static void
answer_active(struct exchange *x, const struct introspection *token)
{
	struct buf json = buf_new(x->arena, REPLY_MAX_BODY_BYTES);

	buf_addf(&json, "{\"active\":true,\"exp\":%ld", token->expires);
	buf_add_member(&json, "iss", token->issuer);
	buf_add_member(&json, "client_id", token->client_id);
	buf_add_member(&json, "sub", token->sub);
	buf_add_member(&json, "username", token->username);
	buf_add_member(&json, "scope", token->scope);
	buf_add_member(&json, "aud", token->audience);
	buf_add_member(&json, "jti", token->jti);
	buf_add_member(&json, "token_type", token->token_type);
	buf_addc(&json, '}');
	exchange_json(x, 200, buf_str(&json));
}

static enum error
introspect(struct exchange *x)
{
	struct client_authentication	 client;
	struct presented		 presented;
	struct introspection		 token;
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
	/* What is not ours is asked about all the same: the caller must authenticate
	 * before it learns even that. */
	if (bearer_read(x->store, x->arena, x->issuer->url, exchange_parameter(x, P_TOKEN), &presented,
	    &status) == BEARER_AWAY)
		return exchange_store_failed(x, status);
	status = introspection_ask(x->store, x->arena, &client.proof, &presented, &token);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	switch (token.outcome) {
	case INTROSPECTION_ACTIVE:
		answer_active(x, &token);
		return ERROR_NONE;
	case INTROSPECTION_INACTIVE:
		exchange_json(x, 200, STR("{\"active\":false}"));
		return ERROR_NONE;
	case INTROSPECTION_INVALID_CLIENT:
		return exchange_fail(x, ERROR_INVALID_CLIENT, "the client is unknown, or its authentication is wrong");
	case INTROSPECTION__COUNT:
		break;
	}
	return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
}

static const struct endpoint endpoint = {
	.name = "introspect",
	.path = "/introspect",
	.methods = METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.prepare = jose_prepare,
	.handle = introspect,
	.fail = exchange_fail_client,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
