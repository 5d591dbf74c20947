"""What an endpoint may give again, and what ends that (sql/0003-basis.sql, sql/functions/still.sql)."""

import subprocess
import time

import pytest

from cluster import Installation, environment, psql_command

# Every table is one of these: whoever makes another one has to think about it.
STANDS_FOR_ALL = {"issuer", "account", "authorization_grant"}
TOUCHES = {"client", "resource", "scope", "signing_key", "mac_key", "session", "consent", "revoked_token"}
IN_NO_ANSWER_THAT_IS_KEPT = {"api_key", "authorization_request", "login_throttle", "schema_object", "schema_version"}

SECRET = "sha256('secret')"
CREDENTIALS = f"postern.client_credentials('machine', 'client_secret_basic', {SECRET}, NULL, NULL)"


@pytest.fixture(scope="module")
def site():
    with Installation() as installation:
        done = installation.migrate()
        assert done.returncode == 0, done.stderr
        installation.rows(f"""
            INSERT INTO postern.issuer (url) VALUES ('https://id.example.org');
            INSERT INTO postern.resource (resource, name) VALUES ('https://r.example', 'R');
            INSERT INTO postern.scope (scope, resource, title) VALUES ('s', 'https://r.example', 'S'), ('t', 'https://r.example', 'T');
            INSERT INTO postern.client (client_id, client_name, grant_types, response_types, scope, token_endpoint_auth_method, client_secret_sha256)
            VALUES ('machine', 'M', '{{client_credentials}}', '{{}}', 's t', 'client_secret_basic', {SECRET});
        """)
        yield installation


def value(site, sql, **settings):
    return "".join(site.rows(sql + ";", **settings))


def basis(site):
    """What the answer for the machine rests on; its grant is there from the first time on."""
    value(site, f"SELECT outcome FROM {CREDENTIALS}")
    return value(site, f"SELECT basis FROM {CREDENTIALS}")


def stands(site, some):
    return value(site, "SELECT postern.still(grant_id, grant_version, account, account_version, issuer_version, until)"
                       f" FROM (SELECT ('{some}'::postern.basis).*) AS b") != ""


def test_every_table_is_accounted_for(site):
    tables = set(site.rows("SELECT relname FROM pg_class WHERE relnamespace = 'postern'::regnamespace AND relkind IN ('r', 'p');"))
    assert tables == STANDS_FOR_ALL | TOUCHES | IN_NO_ANSWER_THAT_IS_KEPT


