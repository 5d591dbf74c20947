/*
 * migrate.c -- postern migrate; see migrate.h
 *
 * Numbered files (NNNN-name.sql) hold what has data, and what that rests upon: tables,
 * indexes, the functions that constraints ask.  They are applied once, and
 * postern.schema_version remembers them.  Files in functions/ hold what has no data,
 * functions and views; they are loaded each time, so that a file always says what is
 * in the database.
 *
 * First they are loaded in place (CREATE OR REPLACE), which no request notices: a
 * function keeps its identity, and a call finds the old text or the new one.  Only
 * where the server refuses that, because a result or a column has changed its type, all
 * of them are dropped and made anew; then a call that has just been planned can find
 * its function gone.
 *
 * Which functions and views are ours is written down in postern.schema_object when they
 * are made; what is no longer in the files goes.  To tell it from the catalog would
 * mean to follow dependencies (a function in a CHECK, and the functions that it
 * calls), and would take an administrator's own view in the schema for one of ours.
 */
#include "migrate.h"

#include "base/str.h"
#include "database.h"
#include "endpoint/config.h"
#include "sqlfile.h"

#define PROBLEM_BYTES		512
#define VERSION_DIGITS		4	/* NNNN-name.sql */
#define VERSION_TEXT_BYTES	8
#define PREFIX_MAX_BYTES	48	/* PostgreSQL cuts a role's name to 63 */
#define DEFAULT_PREFIX		"postern_"

#define TEXT(macro)		TEXT_OF(macro)
#define TEXT_OF(text)		#text

struct migration {
	const struct invocation	*invocation;
	PGconn			*connection;
	struct sqlfile_list	 numbered;	/* file i has version i + 1 */
	struct sqlfile_list	 functions;	/* live.sql first */
	const char		*roles;		/* a path; NULL: make no roles */
	const char		*role_prefix;
	char			 functions_sha256[SQLFILE_DIGEST_BYTES];
	size_t			 version;	/* the database's, before */
	bool			 in_place;	/* SQL may turn out not to go this way */
};

/* --- what is there to apply ---------------------------------------------- */

static const char *
path_of(const struct invocation *invocation, const char *name)
{
	size_t	 size = strlen(invocation->sql) + strlen(name) + 2;
	char	*path = arena_alloc(invocation->arena, size);

	snprintf(path, size, "%s/%s", invocation->sql, name);
	return path;
}

/* The version in a name; 0 if it is not that of a numbered file. */
static size_t
version_of(const char *path)
{
	const char	*name = sqlfile_name(path);
	long		 version;

	if (strlen(name) <= VERSION_DIGITS || name[VERSION_DIGITS] != '-' ||
	    !str_to_long((struct str){ name, VERSION_DIGITS }, &version))
		return 0;
	return (size_t)version;
}

/* Keep the numbered files.  There must be each number from 1 once. */
static bool
keep_numbered(const struct invocation *invocation, struct sqlfile_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		size_t version = version_of(list->paths[i]);

		if (version == 0)
			continue;
		if (version != count + 1) {
			complain("%s: the file with number %04zu is missing, or there are two of number %04zu",
			    list->paths[i], count + 1, version);
			return false;
		}
		list->paths[count++] = list->paths[i];
	}
	list->count = count;
	if (count == 0)
		complain("%s has no files NNNN-name.sql: name the right directory with --sql", invocation->sql);
	return count > 0;
}

/* What is live is asked by all other functions. */
static void
live_first(struct sqlfile_list *list)
{
	for (size_t i = 1; i < list->count; i++) {
		const char *live = list->paths[i];

		if (strcmp(sqlfile_name(live), "live.sql") != 0)
			continue;
		memmove(&list->paths[1], &list->paths[0], i * sizeof *list->paths);
		list->paths[0] = live;
	}
}

static bool
find_files(struct migration *m)
{
	struct arena *arena = m->invocation->arena;

	if (!sqlfile_list(arena, m->invocation->sql, &m->numbered) || !keep_numbered(m->invocation, &m->numbered) ||
	    !sqlfile_list(arena, path_of(m->invocation, "functions"), &m->functions))
		return false;
	if (!sqlfile_digest(arena, &m->functions, m->functions_sha256))
		return false;
	live_first(&m->functions);
	return true;
}

