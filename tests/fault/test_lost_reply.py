"""The connection to PostgreSQL breaks at the worst moment: a statement has been committed,
and its answer does not arrive.  Nobody knows what happened, so the answer is 503 and
nothing is tried again: a second redemption would be a replay.  Also the moment before,
when nothing has been done; DESIGN rule 10, G-05."""

import base64

import pytest

from lib import fcgi, wire
from lib.bed import CB, SECRET, VERIFIER, handle_of
from lib.proxy import Proxy

CLIENT = "t-refresh-basic"
CREDENTIALS = "Basic " + base64.b64encode(wire.form({CLIENT: SECRET}).replace("=", ":", 1).encode()).decode()


@pytest.fixture(scope="module")
def proxy(bed):
    with Proxy(bed) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def session(bed):
    bed.consent(CLIENT)
    return bed.session()


class Asker:
    """One program with one worker behind the proxy, which has prepared its statements."""

    def __init__(self, bed, endpoint, path):
        self.bed, self.endpoint, self.path = bed, endpoint, path

    def post(self, **parameters):
        return self.endpoint("POST", self.bed.at(self.path), {"Authorization": CREDENTIALS}, wire.form(parameters).encode())

    def redeem(self, code):
        return self.post(grant_type="authorization_code", code=code, redirect_uri=CB, code_verifier=VERIFIER)

    def refresh(self, token):
        return self.post(grant_type="refresh_token", refresh_token=token)


@pytest.fixture
def token(bed, proxy, session):
    with fcgi.Endpoint(bed.run, bed.programs / "token", proxy.config, workers=1) as endpoint:
        asker = Asker(bed, endpoint, "/token")
        first = asker.redeem(bed.code(session, CLIENT))
        assert first.status == 200 and asker.refresh(first.json()["refresh_token"]).status == 200
        yield asker


def lost(proxy, what, statement, request):
    """The request, whose statement's answer (or the statement itself) is lost: 503, once."""
    proxy.lose(what, b"\0" + statement + b"\0")
    answer = request()
    assert proxy.lost == 1, "nothing was lost: the statement has another name"
    assert answer.status == 503 and answer.get("Retry-After") and answer.get("Cache-Control") == "no-store", answer
    return answer


def grant(bed, grant_id):
    return bed.db("SELECT redeemed_at IS NOT NULL, refresh_generation, revoked_because FROM postern.authorization_grant WHERE id = {}", grant_id)[0]


def test_redemption_was_done(bed, proxy, session, token):
    code = bed.code(session, CLIENT)
    lost(proxy, "reply", b"redeem_code", lambda: token.redeem(code))
    assert grant(bed, handle_of(code).id) == ("t", "1", "")         # once, and not revoked
    assert token.redeem(code).json()["error"] == "invalid_grant"    # the client cannot know: a replay
    assert grant(bed, handle_of(code).id) == ("t", "1", "code replayed")


def test_redemption_was_not_done(bed, proxy, session, token):
    code = bed.code(session, CLIENT)
    lost(proxy, "request", b"redeem_code", lambda: token.redeem(code))
    assert grant(bed, handle_of(code).id) == ("f", "", "")
    assert token.redeem(code).status == 200


def test_refresh_was_done(bed, proxy, session, token):
    """The client asks again, and gets the successor that it missed."""
    code = bed.code(session, CLIENT)
    first = token.redeem(code).json()["refresh_token"]
    lost(proxy, "reply", b"refresh", lambda: token.refresh(first))
    assert grant(bed, handle_of(code).id) == ("t", "2", "")
    second = token.refresh(first)
    assert second.status == 200 and grant(bed, handle_of(code).id) == ("t", "2", "")
    assert token.refresh(second.json()["refresh_token"]).status == 200


def test_refresh_was_not_done(bed, proxy, session, token):
    code = bed.code(session, CLIENT)
    first = token.redeem(code).json()["refresh_token"]
    lost(proxy, "request", b"refresh", lambda: token.refresh(first))
    assert grant(bed, handle_of(code).id) == ("t", "1", "")
    assert token.refresh(first).status == 200


@pytest.mark.parametrize("what", ["reply", "request"])
def test_revocation(bed, proxy, session, what):
    """200 means that it is committed; after 503 it can be asked for again."""
    body = bed.tokens(session, CLIENT)
    with fcgi.Endpoint(bed.run, bed.programs / "revoke", proxy.config, workers=1) as endpoint:
        asker = Asker(bed, endpoint, "/revoke")
        assert asker.post(token="unknown").status == 200
        lost(proxy, what, b"revoke", lambda: asker.post(token=body["refresh_token"]))
        assert bed.call(body["access_token"]).status == (401 if what == "reply" else 200)
        assert asker.post(token=body["refresh_token"]).status == 200
    assert bed.call(body["access_token"]).status == 401


@pytest.mark.parametrize("what, made", [("reply", 1), ("request", 0)])
def test_authorization(bed, proxy, session, what, made):
    """A code that nobody has received is one code, and the person comes again."""
    def grants():
        return int(bed.db.value("SELECT count(*) FROM postern.authorization_grant WHERE session_id = {}", session.id))

    target = bed.at("/authorize?" + wire.form(bed.authorization(CLIENT)))
    with fcgi.Endpoint(bed.run, bed.programs / "authorize", proxy.config, workers=1) as endpoint:
        def ask():
            return endpoint("GET", target, {"Cookie": "postern_session=" + session.text})

        assert "code" in ask().query()
        before = grants()
        lost(proxy, what, b"authorize", ask)
        assert grants() == before + made
        assert "code" in ask().query()
