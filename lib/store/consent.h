/*
 * consent.h -- what consent asks the database
 */
#ifndef STORE_CONSENT_H
#define STORE_CONSENT_H

#include "store/store.h"

/* Columns of consent_read(): one row per scope; those up to RESOURCE are about the
 * request, except RESOURCE itself. */
enum consent_column {
	CONSENT_CLIENT_NAME, CONSENT_CLIENT_URI, CONSENT_LOGO_URI, CONSENT_POLICY_URI, CONSENT_TOS_URI,
	CONSENT_REDIRECT_URI, CONSENT_ACCOUNT_NAME, CONSENT_RESOURCE_NAME, CONSENT_TITLE,
	CONSENT_DESCRIPTION, CONSENT_SENSITIVE,
};

/* What to ask the person of this session.  STORE_NONE: the request is gone or is
 * another person's. */
enum store_status consent_read(struct store *store, struct arena *arena,
    const struct handle *request, const struct handle *session,
    const struct store_rows **rows) MUST_USE;

/* Record the decision.  *query is the request to go back to authorize with; absent
 * if the request is gone, decided already, or another person's. */
enum store_status consent_decide(struct store *store, struct arena *arena,
    const struct handle *request, const struct handle *session, bool allow,
    struct str *query, struct str *client_id) MUST_USE;

#endif
