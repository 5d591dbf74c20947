"""The consent page: SEC-CONS, RFC 6749 sections 3.1.2.4 and 10.13."""

import pytest

from lib import wire
from lib.bed import CB, Handle, handle_of
from lib.browser import Browser, forms, text


def asked(bed, name="grace", client_id="t-public", request=None, session=None):
    """A browser that shows the consent page for a request."""
    bed.db("DELETE FROM postern.consent WHERE client_id = {}", client_id)
    browser = Browser(bed)
    browser.cookies["postern_session"] = (session or bed.session(name)).text
    browser.request = request or bed.authorization(client_id)
    browser.go(bed.issuer + "/authorize?" + wire.form(browser.request))
    assert browser.page.status == 200 and "decision" in browser.page.text, browser.trail
    return browser


def consents(bed):
    return bed.db("SELECT client_id, scope::text FROM postern.consent WHERE client_id = 't-public'")


def decide(browser, decision, headers=None, **different):
    fields = {**forms(browser.page)[0]["fields"], "decision": decision, **different}
    fields = {n: v for n, v in fields.items() if v is not None}
    if headers is None:
        headers = [("Origin", browser.bed.origin), ("Sec-Fetch-Site", "same-origin")]
    return browser.go(browser.bed.issuer + "/consent", wire.form(fields).encode(), headers)


def test_page_says_what_is_asked(bed):
    """SEC-CONS-01: client, where it leads, each right in words."""
    browser = asked(bed, request=bed.authorization(scope="openid email files.read files.write"))
    words = text(browser.page)
    for part in ("Test t-public", "app.example", "Know who you are", "See your e-mail address", "See your files",
                 "Change your files", "Drive", "Grace"):
        assert part in words, part
    assert "vault" not in words
    policy = browser.page.get("Content-Security-Policy")
    assert "form-action 'self' https://app.example" in policy
    assert browser.page.get("X-Frame-Options") == "DENY" and browser.page.get("Cache-Control") == "no-store"
    assert [b for b in forms(browser.page)[0]["buttons"]] == [("decision", "deny"), ("decision", "allow")]


def test_allow(bed):
    browser = asked(bed)
    answer = decide(browser, "allow")
    assert answer.location.startswith(CB + "?code=")
    got = answer.query()
    assert got["state"] == browser.request["state"] and got["iss"] == bed.issuer
    assert consents(bed) == [("t-public", "{openid,files.read}")]
    # Asked once: the same and less is allowed now, more is not.
    assert "code" in browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization(scope="openid"))).query()
    browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization(scope="openid files.write")))
    assert browser.page.status == 200 and "Change your files" in text(browser.page)


def test_deny(bed):
    browser = asked(bed)
    answer = decide(browser, "deny")
    got = answer.query()
    assert answer.location.startswith(CB + "?error=access_denied") and "code" not in got
    assert got["state"] == browser.request["state"] and got["iss"] == bed.issuer
    assert consents(bed) == []
    # A refusal is for this once: the next request asks again.
    browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization()))
    assert browser.page.status == 200 and "decision" in browser.page.text


def test_no_decision_by_get(bed):
    """SEC-CONS-02."""
    browser = asked(bed)
    fields = forms(browser.page)[0]["fields"]
    browser.send("GET", bed.issuer + "/consent?" + wire.form({**fields, "decision": "allow"}))
    assert browser.page.status in (200, 400) and consents(bed) == []


def test_decision_is_used_once(bed):
    """SEC-PARAM-05, CVE-2020-14302: neither the form nor the way back serves twice."""
    browser = asked(bed)
    fields = {**forms(browser.page)[0]["fields"], "decision": "allow"}
    browser.send("POST", bed.issuer + "/consent", wire.form(fields))
    back = browser.page.location
    assert browser.page.status == 303 and back.startswith(bed.issuer + "/authorize?")
    browser.send("POST", bed.issuer + "/consent", wire.form(fields))
    assert browser.page.status == 400 and browser.page.location is None
    browser.send("POST", bed.issuer + "/consent", wire.form({**fields, "decision": "deny"}))
    assert browser.page.status == 400 and browser.page.location is None
    browser.send("GET", back)
    assert "code" in browser.page.query()


