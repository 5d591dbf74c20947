"""Everything that this server hands out, at every place that takes anything: SEC-TOK-03,
SEC-JOSE-11, CVE-2026-4325.  Each kind is good at its own places and worth nothing at the
others, and trying it there costs nothing: afterwards all of them still work."""

import pytest

from lib import wire
from lib.bed import CB, LOGOUT_URI, VERIFIER, Handle, basic
from lib.browser import Browser, forms

# kind: places where it is good
KINDS = {
    "access token": {"guard", "userinfo header", "userinfo body", "introspect", "introspect by its client", "revoke"},
    "access token of a machine": {"guard", "introspect", "introspect by its client", "revoke by its client"},
    "opaque access token": {"userinfo header", "userinfo body", "introspect by its client", "revoke"},
    "refresh token": {"refresh", "introspect by its client", "revoke"},
    "ID token": {"logout hint"},
    "code": {"code"},
    "API key": {"guard", "introspect"},
    "session cookie": {"session cookie"},
    "browser cookie": {"browser cookie"},
    "consent handle": {"consent"},
    "client secret": {"client secret"},
    "form value of login": set(),
    "form value of account": {"form value"},
    "kid": set(),
    "grant id": set(),
}
PLACES = ("guard", "userinfo header", "userinfo body", "introspect", "introspect by its client", "revoke", "revoke by its client", "code", "refresh",
          "logout hint", "session cookie", "browser cookie", "consent", "way back to authorize", "form value", "client secret", "client id")


class Kinds(dict):
    """One of each, all of the same person and the same client where there is one."""

    def __init__(self, bed):
        super().__init__()
        self.bed, self.session = bed, bed.session()
        body = bed.tokens(self.session, "t-refresh-basic", "openid files.read")
        opaque = bed.tokens(self.session, "t-refresh-basic", "openid op.read")
        self.update({"access token": body["access_token"], "refresh token": body["refresh_token"], "ID token": body["id_token"],
                     "opaque access token": opaque["access_token"], "session cookie": self.session.text, "client secret": "a secret of another client"})
        self["access token of a machine"] = bed.machine("t-basic", scope="files.read").json()["access_token"]
        self["code"] = bed.code(self.session, "t-refresh-basic")
        self.login_form()
        self.account_form()
        bed.db("DELETE FROM postern.consent WHERE client_id = 't-other'")
        self["consent handle"] = bed.get("/authorize", bed.authorization("t-other"), self.session).query()["request"]
        self["kid"] = bed.keys()["keys"][0]["kid"]
        self["grant id"] = bed.db.value("SELECT id FROM postern.authorization_grant WHERE client_id = 't-refresh-basic' LIMIT 1")

    def login_form(self):
        browser = Browser(self.bed)
        browser.go(self.bed.issuer + "/login")
        self["browser cookie"] = browser.cookies["postern_browser"]
        self["form value of login"] = forms(browser.page)[0]["fields"]["csrf"]

    def account_form(self):
        browser = Browser(self.bed)
        browser.cookies["postern_session"] = self.session.text
        browser.go(self.bed.issuer + "/account")
        fields = next(f["fields"] for f in forms(browser.page) if f["fields"].get("action") == "make_key")
        self["form value of account"] = fields["csrf"]
        browser.send("POST", self.bed.issuer + "/account", {**fields, "name": "kinds", "scope": "files.read"})
        self["API key"] = next(w for w in browser.page.text.replace("<", " ").replace(">", " ").split() if w.startswith("postern_key_"))


def guard(bed, _, value):
    return bed.call(value).status == 200


def userinfo_header(bed, _, value):
    return bed.get("/userinfo", headers=[("Authorization", "Bearer " + value)]).status == 200


def userinfo_body(bed, _, value):
    return bed.post("/userinfo", {"access_token": value}).status == 200


def introspect(bed, _, value):
    """As Drive asks."""
    answer = bed.post("/introspect", {"token": value}, headers=[basic("t-drive")])
    assert answer.status == 200, answer
    return answer.json()["active"]


def introspect_by_its_client(bed, kinds, value):
    client = "t-basic" if value == kinds["access token of a machine"] else "t-refresh-basic"
    answer = bed.post("/introspect", {"token": value}, headers=[basic(client)])
    assert answer.status == 200, answer
    return answer.json()["active"]


def revoked(bed, value, client):
    """Does revoking it end anything?  All inside one place, so that the rows are put back."""
    before = bed.ended()
    answer = bed.post("/revoke", {"token": value}, headers=[basic(client)])
    assert answer.status == 200 and answer.body == b"", answer
    changed = not bed.ended() <= before
    bed.db("DELETE FROM postern.revoked_token")
    bed.db("UPDATE postern.authorization_grant SET revoked_at = NULL, revoked_because = NULL WHERE revoked_because = 'revoked by the client'")
    return changed


