"""Do the tests have teeth?  Each row of mutants.py takes one condition out of a SQL function of the running
bed, or turns it round; the named tests must then fail, and pass again when it is back
(CVE-2026-28513: AND where OR was meant).

A row whose tests still pass is a condition that nothing proves.  A row whose text is gone
from the source fails as well: write it anew."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from lib.demo import ROOT
from mutants import MUTANTS

PROTOCOL = pathlib.Path(__file__).resolve().parents[1] / "protocol"


def statement_of(source, at):
    """The CREATE statement around a place in a file."""
    start = source.rindex("\nCREATE OR REPLACE ", 0, at) + 1
    if source.startswith("CREATE OR REPLACE VIEW", start):
        return start, source.index(";\n", at) + 1
    dollar = source.find("\n$$;", start)
    plain = re.search(r"^RETURN [^;]*;|^END;", source[start:], re.M)
    ends = [e for e in (dollar + 4 if dollar >= 0 else None, start + plain.end() if plain else None) if e and e > at]
    return start, min(ends)


def mutate(name, old, new):
    """(the statement with the change, the statement as it is)."""
    source = (ROOT / f"sql/functions/{name}.sql").read_text()
    assert source.count(old) >= 1, f"sql/functions/{name}.sql no longer has: {old}"
    at = source.index(old)
    start, end = statement_of(source, at)
    return source[start:at] + new + source[at + len(old):end], source[start:end]


def run(bed, module, expression):
    """Exit status of the tests: 0 all passed, 1 some failed."""
    path = pathlib.Path(__file__) if module == "mutation" else PROTOCOL / f"test_{module}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--bed", bed.name, str(path), "-k", expression]
    environment = {**os.environ, "POSTERN_BED": str(bed.directory)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def store(bed, statement):
    bed.db(statement.replace("{", "{{").replace("}", "}}").removesuffix(";"))


# What tells endpoints that an answer they remember no longer stands (sql/0003-basis.sql), and who notices that it is off.
TRIGGERS = [
    ("client", "touch_issuer", "client and disabled"), ("resource", "touch_issuer", "resource and disabled"),
    ("scope", "touch_issuer", "scope and resource"), ("signing_key", "touch_issuer", "signing"), ("mac_key", "touch_issuer", "mac_key"),
    ("revoked_token", "touch_grant", "revoked_by_its_client"),
]


@pytest.mark.parametrize("table, trigger, expression", TRIGGERS, ids=[f"{t[0]} without {t[1]}" for t in TRIGGERS])
def test_missing_trigger_is_noticed(bed, table, trigger, expression):
    bed.admin(f"ALTER TABLE postern.{table} DISABLE TRIGGER {trigger}")
    try:
        done = run(bed, "remembered", expression)
    finally:
        bed.admin(f"ALTER TABLE postern.{table} ENABLE ALWAYS TRIGGER {trigger}")
        bed.prepare()
    assert done.returncode == 1, f"it is not missed ({done.returncode}):\n{done.stdout[-1500:]}"


@pytest.mark.parametrize("name, old, new, module, expression", [m[1:] for m in MUTANTS], ids=[m[0] for m in MUTANTS])
def test_mutant_is_killed(bed, name, old, new, module, expression):
    changed, original = mutate(name, old, new)
    store(bed, changed)
    try:
        done = run(bed, module, expression)
    finally:
        store(bed, original)
        bed.prepare()
    assert done.returncode == 1, f"it survives ({done.returncode}):\n{done.stdout[-1500:]}"


# --- what the inner runs ask where no test of protocol asks it alone -----

def test_redeem_secret(bed):
    """A confidential client's code, with a wrong secret, with another client's, and without."""
    from lib.bed import SECRET, basic
    bed.consent("t-basic")
    session = bed.session()
    for header in (basic("t-basic", "wrong"), basic("t-basic", SECRET[:-1])):
        code = bed.code(session, "t-basic")
        answer = bed.post("/token", {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://app.example/cb",
                                     "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}, headers=[header])
        assert answer.status == 401, answer
        assert bed.redeem(code, "t-basic").status == 200


def test_redeem_grant_type(bed):
    """The right to redeem codes was taken away between authorization and redemption."""
    bed.consent("t-public")
    code = bed.code(bed.session())
    bed.db("UPDATE postern.client SET grant_types = '{{}}' WHERE client_id = 't-public'")
    try:
        assert bed.redeem(code).json()["error"] == "unauthorized_client"
    finally:
        bed.prepare()


def test_consent_of_another(bed):
    """Who knows another session's request, and has a session and a form value of his own."""
    from lib.browser import forms
    bed.db("DELETE FROM postern.consent")
    victim, thief = bed.session("grace"), bed.session("alan")
    handle = bed.get("/authorize", bed.authorization("t-other"), victim).query()["request"]
    own = bed.get("/authorize", bed.authorization("t-other"), thief).query()["request"]
    csrf = forms(bed.get("/consent", {"request": own}, thief))[0]["fields"]["csrf"]
    answer = bed.post("/consent", {"request": handle, "csrf": csrf, "decision": "allow"}, thief)
    assert answer.status == 400 and bed.db.value("SELECT count(*) FROM postern.consent") == "0", answer


def test_machine_public(bed):
    """No constraint lets such a row in; were there one, its id alone would still get nothing."""
    bed.admin("ALTER TABLE postern.client DROP CONSTRAINT \"client_credentials needs a client with a secret\"")
    try:
        bed.db("UPDATE postern.client SET grant_types = '{{client_credentials,authorization_code}}' WHERE client_id = 't-public'")
        answer = bed.post("/token", {"grant_type": "client_credentials", "client_id": "t-public", "scope": "files.read"})
        assert answer.status == 400 and answer.json()["error"] == "unauthorized_client", answer
    finally:
        bed.prepare()
        bed.admin("ALTER TABLE postern.client ADD CONSTRAINT \"client_credentials needs a client with a secret\" CHECK ("
                  "NOT 'client_credentials' = ANY (grant_types) OR token_endpoint_auth_method <> 'none')")
