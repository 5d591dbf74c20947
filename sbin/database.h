/*
 * database.h -- the administrator's connection to PostgreSQL
 *
 * SQL is constant text; values are parameters.  What the server says about a row
 * ("Failing row contains ...") is never repeated: rows hold keys and hashes.
 */
#ifndef SBIN_DATABASE_H
#define SBIN_DATABASE_H

#include "invocation.h"

#include <libpq-fe.h>

#define DATABASE_PROBLEM_BYTES	1024

/* Connect as the invocation says, else as postern.conf does, with the user of libpq
 * (PGUSER or the account).  NULL after writing what is wrong to problem[0 .. size-1];
 * then *status is EX_UNAVAILABLE or EX_CONFIG.  Closed with the arena. */
PGconn *database_connect(const struct invocation *invocation, int *status, char *problem, size_t size);

/* The same; what is wrong is said to the administrator. */
PGconn *database_open(const struct invocation *invocation, int *status);

/* One statement with n text parameters, in the arena.  NULL after a message that
 * begins with what. */
PGresult *database_run(const struct invocation *invocation, PGconn *connection, const char *what,
	const char *sql, int n, const char *const *values);

/* Why result failed: what, the server's message and its hint; where no value can be
 * in it, also its detail and context. */
void database_complain(const char *what, PGconn *connection, const PGresult *result);

/* Has result this SQLSTATE, or one of this class (two characters)? */
bool database_state(const PGresult *result, const char *state);

#endif