def test_a_replayed_way_back_does_not_consent_again(bed):
    browser = asked(bed)
    fields = {**forms(browser.page)[0]["fields"], "decision": "allow"}
    browser.send("POST", bed.issuer + "/consent", wire.form(fields))
    back = browser.page.location
    assert "code" in browser.send("GET", back).query()
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-public'")
    browser.send("GET", back)
    assert browser.page.location.startswith(bed.issuer + "/consent?"), browser.page


def test_a_decision_is_for_its_request(bed):
    """SEC-CONS-02: allowing one request with prompt=consent does not answer another."""
    first = asked(bed, request=bed.authorization(prompt="consent", scope="openid"))
    bed.consent("t-public")
    handle = forms(first.page)[0]["fields"]["request"]
    first.send("POST", bed.issuer + "/consent", wire.form({**forms(first.page)[0]["fields"], "decision": "allow"}))
    other = bed.authorization(prompt="consent", scope="openid files.read")
    first.send("GET", bed.issuer + "/authorize?" + wire.form({**other, "postern_consent": handle}))
    assert first.page.location.startswith(bed.issuer + "/consent?")


BAD = [     # name, changes of the form, headers, status
    ("csrf missing", {"csrf": None}, None, 403), ("csrf empty", {"csrf": ""}, None, 403),
    ("csrf wrong", {"csrf": "A" * 43}, None, 403), ("csrf too long", {"csrf": "A" * 65}, None, 400),
    ("request missing", {"request": None}, None, 400), ("request wrong", {"request": "A" * 64}, None, 400),
    ("request cut", {"request": "A" * 63}, None, 400), ("request too long", {"request": "A" * 65}, None, 400),
    ("decision missing", {"decision": None}, None, 400), ("decision unknown", {"decision": "yes"}, None, 400),
    ("decision ALLOW", {"decision": "ALLOW"}, None, 400), ("decision allow ", {"decision": "allow "}, None, 400),
    ("other origin", {}, [("Origin", "https://evil.example")], 403),
    ("cross-site", {}, [("Sec-Fetch-Site", "cross-site")], 403),
    ("client's origin", {}, [("Origin", "https://app.example")], 403),
]


@pytest.mark.parametrize("changes, headers, status", [b[1:] for b in BAD], ids=["SEC-CONS-02 " + b[0] for b in BAD])
def test_bad_decision(bed, changes, headers, status):
    browser = asked(bed)
    page = browser.page
    answer = decide(browser, **{"decision": "allow", **changes}, headers=headers)
    assert answer.status == status and answer.location is None, answer
    assert consents(bed) == []
    browser.page = page
    assert "code" in decide(browser, "allow").query()       # the right one still works


def test_repeated_field(bed):
    browser = asked(bed)
    fields = wire.form({**forms(browser.page)[0]["fields"], "decision": "deny"}) + "&decision=allow"
    browser.send("POST", bed.issuer + "/consent", fields)
    assert browser.page.status == 400 and consents(bed) == []


def test_posted_protocol_values_are_ignored(bed):
    """SEC-CONS-02, CVE-2021-27582: mass assignment."""
    browser = asked(bed, request=bed.authorization(scope="openid"))
    answer = decide(browser, "allow", scope="openid vault.read", client_id="t-other", redirect_uri="https://evil.example/",
                    sub="x", state="evil", response_type="token", code_challenge="evil", prompt="none")
    assert answer.location.startswith(CB + "?code=")
    assert answer.query()["state"] == browser.request["state"]
    assert consents(bed) == [("t-public", "{openid}")]
    assert bed.redeem(answer.query()["code"]).json()["scope"] == "openid"


