"""What went wrong in other servers and is no row of another table; and requirements about
several endpoints at once.  Names: CVE or SEC-..., see tests/requirements."""

import json
import re
import socket
import time

import pytest

from lib import jwt, wire
from lib.bed import CB, basic
from lib.browser import Browser, forms, text


def bearer(token):
    return [("Authorization", "Bearer " + token)]


# --- time ----------------------------------------------------------------

def test_a_token_ends_at_its_second(bed):
    """SEC-TOK-04: by the clock of the database, without leeway."""
    kid, sign = bed.signer()
    header, claims = jwt.read(bed.machine(scope="files.read").json()["access_token"])
    now = float(bed.db.value("SELECT extract(epoch FROM clock_timestamp())"))
    claims.update(exp=int(now) + 2)
    token = jwt.join(header, claims, sign)
    assert kid == header["kid"] and bed.call(token).status == 200
    time.sleep(claims["exp"] - now + 0.05)
    assert bed.call(token).status == 401
    assert bed.post("/introspect", {"token": token}, headers=[basic("t-drive")]).json() == {"active": False}


@pytest.mark.parametrize("hours", [pytest.param(h, id=f"SEC-TOK-04 {h:+d} h") for h in (-1, 1)])
def test_rows_decide_not_the_process(bed, hours):
    """A code whose row says that it has expired has expired, however young the request."""
    session = bed.session()
    bed.consent("t-public")
    code = bed.code(session)
    bed.db("UPDATE postern.authorization_grant SET code_expires_at = now() + make_interval(hours => {})"
           " WHERE id = (SELECT id FROM postern.authorization_grant ORDER BY created_at DESC LIMIT 1)", hours)
    assert bed.redeem(code).status == (200 if hours > 0 else 400)


# --- claims --------------------------------------------------------------

HOSTILE = ["\",\"sub\":\"evil\",\"x\":\"", "\\\",\"sub\":\"evil", "</script><script>", "\u2028evil", "{\"sub\":\"evil\"}", "evil\n\"sub\":\"evil\""]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: f"SEC-TOK-07 {v!r}")
def test_profile_data_is_data(bed, value):
    """Nothing that an account holds becomes a claim of its own."""
    bed.db("UPDATE postern.account SET name = {}, email = {} WHERE login_name = 'grace'", value, value)
    try:
        body = bed.tokens(scope="openid profile email")
        for token in (body["id_token"], body["access_token"]):
            _, claims = jwt.verify(token, bed.keys())
            assert claims["sub"] == bed.sub["grace"] and "evil" not in json.dumps({n: v for n, v in claims.items() if n != "name"})
        told = bed.get("/userinfo", headers=bearer(body["access_token"])).json()
        assert told["sub"] == bed.sub["grace"] and told["name"] == value and told["email"] == value
        assert set(told) == {"sub", "name", "preferred_username", "email", "email_verified"}
    finally:
        bed.db("UPDATE postern.account SET name = 'Grace', email = 'grace@example.org' WHERE login_name = 'grace'")


# --- one browser, two people ---------------------------------------------

def test_the_next_person_in_the_same_browser(bed):
    """CVE-2022-3916, CVE-2025-12390: nothing of the one before is left."""
    bed.unthrottle()
    bed.consent("t-public"), bed.consent("t-public", "alan")
    browser = Browser(bed)
    subjects, sessions = [], []
    for name in ("grace", "alan"):
        browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization()))
        answer = browser.login(name)
        tokens = bed.redeem(answer.query()["code"]).json()
        claims = jwt.read(tokens["id_token"])[1]
        subjects.append(claims["sub"]), sessions.append((claims["sid"], browser.cookies["postern_session"]))
        browser.go(bed.issuer + "/account")
        fields = next(f["fields"] for f in forms(browser.page) if f["fields"].get("action") == "sign_out")
        browser.send("POST", bed.issuer + "/account", fields)
        assert "postern_session" not in browser.cookies and bed.call(tokens["access_token"]).status == 401
    assert subjects == [bed.sub["grace"], bed.sub["alan"]]
    assert len({sid for sid, _ in sessions}) == 2 and len({cookie for _, cookie in sessions}) == 2
    assert len({cookie[:22] for _, cookie in sessions}) == 2


@pytest.mark.http
def test_two_people_at_once(bed):
    """CVE-2021-35472, SEC-HTTP-14: by turns through the same few workers, each is told of himself."""
    people = {name: bed.tokens(bed.session(name) if not bed.consent("t-public", name) else None)["access_token"] for name in ("grace", "alan")}
    names = ["grace", "alan", "nobody"] * 40
    requests = [wire.build("GET", bed.at("/userinfo"), [("Host", "localhost"), ("Authorization", "Bearer " + people.get(n, "x"))]) for n in names]
    for name, answer in zip(names, wire.together(bed.address, requests)):
        assert answer.status == (200 if name in people else 401), answer
        assert name not in people or answer.json()["sub"] == bed.sub[name]


# --- refresh -------------------------------------------------------------

