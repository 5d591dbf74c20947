"""The login page: SEC-LOGIN, SEC-SESS, SEC-WEB; NIST SP 800-63B-4 section 3.2.2."""

import ctypes
import re
import time
import unicodedata

import pytest

from lib import wire
from lib.bed import CB, Handle, handle_of
from lib.browser import Browser, forms, text
from lib.database import Database


@pytest.fixture(autouse=True)
def unthrottled(bed):
    bed.unthrottle()
    yield
    bed.unthrottle()


def at_login(bed, request=None):
    """A browser that shows the login page."""
    browser = Browser(bed)
    if request is None:
        browser.go(bed.issuer + "/login")
    else:
        browser.go(bed.issuer + "/authorize?" + wire.form(request))
    assert browser.page.status == 200 and forms(browser.page), browser.page
    return browser


def crypt_of(password, method):
    """crypt(3), with a cost that tests can wait for."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    setting = {"bcrypt": b"$2b$04$" + b"A" * 21 + b"u", "yescrypt": b"$y$j75$abcdefghijklmnop"}[method]
    return library.crypt(password.encode(), setting).decode()


def attempts(bed):
    """Attempts that were counted for an account."""
    return int(bed.db.value("SELECT coalesce(sum(failures), 0) FROM postern.login_throttle WHERE subject LIKE 'account:%'"))


def is_refused(browser, status=403):
    assert browser.page.status == status, browser.page
    assert "postern_session" not in browser.cookies
    assert not any("postern_session" in c for c in browser.page.all("Set-Cookie"))


# --- the good way --------------------------------------------------------

def test_login_leads_back_to_the_request(bed):
    bed.consent("t-public")
    request = bed.authorization(nonce="n")
    browser = at_login(bed, request)
    answer = browser.login()
    assert answer.location.startswith(CB + "?code="), browser.trail
    assert answer.query()["state"] == request["state"]
    # RFC 9700 section 4.12: after a credential 303, so that no password travels on.
    assert [status for method, _, status in browser.trail if method == "POST"] == [303]


def test_login_without_a_request_leads_to_the_account(bed):
    browser = at_login(bed)
    assert browser.login().status == 200
    assert browser.trail[-1][1] == bed.issuer + "/account"
    assert "Grace" in text(browser.page)


SPELLINGS = ["Grace", "GRACE", " grace ", "\uff47race"]


@pytest.mark.parametrize("name", SPELLINGS, ids=lambda v: f"SEC-LOGIN-04 {v!r}")
def test_one_account_for_all_spellings(bed, name):
    """SEC-LOGIN-04, CVE-2025-24806, CVE-2026-47203: one spelling, one counter."""
    browser = at_login(bed)
    browser.login(name, "wrong")
    assert browser.page.status == 403
    assert bed.db.value("SELECT count(*) FROM postern.login_throttle WHERE subject LIKE 'account:%'") == "1"
    browser = at_login(bed)
    browser.login("grace", "wrong")
    assert attempts(bed) == 2


def test_cookies(bed):
    """SEC-SESS-01: names and attributes on an http issuer; a path issuer keeps to its path."""
    browser = Browser(bed)
    browser.send("GET", bed.issuer + "/login")
    lines = browser.page.all("Set-Cookie")
    browser.submit({"username": "grace", "password": bed.password})
    browser.send("POST", bed.issuer + "/login", b"x=1")     # sets none
    assert not browser.page.all("Set-Cookie") or "browser" in browser.page.get("Set-Cookie")
    again = at_login(bed)
    again.send("POST", forms(again.page)[0]["action"],
               wire.form({**forms(again.page)[0]["fields"], "username": "grace", "password": bed.password}))
    lines += again.page.all("Set-Cookie")
    assert len(lines) == 2
    for name, line in zip(("postern_browser", "postern_session"), lines):
        assert re.fullmatch(name + r"=[A-Za-z0-9_-]{64}; Path=(\S+); HttpOnly; SameSite=Lax", line), line
        assert f"; Path={bed.path or '/'};" in line


def test_new_session_at_each_login_and_the_old_one_ends(bed):
    """SEC-SESS-02, CVE-2021-45379: whoever has another person's cookie is, after a login, who has logged in."""
    browser = at_login(bed)
    browser.login()
    first = browser.cookies["postern_session"]
    browser.go(bed.issuer + "/login")
    browser.login("alan")
    second = browser.cookies["postern_session"]
    assert first != second and first[:22] != second[:22]
    ended = bed.db.value("SELECT ended_at IS NOT NULL FROM postern.session WHERE id = {}", handle_of(first).id)
    assert ended == "t"
    assert bed.get("/account", cookie=handle_of(first)).status == 303
    page = text(bed.get("/account", cookie=handle_of(second)))
    assert "alan" in page and "grace" not in page


