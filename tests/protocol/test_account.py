"""The account page: what a person sees and ends of their own; SEC-SESS-07."""

import pytest

from lib import wire
from lib.bed import Handle
from lib.browser import Browser, forms, text


def at_account(bed, name="grace", clients=("t-public",)):
    bed.db("DELETE FROM postern.consent WHERE sub = {}", bed.sub[name])
    for client in clients:
        bed.consent(client, name, "openid files.read")
    browser = Browser(bed)
    browser.session = bed.session(name)
    browser.cookies["postern_session"] = browser.session.text
    browser.go(bed.issuer + "/account")
    assert browser.page.status == 200
    return browser


def form_of(browser, action):
    return next(f["fields"] for f in forms(browser.page) if f["fields"].get("action") == action)


def test_shows_own_apps_only(bed):
    bed.consent("t-other", "alan")
    browser = at_account(bed, clients=("t-public", "t-basic"))
    words = text(browser.page)
    assert "Test t-public" in words and "Test t-basic" in words and "See your files" in words
    assert "Test t-other" not in words and "Alan" not in words
    assert browser.page.get("Cache-Control") == "no-store"


def test_loads_no_logo(bed):
    """Each app would hear of every visit to this page, and the page would have to allow every origin."""
    bed.db("UPDATE postern.client SET logo_uri = 'https://logo.example/l.png' WHERE client_id = 't-public'")
    try:
        page = at_account(bed).page
    finally:
        bed.db("UPDATE postern.client SET logo_uri = NULL WHERE client_id = 't-public'")
    assert "Test t-public" in text(page) and "<img" not in page.text and "logo.example" not in page.text
    assert "img-src" not in page.get("Content-Security-Policy")


AGENTS = [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox"),
    ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome or Chromium"),
    ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge"),
    ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15", "Safari"),
    *[(agent, "Unknown browser") for agent in (None, "", "curl/8.14", "Mozilla/5.0", "firefox/140.0", "Firefox 140", "Edg", "<b>Safari</b>", "x" * 255)],
]


@pytest.mark.parametrize("agent, name", AGENTS, ids=lambda v: repr(v)[:24])
def test_names_the_browser(bed, agent, name):
    session = bed.session()
    bed.db("UPDATE postern.session SET user_agent = {} WHERE id = {}", agent, session.id)
    browser = Browser(bed)
    browser.cookies["postern_session"] = session.text
    words = text(browser.go(bed.issuer + "/account"))
    assert f"{name} This device" in words and "Another browser" not in words, words


def test_nobody_is_sent_to_login(bed):
    for headers in ([], [("Cookie", "postern_session=" + Handle().text)]):
        answer = bed.get("/account", headers=headers)
        assert answer.status == 303 and answer.location == bed.issuer + "/login"
    answer = bed.post("/account", {"action": "disconnect", "client_id": "t-public", "csrf": "x"})
    assert answer.status == 303 and answer.location == bed.issuer + "/login"


def test_disconnect_ends_access_at_once(bed):
    """DESIGN section 1, step 8."""
    tokens = bed.tokens()
    pending = bed.code(bed.session())
    assert bed.call(tokens["access_token"]).status == 200
    browser = Browser(bed)
    browser.cookies["postern_session"] = bed.session().text
    browser.go(bed.issuer + "/account")
    fields = next(f["fields"] for f in forms(browser.page) if f["fields"].get("client_id") == "t-public")
    browser.send("POST", bed.issuer + "/account", wire.form(fields))
    assert browser.page.status == 303 and browser.page.location.startswith(bed.issuer + "/account")
    refused = bed.call(tokens["access_token"])
    assert refused.status == 401 and 'error="invalid_token"' in refused.get("WWW-Authenticate")
    assert bed.redeem(pending).json()["error"] == "invalid_grant"
    # Consent given anew does not revive what was disconnected.
    bed.consent("t-public")
    assert bed.call(tokens["access_token"]).status == 401
    assert "disconnected" in text(browser.go(browser.page.location))


