"""What an endpoint may give again, and what ends that (sql/0003-basis.sql, sql/functions/still.sql)."""

import subprocess
import time

import pytest

from cluster import Installation, environment, psql_command

# Every table is one of these: whoever makes another one has to think about it.
LOOKED_AT = {"issuer", "authorization_grant", "account", "consent", "session"}
TOUCHES = {"client", "resource", "scope", "signing_key", "mac_key", "revoked_token"}
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
    return value(site, "SELECT postern.still(grant_id, grant_version, account_version, consent_version, session_version, issuer_version, until)"
                       f" FROM (SELECT ('{some}'::postern.basis).*) AS b") != ""


def test_every_table_is_accounted_for(site):
    tables = set(site.rows("SELECT relname FROM pg_class WHERE relnamespace = 'postern'::regnamespace AND relkind IN ('r', 'p');"))
    assert tables == LOOKED_AT | TOUCHES | IN_NO_ANSWER_THAT_IS_KEPT


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


def test_once_in_a_transaction(site):
    """Otherwise many changes in one cost the square of their number; and after a savepoint is given up, anew."""
    site.rows("INSERT INTO postern.scope (scope, title) SELECT 'many' || i, 'M' FROM generate_series(1, 5000) AS i;")
    began = time.monotonic()
    some = basis(site)
    site.rows("UPDATE postern.scope SET title = 'N' WHERE scope LIKE 'many%';")
    assert time.monotonic() - began < 10 and not stands(site, some)
    some = basis(site)
    site.rows("BEGIN; SAVEPOINT a; UPDATE postern.client SET client_name = 'A'; ROLLBACK TO a; UPDATE postern.client SET client_name = 'B'; COMMIT;")
    assert not stands(site, some)
    some = basis(site)
    site.rows("BEGIN; UPDATE postern.issuer SET name = 'before'; UPDATE postern.client SET client_name = 'C'; COMMIT;")
    assert not stands(site, some)
    site.rows("DELETE FROM postern.scope WHERE scope LIKE 'many%';")


@pytest.mark.parametrize("obstacle, away", [
    ("CREATE TRIGGER calm BEFORE UPDATE ON postern.issuer FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
     "DROP TRIGGER calm ON postern.issuer"),
    ("ALTER TABLE postern.issuer ENABLE ROW LEVEL SECURITY; ALTER TABLE postern.issuer FORCE ROW LEVEL SECURITY;"
     "CREATE POLICY look ON postern.issuer FOR SELECT USING (true)",
     "DROP POLICY look ON postern.issuer; ALTER TABLE postern.issuer NO FORCE ROW LEVEL SECURITY; ALTER TABLE postern.issuer DISABLE ROW LEVEL SECURITY")])
def test_a_change_that_cannot_be_told_is_refused(site, obstacle, away):
    site.rows(obstacle + ";")
    try:
        done = site.run("UPDATE postern.client SET client_name = 'D';")
        assert done.returncode != 0 and "could not be written" in done.stderr, done
    finally:
        site.rows(away + ";")
    site.rows("UPDATE postern.client SET client_name = 'E';")


def test_a_token_of_no_grant_holds_up_nobody(site):
    """Whoever may call revoke() chooses the grant: one that is not there must not cost everybody what is remembered."""
    some = basis(site)
    revoke = "SELECT postern.revoke('machine', 'client_secret_basic', " + SECRET + ", {}, 'machine', '{}', 's', 'a', 99999999999, 'k', NULL)"
    for number, grant in enumerate(["gen_random_uuid()", "NULL"]):
        value(site, revoke.format(grant, f"jti-{number}"), user=site.prefix + "revoke")
    assert stands(site, some)
    value(site, "INSERT INTO postern.revoked_token (jti, expires_at) VALUES ('by hand', now() + interval '1 hour')")
    assert not stands(site, some)


def test_people_do_not_wait_for_administrators(site):
    """A transaction that has changed the account and the issuer, and stays open: people sign out and disconnect all the same."""
    site.rows("INSERT INTO postern.account (sub, login_name) VALUES ('11111111-1111-4111-8111-111111111111', 'user');"
              "INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, expires_at)"
              " SELECT ('22222222-2222-4222-8222-22222222222' || i)::uuid, sha256('x'), '11111111-1111-4111-8111-111111111111', 0, now() + interval '1 hour'"
              " FROM generate_series(1, 2) AS i;"
              "INSERT INTO postern.consent (sub, client_id, scope) VALUES ('11111111-1111-4111-8111-111111111111', 'machine', '{s}');")
    with subprocess.Popen(psql_command(dbname=site.name, user=site.owner), stdin=subprocess.PIPE, text=True, env=environment()) as administrator:
        administrator.stdin.write("BEGIN; UPDATE postern.account SET name = 'changed'; UPDATE postern.client SET client_name = 'F';"
                                  "SELECT pg_advisory_lock(4712);\n")
        administrator.stdin.flush()
        until(site, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712")
        second = "'22222222-2222-4222-8222-222222222222', sha256('x')"
        calls = [("account", f"SELECT outcome FROM postern.account_disconnect({second}, 'machine')"),
                 ("account", f"SELECT outcome FROM postern.account_end_session({second}, '22222222-2222-4222-8222-222222222221')"),
                 ("logout", f"SELECT outcome FROM postern.logout({second}, NULL, NULL, NULL, true)")]
        answers = [value(site, sql, user=site.prefix + role) for role, sql in calls]
        administrator.stdin.close()
    assert answers == ["ok", "ok", "ended"]


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


@pytest.mark.parametrize("some", ["(,,,,,,)", "(,,,,,,9999999999)"])
def test_nothing_rests_on_nothing(site, some):
    assert not stands(site, some)


@pytest.mark.parametrize("place, other", [(0, "11111111-1111-4111-8111-111111111111"), (1, "1"), (5, "1"), (6, "1"), (6, "")])
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


def test_an_upgrade_that_locks_the_issuer(site):
    """The call has begun with the old functions, waits for the lock, and must not take the new version for its own."""
    basis(site)
    command = psql_command(dbname=site.name, user=site.owner)
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment()) as upgrade:
        upgrade.stdin.write("BEGIN; LOCK TABLE postern.issuer IN ACCESS EXCLUSIVE MODE; SELECT pg_advisory_lock(4713);\n")
        upgrade.stdin.flush()
        until(site, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713")
        with subprocess.Popen([*command, "-c", f"SELECT basis FROM {CREDENTIALS}"], stdout=subprocess.PIPE, text=True, env=environment()) as call:
            until(site, "SELECT count(*) FROM pg_locks WHERE relation = 'postern.issuer'::regclass AND NOT granted")
            upgrade.stdin.write("UPDATE postern.issuer SET name = 'upgraded'; COMMIT;\n")
            upgrade.stdin.close()
            some = call.communicate(timeout=30)[0].strip()
    assert some != "" and not stands(site, some), some