def test_every_octet_of_the_handle_counts(bed, long):
    """SEC-AUTHZ-06, CVE-2026-7571."""
    browser = asked(bed)
    handle = forms(browser.page)[0]["fields"]["request"]
    for i in range(0, 64, 1 if long or bed.how == "http" else 13):
        changed = handle[:i] + ("A" if handle[i] != "A" else "B") + handle[i + 1:]
        browser.send("GET", bed.issuer + "/consent?request=" + changed)
        assert browser.page.status == 400, i
    browser.send("GET", bed.issuer + "/consent?request=" + handle)
    assert browser.page.status == 200


def test_another_session_cannot_see_or_decide(bed):
    """SEC-CONS-02, CVE-2022-39222: neither another person nor another login of the same."""
    victim = asked(bed)
    fields = {**forms(victim.page)[0]["fields"], "decision": "allow"}
    for session in (bed.session("alan"), bed.session("grace")):
        other = asked(bed, client_id="t-other", session=session)
        csrf = forms(other.page)[0]["fields"]["csrf"]
        other.send("GET", bed.issuer + "/consent?request=" + fields["request"])
        assert other.page.status == 400 and "Test t-public" not in other.page.text
        for value in (csrf, fields["csrf"]):
            other.send("POST", bed.issuer + "/consent", wire.form({**fields, "csrf": value}))
            assert other.page.status in (400, 403) and other.page.location is None
        # ... nor take the decision to authorize.
        other.send("GET", bed.issuer + "/authorize?" + wire.form({**victim.request, "postern_consent": fields["request"]}))
        assert other.page.location.startswith(bed.issuer + "/consent?")
    assert consents(bed) == []


def test_without_a_session(bed):
    browser = asked(bed)
    fields = {**forms(browser.page)[0]["fields"], "decision": "allow"}
    for cookie in (None, Handle()):
        assert bed.post("/consent", fields, cookie).status in (400, 403)
        assert bed.get("/consent", {"request": fields["request"]}, cookie).status == 400
    assert consents(bed) == []


ENDS = [    # what happens between the page and the decision
    ("expired", "UPDATE postern.authorization_request SET expires_at = now() - interval '1 second'"),
    ("session ended", "UPDATE postern.session SET ended_at = now() WHERE id = {id}"),
    ("session expired", "UPDATE postern.session SET expires_at = now() - interval '1 second' WHERE id = {id}"),
    ("session idle", "UPDATE postern.session SET last_seen_at = now() - interval '30 days' WHERE id = {id}"),
    ("account disabled", "UPDATE postern.account SET disabled_at = now() WHERE login_name = 'alan'"),
    ("account epoch", "UPDATE postern.account SET epoch = epoch + 1 WHERE login_name = 'alan'"),
]


@pytest.mark.parametrize("sql", [s for _, s in ENDS], ids=["SEC-CONS-02 " + n for n, _ in ENDS])
def test_what_ends_before_the_decision(bed, sql):
    session = bed.session("alan")
    browser = asked(bed, session=session)
    try:
        bed.db(sql.replace("{id}", "'" + session.id + "'"))
        answer = decide(browser, "allow")
        assert answer.status == 400 and answer.location is None
        assert consents(bed) == []
        assert bed.get("/consent", {"request": forms(asked(bed).page)[0]["fields"]["request"]}, session).status == 400
    finally:
        bed.db("UPDATE postern.account SET disabled_at = NULL WHERE login_name = 'alan'")


def is_over(page):
    """The person is told what to do, and the app's makers are left alone; the code is a registered one."""
    words = text(page)
    assert page.status == 400 and page.location is None and not forms(page), page
    assert "Go back to the app that you came from and begin again." in words and "tell the people" not in words, words
    assert words.count("invalid_request") == 1


