/*
 * NAME
 *	logout -- end this browser's login
 *
 * DESCRIPTION
 *	GET or POST ISSUER/logout.  An app may send its user here, with its ID token
 *	as id_token_hint and a registered post_logout_redirect_uri.  If the hint is
 *	of this very login it ends at once; else the person is asked first, so that
 *	no other site can sign people out.  A POST without our cookie, such as another
 *	site's, is answered with a redirect to the same request as GET.
 *
 * SECURITY
 *	Its role can end the session that the browser presents, and nothing else.  A
 *	redirect goes only to a URI that is registered for the client that the hint
 *	or the request names, compared byte by byte.
 *
 * STANDARDS
 *	OpenID Connect RP-Initiated Logout 1.0 sections 2 and 3.
 */
#include "endpoint/endpoint.h"
#include "http/uri.h"
#include "jose/prepare.h"
#include "oauth/browser.h"
#include "oauth/hint.h"
#include "oauth/travel.h"
#include "store/logout.h"

enum {
	P_ID_TOKEN_HINT, P_CLIENT_ID, P_POST_LOGOUT_REDIRECT_URI, P_STATE, P_LOGOUT_HINT, P_UI_LOCALES,
	P_TRAVELLING,		/* those before it make up an app's request */
	P_CSRF = P_TRAVELLING,
	P__COUNT
};

static const struct parameter parameters[P__COUNT] = {
	[P_ID_TOKEN_HINT] = { "id_token_hint", HINT_MAX_BYTES, form_is_vschar, false },
	[P_CLIENT_ID] = { "client_id", 255, form_is_vschar, false },
	[P_POST_LOGOUT_REDIRECT_URI] = { "post_logout_redirect_uri", URI_MAX_BYTES, NULL, false },
	[P_STATE] = { "state", 1024, form_is_vschar, false },
	[P_LOGOUT_HINT] = { "logout_hint", 255, NULL, false },		/* there is one login a browser */
	[P_UI_LOCALES] = { "ui_locales", 255, NULL, false },
	[P_CSRF] = { "csrf", 64, NULL, false },
};

/* Section 3: with state, if the app sent one. */
static void
send_back(struct exchange *x, struct str uri)
{
	struct buf	url = buf_new(x->arena, REPLY_MAX_HEADER_BYTES);
	struct str	state = exchange_parameter(x, P_STATE);

	buf_add(&url, uri);
	if (!str_is_absent(state)) {
		buf_add(&url, str_index(uri, '?') < 0 ? STR("?state=") : STR("&state="));
		buf_add_url(&url, state);
	}
	reply_redirect(&x->reply, buf_str(&url));
}

static enum error
ask(struct exchange *x, const struct handle *session, const struct logout *request, struct str client_name)
{
	struct page_data	*data = page_new(x->arena);
	struct page_policy	 policy = { STR_ABSENT, STR_ABSENT };
	struct uri		 uri;

	if (uri_parse(request->uri, &uri))
		policy.form_origin = uri_source(x->arena, &uri);
	page_set(data, "client_name", client_name);
	page_set(data, "action", issuer_endpoint(x->arena, x->issuer, "/logout"));
	page_set(data, "account_uri", issuer_endpoint(x->arena, x->issuer, "/account"));
	page_set(data, "csrf", browser_form_value(x->arena, session, "logout"));
	page_set(data, "client_id", request->client_id);
	page_set(data, "post_logout_redirect_uri", request->uri);
	page_set(data, "state", exchange_parameter(x, P_STATE));
	exchange_page(x, 200, "logout.html", data, &policy);
	return ERROR_NONE;
}

static enum error
act(struct exchange *x, const struct logout *request, enum logout_outcome outcome, struct str client_name)
{
	struct page_data *data = page_new(x->arena);

	switch (outcome) {
	case LOGOUT_ENDED:
		browser_clear(&x->reply, x->issuer, COOKIE_SESSION);
		if (!str_is_absent(request->uri)) {
			send_back(x, request->uri);
			return ERROR_NONE;
		}
		page_set(data, "sign_in_uri", issuer_endpoint(x->arena, x->issuer, "/account"));
		exchange_page(x, 200, "signed_out.html", data, NULL);
		return ERROR_NONE;
	case LOGOUT_CONFIRM:
		return ask(x, request->session, request, client_name);
	case LOGOUT_UNREGISTERED_URI:
		return exchange_fail(x, ERROR_INVALID_REQUEST,
		    "The app asked to be answered at an address that is not registered for it. You are still signed in.");
	case LOGOUT__COUNT:
		break;
	}
	return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
}

/* A hint must be an ID token of ours, expired or not; its aud is the client. */
static enum error
read_hint(struct exchange *x, struct logout *request, struct hint_claims *claims)
{
	struct str		hint = exchange_parameter(x, P_ID_TOKEN_HINT);
	enum store_status	status;

	if (str_is_absent(hint))
		return ERROR_NONE;
	switch (hint_read(x->store, x->arena, x->issuer->url, hint, claims, &status)) {
	case HINT_OK:
		break;
	case HINT_AWAY:
		return exchange_store_failed(x, status);
	case HINT_NOT_OURS:
		return exchange_fail(x, ERROR_INVALID_REQUEST, "The app did not show that you had signed in to it from here.");
	}
	if (!str_is_absent(request->client_id) && !str_equal(request->client_id, claims->client_id))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "The app's request does not fit together.");
	request->client_id = claims->client_id;
	request->hint_session = claims->session_id;
	return ERROR_NONE;
}

/* Another site's POST comes without our cookie (SameSite=Lax).  Answered as it is, it
 * would take away the cookie of a login that nobody has looked at; the same request as a
 * GET comes with it. */
static enum error
ask_again(struct exchange *x)
{
	struct str query = travel_query(x->arena, parameters, x->request.parameter, P_TRAVELLING);

	if (str_is_absent(query))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "The app's request is too long.");
	travel_redirect(&x->reply, x->issuer, "/logout", query, NULL, STR_ABSENT);
	return ERROR_NONE;
}

static enum error
logout(struct exchange *x)
{
	struct logout		request = {
		.client_id = exchange_parameter(x, P_CLIENT_ID),
		.uri = exchange_parameter(x, P_POST_LOGOUT_REDIRECT_URI),
	};
	struct str		csrf = exchange_parameter(x, P_CSRF), client_name;
	struct hint_claims	hint;
	struct handle		session;
	enum logout_outcome	outcome;
	enum store_status	status;
	enum error		error = read_hint(x, &request, &hint);

	if (error != ERROR_NONE)
		return error;
	if (browser_read(x->arena, &x->request, x->issuer, COOKIE_SESSION, &session))
		request.session = &session;
	else if (x->request.method == METHOD_POST)
		return ask_again(x);
	request.confirmed = x->request.method == METHOD_POST && !str_is_absent(csrf) && request.session != NULL &&
	    exchange_is_same_origin(x) && browser_form_is_ours(x->arena, &session, "logout", csrf);
	status = logout_do(x->store, x->arena, &request, &outcome, &client_name);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	exchange_note(x, "client_id", request.client_id);
	return act(x, &request, outcome, client_name);
}

static const struct endpoint endpoint = {
	.name = "logout",
	.path = "/logout",
	.methods = METHOD_GET | METHOD_HEAD | METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.optional_body = true,
	.templates = (const char *const[]){ "logout.html", "signed_out.html", "error.html", NULL },
	.prepare = jose_prepare,
	.handle = logout,
	.fail = exchange_fail_page,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
