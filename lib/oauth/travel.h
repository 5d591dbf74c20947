/*
 * travel.h -- an authorization request on its way through the browser
 *
 * Before a person is logged in nothing is stored: the request travels along as a
 * query string, from authorize to login and back.  It is written in one canonical
 * form, so that "the same request" is byte equality.
 */
#ifndef OAUTH_TRAVEL_H
#define OAUTH_TRAVEL_H

#include "http/form.h"
#include "http/reply.h"
#include "store/issuer.h"

/* Long enough for every parameter that a client sends in earnest, short enough for
 * the header limits of web servers (nginx: 8 KiB a line). */
#define TRAVEL_MAX_BYTES	6144

/* Marks that our own pages add for authorize when they send the browser back. */
#define TRAVEL_AFTER		"postern_after"		/* "login" */
#define TRAVEL_CONSENT		"postern_consent"	/* a handle */

/* The canonical query of parameters 0 .. count-1; absent if it is too long. */
struct str travel_query(struct arena *arena, const struct parameter *table, const struct str *values,
    size_t count);

/* Is text a query that travel_query() could have made?  Then it may stand in a
 * Location header or a hidden field. */
bool travel_is_query(struct str text);

/* Redirect to one of our own pages with a query, or without when it is empty, and
 * with a mark when mark is not NULL. */
void travel_redirect(struct reply *reply, const struct issuer *issuer, const char *path,
    struct str query, const char *mark, struct str mark_value);

#endif