/* Whether to make roles, and under which prefix.  postern.conf is asked even if the
 * connection is given: the endpoints read the prefix there. */
static bool
choose_roles(struct migration *m)
{
	char			 problem[PROBLEM_BYTES];
	const struct config	*config;

	m->role_prefix = m->invocation->role_prefix;
	if (m->invocation->no_roles)
		return true;
	if (m->role_prefix == NULL) {
		config = config_read(problem, sizeof problem);
		if (config == NULL)
			complain("%s: roles get the prefix " DEFAULT_PREFIX, problem);
		else if (config->role != NULL)
			return true;	/* one role for all programs, not ours to make */
		m->role_prefix = config == NULL ? DEFAULT_PREFIX : config->role_prefix;
	}
	if (*m->role_prefix == '\0' || strlen(m->role_prefix) > PREFIX_MAX_BYTES) {
		complain("a role prefix has 1 to %d bytes", PREFIX_MAX_BYTES);
		return false;
	}
	m->roles = path_of(m->invocation, "roles.sql");
	return true;
}

/* --- steps of the transaction -------------------------------------------- */

/* One statement, with a parameter unless that is NULL.  The first value of its one row
 * goes to answer unless that is NULL. */
static enum step
statement(struct migration *m, const char *what, const char *sql, const char *parameter,
    char *answer, size_t size)
{
	PGresult	*result = PQexecParams(m->connection, sql, parameter != NULL, NULL, &parameter, NULL, NULL, 0);
	ExecStatusType	 status = PQresultStatus(result);
	enum step	 step = STEP_DONE;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		step = sqlfile_step_of(m->connection, result);
		if (step != STEP_BUSY && !(step == STEP_WRONG && m->in_place))
			database_complain(what, m->connection, result);
	} else if (answer != NULL) {
		snprintf(answer, size, "%s", PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
	}
	PQclear(result);
	return step;
}

struct fixed {
	const char	*what;
	const char	*sql;
};

static enum step
fixed_statements(struct migration *m, const struct fixed *list, size_t count)
{
	enum step step = STEP_DONE;

	for (size_t i = 0; i < count && step == STEP_DONE; i++)
		step = statement(m, list[i].what, list[i].sql, NULL, NULL, 0);
	return step;
}

#define FIXED(m, list)	fixed_statements(m, list, sizeof (list) / sizeof *(list))

/*
 * The lock makes a second runner wait until this one has committed, and then see what
 * it has done.  Two that both find no schema meet at the unique index of the catalog
 * instead: the second waits, fails, and begins anew.  The handler turns that failure
 * into one that begins anew.
 */
static const struct fixed opening[] = {
	{ "could not begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" },
	{ "could not begin",
	  "SELECT set_config('search_path', 'pg_catalog, pg_temp', true),"
	  " set_config('client_min_messages', 'warning', true),"
	  " set_config('standard_conforming_strings', 'on', true),"
	  " set_config('check_function_bodies', 'off', true),"
	  " set_config('statement_timeout', '0', true),"
	  " set_config('lock_timeout', '" TEXT(MIGRATE_LOCK_MILLISECONDS) "', true)" },
	{ "could not make the schema postern",
	  "DO $$\n"
	  "BEGIN\n"
	  "    IF to_regnamespace('postern') IS NULL THEN\n"
	  "        CREATE SCHEMA postern;\n"
	  "    END IF;\n"
	  "    IF to_regclass('postern.schema_version') IS NULL THEN\n"
	  "        CREATE TABLE postern.schema_version (\n"
	  "            version    integer PRIMARY KEY,\n"
	  "            name       text NOT NULL,\n"
	  "            applied_at timestamptz NOT NULL DEFAULT now()\n"
	  "        );\n"
	  "        COMMENT ON TABLE postern.schema_version IS 'Numbered SQL files that were applied. Written by postern migrate.';\n"
	  "        CREATE TABLE postern.schema_object (\n"
	  "            place    integer PRIMARY KEY,\n"
	  "            type     text NOT NULL,\n"
	  "            identity text NOT NULL\n"
	  "        );\n"
	  "        COMMENT ON TABLE postern.schema_object IS 'Functions and views that postern migrate makes anew each time, in the order in which they were made.';\n"
	  "    END IF;\n"
	  "EXCEPTION WHEN unique_violation OR duplicate_schema OR duplicate_table THEN\n"
	  "    RAISE lock_not_available;\n"
	  "END\n"
	  "$$" },
	{ "could not lock out other migrations", "LOCK TABLE postern.schema_version IN SHARE ROW EXCLUSIVE MODE" },
	{ "could not prepare to note the functions",
	  "ALTER TABLE postern.schema_version ADD COLUMN IF NOT EXISTS functions_sha256 text" },
	{ "could not prepare to note the functions",
	  "COMMENT ON COLUMN postern.schema_version.functions_sha256 IS 'Of the last version: which files of functions were loaded.'" },
};

