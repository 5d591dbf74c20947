/*
 * NAME
 *	account -- a person's own page: apps, sessions, API keys
 *
 * DESCRIPTION
 *	GET ISSUER/account lists the apps that the person has allowed something,
 *	the browsers that are signed in, and the personal API keys.  POST ends one of
 *	them at once, signs out, or makes a key, which is shown this once.  The form
 *	names the key that it makes, so that sending it again makes no other.
 *
 * SECURITY
 *	Its role can show and end what belongs to the session that it presents, and
 *	nothing else.  Forms are bound to the session.
 *
 * STANDARDS
 *	RFC 9700 section 4.16.  (The page itself is not standardised.)
 */
#include "base/uuid.h"
#include "endpoint/endpoint.h"
#include "oauth/bearer.h"
#include "oauth/browser.h"
#include "oauth/travel.h"
#include "oauth/user_agent.h"
#include "store/account.h"

#define KEY_NAME_MAX_BYTES	255
#define KEY_MAX_DAYS		366
#define KEY_USUAL_DAYS		"90"

enum {
	P_ACTION, P_CSRF, P_CLIENT_ID, P_SESSION, P_KEY, P_NAME, P_DAYS, P_SCOPE, P_DONE,
	P__COUNT
};

static const struct parameter parameters[P__COUNT] = {
	[P_ACTION] = { "action", 32, NULL, false },
	[P_CSRF] = { "csrf", 64, NULL, false },
	[P_CLIENT_ID] = { "client_id", 255, form_is_vschar, false },
	[P_SESSION] = { "session", UUID_TEXT_BYTES, NULL, false },
	[P_KEY] = { "key", UUID_TEXT_BYTES, NULL, false },
	[P_NAME] = { "name", KEY_NAME_MAX_BYTES, form_is_line, false },
	[P_DAYS] = { "days", 4, NULL, false },
	[P_SCOPE] = { "scope", 2048, form_is_nqchar_list, true },
	[P_DONE] = { "done", 32, NULL, false },
};

/* What was done, by the word in the address: fixed texts, so that nobody can put
 * words on this page. */
static const struct {
	struct str	done;
	struct str	text;
} notices[] = {
	{ STR_INIT("disconnect"), STR_INIT("The app is disconnected. Its access has ended.") },
	{ STR_INIT("end_session"), STR_INIT("That session has ended.") },
	{ STR_INIT("revoke_key"), STR_INIT("The key is revoked. It no longer works.") },
};

static const char not_ours[] = "The form that was sent is not one of ours.";

static void
add_titles(struct page_data *item, struct str titles)
{
	struct str title;

	while (str_cut(&titles, '\n', &title))
		page_set(page_add_item(item, "scopes"), "title", title);
}

static void
add_account(struct page_data *data, const struct store_rows *rows, size_t i)
{
	page_set(data, "account_name", store_get(rows, i, ACCOUNT_NAME));
	page_set(data, "login_name", store_get(rows, i, ACCOUNT_DETAIL));
	page_set(data, "email", store_get(rows, i, ACCOUNT_URI));
}

static void
add_app(struct page_data *data, const struct store_rows *rows, size_t i)
{
	struct page_data *app = page_add_item(data, "apps");

	page_set(app, "client_id", store_get(rows, i, ACCOUNT_ID));
	page_set(app, "client_name", store_get(rows, i, ACCOUNT_NAME));
	page_set(app, "client_uri", store_get(rows, i, ACCOUNT_URI));
	page_set(app, "since", store_get(rows, i, ACCOUNT_SINCE));
	add_titles(app, store_get(rows, i, ACCOUNT_TITLES));
}

static void
add_session(struct page_data *data, const struct store_rows *rows, size_t i)
{
	struct page_data *session = page_add_item(data, "sessions");

	page_set(session, "session", store_get(rows, i, ACCOUNT_ID));
	page_set(session, "user_agent_text", user_agent_name(store_get(rows, i, ACCOUNT_NAME)));
	page_set(session, "address", store_get(rows, i, ACCOUNT_DETAIL));
	page_set(session, "since", store_get(rows, i, ACCOUNT_SINCE));
	page_set(session, "last_seen", store_get(rows, i, ACCOUNT_LAST_USED));
	page_set_flag(session, "current", store_get_bool(rows, i, ACCOUNT_CURRENT));
}

