"""introspect and revoke: RFC 7662, RFC 7009; SEC-INTRO, SEC-REV."""

import base64
import json

import pytest

from lib.bed import SECRET, basic

INACTIVE = {"active": False}


@pytest.fixture(scope="module")
def session(bed):
    return bed.session()


def ask(bed, token, client="t-drive", **different):
    return bed.post("/introspect", {"token": token, **different}, headers=[basic(client)])


def give_back(bed, token, client="t-refresh", **different):
    parameters = {"token": token, "client_id": client, **different}
    return bed.post("/revoke", {n: v for n, v in parameters.items() if v is not None})


def test_active_for_the_resource_and_the_client(bed, session):
    token = bed.tokens(session, "t-refresh-basic")["access_token"]
    answer = ask(bed, token)
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store"
    body = answer.json()
    assert body["active"] is True and body["client_id"] == "t-refresh-basic" and body["sub"] == bed.sub["grace"]
    assert body["username"] == "grace" and body["scope"] == "openid files.read" and body["aud"] == bed.drive
    assert body["iss"] == bed.issuer and body["token_type"] == "Bearer" and isinstance(body["exp"], int)
    assert ask(bed, token, "t-refresh-basic").json()["active"] is True


def test_strangers_learn_nothing(bed, session):
    """SEC-INTRO-02, CVE-2026-37979, CVE-2026-18208: the same octets as for rubbish."""
    token = bed.tokens(session, "t-refresh-basic")["access_token"]
    stranger, rubbish = ask(bed, token, "t-machine"), ask(bed, "rubbish", "t-machine")
    assert stranger.body == rubbish.body == b'{"active":false}'
    assert stranger.names() == rubbish.names()


def test_opaque_token(bed, session):
    body = bed.tokens(session, "t-refresh-basic", "openid op.read op.write")
    token = body["access_token"]
    assert "." not in token
    told = ask(bed, token, "t-refresh-basic").json()
    assert told["active"] and told["scope"] == "openid op.read op.write" and told["aud"] == "https://op.example/"
    assert ask(bed, token, "t-drive").json() == INACTIVE
    for place in range(0, len(token), 5):
        other = "B" if token[place] != "B" else "C"
        assert ask(bed, token[:place] + other + token[place + 1:], "t-refresh-basic").json() == INACTIVE
    assert ask(bed, token[:-1], "t-refresh-basic").json() == INACTIVE
    assert ask(bed, token + "A", "t-refresh-basic").json() == INACTIVE


@pytest.mark.once
def test_opaque_token_expires(bed, session):
    """As the database would have made it a moment earlier: with the end in the past, or just not yet."""
    issued = bed.tokens(session, "t-refresh-basic", "op.read")["access_token"]
    grant = base64.urlsafe_b64decode(issued + "=" * (-len(issued) % 4))[1:17].hex()
    for seconds, active in ((60, True), (0, False), (-1, False), (-3600, False)):
        token = bed.db.value("SELECT postern.opaque_token(g.id, g.scope, g.scope, now() + make_interval(secs => {}))"
                             " FROM postern.authorization_grant g WHERE g.id = {}", seconds, grant)
        assert ask(bed, token, "t-refresh-basic").json()["active"] is active, seconds


def test_refresh_token_for_its_client_only(bed, session):
    token = bed.tokens(session, "t-refresh-basic")["refresh_token"]
    body = ask(bed, token, "t-refresh-basic").json()
    assert body["active"] and body["sub"] == bed.sub["grace"] and "token_type" not in body
    assert ask(bed, token, "t-drive").json() == INACTIVE


def tampered(token):
    head, payload, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    yield "one octet of the signature", f"{head}.{payload}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"
    yield "one octet of the payload", f"{head}.{payload[:-2]}{'B' if payload[-2] != 'B' else 'C'}{payload[-1]}.{signature}"
    yield "alg none", f"{none}.{payload}."
    yield "no signature", f"{head}.{payload}."
    yield "two parts", f"{head}.{payload}"
    yield "five parts", f"{head}.{payload}.{signature}.x.y"
    yield "padded", token + "="


def test_tampered(bed, session):
    token = bed.tokens(session, "t-refresh-basic")["access_token"]
    for name, other in tampered(token):
        assert ask(bed, other).json() == INACTIVE, name
    assert ask(bed, token).json()["active"]


def test_id_token_is_no_access_token(bed, session):
    assert ask(bed, bed.tokens(session, "t-refresh-basic")["id_token"], "t-refresh-basic").json() == INACTIVE


