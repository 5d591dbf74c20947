"""logout: OpenID Connect RP-Initiated Logout 1.0; SEC-LOGOUT."""

import pytest

from lib import wire
from lib.bed import Handle
from lib.browser import Browser, forms, text

OUT = "https://app.example/out?keep=1"


def browser_of(bed, name="grace"):
    browser = Browser(bed)
    browser.session = bed.session(name)
    browser.cookies["postern_session"] = browser.session.text
    return browser


def is_live(bed, session):
    return bed.get("/account", cookie=session).status == 200


def url(bed, **parameters):
    return bed.issuer + "/logout?" + wire.form(parameters)


def test_hint_of_this_login_ends_it_at_once(bed):
    browser = browser_of(bed)
    tokens = bed.tokens(browser.session, "t-refresh")
    browser.send("GET", url(bed, id_token_hint=tokens["id_token"], post_logout_redirect_uri=OUT, state="s t"))
    assert browser.page.status == 303 and browser.page.location == OUT + "&state=s%20t"
    assert "postern_session" not in browser.cookies
    assert not is_live(bed, browser.session)
    assert bed.call(tokens["access_token"]).status == 401


def test_without_a_hint_the_person_is_asked(bed):
    browser = browser_of(bed)
    browser.send("GET", url(bed, client_id="t-refresh", post_logout_redirect_uri=OUT))
    assert browser.page.status == 200 and "Test t-refresh" in text(browser.page)
    assert is_live(bed, browser.session)
    fields = forms(browser.page)[0]["fields"]
    browser.send("POST", bed.issuer + "/logout", wire.form(fields))
    assert browser.page.status == 303 and browser.page.location == OUT
    assert not is_live(bed, browser.session)


def test_hint_of_another_login_asks(bed):
    """SEC-LOGOUT-01: another person's ID token does not sign this one out."""
    browser = browser_of(bed)
    bed.consent("t-refresh", "alan")
    hint = bed.tokens(bed.session("alan"), "t-refresh")["id_token"]
    browser.send("GET", url(bed, id_token_hint=hint))
    assert browser.page.status == 200 and is_live(bed, browser.session)


def test_nobody(bed):
    answer = bed.get("/logout")
    assert answer.status == 200 and "signed out" in text(answer)
    assert bed.get("/logout", {"client_id": "t-refresh", "post_logout_redirect_uri": OUT}).location == OUT


BAD_URIS = [
    "https://evil.example/", OUT + "x", OUT[:-1], OUT.upper(), "https://app.example/cb", "//evil.example", "javascript:alert(1)",
    OUT + "#f", "https://app.example/out",
]


@pytest.mark.parametrize("uri", BAD_URIS, ids=lambda v: f"SEC-LOGOUT-02 {v!r}")
def test_unregistered_uri_is_a_page(bed, uri):
    """SEC-LOGOUT-02."""
    browser = browser_of(bed)
    browser.send("GET", url(bed, client_id="t-refresh", post_logout_redirect_uri=uri))
    assert browser.page.status == 400 and browser.page.location is None
    assert is_live(bed, browser.session)


def test_uri_needs_a_client(bed):
    answer = bed.get("/logout", {"post_logout_redirect_uri": OUT})
    assert answer.status == 400 and answer.location is None


BAD_HINTS = ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."]


@pytest.mark.parametrize("hint", BAD_HINTS, ids=lambda v: f"SEC-LOGOUT-01 {v!r}")
def test_bad_hint(bed, hint):
    browser = browser_of(bed)
    browser.send("GET", url(bed, id_token_hint=hint, post_logout_redirect_uri=OUT))
    assert browser.page.status == 400 and browser.page.location is None and is_live(bed, browser.session)


def test_access_token_is_no_hint(bed):
    browser = browser_of(bed)
    token = bed.tokens(browser.session, "t-refresh")["access_token"]
    browser.send("GET", url(bed, id_token_hint=token))
    assert browser.page.status == 400 and is_live(bed, browser.session)


def test_client_must_fit_the_hint(bed):
    browser = browser_of(bed)
    token = bed.tokens(browser.session, "t-refresh")["id_token"]
    browser.send("GET", url(bed, id_token_hint=token, client_id="t-public"))
    assert browser.page.status == 400 and is_live(bed, browser.session)


FORGED = [("csrf missing", {"csrf": None}, []), ("csrf wrong", {"csrf": "A" * 43}, []),
          ("other origin", {}, [("Origin", "https://evil.example")]), ("cross-site", {}, [("Sec-Fetch-Site", "cross-site")])]


@pytest.mark.parametrize("different, headers", [f[1:] for f in FORGED], ids=["SEC-LOGOUT-01 " + f[0] for f in FORGED])
def test_forged_confirmation(bed, different, headers):
    browser = browser_of(bed)
    browser.send("GET", bed.issuer + "/logout")
    fields = {**forms(browser.page)[0]["fields"], **different}
    browser.send("POST", bed.issuer + "/logout", wire.form({n: v for n, v in fields.items() if v is not None}), headers)
    assert browser.page.status in (200, 400, 403) and is_live(bed, browser.session)


def test_post_of_another_site(bed):
    """SEC-LOGOUT-01: it comes without the cookie (SameSite=Lax), and must not take it away.
    The GET that it becomes has it: a hint of this login ends it, anything else asks."""
    browser = browser_of(bed)
    tokens = bed.tokens(browser.session, "t-refresh")
    fields = {"post_logout_redirect_uri": OUT, "state": "s t"}
    for named, status in (({}, 200), ({"client_id": "t-refresh", **fields}, 200), ({"id_token_hint": tokens["id_token"], **fields}, 303)):
        there = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        answer = bed.post("/logout", named or {"x": "y"}, headers=there)
        assert answer.status == 303 and answer.location.startswith(bed.issuer + "/logout"), answer
        assert answer.all("Set-Cookie") == [] and is_live(bed, browser.session)
        browser.send("GET", answer.location)
        assert browser.page.status == status, browser.page
    assert browser.page.location == OUT + "&state=s%20t"
    assert not is_live(bed, browser.session)