def test_a_planted_session_id_is_not_adopted(bed):
    """SEC-SESS-02, CVE-2026-7507, CVE-2024-28197: fixation."""
    browser = at_login(bed)
    browser.cookies["postern_session"] = planted = "B" * 64
    browser.login()
    assert browser.cookies["postern_session"] != planted
    assert bed.get("/account", headers=[("Cookie", "postern_session=" + planted)]).status == 303


def test_a_wrong_password_does_not_end_the_session(bed):
    browser = at_login(bed)
    browser.login()
    before = browser.cookies["postern_session"]
    browser.go(bed.issuer + "/login")
    browser.login(password="wrong")
    assert browser.page.status == 403
    assert bed.get("/account", cookie=handle_of(before)).status == 200


def test_the_session_is_not_in_the_database(bed):
    browser = at_login(bed)
    browser.login()
    assert browser.cookies["postern_session"] not in str(bed.db("SELECT s FROM postern.session s"))


def test_prompt_login_is_satisfied_once(bed):
    """A login made for this request (OpenID Connect Core section 3.1.2.1)."""
    bed.consent("t-public")
    request = bed.authorization(prompt="login")
    browser = at_login(bed, request)
    assert "code" in browser.login().query(), browser.trail
    browser.go(bed.issuer + "/authorize?" + wire.form(request))
    assert browser.page.status == 200 and "password" in browser.page.text
    # ... and not by a login for another request.
    browser = at_login(bed, bed.authorization())
    browser.login()
    browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization(prompt="login")))
    assert browser.page.status == 200 and "password" in browser.page.text


def test_max_age_0_is_satisfied_by_a_login_for_it(bed):
    bed.consent("t-public")
    browser = at_login(bed, bed.authorization(max_age="0"))
    assert "code" in browser.login().query(), browser.trail


# --- wrong ---------------------------------------------------------------

WRONG = [
    ("wrong password", {"username": "grace", "password": "wrong"}, 403),
    ("password of another case", {"username": "grace", "password": "%UPPER"}, 403),
    ("password with a space more", {"username": "grace", "password": "%P "}, 403),
    ("password cut", {"username": "grace", "password": "%CUT"}, 403),
    ("unknown name", {"username": "nobody", "password": "wrong"}, 403),
    ("name of the database", {"username": "' OR ''='", "password": "wrong"}, 403),
    ("LIKE", {"username": "%", "password": "%P"}, 403),
    ("hash for password", {"username": "grace", "password": "%HASH"}, 403),
    ("password longer than any hash's", {"username": "grace", "password": "p" * 512}, 403),
    ("password as long as is read", {"username": "grace", "password": "p" * 1533}, 403),
    ("no password", {"username": "grace"}, 400),
    ("empty password", {"username": "grace", "password": ""}, 400),
    ("no name", {"password": "%P"}, 400),
    ("empty name", {"username": "", "password": "%P"}, 400),
    ("e-mail for name", {"username": "grace@example.org", "password": "%P"}, 403),
]


@pytest.mark.parametrize("values, status", [(v, s) for _, v, s in WRONG], ids=["SEC-LOGIN-01 " + n for n, _, _ in WRONG])
def test_wrong(bed, values, status):
    values = dict(values)
    hashed = bed.db.value("SELECT password_hash FROM postern.account WHERE login_name = 'grace'")
    for word, real in (("%UPPER", bed.password.upper()), ("%CUT", bed.password[:-1]), ("%HASH", hashed), ("%P", bed.password)):
        if values.get("password", "").startswith(word):
            values["password"] = values["password"].replace(word, real)
    browser = at_login(bed)
    browser.submit(values)
    is_refused(browser, status)
    assert bed.password not in browser.page.text
    # It is a form again; the next try works.
    browser.login()
    assert "postern_session" in browser.cookies


