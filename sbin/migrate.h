/*
 * migrate.h -- postern migrate: bring the database to the version of the SQL files
 */
#ifndef SBIN_MIGRATE_H
#define SBIN_MIGRATE_H

#include "sqlfile.h"

/* What one lock is waited for, and how often all is begun anew after that.  A request
 * and a migration can wait for each other, each with what the other wants.  PostgreSQL
 * looks for that after deadlock_timeout (1 second) and ends the one who looks: by then we
 * have given up, so that it is never a request. */
#define MIGRATE_LOCK_MILLISECONDS	200
#define MIGRATE_ATTEMPTS		60
#define MIGRATE_PAUSE_MILLISECONDS	300

/*
 * In one transaction: apply the numbered files that the database does not have, load
 * all functions and views, take from PUBLIC what it has, make the roles.  Any
 * failure leaves the database as it was.  Two at once: one waits for the other.
 *
 * EX_OK, also when there was nothing to do; EX_UNAVAILABLE when the database does not
 * answer, refuses, or is busy; EX_CONFIG when files are missing or the database is
 * newer than they are; EX_SOFTWARE when a file is wrong.
 */
int migrate(const struct invocation *invocation);

/* What the SQL files make. */
struct release {
	size_t	version;	/* 0: there are none */
	char	functions_sha256[SQLFILE_DIGEST_BYTES];
};

/* Look at the files without running them.  False after a message. */
bool migrate_read_release(const struct invocation *invocation, struct release *release);

#endif
