"""Personal API keys and sessions on the account page; DESIGN section 1."""

import re

import pytest

from lib import wire
from lib.bed import VAULT, Handle, basic
from lib.browser import Browser, forms, text


def at_account(bed, name="grace"):
    browser = Browser(bed)
    browser.session = bed.session(name)
    browser.cookies["postern_session"] = browser.session.text
    browser.go(bed.issuer + "/account")
    return browser


def fields_of(browser, action):
    return next(f["fields"] for f in forms(browser.page) if f["fields"].get("action") == action)


def make(browser, bed, name="script", scopes=("files.read",), days="7", **different):
    form = fields_of(browser, "make_key")
    pairs = [("csrf", form["csrf"]), ("key", form["key"]), ("action", "make_key"), ("name", name), ("days", days)] + [("scope", s) for s in scopes]
    pairs = [(n, different.get(n, v)) for n, v in pairs]
    browser.send("POST", bed.issuer + "/account", wire.form(pairs))
    found = re.search(r"postern_key_[\w-]{64}", browser.page.text)
    return found and found[0]


def test_key_is_shown_once_and_works(bed):
    bed.db("DELETE FROM postern.api_key")
    browser = at_account(bed)
    key = make(browser, bed)
    assert browser.page.status == 200 and key
    assert browser.page.get("Cache-Control") == "no-store"
    browser.go(bed.issuer + "/account")
    assert key not in browser.page.text and "script" in text(browser.page) and "never used" in text(browser.page)
    assert bed.call(key).status == 200
    assert "last used" in text(browser.go(bed.issuer + "/account"))
    rows = bed.db("SELECT k::text FROM postern.api_key k")
    assert not any(key[12:] in r[0] for r in rows)


@pytest.mark.http
def test_program_is_told(bed):
    key = make(at_account(bed), bed)
    told = bed.call(key).text
    assert "POSTERN_SUBJECT=" + bed.sub["grace"] in told and "POSTERN_SCOPE=files.read" in told
    assert re.search(r"^POSTERN_CLIENT_ID=$|^(?!.*POSTERN_CLIENT_ID)", told, re.M)


def test_scope_limits_it(bed):
    key = make(at_account(bed), bed)
    assert bed.call(key, "/whoami/write").status == 403
    both = make(at_account(bed), bed, scopes=("files.read", "files.write"))
    assert bed.call(both, "/whoami/write").status == 200


def test_introspection_for_the_resource(bed):
    key = make(at_account(bed), bed)
    body = bed.post("/introspect", {"token": key}, headers=[basic("t-drive")]).json()
    assert body["active"] and body["sub"] == bed.sub["grace"] and "client_id" not in body
    assert bed.post("/introspect", {"token": key}, headers=[basic("t-machine")]).json() == {"active": False}
    assert bed.request("GET", bed.at("/userinfo"), [("Authorization", "Bearer " + key)]).status == 401


def test_revoked_at_once(bed):
    browser = at_account(bed)
    key = make(browser, bed, name="to be revoked")
    ids = [f["fields"]["key"] for f in forms(browser.page) if f["fields"].get("action") == "revoke_key"]
    csrf = fields_of(browser, "revoke_key")["csrf"]
    other = at_account(bed, "alan")
    other.send("POST", bed.issuer + "/account", wire.form({"action": "revoke_key", "key": ids[0],
                                                          "csrf": fields_of(other, "sign_out")["csrf"]}))
    assert bed.call(key).status == 200                  # another person's button does nothing
    browser.send("POST", bed.issuer + "/account", wire.form({"action": "revoke_key", "key": ids[0], "csrf": csrf}))
    assert browser.page.status == 303 and bed.call(key).status == 401


def test_expires(bed):
    key = make(at_account(bed), bed)
    bed.db("UPDATE postern.api_key SET expires_at = now() - interval '1 second'")
    assert bed.call(key).status == 401


@pytest.mark.parametrize("end", ["disabled_at = now()", "epoch = epoch + 1"])
def test_ends_with_the_account(bed, end):
    key = make(at_account(bed, "alan"), bed)
    assert bed.call(key).status == 200
    bed.db(f"UPDATE postern.account SET {end} WHERE login_name = 'alan'")
    try:
        assert bed.call(key).status == 401
    finally:
        bed.db("UPDATE postern.account SET disabled_at = NULL WHERE login_name = 'alan'")


def test_every_change_makes_it_invalid(bed):
    key = make(at_account(bed), bed)
    for place in list(range(12, len(key), 4)) + [0, 11]:
        other = "B" if key[place] != "B" else "C"
        assert bed.call(key[:place] + other + key[place + 1:]).status == 401
    assert bed.call(key[:-1]).status == 401 and bed.call(key + "A").status == 401 and bed.call(key).status == 200


