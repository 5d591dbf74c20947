/*
 * NAME
 *	account -- a person's own page: which apps are connected
 *
 * DESCRIPTION
 *	GET ISSUER/account lists the apps that the person has allowed something.
 *	POST with action=disconnect ends one app's access at once; action=sign_out
 *	ends this browser's login.
 *
 * SECURITY
 *	Its role can show and end what belongs to the session that it presents, and
 *	nothing else.  Forms are bound to the session.
 *
 * STANDARDS
 *	RFC 9700 section 4.16.  (The page itself is not standardised.)
 */
#include "endpoint/endpoint.h"
#include "http/uri.h"
#include "oauth/browser.h"
#include "oauth/travel.h"
#include "store/account.h"

enum { P_ACTION, P_CSRF, P_CLIENT_ID, P_DONE, P__COUNT };

static const struct parameter parameters[P__COUNT] = {
	[P_ACTION] = { "action", 32, NULL },
	[P_CSRF] = { "csrf", 64, NULL },
	[P_CLIENT_ID] = { "client_id", 255, form_is_vschar },
	[P_DONE] = { "done", 32, NULL },
};

static void
add_app(struct page_data *data, const struct store_rows *rows, size_t row, struct str csrf)
{
	struct page_data	*app = page_add_item(data, "apps");
	struct str		 titles = store_get(rows, row, ACCOUNT_TITLES), title;

	page_set(app, "client_id", store_get(rows, row, ACCOUNT_CLIENT_ID));
	page_set(app, "client_name", store_get(rows, row, ACCOUNT_CLIENT_NAME));
	page_set(app, "client_uri", store_get(rows, row, ACCOUNT_CLIENT_URI));
	page_set(app, "since", store_get(rows, row, ACCOUNT_SINCE));
	page_set(app, "csrf", csrf);
	while (str_cut(&titles, '\n', &title))
		page_set(page_add_item(app, "scopes"), "title", title);
}

static enum error
send_to_login(struct exchange *x)
{
	travel_redirect(&x->reply, x->issuer, "/login", STR_ABSENT, NULL, STR_ABSENT);
	return ERROR_NONE;
}

static enum error
show(struct exchange *x, const struct handle *session)
{
	struct page_data	*data = page_new(x->arena);
	struct str		 csrf = browser_form_value(x->arena, session, "account");
	const struct store_rows	*rows;
	enum store_status	 status = account_read(x->store, x->arena, session, &rows);

	if (status == STORE_NONE)
		return send_to_login(x);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	page_set(data, "login_name", store_get(rows, 0, ACCOUNT_LOGIN_NAME));
	page_set(data, "account_name", str_is_absent(store_get(rows, 0, ACCOUNT_NAME)) ?
	    store_get(rows, 0, ACCOUNT_LOGIN_NAME) : store_get(rows, 0, ACCOUNT_NAME));
	page_set(data, "email", store_get(rows, 0, ACCOUNT_EMAIL));
	page_set(data, "action", issuer_endpoint(x->arena, x->issuer, "/account"));
	page_set(data, "csrf", csrf);
	for (size_t i = 0; i < store_count(rows); i++) {
		if (!str_is_absent(store_get(rows, i, ACCOUNT_CLIENT_ID)))
			add_app(data, rows, i, csrf);
	}
	if (str_equal(exchange_parameter(x, P_DONE), STR("disconnect"))) {
		page_set_flag(data, "notice", true);
		page_set(data, "notice_text", STR("The app is disconnected. Its access has ended."));
	}
	exchange_page(x, 200, "account.html", data, NULL);
	return ERROR_NONE;
}

static enum error
disconnect(struct exchange *x, const struct handle *session)
{
	enum account_outcome	outcome;
	struct str		client_id = exchange_parameter(x, P_CLIENT_ID), client_name;
	enum store_status	status = account_disconnect(x->store, x->arena, session, client_id, &outcome, &client_name);

	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (outcome == ACCOUNT_NO_SESSION)
		return send_to_login(x);
	exchange_note(x, "disconnect", client_id);
	/* Pressing the button twice is not an error: what was wanted is so. */
	travel_redirect(&x->reply, x->issuer, "/account", STR_ABSENT, "done", STR("disconnect"));
	return ERROR_NONE;
}

static enum error
sign_out(struct exchange *x, const struct handle *session)
{
	struct page_data	*data = page_new(x->arena);
	enum account_outcome	 outcome;
	enum store_status	 status = account_sign_out(x->store, x->arena, session, &outcome);

	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	browser_clear(&x->reply, x->issuer, COOKIE_SESSION);
	page_set(data, "sign_in_uri", issuer_endpoint(x->arena, x->issuer, "/account"));
	exchange_page(x, 200, "signed_out.html", data, NULL);
	return ERROR_NONE;
}

static enum error
account(struct exchange *x)
{
	struct handle	session;
	struct str	action = exchange_parameter(x, P_ACTION);

	if (!browser_read(x->arena, &x->request, x->issuer, COOKIE_SESSION, &session))
		return send_to_login(x);
	if (x->request.method != METHOD_POST)
		return show(x, &session);
	if (!exchange_is_same_origin(x) ||
	    !browser_form_is_ours(x->arena, &session, "account", exchange_parameter(x, P_CSRF)))
		return exchange_fail(x, ERROR_ACCESS_DENIED, "The form was not sent from our own page.");
	if (str_equal(action, STR("disconnect")))
		return disconnect(x, &session);
	if (str_equal(action, STR("sign_out")))
		return sign_out(x, &session);
	return exchange_fail(x, ERROR_INVALID_REQUEST, "The form that was sent is not one of ours.");
}

static const struct endpoint endpoint = {
	.name = "account",
	.path = "/account",
	.methods = METHOD_GET | METHOD_HEAD | METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.templates = (const char *const[]){ "account.html", "signed_out.html", "error.html", NULL },
	.handle = account,
	.fail = exchange_fail_page,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