@pytest.mark.parametrize("end", ["used", "expired", "session ended", "deleted", "never made", "malformed", "another browser"])
def test_request_that_is_over(bed, end):
    session = bed.session()
    browser = asked(bed, session=session)
    request = forms(browser.page)[0]["fields"]["request"]
    form = {**forms(browser.page)[0]["fields"], "decision": "allow"}
    if end == "used":
        decide(browser, "deny")
    elif end == "another browser":
        browser.cookies["postern_session"] = bed.session().text
    elif end == "session ended":
        bed.db("UPDATE postern.session SET ended_at = now() WHERE id = {}", session.id)
    elif end in ("never made", "malformed"):
        request = form["request"] = Handle().text if end == "never made" else "x"
    else:
        bed.db({"expired": ENDS[0][1], "deleted": "DELETE FROM postern.authorization_request"}[end])
    is_over(browser.send("GET", bed.issuer + "/consent?" + wire.form({"request": request})))
    if end != "another browser":                        # there the form is not that page's
        is_over(browser.send("POST", bed.issuer + "/consent", wire.form(form)))
    assert consents(bed) == []


def test_form_that_is_not_ours_is_another_matter(bed):
    browser = asked(bed)
    for different in ({"decision": "maybe"}, {"decision": None}):
        assert "tell the people who made that app" in text(decide(browser, **{"decision": "maybe", **different}))
        browser = asked(bed)


def test_client_disabled_before_the_decision(bed):
    browser = asked(bed)
    bed.db("UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-public'")
    try:
        assert browser.send("GET", bed.issuer + "/consent?" + wire.form({"request": forms(browser.page)[0]["fields"]["request"]})).status == 400
    finally:
        bed.db("UPDATE postern.client SET disabled_at = NULL WHERE client_id = 't-public'")


def test_implied_consent_asks_nobody(bed):
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-implied'")
    session = bed.session()
    assert "code" in bed.get("/authorize", bed.authorization("t-implied"), session).query()
    # ... unless the client wants the page.
    answer = bed.get("/authorize", bed.authorization("t-implied", prompt="consent"), session)
    assert answer.location.startswith(bed.issuer + "/consent?")


@pytest.mark.once
def test_waiting_requests_are_bounded(bed):
    """SEC-DOS-02: a session keeps twenty, and the newest works."""
    session = bed.session()
    for _ in range(25):
        browser = asked(bed, session=session)
    assert int(bed.db.value("SELECT count(*) FROM postern.authorization_request WHERE session_id = {}", session.id)) <= 20
    assert "code" in decide(browser, "allow").query()


def test_hostile_names_are_escaped(bed):
    """SEC-WEB-02: what an administrator or a person stored is text."""
    bad = "<script>alert(1)</script>\"'&"
    old = bed.db.value("SELECT name FROM postern.account WHERE login_name = 'grace'")
    bed.db("UPDATE postern.client SET client_name = {} WHERE client_id = 't-other'", bad)
    bed.db("UPDATE postern.account SET name = {} WHERE login_name = 'grace'", bad)
    try:
        browser = asked(bed, client_id="t-other")
        assert "<script" not in browser.page.text and text(browser.page).count("alert(1)") >= 2
        bed.consent("t-other")
        account = bed.get("/account", cookie=handle_of(browser.cookies["postern_session"]))
        assert "<script" not in account.text and "alert(1)" in account.text
    finally:
        bed.db("UPDATE postern.client SET client_name = 'Test t-other' WHERE client_id = 't-other'")
        bed.db("UPDATE postern.account SET name = {} WHERE login_name = 'grace'", old)


@pytest.mark.once
def test_policy_holds_the_longest_origin(bed):
    """SEC-CONS-03, SEC-WEB-01: however long the name of a host, no page comes without its policy."""
    uri = "https://" + "a" * 1990 + ".example/cb"
    bed.db("UPDATE postern.client SET redirect_uris = redirect_uris || {} WHERE client_id = 't-public'", [uri])
    try:
        browser = asked(bed, request=bed.authorization(redirect_uri=uri))
        policy = browser.page.get("Content-Security-Policy")
        assert "frame-ancestors 'none'" in policy and "form-action 'self' " + uri[:-3] in policy
    finally:
        bed.db("UPDATE postern.client SET redirect_uris = array_remove(redirect_uris, {}) WHERE client_id = 't-public'", uri)