static void
add_key(struct page_data *data, const struct store_rows *rows, size_t i)
{
	struct page_data *key = page_add_item(data, "keys");

	page_set(key, "key", store_get(rows, i, ACCOUNT_ID));
	page_set(key, "name", store_get(rows, i, ACCOUNT_NAME));
	page_set(key, "since", store_get(rows, i, ACCOUNT_SINCE));
	page_set(key, "last_used", store_get(rows, i, ACCOUNT_LAST_USED));
	page_set(key, "ends", store_get(rows, i, ACCOUNT_ENDS));
	add_titles(key, store_get(rows, i, ACCOUNT_TITLES));
}

static void
add_choice(struct page_data *data, const struct store_rows *rows, size_t i)
{
	struct page_data *choice = page_add_item(data, "choices");

	page_set(choice, "scope", store_get(rows, i, ACCOUNT_ID));
	page_set(choice, "title", store_get(rows, i, ACCOUNT_NAME));
	page_set(choice, "resource", store_get(rows, i, ACCOUNT_DETAIL));
	page_set_flag(choice, "sensitive", store_get_bool(rows, i, ACCOUNT_CURRENT));
}

static const struct {
	struct str	kind;
	void		(*add)(struct page_data *data, const struct store_rows *rows, size_t i);
} kinds[] = {
	{ STR_INIT("account"), add_account },
	{ STR_INIT("app"), add_app },
	{ STR_INIT("session"), add_session },
	{ STR_INIT("key"), add_key },
	{ STR_INIT("scope"), add_choice },
};

#define COUNT(table)	(sizeof(table) / sizeof *(table))

static void
add_rows(struct page_data *data, const struct store_rows *rows)
{
	for (size_t i = 0; i < store_count(rows); i++) {
		for (size_t k = 0; k < COUNT(kinds); k++) {
			if (str_equal(kinds[k].kind, store_get(rows, i, ACCOUNT_KIND)))
				kinds[k].add(data, rows, i);
		}
	}
}

static enum error
send_to_login(struct exchange *x)
{
	travel_redirect(&x->reply, x->issuer, "/login", STR_ABSENT, NULL, STR_ABSENT);
	return ERROR_NONE;
}

/* What the page shows besides the rows. */
struct extra {
	int		 status;
	struct str	 new_key;	/* shown this once */
	bool		 made_already;	/* it was shown before */
	const char	*key_problem;
};

static enum error
show(struct exchange *x, const struct handle *session, const struct extra *extra)
{
	struct page_data	*data = page_new(x->arena);
	const struct store_rows	*rows;
	unsigned char		 next_key[UUID_BYTES];
	enum store_status	 status = account_read(x->store, x->arena, session, &rows);

	if (status == STORE_NONE)
		return send_to_login(x);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	page_set(data, "action", issuer_endpoint(x->arena, x->issuer, "/account"));
	page_set(data, "csrf", browser_form_value(x->arena, session, "account"));
	uuid_new(next_key);
	page_set(data, "next_key", uuid_text(x->arena, next_key));
	page_set(data, "new_key", extra->new_key);
	page_set_flag(data, "made_already", extra->made_already);
	page_set(data, "key_problem", str_of(extra->key_problem));
	page_set(data, "key_name", extra->key_problem == NULL ? STR("") : exchange_parameter(x, P_NAME));
	page_set(data, "key_days", extra->key_problem == NULL ? STR(KEY_USUAL_DAYS) : exchange_parameter(x, P_DAYS));
	add_rows(data, rows);
	for (size_t i = 0; i < COUNT(notices); i++) {
		if (!str_equal(exchange_parameter(x, P_DONE), notices[i].done))
			continue;
		page_set_flag(data, "notice", true);
		page_set(data, "notice_text", notices[i].text);
	}
	exchange_page(x, extra->status, "account.html", data, NULL);
	return ERROR_NONE;
}

/* After a change the page is loaded anew.  Pressing a button twice is not an error:
 * what was wanted is so. */
static enum error
done(struct exchange *x, enum store_status status, enum account_outcome outcome, const char *what)
{
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (outcome == ACCOUNT_NO_SESSION)
		return send_to_login(x);
	travel_redirect(&x->reply, x->issuer, "/account", STR_ABSENT, "done", str_of(what));
	return ERROR_NONE;
}

static enum error
disconnect(struct exchange *x, const struct handle *session)
{
	struct str		client_id = exchange_parameter(x, P_CLIENT_ID);
	enum account_outcome	outcome;
	enum store_status	status = account_disconnect(x->store, x->arena, session, client_id, &outcome);

	exchange_note(x, "disconnect", client_id);
	return done(x, status, outcome, "disconnect");
}

static enum error
end_session(struct exchange *x, const struct handle *session)
{
	unsigned char		id[UUID_BYTES];
	enum account_outcome	outcome;
	enum store_status	status;

	if (!uuid_parse(exchange_parameter(x, P_SESSION), id))
		return exchange_fail(x, ERROR_INVALID_REQUEST, not_ours);
	status = account_end_session(x->store, x->arena, session, id, &outcome);
	return done(x, status, outcome, "end_session");
}