def revoke(bed, _, value):
    return revoked(bed, value, "t-refresh-basic")


def revoke_by_its_client(bed, _, value):
    return revoked(bed, value, "t-basic")


def code(bed, kinds, value):
    answer = bed.redeem(value, "t-refresh-basic")
    if answer.status == 200:
        kinds["code"] = bed.code(kinds.session, "t-refresh-basic")
        return True
    assert answer.json()["error"] in ("invalid_grant", "invalid_request"), answer
    return False


def refresh(bed, kinds, value):
    answer = bed.post("/token", {"grant_type": "refresh_token", "refresh_token": value}, headers=[basic("t-refresh-basic")])
    if answer.status == 200:
        kinds["refresh token"] = answer.json()["refresh_token"]
        return True
    assert answer.json()["error"] in ("invalid_grant", "invalid_request"), answer
    return False


def logout_hint(bed, kinds, value):
    """With another person's session in the browser, so that a good hint asks and ends nothing."""
    answer = bed.get("/logout", {"id_token_hint": value, "post_logout_redirect_uri": LOGOUT_URI}, Handle())
    assert answer.status in (303, 400), answer
    return answer.status == 303


def session_cookie(bed, _, value):
    return bed.get("/account", headers=[("Cookie", "postern_session=" + value)]).status == 200


def browser_cookie(bed, kinds, value):
    """A login with the form that belongs to the browser's cookie; a wrong password is enough."""
    bed.unthrottle()
    answer = bed.post("/login", {"username": "grace", "password": "wrong", "csrf": kinds["form value of login"]},
                      headers=[("Cookie", "postern_browser=" + value)])
    assert answer.status == 403, answer
    return "is not right" in answer.text


def consent(bed, kinds, value):
    return bed.get("/consent", {"request": value}, kinds.session).status == 200


def way_back(bed, kinds, value):
    """What claims to be a decision about this very request."""
    request = {**bed.authorization("t-other", prompt="consent"), "postern_consent": value}
    answer = bed.get("/authorize", request, kinds.session)
    assert answer.status in (303, 400), answer
    return (answer.location or "").startswith(CB + "?code=")


def form_value(bed, kinds, value):
    answer = bed.post("/account", {"action": "disconnect", "client_id": "unknown", "csrf": value}, kinds.session)
    assert answer.status in (303, 400, 403), answer
    return answer.status == 303


def client_secret(bed, kinds, value):
    answer = bed.post("/token", {"grant_type": "client_credentials", "client_id": "t-kinds", "client_secret": value, "scope": "files.read"})
    assert answer.status in (200, 400, 401), answer
    return answer.status == 200


def client_id(bed, kinds, value):
    answer = bed.post("/token", {"grant_type": "authorization_code", "client_id": value, "code": kinds["code"], "redirect_uri": CB, "code_verifier": VERIFIER})
    assert answer.status in (400, 401), answer
    return False


CHECKS = dict(zip(PLACES, (guard, userinfo_header, userinfo_body, introspect, introspect_by_its_client, revoke, revoke_by_its_client, code, refresh,
                           logout_hint, session_cookie, browser_cookie, consent, way_back, form_value, client_secret, client_id)))


@pytest.fixture(scope="module")
def kinds(bed):
    bed.db("DELETE FROM postern.api_key")
    bed.db("UPDATE postern.client SET post_logout_redirect_uris = ARRAY[{}] WHERE client_id = 't-refresh-basic'", LOGOUT_URI)
    bed.db("INSERT INTO postern.client (client_id, client_name, grant_types, response_types, scope, token_endpoint_auth_method, client_secret_sha256)"
           " VALUES ('t-kinds', 'Kinds', '{{client_credentials}}', '{{}}', 'files.read', 'client_secret_post', sha256('a secret of another client'))")
    yield Kinds(bed)
    bed.db("DELETE FROM postern.client WHERE client_id = 't-kinds'")


