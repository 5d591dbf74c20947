/*
 * NAME
 *	consent -- the page that asks whether an app may
 *
 * DESCRIPTION
 *	GET ISSUER/consent?request=HANDLE shows which app wants which rights, in the
 *	words of the scopes' rows.  POST records allow or deny, once, and sends the
 *	browser back to authorize.
 *
 * SECURITY
 *	What is asked comes from the row that authorize made, never from the form.
 *	The row is bound to the session that it was made in; the form to that
 *	session and to this page.  Its role can record one decision of the person
 *	who is logged in, and nothing else.
 *
 * STANDARDS
 *	RFC 6749 sections 3.1.2.4 and 10.13; RFC 9700 section 4.16; OpenID Connect
 *	Core section 3.1.2.4.
 */
#include "endpoint/endpoint.h"
#include "http/uri.h"
#include "oauth/browser.h"
#include "oauth/travel.h"
#include "store/consent.h"

enum { P_REQUEST, P_CSRF, P_DECISION, P__COUNT };

static const struct parameter parameters[P__COUNT] = {
	[P_REQUEST] = { "request", HANDLE_TEXT_BYTES, NULL, false },
	[P_CSRF] = { "csrf", 64, NULL, false },
	[P_DECISION] = { "decision", 16, NULL, false },
};

static const char gone[] =
	"This question has been answered already, has expired, or was asked in another browser.";

/* Fields of the page that are the same in every row. */
static const struct {
	const char		*name;
	enum consent_column	 column;
} fields[] = {
	{ "client_name", CONSENT_CLIENT_NAME },
	{ "client_uri", CONSENT_CLIENT_URI },
	{ "logo_uri", CONSENT_LOGO_URI },
	{ "policy_uri", CONSENT_POLICY_URI },
	{ "tos_uri", CONSENT_TOS_URI },
	{ "account_name", CONSENT_ACCOUNT_NAME },
};

static void
add_scopes(struct page_data *data, const struct store_rows *rows)
{
	struct str last = STR_ABSENT;

	for (size_t i = 0; i < store_count(rows); i++) {
		struct page_data	*scope = page_add_item(data, "scopes");
		struct str		 resource = store_get(rows, i, CONSENT_RESOURCE_NAME);

		page_set(scope, "title", store_get(rows, i, CONSENT_TITLE));
		page_set(scope, "description", store_get(rows, i, CONSENT_DESCRIPTION));
		page_set_flag(scope, "sensitive", store_get_bool(rows, i, CONSENT_SENSITIVE));
		if (!str_is_absent(resource) && !str_equal(resource, last))
			page_set(page_add_item(data, "resources"), "name", resource);
		last = resource;
	}
}

static enum error
show(struct exchange *x, const struct handle *request, const struct handle *session)
{
	struct page_data	*data = page_new(x->arena);
	struct page_policy	 policy = { STR_ABSENT, STR_ABSENT };
	const struct store_rows	*rows;
	struct uri		 uri;
	enum store_status	 status = consent_read(x->store, x->arena, request, session, &rows);

	if (status == STORE_NONE)
		return exchange_fail(x, ERROR_REQUEST_IS_OVER, gone);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		page_set(data, fields[i].name, store_get(rows, 0, (int)fields[i].column));
	if (uri_parse(store_get(rows, 0, CONSENT_REDIRECT_URI), &uri)) {
		policy.form_origin = uri_source(x->arena, &uri);
		page_set(data, "redirect_host", str_is_empty(uri.host) ? policy.form_origin : uri.host);
	}
	if (uri_parse(store_get(rows, 0, CONSENT_LOGO_URI), &uri))
		policy.image_origin = uri_source(x->arena, &uri);
	add_scopes(data, rows);
	page_set(data, "action", issuer_endpoint(x->arena, x->issuer, "/consent"));
	page_set(data, "request", handle_text(x->arena, request));
	page_set(data, "csrf", browser_form_value(x->arena, session, "consent"));
	exchange_page(x, 200, "consent.html", data, &policy);
	return ERROR_NONE;
}

static enum error
decide(struct exchange *x, const struct handle *request, const struct handle *session)
{
	struct str		decision = exchange_parameter(x, P_DECISION), query, client_id;
	bool			allow = str_equal(decision, STR("allow"));
	enum store_status	status;

	if (!exchange_is_same_origin(x) ||
	    !browser_form_is_ours(x->arena, session, "consent", exchange_parameter(x, P_CSRF)))
		return exchange_fail(x, ERROR_ACCESS_DENIED, "The form was not sent from our own page.");
	if (!allow && !str_equal(decision, STR("deny")))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "The form that was sent is not one of ours.");
	status = consent_decide(x->store, x->arena, request, session, allow, &query, &client_id);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (str_is_absent(query))
		return exchange_fail(x, ERROR_REQUEST_IS_OVER, gone);
	exchange_note(x, "client_id", client_id);
	exchange_note(x, "consent", allow ? STR("allow") : STR("deny"));
	travel_redirect(&x->reply, x->issuer, "/authorize", query, TRAVEL_CONSENT, handle_text(x->arena, request));
	return ERROR_NONE;
}

static enum error
consent(struct exchange *x)
{
	struct handle request, session;

	if (!handle_parse(x->arena, exchange_parameter(x, P_REQUEST), &request) ||
	    !browser_read(x->arena, &x->request, x->issuer, COOKIE_SESSION, &session))
		return exchange_fail(x, ERROR_REQUEST_IS_OVER, gone);
	if (x->request.method == METHOD_POST)
		return decide(x, &request, &session);
	return show(x, &request, &session);
}

static const struct endpoint endpoint = {
	.name = "consent",
	.path = "/consent",
	.methods = METHOD_GET | METHOD_HEAD | METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.templates = (const char *const[]){ "consent.html", "error.html", NULL },
	.handle = consent,
	.fail = exchange_fail_page,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
