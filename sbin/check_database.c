/*
 * check_database.c -- postern check: what the database says about itself
 *
 * Each check is a query whose rows are findings: level, text, hint.  Its parameters,
 * all of type text:
 *
 *	$1	the prefix of the roles, or NULL: one role for all endpoints
 *	$2	that one role, or NULL
 *	$3	the version that the installed SQL files make; 0: there are none
 *	$4	workers of each endpoint (at least 1)
 *	$5	the digest of the installed files of functions
 */
#include "inspection.h"

#include "database.h"

#define PARAMETERS	5
#define TYPE_TEXT	25	/* pg_type.oid */
#define NUMBER_BYTES	24

/* A signing key is due after a year.  One that has been followed by another is kept
 * for a month, which is longer than any token that it has signed (at most a day). */
#define KEY_DUE		"interval '1 year'"
#define KEY_OVERLAP	"interval '30 days'"

/* More expired rows than this that are older than a day: nobody sweeps. */
#define BACKLOG_ROWS	"10000"

/* How many names are listed in one line. */
#define NAMES		"5"

/* Roles and what each may call; one role for all may call everything. */
#define WANTED \
    " wanted AS (SELECT coalesce($1 || r.endpoint, $2) AS role, r.endpoint, r.functions" \
    " FROM postern.endpoint_right r)"

/* The same, of roles that exist. */
#define EXISTING WANTED \
    ", existing AS (SELECT w.role, p.oid, array_agg(DISTINCT f) AS functions" \
    " FROM wanted w JOIN pg_catalog.pg_roles p ON p.rolname = w.role, unnest(w.functions) f GROUP BY w.role, p.oid)"

#define THIS_DATABASE \
    "(SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database())"

static const char owner[] =
    "SELECT 'error', 'there is no schema postern in this database', 'postern migrate'"
    " WHERE to_regnamespace('postern') IS NULL"
    " UNION ALL"
    " SELECT 'error', format('%s cannot see all of the schema, which belongs to %s', current_user, n.nspowner::regrole),"
    "  format('connect as %s (PGUSER)', n.nspowner::regrole)"
    " FROM pg_catalog.pg_namespace n WHERE n.nspname = 'postern' AND NOT pg_has_role(n.nspowner, 'USAGE')"
    " UNION ALL"
    " SELECT 'warning', format('%s functions belong to the superuser %s: a hole in one is a hole in the whole server',"
    "  count(*), r.rolname), 'let a role of its own own the schema postern and all that is in it (ALTER ... OWNER TO)'"
    " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles r ON r.oid = p.proowner"
    " WHERE p.pronamespace = to_regnamespace('postern') AND r.rolsuper GROUP BY r.rolname"
    " UNION ALL"
    " SELECT 'error', 'this is a standby: nothing can be written here',"
    "  'name the primary, or all hosts and target_session_attrs=read-write'"
    " WHERE pg_is_in_recovery()";

static const char version[] =
    "SELECT 'error', format('the database has schema version %s, the installed files make %s',"
    "  coalesce(max(v.version), 0), $3),"
    "  CASE WHEN coalesce(max(v.version), 0) < $3::integer THEN 'postern migrate'"
    "       ELSE 'install the version of Postern that made it, everywhere' END"
    " FROM postern.schema_version v HAVING coalesce(max(v.version), 0) <> $3::integer AND $3 <> '0'"
    " UNION ALL"
    " SELECT 'error', 'the functions in the database are not those of the installed files', 'postern migrate'"
    " FROM postern.schema_version v WHERE v.functions_sha256 IS DISTINCT FROM $5"
    "  AND v.version = $3::integer AND v.version = (SELECT max(w.version) FROM postern.schema_version w)"
    " UNION ALL"
    " SELECT 'warning', 'there are no SQL files to compare the database with', 'install them, or say where they are: --sql'"
    " WHERE $3 = '0'";

static const char issuer[] =
    "SELECT 'error', 'there is no issuer: no endpoint can answer',"
    "  'INSERT INTO postern.issuer (url, name) VALUES (''https://...'', ''...'')'"
    " WHERE NOT EXISTS (SELECT FROM postern.issuer)"
    " UNION ALL"
    " SELECT 'warning', format('%s is for trying out only: passwords and tokens travel in the clear', i.url),"
    "  'UPDATE postern.issuer SET url = ''https://...'''"
    " FROM postern.issuer i WHERE i.url LIKE 'http:%'";

