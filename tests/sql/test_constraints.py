"""What cannot be stored: each named CHECK refuses, and says so by its name."""

import re

import pytest

from cluster import SQL, Installation

KID = "x" * 43
KEY = f'{{"kid":"{KID}","alg":"ES256","kty":"EC"}}'
PEM = "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n"
HASH = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"

# A row of each table that is good, as SQL expressions.
GOOD = {
    "issuer": {"url": "'https://id.example.org'"},
    "resource": {"resource": "'https://drive.example.org'", "name": "'Drive'"},
    "scope": {"scope": "'files.read'", "title": "'See your files'"},
    "account": {"login_name": "'ada'", "password_hash": f"'{HASH}'"},
    "client": {"client_id": "'noteapp'", "client_name": "'NoteApp'",
               "redirect_uris": "'{https://note.example.org/}'", "client_secret_sha256": "sha256('secret')"},
    "signing_key": {"kid": f"'{KID}'", "alg": "'ES256'", "public_jwk": f"'{KEY}'", "private_key": f"'{PEM}'"},
    "mac_key": {"tag": "'\\x02'"},
}

PUBLIC = {"token_endpoint_auth_method": "'none'", "client_secret_sha256": "NULL"}


def uris(*values):
    return {"redirect_uris": "ARRAY[" + ",".join(v if v.startswith("repeat") or v.startswith("U&") else f"'{v}'" for v in values) + "]::text[]"}


