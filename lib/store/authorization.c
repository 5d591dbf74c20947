/*
 * authorization.c -- what authorize asks the database; see authorization.h
 */
#include "store/authorization.h"

enum { COLUMN_OUTCOME, COLUMN_ISSUER, COLUMN_REDIRECT_URI };

static const struct str outcomes[DECISION__COUNT] = {
	[DECISION_OK] = STR_INIT("ok"),
	[DECISION_LOGIN] = STR_INIT("login"),
	[DECISION_CONSENT] = STR_INIT("consent"),
	[DECISION_UNKNOWN_CLIENT] = STR_INIT("unknown_client"),
	[DECISION_UNREGISTERED_REDIRECT_URI] = STR_INIT("unregistered_redirect_uri"),
	[DECISION_LOGIN_REQUIRED] = STR_INIT("login_required"),
	[DECISION_CONSENT_REQUIRED] = STR_INIT("consent_required"),
	[DECISION_ACCESS_DENIED] = STR_INIT("access_denied"),
	[DECISION_UNAUTHORIZED_CLIENT] = STR_INIT("unauthorized_client"),
	[DECISION_INVALID_SCOPE] = STR_INIT("invalid_scope"),
	[DECISION_INVALID_TARGET] = STR_INIT("invalid_target"),
	[DECISION_NO_PKCE] = STR_INIT("invalid_request_pkce"),
};

static const struct store_call decide = {
	.name = "authorize",
	.sql = "SELECT outcome, issuer, redirect_uri FROM postern.authorize($1, $2, $3, $4, $5, $6, $7, $8, $9,"
	" $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
};

static const struct store_call client = {
	.name = "authorize_client", .sql = "SELECT outcome, issuer, redirect_uri FROM postern.authorize_client($1, $2)"
};

static void
read_answer(const struct store_rows *rows, struct authorization_answer *answer)
{
	*answer = (struct authorization_answer){
		.decision = (enum decision)store_get_outcome(rows, COLUMN_OUTCOME, outcomes, DECISION__COUNT),
		.issuer = store_get(rows, 0, COLUMN_ISSUER),
		.redirect_uri = store_get(rows, 0, COLUMN_REDIRECT_URI),
	};
}

enum store_status
authorization_decide(struct store *store, struct arena *arena, const struct authorization *request,
    struct authorization_answer *answer)
{
	const struct sha256	 query = sha256_of(request->query);
	const struct store_rows	*rows;
	const struct store_value values[] = {
		store_text(request->client_id),
		store_text(request->redirect_uri),
		store_text(request->scope),
		store_text(request->resource),
		store_text(request->code_challenge),
		store_text(request->nonce),
		store_bool(request->prompt_none),
		store_bool(request->prompt_login),
		store_bool(request->prompt_consent),
		request->max_age_seconds < 0 ? store_null_integer() : store_integer(request->max_age_seconds),
		store_text(request->query),
		store_digest(&query),
		store_handle_id(request->session),
		store_handle_digest(request->session),
		store_handle_id(request->consent),
		store_handle_digest(request->consent),
		store_handle_id(request->fresh),
		store_handle_digest(request->fresh),
		store_handle_digest(request->fresh),
	};
	enum store_status status = store_call(store, arena, &decide, values,
	    sizeof values / sizeof *values, &rows);

	if (status == STORE_ROWS)
		read_answer(rows, answer);
	return status;
}

enum store_status
authorization_client(struct store *store, struct arena *arena, struct str client_id,
    struct str redirect_uri, struct authorization_answer *answer)
{
	const struct store_value values[] = { store_text(client_id), store_text(redirect_uri) };
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &client, values, 2, &rows);

	if (status == STORE_ROWS)
		read_answer(rows, answer);
	return status;
}