static const char roles[] =
    "WITH" EXISTING
    " SELECT 'error', format('there is no role %s', string_agg(DISTINCT w.role, ', ')), 'postern migrate'"
    " FROM wanted w WHERE w.role NOT IN (SELECT e.role FROM existing e) HAVING count(*) > 0"
    " UNION ALL"
    " SELECT 'error', format('the role %s has attributes that no endpoint needs', p.rolname),"
    "  format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', p.rolname)"
    " FROM existing e JOIN pg_catalog.pg_roles p ON p.oid = e.oid"
    " WHERE p.rolsuper OR p.rolreplication OR p.rolbypassrls OR ($1 IS NOT NULL AND (p.rolcreaterole OR p.rolcreatedb))"
    " UNION ALL"
    " SELECT 'error', format('the role %s may not log in', p.rolname), format('ALTER ROLE %I LOGIN', p.rolname)"
    " FROM existing e JOIN pg_catalog.pg_roles p ON p.oid = e.oid WHERE NOT p.rolcanlogin"
    " UNION ALL"
    " SELECT 'error', format('the role %s is a member of %s and has its rights', m.member::regrole, m.roleid::regrole),"
    "  format('REVOKE %s FROM %s', m.roleid::regrole, m.member::regrole)"
    " FROM existing e JOIN pg_catalog.pg_auth_members m ON m.member = e.oid WHERE $1 IS NOT NULL"
    " UNION ALL"
    " SELECT 'error', format('the role %s owns objects: %s', e.role, count(*)), format('REASSIGN OWNED BY %I TO ...', e.role)"
    " FROM existing e JOIN pg_catalog.pg_shdepend d ON d.refobjid = e.oid"
    "  AND d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.deptype = 'o'"
    " WHERE $1 IS NOT NULL GROUP BY e.role";

/* A role without limits can hold a worker for ever. */
static const char limits[] =
    "WITH" EXISTING
    " SELECT 'warning', format('the role %s has no %s', string_agg(e.role, ', ' ORDER BY e.role), s.name),"
    "  string_agg(format('ALTER ROLE %I SET %s = %L', e.role, s.name, s.value), '; ' ORDER BY e.role)"
    " FROM existing e, (VALUES ('statement_timeout', '3s'), ('lock_timeout', '2s'),"
    "  ('idle_in_transaction_session_timeout', '3s')) AS s(name, value)"
    " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting d, unnest(d.setconfig) c"
    "  WHERE d.setrole = e.oid AND d.setdatabase IN (0, " THIS_DATABASE ")"
    "  AND starts_with(c, s.name || '=') AND c <> s.name || '=0')"
    " GROUP BY s.name, s.value";

/* What tells an endpoint that an answer it remembers no longer stands (sql/0003-basis.sql). */
static const char triggers[] =
    "WITH wanted(relation, name) AS (SELECT r, t"
    "  FROM unnest('{client,resource,scope,signing_key,mac_key}'::text[]) r, unnest('{touch_issuer,touch_issuer_empty}'::text[]) t"
    "  UNION ALL VALUES ('revoked_token', 'touch_grant'))"
    " SELECT 'error', format('the trigger %s of postern.%s is %s: a token can outlive what should have ended it', w.name, w.relation,"
    "   CASE WHEN t.oid IS NULL THEN 'gone' ELSE 'off, or is off in replicas' END),"
    "  CASE WHEN t.oid IS NULL THEN 'run its CREATE TRIGGER in 0003-basis.sql, and then this check again'"
    "       ELSE format('ALTER TABLE postern.%I ENABLE ALWAYS TRIGGER %I', w.relation, w.name) END"
    " FROM wanted w LEFT JOIN pg_catalog.pg_trigger t ON t.tgrelid = to_regclass('postern.' || w.relation) AND t.tgname = w.name"
    " WHERE t.oid IS NULL OR t.tgenabled <> 'A'";

