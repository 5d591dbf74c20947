/*
 * logout.c -- what logout asks the database; see logout.h
 */
#include "store/logout.h"

static const struct str outcomes[LOGOUT__COUNT] = {
	[LOGOUT_ENDED] = STR_INIT("ended"),
	[LOGOUT_CONFIRM] = STR_INIT("confirm"),
	[LOGOUT_UNREGISTERED_URI] = STR_INIT("unregistered_uri"),
};

static const struct store_call call = {
	.name = "logout", .sql = "SELECT outcome, client_name FROM postern.logout($1, $2, $3, $4, $5, $6)"
};

enum store_status
logout_do(struct store *store, struct arena *arena, const struct logout *request,
    enum logout_outcome *outcome, struct str *client_name)
{
	const struct store_value values[] = {
		store_handle_id(request->session),
		store_handle_digest(request->session),
		store_uuid(request->hint_session),
		store_text(request->client_id),
		store_text(request->uri),
		store_bool(request->confirmed),
	};
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &call, values, 6, &rows);

	if (status != STORE_ROWS)
		return status;
	*outcome = (enum logout_outcome)store_get_outcome(rows, 0, outcomes, LOGOUT__COUNT);
	*client_name = store_get(rows, 0, 1);
	return status;
}
