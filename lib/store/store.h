/*
 * store.h -- the connection to PostgreSQL
 *
 * A worker has one connection, as the role of its program, and calls SQL
 * functions of the schema postern; there is no other SQL in any endpoint.  The
 * text of a call is constant, its values travel as binary parameters with their
 * lengths, so that nothing is ever quoted or cut (SEC-DB-01).
 *
 * A call ends in one of four ways, so that "not found" is never mistaken for
 * "the database is away".
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/handle.h"

struct store;
struct store_rows;

enum store_status {
	STORE_ROWS,	/* at least one row */
	STORE_NONE,	/* no row */
	STORE_BUSY,	/* a time-out or a conflict; the connection is good */
	STORE_AWAY,	/* the connection is gone: the worker must end */
};

/* One call: constant SQL with $1..$n.  The name is that of the prepared statement.
 *
 * basis is the first of the columns that say what the answer rests on, STORE_BASIS, or 0.
 * An answer of one row that has them is remembered, for the same values on the same
 * connection; it is given again when postern.still() says that nothing it rests on has
 * changed.  That is a round trip as well, but nothing is worked out twice.  Behind a
 * pooler (prepare off) nothing is remembered: versions are those of one server, and the
 * pooler may go on with another one. */
struct store_call {
	const char	*name;
	const char	*sql;
	int		 basis;
};

#define STORE_BASIS \
	"(basis).grant_id, (basis).grant_version, (basis).account_version, (basis).consent_version," \
	" (basis).session_version, (basis).issuer_version, (basis).until"

enum { STORE_MAX_CALLS = 16, STORE_MAX_VALUES = 32 };

/* A parameter.  The constructors below are the only way to make one. */
struct store_value {
	const char	*p;		/* NULL: SQL NULL */
	int		 n;
	unsigned	 type;		/* OID of the SQL type */
	char		 space[8];	/* where small values live */
};

struct store_value store_text(struct str text);				/* text; absent: NULL */
struct store_value store_bytes(const void *bytes, size_t n);		/* bytea; NULL pointer: NULL */
struct store_value store_digest(const struct sha256 *digest);		/* bytea; NULL pointer: NULL */
struct store_value store_uuid(const unsigned char *sixteen);		/* uuid; NULL pointer: NULL */
struct store_value store_handle_id(const struct handle *handle);	/* uuid; NULL pointer: NULL */
struct store_value store_handle_digest(const struct handle *handle);	/* bytea; NULL pointer: NULL */
struct store_value store_bool(bool truth);
struct store_value store_integer(long number);				/* bigint */
struct store_value store_null_integer(void);

/* Connect.  conninfo says where, role who.  prepare: use prepared statements
 * (off behind a pooler that shares connections between transactions).  NULL when
 * there is no connection; the reason has been logged. */
struct store *store_open(const char *conninfo, const char *role, const char *passfile,
    bool prepare);
void store_close(struct store **store);

/* The descriptor to watch while idle, and what to do when it is readable: false
 * when the connection is gone. */
int  store_descriptor(const struct store *store);
bool store_is_alive(struct store *store);

/* Call.  The rows live as long as the arena's present contents. */
enum store_status store_call(struct store *store, struct arena *arena,
    const struct store_call *call, const struct store_value *values, size_t count,
    const struct store_rows **rows) MUST_USE;

/* Reading rows.  Text lives as long as the rows; SQL NULL is an absent slice, 0 or
 * false.  Columns are counted from 0 in the order of the function's result. */
size_t		store_count(const struct store_rows *rows);
struct str	store_get(const struct store_rows *rows, size_t row, int column);
long		store_get_integer(const struct store_rows *rows, size_t row, int column);
bool		store_get_bool(const struct store_rows *rows, size_t row, int column);

/* A column that says when the answer was made, in seconds since 1970: for one that is
 * given again, when it was found to stand. */
long		store_get_time(const struct store_rows *rows, int column);

/* The place of a function's outcome, by name, in a table of count names; count if
 * it is none of them.  The enum that the table is indexed by has an extra value
 * there, for "the functions are newer than this program". */
size_t store_get_outcome(const struct store_rows *rows, int column, const struct str *names,
    size_t count);

#endif