BAD = [("no name", {"name": ""}, ("files.read",)), ("no scope", {}, ()), ("unknown scope", {}, ("nothing",)),
       ("identity", {}, ("openid",)), ("two resources", {}, ("files.read", "vault.read")),
       ("a name with a control", {"name": "a\nb"}, ("files.read",)), ("a name that is too long", {"name": "n" * 256}, ("files.read",)),
       *[(f"days {d!r}", {"days": d}, ("files.read",)) for d in ("", "0", "-1", "+1", "367", "9999", "abc", "7.5", " 7", "99999")]]


@pytest.mark.parametrize("different, scopes", [b[1:] for b in BAD], ids=["SEC-TOK-05 " + b[0] for b in BAD])
def test_bad(bed, different, scopes):
    bed.db("DELETE FROM postern.api_key")
    browser = at_account(bed)
    assert make(browser, bed, scopes=scopes, **different) is None
    assert browser.page.status == 400 and bed.db.value("SELECT count(*) FROM postern.api_key") == "0"
    assert make(at_account(bed), bed)


def test_refused_form_keeps_what_was_typed(bed):
    browser = at_account(bed)
    assert make(browser, bed, name='a "b" <c>', days="30", scopes=()) is None
    kept = fields_of(browser, "make_key")
    assert kept["name"] == 'a "b" <c>' and kept["days"] == "30"
    make(browser, bed, name="again")
    fresh = fields_of(browser, "make_key")
    assert fresh["name"] == "" and fresh["days"] == "90"


def test_only_what_an_app_could_be_allowed(bed):
    """SEC-TOK-05: a scope that only a program of its own has, or nobody, is not a person's to give."""
    bed.db("INSERT INTO postern.scope (scope, resource, title) VALUES ('files.purge', {0}, 'Purge'), ('files.nobody', {0}, 'Nobody')", bed.drive)
    try:
        bed.db("UPDATE postern.client SET scope = scope || ' files.purge' WHERE client_id = 't-machine'")
        assert bed.call(bed.machine(scope="files.purge files.read").json()["access_token"]).status == 200
        for scopes in (("files.purge",), ("files.read", "files.purge"), ("files.nobody",)):
            browser = at_account(bed)
            assert b'value="files.read"' in browser.page.body and b'files.purge' not in browser.page.body and b'files.nobody' not in browser.page.body
            assert make(browser, bed, scopes=scopes) is None and browser.page.status == 400, scopes
        bed.db("UPDATE postern.client SET scope = scope || ' files.purge' WHERE client_id = 't-public'")
        assert b'value="files.purge"' in at_account(bed).page.body
        assert make(at_account(bed), bed, scopes=("files.purge",))
        bed.db("UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-public'")
        assert make(at_account(bed), bed, scopes=("files.purge",)) is None
    finally:
        bed.db("UPDATE postern.client SET disabled_at = NULL, scope = replace(scope, ' files.purge', '') WHERE scope LIKE '%files.purge%'")
        bed.db("DELETE FROM postern.scope WHERE scope IN ('files.purge', 'files.nobody')")
        bed.db("DELETE FROM postern.api_key")


# --- the form names its key: once is enough ----------------------------------

def made(bed):
    return int(bed.db.value("SELECT count(*) FROM postern.api_key"))


def post(browser, **fields):
    return browser.send("POST", browser.bed.issuer + "/account", wire.form(fields))


@pytest.fixture
def form(bed):
    """A browser at the account page, and what it sends to make a key."""
    bed.db("DELETE FROM postern.api_key")
    browser = at_account(bed)
    yield browser, {**fields_of(browser, "make_key"), "name": "once", "scope": "files.read", "days": "7"}
    bed.db("DELETE FROM postern.api_key")


def is_told(page):
    return page.status == 200 and "This key was made already" in text(page) and "shown once" in text(page) and "postern_key_" not in page.text


def test_reload_makes_no_second_key(bed, form):
    """What browsers do at Reload: the same POST.  The first key is as it was."""
    browser, fields = form
    key = re.search(r"postern_key_[\w-]{64}", post(browser, **fields).text)[0]
    assert "made already" not in text(browser.page)
    before = bed.db("SELECT k::text FROM postern.api_key k")
    for changes in ({}, {"name": "another"}, {"days": "366"}, {"scope": "files.write"}):
        assert is_told(post(browser, **{**fields, **changes})), changes
        assert bed.db("SELECT k::text FROM postern.api_key k") == before
    assert bed.call(key).status == 200
    assert fields_of(browser, "make_key")["name"] == ""
    assert "made already" not in text(browser.go(bed.issuer + "/account"))


@pytest.mark.parametrize("end", ["revoked_at = now()", "expires_at = now() - interval '1 second'"])
def test_reload_revives_nothing(bed, form, end):
    browser, fields = form
    key = re.search(r"postern_key_[\w-]{64}", post(browser, **fields).text)[0]
    bed.db(f"UPDATE postern.api_key SET {end}")
    assert is_told(post(browser, **fields)) and made(bed) == 1
    assert bed.call(key).status == 401


