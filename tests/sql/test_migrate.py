"""postern migrate: all or nothing, again and again, by whom it may be."""

import shutil
import subprocess
import time

import pytest

from cluster import ENDPOINTS, SQL, Installation, environment, postern, postern_bin, psql_command, rows

# Everything that a migration may change, as text.
SNAPSHOT = """
SELECT 'schema', n.nspname, n.nspacl::text FROM pg_namespace n WHERE n.nspname = 'postern'
UNION ALL SELECT 'relation', c.relname || c.relkind::text, c.relacl::text FROM pg_class c WHERE c.relnamespace::regnamespace::text = 'postern'
UNION ALL SELECT 'function', p.oid::regprocedure::text, coalesce(p.proacl::text, 'default') || pg_get_function_result(p.oid) || p.prosrc
  FROM pg_proc p WHERE p.pronamespace::regnamespace::text = 'postern'
UNION ALL SELECT 'view', v.viewname, v.definition FROM pg_views v WHERE v.schemaname = 'postern'
UNION ALL SELECT 'constraint', c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.connamespace::regnamespace::text = 'postern'
UNION ALL SELECT 'default', d.defaclobjtype::text, d.defaclacl::text FROM pg_default_acl d
ORDER BY 1, 2, 3;
"""
DATA = "SELECT * FROM postern.schema_version; SELECT * FROM postern.scope ORDER BY 1; SELECT * FROM postern.mac_key;"


@pytest.fixture
def new():
    with Installation() as installation:
        yield installation


@pytest.fixture
def ready(new):
    done = new.migrate()
    assert done.returncode == 0, done.stderr
    return new


@pytest.fixture
def files(tmp_path):
    """A copy of sql/ that a test may spoil."""
    return shutil.copytree(SQL, tmp_path / "sql")


def refused(done, status, *words):
    assert done.returncode == status, done.stderr + done.stdout
    for word in words:
        assert word in done.stderr
    assert done.stdout == ""


def version_files(files):
    return sorted(files.glob("[0-9]*.sql"))


def add_numbered(files, name, sql):
    path = files / f"{len(version_files(files)) + 1:04d}-{name}.sql"
    path.write_text(sql)
    return path


