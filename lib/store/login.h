/*
 * login.h -- what login asks the database
 *
 * login never reads a password hash: it gets the setting (method, cost, salt),
 * computes crypt(3), and hands the result back to be compared.
 */
#ifndef STORE_LOGIN_H
#define STORE_LOGIN_H

#include "store/store.h"

enum login_outcome { LOGIN_OK, LOGIN_WRONG, LOGIN_THROTTLED, LOGIN__COUNT };

struct login_attempt {
	enum login_outcome	outcome;	/* OK: compute crypt; THROTTLED: wait */
	struct str		setting;
	long			wait_seconds;
};

/* Count an attempt and get its setting.  An unknown name has one as well. */
enum store_status login_begin(struct store *store, struct arena *arena, struct str login_name,
    struct str address, struct login_attempt *attempt) MUST_USE;

struct login_result {
	enum login_outcome	outcome;	/* OK or WRONG */
	struct str		sub;
};

/* Compare; if it is right, make the session and end the one that the browser had
 * (old may be NULL).  query is the authorization request that this login is for. */
enum store_status login_finish(struct store *store, struct arena *arena, struct str login_name,
    struct str address, struct str hash, const struct handle *session, const struct handle *old,
    struct str query, struct str user_agent, struct login_result *result) MUST_USE;

/* The app that the person is on the way to and where it will be answered; both
 * absent (with STORE_NONE) unless they are registered. */
enum store_status login_client(struct store *store, struct arena *arena, struct str client_id,
    struct str redirect_uri, struct str *client_name, struct str *answer_uri) MUST_USE;

#endif