/* Newest first: what was made later may rest on what was made before. */
static const struct fixed dropping[] = {
	{ "could not drop the old functions and views",
	  "DO $$\n"
	  "DECLARE\n"
	  "    r record;\n"
	  "BEGIN\n"
	  "    FOR r IN SELECT o.type, o.identity FROM postern.schema_object o ORDER BY o.place DESC LOOP\n"
	  "        EXECUTE format('DROP %s IF EXISTS %s', r.type, r.identity);\n"
	  "    END LOOP;\n"
	  "    DELETE FROM postern.schema_object;\n"
	  "END\n"
	  "$$" },
};

/* Functions, procedures, views and composite types of the schema that this transaction
 * has written, and its how-manieth command it was.  A view that is replaced keeps its
 * row in pg_class; its rule is new. */
#define WRITTEN \
    "(SELECT p.tableoid AS catalog, p.oid, p.cmin::text::bigint AS command FROM pg_catalog.pg_proc p" \
    " WHERE p.pronamespace = 'postern'::regnamespace AND p.xmin = pg_current_xact_id()::xid" \
    " UNION ALL SELECT c.tableoid, c.oid, view.cmin::text::bigint FROM pg_catalog.pg_class c" \
    " JOIN pg_catalog.pg_rewrite view ON view.ev_class = c.oid AND view.rulename = '_RETURN'" \
    " WHERE c.relnamespace = 'postern'::regnamespace AND view.xmin = pg_current_xact_id()::xid" \
    " UNION ALL SELECT c.tableoid, c.oid, c.cmin::text::bigint FROM pg_catalog.pg_class c" \
    " WHERE c.relnamespace = 'postern'::regnamespace AND c.relkind = 'c' AND c.xmin = pg_current_xact_id()::xid)"

/* Before the files of functions are loaded: what the numbered files have made. */
static const struct fixed remembering[] = {
	{ "could not list functions and views",
	  "SELECT set_config('postern.numbered', coalesce(string_agg(w.catalog || '.' || w.oid, ' '), ''), true) FROM " WRITTEN " AS w" },
};

/* What the files have made, in order; what was there before and is no longer in them
 * goes, newest first.  Privileges are given anew by roles.sql: what a role has no longer
 * is not to stay. */
