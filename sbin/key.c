/*
 * key.c -- postern key; see key.h
 */
#include "key.h"

#include "database.h"
#include "jose/key.h"

/*
 * The server may log parameters, and one of ours is a private key.  A superuser
 * switches that off; for others it is enough that nobody has switched it on.  What a
 * failing statement logs, everybody may switch off.
 */
static const char log_settings[] =
    "SELECT set_config('log_parameter_max_length_on_error', '0', false),"
    " (SELECT set_config('log_parameter_max_length', '0', false)"
    "    FROM pg_catalog.pg_roles r WHERE r.rolname = current_user AND r.rolsuper)";

static const char log_question[] =
    "SELECT current_setting('log_parameter_max_length') <> '0'"
    " AND (current_setting('log_statement') IN ('mod', 'all')"
    "      OR current_setting('log_min_duration_statement') = '0')";

static const char insert[] =
    "INSERT INTO postern.signing_key (kid, alg, public_jwk, private_key, active_from)"
    " VALUES ($1, $2, $3, $4, coalesce($5::timestamptz, now()))";

/* A MAC key is named after its tag: "mac-" and two hexadecimal digits.  A kid has 43
 * characters, so that no name is both. */
#define MAC_PREFIX	"mac-"
#define MAC_NAME_BYTES	6

static const char list[] =
    "WITH every_key AS ("
    " SELECT k.kid, k.alg, k.created_at, k.active_from, k.retired_at,"
    "  k.kid = (SELECT c.kid FROM postern.current_signing_key c WHERE c.alg = k.alg) AS is_current, 'signs' AS use"
    "  FROM postern.signing_key k"
    " UNION ALL SELECT 'mac-' || encode(m.tag, 'hex'), 'MAC', m.created_at, m.created_at, m.retired_at,"
    "  m.tag = (SELECT n.tag FROM postern.mac_key n WHERE n.retired_at IS NULL ORDER BY n.created_at DESC LIMIT 1), 'seals'"
    "  FROM postern.mac_key m)"
    " SELECT e.kid, e.alg,"
    " to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"') AS created,"
    " to_char(e.active_from AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"') AS \"active from\","
    " CASE WHEN e.retired_at IS NOT NULL THEN 'retired'"
    "      WHEN e.active_from > now() THEN 'upcoming'"
    "      WHEN e.is_current THEN e.use"
    "      ELSE 'accepted' END AS state"
    " FROM every_key e ORDER BY e.created_at, e.kid";

/* The key itself is the column's default: it never leaves the database. */
static const char lock_mac[] = "LOCK TABLE postern.mac_key IN SHARE ROW EXCLUSIVE MODE";

static const char rotate[] =
    "INSERT INTO postern.mac_key (tag, created_at)"
    " SELECT set_byte('\\x00', 0, t.tag), clock_timestamp() FROM generate_series(1, 255) AS t(tag)"
    " WHERE NOT EXISTS (SELECT FROM postern.mac_key m WHERE m.tag = set_byte('\\x00', 0, t.tag))"
    " ORDER BY t.tag LIMIT 1 RETURNING 'mac-' || encode(tag, 'hex')";

/* How a key of either kind ends.  Two retirements at once must not each count on the
 * other's key.  Parameters: the name, and whether the last one may go. */
static const struct retirement {
	const char	*lock;
	const char	*retire;	/* no row: it did not happen */
	const char	*why_not;	/* what it is for, and whether it has ended already */
} retirements[] = {
	{ "LOCK TABLE postern.signing_key IN SHARE ROW EXCLUSIVE MODE",
	  "UPDATE postern.signing_key k SET retired_at = now()"
	  " WHERE k.kid = $1 AND k.retired_at IS NULL"
	  " AND ($2::boolean OR EXISTS (SELECT FROM postern.signing_key o"
	  "  WHERE o.alg = k.alg AND o.kid <> k.kid AND o.retired_at IS NULL AND o.active_from <= now()))"
	  " RETURNING k.alg",
	  "SELECT k.alg, k.retired_at IS NOT NULL FROM postern.signing_key k WHERE k.kid = $1" },
	/* Without any, no token could be sealed: that is never what somebody wants. */
	{ lock_mac,
	  "UPDATE postern.mac_key k SET retired_at = now()"
	  " WHERE 'mac-' || encode(k.tag, 'hex') = $1 AND k.retired_at IS NULL AND $2::boolean IS NOT NULL"
	  " AND EXISTS (SELECT FROM postern.mac_key o WHERE o.tag <> k.tag AND o.retired_at IS NULL)"
	  " RETURNING k.tag",
	  "SELECT 'MAC', k.retired_at IS NOT NULL FROM postern.mac_key k WHERE 'mac-' || encode(k.tag, 'hex') = $1" },
};

static const struct retirement *
retirement_of(const char *name)
{
	bool is_mac = strlen(name) == MAC_NAME_BYTES && str_starts_with(str_of(name), STR(MAC_PREFIX));

	return &retirements[is_mac ? 1 : 0];
}

static void
free_key(void *key)
{
	struct jose_key *own = key;

	jose_key_free(&own);
}

/* False after a message: the log of the server would get the key. */
static bool
log_is_safe(const struct invocation *invocation, PGconn *connection)
{
	const PGresult *answer;

	if (database_run(invocation, connection, "could not keep the key out of the server's log", log_settings, 0, NULL) == NULL)
		return false;
	answer = database_run(invocation, connection, "could not ask what the server logs", log_question, 0, NULL);
	if (answer == NULL)
		return false;
	if (invocation->force || strcmp(PQgetvalue(answer, 0, 0), "f") == 0)
		return true;
	complain("the server logs statements with their parameters and would write the private key into its log: "
	    "have a superuser set log_parameter_max_length = 0 for this role, or give --force");
	return false;
}