def test_reload_at_the_last_of_the_keys(bed, form):
    """It is not told as one too many."""
    browser, fields = form
    for _ in range(49):
        make(at_account(bed), bed)
    assert made(bed) == 49 and post(browser, **fields).status == 200 and made(bed) == 50
    assert is_told(post(browser, **fields)) and made(bed) == 50


def test_refused_form_can_be_sent_again(bed, form):
    """What made no key has used no id."""
    browser, fields = form
    for bad in ({"days": "0"}, {"name": ""}, {"scope": "nothing"}):
        assert post(browser, **{**fields, **bad}).status == 400 and made(bed) == 0
    assert post(browser, **fields).status == 200 and made(bed) == 1


def test_every_page_has_a_new_id(bed):
    browser = at_account(bed)
    ids = {fields_of(browser, "make_key")["key"]}
    for _ in range(3):
        ids |= {fields_of(at_account(bed), "make_key")["key"]}
    make(browser, bed, days="0")
    ids |= {fields_of(browser, "make_key")["key"]}
    make(browser, bed)
    ids |= {fields_of(browser, "make_key")["key"]}
    assert len(ids) == 6
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", i) for i in ids), ids


BAD_IDS = [None, "", "x", "1" * 36, "1" * 32, "11111111-1111-4111-8111-11111111111G", "11111111-1111-4111-8111-1111111111",
           "11111111-1111-4111-8111-11111111111A", "{1111111-1111-4111-8111-1111111111}", "1111111-11111-4111-8111-111111111111",
           "11111111-1111-4111-8111-1111111111112", " 1111111-1111-4111-8111-111111111111", "11111111_1111_4111_8111_111111111111"]


@pytest.mark.parametrize("value", BAD_IDS, ids=lambda v: f"SEC-PARAM-04 {v!r}")
def test_malformed_id_of_a_new_key(bed, form, value):
    browser, fields = form
    assert post(browser, **{**fields, "key": value}).status == 400 and made(bed) == 0
    assert "postern_key_" not in browser.page.text
    assert "is not one of ours" in text(browser.page) or len(value) > 36


def test_id_twice(bed, form):
    browser, fields = form
    for second in (fields["key"], "11111111-1111-4111-8111-111111111111"):
        browser.send("POST", bed.issuer + "/account", wire.form([*fields.items(), ("key", second)]))
        assert browser.page.status == 400 and made(bed) == 0


def test_id_of_another_persons_key(bed, form):
    """It is not told as one's own, and stays theirs."""
    browser, fields = form
    other = at_account(bed, "alan")
    key = make(other, bed)
    before = bed.db("SELECT k::text FROM postern.api_key k")
    theirs = bed.db.value("SELECT id FROM postern.api_key")
    page = post(browser, **{**fields, "key": theirs})
    assert page.status == 400 and "is not one of ours" in text(page) and "made already" not in text(page)
    assert bed.db("SELECT k::text FROM postern.api_key k") == before and bed.call(key).status == 200


def test_csrf(bed):
    bed.db("DELETE FROM postern.api_key")
    browser = at_account(bed)
    assert make(browser, bed, csrf="A" * 43) is None and browser.page.status == 403
    assert bed.db.value("SELECT count(*) FROM postern.api_key") == "0"


# --- sessions ------------------------------------------------------------

def test_end_another_session(bed):
    mine, there = at_account(bed), bed.session("grace")
    strangers = bed.session("alan")
    mine.go(bed.issuer + "/account")
    form = next(f["fields"] for f in forms(mine.page) if f["fields"].get("session", "").replace("-", "") == there.id)
    mine.send("POST", bed.issuer + "/account", wire.form({**form, "session": str_uuid(strangers.id)}))
    assert bed.get("/account", cookie=strangers).status == 200
    mine.send("POST", bed.issuer + "/account", wire.form(form))
    assert mine.page.status == 303 and bed.get("/account", cookie=there).status == 303
    assert bed.get("/account", cookie=mine.session).status == 200


def str_uuid(hexadecimal):
    h = hexadecimal
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


@pytest.mark.parametrize("action, name", [("end_session", "session"), ("revoke_key", "key")])
@pytest.mark.parametrize("value", ["", "x", "1" * 36, "11111111-1111-4111-8111-11111111111G"], ids=lambda v: f"SEC-PARAM-04 {v!r}")
def test_malformed_id(bed, action, name, value):
    browser = at_account(bed)
    browser.send("POST", bed.issuer + "/account", wire.form({"action": action, name: value,
                                                            "csrf": fields_of(browser, "sign_out")["csrf"]}))
    assert browser.page.status == 400
