/*
 * issuer.h -- who this authorization server is
 *
 * The issuer's URL is a row, never something that a request says (SEC-ISS-01).
 * Everything that is derived from it is derived here.
 */
#ifndef STORE_ISSUER_H
#define STORE_ISSUER_H

#include "store/store.h"

struct issuer {
	struct str	url;		/* no slash at its end (RFC 8414 section 2) */
	struct str	name;		/* for people */
	struct str	origin;		/* scheme://host[:port] */
	struct str	host;		/* as in the URL */
	struct str	path;		/* "" or "/auth" */
	bool		secure;		/* https */
};

/* Read the issuer; the arena owns the result.  STORE_NONE: there is no row yet. */
enum store_status issuer_read(struct store *store, struct arena *arena, struct issuer *issuer)
	MUST_USE;

/* The URL of one of our endpoints: issuer + path, in the arena. */
struct str issuer_endpoint(struct arena *arena, const struct issuer *issuer, const char *path);

#endif
