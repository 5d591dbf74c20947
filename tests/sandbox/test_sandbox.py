"""What arbitrary code in a token worker can do: SEC-ISO-01, -02, -03; security.md section 6.2.

tests/sandbox/probe is an endpoint with the name, role and sandbox of token, whose
handler attacks.  The other endpoints are asked for the sandbox by their /proc entry."""

import errno
import pathlib
import subprocess
import time

import pytest

from lib import fcgi, wire
from lib.demo import BUILD


@pytest.fixture(scope="module")
def program():
    path = BUILD / "tests/sandbox/probe"
    done = subprocess.run(["make", "-C", str(BUILD), "tests/sandbox/probe"], capture_output=True, text=True)
    assert done.returncode == 0 and path.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return path


@pytest.fixture
def config(bed, tmp_path):
    """Of the bed, without prepared statements: each SQL text is another one."""
    path = tmp_path / "postern.conf"
    path.write_text(pathlib.Path(bed.config).read_text() + "prepare = off\n")
    return path


@pytest.fixture
def probe(bed, program, config):
    with fcgi.Endpoint(bed.run, program, config, workers=1) as endpoint:
        yield endpoint


def act(bed, endpoint, name, **more):
    return endpoint("POST", bed.at("/token"), body=wire.form({"act": name, **more}).encode())


DEADLY = ["open", "creat", "socket", "socket_tcp", "connect", "bind", "execve", "fork", "clone", "kill", "ptrace", "read_parent", "memfd",
          "sendmsg", "io_uring", "unshare", "bpf", "second_connection"]
REFUSED = ["map_executable", "make_executable", "stat", "unlink", "rename", "chmod", "dumpable", "setuid", "dup",
           "signal_parent", "own_signals"]


@pytest.mark.parametrize("name", DEADLY)
def test_deadly(bed, probe, name):
    """The worker is killed; the next request is served by another within a second."""
    assert act(bed, probe, "nothing").json() == {"errno": 0}
    before = probe.workers()
    answer = act(bed, probe, name, conninfo="host=" + bed.env["PGHOST"] + " dbname=postern")
    assert answer.status == 0, f"the worker lived: {answer}"
    began = time.monotonic()
    assert act(bed, probe, "nothing").json() == {"errno": 0}
    assert time.monotonic() - began < 1
    assert not set(before) & set(probe.workers())
    assert "killed by signal 31" in probe.log.read_text()       # SIGSYS


@pytest.mark.parametrize("name", REFUSED)
def test_refused(bed, probe, name):
    """EPERM, and the worker lives."""
    assert act(bed, probe, "nothing").json() == {"errno": 0}
    before = probe.workers()
    assert act(bed, probe, name).json() == {"errno": errno.EPERM}
    assert probe.workers() == before


def test_second_connection_works_outside(bed):
    """The control: what the worker is killed for is possible for others."""
    assert subprocess.run(["psql", "-XAt", "-h", bed.env["PGHOST"], "-U", "postern_login", "-d", "postern", "-c", "SELECT 1"],
                          capture_output=True, text=True).stdout == "1\n"


# --- by SQL, on the worker's own connection ------------------------------

OWN = {"issuer_identity", "redeem_code", "refresh", "client_credentials", "still", "signing_key", "sweep"}
PRIVILEGE = "SQLSTATE 42501"
VALUES = {"uuid": "gen_random_uuid()", "boolean": "true", "bigint": "1", "integer": "1", "text[]": "'{}'", "inet": "'::1'",
          "timestamp with time zone": "now()"}


def is_denied(bed, probe, sql, state=PRIVILEGE):
    before = probe.log.read_text()
    answer = act(bed, probe, "sql", sql=sql)
    assert answer.status == 200 and answer.json() == {"status": 2}, (sql, answer)        # STORE_BUSY
    assert state in probe.log.read_text()[len(before):], (sql, probe.log.read_text()[len(before):])


def test_own_sql_works(bed, probe):
    assert act(bed, probe, "sql", sql="SELECT * FROM postern.issuer_identity()").json() == {"status": 0}


