"""What each endpoint's role may do, were its program taken over: call its functions."""

import pytest

from cluster import ENDPOINTS, Installation, rows

# The surface, once more and by hand: whoever widens it has to say so here.
FUNCTIONS = {
    "authorize": {"issuer_identity", "authorize_client", "authorize"},
    "login": {"issuer_identity", "login_client", "login_begin", "login_finish", "sweep"},
    "consent": {"issuer_identity", "consent_page", "consent_decide"},
    "token": {"issuer_identity", "redeem_code", "refresh", "client_credentials", "signing_key", "sweep", "still"},
    "introspect": {"issuer_identity", "introspect", "verification_key", "still"},
    "revoke": {"issuer_identity", "revoke", "verification_key"},
    "userinfo": {"issuer_identity", "userinfo", "verification_key", "still"},
    "logout": {"issuer_identity", "logout", "verification_key"},
    "account": {"issuer_identity", "account_page", "account_disconnect", "account_end_session", "account_make_key",
                "account_revoke_key"},
    "guard": {"issuer_identity", "guard", "verification_key", "still"},
    "metadata": {"issuer_identity", "metadata"},
    "jwks": {"issuer_identity", "jwks"},
}
READS = ("SELECT FROM {0}", "SELECT {1} FROM {0}", "SELECT count(*) FROM {0}",
         "DO $$ BEGIN LOCK TABLE {0} IN ACCESS SHARE MODE; END $$")
WRITES = ("INSERT INTO {0} DEFAULT VALUES", "UPDATE {0} SET {1} = {1}", "DELETE FROM {0}")
TABLES_ONLY = ("TRUNCATE {0}", "COPY {0} TO STDOUT")


@pytest.fixture(scope="module")
def site():
    with Installation() as installation:
        done = installation.migrate()
        assert done.returncode == 0, done.stderr
        yield installation


def denied(site, endpoint, statements):
    """Each of the statements is refused to the role, for want of a privilege."""
    script = "\\set ON_ERROR_STOP off\n\\set VERBOSITY sqlstate\n" + "".join(
        f"{sql};\n\\echo {number} :SQLSTATE\n" for number, sql in enumerate(statements))
    answers = [line.split() for line in site.rows(script, user=site.prefix + endpoint) if " " in line]
    assert len(answers) == len(statements)
    assert [(statements[int(n)], state) for n, state in answers if state != "42501"] == []


def relations(site):
    """[name, first column, which statements make sense]"""
    return [line.split() for line in site.rows(
        "SELECT concat_ws(' ', format('%I.%I', n.nspname, c.relname), quote_ident(a.attname),"
        " CASE WHEN c.relkind IN ('r', 'p') THEN 'all' WHEN pg_relation_is_updatable(c.oid, false) = 0 THEN 'read' ELSE 'write' END)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1"
        " WHERE n.nspname = 'postern' AND c.relkind IN ('r', 'p', 'v', 'm');")]


def functions(site, condition):
    """Calls with NULL for every argument; a plain NULL would make the planner skip a STRICT function."""
    return site.rows("SELECT format('SELECT postern.%I(%s)', p.proname, (SELECT string_agg(format('(SELECT NULL::%s)', format_type(t, NULL)), ', ' ORDER BY n)"
                     " FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n))) FROM pg_proc p"
                     f" WHERE p.pronamespace = 'postern'::regnamespace AND {condition};")


def names(endpoint):
    return "'{" + ",".join(sorted(FUNCTIONS[endpoint])) + "}'"


def test_all_endpoints_are_here():
    assert set(FUNCTIONS) == set(ENDPOINTS)