static const struct fixed noting[] = {
	{ "could not drop what is no longer in the files",
	  "DO $$\n"
	  "DECLARE\n"
	  "    r record;\n"
	  "BEGIN\n"
	  "    CREATE TEMPORARY TABLE made ON COMMIT DROP AS\n"
	  "    SELECT row_number() OVER (ORDER BY w.command)::integer AS place,\n"
	  "           CASE i.type WHEN 'composite type' THEN 'type' ELSE i.type END AS type, i.identity\n"
	  "      FROM " WRITTEN " AS w, pg_catalog.pg_identify_object(w.catalog, w.oid, 0) i\n"
	  "     WHERE NOT w.catalog || '.' || w.oid = ANY (string_to_array(current_setting('postern.numbered'), ' '));\n"
	  "    FOR r IN SELECT o.type, o.identity FROM postern.schema_object o\n"
	  "              WHERE NOT EXISTS (SELECT FROM pg_temp.made m WHERE m.type = o.type AND m.identity = o.identity)\n"
	  "              ORDER BY o.place DESC LOOP\n"
	  "        EXECUTE format('DROP %s IF EXISTS %s', r.type, r.identity);\n"
	  "    END LOOP;\n"
	  "    DELETE FROM postern.schema_object;\n"
	  "    INSERT INTO postern.schema_object (place, type, identity) SELECT m.place, m.type, m.identity FROM pg_temp.made m;\n"
	  "END\n"
	  "$$" },
	{ "could not revoke",
	  "DO $$\n"
	  "DECLARE\n"
	  "    r record;\n"
	  "BEGIN\n"
	  "    FOR r IN SELECT DISTINCT p.oid::regprocedure AS routine, a.grantee::regrole AS role\n"
	  "               FROM pg_temp.made m, pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a\n"
	  "              WHERE m.type IN ('function', 'procedure') AND p.oid = m.identity::regprocedure\n"
	  "                AND a.grantee NOT IN (0, p.proowner) LOOP\n"
	  "        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %s', r.routine, r.role);\n"
	  "    END LOOP;\n"
	  "END\n"
	  "$$" },
	{ "could not revoke", "REVOKE ALL ON SCHEMA postern FROM PUBLIC" },
	{ "could not revoke", "REVOKE ALL ON ALL TABLES IN SCHEMA postern FROM PUBLIC" },
	{ "could not revoke", "REVOKE ALL ON ALL SEQUENCES IN SCHEMA postern FROM PUBLIC" },
	{ "could not revoke", "REVOKE ALL ON ALL ROUTINES IN SCHEMA postern FROM PUBLIC" },
	/* For what the owner makes later.  With IN SCHEMA it would have no effect: that
	 * form can only add to the privileges that are given everywhere. */
	{ "could not revoke", "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC" },
};

/* What the database has: 0 when it is new.  One that is newer than the files would be
 * spoilt by their functions. */
static enum step
read_version(struct migration *m)
{
	char		text[VERSION_TEXT_BYTES + 8];
	long		version;
	enum step	step = statement(m, "could not read the schema's version",
	    "SELECT coalesce(max(v.version), 0) FROM postern.schema_version v", NULL, text, sizeof text);

	if (step != STEP_DONE)
		return step;
	if (!str_to_long(str_of(text), &version) || (size_t)version > m->numbered.count) {
		complain("the database has schema version %s, but the files in %s end with %zu: "
		    "use the newer postern that made it, or its files with --sql",
		    text, m->invocation->sql, m->numbered.count);
		return STEP_UNFIT;
	}
	m->version = (size_t)version;
	return STEP_DONE;
}

static enum step
apply_numbered(struct migration *m)
{
	enum step step = STEP_DONE;

	for (size_t i = m->version; i < m->numbered.count && step == STEP_DONE; i++) {
		step = statement(m, "could not note the version",
		    "INSERT INTO postern.schema_version (version, name)"
		    " SELECT left($1, 4)::integer, regexp_replace($1, '^[0-9]+-(.*)\\.sql$', '\\1')",
		    sqlfile_name(m->numbered.paths[i]), NULL, 0);
		if (step == STEP_DONE)
			step = sqlfile_run(m->connection, m->numbered.paths[i], m->in_place);
	}
	return step;
}

static enum step
load_functions(struct migration *m)
{
	enum step step = FIXED(m, remembering);

	for (size_t i = 0; i < m->functions.count && step == STEP_DONE; i++)
		step = sqlfile_run(m->connection, m->functions.paths[i], m->in_place);
	return step;
}

static enum step
make_roles(struct migration *m)
{
	enum step step;

	if (m->roles == NULL)
		return STEP_DONE;
	step = statement(m, "could not set the role prefix", "SELECT set_config('postern.role_prefix', $1, true)",
	    m->role_prefix, NULL, 0);
	if (step == STEP_DONE)
		step = sqlfile_run(m->connection, m->roles, m->in_place);
	if (step == STEP_DENIED) {
		complain("making roles needs the attribute CREATEROLE: ALTER ROLE %s CREATEROLE, as a superuser; "
		    "or give --no-roles, and one role for all programs in postern.conf", PQuser(m->connection));
	}
	return step;
}

static enum step
begin(struct migration *m)
{
	return FIXED(m, opening);
}

/* Before the numbered files, because no column can change its type under a view. */
static enum step
drop_functions(struct migration *m)
{
	return m->in_place ? STEP_DONE : FIXED(m, dropping);
}