static enum error
sign_out(struct exchange *x, const struct handle *session)
{
	struct page_data	*data = page_new(x->arena);
	enum account_outcome	 outcome;
	enum store_status	 status = account_end_session(x->store, x->arena, session, NULL, &outcome);

	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	browser_clear(&x->reply, x->issuer, COOKIE_SESSION);
	page_set(data, "sign_in_uri", issuer_endpoint(x->arena, x->issuer, "/account"));
	exchange_page(x, 200, "signed_out.html", data, NULL);
	return ERROR_NONE;
}

static enum error
make_key(struct exchange *x, const struct handle *session)
{
	struct extra		extra = { .status = 400 };
	struct str		name = exchange_parameter(x, P_NAME);
	struct buf		text = buf_new(x->arena, 128);
	unsigned char		id[UUID_BYTES];
	long			days;
	struct handle		key;
	enum account_outcome	outcome;
	enum store_status	status;

	if (!uuid_parse(exchange_parameter(x, P_KEY), id))
		return exchange_fail(x, ERROR_INVALID_REQUEST, not_ours);
	if (str_is_absent(name)) {
		extra.key_problem = "Give the key a name, so that you will know it again.";
		return show(x, session, &extra);
	}
	if (!str_to_long(exchange_parameter(x, P_DAYS), &days) || days < 1 || days > KEY_MAX_DAYS) {
		extra.key_problem = "A key lives 1 to 366 days.";
		return show(x, session, &extra);
	}
	handle_new_with_id(&key, id);
	status = account_make_key(x->store, x->arena, session, &key, name, exchange_parameter(x, P_SCOPE), days, &outcome);
	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	if (outcome == ACCOUNT_NO_SESSION)
		return send_to_login(x);
	if (outcome == ACCOUNT_NOT_FOUND)
		return exchange_fail(x, ERROR_INVALID_REQUEST, not_ours);
	if (outcome == ACCOUNT_OK) {
		exchange_note(x, "api_key", STR("made"));
		buf_add(&text, API_KEY_PREFIX);
		buf_add(&text, handle_text(x->arena, &key));
		extra.status = 200;
		extra.new_key = buf_str(&text);
	} else if (outcome == ACCOUNT_MADE_ALREADY) {
		exchange_note(x, "api_key", STR("made_already"));
		extra.status = 200;
		extra.made_already = true;
	} else if (outcome == ACCOUNT_TOO_MANY) {
		extra.key_problem = "You have 50 keys. Revoke one that you no longer need.";
	} else if (outcome == ACCOUNT_INVALID_TARGET) {
		extra.key_problem = "A key is for one place: choose rights of one only.";
	} else {
		extra.key_problem = "Choose what the key may do.";
	}
	return show(x, session, &extra);
}

static enum error
revoke_key(struct exchange *x, const struct handle *session)
{
	unsigned char		id[UUID_BYTES];
	enum account_outcome	outcome;
	enum store_status	status;

	if (!uuid_parse(exchange_parameter(x, P_KEY), id))
		return exchange_fail(x, ERROR_INVALID_REQUEST, not_ours);
	status = account_revoke_key(x->store, x->arena, session, id, &outcome);
	exchange_note(x, "api_key", STR("revoked"));
	return done(x, status, outcome, "revoke_key");
}

static const struct {
	struct str	name;
	enum error	(*act)(struct exchange *x, const struct handle *session);
} actions[] = {
	{ STR_INIT("disconnect"), disconnect },
	{ STR_INIT("end_session"), end_session },
	{ STR_INIT("sign_out"), sign_out },
	{ STR_INIT("make_key"), make_key },
	{ STR_INIT("revoke_key"), revoke_key },
};

static enum error
account(struct exchange *x)
{
	static const struct extra plain = { .status = 200 };
	struct handle session;

	if (!browser_read(x->arena, &x->request, x->issuer, COOKIE_SESSION, &session))
		return send_to_login(x);
	if (x->request.method != METHOD_POST)
		return show(x, &session, &plain);
	if (!exchange_is_same_origin(x) ||
	    !browser_form_is_ours(x->arena, &session, "account", exchange_parameter(x, P_CSRF)))
		return exchange_fail(x, ERROR_ACCESS_DENIED, "The form was not sent from our own page.");
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (str_equal(actions[i].name, exchange_parameter(x, P_ACTION)))
			return actions[i].act(x, &session);
	}
	return exchange_fail(x, ERROR_INVALID_REQUEST, not_ours);
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