/* Explicit rights; what comes by membership or attributes is told by the check "roles". */
static const char privileges[] =
    "WITH" EXISTING
    ", procedure AS (SELECT p.oid, p.proname, p.proowner AS owner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl"
    "  FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'postern'::regnamespace)"
    ", relation AS (SELECT c.oid, c.relowner AS owner, a.grantee FROM pg_catalog.pg_class c, aclexplode(c.relacl) a"
    "  WHERE c.relnamespace = 'postern'::regnamespace"
    "  UNION SELECT c.oid, c.relowner, a.grantee FROM pg_catalog.pg_class c"
    "  JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a"
    "  WHERE c.relnamespace = 'postern'::regnamespace)"
    /* too few */
    " SELECT 'error', format('the role %s may not use the schema postern', string_agg(e.role, ', ' ORDER BY e.role)),"
    "  'postern migrate'"
    " FROM existing e WHERE NOT has_schema_privilege(e.oid, 'postern', 'USAGE') HAVING count(*) > 0"
    " UNION ALL"
    " SELECT 'error', format('the role %s may not call %s', e.role, string_agg(f, ', ' ORDER BY f)), 'postern migrate'"
    " FROM existing e, unnest(e.functions) f WHERE NOT EXISTS (SELECT FROM procedure p"
    "  WHERE p.proname = f AND has_function_privilege(e.oid, p.oid, 'EXECUTE')) GROUP BY e.role"
    /* too many, for an endpoint */
    " UNION ALL"
    " SELECT 'error', format('the role %s may also call %s', e.role, string_agg(DISTINCT p.proname, ', ')), 'postern migrate'"
    " FROM existing e, procedure p, aclexplode(p.acl) a"
    " WHERE a.grantee = e.oid AND e.oid <> p.owner AND NOT p.proname = ANY (e.functions) GROUP BY e.role"
    " UNION ALL"
    " SELECT 'error', format('the role %s has rights on %s itself', e.role, string_agg(r.oid::regclass::text, ', ')),"
    "  format('REVOKE ALL ON %s FROM %I', string_agg(r.oid::regclass::text, ', '), e.role)"
    " FROM existing e JOIN relation r ON r.grantee = e.oid AND r.owner <> e.oid GROUP BY e.role"
    " UNION ALL"
    " SELECT 'error', format('the role %s may make objects in the schema postern', e.role),"
    "  format('REVOKE CREATE ON SCHEMA postern FROM %I', e.role)"
    " FROM existing e JOIN pg_catalog.pg_namespace n ON n.nspname = 'postern', aclexplode(n.nspacl) a"
    " WHERE a.grantee = e.oid AND a.privilege_type = 'CREATE' AND e.oid <> n.nspowner"
    /* for everybody */
    " UNION ALL"
    " SELECT 'error', format('everybody (PUBLIC) has %s on the schema postern', string_agg(a.privilege_type, ', ')),"
    "  'postern migrate'"
    " FROM pg_catalog.pg_namespace n, aclexplode(n.nspacl) a"
    " WHERE n.nspname = 'postern' AND a.grantee = 0 HAVING count(*) > 0"
    " UNION ALL"
    " SELECT 'error', format('everybody (PUBLIC) has rights on %s', string_agg(r.oid::regclass::text, ', ')),"
    "  format('postern migrate; rights on columns: REVOKE ALL ON %s FROM PUBLIC', string_agg(r.oid::regclass::text, ', '))"
    " FROM relation r WHERE r.grantee = 0 HAVING count(*) > 0"
    " UNION ALL"
    " SELECT 'error', format('everybody (PUBLIC) may call %s', string_agg(DISTINCT p.proname, ', ')), 'postern migrate'"
    " FROM procedure p, aclexplode(p.acl) a WHERE a.grantee = 0 HAVING count(*) > 0"
    /* for somebody else */
    " UNION ALL"
    " SELECT 'warning', format('the role %s, which is no endpoint''s, has rights on %s', o.grantee::regrole,"
    "  string_agg(DISTINCT o.name, ', ')), format('if that is not wanted: REVOKE ALL ON ... FROM %s', o.grantee::regrole)"
    " FROM (SELECT r.grantee, r.owner, r.oid::regclass::text AS name FROM relation r"
    "  UNION ALL SELECT a.grantee, p.owner, p.proname FROM procedure p, aclexplode(p.acl) a) o"
    " WHERE o.grantee NOT IN (0, o.owner) AND o.grantee NOT IN (SELECT e.oid FROM existing e) GROUP BY o.grantee";