# (table, constraint, what differs from the good row)
BAD = [
    ("issuer", "there is one issuer: update its row", {"only_row": "false"}),
    *[("issuer", "issuer is https (http on loopback), no slash at its end", {"url": f"'{url}'"}) for url in (
        "", "https://", "http://id.example.org", "https://id.example.org/", "https://ID.example.org",
        "https://id.example.org?x", "https://id.example.org#x", "https://u@id.example.org",
        "https://id.example.org:0", "https://id.example.org/a//b", "https://id.example.org/a b", "ftp://id.example.org",
        "http://localhost.example.org", "http://127.0.0.2", "https://id.example.org\n", "https://id.example.org/%41")],
    *[("issuer", "a code lives 10 seconds to 10 minutes", {"code_lifetime": f"'{t}'"})
      for t in ("9 seconds", "601 seconds", "-1 minute")],
    *[(table, "an access token lives 10 seconds to 1 day", {"access_token_lifetime": f"'{t}'"})
      for table in ("issuer", "resource") for t in ("9 seconds", "25 hours", "-1 minute")],
    *[("issuer", "an ID token lives 10 seconds to 1 day", {"id_token_lifetime": f"'{t}'"})
      for t in ("9 seconds", "25 hours")],
    ("issuer", "a session lives 1 minute to 1 year", {"session_idle_lifetime": "'59 seconds'"}),
    ("issuer", "a session lives 1 minute to 1 year", {"session_lifetime": "'2 years'"}),
    ("issuer", "a session lives 1 minute to 1 year", {"session_idle_lifetime": "'2 days'", "session_lifetime": "'1 day'"}),

    *[("resource", "a resource is an absolute URI without fragment", {"resource": r}) for r in (
        "''", "'drive'", "'/drive'", "'//drive.example.org'", "'https:'", "'https://drive.example.org#x'",
        "'https://drive.example.org/a b'", "'https://dr\u00efve.example.org'", "E'https://drive.example.org\\n'",
        "'https://drive.example.org/\"'", "'https://' || repeat('a', 1020)")],

    *[("scope", "a scope is one word of RFC 6749 section 3.3", {"scope": s}) for s in (
        "''", "'a b'", "' a'", "'a\"b'", "'a\\b'", "'\u00e9'", "E'a\\n'", "repeat('a', 129)")],
    ("scope", "say in title what the scope allows, in a few words", {"title": "''"}),

    *[("account", "login_name has 1 to 255 bytes and no control characters", {"login_name": n}) for n in (
        "''", "'  '", "E'a\\tb'", "E'a\\n'", "E'\\x7f'", "repeat('a', 256)", "repeat('\u00e9', 128)")],
    *[("account", "make password_hash with: postern passwd", {"password_hash": h}) for h in (
        "''", "'secret'", "'*'", "'!'", "'$1$saltsalt$aaaaaaaaaaaaaaaaaaaaaa'", "'$5$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaa'",
        "'$y$short'", f"'{HASH}' || ' '", f"E'\\n' || '{HASH}'")],

    *[("client", "client_id has 1 to 255 visible ASCII characters", {"client_id": i}) for i in (
        "''", "'a b'", "E'a\\n'", "'\u00e9'", "repeat('a', 256)")],
    *[("client", "client_id must not look like an account's sub", {"client_id": f"'{i}'"}) for i in (
        "0b5a3cde-0f5e-4e5b-9a53-5d3b0d9a7a11", "0B5A3CDE-0F5E-4E5B-9A53-5D3B0D9A7A11")],
    *[("client", "client_name is what people will read on the consent page", {"client_name": n}) for n in (
        "''", "E'Note\\nApp'", "repeat('a', 256)", r"U&'Note\202EppA'", r"U&'\2066x'", r"U&'\200Fx'")],
    *[("client", "client_uri, logo_uri, policy_uri and tos_uri are https URLs", {column: f"'{uri}'"})
      for column in ("client_uri", "logo_uri", "policy_uri", "tos_uri")
      for uri in ("", "javascript:alert(1)", "data:image/png,x", "http://note.example.org/", "https://u@note.example.org/",
                  "https://note.example.org/\"x", "https://note.example.org/ x")],
    *[("client", "a redirect URI is https, http on loopback, or a.domain:/", uris(uri)) for uri in (
        "", "/cb", "//note.example.org/cb", "http://note.example.org/cb", "https://note.example.org/cb#x",
        "https://note.example.org/*", "https://*.example.org/", "https://u@note.example.org/", "https:note.example.org",
        "https://note.example.org\\@evil.example/", "https://note.example.org/a b", "https://not\u00e9.example.org/",
        "javascript:alert(1)", "data:text/html,x", "note:/cb", "http://localhost.example.org/", "http://127.0.0.1.example.org/",
        "http://127.0.0.1@evil.example/", "https://", "https://note.example.org:123456/", "HTTPS://note.example.org/",
        "urn:ietf:wg:oauth:2.0:oob", "file:///etc/passwd", "blob:https://note.example.org/x")],
    ("client", "a redirect URI is https, http on loopback, or a.domain:/",
     uris("https://note.example.org/", "http://note.example.org/")),
    ("client", "a redirect URI is https, http on loopback, or a.domain:/",
     {"redirect_uris": "ARRAY['https://note.example.org/', NULL]"}),
    ("client", "a redirect URI is https, http on loopback, or a.domain:/",
     {"redirect_uris": "ARRAY['https://note.example.org/' || repeat('a', 2048)]"}),
    *[("client", "unknown grant type: see \\d+ postern.client", {"grant_types": f"'{g}'"}) for g in (
        "{authorization_code,password}", "{implicit}", "{NULL}")],
    ("client", "response_types: code", {"response_types": "'{code,token}'"}),
    ("client", "response_types: code", {"response_types": "'{code,NULL}'"}),
    ("client", "authorization_code needs a redirect URI and response type code", {"redirect_uris": "'{}'"}),
    ("client", "authorization_code needs a redirect URI and response type code", {"response_types": "'{}'"}),
    *[("client", "scope is a list of scopes with single spaces, each once", {"scope": s}) for s in (
        "' a'", "'a '", "'a  b'", "'a a'", "'a\"'", "E'a\\tb'", "E'a\\n'",
        "(SELECT string_agg('s' || i, ' ') FROM generate_series(1, 600) i)")],
    *[("client", "auth method: client_secret_basic, client_secret_post or none", {"token_endpoint_auth_method": f"'{m}'"})
      for m in ("", "client_secret_jwt", "NONE")],
    ("client", "a client with a secret needs client_secret_sha256, others none", {"client_secret_sha256": "NULL"}),
    ("client", "a client with a secret needs client_secret_sha256, others none", {"token_endpoint_auth_method": "'none'"}),
    ("client", "client_secret_sha256 is sha256(the secret), 32 bytes", {"client_secret_sha256": "'secret'"}),
    ("client", "client_secret_sha256 is sha256(the secret), 32 bytes", {"client_secret_sha256": "sha256('x') || '\\x00'"}),
    ("client", "the secret must not be empty", {"client_secret_sha256": "sha256('')"}),
    ("client", "client_credentials needs a client with a secret", {**PUBLIC, "grant_types": "'{client_credentials}'"}),
    *[("client", "id_token_signed_response_alg: ES256, RS256, PS256, EdDSA", {"id_token_signed_response_alg": f"'{a}'"})
      for a in ("none", "HS256", "es256", "")],
    ("client", "profile: oauth2.1 or oidc-classic", {"profile": "'fapi2'"}),
    ("client", "consent: explicit, or implied for your own apps", {"consent": "'never'"}),

    ("signing_key", "make keys with: postern key add", {"alg": "'HS256'"}),
    ("signing_key", "make keys with: postern key add", {"alg": "'RS256'"}),
    ("signing_key", "make keys with: postern key add", {"kid": "'another'"}),
    ("signing_key", "make keys with: postern key add", {"public_jwk": f"'{KEY[:-1]},\"d\":\"secret\"}}'"}),
    ("signing_key", "make keys with: postern key add", {"public_jwk": "'{}'"}),
    ("signing_key", "make keys with: postern key add", {"private_key": "'-----BEGIN ENCRYPTED PRIVATE KEY-----'"}),
    ("mac_key", "a MAC key has 32 bytes", {"key": "sha256('x') || '\\x00'"}),
    ("mac_key", "a MAC key has 32 bytes", {"key": "''"}),
    ("mac_key", "the tag is one byte", {"tag": "'\\x0202'"}),
    ("mac_key", "the tag is one byte", {"tag": "''"}),
    ("issuer", "refresh tokens live 1 hour to 1 year", {"refresh_token_idle_lifetime": "'59 minutes'"}),
    ("issuer", "refresh tokens live 1 hour to 1 year", {"refresh_token_lifetime": "'366 days'"}),
    ("issuer", "refresh tokens live 1 hour to 1 year", {"refresh_token_lifetime": "'29 days'"}),
    ("resource", "access_token_format: jwt or opaque", {"access_token_format": "'JWT'"}),
    ("client", "refresh_token needs authorization_code beside it", {"grant_types": "'{refresh_token}'", "redirect_uris": "'{}'"}),
    ("client", "a logout URI is https, http on loopback, or a.domain:/", {"post_logout_redirect_uris": "'{http://app.example/}'"}),
    ("client", "a logout URI is https, http on loopback, or a.domain:/", {"post_logout_redirect_uris": "'{https://app.example/#x}'"}),
]

