/*
 * vocabulary.c -- the names that the shipped pages know; see vocabulary.h
 *
 * Unless a comment says otherwise a name is a text.  "list" names hold items;
 * the names below a list are those of its items.
 */
#include "page/vocabulary.h"

struct words {
	struct str	file;
	struct str	names;
};

static const struct str everywhere = STR_INIT(
	"issuer_name "		/* the server's display name */
	"issuer_host");		/* the host that the address bar shows */

static const struct words pages[] = {
	{ STR_INIT("login.html"), STR_INIT(
		"action csrf request "		/* where the form goes; its hidden fields */
		"client_name "			/* absent: on the way to the account page */
		"error error_text "		/* flag; what went wrong */
		"throttled retry_minutes "	/* flag; too many attempts */
		"username") },			/* what was typed before */
	{ STR_INIT("consent.html"), STR_INIT(
		"action csrf request "
		"client_name client_uri logo_uri policy_uri tos_uri "
		"redirect_host account_name "
		"offline "			/* flag: stays connected when the person is away */
		"resources name "		/* list */
		"scopes title description sensitive") },	/* list; flag */
	{ STR_INIT("account.html"), STR_INIT(
		"action csrf account_name login_name email "
		"notice notice_text "		/* flag; what was just done */
		"apps client_name client_uri client_id since "
		"scopes title "			/* list of an app */
		"sessions session address user_agent_text last_seen current "
		"keys key name ends last_used "	/* personal API keys */
		"new_key made_already "		/* shown once; flag: it was shown before */
		"next_key "			/* id of the key that the form makes */
		"choices scope resource sensitive key_problem "
		"key_name key_days") },		/* what was typed before */
	{ STR_INIT("error.html"), STR_INIT(
		"title text hint error_code") },
	{ STR_INIT("logout.html"), STR_INIT(
		"action csrf client_name client_id post_logout_redirect_uri state account_uri") },
	{ STR_INIT("signed_out.html"), STR_INIT(
		"sign_in_uri "			/* path of the login or account page */
		"client_name return_uri") },	/* the client that asked for the logout */
};

static const struct words *
words_of(struct str file)
{
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		if (str_equal(pages[i].file, file))
			return &pages[i];
	}
	return NULL;
}

bool
vocabulary_covers(struct str file)
{
	return words_of(file) != NULL;
}

bool
vocabulary_has(struct str file, struct str name)
{
	const struct words *words = words_of(file);

	return str_has_word(everywhere, name) ||
	    (words != NULL && str_has_word(words->names, name));
}
