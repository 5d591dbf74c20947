/*
 * presented.h -- an access token that somebody presents, as the database sees it
 */
#ifndef STORE_PRESENTED_H
#define STORE_PRESENTED_H

#include "store/store.h"

/* One of three: a JWT, whose signature has been verified and whose claims are here;
 * sealed octets that only the database can check; an API key. */
struct presented {
	bool			 has_grant;	/* a JWT */
	unsigned char		 grant_id[HANDLE_ID_BYTES];
	struct str		 client_id;
	struct str		 jti;
	struct str		 scope;
	struct str		 audience;
	long			 expires;	/* seconds since 1970 */
	struct str		 kid;
	struct str		 sealed;	/* absent: not sealed */
	bool			 has_key;	/* an API key */
	struct handle		 key;
};

/* How many values it takes in a call, and the values themselves; the last two are
 * the API key's and are left out where those are not accepted. */
enum { PRESENTED_VALUES = 10, PRESENTED_VALUES_WITHOUT_KEY = 8 };
void presented_values(const struct presented *token, struct store_value *values, size_t count);

/* What a live token says; client_id is absent for an API key. */
struct presented_answer {
	struct str	client_id;
	struct str	sub;
	struct str	scope;
	struct str	audience;
};

/* STORE_NONE: the token is worth nothing. */
enum store_status presented_check(struct store *store, struct arena *arena,
    const struct presented *token, struct presented_answer *answer) MUST_USE;

/* The public JWK of a key that we sign with.  STORE_NONE: not one of ours. */
enum store_status presented_verification_key(struct store *store, struct arena *arena,
    struct str kid, struct str *jwk) MUST_USE;

#endif