ALSO_GOOD = [
    *[("issuer", {"url": f"'{url}'"}) for url in (
        "https://example.org", "https://example.org:8443/auth", "https://a.b/c/d", "http://localhost:8080",
        "http://auth.localhost", "http://127.0.0.1:1", "http://[::1]:8080/auth")],
    ("issuer", {"code_lifetime": "'10 seconds'", "access_token_lifetime": "'1 day'", "session_lifetime": "'1 year'"}),
    *[("resource", {"resource": f"'{r}'"}) for r in ("https://a.example/b?c=d", "urn:example:drive", "http://drive.localhost:8080")],
    ("resource", {"access_token_lifetime": "NULL"}),
    *[("scope", {"scope": f"'{s}'"}) for s in ("a", "https://a.example/read", "a:b!~", "x" * 128)],
    *[("account", {"login_name": n}) for n in ("'a'", "'Ada Lovelace'", "'\u00e9ric@example.org'", "repeat('a', 255)")],
    *[("account", {"password_hash": h}) for h in (
        "NULL", "'$2b$12$' || repeat('a', 53)", "'$6$rounds=5000$saltsalt$' || repeat('a', 86)")],
    *[("client", uris(uri)) for uri in (
        "https://note.example.org", "https://note.example.org:8443/cb?x=y", "http://localhost:3000/", "http://noteapp.localhost/",
        "http://127.0.0.1/cb", "http://[::1]:9/cb", "org.example.note:/cb", "https://[2001:db8::1]/cb")],
    ("client", {**PUBLIC, "redirect_uris": "'{https://a.example/,org.example.note:/cb}'"}),
    ("client", {"grant_types": "'{client_credentials}'", "redirect_uris": "'{}'", "response_types": "'{}'"}),
    ("client", {"scope": "'openid files.read'", "profile": "'oidc-classic'", "consent": "'implied'"}),
    ("client", {"client_id": "'https://note.example.org/client.json'", "client_name": "'\u5907\u5fd8\u5f55'"}),
    ("client", {"logo_uri": "'http://noteapp.localhost:8080/logo.svg'", "client_uri": "'https://note.example.org'"}),
]