def test_every_table_is_refused(bed, probe):
    tables = [r[0] for r in bed.db("SELECT 'postern.' || quote_ident(c.relname) FROM pg_class c WHERE c.relnamespace = 'postern'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')")]
    assert len(tables) > 10
    for table in tables:
        is_denied(bed, probe, f"SELECT * FROM {table}")
        is_denied(bed, probe, f"SELECT count(*) FROM {table}")
        is_denied(bed, probe, f"DELETE FROM {table}", "SQLSTATE")     # of a view of several tables: nobody can
        is_denied(bed, probe, f"TRUNCATE {table}", "SQLSTATE 42")
        is_denied(bed, probe, f"LOCK TABLE {table}", "SQLSTATE")
        is_denied(bed, probe, f"COPY {table} TO STDOUT")


def test_every_function_of_others_is_refused(bed, probe):
    # Arguments that are not NULL: a strict function of NULL is never called at all.
    rows = bed.db("SELECT p.proname, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) t)::text"
                  " FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace")
    others = [(name, types) for name, types in rows if name not in OWN]
    assert len(others) > 15 and OWN <= {r[0] for r in rows}
    for name, types in others:
        arguments = ", ".join(f"{VALUES.get(t, chr(39) * 2)}::{t}" for t in types.strip("{}").replace('"', "").split(",") if t)
        is_denied(bed, probe, f"SELECT postern.{name}({arguments})")


SQL = [
    ("another role", "SET ROLE postern_login"), ("the owner", "SET ROLE postern"), ("superuser", "SET SESSION AUTHORIZATION postgres"),
    ("files", "SELECT pg_read_file('/etc/passwd')"), ("large objects", "SELECT lo_import('/etc/passwd')"), ("directories", "SELECT pg_ls_dir('.')"),
    ("programs", "COPY (SELECT 1) TO PROGRAM 'true'"), ("write a file", "COPY (SELECT 1) TO '/dev/null'"), ("password file", "SELECT * FROM pg_authid"),
    ("hashes", "SELECT * FROM pg_shadow"), ("new role", "CREATE ROLE evil"), ("new schema", "CREATE SCHEMA evil"), ("new table", "CREATE TABLE postern.evil (a int)"),
    ("new function", "CREATE FUNCTION postern.evil() RETURNS int LANGUAGE sql RETURN 1"), ("new extension", "CREATE EXTENSION dblink SCHEMA public"),
    ("public table", "CREATE TABLE public.evil (a int)"), ("system settings", "ALTER SYSTEM SET fsync = off"), ("settings", "SET log_statement = 'none'"),
    ("other backends", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postern_login' LIMIT 1"),
]


@pytest.mark.parametrize("sql", [s for _, s in SQL], ids=[n for n, _ in SQL])
def test_sql(bed, probe, sql):
    if "pg_terminate" in sql:
        is_denied(bed, probe, "SELECT pg_terminate_backend(" + bed.admin.value("SELECT pg_backend_pid()") + ")")
    else:
        is_denied(bed, probe, sql, "SQLSTATE 42501")


def test_temporary_objects_do_not_mislead_functions(bed, probe):
    """A pinned search_path: an operator or table of the attacker's is not found (SEC-DB-02)."""
    act(bed, probe, "sql", sql="CREATE TEMPORARY TABLE issuer (url text, name text)")
    act(bed, probe, "sql", sql="SET search_path = pg_temp, public")
    assert act(bed, probe, "sql", sql="SELECT 1 FROM postern.issuer_identity() i WHERE i.url LIKE 'http%'").json() == {"status": 0}


# --- every real endpoint -------------------------------------------------

@pytest.mark.parametrize("name", ["authorize", "login", "consent", "token", "account", "guard", "metadata", "jwks"])
def test_every_worker_is_in_the_sandbox(bed, name):
    """/proc/PID/status: a filter is on, and cannot be left."""
    with fcgi.Endpoint(bed.run, bed.programs / name, bed.config, workers=1) as endpoint:
        path = "/.well-known/openid-configuration" if name == "metadata" else "/" + name
        assert endpoint("GET", bed.at(path)).status in (200, 303, 400, 405, 503)
        (pid,) = endpoint.workers()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
        assert "Max core file size        0                    0" in pathlib.Path(f"/proc/{pid}/limits").read_text()
        # What is open: the listener, the log, the database, the wait set.
        descriptors = list(pathlib.Path(f"/proc/{pid}/fd").iterdir())
        assert len(descriptors) <= 7, [str(d.readlink()) for d in descriptors]
