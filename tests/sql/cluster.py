"""A database of one's own in the test cluster, psql, and the built postern.

tests/run gives POSTERN_TEST_ADMIN_CONNINFO, the conninfo of a superuser, and may give
POSTERN_BIN.
"""

import collections
import itertools
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"
ENDPOINTS = ("authorize", "login", "consent", "token", "introspect", "revoke", "userinfo", "logout", "account", "guard",
             "metadata", "jwks")
# Roles belong to the whole cluster: these names are ours alone.
UNIQUE = f"sqltest{os.getpid()}"
_numbers = itertools.count(1)


def conninfo(**settings):
    """The administrator's connection; what is given, and is not None, wins."""
    given = "".join(f" {k}='{v}'" for k, v in settings.items() if v is not None)
    return os.environ["POSTERN_TEST_ADMIN_CONNINFO"] + given


def postern_bin():
    built = [os.environ.get("POSTERN_BIN"), ROOT / "build/postern", ROOT / "build/stage/sbin/postern"]
    return str(next(p for p in built if p and pathlib.Path(p).exists()))


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "POSTERN_"))}
    return {**kept, "POSTERN_CONFIG": "/nonexistent/postern.conf", **more}


def postern(*words, stdin="", **more):
    """Run it to its end; .returncode, .stdout, .stderr."""
    return subprocess.run([postern_bin(), *map(str, words)], input=stdin, text=True, capture_output=True,
                          env=environment(**more), timeout=120)


def psql_command(**settings):
    return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", conninfo(**settings)]


def psql(sql, **settings):
    """Run it to its end; .returncode, .stdout, .stderr (message, detail, hint)."""
    return subprocess.run(psql_command(**settings), input=sql, text=True, capture_output=True, env=environment(),
                          timeout=60)


def rows(sql, **settings):
    done = psql(sql, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


FINDING = re.compile(r"(ok|warning|error): ([a-z ]+): (.*?)(?:; hint: (.*))?")
Finding = collections.namedtuple("Finding", "level check text hint")


def findings(done):
    """Everything that postern check has found; its exit status is that of the worst."""
    found = [Finding(*FINDING.fullmatch(line).groups()) for line in done.stdout.splitlines()]
    assert found and done.stderr == "", done
    assert done.returncode == max(["ok", "warning", "error"].index(f.level) for f in found)
    return found


class Installation:
    """A database, the prefix of its roles, and a role that owns it (not a superuser)."""

    def __init__(self, owner_may="CREATEROLE", options=""):
        self.name = f"{UNIQUE}_{next(_numbers)}"
        self.prefix = self.name + "_"
        self.owner = self.name + "_owner"
        rows(f"CREATE ROLE {self.owner} LOGIN {owner_may};\n")
        rows(f"CREATE DATABASE {self.name} OWNER {self.owner} {options};\n")

    def conninfo(self, **settings):
        return conninfo(**{"dbname": self.name, "user": self.owner, **settings})

    def migrate(self, *words, roles=True, **settings):
        prefix = ["--role-prefix", self.prefix] if roles else ["--no-roles"]
        return postern("migrate", "--database", self.conninfo(**settings), "--sql", SQL, *prefix, *words)

    def run(self, sql, **settings):
        return psql(sql, **{"dbname": self.name, "user": self.owner, **settings})

    def rows(self, sql, **settings):
        return rows(sql, **{"dbname": self.name, "user": self.owner, **settings})

    def drop(self):
        rows(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE);\n")
        for role in rows(f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{self.prefix}');\n"):
            rows(f'DROP ROLE "{role}";\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()