def insert(table, changes):
    row = {**GOOD[table], **changes}
    if not row:
        return f"INSERT INTO postern.{table} DEFAULT VALUES;"
    return f"BEGIN; INSERT INTO postern.{table} ({', '.join(row)}) VALUES ({', '.join(row.values())}); ROLLBACK;"


def label(value):
    return None if isinstance(value, str) else " ".join(value.values())[:40].encode("ascii", "replace").decode()


@pytest.fixture(scope="module")
def site():
    with Installation(owner_may="NOCREATEROLE") as installation:
        done = installation.migrate(roles=False)
        assert done.returncode == 0, done.stderr
        yield installation


@pytest.mark.parametrize("table, constraint, changes", BAD, ids=label)
def test_refused(site, table, constraint, changes):
    done = site.run(insert(table, changes))
    assert done.returncode != 0
    assert f'violates check constraint "{constraint}"' in done.stderr


@pytest.mark.parametrize("table, changes", [(table, {}) for table in GOOD] + ALSO_GOOD, ids=label)
def test_accepted(site, table, changes):
    done = site.run(insert(table, changes))
    assert done.returncode == 0, done.stderr


def test_every_named_constraint_is_tried(site):
    tried = {f"{table}|{name}" for table, name, _ in BAD}
    stored = set(site.rows("SELECT c.conrelid::regclass::text || '|' || c.conname FROM pg_constraint c"
                           " WHERE c.connamespace = 'postern'::regnamespace AND c.contype = 'c' AND strpos(c.conname, ' ') > 0;",
                           options="-c search_path=postern"))
    assert tried == stored


def test_no_name_was_cut(site):
    written = {name for file in SQL.glob("[0-9]*.sql") for name in re.findall(r'(?<!DROP )CONSTRAINT "([^"]+)" CHECK', file.read_text())}
    dropped = {name for file in SQL.glob("[0-9]*.sql") for name in re.findall(r'DROP CONSTRAINT "([^"]+)"', file.read_text())}
    assert written - dropped == {name for _, name, _ in BAD}


def test_every_constraint_of_a_table_for_administrators_has_a_name(site):
    assert site.rows("SELECT c.conname FROM pg_constraint c WHERE c.contype = 'c' AND strpos(c.conname, ' ') = 0 AND c.conrelid::regclass::text"
                     f" = ANY ('{{{','.join('postern.' + t for t in GOOD)}}}');") == []


# --- tables that the endpoints' functions write: the same, by the kind of constraint ---

ID, OTHER = "'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000000002'"
SOON = "now() + interval '1 hour'"
WRITTEN = {
    "session": {"id": ID, "secret_sha256": "sha256('x')", "sub": OTHER, "account_epoch": "0", "expires_at": SOON},
    "login_throttle": {"subject": "'account:x'", "failures": "1", "blocked_until": "now()", "expires_at": SOON},
    "consent": {"sub": ID, "client_id": "'noteapp'", "scope": "'{openid}'"},
    "authorization_request": {"id": ID, "secret_sha256": "sha256('x')", "session_id": OTHER, "client_id": "'noteapp'",
                              "redirect_uri": "'https://note.example.org/'", "query": "'client_id=noteapp'", "scope": "'{openid}'", "expires_at": SOON},
    "authorization_grant": {"id": ID, "client_id": "'noteapp'", "client_epoch": "0", "scope": "'{openid}'", "code_sha256": "sha256('x')", "expires_at": SOON},
    "revoked_token": {"jti": "'x'", "expires_at": SOON},
    "api_key": {"id": ID, "secret_sha256": "sha256('x')", "sub": OTHER, "account_epoch": "0", "name": "'script'", "scope": "'{files.read}'",
                "resource": "'https://drive.example.org'", "expires_at": SOON},
}
EVERY = {**GOOD, **WRITTEN}
SHORT = [
    *[(table, column, value, constraint) for table, column, constraint in (
        ("session", "secret_sha256", "session_secret_sha256_check"), ("authorization_request", "secret_sha256", "authorization_request_secret_sha256_check"),
        ("authorization_grant", "code_sha256", "authorization_grant_code_sha256_check"), ("api_key", "secret_sha256", "api_key_secret_sha256_check"))
      for value in ("''", "'plain text'", "sha256('x') || '\\x00'", "substr(sha256('x'), 2)")],
    *[("authorization_request", "decision", f"'{d}'", "authorization_request_decision_check") for d in ("", "ALLOW", "allow ", "yes")],
    ("api_key", "name", "''", "api_key_name_check"), ("api_key", "name", "repeat('n', 256)", "api_key_name_check"),
]