static const char keys[] =
    "WITH needed AS (SELECT a.alg, (SELECT array_agg(c.client_id ORDER BY c.client_id) FROM postern.live_client c"
    "   WHERE c.id_token_signed_response_alg = a.alg AND 'authorization_code' = ANY (c.grant_types)) AS clients"
    "  FROM (SELECT unnest('{ES256,RS256}'::text[]) AS alg"
    "   UNION SELECT l.id_token_signed_response_alg FROM postern.live_client l) a)"
    " SELECT 'error', format('there is no key for %s, which is needed %s', n.alg,"
    "  CASE WHEN n.alg = 'ES256' THEN 'for access tokens' WHEN n.clients IS NULL THEN 'by clients that name no algorithm'"
    "       ELSE 'by the client ' || array_to_string(n.clients[:" NAMES "], ', ') END), format('postern key add %s', n.alg)"
    " FROM needed n WHERE NOT EXISTS (SELECT FROM postern.current_signing_key c WHERE c.alg = n.alg)"
    " UNION ALL"
    " SELECT 'warning', format('the key %s has signed with %s for %s days', k.kid, k.alg, extract(day FROM now() - k.active_from)),"
    "  format('postern key add --active-from tomorrow %s', k.alg)"
    " FROM postern.current_signing_key c JOIN postern.signing_key k ON k.kid = c.kid"
    " WHERE k.active_from < now() - " KEY_DUE " AND NOT EXISTS (SELECT FROM postern.signing_key u"
    "  WHERE u.alg = k.alg AND u.active_from > now() AND u.retired_at IS NULL)"
    " UNION ALL"
    " SELECT 'warning', format('the key %s has not signed for %s days, and its tokens are still accepted',"
    "  k.kid, extract(day FROM now() - f.active_from)), format('postern key retire %s', k.kid)"
    " FROM postern.signing_key k JOIN postern.current_signing_key c ON c.alg = k.alg AND c.kid <> k.kid"
    " JOIN postern.signing_key f ON f.kid = c.kid"
    " WHERE k.retired_at IS NULL AND k.active_from <= f.active_from AND f.active_from < now() - " KEY_OVERLAP
    " UNION ALL"
    " SELECT 'error', 'there is no MAC key: no token can be sealed', 'postern key rotate --mac'"
    " WHERE NOT EXISTS (SELECT FROM postern.mac_key m WHERE m.retired_at IS NULL)"
    " UNION ALL"
    " SELECT 'warning', format('the MAC key mac-%s has sealed for %s days', encode(m.tag, 'hex'), extract(day FROM now() - m.created_at)),"
    "  'postern key rotate --mac'"
    " FROM (SELECT k.tag, k.created_at FROM postern.mac_key k WHERE k.retired_at IS NULL ORDER BY k.created_at DESC LIMIT 1) m"
    " WHERE m.created_at < now() - " KEY_DUE
    " UNION ALL"
    " SELECT 'warning', format('no token that lives is sealed with the MAC key mac-%s, and it is still accepted', encode(m.tag, 'hex')),"
    "  format('postern key retire mac-%s', encode(m.tag, 'hex'))"
    " FROM postern.mac_key m WHERE m.retired_at IS NULL AND EXISTS (SELECT FROM postern.mac_key n CROSS JOIN postern.issuer i"
    "  WHERE n.retired_at IS NULL AND n.created_at > m.created_at"
    "  AND n.created_at < now() - i.refresh_token_idle_lifetime - interval '1 day')";

/*
 * Settings of the server as an endpoint's role has them: its own, else ours.  A rule is a
 * setting, values that are bad (a regular expression), whether it is only bad while
 * parameters are logged, and what follows from it.
 *
 * Parameters of the endpoints' statements are hashes of codes and secrets, whole
 * refresh tokens, and for login the hash of the password that was typed.
 */
#define SECRETS		"hashes of secrets, refresh tokens"
#define NO_PARAMETERS	"ALTER SYSTEM SET log_parameter_max_length = 0"
#define OFF		"^(off|false|no|0)$"

