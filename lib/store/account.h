/*
 * account.h -- what account asks the database
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "store/store.h"

/* Columns of account_read(); what they hold depends on the row's kind, see
 * sql/functions/account.sql. */
enum account_column {
	ACCOUNT_KIND, ACCOUNT_ID, ACCOUNT_NAME, ACCOUNT_DETAIL, ACCOUNT_URI, ACCOUNT_SINCE,
	ACCOUNT_LAST_USED, ACCOUNT_ENDS, ACCOUNT_TITLES, ACCOUNT_CURRENT,
};

/* The person of this session, their apps, sessions and keys, and what a new key may
 * be for.  STORE_NONE: nobody is logged in. */
enum store_status account_read(struct store *store, struct arena *arena,
    const struct handle *session, const struct store_rows **rows) MUST_USE;

enum account_outcome {
	ACCOUNT_OK,
	ACCOUNT_NOT_FOUND,	/* not there (any more), or another person's */
	ACCOUNT_NO_SESSION,
	ACCOUNT_INVALID_SCOPE,	/* a new key: none, or unknown */
	ACCOUNT_INVALID_TARGET,	/* a new key: of several resources */
	ACCOUNT_TOO_MANY,
	ACCOUNT_MADE_ALREADY,	/* a new key: this form has made it before */
	ACCOUNT__COUNT
};

/* Disconnect an app. */
enum store_status account_disconnect(struct store *store, struct arena *arena,
    const struct handle *session, struct str client_id, enum account_outcome *outcome) MUST_USE;

/* End another session of the same person by its id (16 octets), or this one (NULL). */
enum store_status account_end_session(struct store *store, struct arena *arena,
    const struct handle *session, const unsigned char *other, enum account_outcome *outcome) MUST_USE;

/* Make an API key with this handle, once; scope is space-separated.  ACCOUNT_NOT_FOUND:
 * its id is that of another person's key. */
enum store_status account_make_key(struct store *store, struct arena *arena,
    const struct handle *session, const struct handle *key, struct str name, struct str scope,
    long days, enum account_outcome *outcome) MUST_USE;

/* Revoke an API key by its id (16 octets). */
enum store_status account_revoke_key(struct store *store, struct arena *arena,
    const struct handle *session, const unsigned char *key_id, enum account_outcome *outcome) MUST_USE;

#endif