FAULTS = [      # the form itself is wrong: no attempt
    ("csrf missing", lambda f: f.pop("csrf"), 403), ("csrf empty", lambda f: f.update(csrf=""), 403),
    ("csrf wrong", lambda f: f.update(csrf="A" * 43), 403),
    ("csrf cut", lambda f: f.update(csrf=f["csrf"][:-1]), 403),
    ("csrf too long", lambda f: f.update(csrf="A" * 65), 400),
    ("name too long", lambda f: f.update(username="n" * 256), 400),
    ("password too long", lambda f: f.update(password="p" * 1534), 400),
    ("name with NUL", lambda f: f.update(username="grace\0x"), 400),
    ("request is not a query", lambda f: f.update(request="https://evil.example/"), 400),
    ("request with CR LF", lambda f: f.update(request="a=b\r\nc"), 400),
    ("request too long", lambda f: f.update(request="a=" + "b" * 6200), 400),
]


@pytest.mark.parametrize("change, status", [(c, s) for _, c, s in FAULTS], ids=["SEC-LOGIN-06 " + n for n, _, _ in FAULTS])
def test_fault_of_the_form(bed, change, status):
    browser = at_login(bed)
    fields = {**forms(browser.page)[0]["fields"], "username": "grace", "password": bed.password}
    change(fields)
    browser.send("POST", bed.issuer + "/login", wire.form(fields))
    is_refused(browser, status)
    assert attempts(bed) == 0
    assert "evil.example" not in (browser.page.location or "")
    if len(fields["username"]) > 255 or len(fields["password"]) > 1533:
        again = forms(browser.page)[0]["fields"]
        assert "too long" in browser.page.text and again["username"] == ("" if len(fields["username"]) > 255 else "grace")