CLIENTS = [
    ("public", {"client_id": "t-refresh"}, []),
    ("none", {}, []),
    ("wrong secret", {}, [basic("t-drive", "wrong")]),
    ("empty secret", {}, [basic("t-drive", "")]),
    ("unknown", {}, [basic("nobody")]),
    ("another method", {"client_id": "t-drive", "client_secret": SECRET}, []),
]


@pytest.mark.parametrize("different, headers", [c[1:] for c in CLIENTS], ids=["SEC-INTRO-01 " + c[0] for c in CLIENTS])
def test_caller_must_authenticate(bed, session, different, headers):
    token = bed.tokens(session, "t-refresh-basic")["access_token"]
    answer = bed.post("/introspect", {"token": token, **different}, headers=headers)
    assert answer.status == 401 and answer.json()["error"] == "invalid_client"
    assert answer.get("WWW-Authenticate").startswith("Basic ")


def test_token_is_needed(bed):
    answer = bed.post("/introspect", {}, headers=[basic("t-drive")])
    assert answer.status == 400 and answer.json()["error"] == "invalid_request"
    assert bed.get("/introspect", {"token": "x"}, headers=[basic("t-drive")]).status == 405


# --- revoke --------------------------------------------------------------

def test_access_token_ends_alone(bed, session):
    first = bed.tokens(session, "t-refresh")
    other = bed.post("/token", {"grant_type": "refresh_token", "refresh_token": first["refresh_token"],
                                "client_id": "t-refresh"}).json()
    answer = give_back(bed, first["access_token"])
    assert answer.status == 200 and answer.body == b""
    assert bed.call(first["access_token"]).status == 401
    assert bed.call(other["access_token"]).status == 200
    assert ask(bed, first["access_token"]).json() == INACTIVE


def test_refresh_token_ends_everything(bed, session):
    """SEC-REV-04."""
    body = bed.tokens(session, "t-refresh")
    assert give_back(bed, body["refresh_token"], token_type_hint="access_token").status == 200
    assert bed.call(body["access_token"]).status == 401
    answer = bed.post("/token", {"grant_type": "refresh_token", "refresh_token": body["refresh_token"], "client_id": "t-refresh"})
    assert answer.json()["error"] == "invalid_grant"


def test_opaque_access_token(bed, session):
    body = bed.tokens(session, "t-refresh-basic", "op.read")
    assert bed.post("/revoke", {"token": body["access_token"]}, headers=[basic("t-refresh-basic")]).status == 200
    assert ask(bed, body["access_token"], "t-refresh-basic").json() == INACTIVE


@pytest.mark.parametrize("scope", ["openid files.read", "openid op.read"], ids=["jwt", "opaque"])
def test_revoked_while_it_is_worth_nothing(bed, session, scope):
    """What is disabled can be enabled again; what was revoked does not come back."""
    kept, given_back = (bed.tokens(session, "t-refresh-basic", scope)["access_token"] for _ in range(2))
    bed.db("UPDATE postern.account SET disabled_at = now() WHERE login_name = 'grace'")
    try:
        assert bed.post("/revoke", {"token": given_back}, headers=[basic("t-refresh-basic")]).status == 200
    finally:
        bed.db("UPDATE postern.account SET disabled_at = NULL")
    assert ask(bed, kept, "t-refresh-basic").json()["active"] is True
    assert ask(bed, given_back, "t-refresh-basic").json() == INACTIVE


def test_other_clients_token_stays(bed, session):
    """SEC-REV-02, autentico #182: 200, and nothing happens."""
    body = bed.tokens(session, "t-refresh")
    for token in (body["access_token"], body["refresh_token"]):
        assert bed.post("/revoke", {"token": token}, headers=[basic("t-refresh-basic")]).status == 200
    assert bed.call(body["access_token"]).status == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "A" * 71, "postern_key_x", "..", "q"], ids=lambda v: f"SEC-REV-02 {v[:20]!r}")
def test_unknown_token_is_200(bed, token):
    assert give_back(bed, token).status == 200


def test_revoke_needs_a_client(bed, session):
    """SEC-REV-01."""
    body = bed.tokens(session, "t-refresh")
    for different, status in (({"client_id": None}, 401), ({"client_id": "nobody"}, 401), ({"client_secret": "x"}, 401)):
        answer = give_back(bed, body["access_token"], **different)
        assert answer.status == status and answer.json()["error"] == "invalid_client"
    assert give_back(bed, "").json()["error"] == "invalid_request"
    assert bed.call(body["access_token"]).status == 200
