"""postern check, files and database: each finding is provoked for real, and goes when it is mended.

Where the hint is a command, following it is what mends."""

import os
import re
import shlex
import shutil
import stat
import time

import pytest

from cluster import ENDPOINTS, ROOT, SQL, Installation, findings, postern, psql, rows

class Site:
    """An installation that is fine, and its postern.conf."""

    def __init__(self, installation, directory):
        self.database, self.directory = installation, directory
        self.names = {"p": installation.prefix, "o": installation.owner, "d": installation.name}
        self.templates = directory / "templates"
        shutil.copytree(ROOT / "templates", self.templates)
        self.configure()
        # Nobody else can reach it, as it should be.
        directory.chmod(0o755)
        assert installation.migrate().returncode == 0
        for alg in ("ES256", "RS256"):
            assert self.postern("key", "add", alg).returncode == 0
        installation.rows("INSERT INTO postern.issuer (url) VALUES ('https://id.example.org');")

    def configure(self, *lines, role=True, mode=0o644):
        self.config = self.directory / "postern.conf"
        words = [w for w in self.database.conninfo().split() if not w.startswith("user=")]
        text = [f"database = {' '.join(words)}", f"templates = {self.templates}", "workers = 1"]
        text += [f"role_prefix = {self.database.prefix}"] if role else []
        self.config.write_text("\n".join([*text, *lines]) + "\n")
        self.config.chmod(mode)

    def postern(self, *words, user=None, **more):
        return postern(*words, POSTERN_CONFIG=str(self.config), PGUSER=user or self.database.owner, **more)

    def check(self, *words, **more):
        found = findings(self.postern("check", "--no-server", "--sql", SQL, *words, **more))
        assert all((f.hint is None) == (f.level == "ok") for f in found if f.check != "secrets"), found
        return found

    def of(self, name, *words, **more):
        return [f for f in self.check(*words, **more) if f.check == name]

    def fine(self):
        assert [f for f in self.check() if f.level != "ok"] == []

    def sql(self, text, user=None):
        """As the superuser, unless told."""
        done = psql(text.format(**self.names) + ";\n", dbname=self.database.name, user=user)
        assert done.returncode == 0, done.stderr

    def follow(self, hint):
        """Do what a hint says."""
        for command in hint.split("; "):
            if command.startswith("postern migrate"):
                assert self.database.migrate().returncode == 0
            elif command.startswith("postern "):
                done = self.postern(*shlex.split(command)[1:])
                assert done.returncode == 0, done.stderr
            else:
                self.sql(command.replace("{", "{{").replace("}", "}}"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("check")
    for parent in (directory, *directory.parents):
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    with Installation() as installation:
        yield Site(installation, directory)


HINT = object()     # mend by following the hint
KEY = "UPDATE postern.signing_key SET active_from = active_from - interval '{}', created_at = created_at - interval '{}' WHERE alg = 'ES256'"
CLIENT = ("INSERT INTO postern.client (client_id, client_name, redirect_uris, token_endpoint_auth_method, id_token_signed_response_alg, {})"
          " VALUES ('app', 'App', '{{{{https://app.example/cb}}}}', 'none', 'ES256', {})")

# check, level, what the finding says, how to break, how to mend
DATABASE = [
    ("owner", "warning", "functions belong to the superuser", "ALTER FUNCTION postern.jwks() OWNER TO postgres",
     "ALTER FUNCTION postern.jwks() OWNER TO {o}; GRANT EXECUTE ON FUNCTION postern.jwks() TO {p}jwks"),
    ("version", "error", "schema version 99", "INSERT INTO postern.schema_version (version, name) VALUES (99, 'x')",
     "DELETE FROM postern.schema_version WHERE version = 99"),
    ("version", "error", "the installed files make", "CREATE TABLE kept AS SELECT * FROM postern.schema_version; DELETE FROM postern.schema_version WHERE version > 1",
     "INSERT INTO postern.schema_version SELECT * FROM kept WHERE version > 1; DROP TABLE kept"),
    ("version", "error", "the functions in the database are not those", "UPDATE postern.schema_version SET functions_sha256 = 'other'", HINT),
    ("issuer", "error", "there is no issuer", "DELETE FROM postern.issuer", "INSERT INTO postern.issuer (url) VALUES ('https://id.example.org')"),
    ("issuer", "warning", "for trying out only", "UPDATE postern.issuer SET url = 'http://localhost'",
     "UPDATE postern.issuer SET url = 'https://id.example.org'"),
    ("roles", "error", "there is no role {p}guard", "DROP OWNED BY {p}guard; DROP ROLE {p}guard", HINT),
    ("roles", "error", "{p}token has attributes", "ALTER ROLE {p}token SUPERUSER", HINT),
    ("roles", "error", "{p}token has attributes", "ALTER ROLE {p}token CREATEROLE", HINT),
    ("roles", "error", "{p}token has attributes", "ALTER ROLE {p}token CREATEDB", HINT),
    ("roles", "error", "{p}token has attributes", "ALTER ROLE {p}token BYPASSRLS", HINT),
    ("roles", "error", "{p}token has attributes", "ALTER ROLE {p}token REPLICATION", HINT),
    ("roles", "error", "{p}login may not log in", "ALTER ROLE {p}login NOLOGIN", HINT),
    ("roles", "error", "{p}jwks is a member of {p}token", "GRANT {p}token TO {p}jwks", HINT),
    ("roles", "error", "{p}jwks is a member of pg_read_all_data", "GRANT pg_read_all_data TO {p}jwks", HINT),
    ("roles", "error", "{p}jwks owns objects: 1", "CREATE TABLE mine (); ALTER TABLE mine OWNER TO {p}jwks", "DROP TABLE mine"),
    ("limits", "warning", "{p}token has no statement_timeout", "ALTER ROLE {p}token RESET statement_timeout", HINT),
    ("limits", "warning", "{p}guard, {p}token has no lock_timeout", "ALTER ROLE {p}token SET lock_timeout = 0; ALTER ROLE {p}guard RESET lock_timeout", HINT),
    ("limits", "warning", "no idle_in_transaction_session_timeout", "ALTER ROLE {p}jwks RESET ALL",
     "ALTER ROLE {p}jwks SET statement_timeout = '3s'; ALTER ROLE {p}jwks SET lock_timeout = '2s'; ALTER ROLE {p}jwks SET idle_in_transaction_session_timeout = '3s'"),
    ("privileges", "error", "{p}token may not use the schema", "REVOKE USAGE ON SCHEMA postern FROM {p}token", HINT),
    ("privileges", "error", "{p}token may not call signing_key", "REVOKE EXECUTE ON FUNCTION postern.signing_key(text) FROM {p}token", HINT),
    ("privileges", "error", "{p}guard may not call guard", "ALTER FUNCTION postern.guard RENAME TO watch", "ALTER FUNCTION postern.watch RENAME TO guard"),
    ("privileges", "error", "{p}jwks may also call signing_key", "GRANT EXECUTE ON FUNCTION postern.signing_key(text) TO {p}jwks", HINT),
    ("privileges", "error", "{p}jwks has rights on postern.client itself", "GRANT SELECT ON postern.client TO {p}jwks", HINT),
    ("privileges", "error", "{p}jwks has rights on postern.client itself", "GRANT SELECT (client_id) ON postern.client TO {p}jwks", HINT),
    ("privileges", "error", "{p}jwks may make objects", "GRANT CREATE ON SCHEMA postern TO {p}jwks", HINT),
    ("privileges", "error", "(PUBLIC) has USAGE on the schema", "GRANT USAGE ON SCHEMA postern TO PUBLIC", HINT),
    ("privileges", "error", "(PUBLIC) has rights on postern.account", "GRANT SELECT ON postern.account TO PUBLIC", "REVOKE ALL ON postern.account FROM PUBLIC"),
    ("privileges", "error", "(PUBLIC) may call signing_key", "GRANT EXECUTE ON FUNCTION postern.signing_key(text) TO PUBLIC", HINT),
    ("privileges", "warning", "{p}reports, which is no endpoint's, has rights on postern.client", "CREATE ROLE {p}reports; GRANT SELECT ON postern.client TO {p}reports",
     "DROP OWNED BY {p}reports; DROP ROLE {p}reports"),
    ("keys", "error", "no key for ES256, which is needed for access tokens", "UPDATE postern.signing_key SET retired_at = now() WHERE alg = 'ES256'", HINT),
    ("keys", "error", "no key for RS256, which is needed by clients that name no algorithm", "UPDATE postern.signing_key SET retired_at = now() WHERE alg = 'RS256'", HINT),
    ("keys", "error", "no key for EdDSA, which is needed by the client app",
     CLIENT.format("profile", "'oauth2.1'") + "; UPDATE postern.client SET id_token_signed_response_alg = 'EdDSA'", "DELETE FROM postern.client"),
    ("keys", "warning", "has signed with ES256 for 400 days", KEY.format("400 days", "400 days"), HINT),
    ("keys", "warning", "has not signed for 40 days",
     "INSERT INTO postern.signing_key (kid, alg, public_jwk, private_key, active_from) SELECT 'old', alg, jsonb_set(public_jwk::jsonb, '{{kid}}', '\"old\"')::json,"
     " private_key, now() - interval '90 days' FROM postern.signing_key WHERE alg = 'RS256' AND retired_at IS NULL;"
     "UPDATE postern.signing_key SET active_from = now() - interval '40 days' WHERE alg = 'RS256' AND kid <> 'old'", HINT),
    ("keys", "error", "there is no MAC key", "UPDATE postern.mac_key SET retired_at = now()", HINT),
    ("keys", "warning", "has sealed for 400 days", "UPDATE postern.mac_key SET created_at = now() - interval '400 days'", HINT),
    ("keys", "warning", "no token that lives is sealed with the MAC key mac-7f",
     "INSERT INTO postern.mac_key (tag, created_at) VALUES ('\\x7f', now() - interval '300 days'); UPDATE postern.mac_key SET created_at = now() - interval '40 days' WHERE tag <> '\\x7f' AND retired_at IS NULL", HINT),
    ("settings", "error", "synchronous_commit is off for {p}token", "ALTER ROLE {p}token SET synchronous_commit = off", "ALTER ROLE {p}token RESET synchronous_commit"),
    ("settings", "warning", "log_error_verbosity is verbose for {p}token", "ALTER ROLE {p}token SET log_error_verbosity = verbose", "ALTER ROLE {p}token RESET log_error_verbosity"),
    ("settings", "error", "log_parameter_max_length_on_error is", "ALTER ROLE {p}token SET log_parameter_max_length_on_error = -1",
     "ALTER ROLE {p}token RESET log_parameter_max_length_on_error"),
    ("settings", "error", "log_statement is all", "ALTER ROLE {p}token SET log_statement = 'all'", "ALTER ROLE {p}token SET log_parameter_max_length = 0"),
    ("settings", "warning", "log_statement is mod", "ALTER ROLE {p}login SET log_statement = 'mod'", "ALTER ROLE {p}login RESET log_statement"),
    ("settings", "error", "log_min_duration_statement is 0", "ALTER ROLE {p}login SET log_min_duration_statement = 0", "ALTER ROLE {p}login SET log_parameter_max_length = 0"),
    ("settings", "warning", "log_min_duration_statement is 250ms", "ALTER ROLE {p}guard SET log_min_duration_statement = '250ms'", "ALTER ROLE {p}guard RESET log_min_duration_statement"),
    ("settings", "warning", "log_min_duration_sample is 10", "ALTER ROLE {p}guard SET log_min_duration_sample = 10", "ALTER ROLE {p}guard RESET log_min_duration_sample"),
    ("settings", "warning", "log_transaction_sample_rate is 0.1", "ALTER ROLE {p}guard SET log_transaction_sample_rate = 0.1", "ALTER ROLE {p}guard RESET log_transaction_sample_rate"),
    ("triggers", "error", "touch_issuer of postern.client is off", "ALTER TABLE postern.client DISABLE TRIGGER touch_issuer", HINT),
    ("triggers", "error", "touch_issuer_empty of postern.scope is off, or", "ALTER TABLE postern.scope ENABLE TRIGGER touch_issuer_empty", HINT),
    ("triggers", "error", "touch_grant of postern.revoked_token is gone", "ALTER TRIGGER touch_grant ON postern.revoked_token RENAME TO other",
     "ALTER TRIGGER other ON postern.revoked_token RENAME TO touch_grant"),
    ("backlog", "warning", "more than 10000 rows of postern.revoked_token",
     "INSERT INTO postern.revoked_token SELECT n, now() - interval '2 days' FROM generate_series(1, 10001) n", "DELETE FROM postern.revoked_token"),
    ("clients", "warning", "the client app may ask for scopes that do not exist: files.red", CLIENT.format("scope", "'openid files.red'"), "DELETE FROM postern.client"),
    ("clients", "warning", "of 1 clients the profile is oidc-classic, so that PKCE is not demanded: app", CLIENT.format("profile", "'oidc-classic'"), "DELETE FROM postern.client"),
    ("clients", "error", "the secret itself is stored in place of its SHA-256, and does not work: app",
     CLIENT.format("profile", "'oauth2.1'") + "; UPDATE postern.client SET token_endpoint_auth_method = 'client_secret_basic',"
     " client_secret_sha256 = '0123456789abcdef0123456789abcdef'", "DELETE FROM postern.client"),
    ("clients", "warning", "people are not asked before a public client", CLIENT.format("consent", "'implied'"), "UPDATE postern.client SET consent = 'explicit'"),
]


@pytest.mark.parametrize("name, level, says, spoil, mend", DATABASE, ids=[f"{row[0]}-{row[2][:40]}" for row in DATABASE])
def test_database(site, name, level, says, spoil, mend):
    site.sql(spoil)
    found = [f for f in site.of(name) if says.format(**site.names) in f.text]
    try:
        assert [f.level for f in found] == [level], site.of(name)
    finally:
        if mend is HINT and found:
            site.follow(found[0].hint)
        elif mend is not HINT:
            site.sql(mend)
    assert [f.level for f in site.of(name)] == ["ok"], site.of(name)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_settings_of_the_whole_server(site, setting):
    def reload(sql):
        rows(f"ALTER SYSTEM {sql};\nSELECT pg_reload_conf();\n")

    reload(f"SET {setting} = off")
    try:
        end = time.monotonic() + 10
        while not any(f"{setting} is off for all endpoints" in f.text for f in site.of("settings")) and time.monotonic() < end:
            time.sleep(0.1)
        assert [f.level for f in site.of("settings") if setting in f.text] == ["error"]
    finally:
        reload(f"RESET {setting}")
    end = time.monotonic() + 10
    while site.of("settings")[0].level != "ok" and time.monotonic() < end:
        time.sleep(0.1)
    assert [f.level for f in site.of("settings")] == ["ok"]


def test_connections(site):
    site.configure("# many")
    text = site.config.read_text().replace("workers = 1", "workers = 200")
    site.config.write_text(text)
    found = site.of("connections")
    site.configure()
    assert [f.level for f in found] == ["warning"] and f"need {200 * len(ENDPOINTS)} connections" in found[0].text
    assert [f.level for f in site.of("connections")] == ["ok"]


def test_functions_of_other_files(site, tmp_path):
    """The same version of the schema, but another text of a function."""
    files = shutil.copytree(SQL, tmp_path / "sql")
    with open(files / "functions/jwks.sql", "a") as file:
        file.write("-- changed\n")
    assert [f.hint for f in site.of("version", "--sql", files)] == ["postern migrate"]
    assert site.database.migrate("--sql", files).returncode == 0
    assert [f.level for f in site.of("version", "--sql", files)] == ["ok"]
    assert site.database.migrate().returncode == 0
    assert [f.level for f in site.of("version")] == ["ok"]


def test_no_sql_files(site):
    done = site.postern("check", "--no-server", "--sql", "/nonexistent")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "/nonexistent" in done.stderr
    assert "warning: version: there are no SQL files" in done.stdout


def test_database_that_does_not_answer(site):
    found = site.check("--database", "host=/nonexistent dbname=x")
    assert found[-1][:2] == ("error", "database") and "/nonexistent" in found[-1].text


def test_database_without_postern(site):
    with Installation() as empty:
        found = site.check("--database", empty.conninfo())
        assert ("error", "owner") in [f[:2] for f in found]
        assert {"postern migrate"} <= {f.hint for f in found}


def test_as_somebody_who_sees_nothing(site):
    found = site.check(user=site.database.prefix + "token")
    assert any(f.level == "error" and "cannot see all" in f.text for f in found if f.check == "owner")
    assert any(f.text.startswith("could not look: permission denied") for f in found)


def test_one_role_for_all(tmp_path):
    """Shared hosting: no roles of ours, and nothing to complain of."""
    with Installation(owner_may="NOCREATEROLE") as installation:
        site = Site.__new__(Site)
        site.database, site.directory, site.templates = installation, tmp_path, ROOT / "templates"
        site.configure(f"role = {installation.owner}", role=False)
        assert installation.migrate(roles=False).returncode == 0
        installation.rows("INSERT INTO postern.issuer (url) VALUES ('https://id.example.org');")
        for alg in ("ES256", "RS256"):
            assert site.postern("key", "add", alg).returncode == 0
        assert [(f.check, f.level) for f in site.check() if f.level != "ok" and f.check not in ("secrets", "limits")] == []
        for hint in [f.hint for f in site.of("limits")]:
            for command in hint.split("; "):
                installation.rows(command + ";")
        assert [f.level for f in site.of("limits")] == ["ok"]
        site.configure("role = nobody_such", role=False)
        assert "there is no role nobody_such" in site.of("roles")[0].text


# --- files ---------------------------------------------------------------------

def passfiles(site, mode=0o400, missing=(), directory_mode=0o755):
    directory = site.directory / "passfiles"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for endpoint in set(ENDPOINTS) - set(missing):
        (directory / f"{endpoint}.pgpass").write_text("*:*:*:*:secret\n")
        (directory / f"{endpoint}.pgpass").chmod(mode)
    directory.chmod(directory_mode)
    site.configure(f"passfiles = {directory}")


FILES = [
    ("secrets", "error", "others can write", lambda s: s.config.chmod(0o666)),
    ("secrets", "error", "others can write", lambda s: s.config.chmod(0o664)),
    ("secrets", "error", "everybody can write the directory", lambda s: s.directory.chmod(0o777)),
    ("secrets", "error", "everybody can read it", lambda s: s.config.write_text(s.config.read_text().replace("database = ", "database = password=hunter2 "))),
    ("secrets", "warning", "the same for all endpoints",
     lambda s: (s.config.write_text(s.config.read_text().replace("database = ", "database = password=hunter2 ")), s.config.chmod(0o640))),
    ("secrets", "error", "token.pgpass has mode 0440", lambda s: (passfiles(s), (s.directory / "passfiles/token.pgpass").chmod(0o440))),
    ("secrets", "error", "token.pgpass has mode 0604", lambda s: (passfiles(s), (s.directory / "passfiles/token.pgpass").chmod(0o604))),
    ("secrets", "warning", "no password file for guard", lambda s: passfiles(s, missing=["guard"])),
    ("secrets", "error", "others can write the directory", lambda s: passfiles(s, directory_mode=0o775)),
    ("secrets", "error", "could not look at", lambda s: s.configure(f"passfiles = {s.directory}/nowhere")),
    ("templates", "error", "login.html", lambda s: (s.templates / "login.html").unlink()),
    ("templates", "error", "style.css", lambda s: (s.templates / "style.css").unlink()),
    ("templates", "error", "consent.html:", lambda s: (s.templates / "consent.html").write_text("{{no_such_name}}")),
    ("templates", "error", "nowhere", lambda s: s.config.write_text(s.config.read_text().replace(str(s.templates), "/nowhere"))),
    ("configuration", "error", "line 5 has an unknown key", lambda s: s.configure("colour = red")),
    ("configuration", "error", "could not open", lambda s: s.config.unlink()),
]


def mend_files(site):
    site.directory.chmod(0o755)
    shutil.rmtree(site.templates)
    shutil.copytree(ROOT / "templates", site.templates)
    site.configure()


@pytest.mark.parametrize("name, level, says, spoil", FILES, ids=[f"{row[0]}-{row[2][:40]}" for row in FILES])
def test_files(site, name, level, says, spoil):
    try:
        spoil(site)
        done = site.check()
        found = [f for f in done if f.check == name]
        assert level in [f.level for f in found if says in f.text], found
        assert not any("hunter2" in f.text + (f.hint or "") for f in done)
    finally:
        mend_files(site)
    assert [f.level for f in site.of(name)] == ["ok"]


NO_CONFIGURATION = {"missing": lambda s: s.config.unlink(), "an unknown key": lambda s: s.configure("colour = red"),
                    "a key twice": lambda s: s.configure("workers = 2"), "not text": lambda s: s.config.write_bytes(b"\xff\xfe\n"),
                    "a directory": lambda s: (s.config.unlink(), s.config.mkdir())}


@pytest.mark.parametrize("spoil", NO_CONFIGURATION.values(), ids=NO_CONFIGURATION)
def test_without_a_configuration_the_cause_is_told_once(site, spoil):
    """The database is named there: without it nothing else is asked.  With --database it is."""
    try:
        spoil(site)
        done = site.postern("check", "--no-server", "--sql", SQL)
        assert done.returncode == 2 and done.stdout.count("\n") == 1, done.stdout
        assert done.stdout.startswith("error: configuration: ") and done.stdout.count("postern.conf(5)") == 1 and done.stderr == ""
        assert site.postern("check", "--no-server", "--quiet", "--sql", SQL).stdout == done.stdout
        given = findings(site.postern("check", "--no-server", "--sql", SQL, "--database", site.database.conninfo()))
        assert [(f.level, f.check) for f in given][:2] == [("error", "configuration"), ("ok", "database")] and len(given) > 5, given
        away = findings(site.postern("check", "--no-server", "--sql", SQL, "--database", "host=/nowhere"))
        assert [(f.level, f.check) for f in away] == [("error", "configuration"), ("error", "database")]
    finally:
        if site.config.is_dir():
            site.config.rmdir()
        mend_files(site)


def test_password_files_that_are_right(site):
    passfiles(site)
    assert [f.level for f in site.of("secrets")] == ["ok"]
    mend_files(site)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's file")
def test_configuration_of_another_user(site):
    os.chown(site.config, 65534, -1)
    found = site.of("secrets")
    os.chown(site.config, 0, -1)
    assert [f.level for f in found] == ["warning"] and "belongs to the user 65534" in found[0].text


def test_the_pages_are_those_of_the_endpoints():
    """check_files.c names the pages that cgi-bin loads."""
    loaded = {name for path in (ROOT / "cgi-bin").glob("*.c") for name in re.findall(r'"([a-z_]+\.html)"', path.read_text())}
    named = re.findall(r'"([a-z_]+\.html)"', (ROOT / "sbin/check_files.c").read_text())
    assert set(named) == loaded | {"error.html"}


# --- the program itself -----------------------------------------------------------

def test_quiet_and_fine(site):
    site.fine()
    assert site.postern("check", "--no-server", "--quiet", "--sql", SQL).stdout == ""
    assert site.postern("check", "--no-server", "--quiet", "--sql", SQL).returncode == 0


def test_nothing_is_changed(site):
    dump = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE schemaname = 'postern';"
    before, mode = site.database.rows(dump), stat.S_IMODE(site.config.stat().st_mode)
    site.check()
    assert site.database.rows("SELECT pg_sleep(0.6);" + dump)[-1:] == before[-1:]
    assert stat.S_IMODE(site.config.stat().st_mode) == mode


@pytest.mark.parametrize("words", [("--url", "http://x", "--no-server"), ("extra",), ("--url",), ("--quiet=yes",), ("--force",)])
def test_usage_of_check(site, words):
    done = site.postern("check", *words)
    assert done.returncode == 64 and "usage:" in done.stderr and done.stdout == ""


def test_a_name_cannot_forge_a_line(site):
    """What others chose is printed on one line, without control characters."""
    site.sql("INSERT INTO postern.client (client_id, client_name, redirect_uris, token_endpoint_auth_method, id_token_signed_response_alg, scope)"
             " VALUES ('a:b;c', 'App', '{{https://app.example/cb}}', 'none', 'ES256', 'x;hint:rm')")
    found = site.of("clients")
    site.sql("DELETE FROM postern.client")
    assert len(found) == 1 and "a:b;c" in found[0].text