ORIGINS = [
    ("other origin", [("Origin", "https://evil.example")]),
    ("null, cross-site", [("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]),
    ("other scheme", [("Origin", "https://localhost")]), ("a site of ours", [("Origin", "http://drive.localhost")]),
    ("origin with a slash", [("Origin", "%O/")]), ("upper case", [("Origin", "HTTP://LOCALHOST")]),
    ("cross-site", [("Sec-Fetch-Site", "cross-site")]), ("same-site", [("Sec-Fetch-Site", "same-site")]),
    ("none", [("Sec-Fetch-Site", "none")]), ("unknown", [("Sec-Fetch-Site", "Same-Origin")]),
    ("right origin, cross-site", [("Origin", "%O"), ("Sec-Fetch-Site", "cross-site")]),
]


@pytest.mark.parametrize("headers", [h for _, h in ORIGINS], ids=["SEC-LOGIN-06 " + n for n, _ in ORIGINS])
def test_from_elsewhere(bed, headers):
    browser = at_login(bed)
    browser.login(headers=[(n, v.replace("%O", bed.origin)) for n, v in headers])
    is_refused(browser)
    assert attempts(bed) == 0


OURS = [        # how browsers send a form of a page with Referrer-Policy no-referrer, or nothing at all
    [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")], [("Origin", "%O"), ("Sec-Fetch-Site", "same-origin")],
    [("Origin", "null")], [("Origin", "%O")], [("Sec-Fetch-Site", "same-origin")], [],
]


@pytest.mark.parametrize("headers", OURS, ids=[" ".join(n for n, _ in h) + str(i) for i, h in enumerate(OURS)])
def test_from_our_own_page(bed, headers):
    browser = at_login(bed)
    browser.login(headers=[(n, v.replace("%O", bed.origin)) for n, v in headers])
    assert "postern_session" in browser.cookies


def test_csrf_of_another_browser(bed):
    """SEC-LOGIN-06: the form is bound to the browser that got it."""
    victim, attacker = at_login(bed), at_login(bed)
    fields = {**forms(attacker.page)[0]["fields"], "username": "alan", "password": bed.password}
    victim.send("POST", bed.issuer + "/login", wire.form(fields))
    is_refused(victim)
    cookieless = Browser(bed)
    cookieless.send("POST", bed.issuer + "/login", wire.form(fields))
    is_refused(cookieless)
    assert attempts(bed) == 0


def test_csrf_of_another_page(bed):
    """A form value is for one purpose: that of consent or account does not serve here."""
    browser = at_login(bed)
    browser.login()
    browser.go(bed.issuer + "/account")
    csrf = forms(browser.page)[0]["fields"]["csrf"]
    other = at_login(bed)
    other.cookies["postern_browser"] = browser.cookies["postern_session"]
    other.send("POST", bed.issuer + "/login", wire.form({"username": "grace", "password": bed.password, "csrf": csrf}))
    is_refused(other)


def test_no_session_before_the_last_check(bed):
    """SEC-SESS-03, CVE-2023-28862: neither the page nor a wrong password makes a row, or a cookie of a session."""
    before = bed.stored("session")
    browser = at_login(bed)
    browser.login(password="wrong")
    browser.login("nobody")
    browser.send("POST", bed.issuer + "/login", {"username": "grace", "password": bed.password})
    assert bed.stored("session") <= before and "postern_session" not in browser.cookies
    browser.go(bed.issuer + "/login")
    browser.login()
    assert len(bed.stored("session") - before) == 1


def test_no_octet_of_a_long_password_is_cut(bed):
    """SEC-PWD-02: bcrypt looks at 72 octets; what is longer is refused, not cut."""
    hashed = bed.db.value("SELECT password_hash FROM postern.account WHERE login_name = 'alan'")
    for password, stored in (("x" * 72, "bcrypt"), ("y" * 511, "yescrypt")):
        bed.db("UPDATE postern.account SET password_hash = {} WHERE login_name = 'alan'", crypt_of(password, stored))
        try:
            for wrong in (password + "x", password[:-1], password[:-1] + "z"):
                if len(wrong) <= 511:
                    browser = at_login(bed)
                    browser.login("alan", wrong)
                    is_refused(browser)
            browser.login("alan", password)
            assert "postern_session" in browser.cookies
        finally:
            bed.db("UPDATE postern.account SET password_hash = {} WHERE login_name = 'alan'", hashed)
            bed.unthrottle()


@pytest.mark.parametrize("method", ["yescrypt", "bcrypt"])
@pytest.mark.parametrize("password", ["caf\u00e9 na\u00efve \u212b \ufb01", "\ud55c\uae00 q\u0323\u0307 \u0915\u093c"], ids=lambda v: v.encode("unicode_escape").decode())
def test_password_in_either_form(bed, password, method):
    """SEC-PWD-02: one code point or two, it is the same letter; a letter like it is another one."""
    hashed = bed.db.value("SELECT password_hash FROM postern.account WHERE login_name = 'alan'")
    normal = unicodedata.normalize("NFC", password)
    bed.db("UPDATE postern.account SET password_hash = {} WHERE login_name = 'alan'", crypt_of(normal, method))
    try:
        for typed in (normal, unicodedata.normalize("NFD", password), password):
            browser = at_login(bed)
            browser.login("alan", typed)
            assert "postern_session" in browser.cookies, typed
        for other in (normal[:-1], normal + "\u0301", normal.upper(), unicodedata.normalize("NFKD", normal).encode("ascii", "ignore").decode() or "x",
                      normal.replace("\ufb01", "fi") if "\ufb01" in normal else normal.replace("\uae00", "\uae01")):
            browser = at_login(bed)
            browser.login("alan", other)
            is_refused(browser)
    finally:
        bed.db("UPDATE postern.account SET password_hash = {} WHERE login_name = 'alan'", hashed)


def test_password_that_is_shorter_when_it_is_hashed(bed):
    """SEC-PWD-02: what counts is the length of the normal form; an octet more and it is none."""
    hashed = bed.db.value("SELECT password_hash FROM postern.account WHERE login_name = 'alan'")
    typed = "e\u0301" * 255
    bed.db("UPDATE postern.account SET password_hash = {} WHERE login_name = 'alan'", crypt_of(unicodedata.normalize("NFC", typed), "yescrypt"))
    try:
        for more in ("e\u0301", "xx"):
            browser = at_login(bed)
            browser.login("alan", typed + more)
            is_refused(browser)
        browser.login("alan", typed)
        assert "postern_session" in browser.cookies
    finally:
        bed.db("UPDATE postern.account SET password_hash = {} WHERE login_name = 'alan'", hashed)


def test_password_never_by_get(bed):
    """SEC-HTTP-07."""
    answer = bed.get("/login", {"username": "grace", "password": bed.password})
    assert answer.status == 200 and "postern_session" not in str(answer.headers)
    assert "You are signed in" not in answer.text and forms(answer)[0]["fields"].get("password", "") == ""


REQUESTS = ["<script>alert(1)</script>", "a=\"><script>", "//evil.example", "a=b c", "a=\\", "a=%00&client_id=%zz"]


@pytest.mark.parametrize("query", REQUESTS, ids=lambda v: f"SEC-SESS-06 {v!r}")
def test_hostile_request_in_the_address(bed, query):
    """SEC-WEB-02, SEC-SESS-06."""
    answer = bed.request("GET", bed.at("/login?" + query.replace(" ", "+")))
    assert answer.status in (200, 400)
    assert "<script" not in answer.text and "evil.example" not in (answer.location or "")


def test_client_name_is_shown_only_for_a_registered_address(bed):
    good = bed.get("/login", bed.authorization())
    assert "Test t-public" in text(good) and "https://app.example" in good.get("Content-Security-Policy")
    bad = bed.get("/login", bed.authorization(redirect_uri="https://evil.example/cb"))
    assert "Test t-public" not in text(bad) and "evil.example" not in bad.get("Content-Security-Policy")


def test_login_hint_is_escaped(bed):
    answer = bed.get("/login", bed.authorization(login_hint="\"><img src=x>"))
    assert "<img" not in answer.text and "&quot;&gt;&lt;img" in answer.text


# --- unknown names look the same -----------------------------------------

def test_unknown_name_looks_the_same(bed):
    """SEC-LOGIN-03, CVE-2026-23511, CVE-2024-41952, CVE-2024-0391: status, headers and page."""
    pages = {}
    for name in ("grace", "nobd7"):
        browser = at_login(bed)
        fields = {**forms(browser.page)[0]["fields"], "username": name, "password": "wrong"}
        browser.send("POST", bed.issuer + "/login", wire.form(fields))
        pages[name] = browser.page, fields["csrf"]
    (known, csrf_1), (unknown, csrf_2) = pages["grace"], pages["nobd7"]
    assert known.text.replace("grace", "NAME").replace(csrf_1, "C") == unknown.text.replace("nobd7", "NAME").replace(csrf_2, "C")
    names = [p.names() for p in (known, unknown)]
    assert names[0] == names[1] and known.status == unknown.status == 403
    assert len(known.body) == len(unknown.body)


def test_disabled_account_looks_unknown(bed):
    bed.db("UPDATE postern.account SET disabled_at = now() WHERE login_name = 'alan'")
    try:
        browser = at_login(bed)
        browser.login("alan")
        is_refused(browser)
        assert "not right" in text(browser.page)
    finally:
        bed.db("UPDATE postern.account SET disabled_at = NULL WHERE login_name = 'alan'")


def seconds_of_refusals(bed, attempts, rounds):
    """For each name and password: the least, since what a busy machine adds is not ours."""
    times = {attempt: [] for attempt in attempts}
    browser = at_login(bed)
    for _ in range(rounds):
        for name, password in attempts:
            bed.unthrottle()
            fields = {**forms(browser.page)[0]["fields"], "username": name, "password": password}
            began = time.perf_counter()
            browser.send("POST", bed.issuer + "/login", wire.form(fields))
            times[name, password].append(time.perf_counter() - began)
            assert browser.page.status == 403
    return [min(t) for t in times.values()]


@pytest.mark.once
@pytest.mark.parametrize("passwords", [("wrong", "wrong"), ("wrong", "p" * 600), ("p" * 600, "wrong"), ("\U000e0080", "wrong")],
                         ids=["SEC-LOGIN-03 " + n for n in ("wrong", "too long for one that is unknown", "too long for one that is known", "of no character")])
def test_every_refusal_takes_as_long(bed, long, passwords):
    """SEC-LOGIN-03, roughly: a hash of the same cost is computed.  Without it the difference
    is most of the time, however often one tries."""
    for attempt in range(4):
        known, unknown = seconds_of_refusals(bed, tuple(zip(("grace", "nobd7"), passwords)), 60 if long else 9)
        if abs(known - unknown) < 0.35 * max(known, unknown):
            return
    raise AssertionError((known, unknown))


# --- throttle ------------------------------------------------------------

def test_throttle_of_an_account(bed):
    """SEC-LOGIN-01: five attempts, then a wait, also for the right password and
    for every spelling; time alone, or a row deleted in SQL, ends it."""
    browser = at_login(bed)
    for _ in range(5):
        browser.login(password="wrong")
        is_refused(browser)
    bed.db("UPDATE postern.login_throttle SET blocked_until = now() + interval '5 minutes' WHERE subject LIKE 'account:%'")
    for name, password in (("grace", "wrong"), ("grace", bed.password), ("GRACE ", bed.password)):
        browser.login(name, password)
        is_refused(browser, 429)
        assert "5 min" in text(browser.page)
    assert attempts(bed) == 5       # what is not checked is not counted
    other = at_login(bed)
    other.login("alan")
    assert "postern_session" in other.cookies
    bed.db("UPDATE postern.login_throttle SET blocked_until = now() WHERE subject LIKE 'account:%'")
    browser.login()
    assert "postern_session" in browser.cookies
    assert attempts(bed) == 0


def test_wait_doubles(bed):
    waits = []
    browser = at_login(bed)
    for _ in range(9):
        bed.db("UPDATE postern.login_throttle SET blocked_until = now() - interval '1 second'")
        browser.login(password="wrong")
        assert browser.page.status == 403
        waits.append(float(bed.db.value("SELECT greatest(0, extract(epoch FROM blocked_until - now()))"
                                        " FROM postern.login_throttle WHERE subject LIKE 'account:%'")))
    assert max(waits[:4]) < 0.5
    for i, wait in enumerate(waits[4:]):
        assert 2 ** i - 0.9 < wait <= 2 ** i, waits


def test_wait_is_a_quarter_of_an_hour_at_most(bed):
    browser = at_login(bed)
    browser.login(password="wrong")
    bed.db("UPDATE postern.login_throttle SET failures = 90 WHERE subject LIKE 'account:%'")
    browser.login(password="wrong")
    assert 890 < float(bed.db.value("SELECT extract(epoch FROM blocked_until - now()) FROM postern.login_throttle"
                                    " WHERE subject LIKE 'account:%'")) <= 900


def test_the_hundredth_failure_is_the_last_for_a_day(bed):
    """SEC-LOGIN-01: NIST SP 800-63B-4 section 3.2.2."""
    browser = at_login(bed)
    browser.login(password="wrong")
    bed.db("UPDATE postern.login_throttle SET failures = 98, blocked_until = now() WHERE subject LIKE 'account:%'")
    browser.login(password="wrong")
    bed.db("UPDATE postern.login_throttle SET blocked_until = now() WHERE subject LIKE 'account:%'")
    browser.login(password="wrong")
    assert browser.page.status == 403 and attempts(bed) == 100
    hours = "SELECT extract(epoch FROM blocked_until - now()) / 3600 FROM postern.login_throttle WHERE subject LIKE 'account:%'"
    assert 23.9 < float(bed.db.value(hours)) <= 24
    browser.login()
    is_refused(browser, 429)
    bed.db("UPDATE postern.login_throttle SET blocked_until = now(), expires_at = now() - interval '1 second'")    # a day later
    browser.login(password="wrong")
    assert browser.page.status == 403 and attempts(bed) == 1
    browser.login()
    assert "postern_session" in browser.cookies


def test_an_address_is_never_stopped_for_a_day(bed):
    """SEC-LOGIN-01: behind one address may be a whole school."""
    browser = at_login(bed)
    browser.login("nobody", "wrong")
    bed.db("UPDATE postern.login_throttle SET failures = 500 WHERE subject LIKE 'address:%'")
    browser.login("nobody", "wrong")
    assert float(bed.db.value("SELECT extract(epoch FROM blocked_until - now()) FROM postern.login_throttle WHERE subject LIKE 'address:%'")) <= 900


def test_throttle_of_an_address(bed):
    """50 attempts from one address, over any number of accounts."""
    browser = at_login(bed)
    browser.login("nobody", "wrong")
    bed.db("UPDATE postern.login_throttle SET failures = 60, blocked_until = now() + interval '1 minute'"
           " WHERE subject LIKE 'address:%'")
    browser.login("grace")
    is_refused(browser, 429)
    assert attempts(bed) == 1


@pytest.mark.once
def test_end_and_beginning_do_not_wait_for_each_other(bed):
    """SEC-LOGIN-02: an attempt that begins and one that ends, same name and same address, lock in the same order."""
    bed.unthrottle()
    rows = [bed.db.value("SELECT postern.throttle_address('192.0.2.1')"), bed.db.value("SELECT postern.throttle_account('grace')")]
    for row in rows:
        bed.db("INSERT INTO postern.login_throttle VALUES ({}, 1, now(), now() + interval '1 day')", row)
    lock = "UPDATE postern.login_throttle SET failures = failures + 1 WHERE subject = {}"
    beginning, end = (Database(bed.env["PGHOST"], bed.env["PGUSER"]) for _ in range(2))
    try:
        end("SELECT 1")
        beginning("BEGIN")
        beginning(lock, rows[0])
        end.send("SELECT outcome FROM postern.login_finish('grace', '192.0.2.1', (SELECT password_hash FROM postern.account WHERE login_name = 'grace'),"
                 " {}, {}, NULL, NULL, NULL, NULL)", Handle().id, bytes(32))
        until = time.monotonic() + 10
        while bed.admin.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%login_finish%' AND pid <> pg_backend_pid()") == "0":
            assert time.monotonic() < until
            time.sleep(0.02)
        beginning("SET LOCAL lock_timeout = '300ms'")
        beginning(lock, rows[1])
        beginning("COMMIT")
        assert end.receive() == [("ok",)]
    finally:
        beginning.close()
        end.close()
        bed.unthrottle()


SUBJECTS = [
    ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("::FFFF:c000:0207", "192.0.2.7"), ("::ffff:192.0.2.8", "192.0.2.8"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("2001:db8:1:2::", "2001:db8:1:2::"), ("::1", "::"), ("fe80::1%eth0", "unknown"), ("x", "unknown"),
]


@pytest.mark.once
@pytest.mark.parametrize("address, subject", SUBJECTS, ids=["SEC-LOGIN-01 " + a for a, _ in SUBJECTS])
def test_what_counts_as_one_address(bed, address, subject):
    """A web server that listens for both kinds reports IPv4 as ::ffff:...: not all of it is one."""
    assert bed.db.value("SELECT postern.throttle_address({})", address) == "address:" + subject


FORWARDED = ["10.9.9.9", "unknown", "a", "", "127.0.0.1, 10.9.9.9", "::1", "' OR 1=1", "x" * 300]


@pytest.mark.parametrize("value", FORWARDED, ids=lambda v: f"SEC-HTTP-04 {v!r}")
def test_forwarded_for_is_not_an_address(bed, value):
    """SEC-HTTP-04, CVE-2024-47070: a header does not choose the throttled address."""
    browser = at_login(bed)
    browser.login(password="wrong", headers=[("X-Forwarded-For", value), ("Forwarded", "for=" + value), ("X-Real-IP", value),
                                             ("Remote-Addr", value), ("Client-IP", value)])
    assert browser.page.status == 403
    assert bed.db("SELECT subject FROM postern.login_throttle WHERE subject LIKE 'address:%'") == [("address:127.0.0.1",)]


@pytest.mark.once
def test_many_parallel_guesses_are_counted_one_by_one(bed, long):
    """SEC-LOGIN-02: of 200 parallel guesses none escapes the count."""
    if bed.how == "cgi":
        count = 24          # a process each: fewer, and one after the other
    else:
        count = 200
    browser = at_login(bed)
    fields = {**forms(browser.page)[0]["fields"], "username": "grace", "password": "wrong"}
    headers = [("Cookie", "postern_browser=" + browser.cookies["postern_browser"])]
    began = time.monotonic()
    if bed.how == "cgi":
        answers = [bed.request("POST", bed.at("/login"), headers, fields) for _ in range(count)]
    else:
        headers += [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded")]
        answers = wire.together(bed.address, [
            wire.build("POST", bed.at("/login"), headers, wire.form(fields).encode())] * count)
    seconds = time.monotonic() - began
    statuses = [a.status for a in answers]
    checked = statuses.count(403)
    assert checked + statuses.count(429) == count, sorted(set(statuses))
    assert checked == attempts(bed)
    # Five are free; then 1, 2, 4 ... seconds pass between two.
    waits = 0
    while 2 ** (waits + 1) - 1 <= seconds:
        waits += 1
    assert 5 <= checked <= 5 + waits, (checked, seconds)
