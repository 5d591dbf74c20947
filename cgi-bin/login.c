/*
 * NAME
 *	login -- the page that asks for a password
 *
 * DESCRIPTION
 *	GET ISSUER/login?REQUEST shows the form; REQUEST is the authorization request
 *	that travels along.  POST checks the password, makes a session and sends the
 *	browser back to authorize with the request, or to account if there is none.
 *
 * SECURITY
 *	The only program that sees a password; it never reads a hash.  It gets the
 *	setting of an account, computes crypt(3), and the database compares.  Each
 *	attempt is counted before it is checked, per account and per address; an
 *	unknown name costs and looks the same.  Its role can make sessions for those
 *	whose password it was given, and nothing else.
 *
 * STANDARDS
 *	NIST SP 800-63B-4 section 3.1.1 and 3.2.2; RFC 9700 section 4.12.
 */
#include "base/password.h"
#include "endpoint/endpoint.h"
#include "http/uri.h"
#include "oauth/browser.h"
#include "oauth/travel.h"
#include "store/login.h"

#include <crypt.h>

/* bcrypt would silently ignore what follows (SEC-PWD-02). */
#define BCRYPT_MAX_BYTES	72

enum { P_USERNAME, P_PASSWORD, P_CSRF, P_REQUEST, P__COUNT };

static const struct parameter parameters[P__COUNT] = {
	[P_USERNAME] = { "username", 255, NULL, false },
	[P_PASSWORD] = { "password", PASSWORD_MAX_TYPED_BYTES, NULL, false },
	[P_CSRF] = { "csrf", 64, NULL, false },
	[P_REQUEST] = { "request", TRAVEL_MAX_BYTES, travel_is_query, false },
};

/* What the page itself wants to know of the request that travels along. */
enum { T_CLIENT_ID, T_REDIRECT_URI, T_LOGIN_HINT, T__COUNT };

static const struct parameter travelling[T__COUNT] = {
	[T_CLIENT_ID] = { "client_id", 255, form_is_vschar, false },
	[T_REDIRECT_URI] = { "redirect_uri", URI_MAX_BYTES, NULL, false },
	[T_LOGIN_HINT] = { "login_hint", 255, NULL, false },
};

struct page {
	int		 status;
	struct str	 request;	/* the travelling query; may be empty */
	struct str	 username;
	const char	*problem;	/* NULL: first visit */
	long		 wait_seconds;	/* more than 0: throttled */
};

static void
add_problem(struct exchange *x, struct page_data *data, const struct page *page)
{
	struct buf minutes = buf_new(x->arena, 32);

	if (page->wait_seconds > 0) {
		buf_addf(&minutes, "%ld", (page->wait_seconds + 59) / 60);
		page_set_flag(data, "throttled", true);
		page_set(data, "retry_minutes", buf_str(&minutes));
	} else if (page->problem != NULL) {
		page_set_flag(data, "error", true);
		page_set(data, "error_text", str_of(page->problem));
	}
}

/* Show the form.  The browser cookie binds it to this browser. */
static enum error
show(struct exchange *x, const struct page *page)
{
	struct page_data	*data = page_new(x->arena);
	struct page_policy	 policy = { STR_ABSENT, STR_ABSENT };
	struct str		 values[T__COUNT], client_name, answer_uri, username = page->username;
	struct form_fault	 fault;
	struct handle		 browser;
	struct uri		 uri;
	enum store_status	 status;

	form_parse(x->arena, page->request, travelling, T__COUNT, values, &fault);
	status = login_client(x->store, x->arena, values[T_CLIENT_ID], values[T_REDIRECT_URI], &client_name, &answer_uri);
	if (status != STORE_ROWS && status != STORE_NONE)
		return exchange_store_failed(x, status);
	if (uri_parse(answer_uri, &uri))
		policy.form_origin = uri_source(x->arena, &uri);
	if (!browser_read(x->arena, &x->request, x->issuer, COOKIE_BROWSER, &browser)) {
		handle_new(&browser);
		browser_set(&x->reply, x->issuer, COOKIE_BROWSER, &browser);
	}
	if (str_is_absent(username))
		username = values[T_LOGIN_HINT];
	page_set(data, "client_name", client_name);
	page_set(data, "action", issuer_endpoint(x->arena, x->issuer, "/login"));
	page_set(data, "username", username);
	page_set(data, "request", page->request);
	page_set(data, "csrf", browser_form_value(x->arena, &browser, "login"));
	add_problem(x, data, page);
	exchange_page(x, page->status, "login.html", data, &policy);
	return ERROR_NONE;
}

/* crypt(3) of the password; absent if it cannot be right whatever the hash is, which
 * takes as long.  False if it could not be computed: yescrypt wants megabytes, and says
 * EINVAL when there are none.  That is not a wrong password. */