@pytest.mark.parametrize("place", PLACES, ids=["SEC-TOK-03 SEC-JOSE-11 at " + p for p in PLACES])
def test_only_at_its_own_places(bed, kinds, place):
    for kind, good in KINDS.items():
        assert CHECKS[place](bed, kinds, kinds[kind]) == (place in good), f"{kind} at {place}"
    assert "code=" in bed.get("/authorize", bed.authorization("t-refresh-basic"), kinds.session).location


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS, ids=["SEC-TOK-02 " + k for k in KINDS])
def test_no_change_is_good_anywhere(bed, kinds, kind):
    """Cut, longer, padded, another case, another alphabet: CVE-2026-27840."""
    value = kinds[kind]
    changes = {value[:-1], value + "A", value[1:], value.swapcase(), value + ".", "." + value, value + "%00", value[: len(value) // 2], value + value}
    for place in KINDS[kind]:
        for changed in changes - {value}:
            if len(changed) <= 8000 and place != "client secret" or len(changed) < 1000:
                assert not CHECKS[place](bed, kinds, changed), (place, changed)
        assert CHECKS[place](bed, kinds, kinds[kind]), place


def test_the_kind_is_in_the_seal(bed):
    """SEC-TOK-03: payloads of different kinds have different lengths; if they had not, the MAC would still tell them apart."""
    for kind, other in (("access token", "refresh token"), ("refresh token", "access token"), ("access token", "access tokens"), ("access token", "")):
        sealed = wire.base64_octets(bed.db.value("SELECT postern.seal({}, {})", kind, bytes(48)))
        assert bed.db.value("SELECT postern.unseal({}, {})", kind, sealed) == "\\x" + "00" * 48
        assert bed.db.value("SELECT postern.unseal({}, {}) IS NULL", other, sealed) == "t", other
    # ... and no payload can take over what belongs to the kind.
    sealed = wire.base64_octets(bed.db.value("SELECT postern.seal('a', {})", b"b" + bytes(47)))
    assert bed.db.value("SELECT postern.unseal('ab', {}) IS NULL", sealed) == "t"


def test_handles_are_long_and_random(bed, kinds):
    """SEC-PARAM-05, SEC-TOK-02, CVE-2023-0264: 128 bits at least that nobody can guess, none twice."""
    for kind in ("code", "session cookie", "browser cookie", "consent handle"):
        assert len(kinds[kind]) == 64, kind
    assert len(kinds["API key"]) == len("postern_key_") + 64
    codes = {bed.code(kinds.session, "t-refresh-basic") for _ in range(20)}
    assert len(codes) == 20 and len({c[:8] for c in codes}) == 20 and len({c[-8:] for c in codes}) == 20


def test_none_is_stored_as_it_is(bed, kinds):
    """SEC-SESS-01, SEC-CODE-04, SEC-DCR-05: a copy of the database logs nobody in."""
    tables = [r[0] for r in bed.db("SELECT tablename FROM pg_tables WHERE schemaname = 'postern'")]
    everything = "".join(r[0] for t in tables for r in bed.db(f'SELECT coalesce(string_agg(t::text, \' \'), \'\') FROM postern."{t}" t'))
    for kind, value in kinds.items():
        if kind not in ("kid", "grant id"):
            assert value.removeprefix("postern_key_") not in everything, kind
            if len(value) == 64:
                assert Handle(wire.base64_octets(value)).octets[16:].hex() not in everything, kind


@pytest.mark.once
def test_an_opaque_token_counts_no_further_than_it_can(bed):
    """SEC-RT-05: a token for one scope is for no other, however many the grant has (a bit each)."""
    many = [f"m.{i}" for i in range(1, 71)]
    for name in many:
        bed.db("INSERT INTO postern.scope (scope, resource, title) VALUES ({}, 'https://op.example/', 'M') ON CONFLICT DO NOTHING", name)
    before = bed.db.value("SELECT scope FROM postern.client WHERE client_id = 't-refresh-basic'")
    bed.db("UPDATE postern.client SET scope = {} WHERE client_id = 't-refresh-basic'", " ".join(many))
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-refresh-basic'")
    try:
        bed.consent("t-refresh-basic", scope=" ".join(many))
        body = bed.redeem(bed.code(bed.session(), "t-refresh-basic", " ".join(many)), "t-refresh-basic").json()
        for scope in ("m.1", "m.5 m.6", "m.62"):
            body = bed.post("/token", {"grant_type": "refresh_token", "refresh_token": body["refresh_token"], "scope": scope},
                            headers=[basic("t-refresh-basic")]).json()
            told = bed.post("/introspect", {"token": body["access_token"]}, headers=[basic("t-refresh-basic")]).json()
            assert told["scope"] == scope, told
    finally:
        bed.db("UPDATE postern.client SET scope = {} WHERE client_id = 't-refresh-basic'", before)
        bed.db("DELETE FROM postern.consent WHERE client_id = 't-refresh-basic'")
        bed.db("DELETE FROM postern.scope WHERE scope LIKE 'm.%'")