static int
store(const struct invocation *invocation, PGconn *connection, const struct jose_key *key)
{
	struct arena	*arena = invocation->arena;
	const char	*values[] = {
		str_z(arena, jose_key_kid(key)),
		str_z(arena, jose_algorithm_name(jose_key_algorithm(key))),
		str_z(arena, jose_key_public_jwk(arena, key)),
		str_z(arena, jose_key_private_pem(arena, key)),
		invocation->active_from,
	};

	if (database_run(invocation, connection, "could not store the key", insert, 5, values) == NULL)
		return EX_UNAVAILABLE;
	puts(values[0]);
	return EX_OK;
}

int
key_add(const struct invocation *invocation)
{
	enum jose_algorithm	 algorithm;
	struct jose_key		*key;
	PGconn			*connection;
	int			 status;

	if (!jose_algorithm_by_name(str_of(invocation->operand), &algorithm)) {
		complain("the algorithm is one of ES256, RS256, PS256, EdDSA");
		return EX_USAGE;
	}
	connection = database_open(invocation, &status);
	if (connection == NULL)
		return status;
	if (!log_is_safe(invocation, connection))
		return EX_UNAVAILABLE;
	key = jose_key_generate(algorithm);
	if (key == NULL) {
		complain("OpenSSL could not make a key");
		return EX_SOFTWARE;
	}
	arena_bind(invocation->arena, key, free_key);
	return store(invocation, connection, key);
}

/* The longest text of a column, its name included. */
static int
width(const PGresult *table, int column)
{
	int widest = (int)strlen(PQfname(table, column));

	for (int row = 0; row < PQntuples(table); row++) {
		if (PQgetlength(table, row, column) > widest)
			widest = PQgetlength(table, row, column);
	}
	return widest;
}

/* Row -1 is the head.  The last column is not padded. */
static void
print_row(const PGresult *table, int row)
{
	int last = PQnfields(table) - 1;

	for (int column = 0; column < last; column++) {
		printf("%-*s  ", width(table, column),
		    row < 0 ? PQfname(table, column) : PQgetvalue(table, row, column));
	}
	printf("%s\n", row < 0 ? PQfname(table, last) : PQgetvalue(table, row, last));
}

int
key_list(const struct invocation *invocation)
{
	int		 status;
	PGconn		*connection = database_open(invocation, &status);
	const PGresult	*keys;

	if (connection == NULL)
		return status;
	keys = database_run(invocation, connection, "could not list the keys", list, 0, NULL);
	if (keys == NULL)
		return EX_UNAVAILABLE;
	for (int row = -1; row < PQntuples(keys); row++)
		print_row(keys, row);
	return EX_OK;
}

static int
explain(const struct invocation *invocation, PGconn *connection)
{
	const char	*kid = invocation->operand;
	const PGresult	*found = database_run(invocation, connection, "could not look for the key",
	    retirement_of(kid)->why_not, 1, &kid);

	if (found == NULL)
		return EX_UNAVAILABLE;
	if (PQntuples(found) == 0)
		complain("there is no such key: see postern key list");
	else if (strcmp(PQgetvalue(found, 0, 1), "t") == 0)
		complain("this key is retired already");
	else if (strcmp(PQgetvalue(found, 0, 0), "MAC") == 0)
		complain("this is the last MAC key: make another first with postern key rotate --mac");
	else
		complain("this is the last active key for %s: add another first, or give --force",
		    PQgetvalue(found, 0, 0));
	return EX_DATAERR;
}

int
key_retire(const struct invocation *invocation)
{
	static const char	 what[] = "could not retire the key";
	const char		*values[] = { invocation->operand, invocation->force ? "true" : "false" };
	const struct retirement	*retirement = retirement_of(invocation->operand);
	int			 status;
	PGconn			*connection = database_open(invocation, &status);
	const PGresult		*retired;

	if (connection == NULL)
		return status;
	if (database_run(invocation, connection, what, "BEGIN", 0, NULL) == NULL ||
	    database_run(invocation, connection, what, retirement->lock, 0, NULL) == NULL)
		return EX_UNAVAILABLE;
	retired = database_run(invocation, connection, what, retirement->retire, 2, values);
	if (retired == NULL)
		return EX_UNAVAILABLE;
	if (PQntuples(retired) == 0)
		return explain(invocation, connection);
	return database_run(invocation, connection, what, "COMMIT", 0, NULL) == NULL ? EX_UNAVAILABLE : EX_OK;
}

int
key_rotate(const struct invocation *invocation)
{
	static const char	 what[] = "could not make a MAC key";
	int			 status;
	PGconn			*connection;
	const PGresult		*made;

	if (!invocation->mac) {
		complain("only the MAC key is rotated with one command; "
		    "a signing key must be seen before it signs: postern key add --active-from tomorrow ALG");
		return EX_USAGE;
	}
	connection = database_open(invocation, &status);
	if (connection == NULL)
		return status;
	if (database_run(invocation, connection, what, "BEGIN", 0, NULL) == NULL ||
	    database_run(invocation, connection, what, lock_mac, 0, NULL) == NULL)
		return EX_UNAVAILABLE;
	made = database_run(invocation, connection, what, rotate, 0, NULL);
	if (made == NULL)
		return EX_UNAVAILABLE;
	if (PQntuples(made) == 0) {
		complain("all 255 tags are taken: DELETE FROM postern.mac_key WHERE retired_at < now() - interval '1 year'");
		return EX_DATAERR;
	}
	if (database_run(invocation, connection, what, "COMMIT", 0, NULL) == NULL)
		return EX_UNAVAILABLE;
	puts(PQgetvalue(made, 0, 0));
	return EX_OK;
}