def test_disconnect_leaves_others_alone(bed):
    other = bed.tokens(bed.session("alan")) if bed.consent("t-public", "alan") is None else None
    browser = at_account(bed, clients=("t-public", "t-basic"))
    kept = bed.tokens(client_id="t-basic")
    browser.send("POST", bed.issuer + "/account", wire.form({**form_of(browser, "disconnect"), "client_id": "t-public"}))
    assert bed.call(other["access_token"]).status == 200
    assert bed.call(kept["access_token"]).status == 200


def test_disconnect_twice_is_no_error(bed):
    browser = at_account(bed)
    fields = form_of(browser, "disconnect")
    for client in ("t-public", "t-public", "unknown"):
        browser.send("POST", bed.issuer + "/account", wire.form({**fields, "client_id": client}))
        assert browser.page.status == 303


BAD = [
    ("csrf missing", {"csrf": None}, [], 403), ("csrf wrong", {"csrf": "A" * 43}, [], 403),
    ("csrf empty", {"csrf": ""}, [], 403), ("action missing", {"action": None}, [], 400),
    ("action unknown", {"action": "delete"}, [], 400), ("client_id with a control", {"client_id": "t\n"}, [], 400),
    ("client_id too long", {"client_id": "t" * 256}, [], 400), ("csrf too long", {"csrf": "A" * 65}, [], 400),
    ("other origin", {}, [("Origin", "https://evil.example")], 403), ("cross-site", {}, [("Sec-Fetch-Site", "cross-site")], 403),
]


@pytest.mark.parametrize("changes, headers, status", [b[1:] for b in BAD], ids=["SEC-SESS-07 " + b[0] for b in BAD])
@pytest.mark.parametrize("action", ["disconnect", "sign_out"])
def test_bad_form(bed, action, changes, headers, status):
    browser = at_account(bed)
    fields = {**form_of(browser, action), **changes}
    browser.send("POST", bed.issuer + "/account", wire.form(fields), headers)
    assert browser.page.status == status and browser.page.location is None, browser.page
    browser.go(bed.issuer + "/account")
    assert "Test t-public" in text(browser.page)        # connected and signed in as before


def test_form_of_another_session(bed):
    """Another person's form, and another login of the same person."""
    victim = at_account(bed)
    for name in ("alan", "grace"):
        thief = Browser(bed)
        thief.cookies["postern_session"] = bed.session(name).text
        thief.go(bed.issuer + "/account")
        fields = {**form_of(thief, "sign_out"), "action": "disconnect", "client_id": "t-public"}
        victim.send("POST", bed.issuer + "/account", wire.form(fields))
        assert victim.page.status == 403
    assert "Test t-public" in text(victim.go(bed.issuer + "/account"))


def test_disconnect_by_get_does_nothing(bed):
    browser = at_account(bed)
    browser.go(bed.issuer + "/account?" + wire.form(form_of(browser, "disconnect")))
    assert "Test t-public" in text(browser.page)


def test_sign_out(bed):
    tokens = bed.tokens()
    browser = at_account(bed)
    browser.send("POST", bed.issuer + "/account", wire.form(form_of(browser, "sign_out")))
    assert browser.page.status == 200 and "signed out" in text(browser.page)
    assert "Max-Age=0" in browser.page.get("Set-Cookie") and "postern_session" not in browser.cookies
    assert bed.get("/account", cookie=browser.session).status == 303
    assert bed.get("/authorize", bed.authorization(prompt="none"), browser.session).query()["error"] == "login_required"
    # What another login has given lives on.
    bed.consent("t-public")
    assert tokens["access_token"]


def test_sign_out_ends_what_rests_on_this_login(bed):
    """DESIGN, one gate: a grant rests on the session that it was made in."""
    session = bed.session()
    tokens = bed.tokens(session)
    assert bed.call(tokens["access_token"]).status == 200
    browser = Browser(bed)
    browser.cookies["postern_session"] = session.text
    browser.go(bed.issuer + "/account")
    browser.send("POST", bed.issuer + "/account", wire.form(form_of(browser, "sign_out")))
    assert bed.call(tokens["access_token"]).status == 401


def test_hostile_done_is_not_echoed(bed):
    browser = at_account(bed)
    browser.go(bed.issuer + "/account?done=" + "%3Cscript%3E")
    assert browser.page.status == 200 and "<script" not in browser.page.text
    browser.go(bed.issuer + "/account?done=" + "x" * 33)
    assert browser.page.status == 400
