/*
 * NAME
 *	authorize -- the authorization endpoint
 *
 * DESCRIPTION
 *	GET ISSUER/authorize?client_id=...  A browser brings an app's request.  This
 *	is the only program that decides: it sends the browser to login or consent,
 *	which do one thing each and send it back here, or to the app, with a code or
 *	an error.  Each time everything is checked anew, in one call to the database.
 *
 *	POST is answered with a redirect to the same request as GET, because cookies
 *	with SameSite=Lax do not come with another site's POST.
 *
 * SECURITY
 *	Faces every browser.  Its role may call authorize, which issues codes only
 *	for a session, a client, a redirect URI and a consent that fit.  It holds no
 *	key and sees no password.  An error before client and redirect URI are
 *	checked is a page, never a redirect.
 *
 *	challenge="repeated" in the log: a browser brought the app's code_challenge again
 *	within ten minutes, and got another code.  Somebody has loaded the page twice;
 *	if it is many people, the app does not make a challenge for each request, and PKCE
 *	protects nobody.  A worker knows only what it has answered itself.
 *
 * STANDARDS
 *	RFC 6749 sections 3.1, 4.1.1, 4.1.2; RFC 7636 section 4.3; RFC 9207;
 *	RFC 8707 section 2.1; RFC 9700 section 2.1; OpenID Connect Core section 3.1.2.
 */
#include "endpoint/endpoint.h"
#include "http/uri.h"
#include "oauth/browser.h"
#include "oauth/pkce.h"
#include "oauth/supported.h"
#include "oauth/travel.h"
#include "store/authorization.h"

enum {
	P_CLIENT_ID, P_REDIRECT_URI, P_RESPONSE_TYPE, P_SCOPE, P_STATE, P_CODE_CHALLENGE,
	P_CODE_CHALLENGE_METHOD, P_NONCE, P_PROMPT, P_MAX_AGE, P_RESPONSE_MODE, P_RESOURCE,
	P_LOGIN_HINT, P_REQUEST, P_REQUEST_URI, P_REGISTRATION,
	P_TRAVELLING,		/* those before it make up the request */
	P_AFTER = P_TRAVELLING, P_CONSENT,
	P__COUNT
};

static const struct parameter parameters[P__COUNT] = {
	[P_CLIENT_ID] = { "client_id", 255, form_is_vschar, false },		/* RFC 6749 appendix A.1 */
	[P_REDIRECT_URI] = { "redirect_uri", URI_MAX_BYTES, NULL, false },
	[P_RESPONSE_TYPE] = { "response_type", 64, NULL, false },
	[P_SCOPE] = { "scope", 2048, form_is_nqchar_list, false },
	[P_STATE] = { "state", 1024, form_is_vschar, false },			/* appendix A.5 */
	[P_CODE_CHALLENGE] = { "code_challenge", 128, NULL, false },
	[P_CODE_CHALLENGE_METHOD] = { "code_challenge_method", 64, NULL, false },
	[P_NONCE] = { "nonce", 1024, NULL, false },
	[P_PROMPT] = { "prompt", 128, NULL, false },
	[P_MAX_AGE] = { "max_age", 16, NULL, false },
	[P_RESPONSE_MODE] = { "response_mode", 64, NULL, false },
	[P_RESOURCE] = { "resource", 1024, NULL, false },			/* RFC 8707 section 2 */
	[P_LOGIN_HINT] = { "login_hint", 255, NULL, false },
	[P_REQUEST] = { "request", REQUEST_MAX_BODY_BYTES, NULL, false },
	[P_REQUEST_URI] = { "request_uri", REQUEST_MAX_BODY_BYTES, NULL, false },
	[P_REGISTRATION] = { "registration", REQUEST_MAX_BODY_BYTES, NULL, false },
	[P_AFTER] = { TRAVEL_AFTER, 16, NULL, false },
	[P_CONSENT] = { TRAVEL_CONSENT, HANDLE_TEXT_BYTES, NULL, false },
};

/* prompt (OpenID Connect Core section 3.1.2.1).  There is one account a session:
 * to select another one is to log in. */
static enum error
read_prompt(struct exchange *x, struct authorization *request)
{
	struct str	rest = exchange_parameter(x, P_PROMPT), word;
	unsigned	seen = 0;

	while (str_cut(&rest, ' ', &word)) {
		size_t which = supported_find(prompts, PROMPT__COUNT, word);

		if (which == PROMPT__COUNT)
			return exchange_fail(x, ERROR_INVALID_REQUEST, "prompt has an unknown value");
		seen |= 1U << which;
	}
	request->prompt_none = (seen & 1U << PROMPT_NONE) != 0;
	request->prompt_login = (seen & (1U << PROMPT_LOGIN | 1U << PROMPT_SELECT_ACCOUNT)) != 0;
	request->prompt_consent = (seen & 1U << PROMPT_CONSENT) != 0;
	if (request->prompt_none && seen != 1U << PROMPT_NONE)
		return exchange_fail(x, ERROR_INVALID_REQUEST, "prompt none cannot be combined");
	return ERROR_NONE;
}

