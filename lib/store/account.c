/*
 * account.c -- what account asks the database; see account.h
 */
#include "store/account.h"

static const struct str outcomes[ACCOUNT__COUNT] = {
	[ACCOUNT_OK] = STR_INIT("ok"),
	[ACCOUNT_NOT_FOUND] = STR_INIT("not_found"),
	[ACCOUNT_NO_SESSION] = STR_INIT("no_session"),
	[ACCOUNT_INVALID_SCOPE] = STR_INIT("invalid_scope"),
	[ACCOUNT_INVALID_TARGET] = STR_INIT("invalid_target"),
	[ACCOUNT_TOO_MANY] = STR_INIT("too_many"),
	[ACCOUNT_MADE_ALREADY] = STR_INIT("made_already"),
};

static const struct store_call read_page = {
	.name = "account_page",
	.sql = "SELECT kind, id, name, detail, uri, since, last_used, ends, titles, is_current"
	" FROM postern.account_page($1, $2)"
};

static const struct store_call disconnect = {
	.name = "account_disconnect", .sql = "SELECT outcome FROM postern.account_disconnect($1, $2, $3)"
};

static const struct store_call end_session = {
	.name = "account_end_session", .sql = "SELECT outcome FROM postern.account_end_session($1, $2, $3)"
};

static const struct store_call make_key = {
	.name = "account_make_key", .sql = "SELECT outcome FROM postern.account_make_key($1, $2, $3, $4, $5, $6, $7)"
};

static const struct store_call revoke_key = {
	.name = "account_revoke_key", .sql = "SELECT outcome FROM postern.account_revoke_key($1, $2, $3)"
};

enum store_status
account_read(struct store *store, struct arena *arena, const struct handle *session,
    const struct store_rows **rows)
{
	const struct store_value values[] = { store_handle_id(session), store_handle_digest(session) };

	return store_call(store, arena, &read_page, values, 2, rows);
}

/* A call whose first two values are the session and whose answer is an outcome. */
static enum store_status
act(struct store *store, struct arena *arena, const struct store_call *call,
    const struct store_value *values, size_t count, enum account_outcome *outcome)
{
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, call, values, count, &rows);

	if (status == STORE_ROWS)
		*outcome = (enum account_outcome)store_get_outcome(rows, 0, outcomes, ACCOUNT__COUNT);
	return status;
}

enum store_status
account_disconnect(struct store *store, struct arena *arena, const struct handle *session,
    struct str client_id, enum account_outcome *outcome)
{
	const struct store_value values[] = {
		store_handle_id(session), store_handle_digest(session), store_text(client_id),
	};

	return act(store, arena, &disconnect, values, 3, outcome);
}

enum store_status
account_end_session(struct store *store, struct arena *arena, const struct handle *session,
    const unsigned char *other, enum account_outcome *outcome)
{
	const struct store_value values[] = {
		store_handle_id(session), store_handle_digest(session), store_uuid(other),
	};

	return act(store, arena, &end_session, values, 3, outcome);
}

enum store_status
account_make_key(struct store *store, struct arena *arena, const struct handle *session,
    const struct handle *key, struct str name, struct str scope, long days, enum account_outcome *outcome)
{
	const struct store_value values[] = {
		store_handle_id(session), store_handle_digest(session),
		store_handle_id(key), store_handle_digest(key),
		store_text(name), store_text(scope), store_integer(days),
	};

	return act(store, arena, &make_key, values, 7, outcome);
}

enum store_status
account_revoke_key(struct store *store, struct arena *arena, const struct handle *session,
    const unsigned char *key_id, enum account_outcome *outcome)
{
	const struct store_value values[] = {
		store_handle_id(session), store_handle_digest(session), store_uuid(key_id),
	};

	return act(store, arena, &revoke_key, values, 3, outcome);
}