static bool
compute(struct exchange *x, struct str password, struct str setting, struct str *out)
{
	struct crypt_data	*work = arena_alloc(x->arena, sizeof *work);
	struct str		 normal;
	const char		*hash;
	bool			 possible = password_normal(x->arena, password, &normal) == PASSWORD_GOOD;

	if (str_starts_with(setting, STR("$2")) && normal.n > BCRYPT_MAX_BYTES)
		possible = false;
	*out = STR_ABSENT;
	hash = crypt_r(possible ? str_z(x->arena, normal) : "", str_z(x->arena, setting), work);
	if (hash == NULL || hash[0] == '*')
		return crypt_checksalt(str_z(x->arena, setting)) == CRYPT_SALT_INVALID;
	if (possible)
		*out = str_dup(x->arena, str_of(hash));
	return true;
}

static void
send_on(struct exchange *x, struct str request)
{
	if (str_is_empty(request))
		travel_redirect(&x->reply, x->issuer, "/account", STR_ABSENT, NULL, STR_ABSENT);
	else
		travel_redirect(&x->reply, x->issuer, "/authorize", request, TRAVEL_AFTER, STR("login"));
}

/* The password is to be checked: compute, compare, make the session. */
static enum error
check(struct exchange *x, struct page *page, struct str address, struct str setting)
{
	struct login_result	 result;
	struct handle		 session, old_handle, *old = NULL;
	struct str		 hash;
	enum store_status	 status;

	if (!compute(x, exchange_parameter(x, P_PASSWORD), setting, &hash))
		return exchange_fail(x, ERROR_TEMPORARILY_UNAVAILABLE, "The server is busy: try again.");
	if (browser_read(x->arena, &x->request, x->issuer, COOKIE_SESSION, &old_handle))
		old = &old_handle;
	handle_new(&session);
	status = login_finish(x->store, x->arena, page->username, address, hash, &session, old,
	    page->request, request_text(&x->request, VARIABLE_USER_AGENT), &result);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (result.outcome != LOGIN_OK) {
		exchange_note(x, "login", STR("wrong"));
		page->status = 403;
		page->problem = "The name or the password is not right.";
		return show(x, page);
	}
	exchange_note(x, "login", STR("ok"));
	exchange_note(x, "sub", result.sub);
	browser_set(&x->reply, x->issuer, COOKIE_SESSION, &session);
	send_on(x, page->request);
	return ERROR_NONE;
}

static enum error
attempt(struct exchange *x, struct page *page)
{
	struct login_attempt	 begun;
	struct str		 address = request_text(&x->request, VARIABLE_ADDRESS);
	enum store_status	 status;

	page->username = exchange_parameter(x, P_USERNAME);
	if (str_is_absent(page->username) || str_is_absent(exchange_parameter(x, P_PASSWORD))) {
		page->status = 400;
		page->problem = "Enter your name and your password.";
		return show(x, page);
	}
	if (str_is_absent(address))
		address = STR("unknown");
	exchange_note(x, "address", address);
	status = login_begin(x->store, x->arena, page->username, address, &begun);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (begun.outcome == LOGIN_THROTTLED) {
		exchange_note(x, "login", STR("throttled"));
		page->status = 429;
		page->wait_seconds = begun.wait_seconds;
		return show(x, page);
	}
	return check(x, page, address, begun.setting);
}

/* A parameter that a person fills in. */
static bool
is_typed(int parameter)
{
	return parameter == P_USERNAME || parameter == P_PASSWORD;
}

static enum error
login(struct exchange *x)
{
	struct page	page = { .status = 200 };
	struct handle	browser;

	if (x->request.method != METHOD_POST) {
		page.request = x->request.variable[VARIABLE_QUERY];
		if (!travel_is_query(page.request))
			return exchange_fail(x, ERROR_INVALID_REQUEST, "The address of this page is damaged.");
		return show(x, &page);
	}
	page.request = exchange_parameter(x, P_REQUEST);
	if (x->request.fault.description != NULL && is_typed(x->request.fault.parameter)) {
		page.status = 400;
		page.username = exchange_parameter(x, P_USERNAME);
		page.problem = "The name or the password is too long, or has characters that it cannot have.";
		return show(x, &page);
	}
	if (x->request.fault.description != NULL)
		return exchange_fail(x, ERROR_INVALID_REQUEST, "The form that was sent is not one of ours.");
	if (!exchange_is_same_origin(x))
		return exchange_fail(x, ERROR_ACCESS_DENIED, "The form was sent from another site.");
	if (!browser_read(x->arena, &x->request, x->issuer, COOKIE_BROWSER, &browser) ||
	    !browser_form_is_ours(x->arena, &browser, "login", exchange_parameter(x, P_CSRF))) {
		page.status = 403;
		page.problem = "This page had expired. Try again, and allow cookies for this site.";
		return show(x, &page);
	}
	return attempt(x, &page);
}

static const struct endpoint endpoint = {
	.name = "login",
	.path = "/login",
	.sweeps = true,
	.methods = METHOD_GET | METHOD_HEAD | METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.reports_faults = true,
	.templates = (const char *const[]){ "login.html", "error.html", NULL },
	.handle = login,
	.fail = exchange_fail_page,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