def test_fresh(new):
    done = new.migrate()
    assert (done.returncode, done.stderr) == (0, "")
    assert "applied 0001-foundation.sql\n" in done.stdout
    last = len(version_files(SQL))
    assert done.stdout.endswith(f"schema version {last}\n")
    assert new.rows("SELECT version, name FROM postern.schema_version ORDER BY 1;")[0] == "1|foundation"
    assert new.rows("SELECT count(*) FROM postern.schema_version;") == [str(last)]
    assert new.rows("SELECT outcome FROM postern.authorize_client('nobody', NULL);") == ["unknown_client"]
    made = new.rows(f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{new.prefix}') AND rolname <> '{new.owner}';")
    assert set(made) == {new.prefix + e for e in ENDPOINTS}


def test_again_changes_nothing(ready):
    before = ready.rows(SNAPSHOT), ready.rows(DATA)
    begun = time.monotonic()
    done = ready.migrate()
    assert (done.returncode, done.stderr) == (0, "")
    assert "applied" not in done.stdout
    assert time.monotonic() - begun < 5
    assert (ready.rows(SNAPSHOT), ready.rows(DATA)) == before


@pytest.mark.parametrize("state", ["new", "older", "same"])
def test_several_at_once(new, files, state):
    if state != "new":
        assert new.migrate("--sql", files).returncode == 0
    if state != "same":
        add_numbered(files, "slow", "CREATE TABLE postern.slow (); SELECT pg_sleep(0.3);")
    command = [postern_bin(), "migrate", "--database", new.conninfo(), "--sql", str(files), "--role-prefix", new.prefix]
    runners = [subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for _ in range(4)]
    said = [runner.communicate(timeout=60) for runner in runners]
    assert [runner.returncode for runner in runners] == [0] * 4, said
    assert sum("applied" in out for out, _ in said) == (0 if state == "same" else 1)
    assert new.rows("SELECT count(*) FROM postern.schema_version;") == [str(len(version_files(files)))]
    before = new.rows(SNAPSHOT)
    assert new.migrate("--sql", files).returncode == 0
    assert new.rows(SNAPSHOT) == before


def test_broken_numbered_file_leaves_a_new_database_empty(new, files):
    path = add_numbered(files, "broken", "-- " + "\u00e9" * 300 + "\nCREATE TABLE postern.half ();\nSELECT no_such_column\nFROM postern.scope;\n")
    refused(new.migrate("--sql", files), 70, f"{path}:3: ", "no_such_column", "nothing was changed")
    assert new.rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'postern';") == ["0"]
    assert new.rows(f"SELECT count(*) FROM pg_roles WHERE starts_with(rolname, '{new.prefix}');") == ["1"]


def test_error_without_a_position_names_the_statement(new, files):
    path = add_numbered(files, "division", "SELECT 1;\nSELECT 2;\nSELECT 1 / (SELECT 0);\n")
    refused(new.migrate("--sql", files), 70, f"{path}, statement 3: division by zero")


@pytest.mark.parametrize("name", ["functions/zzz.sql", "functions/live.sql", "roles.sql"])
def test_broken_file_leaves_the_database_as_it_was(ready, files, name):
    before = ready.rows(SNAPSHOT)
    with open(files / name, "a") as file:
        file.write("\nCREATE FUNCTION postern.half() RETURNS no_such_type LANGUAGE sql AS '';\n")
    refused(ready.migrate("--sql", files), 70, f"{files / name}, statement ", "no_such_type")
    assert ready.rows(SNAPSHOT) == before


def test_migration_that_ends_the_transaction(new, files):
    path = add_numbered(files, "commit", "COMMIT;\n")
    refused(new.migrate("--sql", files), 70, f"{path}: has ended the transaction")


def test_copy_does_not_hang(new, files):
    path = add_numbered(files, "copy", "COPY postern.scope FROM STDIN;\n")
    refused(new.migrate("--sql", files), 70, f"{path}, statement 1: COPY is for psql")


def test_no_row_is_quoted(ready, files):
    ready.rows("INSERT INTO postern.account (login_name, password_hash) VALUES ('ada', '$y$j9T$' || repeat('tellnobody', 4));")
    add_numbered(files, "strict", "ALTER TABLE postern.account ADD CONSTRAINT never CHECK (login_name = '');\n")
    done = ready.migrate("--sql", files)
    refused(done, 70, '"never"')
    assert "tellnobody" not in done.stderr
    ready.rows("CREATE FUNCTION postern.fail() RETURNS integer LANGUAGE sql AS 'SELECT 1';")
    with open(files / "functions/zzz.sql", "w") as file:
        file.write("INSERT INTO postern.account SELECT * FROM postern.account;")
    done = ready.migrate("--sql", files)
    assert done.returncode == 70 and "tellnobody" not in done.stderr


def test_newer_database_is_refused(ready):
    ready.rows("INSERT INTO postern.schema_version (version, name) VALUES (4711, 'future');")
    before = ready.rows(SNAPSHOT)
    refused(ready.migrate(), 78, "schema version 4711", f"end with {len(version_files(SQL))}", "newer postern")
    assert ready.rows(SNAPSHOT) == before


@pytest.mark.parametrize("spoil, says", [
    (lambda f: shutil.rmtree(f), "could not open the directory"),
    (lambda f: shutil.rmtree(f / "functions"), "could not open the directory"),
    (lambda f: [file.unlink() for file in f.glob("0*.sql")], "NNNN-name.sql"),
    (lambda f: (f / "0009-later.sql").write_text("SELECT 1"), "is missing"),
    (lambda f: (f / "0001-other.sql").write_text("SELECT 1"), "two of number 0001"),
    (lambda f: (f / "roles.sql").unlink(), "could not open"),
    (lambda f: (f / "roles.sql").write_bytes(b"SELECT 1;\0"), "is not a text"),
    (lambda f: (f / "roles.sql").write_bytes(b"-" * (1024 * 1024 + 1)), "is not a text"),
])
def test_directory_that_does_not_fit(new, files, spoil, says):
    spoil(files)
    refused(new.migrate("--sql", files), 78, says)
    assert new.rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'postern';") == ["0"]


def test_owner_without_createrole():
    with Installation(owner_may="NOCREATEROLE") as site:
        refused(site.migrate(), 69, "roles.sql", "CREATEROLE", "--no-roles", "nothing was changed")
        assert site.rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'postern';") == ["0"]
        done = site.migrate(roles=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert site.migrate(roles=False).returncode == 0
        assert site.rows(f"SELECT count(*) FROM pg_roles WHERE starts_with(rolname, '{site.prefix}');") == ["1"]
        assert site.rows("SELECT outcome FROM postern.authorize_client('nobody', NULL);") == ["unknown_client"]


def test_stranger_is_refused(ready):
    rows(f"CREATE ROLE {ready.prefix}stranger LOGIN;")
    before = ready.rows(SNAPSHOT)
    done = ready.migrate(user=ready.prefix + "stranger", roles=False)
    assert done.returncode in (69, 70) and "permission denied" in done.stderr
    assert ready.rows(SNAPSHOT) == before


def test_superuser_is_warned(new):
    done = new.migrate(user=None)
    assert done.returncode == 0 and "warning" in done.stderr and "superuser" in done.stderr


def configuration(tmp_path, site, line=""):
    path = tmp_path / "postern.conf"
    # As in the documentation: without a user; libpq takes PGUSER.
    words = [w for w in site.conninfo().split() if not w.startswith("user=")]
    path.write_text(f"database = {' '.join(words)}\n{line}\n")
    return {"POSTERN_CONFIG": str(path), "PGUSER": site.owner}


def test_prefix_and_connection_of_the_configuration(new, tmp_path):
    done = postern("migrate", "--sql", SQL, **configuration(tmp_path, new, f"role_prefix = {new.prefix}conf_"))
    assert (done.returncode, done.stderr) == (0, "")
    assert new.rows(f"SELECT count(*) FROM pg_roles WHERE starts_with(rolname, '{new.prefix}conf_');") == [str(len(ENDPOINTS))]
    assert new.rows(f"SELECT has_function_privilege('{new.prefix}conf_jwks', 'postern.jwks()', 'EXECUTE');") == ["t"]


def test_one_role_in_the_configuration_makes_none(new, tmp_path):
    done = postern("migrate", "--sql", SQL, **configuration(tmp_path, new, f"role = {new.owner}"))
    assert (done.returncode, done.stderr) == (0, "")
    assert new.rows(f"SELECT count(*) FROM pg_roles WHERE starts_with(rolname, '{new.prefix}');") == ["1"]


@pytest.mark.parametrize("prefix", ["", "x" * 49])
def test_bad_prefix(new, prefix):
    refused(postern("migrate", "--database", new.conninfo(), "--sql", SQL, "--role-prefix", prefix), 78, "prefix")


def test_prefix_is_quoted_not_executed(new):
    prefix = new.prefix + "';\"x "
    done = postern("migrate", "--database", new.conninfo(), "--sql", SQL, "--role-prefix", prefix)
    assert done.returncode == 0, done.stderr
    names = new.rows(f"SELECT quote_ident(rolname) FROM pg_roles WHERE starts_with(rolname, '{new.prefix}') AND rolname <> '{new.owner}';")
    assert len(names) == len(ENDPOINTS)
    new.rows("DROP SCHEMA postern CASCADE;\n" + "".join(f"DROP ROLE {n};\n" for n in names))


def test_result_types_and_columns_may_change(ready, files):
    (files / "functions/jwks.sql").write_text(
        "CREATE FUNCTION postern.jwks(OUT kid text, OUT n integer) RETURNS SETOF record LANGUAGE sql "
        "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT k.kid, 1 FROM postern.signing_key k $$;")
    # live_account has the column: it could not change under the view.
    add_numbered(files, "name", "ALTER TABLE postern.account ALTER name TYPE varchar(200);")
    done = ready.migrate("--sql", files)
    assert done.returncode == 0, done.stderr
    assert ready.rows("SELECT pg_get_function_result('postern.jwks()'::regprocedure);") == ["SETOF record"]
    assert ready.rows(f"SELECT has_function_privilege('{ready.prefix}jwks', 'postern.jwks()', 'EXECUTE');") == ["t"]
    assert ready.rows("SELECT max(version) FROM postern.schema_version;") == [str(len(version_files(files)))]
    refused(ready.migrate(), 78, "newer")


def test_what_is_no_longer_in_the_files_goes(ready, files):
    extra = files / "functions/extra.sql"
    extra.write_text("CREATE VIEW postern.v AS SELECT 1 AS one;\n"
                     "CREATE FUNCTION postern.f() RETURNS SETOF postern.v LANGUAGE sql AS 'TABLE postern.v';\n"
                     "CREATE VIEW postern.w AS SELECT * FROM postern.f();\n"
                     "CREATE PROCEDURE postern.p() LANGUAGE sql AS 'SELECT 1';\n")
    names = "SELECT to_regclass('postern.v'), to_regproc('postern.f'), to_regclass('postern.w'), to_regproc('postern.p');"
    for _ in range(2):
        done = ready.migrate("--sql", files)
        assert done.returncode == 0, done.stderr
        assert ready.rows(names) == ["postern.v|postern.f|postern.w|postern.p"]
    extra.unlink()
    assert ready.migrate("--sql", files).returncode == 0
    assert ready.rows(names) == ["|||"]
    assert ready.rows("SELECT to_regproc('postern.is_scope_list');") == ["postern.is_scope_list"]


def test_what_an_administrator_made_stays(ready):
    ready.rows("CREATE VIEW postern.mine AS SELECT login_name FROM postern.account;\n"
               "CREATE FUNCTION postern.my_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM postern.client';")
    assert ready.migrate().returncode == 0
    assert ready.rows("SELECT count(*) FROM postern.mine; SELECT postern.my_count();") == ["0", "0"]


def narrow(files):
    """live_client with a column less: no view can be replaced by such a one."""
    path = files / "functions/live.sql"
    text = path.read_text()
    assert "SELECT c.*" in text
    path.write_text(text.replace("SELECT c.*", "SELECT c.client_id, c.client_name, c.redirect_uris, c.grant_types, c.scope, c.profile, c.epoch,"
                                 " c.token_endpoint_auth_method, c.client_secret_sha256"))


def test_what_rests_on_a_view_of_ours_stays_or_is_named(ready, files):
    ready.rows("CREATE VIEW postern.mine AS SELECT client_id FROM postern.live_client;")
    assert ready.migrate().returncode == 0
    assert ready.rows("SELECT count(*) FROM postern.mine;") == ["0"]
    before = ready.rows(SNAPSHOT)
    narrow(files)
    refused(ready.migrate("--sql", files), 70, "could not drop", "live_client", "postern.mine", "nothing was changed")
    assert ready.rows(SNAPSHOT) == before
    ready.rows("DROP VIEW postern.mine;")
    assert ready.migrate("--sql", files).returncode == 0


IDENTITIES = ("SELECT oid::regprocedure::text, oid FROM pg_proc WHERE pronamespace = 'postern'::regnamespace"
              " UNION ALL SELECT oid::regclass::text, oid FROM pg_class WHERE relnamespace = 'postern'::regnamespace AND relkind = 'v' ORDER BY 1;")


def test_functions_and_views_keep_their_identity(ready, files):
    """A call that was planned before the upgrade finds its function afterwards."""
    before = ready.rows(IDENTITIES)
    add_numbered(files, "column", "ALTER TABLE postern.client ADD COLUMN software_id text;")
    with open(files / "functions/zzz.sql", "w") as file:
        file.write("CREATE OR REPLACE FUNCTION postern.jwks(OUT public_jwk text) RETURNS SETOF text LANGUAGE sql"
                   " SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT 'new' $$;")
    done = ready.migrate("--sql", files)
    assert (done.returncode, done.stderr) == (0, "")
    assert ready.rows(IDENTITIES) == before
    assert ready.rows("SELECT * FROM postern.jwks();") == ["new"]


def test_a_privilege_that_is_not_in_the_files_goes(ready):
    signing_key = "has_function_privilege('{}', 'postern.signing_key(text)', 'EXECUTE')"
    question = f"SELECT {signing_key.format(ready.prefix + 'jwks')}, {signing_key.format(ready.prefix + 'token')};"
    ready.rows(f"GRANT EXECUTE ON FUNCTION postern.signing_key(text) TO {ready.prefix}jwks;")
    assert ready.rows(question) == ["t|t"]
    assert ready.migrate().returncode == 0
    assert ready.rows(question) == ["f|t"]


def test_public_has_nothing(ready):
    rows(f"CREATE ROLE {ready.prefix}stranger LOGIN;")
    stranger = {"user": ready.prefix + "stranger"}
    ready.rows("CREATE FUNCTION postern.later() RETURNS integer LANGUAGE sql AS 'SELECT 1';")
    assert ready.rows("SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace"
                      " AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0);") == []
    assert ready.rows("SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'postern'::regnamespace"
                      " AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = 0);") == []
    assert ready.rows("SELECT nspname FROM pg_namespace n WHERE nspname = 'postern'"
                      " AND EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0);") == []
    assert "permission denied" in ready.run("SELECT * FROM postern.jwks();", **stranger).stderr
    # Also what PUBLIC got meanwhile is taken back.
    ready.rows("GRANT USAGE ON SCHEMA postern TO PUBLIC; GRANT SELECT ON postern.account TO PUBLIC;"
               " GRANT EXECUTE ON FUNCTION postern.is_scope_list(text) TO PUBLIC;")
    assert ready.run("SELECT * FROM postern.account;", **stranger).returncode == 0
    assert ready.migrate().returncode == 0
    for sql in ("SELECT * FROM postern.account;", "SELECT postern.is_scope_list('a');", "SELECT postern.later();"):
        assert "permission denied" in ready.run(sql, **stranger).stderr


def test_waits_for_an_open_reader(ready):
    command = psql_command(dbname=ready.name, user=ready.owner)
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment(), text=True)
    reader.stdin.write("BEGIN; SELECT count(*) FROM postern.live_session; SELECT pg_sleep(2.5); COMMIT;\n")
    reader.stdin.close()
    while not ready.rows("SELECT 1 FROM pg_locks WHERE relation = 'postern.live_session'::regclass;"):
        time.sleep(0.02)
    begun = time.monotonic()
    done = ready.migrate()
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - begun > 1.0
    assert reader.wait() == 0


def test_database_that_does_not_answer():
    refused(postern("migrate", "--database", "host=/nonexistent dbname=x", "--role-prefix", "x_"), 69, "/nonexistent")


def test_no_configuration():
    refused(postern("migrate", "--no-roles"), 78, "postern.conf", "--database")


def test_wrong_encoding():
    with Installation(options="ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0") as site:
        refused(site.migrate(), 78, "UTF8")


@pytest.mark.parametrize("words", [
    (), ("frobnicate",), ("key",), ("migrate", "extra"), ("migrate", "--force"), ("migrate", "--sql"),
    ("migrate", "--no-roles=yes"), ("migrate", "--no-roles", "--role-prefix", "x"), ("migrate", "--databas", "x"),
    ("key", "add"), ("key", "add", "ES256", "RS256"), ("key", "list", "ES256"), ("key", "retire"),
    ("passwd", "secret"), ("passwd", "--force"),
])
def test_usage(words):
    refused(postern(*words), 64, "usage:")


@pytest.mark.parametrize("words, says", [(("frobnicate",), 'no command "frobnicate"'), (("key",), 'after "key"'), (("key", "frobnicate"), 'after "key"')])
def test_usage_says_what_is_wrong(words, says):
    assert says in postern(*words).stderr


def test_usage_repeats_no_value():
    assert "hunter2" not in postern("passwdd", "hunter2").stderr
    assert "hunter2" not in postern("migrate", "--databse=password=hunter2").stderr


@pytest.mark.parametrize("words", [("--help",), ("migrate", "--help"), ("key", "add", "--help"), ("passwd", "--help")])
def test_help(words):
    done = postern(*words)
    assert done.returncode == 0 and done.stdout.startswith("usage:") and done.stderr == ""


def test_version():
    assert postern("--version").stdout.startswith("postern ")
