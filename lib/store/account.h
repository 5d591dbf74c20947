/*
 * account.h -- what account asks the database
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "store/store.h"

/* Columns of account_read(): one row per connected app, or one without an app. */
enum account_column {
	ACCOUNT_LOGIN_NAME, ACCOUNT_NAME, ACCOUNT_EMAIL, ACCOUNT_CLIENT_ID, ACCOUNT_CLIENT_NAME,
	ACCOUNT_CLIENT_URI, ACCOUNT_LOGO_URI, ACCOUNT_SINCE, ACCOUNT_TITLES,
};

/* The person of this session and the apps that are connected.  STORE_NONE: nobody
 * is logged in. */
enum store_status account_read(struct store *store, struct arena *arena,
    const struct handle *session, const struct store_rows **rows) MUST_USE;

enum account_outcome { ACCOUNT_OK, ACCOUNT_NOT_CONNECTED, ACCOUNT_NO_SESSION, ACCOUNT__COUNT };

/* Disconnect an app; *client_name is what it was called. */
enum store_status account_disconnect(struct store *store, struct arena *arena,
    const struct handle *session, struct str client_id, enum account_outcome *outcome,
    struct str *client_name) MUST_USE;

/* End this session. */
enum store_status account_sign_out(struct store *store, struct arena *arena,
    const struct handle *session, enum account_outcome *outcome) MUST_USE;

#endif
