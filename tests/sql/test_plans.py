"""Every row is found by key: what a call costs does not grow with the tables (SEC-DOS; bench/README.md, --large).

With sequential scans made unattractive to the planner, one that still happens is one
that no index could have avoided."""

import pytest

from cluster import Installation

# The issuer is one row, of which a long backup beside many changes leaves thousands of versions.
GROWING = ("issuer", "account", "client", "session", "consent", "authorization_grant", "authorization_request", "revoked_token", "api_key")
GRANT = "00000000-0000-4000-8000-000000000001"
WHO = "11111111-1111-4111-8111-111111111111"

ROWS = f"""
INSERT INTO postern.issuer (url) VALUES ('http://localhost');
INSERT INTO postern.client (client_id, client_name, redirect_uris, grant_types, scope, client_secret_sha256)
VALUES ('app', 'App', '{{http://localhost/cb}}', '{{authorization_code,refresh_token,client_credentials}}', 'openid offline_access api', sha256('secret'));
INSERT INTO postern.resource (resource, name, client_id) VALUES ('https://api.example', 'API', 'app');
INSERT INTO postern.scope (scope, resource, title) VALUES ('api', 'https://api.example', 'Use it');
INSERT INTO postern.account (sub, login_name) VALUES ('{WHO}', 'ada');
INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, expires_at)
VALUES ('{WHO}', sha256('secret'), '{WHO}', 0, now() + interval '1 day');
INSERT INTO postern.consent (sub, client_id, id, scope) VALUES ('{WHO}', 'app', '{WHO}', '{{openid,offline_access,api}}');
INSERT INTO postern.authorization_grant (id, client_id, client_epoch, sub, account_epoch, consent_id, scope, resource,
    redeemed_at, expires_at, offline, refresh_generation, refreshed_at)
VALUES ('{GRANT}', 'app', 0, '{WHO}', 0, '{WHO}', '{{openid,offline_access,api}}', 'https://api.example', now(), now() + interval '1 day',
    true, 1, now());
"""
AS_APP = "'app', 'client_secret_basic', sha256('secret')"
# Opaque, so that no signing key is needed: the same way to the grant.
OPAQUE = f"translate(postern.opaque_token('{GRANT}', '{{openid,offline_access,api}}', '{{openid,api}}', now() + interval '1 hour'), '-_', '+/')"
SEALED = f"decode(rpad({OPAQUE}, (length({OPAQUE}) + 3) / 4 * 4, '='), 'base64')"
REFRESH = f"translate(postern.refresh_token('{GRANT}', 1), '-_', '+/')"
SEALED_REFRESH = f"decode(rpad({REFRESH}, (length({REFRESH}) + 3) / 4 * 4, '='), 'base64')"
NOT_A_JWT = "NULL, NULL, NULL, NULL, NULL, NULL, NULL"

CALLS = {   # name: (call, what it must say, so that the way to the end was gone)
    "introspect": (f"SELECT outcome, username FROM postern.introspect({AS_APP}, {NOT_A_JWT}, {SEALED}, NULL, NULL)", "active|ada"),
    "introspect a refresh token": (f"SELECT outcome, username FROM postern.introspect({AS_APP}, {NOT_A_JWT}, {SEALED_REFRESH}, NULL, NULL)", "active|ada"),
    "guard": (f"SELECT sub FROM postern.guard({NOT_A_JWT}, {SEALED}, NULL, NULL)", WHO),
    "userinfo": (f"SELECT login_name FROM postern.userinfo({NOT_A_JWT}, {SEALED})", "ada"),
    "refresh": (f"SELECT outcome FROM postern.refresh({AS_APP}, {SEALED_REFRESH}, NULL, NULL)", "ok"),
    "client_credentials": (f"SELECT outcome FROM postern.client_credentials({AS_APP}, 'api', NULL)", "ok"),
    "a login": (f"SELECT count(*) FROM postern.live_session s WHERE s.id = '{WHO}'", "1"),
    "authorize_client": ("SELECT outcome FROM postern.authorize_client('app', NULL)", "ok"),
}


@pytest.fixture(scope="module")
def site():
    with Installation(owner_may="NOCREATEROLE") as installation:
        done = installation.migrate(roles=False)
        assert done.returncode == 0, done.stderr
        installation.rows(ROWS)
        yield installation


@pytest.mark.parametrize("name", CALLS)
def test_found_by_key(site, name):
    call, said = CALLS[name]
    tables = ", ".join(f"'{t}'" for t in GROWING)
    lines = site.rows(f"BEGIN; SET LOCAL enable_seqscan = off; {call};"
                      f" SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE seq_scan > 0 AND relname IN ({tables}); ROLLBACK;")
    assert lines[0] == said
    assert lines[1:] == [], "a table is read from end to end"


@pytest.mark.parametrize("call", (
    "postern.mac(k.inner_pad, k.outer_pad, 'kind', k.tag)",
    "postern.payload_uuid(k.key, 1)",
    "postern.payload_integer(k.key, 1)",
    "postern.refresh_token_generation(k.key)",
    "postern.answer_uri(ARRAY[k.id::text], k.id::text)"))
def test_one_expression_is_no_call(site, call):
    """What is one expression becomes part of the statement; it would not if it promised more (IMMUTABLE) than what it calls."""
    plan = site.rows(f"EXPLAIN (VERBOSE, COSTS OFF) SELECT {call} FROM postern.mac_key k;")
    assert call.partition("(")[0] + "(" not in "".join(plan), plan
