/*
 * sqlfile.h -- files of SQL: which there are, and running one
 */
#ifndef SBIN_SQLFILE_H
#define SBIN_SQLFILE_H

#include "invocation.h"

#include <libpq-fe.h>

#define SQLFILE_MAX_BYTES	((size_t)1024 * 1024)
#define SQLFILE_MAX_COUNT	1000	/* in one directory */

struct sqlfile_list {
	const char	**paths;	/* sorted by the bytes of their names */
	size_t		  count;
};

/* The files *.sql of a directory, in the arena.  False after a message. */
bool sqlfile_list(struct arena *arena, const char *directory, struct sqlfile_list *list);

#define SQLFILE_DIGEST_BYTES	65	/* with the NUL */

/* SHA-256, in hexadecimal, of the names and contents of all files.  False after a
 * message. */
bool sqlfile_digest(struct arena *arena, const struct sqlfile_list *list, char digest[SQLFILE_DIGEST_BYTES]);

/* The part of a path behind its last slash. */
const char *sqlfile_name(const char *path);

/* What became of a step of the migration. */
enum step {
	STEP_DONE,
	STEP_BUSY,	/* a lock was not to be had, or a deadlock: try all again */
	STEP_UNFIT,	/* files are missing, or do not fit the database */
	STEP_DENIED,	/* the role lacks a privilege */
	STEP_LOST,	/* the connection */
	STEP_WRONG	/* the server refuses the SQL */
};

/* What a failed result means for the step. */
enum step sqlfile_step_of(PGconn *connection, const PGresult *result);

/* Send a whole file within the open transaction.  Anything but STEP_DONE and
 * STEP_BUSY comes after a message with the file and the line or, where the server names no
 * place, the number of the statement.  If tentative, nothing is said about SQL that the
 * server refuses. */
enum step sqlfile_run(PGconn *connection, const char *path, bool tentative);

#endif