/* PKCE, S256 only; whether the client may go without is decided in SQL. */
static enum error
read_challenge(struct exchange *x, struct authorization *request)
{
	struct str method = exchange_parameter(x, P_CODE_CHALLENGE_METHOD);

	request->code_challenge = exchange_parameter(x, P_CODE_CHALLENGE);
	if (str_is_absent(request->code_challenge) && str_is_absent(method))
		return ERROR_NONE;
	/* RFC 7636 section 4.3: absent means plain, which is not offered. */
	if (supported_find(challenge_methods, CHALLENGE__COUNT, method) == CHALLENGE__COUNT)
		return exchange_fail(x, ERROR_INVALID_REQUEST, "code_challenge_method must be S256");
	if (!pkce_is_challenge(request->code_challenge))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "code_challenge must be 43 characters of base64url");
	return ERROR_NONE;
}

static enum error
read_types(struct exchange *x)
{
	struct str type = exchange_parameter(x, P_RESPONSE_TYPE), mode = exchange_parameter(x, P_RESPONSE_MODE);

	if (!str_is_absent(exchange_parameter(x, P_REQUEST)))
		return exchange_fail(x, ERROR_REQUEST_NOT_SUPPORTED, NULL);
	if (!str_is_absent(exchange_parameter(x, P_REQUEST_URI)))
		return exchange_fail(x, ERROR_REQUEST_URI_NOT_SUPPORTED, NULL);
	if (!str_is_absent(exchange_parameter(x, P_REGISTRATION)))
		return exchange_fail(x, ERROR_REGISTRATION_NOT_SUPPORTED, NULL);
	if (str_is_absent(type))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "response_type is missing");
	if (supported_find(response_types, RESPONSE__COUNT, type) == RESPONSE__COUNT)
		return exchange_fail(x, ERROR_UNSUPPORTED_RESPONSE_TYPE, "response_type must be code");
	if (!str_is_absent(mode) && supported_find(response_modes, MODE__COUNT, mode) == MODE__COUNT)
		return exchange_fail(x, ERROR_INVALID_REQUEST, "response_mode must be query");
	return ERROR_NONE;
}

/* Everything that can be judged by looking at the request alone. */
static enum error
read_request(struct exchange *x, struct authorization *request)
{
	struct str	max_age = exchange_parameter(x, P_MAX_AGE);
	enum error	error;

	*request = (struct authorization){
		.client_id = exchange_parameter(x, P_CLIENT_ID),
		.redirect_uri = exchange_parameter(x, P_REDIRECT_URI),
		.scope = exchange_parameter(x, P_SCOPE),
		.resource = exchange_parameter(x, P_RESOURCE),
		.nonce = exchange_parameter(x, P_NONCE),
		.max_age_seconds = -1,
		.query = travel_query(x->arena, parameters, x->request.parameter, P_TRAVELLING),
	};
	if (x->request.fault.description != NULL)
		return exchange_fail(x, ERROR_INVALID_REQUEST, x->request.fault.description);
	if (str_is_absent(request->query))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "the request is too long");
	if ((error = read_types(x)) != ERROR_NONE || (error = read_challenge(x, request)) != ERROR_NONE ||
	    (error = read_prompt(x, request)) != ERROR_NONE)
		return error;
	if (!str_is_absent(max_age) &&
	    (!str_to_long(max_age, &request->max_age_seconds) || request->max_age_seconds > INT32_MAX))
		return exchange_fail(x, ERROR_INVALID_REQUEST, "max_age must be a number of seconds");
	return ERROR_NONE;
}

/* Send the browser to the client (RFC 6749 section 4.1.2, RFC 9207 section 2). */
static void
respond(struct exchange *x, const struct authorization_answer *answer, const char *name, struct str value,
    const char *description)
{
	struct buf	url = buf_new(x->arena, REPLY_MAX_HEADER_BYTES);
	struct str	state = exchange_parameter(x, P_STATE);

	buf_add(&url, answer->redirect_uri);
	buf_addc(&url, str_index(answer->redirect_uri, '?') < 0 ? '?' : '&');
	buf_addf(&url, "%s=", name);
	buf_add_url(&url, value);
	if (description != NULL) {
		buf_add(&url, STR("&error_description="));
		buf_add_url(&url, str_of(description));
	}
	if (!str_is_absent(state)) {
		buf_add(&url, STR("&state="));
		buf_add_url(&url, state);
	}
	buf_add(&url, STR("&iss="));
	buf_add_url(&url, answer->issuer);
	reply_redirect(&x->reply, buf_str(&url));
}

static enum error
respond_error(struct exchange *x, const struct authorization_answer *answer, enum error error)
{
	exchange_note(x, "error", error_name(error));
	respond(x, answer, "error", error_name(error), x->description);
	return ERROR_NONE;
}