@pytest.mark.http
def test_refreshed_many_times_at_once(bed):
    """SEC-RT-02, CVE-2026-1035: of 40 at once all get the same successor, and only that one lives."""
    token = bed.tokens(client_id="t-refresh")["refresh_token"]
    body = wire.form({"grant_type": "refresh_token", "refresh_token": token, "client_id": "t-refresh"}).encode()
    headers = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded")]
    answers = wire.together(bed.address, [wire.build("POST", bed.at("/token"), headers, body)] * 40)
    successors = {a.json().get("refresh_token") for a in answers if a.status == 200}
    assert len(successors) == 1 and token not in successors and all(a.status in (200, 400) for a in answers)
    assert bed.post("/token", {"grant_type": "refresh_token", "refresh_token": successors.pop(), "client_id": "t-refresh"}).status == 200


# --- storage fails -------------------------------------------------------

@pytest.mark.parametrize("kind", [pytest.param(k, id=f"SEC-REV-03 CVE-2020-15223 {k}") for k in ("access_token", "refresh_token")])
def test_revocation_that_cannot_be_stored(bed, kind):
    """503, never 200; and the token lives until it is really revoked."""
    body = bed.tokens(client_id="t-refresh")
    parameters = {"token": body[kind], "client_id": "t-refresh"}
    bed.db("BEGIN")
    bed.db("LOCK TABLE postern.revoked_token, postern.authorization_grant IN SHARE MODE")
    try:
        answer = bed.post("/revoke", parameters)
        assert answer.status == 503 and answer.json()["error"] == "temporarily_unavailable", answer
        assert answer.get("Retry-After") == "1"
    finally:
        bed.db("ROLLBACK")
    assert bed.call(body["access_token"]).status == 200
    assert bed.post("/revoke", parameters).status == 200
    assert bed.call(body["access_token"]).status == 401


# --- nothing is fetched --------------------------------------------------

def test_no_address_is_ever_visited(bed):
    """SEC-DCR-03, SEC-PAR-04: logo, policy, request_uri, jku, x5u and the like are never fetched."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        url = f"http://127.0.0.1:{canary.getsockname()[1]}/x"
        bed.db("UPDATE postern.client SET logo_uri = {0}, client_uri = {0}, policy_uri = {0}, tos_uri = {0}, redirect_uris = ARRAY[{0}, {1}]"
               " WHERE client_id = 't-other'", url, CB)
        try:
            bed.db("DELETE FROM postern.consent WHERE client_id = 't-other'")
            browser = Browser(bed)
            browser.cookies["postern_session"] = bed.session().text
            browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization("t-other", redirect_uri=url)))
            assert "Test t-other" in text(browser.page)
            browser.submit({"decision": "allow"})
            for more in ({"request_uri": url}, {"request": url}, {"registration": json.dumps({"jwks_uri": url, "logo_uri": url})}, {"resource": url},
                         {"id_token_hint": url}, {"claims": url}, {"login_hint": url}):
                bed.get("/authorize", bed.authorization("t-other", **more), bed.session())
            token = bed.machine(scope="files.read").json()["access_token"]
            header, claims = jwt.read(token)
            for name in ("jku", "x5u"):
                hostile = jwt.join({**header, name: url}, claims, bed.signer()[1])
                assert bed.call(hostile).status == 401
                bed.post("/introspect", {"token": hostile}, headers=[basic("t-drive")])
            bed.get("/logout", {"post_logout_redirect_uri": url, "client_id": "t-other"})
            bed.post("/token", {"grant_type": "client_credentials", "client_assertion": url, "client_assertion_type": url, "client_id": "t-other"})
        finally:
            bed.prepare()
        with pytest.raises(TimeoutError):
            canary.accept()


# --- https: names of cookies, and what goes with them --------------------

HTTPS = [("https://id.example", "", "__Host-", "/"), ("https://id.example/auth", "/auth", "__Secure-", "/auth")]


@pytest.mark.parametrize("issuer, path, prefix, cookie_path", HTTPS, ids=["SEC-SESS-01 " + h[0] for h in HTTPS])
def test_cookies_of_an_https_issuer(bed, issuer, path, prefix, cookie_path):
    """Secure, HttpOnly, SameSite, a prefix that another host cannot set; HSTS.  As CGI, whatever
    the bed, because this issuer is not the one that is served."""
    was, how = bed.db.value("SELECT url FROM postern.issuer"), (bed.path, bed.how)
    bed.db("UPDATE postern.issuer SET url = {}", issuer)
    bed.path = path
    try:
        answer = bed.run_cgi("GET", path + "/login", [], None)
        assert answer.status == 200 and answer.get("Strict-Transport-Security") == "max-age=31536000"
        line = answer.get("Set-Cookie")
        assert re.fullmatch(rf"{prefix}postern_browser=[A-Za-z0-9_-]{{64}}; Path={cookie_path}; HttpOnly; SameSite=Lax; Secure", line), line
        session = bed.session()
        for name, status in ((prefix + "postern_session", 200), ("postern_session", 303), ("__Host-x", 303)):
            answer = bed.run_cgi("GET", path + "/account", [("Cookie", name + "=" + session.text)], None)
            assert answer.status == status, (name, answer)
        forms_ = forms(bed.run_cgi("GET", path + "/account", [("Cookie", prefix + "postern_session=" + session.text)], None))
        assert all(f["action"] == issuer + "/account" for f in forms_)
    finally:
        bed.path, bed.how = how
        bed.db("UPDATE postern.issuer SET url = {}", was)
    bed.works()
