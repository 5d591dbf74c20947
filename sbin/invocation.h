/*
 * invocation.h -- what one call of postern was asked to do
 */
#ifndef SBIN_INVOCATION_H
#define SBIN_INVOCATION_H

#include "base/arena.h"

#include <stdbool.h>
#include <sysexits.h>

/* The command line, read.  Everything lives until the process ends; what may be a
 * secret is in the arena, which is wiped at the end. */
struct invocation {
	struct arena	*arena;
	const char	*operand;	/* NULL: the command takes none */
	const char	*database;	/* libpq conninfo; NULL: that of postern.conf */
	const char	*sql;		/* directory */
	const char	*role_prefix;	/* NULL: that of postern.conf */
	const char	*active_from;	/* a time as PostgreSQL reads it; NULL: now */
	const char	*url;		/* where the web server is; NULL: where the issuer says */
	const char	*known;		/* file of known passwords */
	const char	*names;		/* that a password must not be made of; NULL: none */
	bool		 no_roles;
	bool		 no_server;
	bool		 force;
	bool		 allow_short;
	bool		 mac;
	bool		 quiet;
};

/* Say something to the administrator: "postern: " and a line on standard error, in
 * the style of PostgreSQL.  Never with a key, a password or a row in it. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