/* A client or redirect URI that does not check out: a page, on every path. */
static enum error
refuse(struct exchange *x, enum decision decision)
{
	if (decision == DECISION_UNKNOWN_CLIENT)
		return exchange_fail(x, ERROR_INVALID_REQUEST, "The app that sent you here is not known to this server.");
	return exchange_fail(x, ERROR_INVALID_REQUEST,
	    "The app that sent you here asked to be answered at an address that is not registered for it.");
}

/* The request itself is wrong: tell the client, if it and its address check out. */
static enum error
report(struct exchange *x, const struct authorization *request, enum error error)
{
	struct authorization_answer	answer;
	enum store_status		status;
	int				faulty = x->request.fault.parameter;

	if (x->request.fault.description != NULL && (faulty == P_CLIENT_ID || faulty == P_REDIRECT_URI))
		return error;
	status = authorization_client(x->store, x->arena, request->client_id, request->redirect_uri, &answer);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (answer.decision != DECISION_OK)
		return refuse(x, answer.decision);
	return respond_error(x, &answer, error);
}

static enum error
send_to_login(struct exchange *x, const struct authorization *request)
{
	/* Back from login, and still no cookie: without this it would be a loop. */
	if (str_equal(exchange_parameter(x, P_AFTER), STR("login")) && request->session == NULL)
		return exchange_fail(x, ERROR_INVALID_REQUEST,
		    "You have signed in, but your browser did not keep our cookie. Allow cookies for this site.");
	travel_redirect(&x->reply, x->issuer, "/login", request->query, NULL, STR_ABSENT);
	return ERROR_NONE;
}

static enum error
send_to_consent(struct exchange *x, const struct authorization *request)
{
	travel_redirect(&x->reply, x->issuer, "/consent", STR_ABSENT, "request",
	    handle_text(x->arena, request->fresh));
	return ERROR_NONE;
}

static enum error
act(struct exchange *x, const struct authorization *request, const struct authorization_answer *answer)
{
	switch (answer->decision) {
	case DECISION_OK:
		if (!str_is_absent(request->code_challenge) &&
		    pkce_comes_again(x->arena, request->client_id, request->code_challenge))
			exchange_note(x, "challenge", STR("repeated"));
		respond(x, answer, "code", handle_text(x->arena, request->fresh), NULL);
		return ERROR_NONE;
	case DECISION_LOGIN:
		return send_to_login(x, request);
	case DECISION_CONSENT:
		return send_to_consent(x, request);
	case DECISION_UNKNOWN_CLIENT:
	case DECISION_UNREGISTERED_REDIRECT_URI:
		return refuse(x, answer->decision);
	case DECISION_LOGIN_REQUIRED:
		return respond_error(x, answer, ERROR_LOGIN_REQUIRED);
	case DECISION_CONSENT_REQUIRED:
		return respond_error(x, answer, ERROR_CONSENT_REQUIRED);
	case DECISION_ACCESS_DENIED:
		return respond_error(x, answer, ERROR_ACCESS_DENIED);
	case DECISION_UNAUTHORIZED_CLIENT:
		return respond_error(x, answer, ERROR_UNAUTHORIZED_CLIENT);
	case DECISION_INVALID_SCOPE:
		return respond_error(x, answer, ERROR_INVALID_SCOPE);
	case DECISION_INVALID_TARGET:
		return respond_error(x, answer, ERROR_INVALID_TARGET);
	case DECISION_NO_PKCE:
		return respond_error(x, answer, exchange_fail(x, ERROR_INVALID_REQUEST, "code_challenge is missing"));
	case DECISION__COUNT:
		break;
	}
	return exchange_fail(x, ERROR_SERVER_ERROR, NULL);
}

static enum error
authorize(struct exchange *x)
{
	struct authorization		request;
	struct authorization_answer	answer;
	struct handle			session, consent, fresh;
	enum error			error = read_request(x, &request);
	enum store_status		status;

	exchange_note(x, "client_id", request.client_id);
	if (error != ERROR_NONE)
		return report(x, &request, error);
	if (x->request.method == METHOD_POST) {
		travel_redirect(&x->reply, x->issuer, "/authorize", request.query, NULL, STR_ABSENT);
		return ERROR_NONE;
	}
	if (browser_read(x->arena, &x->request, x->issuer, COOKIE_SESSION, &session))
		request.session = &session;
	if (handle_parse(x->arena, exchange_parameter(x, P_CONSENT), &consent))
		request.consent = &consent;
	handle_new(&fresh);
	request.fresh = &fresh;
	status = authorization_decide(x->store, x->arena, &request, &answer);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	/* Everything else that we do here is said by the row; cookies are not. */
	if (!str_is_absent(answer.issuer) && !str_equal(answer.issuer, x->issuer->url))
		x->leave = true;
	return act(x, &request, &answer);
}

static const struct endpoint endpoint = {
	.name = "authorize",
	.path = "/authorize",
	.methods = METHOD_GET | METHOD_HEAD | METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.reports_faults = true,
	.templates = (const char *const[]){ "error.html", NULL },
	.handle = authorize,
	.fail = exchange_fail_page,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
