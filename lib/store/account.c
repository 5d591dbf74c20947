/*
 * account.c -- what account asks the database; see account.h
 */
#include "store/account.h"

static const struct str outcomes[ACCOUNT__COUNT] = {
	[ACCOUNT_OK] = STR_INIT("ok"),
	[ACCOUNT_NOT_CONNECTED] = STR_INIT("not_connected"),
	[ACCOUNT_NO_SESSION] = STR_INIT("no_session"),
};

static const struct store_call read_page = {
	"account_page",
	"SELECT login_name, name, email, client_id, client_name, client_uri, logo_uri, since, titles"
	" FROM postern.account_page($1, $2)"
};

static const struct store_call disconnect = {
	"account_disconnect", "SELECT outcome, client_name FROM postern.account_disconnect($1, $2, $3)"
};

static const struct store_call sign_out = {
	"account_sign_out", "SELECT outcome FROM postern.account_sign_out($1, $2)"
};

enum store_status
account_read(struct store *store, struct arena *arena, const struct handle *session,
    const struct store_rows **rows)
{
	const struct store_value values[] = { store_handle_id(session), store_handle_digest(session) };

	return store_call(store, arena, &read_page, values, 2, rows);
}

enum store_status
account_disconnect(struct store *store, struct arena *arena, const struct handle *session,
    struct str client_id, enum account_outcome *outcome, struct str *client_name)
{
	const struct store_value values[] = {
		store_handle_id(session), store_handle_digest(session), store_text(client_id),
	};
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &disconnect, values, 3, &rows);

	if (status != STORE_ROWS)
		return status;
	*outcome = (enum account_outcome)store_get_outcome(rows, 0, outcomes, ACCOUNT__COUNT);
	*client_name = store_get(rows, 0, 1);
	return status;
}

enum store_status
account_sign_out(struct store *store, struct arena *arena, const struct handle *session,
    enum account_outcome *outcome)
{
	const struct store_value values[] = { store_handle_id(session), store_handle_digest(session) };
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &sign_out, values, 2, &rows);

	if (status == STORE_ROWS)
		*outcome = (enum account_outcome)store_get_outcome(rows, 0, outcomes, ACCOUNT__COUNT);
	return status;
}
