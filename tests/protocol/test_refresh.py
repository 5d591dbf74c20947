"""Refresh tokens: RFC 6749 section 6, RFC 9700 section 4.14; SEC-RT, SEC-TOK-06."""

import base64

import pytest

from lib.bed import SECRET, VAULT, basic


@pytest.fixture(scope="module")
def session(bed):
    return bed.session()


def grants(bed, session, client="t-refresh", scope="openid files.read files.write", **different):
    return bed.tokens(session, client, scope, **different)


def refresh(bed, token, client="t-refresh", **different):
    parameters = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
    headers = []
    if client == "t-refresh-basic":
        del parameters["client_id"]
        headers = [basic(client)]
    parameters.update(different)
    return bed.post("/token", {n: v for n, v in parameters.items() if v is not None}, headers=headers)


def is_error(answer, error, status=400):
    assert answer.status == status, answer
    assert answer.json()["error"] == error, answer
    assert "token" not in {k for k in answer.json() if k != "error" and k != "error_description"}


def grant_id(body):
    return base64.urlsafe_b64decode(body["refresh_token"] + "=")[1:17].hex()


def later(bed, body, seconds=60):
    """The window of a lost reply is over."""
    bed.db("UPDATE postern.authorization_grant SET refreshed_at = refreshed_at - make_interval(secs => {}) WHERE id = {}",
           seconds, grant_id(body))


def alive(bed, token):
    return bed.call(token).status == 200


@pytest.mark.parametrize("client", ["t-refresh", "t-refresh-basic"])
def test_rotation(bed, session, client):
    """SEC-RT-02: each use makes the next one."""
    first = grants(bed, session, client)
    answer = refresh(bed, first["refresh_token"], client)
    assert answer.status == 200 and answer.get("Cache-Control") == "no-store"
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    assert second["scope"] == first["scope"] and "id_token" in second
    assert alive(bed, second["access_token"])


def test_only_for_clients_that_may(bed, session):
    """SEC-RT-01."""
    assert "refresh_token" not in bed.tokens(session, "t-public")
    good = grants(bed, session)
    is_error(refresh(bed, good["refresh_token"], "t-public"), "unauthorized_client")


def test_lost_reply_gets_the_same_successor(bed, session):
    """SEC-RT-04."""
    first = grants(bed, session)
    again = [refresh(bed, first["refresh_token"]).json()["refresh_token"] for _ in range(5)]
    assert len(set(again)) == 1
    assert refresh(bed, again[0]).status == 200


def test_older_generation_ends_the_grant(bed, session):
    """SEC-RT-03, CVE-2026-9802: twice within a second, then the first; no process remembers anything,
    as the bed without a web server shows, where each request is a process of its own."""
    first = grants(bed, session)
    second = refresh(bed, first["refresh_token"]).json()
    third = refresh(bed, second["refresh_token"]).json()
    is_error(refresh(bed, first["refresh_token"]), "invalid_grant")
    is_error(refresh(bed, third["refresh_token"]), "invalid_grant")
    assert not alive(bed, third["access_token"]) and not alive(bed, first["access_token"])


def test_replay_after_the_window_ends_the_grant(bed, session):
    first = grants(bed, session)
    second = refresh(bed, first["refresh_token"]).json()
    later(bed, second)
    is_error(refresh(bed, first["refresh_token"]), "invalid_grant")
    is_error(refresh(bed, second["refresh_token"]), "invalid_grant")
    assert not alive(bed, second["access_token"])


def test_another_client(bed, session):
    """SEC-RT-05, CVE-2026-55672."""
    good = grants(bed, session)
    is_error(refresh(bed, good["refresh_token"], "t-refresh-basic"), "invalid_grant")
    assert refresh(bed, good["refresh_token"]).status == 200


def test_scope_can_shrink_and_not_grow(bed, session):
    good = grants(bed, session)
    narrow = refresh(bed, good["refresh_token"], scope="files.read").json()
    assert narrow["scope"] == "files.read" and "id_token" not in narrow
    is_error(refresh(bed, narrow["refresh_token"], scope="files.read email"), "invalid_scope")
    is_error(refresh(bed, narrow["refresh_token"], resource=VAULT), "invalid_target")
    # Nothing was lost by asking for too much; and the whole scope is still there.
    assert refresh(bed, narrow["refresh_token"]).json()["scope"] == good["scope"]


def mutations(token):
    yield "cut", token[:-1]
    yield "longer", token + "A"
    yield "empty payload", "AA"
    yield "padded", token + "="
    for place in range(0, len(token), 3):
        other = "B" if token[place] != "B" else "C"
        yield f"octet {place}", token[:place] + other + token[place + 1:]


def test_every_change_makes_it_invalid(bed, session):
    """SEC-TOK-02, CVE-2026-27840."""
    good = grants(bed, session)["refresh_token"]
    for name, token in mutations(good):
        is_error(refresh(bed, token), "invalid_grant")
    assert refresh(bed, good).status == 200


