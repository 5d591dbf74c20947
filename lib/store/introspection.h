/*
 * introspection.h -- what introspect, revoke and userinfo ask the database
 */
#ifndef STORE_INTROSPECTION_H
#define STORE_INTROSPECTION_H

#include "store/presented.h"
#include "store/token.h"

enum introspection_outcome { INTROSPECTION_ACTIVE, INTROSPECTION_INACTIVE, INTROSPECTION_INVALID_CLIENT, INTROSPECTION__COUNT };

/* The members of RFC 7662 section 2.2; absent slices are left out. */
struct introspection {
	enum introspection_outcome	outcome;
	struct str			issuer;
	struct str			token_type;	/* absent: a refresh token */
	struct str			client_id;
	struct str			sub;
	struct str			username;
	struct str			scope;
	struct str			audience;
	struct str			jti;
	long				expires;
};

enum store_status introspection_ask(struct store *store, struct arena *arena,
    const struct client_proof *client, const struct presented *token,
    struct introspection *answer) MUST_USE;

enum revocation_outcome { REVOCATION_OK, REVOCATION_INVALID_CLIENT, REVOCATION__COUNT };

/* Revoke; *what says what was revoked, for the log. */
enum store_status revocation_do(struct store *store, struct arena *arena,
    const struct client_proof *client, const struct presented *token,
    enum revocation_outcome *outcome, struct str *what) MUST_USE;

/* Claims about the person behind a token. */
struct userinfo_claims {
	struct str	sub;
	struct str	scope;
	struct str	login_name;
	struct str	name;
	struct str	email;
	bool		email_verified;
};

/* STORE_NONE: the token is worth nothing. */
enum store_status userinfo_read(struct store *store, struct arena *arena,
    const struct presented *token, struct userinfo_claims *claims) MUST_USE;

#endif