static enum step
note_and_revoke(struct migration *m)
{
	enum step step = FIXED(m, noting);

	if (step != STEP_DONE)
		return step;
	return statement(m, "could not note the functions",
	    "UPDATE postern.schema_version v SET functions_sha256 = $1"
	    " WHERE v.version = (SELECT max(w.version) FROM postern.schema_version w)", m->functions_sha256, NULL, 0);
}

static enum step
commit(struct migration *m)
{
	return statement(m, "could not commit", "COMMIT", NULL, NULL, 0);
}

static enum step
attempt(struct migration *m)
{
	static enum step (*const steps[])(struct migration *) = {
		begin, read_version, drop_functions, apply_numbered, load_functions, note_and_revoke, make_roles, commit,
	};
	enum step step = STEP_DONE;

	for (size_t i = 0; i < sizeof steps / sizeof *steps && step == STEP_DONE; i++)
		step = steps[i](m);
	return step;
}

/* --- the command --------------------------------------------------------- */

static void
take_back(PGconn *connection)
{
	PQclear(PQexec(connection, "ROLLBACK"));
}

/* In place if the server can do that, else anew.  A statement that it refuses aborts
 * the transaction; whatever else went wrong would go wrong anew. */
static enum step
attempt_both_ways(struct migration *m)
{
	enum step step;

	m->in_place = true;
	step = attempt(m);
	m->in_place = false;
	if (step != STEP_WRONG || PQtransactionStatus(m->connection) != PQTRANS_INERROR)
		return step;
	take_back(m->connection);
	return attempt(m);
}

static enum step
attempts(struct migration *m)
{
	static const struct timespec	pause = { 0, MIGRATE_PAUSE_MILLISECONDS * 1000000L };
	enum step			step = attempt_both_ways(m);

	for (int i = 1; i < MIGRATE_ATTEMPTS && step == STEP_BUSY; i++) {
		take_back(m->connection);
		nanosleep(&pause, NULL);
		step = attempt_both_ways(m);
	}
	if (step == STEP_BUSY)
		complain("the database is busy: another migration, a backup or an open transaction holds a lock; try again later");
	return step;
}

static void
warn_of_superuser(struct migration *m)
{
	const char *superuser = PQparameterStatus(m->connection, "is_superuser");

	if (superuser != NULL && strcmp(superuser, "on") == 0) {
		complain("warning: what %s makes is a superuser's and runs with its rights: "
		    "better connect as a role of its own that owns the database", PQuser(m->connection));
	}
}

static void
report(const struct migration *m)
{
	for (size_t i = m->version; i < m->numbered.count; i++)
		printf("applied %s\n", sqlfile_name(m->numbered.paths[i]));
	printf("schema version %zu\n", m->numbered.count);
}

bool
migrate_read_release(const struct invocation *invocation, struct release *release)
{
	struct migration *m = arena_alloc(invocation->arena, sizeof *m);

	m->invocation = invocation;
	*release = (struct release){ .version = 0 };
	if (!find_files(m))
		return false;
	release->version = m->numbered.count;
	memcpy(release->functions_sha256, m->functions_sha256, sizeof release->functions_sha256);
	return true;
}

int
migrate(const struct invocation *invocation)
{
	static const int	 statuses[] = {
		[STEP_DONE] = EX_OK, [STEP_BUSY] = EX_UNAVAILABLE, [STEP_UNFIT] = EX_CONFIG,
		[STEP_DENIED] = EX_UNAVAILABLE, [STEP_LOST] = EX_UNAVAILABLE, [STEP_WRONG] = EX_SOFTWARE,
	};
	struct migration	*m = arena_alloc(invocation->arena, sizeof *m);
	enum step		 step;
	int			 status;

	m->invocation = invocation;
	if (!choose_roles(m) || !find_files(m))
		return EX_CONFIG;
	m->connection = database_open(invocation, &status);
	if (m->connection == NULL)
		return status;
	warn_of_superuser(m);
	step = attempts(m);
	if (step == STEP_DONE)
		report(m);
	else if (PQtransactionStatus(m->connection) == PQTRANS_INERROR ||
	    PQtransactionStatus(m->connection) == PQTRANS_INTRANS)
		complain("nothing was changed");	/* the transaction ends with the connection */
	return statuses[step];
}
