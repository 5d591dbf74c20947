/*
 * config.h -- postern.conf: how to reach the database, and where the templates are
 *
 * Everything else is rows.  The file is "key = value" lines; '#' begins a comment
 * line; an unknown or repeated key is an error with its line number.
 */
#ifndef ENDPOINT_CONFIG_H
#define ENDPOINT_CONFIG_H

#include "base/log.h"

#define CONFIG_MAX_BYTES	16384
#define CONFIG_MAX_WORKERS	256

struct config {
	const char	*path;		/* of the file itself */
	const char	*database;	/* libpq conninfo without user */
	const char	*role_prefix;	/* role = prefix + program name */
	const char	*role;		/* one role for all programs instead; NULL: none */
	const char	*passfiles;	/* directory of NAME.pgpass files; NULL: none */
	const char	*templates;	/* directory */
	bool		 prepare;
	long		 workers;
	enum log_target	 log;
};

/* Find and read the file.  Where: POSTERN_CONFIG in the process environment, then
 * ../../postern/postern.conf and postern.conf beside the executable, then the
 * compiled-in directory.  NULL on failure, with one line for the administrator
 * in problem[0 .. size-1].  Lives as long as the process. */
const struct config *config_read(char *problem, size_t size);

/* Read text, the NUL-terminated contents of the file at path, into *out.  Values are
 * parts of text, which is changed.  False, and the problem, as above. */
bool config_parse(struct config *out, const char *path, char *text, char *problem, size_t size);

#endif
