/*
 * migrate.h -- postern migrate: bring the database to the version of the SQL files
 */
#ifndef SBIN_MIGRATE_H
#define SBIN_MIGRATE_H

#include "invocation.h"

/* What one lock is waited for, and how often all is begun anew after that.  Shorter
 * than the lock_timeout of the endpoints, so that none of them gives up because of
 * us. */
#define MIGRATE_LOCK_MILLISECONDS	1000
#define MIGRATE_ATTEMPTS		20
#define MIGRATE_PAUSE_MILLISECONDS	500

/*
 * In one transaction: apply the numbered files that the database does not have, make
 * all functions and views anew, take from PUBLIC what it has, make the roles.  Any
 * failure leaves the database as it was.  Two at once: one waits for the other.
 *
 * EX_OK, also when there was nothing to do; EX_UNAVAILABLE when the database does not
 * answer, refuses, or is busy; EX_CONFIG when files are missing or the database is
 * newer than they are; EX_SOFTWARE when a file is wrong.
 */
int migrate(const struct invocation *invocation);

#endif
