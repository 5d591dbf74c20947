/*
 * NAME
 *	guard -- may this request pass?
 *
 * DESCRIPTION
 *	A web server asks guard before it answers a protected path: as a FastCGI
 *	Authorizer (lighttpd, Apache), or by a subrequest (nginx auth_request).  The
 *	path's demands stand in the web server's configuration and come as parameters
 *	that no client header can form:
 *
 *	POSTERN_REQUIRE_AUDIENCE	the resource; must be set
 *	POSTERN_REQUIRE_SCOPE		scopes, space-separated; all are needed
 *
 *	200 lets the request pass and names who it is for: POSTERN_SUBJECT,
 *	POSTERN_CLIENT_ID, POSTERN_SCOPE.  401, 403 and 503 refuse it.  A CORS
 *	preflight carries no token and passes; it only asks what it may ask.  The web
 *	server answers it: no program behind the path should see it.
 *
 * SECURITY
 *	Sees tokens as they are used.  It verifies with public keys and cannot make
 *	a token; its role may ask whether one grant is alive.
 *
 * STANDARDS
 *	RFC 6750 sections 2.1 and 3; RFC 9068 section 4; FastCGI 1.0 section 6.3.
 */
#include "endpoint/endpoint.h"
#include "jose/prepare.h"
#include "oauth/bearer.h"

/* A token that the database holds for alive, for this resource. */
static enum error
check_token(struct exchange *x, struct str audience, struct presented_answer *answer)
{
	struct presented	presented;
	struct str		token;
	enum store_status	status;
	enum error		error = bearer_of_request(&x->request, STR_ABSENT, &token);
	enum bearer_outcome	outcome;

	if (error != ERROR_NONE)
		return exchange_fail(x, error, error == ERROR_MISSING_TOKEN ? NULL : "there are several credentials");
	outcome = bearer_read(x->store, x->arena, x->issuer->url, token, &presented, &status);
	if (outcome == BEARER_AWAY)
		return exchange_store_failed(x, status);
	if (outcome == BEARER_NOT_OURS) {
		exchange_note(x, "jwt", bearer_reason());
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token is not one of ours");
	}
	status = presented_check(x->store, x->arena, &presented, answer);
	if (status != STORE_ROWS && status != STORE_NONE)
		return exchange_store_failed(x, status);
	if (status == STORE_NONE)
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token has expired or was revoked");
	if (!str_equal(answer->audience, audience))
		return exchange_fail(x, ERROR_INVALID_TOKEN, "the access token is for another resource");
	return ERROR_NONE;
}

static enum error
check_scope(struct exchange *x, struct str granted)
{
	struct str rest = x->request.variable[VARIABLE_REQUIRE_SCOPE], scope;

	while (str_cut(&rest, ' ', &scope)) {
		if (scope.n > 0 && !str_has_word(granted, scope))
			return exchange_fail(x, ERROR_INSUFFICIENT_SCOPE, "the access token lacks a scope that this path needs");
	}
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
	struct str		audience = x->request.variable[VARIABLE_REQUIRE_AUDIENCE];
	struct presented_answer	answer;
	enum error		error;

	if (str_is_absent(audience))
		return exchange_fail(x, ERROR_TEMPORARILY_UNAVAILABLE,
		    "the web server does not say which resource this is: set POSTERN_REQUIRE_AUDIENCE");
	if (is_preflight(x)) {
		exchange_empty(x, 200);
		return ERROR_NONE;
	}
	if ((error = check_token(x, audience, &answer)) != ERROR_NONE ||
	    (error = check_scope(x, answer.scope)) != ERROR_NONE)
		return error;
	reply_header(&x->reply, "Variable-POSTERN_SUBJECT", answer.sub);
	reply_header(&x->reply, "Variable-POSTERN_CLIENT_ID", answer.client_id);
	reply_header(&x->reply, "Variable-POSTERN_SCOPE", answer.scope);
	exchange_note(x, "sub", answer.sub);
	exchange_note(x, "client_id", answer.client_id);
	exchange_empty(x, 200);
	return ERROR_NONE;
}

/* A malformed request is a 401 here: web servers make 500 of the 400 that RFC 6750
 * section 3.1 names. */
static void
fail(struct exchange *x, enum error error)
{
	exchange_fail_bearer(x, error);
	if (x->reply.status != 403 && x->reply.status != 503)
		x->reply.status = 401;
}

static const struct endpoint endpoint = {
	.name = "guard",
	.methods = METHOD_ANY,
	.fastcgi_only = true,
	.prepare = jose_prepare,
	.handle = guard,
	.fail = fail,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