def test_the_schema_has_relations_and_functions_to_protect(site):
    assert {("postern.account", "all"), ("postern.signing_key", "all"), ("postern.live_session", "read"),
            ("postern.live_resource", "write")} <= {(name, kind) for name, _, kind in relations(site)}
    assert len(functions(site, "true")) >= 25


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_relations_are_closed(site, endpoint):
    """SEC-DB-02, SEC-PWD-05: nobody reads a hash, not even login."""
    templates = {"read": READS, "write": READS + WRITES, "all": READS + WRITES + TABLES_ONLY}
    statements = [template.format(relation, column) for relation, column, kind in relations(site) for template in templates[kind]]
    denied(site, endpoint, statements)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_privilege_on_any_column(site, endpoint):
    role = site.prefix + endpoint
    assert site.rows("SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
                     " WHERE c.relnamespace = 'postern'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
                     f" AND has_column_privilege('{role}', c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES');") == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_functions_of_others_are_refused(site, endpoint):
    denied(site, endpoint, functions(site, f"NOT p.proname = ANY ({names(endpoint)})"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_own_functions_and_no_others_are_executable(site, endpoint):
    may = site.rows("SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace"
                    f" AND has_function_privilege('{site.prefix}{endpoint}', p.oid, 'EXECUTE');")
    assert sorted(may) == sorted(FUNCTIONS[endpoint])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_own_functions_answer(site, endpoint):
    """With the rights of their owner and an empty search_path; all NULL is no good request, but no privilege is missing."""
    for call in functions(site, f"p.proname = ANY ({names(endpoint)})"):
        done = site.run(f"BEGIN; {call}; ROLLBACK;\n", user=site.prefix + endpoint)
        assert "permission denied" not in done.stderr and "does not exist" not in done.stderr, call


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_another_role_is_out_of_reach(site, endpoint):
    others = [site.owner] + [site.prefix + e for e in ENDPOINTS if e != endpoint]
    statements = [f"SET {what} {role}" for role in others for what in ("ROLE", "SESSION AUTHORIZATION")]
    statements += [f"GRANT {site.owner} TO {site.prefix}{endpoint}", f"CREATE ROLE {site.prefix}someone",
                   f"ALTER ROLE {site.owner} PASSWORD 'x'"]
    denied(site, endpoint, statements)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nothing_can_be_made_or_changed(site, endpoint):
    denied(site, endpoint, [
        "CREATE TABLE postern.mine ()", "CREATE VIEW postern.mine AS SELECT 1", "CREATE SCHEMA mine",
        "CREATE FUNCTION postern.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION postern.issuer_identity(OUT url text, OUT name text) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, 2'",
        "DROP FUNCTION postern.issuer_identity()", "ALTER FUNCTION postern.issuer_identity() SECURITY INVOKER",
        "DROP TABLE postern.client", "DROP SCHEMA postern CASCADE", "ALTER TABLE postern.client DISABLE TRIGGER ALL",
        "GRANT SELECT ON postern.client TO PUBLIC", f"ALTER DATABASE {site.name} SET search_path = mine",
    ])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_server_is_out_of_reach(site, endpoint):
    denied(site, endpoint, [
        "SELECT pg_read_file('PG_VERSION')", "SELECT pg_read_binary_file('PG_VERSION')", "SELECT * FROM pg_ls_dir('.')",
        "COPY (SELECT 1) TO '/tmp/postern-test'", "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT lo_import('/etc/passwd')",
        "SELECT pg_reload_conf()", "SELECT * FROM pg_authid", "SELECT * FROM pg_hba_file_rules", "CREATE EXTENSION dblink SCHEMA public",
        "SET log_statement = 'none'", "SET session_replication_role = replica", "ALTER SYSTEM SET fsync = off",
        "CREATE FUNCTION public.f() RETURNS integer LANGUAGE c AS 'x', 'y'",
    ])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_attributes_and_settings_of_the_role(site, endpoint):
    assert site.rows("SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles"
                     f" WHERE rolname = '{site.prefix}{endpoint}';") == ["t|f|f|f|f|f"]
    assert site.rows(f"SELECT count(*) FROM pg_auth_members m WHERE m.member = '{site.prefix}{endpoint}'::regrole;") == ["0"]
    assert site.rows("SHOW statement_timeout; SHOW lock_timeout; SHOW idle_in_transaction_session_timeout; SHOW search_path;",
                     user=site.prefix + endpoint) == ["3s", "2s", "3s", '""']


def test_functions_run_with_a_pinned_search_path(site):
    """A SECURITY DEFINER function must not find the caller's objects."""
    assert site.rows("SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace AND p.prosecdef"
                     " AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false);") == []


def test_functions_that_need_no_rights_have_none(site):
    """Only what an endpoint calls runs with the owner's rights, and what a trigger does."""
    called = {name for some in FUNCTIONS.values() for name in some}
    definer = site.rows("SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace AND p.prosecdef"
                        " AND p.prorettype <> 'trigger'::regtype;")
    assert set(definer) == called


def test_prefix_keeps_installations_apart(site):
    with Installation() as other:
        assert other.migrate().returncode == 0
        for endpoint in ENDPOINTS:
            done = other.run("SELECT postern.issuer_identity();", user=site.prefix + endpoint)
            assert "permission denied" in done.stderr
    assert rows("SELECT 1;") == ["1"]