def test_triggers_fire_always(site):
    found = site.rows("SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                      " WHERE c.relnamespace = 'postern'::regnamespace AND NOT t.tgisinternal AND t.tgenabled = 'A';")
    assert set(found) == TOUCHES
    assert site.rows("SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                     " WHERE c.relnamespace = 'postern'::regnamespace AND NOT t.tgisinternal AND t.tgenabled <> 'A';") == []


def test_stands_until_something_changes(site):
    some = basis(site)
    assert stands(site, some) and stands(site, basis(site))
    site.rows("UPDATE postern.client SET client_name = 'N';")
    assert not stands(site, some) and stands(site, basis(site))


@pytest.mark.parametrize("change", ["UPDATE postern.resource SET name = 'Q'", "UPDATE postern.scope SET title = 'Q'",
                                    "UPDATE postern.issuer SET name = 'Q'", "UPDATE postern.authorization_grant SET nonce = 'q'",
                                    "DELETE FROM postern.authorization_grant", "DELETE FROM postern.scope WHERE scope = 't'"])
def test_each_of_these_is_a_change(site, change):
    some = basis(site)
    assert stands(site, some)
    site.rows(change + ";")
    assert not stands(site, some)
    site.rows("INSERT INTO postern.scope (scope, resource, title) VALUES ('t', 'https://r.example', 'T') ON CONFLICT DO NOTHING;")


@pytest.mark.parametrize("change", ["INSERT INTO postern.client (client_id, client_name) VALUES ('new', 'New')",
                                    "INSERT INTO postern.scope (scope, title) VALUES ('new', 'New')",
                                    "INSERT INTO postern.account (login_name) VALUES ('new')"])
def test_what_is_new_ends_nothing(site, change):
    """People register and sign in all the time."""
    some = basis(site)
    if "client (" in change:
        change = change.replace("client_name)", "client_name, redirect_uris, token_endpoint_auth_method)").replace(
            "'New')", "'New', '{https://new.example/}', 'none')")
    site.rows(change + ";")
    assert stands(site, some)


def test_use_of_a_login_ends_nothing(site):
    """last_seen_at moves once a minute; consent grows with each app; what has expired is swept."""
    site.rows("INSERT INTO postern.account (sub, login_name) VALUES ('11111111-1111-4111-8111-111111111111', 'user');"
              "INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, expires_at) SELECT gen_random_uuid(), sha256('x'), sub, 0,"
              " now() + i * interval '1 hour' FROM postern.account, generate_series(-1, 1) AS i WHERE login_name = 'user';"
              "INSERT INTO postern.consent (sub, client_id, scope) SELECT sub, 'machine', '{s}' FROM postern.account WHERE login_name = 'user';")
    version = "SELECT xmin FROM postern.account WHERE login_name = 'user'"
    before = value(site, version)
    site.rows("UPDATE postern.session SET last_seen_at = now(), login_for = NULL;"
              "SELECT postern.record_consent('11111111-1111-4111-8111-111111111111', 'machine', '{t}');"
              "SELECT postern.sweep(100);")
    assert value(site, "SELECT count(*) FROM postern.session") == "1" and value(site, version) == before
    site.rows("UPDATE postern.session SET ended_at = now();")
    assert value(site, version) != before


@pytest.mark.parametrize("change", ["UPDATE postern.client SET scope = 's' WHERE client_id = 'machine'",
                                    "UPDATE postern.resource SET access_token_lifetime = '11 seconds'",
                                    "UPDATE postern.issuer SET access_token_lifetime = '11 seconds'"])
@pytest.mark.parametrize("place", ["resolve_scope", "issue"])
def test_a_change_while_the_answer_is_worked_out(site, change, place):
    """client_credentials() reads with several snapshots: what changes between two of them must not be
    taken for a part of what the answer rests on.  A wrapper of one of its steps waits for the change."""
    basis(site)
    site.rows(f"""
        ALTER FUNCTION postern.{place} RENAME TO {place}_itself;
        DO $$
        DECLARE
            f record;
        BEGIN
            SELECT pg_get_function_arguments(p.oid) AS arguments, array_to_string(p.proargnames, ', ') AS names, pg_get_function_result(p.oid) AS result
              INTO STRICT f FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace AND p.proname = '{place}_itself';
            EXECUTE format('CREATE FUNCTION postern.{place}(%s) RETURNS %s LANGUAGE plpgsql VOLATILE AS $f$
                BEGIN PERFORM pg_advisory_lock_shared(4711); PERFORM pg_advisory_unlock_shared(4711);
                RETURN postern.{place}_itself(%s); END $f$', f.arguments, f.result, f.names);
        END $$;
    """)
    try:
        command = psql_command(dbname=site.name, user=site.owner)
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment()) as gate:
            gate.stdin.write("SELECT pg_advisory_lock(4711);\n")
            gate.stdin.flush()
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND {} granted"
            until(site, waiting.format(""))
            with subprocess.Popen([*command, "-c", f"SELECT basis FROM {CREDENTIALS}"], stdout=subprocess.PIPE, text=True, env=environment()) as call:
                until(site, waiting.format("NOT"))
                site.rows(change + ";")
                gate.stdin.close()
                some = call.communicate(timeout=30)[0].strip()
        assert some == "" or not stands(site, some), some
    finally:
        site.rows(f"DROP FUNCTION postern.{place}; ALTER FUNCTION postern.{place}_itself RENAME TO {place};"
                  "UPDATE postern.client SET scope = 's t' WHERE client_id = 'machine'; UPDATE postern.resource SET access_token_lifetime = NULL;"
                  "UPDATE postern.issuer SET access_token_lifetime = DEFAULT;")


def until(site, sql):
    deadline = time.monotonic() + 20
    while value(site, sql) == "0":
        assert time.monotonic() < deadline, sql
        time.sleep(0.02)


@pytest.mark.parametrize("some", ["(,,,,,)", "(,,,,,9999999999)"])
def test_nothing_rests_on_nothing(site, some):
    assert not stands(site, some)


@pytest.mark.parametrize("place, other", [(0, "11111111-1111-4111-8111-111111111111"), (1, "1"), (4, "1"), (5, "1"), (5, "")])
def test_no_part_may_be_another(site, place, other):
    parts = basis(site).strip("()").split(",")
    assert stands(site, f"({','.join(parts)})")
    parts[place] = other
    assert not stands(site, f"({','.join(parts)})")


def test_an_upgrade_ends_all(site):
    """Other functions may decide otherwise."""
    some = basis(site)
    value(site, "UPDATE postern.schema_version SET functions_sha256 = 'older'")
    assert site.migrate().returncode == 0
    assert not stands(site, some)