def values(table, changes=None):
    row = {**EVERY[table], **(changes or {})}
    return f"INSERT INTO postern.{table} ({', '.join(row)}) VALUES ({', '.join(row.values())})"


@pytest.mark.parametrize("table", WRITTEN)
def test_written_row_is_accepted(site, table):
    done = site.run(f"BEGIN; {values(table)}; ROLLBACK;")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("table, column, value, constraint", SHORT, ids=[f"{t} {c} {v}"[:60] for t, c, v, _ in SHORT])
def test_written_row_is_refused(site, table, column, value, constraint):
    """SEC-DCR-05, SEC-CODE-04, SEC-SESS-01: a digest has 32 octets, and is no secret in plain."""
    done = site.run(f"BEGIN; {values(table, {column: value})}; ROLLBACK;")
    assert done.returncode != 0 and f'violates check constraint "{constraint}"' in done.stderr, done.stderr


def test_every_short_constraint_is_tried(site):
    stored = set(site.rows("SELECT c.conname FROM pg_constraint c WHERE c.connamespace = 'postern'::regnamespace AND c.contype = 'c' AND strpos(c.conname, ' ') = 0;"))
    assert stored == {constraint for _, _, _, constraint in SHORT}


def test_no_column_that_must_be_there_may_be_missing(site):
    """Each NOT NULL, by the catalog: every table, every column."""
    columns = [line.split("|") for line in site.rows(
        "SELECT r.relname || '|' || a.attname FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid WHERE r.relnamespace = 'postern'::regnamespace"
        " AND r.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND r.relname NOT LIKE 'schema_%';")]
    assert {table for table, _ in columns} == set(EVERY)
    blocks = [f"DO $$ BEGIN {values(table, {column: 'NULL'})}; RAISE EXCEPTION 'accepted: {table}.{column}';"
              " EXCEPTION WHEN not_null_violation THEN NULL; END $$;" for table, column in columns]
    done = site.run("\n".join(blocks))
    assert done.returncode == 0, done.stderr


KEYS = {        # what must not come twice: unique index, and what may differ all the same
    "issuer": ("issuer_pkey", {"url": "'https://other.example.org'"}), "resource": ("resource_pkey", {"name": "'Other'"}), "scope": ("scope_pkey", {"title": "'Other'"}),
    "account": ("account_login_name_key", {}), "client": ("client_pkey", {"client_name": "'Other'"}), "signing_key": ("signing_key_pkey", {}),
    "mac_key": ("the tag is one byte and names one key", {}), "session": ("session_pkey", {"sub": ID}), "login_throttle": ("login_throttle_pkey", {"failures": "2"}),
    "consent": ("consent_pkey", {"scope": "'{email}'"}), "authorization_request": ("authorization_request_pkey", {"session_id": ID}),
    "authorization_grant": ("authorization_grant_pkey", {"client_id": "'other'"}), "revoked_token": ("revoked_token_pkey", {}), "api_key": ("api_key_pkey", {"sub": ID}),
}


@pytest.mark.parametrize("table", KEYS)
def test_twice_is_refused(site, table):
    index, different = KEYS[table]
    done = site.run(f"BEGIN; {values(table)}; {values(table, different)}; ROLLBACK;")
    assert done.returncode != 0 and f'violates unique constraint "{index}"' in done.stderr, done.stderr