BAD = [
    ("missing", {"refresh_token": None}, "invalid_request", 400),
    ("empty", {"refresh_token": ""}, "invalid_request", 400),
    ("with a control", {"refresh_token": "a\nb"}, "invalid_request", 400),
    ("not base64url", {"refresh_token": "a.b"}, "invalid_grant", 400),
    ("too long", {"refresh_token": "A" * 513}, "invalid_request", 400),
    ("unknown client", {"client_id": "nobody"}, "invalid_client", 401),
    ("no client", {"client_id": None}, "invalid_client", 401),
    ("public client with a secret", {"client_secret": "x"}, "invalid_client", 401),
    ("SEC-TOK-05 scope that was not granted", {"scope": "email"}, "invalid_scope", 400),
    ("SEC-TOK-05 scope twice", {"scope": "files.read files.read"}, "invalid_scope", 400),
    ("SEC-TOK-05 scope with two spaces", {"scope": "openid  files.read"}, "invalid_scope", 400),
    ("SEC-TOK-05 scope with a space at the end", {"scope": "openid "}, "invalid_scope", 400),
    ("SEC-TOK-05 scope in capitals", {"scope": "OPENID"}, "invalid_scope", 400),
    ("SEC-TOK-05 resource of another grant", {"resource": VAULT}, "invalid_target", 400),
]


@pytest.mark.parametrize("different, error, status", [b[1:] for b in BAD], ids=["SEC-RT-01 " + b[0] for b in BAD])
def test_bad(bed, session, different, error, status):
    good = grants(bed, session)
    is_error(refresh(bed, good["refresh_token"], **different), error, status)
    assert refresh(bed, good["refresh_token"]).status == 200


def test_token_kinds_are_not_confused(bed, session):
    """SEC-TOK-03: each token at the other's place."""
    good = grants(bed, session)
    opaque = bed.tokens(session, "t-refresh", "openid op.read")
    assert "." not in opaque["access_token"]
    is_error(refresh(bed, good["access_token"]), "invalid_request" if len(good["access_token"]) > 512 else "invalid_grant")
    is_error(refresh(bed, opaque["access_token"]), "invalid_grant")
    assert bed.call(good["refresh_token"]).status == 401
    assert bed.call(opaque["refresh_token"]).status == 401


END = [     # what ends the grant
    ("account disabled", "UPDATE postern.account SET disabled_at = now() WHERE login_name = 'alan'",
     "UPDATE postern.account SET disabled_at = NULL WHERE login_name = 'alan'"),
    ("account epoch", "UPDATE postern.account SET epoch = epoch + 1 WHERE login_name = 'alan'", "SELECT 1"),
    ("client disabled", "UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-refresh'",
     "UPDATE postern.client SET disabled_at = NULL WHERE client_id = 't-refresh'"),
    ("client epoch", "UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 't-refresh'", "SELECT 1"),
    ("consent deleted", "DELETE FROM postern.consent WHERE client_id = 't-refresh'", "SELECT 1"),
    ("resource disabled", "UPDATE postern.resource SET disabled_at = now() WHERE name = 'Drive'",
     "UPDATE postern.resource SET disabled_at = NULL WHERE name = 'Drive'"),
    ("session ended", "UPDATE postern.session SET ended_at = now() WHERE sub = (SELECT sub FROM postern.account WHERE login_name = 'alan')",
     "SELECT 1"),
]


@pytest.mark.parametrize("end, undo", [e[1:] for e in END], ids=["SEC-TOK-06 SEC-RT-05 " + e[0] for e in END])
def test_gate(bed, end, undo):
    """SEC-TOK-06, CVE-2026-43983, CVE-2025-64521, CVE-2026-1609, CVE-2025-53942; a disabled resource: CVE-2026-93999;
    consent that is gone: CVE-2026-79652."""
    bed.consent("t-refresh", "alan")
    good = grants(bed, bed.session("alan"))
    bed.db(end)
    try:
        answer = refresh(bed, good["refresh_token"])
        assert answer.status in (400, 401) and answer.json()["error"] in ("invalid_grant", "invalid_client"), answer
        assert not alive(bed, good["access_token"])
    finally:
        bed.db(undo)


def test_offline_access_outlives_the_session(bed):
    bed.consent("t-refresh", "alan", "openid profile email files.read files.write vault.read op.read op.write offline_access")
    session = bed.session("alan")
    answer = bed.redeem(bed.code(session, "t-refresh", "openid files.read offline_access"), "t-refresh").json()
    bed.db("UPDATE postern.session SET ended_at = now() WHERE id = {}", session.id)
    assert alive(bed, answer["access_token"])
    assert refresh(bed, answer["refresh_token"]).status == 200


def test_idle_refresh_token_expires(bed, session):
    """SEC-RT-06."""
    good = grants(bed, session)
    later(bed, good, 31 * 86400)
    is_error(refresh(bed, good["refresh_token"]), "invalid_grant")


def test_replayed_code_ends_the_refresh_token(bed, session):
    bed.consent("t-refresh")
    code = bed.code(session, "t-refresh")
    good = bed.redeem(code, "t-refresh").json()
    is_error(bed.redeem(code, "t-refresh"), "invalid_grant")
    is_error(refresh(bed, good["refresh_token"]), "invalid_grant")


def test_no_row_has_the_token(bed, session):
    """Stored nowhere, not even as a digest."""
    good = grants(bed, session)["refresh_token"]
    rows = bed.db("SELECT g::text FROM postern.authorization_grant g")
    assert not any(good in r[0] or good[28:] in r[0] for r in rows)
