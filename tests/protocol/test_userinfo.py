"""userinfo: OpenID Connect Core section 5.3, RFC 6750."""

import pytest

from lib.bed import Handle, basic


@pytest.fixture(scope="module")
def session(bed):
    return bed.session()


def ask(bed, token, method="GET", body=None, headers=()):
    headers = list(headers) + ([("Authorization", "Bearer " + token)] if token else [])
    if method == "POST" and body is None:
        headers.append(("Content-Length", "0"))
    return bed.request(method, bed.at("/userinfo"), headers, body)


SCOPES = [
    ("openid", {"sub"}),
    ("openid profile", {"sub", "name", "preferred_username"}),
    ("openid email", {"sub", "email", "email_verified"}),
    ("openid profile email files.read", {"sub", "name", "preferred_username", "email", "email_verified"}),
]


@pytest.mark.parametrize("scope, members", SCOPES, ids=[s[0] for s in SCOPES])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_claims_by_scope(bed, session, scope, members, method):
    answer = ask(bed, bed.tokens(session, scope=scope)["access_token"], method)
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store"
    assert answer.get("Content-Type") == "application/json"
    body = answer.json()
    assert set(body) == members and body["sub"] == bed.sub["grace"]
    assert body.get("email", "grace@example.org") == "grace@example.org" and body.get("email_verified", False) is False


def test_token_in_the_body(bed, session):
    token = bed.tokens(session)["access_token"]
    assert ask(bed, None, "POST", {"access_token": token}).status == 200
    assert ask(bed, token, "POST", {"access_token": token}).status == 400
    answer = bed.get("/userinfo", {"access_token": token})
    assert answer.status == 401        # RFC 9700 section 4.3.2: never in a query
    for headers in ([("Content-Length", "0")], []):     # SEC-HTTP-07: nor in that of a POST without a body
        answer = bed.request("POST", bed.at("/userinfo?access_token=" + token), headers)
        assert answer.status in (401, 411), answer


BAD = [
    ("none", None, 401, None), ("rubbish", "x", 401, "invalid_token"), ("dots", "a.b.c", 401, "invalid_token"),
    ("two", "a, Bearer b", 400, "invalid_request"),
]


@pytest.mark.parametrize("token, status, error", [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad(bed, token, status, error):
    answer = ask(bed, token)
    assert answer.status == status, answer
    challenge = answer.get("WWW-Authenticate")
    assert challenge.startswith("Bearer realm=")
    assert (f'error="{error}"' in challenge) if error else ("error=" not in challenge)


def test_without_openid(bed, session):
    answer = ask(bed, bed.tokens(session, scope="files.read")["access_token"])
    assert answer.status == 403 and 'error="insufficient_scope"' in answer.get("WWW-Authenticate")


def test_other_kinds(bed, session):
    body = bed.tokens(session, "t-refresh")
    assert ask(bed, body["id_token"]).status == 401
    assert ask(bed, body["refresh_token"]).status == 401
    machine = bed.machine(scope="files.read").json()["access_token"]
    assert ask(bed, machine).status == 403


@pytest.mark.parametrize("spoil", [None, "revoked_at = now()", "expires_at = now() - interval '1 second'", "secret_sha256 = sha256('')", "unknown"])
@pytest.mark.parametrize("method", ["GET", "POST", "body"])
def test_api_key(bed, session, method, spoil):
    """A key is no access token of an app.  It is told so whether it lives or not: it is not looked up, so that
    nobody learns here which keys live."""
    key = Handle()
    if spoil != "unknown":
        bed.db("INSERT INTO postern.api_key (id, secret_sha256, sub, account_epoch, name, scope, resource, expires_at)"
               " SELECT {}, {}, a.sub, a.epoch, 'k', '{{files.read}}', {}, now() + interval '1 day' FROM postern.account a WHERE a.login_name = 'grace'",
               key.id, key.digest, bed.drive)
    try:
        if spoil not in (None, "unknown"):
            bed.db(f"UPDATE postern.api_key SET {spoil} WHERE id = {{}}", key.id)
        text = "postern_key_" + key.text
        assert spoil is not None or bed.call(text).status == 200
        answer = ask(bed, None, "POST", {"access_token": text}) if method == "body" else ask(bed, text, method)
        challenge = answer.get("WWW-Authenticate")
        assert answer.status == 401 and challenge.count("error=") == 1 and 'error="invalid_token"' in challenge, answer
        assert 'error_description="API keys are not accepted here' in challenge
        assert answer.json()["error"] == "invalid_token" and answer.json()["error_description"].startswith("API keys are not accepted here")
    finally:
        bed.db("DELETE FROM postern.api_key WHERE id = {}", key.id)


@pytest.mark.parametrize("token", ["postern_key_", "postern_key_x", "postern_key_" + "A" * 63, "postern_key_" + "A" * 65, "postern_key_" + "A" * 63 + "!",
                                   "Postern_key_" + "A" * 64, "postern-key-" + "A" * 64])
def test_what_is_no_api_key(bed, token):
    answer = ask(bed, token)
    assert answer.status == 401 and 'error="invalid_token"' in answer.get("WWW-Authenticate") and "API keys" not in answer.text


def test_dead_grant(bed, session):
    token = bed.tokens(session)["access_token"]
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-public'")
    assert ask(bed, token).status == 401


def test_cors(bed):
    answer = bed.request("OPTIONS", bed.at("/userinfo"), [("Origin", "https://app.example"),
                                                          ("Access-Control-Request-Method", "GET")])
    assert answer.status == 204 and answer.get("Access-Control-Allow-Origin") == "*"
    assert "Authorization" in answer.get("Access-Control-Allow-Headers")