@pytest.mark.parametrize("table, column", [("account", "sub"), ("mac_key", "id")])
def test_identifier_twice_is_refused(site, table, column):
    more = {"account": {"login_name": "'other'"}, "mac_key": {"tag": "'\\x03'"}}[table]
    done = site.run(f"BEGIN; {values(table, {column: ID})}; {values(table, {column: ID, **more})}; ROLLBACK;")
    assert f'violates unique constraint "{table}_pkey"' in done.stderr


def test_every_unique_index_is_tried(site):
    stored = set(site.rows("SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'postern'::regnamespace AND i.indisunique"
                           " AND c.relname NOT LIKE 'schema_%';"))
    assert stored == {index for index, _ in KEYS.values()} | {"account_pkey", "mac_key_pkey"}


FOREIGN = [("scope", {"resource": "'https://unknown.example.org'"}, "scope_resource_fkey"), ("resource", {"client_id": "'unknown'"}, "resource_client_id_fkey")]


@pytest.mark.parametrize("table, changes, constraint", FOREIGN, ids=[f[2] for f in FOREIGN])
def test_unknown_reference_is_refused(site, table, changes, constraint):
    done = site.run(f"BEGIN; {values(table, changes)}; ROLLBACK;")
    assert f'violates foreign key constraint "{constraint}"' in done.stderr
    used = {"scope": (values("resource"), values("scope", {"resource": EVERY["resource"]["resource"]}), "DELETE FROM postern.resource"),
            "resource": (values("client"), values("resource", {"client_id": "'noteapp'"}), "DELETE FROM postern.client")}[table]
    done = site.run("BEGIN; " + "; ".join(used) + "; ROLLBACK;")
    assert f'violates foreign key constraint "{constraint}"' in done.stderr


def test_every_reference_is_tried(site):
    stored = set(site.rows("SELECT c.conname FROM pg_constraint c WHERE c.connamespace = 'postern'::regnamespace AND c.contype = 'f';"))
    assert stored == {constraint for _, _, constraint in FOREIGN}


HOSTILE_URIS = ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "https://user@app.example/", "https://app.example/#x", "https://app.example/\u00e9", "https://app.example/\t",
                "https://*.example/", "//app.example/", "https:app.example", "https://app.example\\\\x", "https://app.example/<x>", "http://app.example/", "file:///etc/passwd", "blob:x", ""]


def refused(statement, what):
    """A block that fails if the statement does not violate a CHECK."""
    return f"DO $$ BEGIN {statement}; RAISE EXCEPTION 'accepted: %', {what!r}; EXCEPTION WHEN check_violation THEN NULL; END $$;"


@pytest.mark.parametrize("uri", HOSTILE_URIS, ids=[f"SEC-DCR-02 CVE-2026-29192 CVE-2025-67495 {u!a}" for u in HOSTILE_URIS])
def test_hostile_uri_is_refused_by_insert_and_update(site, uri):
    """SEC-DCR-04: whoever writes the row, and however."""
    blocks = []
    for column in ("redirect_uris", "post_logout_redirect_uris", "logo_uri", "client_uri", "policy_uri", "tos_uri"):
        if "#" in uri and not column.endswith("uris"):
            continue        # a page may have a place to look at
        value = f"ARRAY[E'{uri}']" if column.endswith("uris") else f"E'{uri}'"
        blocks += [refused(values("client", {column: value}), column), refused(f"{values('client')}; UPDATE postern.client SET {column} = {value}", column)]
    done = site.run("\n".join(blocks))
    assert done.returncode == 0, done.stderr


HOSTILE_NAMES = ["Note\\u202eApp", "Note\\u2066App", "Note\\u200eApp", "Note\\x1b[31mApp", "Note\\nApp", "  ", ""]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda v: f"SEC-DCR-02 {v}")
def test_hostile_name_is_refused(site, name):
    """Direction marks and controls would make one app look like another."""
    done = site.run(refused(values("client", {"client_name": f"E'{name}'"}), "client_name"))
    assert done.returncode == 0, done.stderr


def test_login_names_are_unique_however_spelt(site):
    done = site.run("BEGIN; INSERT INTO postern.account (login_name) VALUES ('Ada'), (' ada ');")
    assert "account_login_name_key" in done.stderr


def test_the_second_issuer_is_refused(site):
    done = site.run("BEGIN; INSERT INTO postern.issuer (url) VALUES ('https://a.example'), ('https://b.example');")
    assert "issuer_pkey" in done.stderr