static const char settings[] =
    "WITH" EXISTING
    ", rule(name, bad, parameters, level, finding, hint) AS (VALUES"
    "  ('fsync', '" OFF "', false, 'error', 'a crash of the machine can lose or corrupt everything', 'ALTER SYSTEM SET fsync = on'),"
    "  ('full_page_writes', '" OFF "', false, 'error', 'a crash of the machine can corrupt the database',"
    "   'ALTER SYSTEM SET full_page_writes = on'),"
    "  ('synchronous_commit', '" OFF "', false, 'error', 'a crash can lose what was acknowledged: a code could be redeemed twice',"
    "   'ALTER SYSTEM SET synchronous_commit = on'),"
    "  ('log_error_verbosity', '^(default|verbose)$', false, 'warning',"
    "   'the server''s log quotes rows that a constraint refuses, and rows hold hashes', 'ALTER SYSTEM SET log_error_verbosity = terse'),"
    "  ('log_parameter_max_length_on_error', '^[^0]', false, 'error', 'the server''s log gets " SECRETS " when a statement fails',"
    "   'ALTER SYSTEM SET log_parameter_max_length_on_error = 0'),"
    "  ('log_statement', '^all$', true, 'error', 'the server''s log gets " SECRETS "', '" NO_PARAMETERS "'),"
    "  ('log_statement', '^mod$', true, 'warning', 'the server''s log gets what an administrator inserts', '" NO_PARAMETERS "'),"
    "  ('log_min_duration_statement', '^0', true, 'error', 'the server''s log gets " SECRETS "', '" NO_PARAMETERS "'),"
    "  ('log_min_duration_statement', '^[1-9]', true, 'warning', 'the server''s log gets " SECRETS " of slow statements', '" NO_PARAMETERS "'),"
    "  ('log_min_duration_sample', '^[0-9]', true, 'warning', 'the server''s log gets " SECRETS " of some statements', '" NO_PARAMETERS "'),"
    "  ('log_transaction_sample_rate', '[1-9]', true, 'warning', 'the server''s log gets " SECRETS " of some statements', '" NO_PARAMETERS "'))"
    ", effective AS (SELECT e.role, n.name, coalesce((SELECT substr(c, length(n.name) + 2)"
    "   FROM pg_catalog.pg_db_role_setting d, unnest(d.setconfig) c"
    "   WHERE d.setrole = e.oid AND d.setdatabase IN (0, " THIS_DATABASE ") AND starts_with(c, n.name || '=')"
    "   ORDER BY d.setdatabase DESC LIMIT 1), current_setting(n.name)) AS value"
    "  FROM existing e, (SELECT r.name FROM rule r UNION SELECT 'log_parameter_max_length') n)"
    " SELECT r.level, format('%s is %s for %s: %s', r.name, f.value,"
    "  CASE WHEN count(*) = (SELECT count(*) FROM existing) THEN 'all endpoints'"
    "       ELSE string_agg(f.role, ', ' ORDER BY f.role) END, r.finding),"
    "  r.hint || ' and reload; a role may have a setting of its own (\\drds)'"
    " FROM rule r JOIN effective f ON f.name = r.name AND f.value ~ r.bad"
    " WHERE NOT (r.parameters AND EXISTS (SELECT FROM effective p"
    "  WHERE p.role = f.role AND p.name = 'log_parameter_max_length' AND p.value = '0'))"
    " GROUP BY r.level, r.name, f.value, r.finding, r.hint";

static const char connections[] =
    "SELECT 'warning', format('%s endpoints with %s workers need %s connections, and the server allows %s',"
    "  c.endpoints, $4, c.needed, c.allowed),"
    "  'ALTER SYSTEM SET max_connections and restart the server; or fewer workers in postern.conf; or a pooler'"
    " FROM (SELECT count(*) AS endpoints, count(*) * $4::integer AS needed,"
    "  current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS allowed"
    "  FROM postern.endpoint_right) c WHERE c.needed > c.allowed";

#define EXPIRED(table) \
    "SELECT '" table "', (SELECT count(*) FROM (SELECT FROM " table " t" \
    " WHERE t.expires_at < now() - interval '1 day' LIMIT " BACKLOG_ROWS " + 1) e)"

static const char backlog[] =
    "SELECT 'warning', format('more than %s rows of %s expired a day ago or earlier', " BACKLOG_ROWS ", b.name),"
    "  'run postern maintain from a timer'"
    " FROM (" EXPIRED("postern.authorization_grant") " UNION ALL " EXPIRED("postern.authorization_request")
    "  UNION ALL " EXPIRED("postern.session") " UNION ALL " EXPIRED("postern.revoked_token")
    "  UNION ALL " EXPIRED("postern.login_throttle") ") AS b(name, rows)"
    " WHERE b.rows > " BACKLOG_ROWS;

