/*
 * maintain.c -- postern maintain; see maintain.h
 */
#include "maintain.h"

#include "base/str.h"
#include "database.h"

/* One batch.  How many rows went, or -1 after a message. */
static long
sweep(PGconn *connection)
{
	static const char *const batch = MAINTAIN_BATCH_ROWS;
	PGresult	*result = PQexecParams(connection, "SELECT postern.sweep($1)", 1, NULL, &batch, NULL, NULL, 0);
	long		 rows = -1;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || !str_to_long(str_of(PQgetvalue(result, 0, 0)), &rows))
		database_complain("could not sweep", connection, result);
	PQclear(result);
	return rows;
}

int
maintain(const struct invocation *invocation)
{
	static const struct timespec	 pause = { 0, MAINTAIN_PAUSE_MILLISECONDS * 1000000L };
	int				 status;
	PGconn				*connection = database_open(invocation, &status);
	long				 total = 0, rows;

	if (connection == NULL)
		return status;
	while ((rows = sweep(connection)) > 0) {
		total += rows;
		nanosleep(&pause, NULL);
	}
	if (rows < 0)
		return EX_UNAVAILABLE;
	if (!invocation->quiet || total > 0)
		printf("%ld row%s swept\n", total, total == 1 ? "" : "s");
	return EX_OK;
}
