"""Do the tests have teeth?  Each row takes one condition out of a SQL function of the running
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

PROTOCOL = pathlib.Path(__file__).resolve().parents[1] / "protocol"

# name, file, what stands there, what is put there, test module and -k expression
MUTANTS = [
    # redeem: each conjunct of the one statement
    ("redeem: any code of the grant", "token", "t.id = p_grant_id AND t.code_sha256 = p_code_sha256 AND t.client_id = p_client_id", "t.id = p_grant_id AND t.client_id = p_client_id",
     "token", "every_octet"),
    ("redeem: any client", "token", "t.code_sha256 = p_code_sha256 AND t.client_id = p_client_id", "t.code_sha256 = p_code_sha256", "token", "another_client or CVE-2026-16089"),
    ("redeem: twice", "token", "AND t.redeemed_at IS NULL AND t.code_expires_at", "AND t.code_expires_at", "token", "replay"),
    ("redeem: expired", "token", "AND t.code_expires_at > clock_timestamp()\n", "\n", "token", "expired"),
    ("redeem: any verifier", "token", "AND t.code_challenge IS NOT DISTINCT FROM p_challenge\n", "\n", "token", "verifier"),
    ("redeem: any redirect URI", "token", "t.redirect_uri IS NOT DISTINCT FROM p_redirect_uri\n", "true\n", "token", "redirect_uri"),
    ("redeem: redirect URI may be left out without PKCE", "token", "AND c.profile = 'oauth2.1' AND t.code_challenge IS NOT NULL", "", "token", "classic_client_must"),
    ("redeem: a replay does not end the grant", "token", "t.redeemed_at IS NOT NULL AND t.revoked_at IS NULL", "false", "token", "replay"),
    ("redeem: any client secret", "token", "AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);\n    IF NOT FOUND OR NOT 'authorization_code'",
     ";\n    IF NOT FOUND OR NOT 'authorization_code'", "mutation", "redeem_secret"),
    ("redeem: OR for AND", "token", "AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);\n    IF NOT FOUND OR NOT 'authorization_code'",
     "OR (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);\n    IF NOT FOUND OR NOT 'authorization_code'", "mutation", "redeem_secret"),
    ("redeem: any grant type", "token", "IF NOT FOUND OR NOT 'authorization_code' = ANY (c.grant_types) THEN", "IF NOT FOUND THEN", "mutation", "redeem_grant_type"),
    # refresh
    ("refresh: any client", "token", "t.id = v_id AND t.client_id = p_client_id AND t.refresh_generation", "t.id = v_id AND t.refresh_generation", "refresh", "another_client"),
    ("refresh: any generation", "token", "AND t.refresh_generation = v_generation\n", "\n", "refresh", "generation or lost_reply or window"),
    ("refresh: idle for ever", "token", "AND t.refreshed_at > clock_timestamp() - c.refresh_token_idle_lifetime\n", "\n", "refresh", "idle"),
    ("refresh: scope may grow", "token", "AND (v_wanted IS NULL OR v_wanted <@ t.scope)\n", "\n", "refresh", "grow or TOK-05"),
    ("refresh: any resource", "token", "AND (p_resource IS NULL OR p_resource = t.resource)\n", "\n", "refresh", "grow or resource"),
    ("refresh: scope in any form", "token", "NOT postern.is_scope_list(p_scope)", "false", "refresh", "twice"),
    ("refresh: the window never ends", "token", "AND g.refreshed_at > clock_timestamp() - v_window", "", "refresh", "after_the_window"),
    ("refresh: a replay does not end the grant", "token", "SET revoked_at = now(), revoked_because = 'refresh token replayed'\n         WHERE t.id = v_id",
     "SET revoked_at = now(), revoked_because = 'refresh token replayed'\n         WHERE false AND t.id = v_id", "refresh", "older_generation or window"),
    ("refresh: any grant type", "token", "IF NOT FOUND OR NOT 'refresh_token' = ANY (c.grant_types) THEN", "IF NOT FOUND THEN", "refresh", "clients_that_may"),
    # client_credentials
    ("machine: any secret", "token", "AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);\n    IF NOT FOUND THEN", ";\n    IF NOT FOUND THEN", "token", "wrong_secret or secret_cut or SEC-CLI-02"),
    ("machine: any method", "token", "WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method\n       AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);\n    IF NOT FOUND THEN",
     "WHERE l.client_id = p_client_id\n       AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);\n    IF NOT FOUND THEN", "token", "SEC-CLI-01"),
    ("machine: public clients", "token", "IF p_auth_method = 'none' OR 'client_credentials'", "IF 'client_credentials'", "mutation", "machine_public"),
    ("machine: any grant type", "token", "OR 'client_credentials' <> ALL (v_grant_types)", "", "token", "codes or machine"),
    # what is remembered
    ("still: for ever", "still", "p_until IS NULL OR p_until <= v_now", "false", "remembered", "outlives"),
    ("still: whatever is registered", "still", " WHERE i.xmin = p_issuer_version", "", "remembered", "client and disabled"),
    ("still: whatever became of the grant", "still", " AND g.xmin = p_grant_version", "", "remembered", "grant and revoked"),
    ("still: whatever became of the account", "still", " AND a.xmin = p_account_version", "", "remembered", "account and disabled"),
    ("still: whatever became of the consent", "still", " AND k.xmin = p_consent_version", "", "remembered", "consent and anew"),
    ("still: another client's consent", "still", "k.client_id = g.client_id AND k.xmin = p_consent_version", "k.sub IS NOT NULL", "remembered", "consent and anew"),
    ("still: whatever became of the login", "still", " AND s.xmin = p_session_version", "", "remembered", "session and ended"),
    ("still: no matter which person", "still", "g.sub IS NULL", "true", "remembered", "account and disabled"),
    ("still: every grant is for offline access", "still", "g.offline OR", "true OR", "remembered", "session and ended"),
    ("still: longer than the login", "presented_token", "least(g.expires_at, g.login_expires_at)", "g.expires_at", "remembered", "outlives"),
    ("still: longer than the token", "presented_token", "least(v_expires, floor(", "greatest(v_expires, floor(", "remembered", "outlives"),
    ("still: longer than the key signs", "token", "least(min(date_part('epoch', k.active_from)), v_ends,", "least(v_ends,", "remembered", "begins_to_sign"),
    ("still: longer than the machine's grant", "token", "k.active_from)), v_ends,", "k.active_from)),", "remembered", "machine_grant"),
    # the gate
    *[(f"gate: {what}", "live", old, new, "gate", expression) for what, old, new, expression in (
        ("revoked grants", "WHERE g.id = p_id AND g.revoked_at IS NULL AND", "WHERE g.id = p_id AND", "grant_revoked or revoked"),
        ("expired grants", "AND g.revoked_at IS NULL AND g.expires_at > now();", "AND g.revoked_at IS NULL;", "expired"),
        ("disabled resources", "WHERE r.resource = v_resource AND r.disabled_at IS NULL;", "WHERE r.resource = v_resource;", "resource"),
        ("resources that are gone", "WHERE r.resource = v_resource AND r.disabled_at IS NULL;\n        IF NOT FOUND THEN", "WHERE r.resource = v_resource AND r.disabled_at IS NULL;\n        IF false THEN", "resource"),
        ("disabled clients", "AND c.epoch = v_client_epoch AND c.disabled_at IS NULL\n", "AND c.epoch = v_client_epoch\n", "disabled"),
        ("client epochs", "AND c.epoch = v_client_epoch AND c.disabled_at IS NULL\n", "AND c.disabled_at IS NULL\n", "epoch"),
        ("scopes that the client has no more", "AND v_scope <@ string_to_array(c.scope, ' ');", ";", "scope"),
        ("disabled accounts", "AND a.epoch = v_account_epoch AND a.disabled_at IS NULL;", "AND a.epoch = v_account_epoch;", "disabled"),
        ("account epochs", "AND a.epoch = v_account_epoch AND a.disabled_at IS NULL;", "AND a.disabled_at IS NULL;", "epoch"),
        ("consent given anew", "AND k.id = v_consent_id AND", "AND", "anew"),
        ("reduced consent", " AND k.scope @> v_scope;", ";", "consent"),
        ("ended sessions", "AND s.ended_at IS NULL AND s.expires_at > now();", "AND s.expires_at > now();", "session"),
        ("expired sessions", "AND s.ended_at IS NULL AND s.expires_at > now();", "AND s.ended_at IS NULL;", "session"))],
    # what a presented token is worth
    ("token: expired", "presented_token", "OR v_expires <= date_part('epoch', clock_timestamp())", "", "history", "second"),
    ("token: revoked", "presented_token", "WHERE r.jti = v_jti;", "WHERE false;", "introspect", "ends_alone or opaque_access"),
    ("token: of a retired key", "presented_token", "WHERE k.kid = p_kid AND k.retired_at IS NULL", "WHERE k.kid = p_kid", "gate", "retired"),
    ("token: any client", "presented_token", "g.client_id <> p_client_id OR ", "", "jose", "client_id_of_another or client_id"),
    ("token: any audience", "presented_token", " OR v_audience <> p_audience", "", "jose", "aud"),
    ("API key: any secret", "presented_token", "WHERE k.id = p_key_id AND k.secret_sha256 = p_key_sha256;", "WHERE k.id = p_key_id;", "api_key", "every_change"),
    ("seal: any MAC", "seal", "AND sha256(postern.mac", "AND true OR sha256(postern.mac", "refresh", "every_change"),
    ("seal: any kind", "seal", "convert_to(p_kind, 'UTF8') ||", "", "token_kinds", "seal"),
    # introspect and revoke
    ("introspect: public clients", "introspect", "AND p_auth_method <> 'none'\n        AND l.client_secret_sha256 = p_secret_sha256", "AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256)", "introspect", "INTRO-01"),
    ("introspect: any caller", "introspect", "IF t.client_id IS DISTINCT FROM p_client_id THEN", "IF false THEN", "introspect", "strangers"),
    ("introspect: refresh tokens of others", "introspect", "l WHERE l.client_id = p_client_id;", "l;", "introspect", "refresh_token_for"),
    ("revoke: access tokens of others", "revoke", "IF v_client_id = p_client_id AND v_expires", "IF v_expires", "introspect", "other_clients"),
    ("revoke: grants of others", "revoke", "AND g.client_id = p_client_id AND g.revoked_at", "AND g.revoked_at", "introspect", "other_clients"),
    # authorize, consent, login, logout
    ("authorize: any session secret", "authorize", "WHERE l.id = p_session_id AND l.secret_sha256 = p_session_sha256\n", "WHERE l.id = p_session_id\n", "authorize", "octet_of_the_cookie"),
    ("authorize: PKCE never needed", "authorize", "IF p_code_challenge IS NULL AND (", "IF false AND (", "authorize", "PKCE"),
    ("authorize: prompt=login ignored", "authorize", "OR (NOT p_prompt_login\n", "OR (true\n", "authorize", "prompt_login"),
    ("authorize: max_age ignored", "authorize", "p_max_age IS NULL OR l.auth_time >=", "true OR l.auth_time >=", "authorize", "max_age"),
    ("authorize: any decision", "authorize", "AND r.query = p_query AND r.decision", "AND r.decision", "consent", "for_its_request"),
    ("consent: any session", "consent", "AND s.id = r.session_id AND s.id = p_session_id AND s.secret_sha256 = p_session_sha256\n    RETURNING", "AND s.id = p_session_id AND s.secret_sha256 = p_session_sha256\n    RETURNING",
     "mutation", "consent_of_another"),
    ("consent: decided twice", "consent", "AND r.decision IS NULL\n       AND s.id", "AND s.id", "consent", "used_once"),
    ("login: any password", "login", "AND a.password_hash = p_hash\n", "\n", "login", "wrong"),
    ("login: attempts are not counted", "login", "THEN 1 ELSE t.failures + 1 END,", "THEN 1 ELSE t.failures END,", "login", "throttle or hundredth or wait"),
    ("logout: any hint", "logout", "p_hint_session IS DISTINCT FROM p_session_id", "p_hint_session IS NULL", "logout", "another_login"),
    ("logout: any URI", "logout", "NOT p_uri = ANY (coalesce(v_uris, '{}'))", "false", "logout", "uri"),
]


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