/* Not wrong, but somebody should know. */
static const char clients[] =
    "SELECT 'warning', format('the client %s may ask for scopes that do not exist: %s', c.client_id, string_agg(w, ' ')),"
    "  'INSERT INTO postern.scope, or take them out of postern.client.scope'"
    " FROM postern.live_client c, unnest(string_to_array(c.scope, ' ')) w"
    " WHERE w <> '' AND NOT EXISTS (SELECT FROM postern.scope s WHERE s.scope = w) GROUP BY c.client_id"
    " UNION ALL"
    " SELECT 'warning', format('of %s clients the profile is oidc-classic, so that PKCE is not demanded: %s', count(*),"
    "  array_to_string((array_agg(c.client_id ORDER BY c.client_id))[:" NAMES "], ', ')),"
    "  'where the app sends a code_challenge: UPDATE postern.client SET profile = ''oauth2.1'''"
    " FROM postern.live_client c WHERE c.profile = 'oidc-classic' HAVING count(*) > 0"
    " UNION ALL"
    " SELECT 'warning', format('people are not asked before a public client gets access, as which any app can pose: %s',"
    "  array_to_string((array_agg(c.client_id ORDER BY c.client_id))[:" NAMES "], ', ')),"
    "  'UPDATE postern.client SET consent = ''explicit'''"
    " FROM postern.live_client c WHERE c.consent = 'implied' AND c.token_endpoint_auth_method = 'none' HAVING count(*) > 0"
    /* A secret of 32 characters fits into the column; a digest is never all printable. */
    " UNION ALL"
    " SELECT 'error', format('the secret itself is stored in place of its SHA-256, and does not work: %s',"
    "  array_to_string((array_agg(c.client_id ORDER BY c.client_id))[:" NAMES "], ', ')),"
    "  'UPDATE postern.client SET client_secret_sha256 = sha256(''a new secret'')'"
    " FROM postern.live_client c WHERE encode(c.client_secret_sha256, 'hex') ~ '^([2-7].)+$' HAVING count(*) > 0";

static enum level
level_of(const char *name)
{
	return strcmp(name, "error") == 0 ? LEVEL_ERROR : LEVEL_WARNING;
}

static void
could_not_look(struct inspection *inspection, const PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	found(inspection, LEVEL_ERROR, "postern migrate; connect as the owner of the database", "could not look: %s",
	    message == NULL ? PQerrorMessage(inspection->connection) : message);
}

void
database_check(struct inspection *inspection, const char *sql)
{
	static const Oid types[PARAMETERS] = { TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT };
	char		 version_text[NUMBER_BYTES], workers[NUMBER_BYTES];
	const char	*values[PARAMETERS] = {
		inspection->role_prefix, inspection->role, version_text, workers, inspection->release.functions_sha256
	};
	bool		 has_workers = inspection->config != NULL && inspection->config->workers > 0;
	PGresult	*result;

	snprintf(version_text, sizeof version_text, "%zu", inspection->release.version);
	snprintf(workers, sizeof workers, "%ld", has_workers ? inspection->config->workers : 1);
	result = PQexecParams(inspection->connection, sql, PARAMETERS, types, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		could_not_look(inspection, result);
	for (int row = 0; row < PQntuples(result); row++)
		found(inspection, level_of(PQgetvalue(result, row, 0)), PQgetvalue(result, row, 2), "%s", PQgetvalue(result, row, 1));
	PQclear(result);
}

const struct check database_checks[] = {
	{ "owner", "the schema belongs to a role of its own, and we can see all of it", NULL, owner },
	{ "version", "the database has the version of the installed files", NULL, version },
	{ "issuer", "there is an issuer", NULL, issuer },
	{ "roles", "every endpoint has a role with no more than it needs", NULL, roles },
	{ "limits", "every role has its time limits", NULL, limits },
	{ "privileges", "every role may call its functions and nothing else, PUBLIC nothing", NULL, privileges },
	{ "triggers", "whatever ends a token tells those who remember it", NULL, triggers },
	{ "keys", "every algorithm has a key that is not too old", NULL, keys },
	{ "settings", "the server loses nothing and logs no secret", NULL, settings },
	{ "connections", "the server has room for all workers", NULL, connections },
	{ "backlog", "expired rows are swept", NULL, backlog },
	{ "clients", "no client's configuration is remarkable", NULL, clients },
	{ NULL, NULL, NULL, NULL },
};
