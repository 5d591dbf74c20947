/*
 * inspection.h -- one run of postern check, and what it has found
 *
 * A check is a row: its name, what is right when it finds nothing, and a function or a
 * query that finds what is wrong.  The rows of files, database and web server lie in
 * check_files.c, check_database.c and check_server.c.
 */
#ifndef SBIN_INSPECTION_H
#define SBIN_INSPECTION_H

#include "migrate.h"

#include "base/str.h"
#include "endpoint/config.h"

#include <libpq-fe.h>

#define FINDING_MAX_BYTES	4096

enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_ERROR };

struct inspection {
	const struct invocation	*invocation;
	struct arena		*arena;
	const struct config	*config;	/* NULL: there is none to be read */
	const char		*role_prefix;	/* NULL: one role for all programs */
	const char		*role;		/* that one; NULL: there is a prefix */
	struct release		 release;	/* of the installed SQL files */
	PGconn			*connection;	/* NULL: the database does not answer */
	struct str		 issuer;	/* absent: not known */
	struct web		*web;		/* NULL: not to be asked, or does not answer */
	const char		*check;		/* the name of the one that runs */
	unsigned		 count;		/* of what it has found */
	enum level		 worst;		/* of all */
};

struct check {
	const char	*name;
	const char	*ok;
	void		(*run)(struct inspection *inspection);
	const char	*sql;		/* instead of run; see check_database.c */
};

/* Say what the running check has found, and what to do about it (NULL: nothing). */
void found(struct inspection *inspection, enum level level, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A text for a hint, in the arena. */
const char *text(struct inspection *inspection, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Tables of checks; the last row has no name. */
extern const struct check file_checks[];
extern const struct check database_checks[];
extern const struct check server_checks[];

/* Ask the query of a check: each row of its answer is a finding (level, text, hint). */
void database_check(struct inspection *inspection, const char *sql);

#endif
