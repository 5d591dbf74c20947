/*
 * authorization.h -- what authorize asks the database
 */
#ifndef STORE_AUTHORIZATION_H
#define STORE_AUTHORIZATION_H

#include "store/store.h"

/* An authorization request whose parameters are well-formed.  Absent slices and
 * NULL handles are what the request does not have. */
struct authorization {
	struct str		 client_id;
	struct str		 redirect_uri;
	struct str		 scope;
	struct str		 resource;
	struct str		 code_challenge;
	struct str		 nonce;
	bool			 prompt_none;
	bool			 prompt_login;
	bool			 prompt_consent;
	long			 max_age_seconds;	/* -1: none */
	struct str		 query;			/* the request itself */
	const struct handle	*session;		/* the browser's */
	const struct handle	*consent;		/* the decision that it brings */
	const struct handle	*fresh;			/* the code or request to make */
};

enum decision {
	DECISION_OK,			/* the fresh handle is a code */
	DECISION_LOGIN,			/* send the person to login */
	DECISION_CONSENT,		/* the fresh handle is a request for consent */
	DECISION_UNKNOWN_CLIENT,	/* these two: a page, never a redirect */
	DECISION_UNREGISTERED_REDIRECT_URI,
	DECISION_LOGIN_REQUIRED,	/* from here on: an error for the client */
	DECISION_CONSENT_REQUIRED,
	DECISION_ACCESS_DENIED,
	DECISION_UNAUTHORIZED_CLIENT,
	DECISION_INVALID_SCOPE,
	DECISION_INVALID_TARGET,
	DECISION_NO_PKCE,
	DECISION__COUNT
};

struct authorization_answer {
	enum decision	decision;
	struct str	issuer;
	struct str	redirect_uri;	/* where to answer; registered */
};

/* Decide a request, and do what was decided: one round trip. */
enum store_status authorization_decide(struct store *store, struct arena *arena,
    const struct authorization *request, struct authorization_answer *answer) MUST_USE;

/* Only find out where an error may be reported. */
enum store_status authorization_client(struct store *store, struct arena *arena,
    struct str client_id, struct str redirect_uri, struct authorization_answer *answer) MUST_USE;

#endif
