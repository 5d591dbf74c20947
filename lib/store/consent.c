/*
 * consent.c -- what consent asks the database; see consent.h
 */
#include "store/consent.h"

static const struct store_call read_page = {
	.name = "consent_page",
	.sql = "SELECT client_name, client_uri, logo_uri, policy_uri, tos_uri, redirect_uri, account_name,"
	" resource_name, title, description, sensitive FROM postern.consent_page($1, $2, $3, $4)"
};

static const struct store_call decide = {
	.name = "consent_decide", .sql = "SELECT query, client_id FROM postern.consent_decide($1, $2, $3, $4, $5)"
};

enum store_status
consent_read(struct store *store, struct arena *arena, const struct handle *request,
    const struct handle *session, const struct store_rows **rows)
{
	const struct store_value values[] = {
		store_handle_id(request), store_handle_digest(request),
		store_handle_id(session), store_handle_digest(session),
	};

	return store_call(store, arena, &read_page, values, 4, rows);
}

enum store_status
consent_decide(struct store *store, struct arena *arena, const struct handle *request,
    const struct handle *session, bool allow, struct str *query, struct str *client_id)
{
	const struct store_value values[] = {
		store_handle_id(request), store_handle_digest(request),
		store_handle_id(session), store_handle_digest(session),
		store_bool(allow),
	};
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &decide, values, 5, &rows);

	if (status != STORE_ROWS)
		return status;
	*query = store_get(rows, 0, 0);
	*client_id = store_get(rows, 0, 1);
	return status;
}
