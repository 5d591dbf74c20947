"""The authorization endpoint: RFC 6749 section 4.1, RFC 7636, RFC 9207, RFC 8707,
OpenID Connect Core section 3.1.2; SEC-AUTHZ, SEC-PKCE, SEC-PARAM."""

import base64
import pathlib
import re
import secrets
import urllib.parse

import pytest

from lib.bed import CB, CHALLENGE, VAULT
from lib.wire import form


@pytest.fixture(scope="module")
def session(bed):
    """Somebody who is logged in and has allowed everything."""
    for client in ("t-public", "t-other", "t-single", "t-basic", "t-classic", "t-classic-public", "t-narrow", "t-machine"):
        bed.consent(client)
    return bed.session()


def is_of_lighttpd(bed, answer):
    """lighttpd itself refuses control characters in a query, also encoded ones."""
    return bed.web == "lighttpd" and bed.how == "http" and answer.status == 400 and b"400 Bad Request" in answer.body


def is_page(bed, answer, status=400):
    """A page for the person; nothing is sent to anybody else (RFC 6749 section 4.1.2.1)."""
    assert answer.status == status, answer
    assert answer.location is None
    if is_of_lighttpd(bed, answer):
        return
    assert answer.get("Content-Type") == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in answer.get("Content-Security-Policy")


def is_reported(answer, error, sent, where=CB):
    """An error that the client hears, with its state and our name (RFC 9207)."""
    assert answer.status == 303, answer
    assert answer.location.startswith(where), answer.location
    got = answer.query()
    assert got.get("error") == error, got
    assert "code" not in got
    assert got.get("state") == sent.get("state")
    # RFC 6749 section 4.1.2.1: printable ASCII without '"' and '\'
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]*", got.get("error_description", ""))
    return got


def authorize_works(bed, session):
    assert "code" in bed.get("/authorize", bed.authorization(), session).query()


# --- client and redirect URI: a page, never a redirect -------------------

URIS = [    # what a registered https://app.example/cb must not be confused with
    ("CVE-2024-8883 loopback with userinfo", "http://127.0.0.1:49152@evil.example/native"),
    ("CVE-2024-8883 loopback, any port then host", "http://127.0.0.1:1.evil.example/native"),
    ("CVE-2023-6291 other host", "https://evil.example/cb"),
    ("CVE-2024-1132 encoded traversal", CB + "/%2e%2e%2fx"),
    ("CVE-2024-1132 encoded slash", "https://app.example/%2e%2e/cb"),
    ("CVE-2026-3872 ..;/", CB + "/..;/x"),
    ("plain traversal", "https://app.example/x/../cb"),
    ("CVE-2026-9689 planted code in the query", CB + "?code=evil"),
    ("CVE-2026-18209 planted code in the fragment", CB + "#code=evil"),
    ("empty fragment", CB + "#"),
    ("empty query", CB + "?"),
    ("CVE-2026-18211 prefix of localhost", "http://localhost.evil.example:3000/dev"),
    ("CVE-2026-18206 suffix", "https://evilapp.example/cb"),
    ("CVE-2024-52289 dot as wildcard", "https://appaexample/cb"),
    ("CVE-2020-15233 upper-case path", "https://app.example/CB"),
    ("upper-case host", "https://APP.example/cb"),
    ("upper-case scheme", "HTTPS://app.example/cb"),
    ("CVE-2026-28512 userinfo", "https://app.example@evil.example/cb"),
    ("userinfo of ours", "https://user@app.example/cb"),
    ("CVE-2021-32786 backslash", "https://app.example\\@evil.example/cb"),
    ("backslash for slash", "https:\\\\app.example\\cb"),
    ("CVE-2024-39694 scheme-relative", "//app.example/cb"),
    ("relative", "/cb"),
    ("javascript", "javascript:alert(1)"),
    ("data", "data:text/html,x"),
    ("downgrade to http", "http://app.example/cb"),
    ("default port written out", "https://app.example:443/cb"),
    ("trailing slash", CB + "/"),
    ("trailing dot of host", "https://app.example./cb"),
    ("leading space", " " + CB),
    ("trailing space", CB + " "),
    ("CR LF", CB + "\r\nSet-Cookie: a=b"),
    ("TAB", "https://app.example/\tcb"),
    ("full-width slash", "https://app.example／cb"),
    ("missing path", "https://app.example"),
    ("parameter added to a registered query", "https://app.example/cb2?keep=1&x=%2F&y=1"),
    ("registered query in another order", "https://app.example/cb2?x=%2F&keep=1"),
    ("registered query decoded", "https://app.example/cb2?keep=1&x=/"),
    ("registered query lower-case hex", "https://app.example/cb2?keep=1&x=%2f"),
    ("localhost is not port-flexible (RFC 8252 section 8.3)", "http://localhost:3001/dev"),
    ("localhost for 127.0.0.1", "http://localhost/native"),
    ("127.0.0.2", "http://127.0.0.2/native"),
    ("127.1", "http://127.1/native"),
    ("loopback https", "https://127.0.0.1/native"),
    ("loopback other path", "http://127.0.0.1:5000/other"),
    ("CVE-2020-15234 loopback query added", "http://127.0.0.1:5000/native?x=1"),
    ("loopback query removed", "http://[::1]:5000/native"),
    ("loopback port 0", "http://127.0.0.1:0/native"),
    ("loopback port 65536", "http://127.0.0.1:65536/native"),
    ("loopback port 99999", "http://127.0.0.1:99999/native"),
    ("loopback port 08080", "http://127.0.0.1:08080/native"),
    ("loopback port empty", "http://127.0.0.1:/native"),
    ("loopback port not digits", "http://127.0.0.1:8x/native"),
    ("loopback port +80", "http://127.0.0.1:+80/native"),
    ("loopback port of six digits", "http://127.0.0.1:000080/native"),
    ("IPv6 another spelling", "http://[0:0:0:0:0:0:0:1]:8000/native?q=1"),
    ("private scheme other path", "com.example.app:/cb2"),
    ("private scheme with slashes", "com.example.app://cb"),
    ("wildcard", "https://*.example/cb"),
    ("regular expression", "https://app.example/.*"),
    ("too long", CB + "?" + "x" * 2100),
]


@pytest.mark.parametrize("uri", [u for _, u in URIS], ids=["SEC-AUTHZ-01 " + n for n, _ in URIS])
def test_redirect_uri_gives_a_page(bed, session, uri):
    is_page(bed, bed.get("/authorize", bed.authorization(redirect_uri=uri), session))


def test_every_change_of_one_octet_of_the_uri_is_refused(bed, session, long):
    """SEC-AUTHZ-01: byte equality."""
    step = 1 if long or bed.how == "http" else 11
    for i in range(0, len(CB), step):
        for change in (CB[:i] + CB[i + 1:], CB[:i] + CB[i].swapcase() + CB[i + 1:], CB[:i] + "x" + CB[i:]):
            if change != CB:
                is_page(bed, bed.get("/authorize", bed.authorization(redirect_uri=change), session))
    authorize_works(bed, session)


ACCEPTED = [
    ("exact", CB, CB + "?code="),
    ("registered query is kept", "https://app.example/cb2?keep=1&x=%2F", "https://app.example/cb2?keep=1&x=%2F&code="),
    ("RFC 8252 section 7.3 port of 127.0.0.1", "http://127.0.0.1:49152/native", "http://127.0.0.1:49152/native?code="),
    ("port 1", "http://127.0.0.1:1/native", "http://127.0.0.1:1/native?code="),
    ("port 65535", "http://127.0.0.1:65535/native", "http://127.0.0.1:65535/native?code="),
    ("no port", "http://127.0.0.1/native", "http://127.0.0.1/native?code="),
    ("port of ::1", "http://[::1]:9/native?q=1", "http://[::1]:9/native?q=1&code="),
    ("localhost exactly", "http://localhost:3000/dev", "http://localhost:3000/dev?code="),
    ("RFC 8252 section 7.1 private scheme", "com.example.app:/cb", "com.example.app:/cb?code="),
]


@pytest.mark.parametrize("uri, begins", [(u, b) for _, u, b in ACCEPTED], ids=["SEC-AUTHZ-02 " + n for n, _, _ in ACCEPTED])
def test_redirect_uri_is_accepted(bed, session, uri, begins):
    answer = bed.get("/authorize", bed.authorization(redirect_uri=uri), session)
    assert answer.status == 303 and answer.location.startswith(begins), answer
    assert "#" not in answer.location


def test_redirect_uri_may_be_left_out_when_there_is_one(bed, session):
    """RFC 6749 section 3.1.2.3."""
    request = bed.authorization("t-single", redirect_uri=None)
    assert bed.get("/authorize", request, session).location.startswith(CB + "?code=")
    is_page(bed, bed.get("/authorize", bed.authorization("t-public", redirect_uri=None), session))
    is_page(bed, bed.get("/authorize", bed.authorization("t-public", redirect_uri=""), session))


CLIENTS = [
    ("missing", {"client_id": None}), ("empty", {"client_id": ""}), ("unknown", {"client_id": "nobody"}),
    ("case", {"client_id": "T-public"}), ("space", {"client_id": "t-public "}), ("NUL", {"client_id": "t-public\0"}),
    ("control", {"client_id": "t-public\n"}), ("not ASCII", {"client_id": "t-pub\u2010lic"}), ("too long", {"client_id": "t" * 256}),
    ("quotes", {"client_id": "' OR 1=1 --"}), ("wildcard", {"client_id": "t-%"}),
]


@pytest.mark.parametrize("different", [d for _, d in CLIENTS], ids=["SEC-AUTHZ-01 client_id " + n for n, _ in CLIENTS])
def test_client_gives_a_page(bed, session, different):
    is_page(bed, bed.get("/authorize", bed.authorization(**different), session))


OTHER_FAULTS = [    # with a bad client or URI the page comes first, whatever else is wrong
    ("nothing else", ""), ("PR 1719 prompt=none", "prompt=none"), ("prompt unknown", "prompt=x"), ("max_age", "max_age=x"),
    ("scope", "scope=%22"), ("scope unknown", "scope=nothing"), ("response_type", "response_type=token"),
    ("CVE-2023-6927 response_mode", "response_mode=form_post.jwt"), ("request", "request=x"), ("request_uri", "request_uri=https%3A%2F%2Fx"),
    ("registration", "registration=x"), ("plain", "code_challenge_method=plain"), ("repeated state", "state=a&state=b"),
    ("bad encoding", "state=%zz"), ("NUL", "nonce=%00"), ("resource", "resource=https%3A%2F%2Fx"),
    ("bad encoding of a name", "%zz=1"), ("too many", "&".join(f"a{i}=1" for i in range(120))),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", [f for _, f in OTHER_FAULTS], ids=["SEC-AUTHZ-01 CVE-2024-25715 " + n for n, _ in OTHER_FAULTS])
def test_the_page_comes_before_every_other_error(bed, session, fault, method):
    names = [p.split("=")[0] for p in fault.split("&")]
    for bad in ({"redirect_uri": "https://evil.example/cb"}, {"client_id": "nobody"}):
        request = {n: v for n, v in bed.authorization(**bad).items() if n not in names}
        text = form(request) + ("&" + fault if fault else "")
        if method == "GET":
            answer = bed.request("GET", bed.at("/authorize?" + text), bed.with_cookie([], session))
        else:
            answer = bed.request("POST", bed.at("/authorize"), bed.with_cookie([], session), text)
            if answer.status == 303:    # the same as GET: look there
                assert answer.location.startswith(bed.issuer + "/authorize?"), answer
                answer = bed.request("GET", answer.location[len(bed.origin):], bed.with_cookie([], session))
        is_page(bed, answer)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_client_or_uri_gives_a_page(bed, session, name):
    """SEC-PARAM-01: nobody knows which one is meant."""
    for text in (form(bed.authorization()) + "&" + form({name: bed.authorization()[name]}),
                 form({name: "x"}) + "&" + form(bed.authorization()),
                 form(bed.authorization()) + f"&{name[:-1]}%{ord(name[-1]):02x}=x"):
        answer = bed.request("GET", bed.at("/authorize?" + text), bed.with_cookie([], session))
        is_page(bed, answer)
        assert "A parameter is repeated." in answer.text


# --- everything else is reported to the client ---------------------------

S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
REPORTED = [    # name, what is different, error
    ("SEC-AUTHZ-03 RFC 6749 3.1.1 response_type missing", {"response_type": None}, "invalid_request"),
    ("SEC-AUTHZ-03 response_type empty", {"response_type": ""}, "invalid_request"),
    ("SEC-AUTHZ-03 response_type token", {"response_type": "token"}, "unsupported_response_type"),
    ("SEC-AUTHZ-03 response_type id_token", {"response_type": "id_token"}, "unsupported_response_type"),
    ("SEC-AUTHZ-03 response_type code token", {"response_type": "code token"}, "unsupported_response_type"),
    ("SEC-AUTHZ-03 response_type code code", {"response_type": "code code"}, "unsupported_response_type"),
    ("SEC-AUTHZ-03 response_type Code", {"response_type": "Code"}, "unsupported_response_type"),
    ("SEC-AUTHZ-03 response_type none", {"response_type": "none"}, "unsupported_response_type"),
    ("SEC-AUTHZ-03 response_type with a space", {"response_type": "code "}, "unsupported_response_type"),
    ("SEC-AUTHZ-04 response_mode fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("SEC-AUTHZ-04 response_mode form_post", {"response_mode": "form_post"}, "invalid_request"),
    ("SEC-AUTHZ-04 response_mode form_post.jwt", {"response_mode": "form_post.jwt"}, "invalid_request"),
    ("SEC-AUTHZ-04 response_mode web_message", {"response_mode": "web_message"}, "invalid_request"),
    ("SEC-PKCE-01 challenge missing", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("SEC-PKCE-01 challenge empty", {"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    ("SEC-PKCE-01 challenge missing, method there", {"code_challenge": None}, "invalid_request"),
    ("SEC-PKCE-01 RFC 7636 4.3 method missing means plain", {"code_challenge_method": None}, "invalid_request"),
    ("SEC-PKCE-01 method plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("SEC-PKCE-01 method s256", {"code_challenge_method": "s256"}, "invalid_request"),
    ("SEC-PKCE-01 method S512", {"code_challenge_method": "S512"}, "invalid_request"),
    ("SEC-PKCE-01 challenge of 42", {"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
    ("SEC-PKCE-01 challenge of 44", {"code_challenge": CHALLENGE + "A"}, "invalid_request"),
    ("SEC-PKCE-01 challenge padded", {"code_challenge": CHALLENGE + "="}, "invalid_request"),
    ("SEC-PKCE-01 challenge with +", {"code_challenge": "+" + CHALLENGE[1:]}, "invalid_request"),
    ("SEC-PKCE-01 challenge with /", {"code_challenge": "/" + CHALLENGE[1:]}, "invalid_request"),
    ("SEC-PKCE-01 challenge with a space", {"code_challenge": " " + CHALLENGE[1:]}, "invalid_request"),
    ("SEC-PKCE-01 challenge with NUL", {"code_challenge": CHALLENGE[:-1] + "\0"}, "invalid_request"),
    ("SEC-PKCE-01 challenge not ASCII", {"code_challenge": CHALLENGE[:-2] + "é"}, "invalid_request"),
    ("SEC-PARAM-06 challenge too long", {"code_challenge": "A" * 129}, "invalid_request"),
    ("SEC-AUTHZ-05 OIDC 3.1.2.1 prompt unknown", {"prompt": "create"}, "invalid_request"),
    ("SEC-AUTHZ-05 prompt none login", {"prompt": "none login"}, "invalid_request"),
    ("SEC-AUTHZ-05 prompt none consent", {"prompt": "none consent"}, "invalid_request"),
    ("SEC-AUTHZ-05 prompt none select_account", {"prompt": "select_account none"}, "invalid_request"),
    ("SEC-AUTHZ-05 prompt None", {"prompt": "None"}, "invalid_request"),
    ("SEC-AUTHZ-05 prompt login,consent", {"prompt": "login,consent"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age -1", {"max_age": "-1"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age text", {"max_age": "soon"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age 1.5", {"max_age": "1.5"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age +1", {"max_age": "+1"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age with space", {"max_age": " 1"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age 2^31", {"max_age": "2147483648"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age overflowing", {"max_age": "99999999999999999999"}, "invalid_request"),
    ("SEC-AUTHZ-05 max_age hexadecimal", {"max_age": "0x10"}, "invalid_request"),
    ("SEC-PAR-04 OIDC 6.1 request", {"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ("SEC-PAR-04 request_uri", {"request_uri": "http://127.0.0.1:9/x"}, "request_uri_not_supported"),
    ("SEC-AUTHZ-05 OIDC 7.2.1 registration", {"registration": "{}"}, "registration_not_supported"),
    ("SEC-TOK-05 RFC 6749 3.3 scope unknown", {"scope": "nothing"}, "invalid_scope"),
    ("SEC-TOK-05 scope partly unknown", {"scope": "openid nothing"}, "invalid_scope"),
    ("SEC-TOK-05 scope twice", {"scope": "openid openid"}, "invalid_scope"),
    ("SEC-TOK-05 scope two spaces", {"scope": "openid  files.read"}, "invalid_scope"),
    ("SEC-TOK-05 scope leading space", {"scope": " openid"}, "invalid_scope"),
    ("SEC-TOK-05 scope case", {"scope": "OpenID"}, "invalid_scope"),
    ("SEC-TOK-05 scope with quote", {"scope": "op\"enid"}, "invalid_request"),
    ("SEC-TOK-05 scope with backslash", {"scope": "op\\enid"}, "invalid_request"),
    ("SEC-TOK-05 scope not ASCII", {"scope": "é"}, "invalid_request"),
    ("SEC-TOK-05 scope with tab", {"scope": "openid\tfiles.read"}, "invalid_request"),
    ("SEC-PARAM-06 scope too long", {"scope": "s" * 2049}, "invalid_request"),
    ("SEC-TOK-05 RFC 8707 2 scopes of two resources", {"scope": "files.read vault.read"}, "invalid_target"),
    ("SEC-TOK-05 resource unknown", {"resource": "https://unknown.example/"}, "invalid_target"),
    ("SEC-TOK-05 resource not of the scopes", {"resource": VAULT}, "invalid_target"),
    ("SEC-TOK-05 resource with identity scopes only", {"scope": "openid", "resource": VAULT}, "invalid_target"),
    ("SEC-TOK-05 resource with fragment", {"resource": VAULT + "#x"}, "invalid_target"),
    ("SEC-TOK-05 resource relative", {"resource": "api"}, "invalid_target"),
    ("SEC-TOK-05 resource with a slash more", {"scope": "vault.read", "resource": VAULT + "/"}, "invalid_target"),
    ("SEC-PARAM-06 nonce too long", {"nonce": "n" * 1025}, "invalid_request"),
    ("SEC-PARAM-04 nonce with NUL", {"nonce": "a\0b"}, "invalid_request"),
    ("SEC-PARAM-06 login_hint too long", {"login_hint": "h" * 256}, "invalid_request"),
    ("SEC-PARAM-06 prompt too long", {"prompt": "login " * 30}, "invalid_request"),
]


@pytest.mark.parametrize("different, error", [(d, e) for _, d, e in REPORTED], ids=[n for n, _, _ in REPORTED])
def test_error_is_reported(bed, session, different, error):
    """SEC-WEB-03, SEC-ISS-02: a registered error, a fixed text, our name."""
    request = bed.authorization(**different)
    answer = bed.get("/authorize", request, session)
    if not is_of_lighttpd(bed, answer):
        assert is_reported(answer, error, request)["iss"] == bed.issuer         # RFC 9207
    posted = bed.post("/authorize", request, session)
    if posted.status == 303 and posted.location.startswith(bed.issuer + "/authorize?"):
        posted = bed.request("GET", posted.location[len(bed.origin):], bed.with_cookie([], session))
    assert is_reported(posted, error, request)["iss"] == bed.issuer


def test_good_request_after_all_of_these(bed, session):
    authorize_works(bed, session)


REPEATED = ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "nonce", "prompt",
            "max_age", "response_mode", "resource", "login_hint", "request", "request_uri", "registration"]


@pytest.mark.parametrize("name", REPEATED, ids=lambda v: f"SEC-PARAM-01 {v}")
def test_repeated_parameter(bed, session, name):
    """SEC-PARAM-01, RFC 6749 section 3.1: also when empty, also when spelt otherwise."""
    request = bed.authorization()
    value = request.pop(name, "")
    for spelling in (name, f"%{ord(name[0]):02X}" + name[1:]):
        text = form(request) + "&" + form({name: value}) + f"&{spelling}="
        answer = bed.request("GET", bed.at("/authorize?" + text), bed.with_cookie([], session))
        expected = {"state": None} if name == "state" else request
        is_reported(answer, "invalid_request", expected)


RAW = [     # SEC-PARAM-04: appended to a good query
    ("percent at the end", "nonce=%"), ("percent and one digit", "nonce=%4"), ("percent zz", "nonce=%zz"),
    ("overlong UTF-8", "nonce=%c0%af"), ("lone continuation", "nonce=%80"), ("surrogate", "nonce=%ed%a0%80"),
    ("beyond Unicode", "nonce=%f4%90%80%80"), ("cut UTF-8", "nonce=%e2%82"), ("in an unknown parameter", "unknown=%zz"),
    ("in a name", "n%zz=1"), ("too many parameters", "&".join(f"a{i}=1" for i in range(110))),
]


@pytest.mark.parametrize("tail", [t for _, t in RAW], ids=["SEC-PARAM-04 " + n for n, _ in RAW])
def test_bad_encoding(bed, session, tail):
    request = bed.authorization()
    posted = bed.request("POST", bed.at("/authorize"), bed.with_cookie([], session), form(request) + "&" + tail)
    is_reported(posted, "invalid_request", request)
    answer = bed.request("GET", bed.at("/authorize?" + form(request) + "&" + tail), bed.with_cookie([], session))
    if bed.how == "http" and bed.web == "lighttpd":
        return      # it refuses some of these and mends others (%zz becomes %25zz)
    is_reported(answer, "invalid_request", request)
    authorize_works(bed, session)


# --- what is accepted ----------------------------------------------------

def test_state_comes_back_unchanged(bed, session):
    """RFC 6749 section 4.1.2: every character of VSCHAR, and 1024 of them."""
    every = "".join(map(chr, range(0x20, 0x7f)))
    for state in (every, "x" * 1024, "&code=evil", "%26code%3Devil", "a+b c", "=", "\"><script>"):
        answer = bed.get("/authorize", bed.authorization(state=state), session)
        assert answer.query()["state"] == state, answer
        assert "<" not in answer.location and '"' not in answer.location
    for state in ("x" * 1025, "é", "a\tb"):
        answer = bed.get("/authorize", bed.authorization(state=state), session)
        if not is_of_lighttpd(bed, answer):
            is_reported(answer, "invalid_request", {})


def test_no_state_no_state(bed, session):
    """SEC-PARAM-02: empty is absent."""
    for state in (None, ""):
        answer = bed.get("/authorize", bed.authorization(state=state), session)
        assert set(answer.query()) == {"code", "iss"}


def test_response_is_exactly_code_state_iss(bed, session):
    """RFC 9207 section 2; SEC-PARAM-03: what is unknown is not echoed."""
    answer = bed.get("/authorize", bed.authorization(unknown="evil", code="evil", iss="evil", error="evil"), session)
    got = answer.query()
    assert set(got) == {"code", "state", "iss"} and got["iss"] == bed.issuer
    assert "evil" not in answer.location
    assert answer.get("Cache-Control") == "no-store"
    assert answer.body == b""
    assert len(got["code"]) == 64           # 48 octets: SEC-CODE-04


def test_codes_differ_and_are_not_stored(bed, session):
    """SEC-CODE-04."""
    codes = [bed.code(session) for _ in range(5)]
    assert len(set(codes)) == 5
    grants = str(bed.db("SELECT g FROM postern.authorization_grant g"))
    assert not any(c in grants for c in codes)


ACCEPTED_MORE = [
    ("response_mode query", {"response_mode": "query"}), ("nonce", {"nonce": "n" * 1024}), ("max_age", {"max_age": "3600"}),
    ("max_age 2^31-1", {"max_age": "2147483647"}), ("prompt none", {"prompt": "none"}), ("prompt empty", {"prompt": ""}),
    ("SEC-PARAM-02 empty values", {"request": "", "nonce": "", "max_age": ""}), ("login_hint", {"login_hint": "grace"}),
    ("scope absent: the client's", {"client_id": "t-narrow", "scope": None}),
    ("scope of one resource", {"scope": "vault.read"}), ("resource named", {"scope": "vault.read", "resource": VAULT}),
    ("RFC 8707 resource chooses among scopes", {"scope": "files.read vault.read", "resource": VAULT}),
    ("unknown parameters", {"ui_locales": "de", "display": "page", "acr_values": "x", "": "y"}),
    ("classic client without PKCE", {"client_id": "t-classic", "code_challenge": None, "code_challenge_method": None}),
]


@pytest.mark.parametrize("different", [d for _, d in ACCEPTED_MORE], ids=[n for n, _ in ACCEPTED_MORE])
def test_accepted(bed, session, different):
    answer = bed.get("/authorize", bed.authorization(**different), session)
    assert answer.status == 303 and "code" in answer.query(), answer


def test_classic_public_client_needs_pkce(bed, session):
    """SEC-PKCE-01: the profile relaxes it for confidential clients only."""
    request = bed.authorization("t-classic-public", code_challenge=None, code_challenge_method=None)
    is_reported(bed.get("/authorize", request, session), "invalid_request", request)


def test_machine_client_has_no_way_here(bed, session):
    is_page(bed, bed.get("/authorize", bed.authorization("t-machine"), session))


def test_head_has_no_body(bed, session):
    answer = bed.request("HEAD", bed.at("/authorize"), bed.with_cookie([], session))
    assert answer.status == 400 and answer.body == b""


def test_a_challenge_that_comes_again_is_logged(bed, session):
    """SEC-PKCE-04: by the worker that has seen it before (never by a CGI program), and only for who sent it; it is answered all the same."""
    def noted(client, *challenges):
        logs = list(pathlib.Path(bed.env["DEMO_LOGDIR"]).glob("*.log"))
        before = {log: len(log.read_text(errors="replace")) for log in logs}
        for challenge in challenges:
            bed.code(session, client, code_challenge=challenge)
        lines = [line for log in logs for line in log.read_text(errors="replace")[before[log]:].splitlines()
                 if "program=authorize" in line and f'client_id="{client}"' in line]
        return sum(' challenge="repeated"' in line for line in lines), len(lines)

    def fresh():
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()

    ours, others, remembers = fresh(), [fresh() for _ in range(9)], bed.how == "http" and bed.mode in ("fcgi", "fcgid")
    repeated, lines = noted("t-public", *[ours] * 9)        # at most eight workers: one of them sees it twice
    assert (lines == 9 and 1 <= repeated < 9) if remembers else repeated == 0, (repeated, lines)
    for client, challenges in (("t-basic", [ours]), ("t-public", others)):
        repeated, lines = noted(client, *challenges)
        assert repeated == 0 and (lines == len(challenges) or not remembers), (client, repeated, lines)


# --- who is there: login, prompt, max_age --------------------------------

def goes_to(bed, answer, path):
    assert answer.status == 303, answer
    assert answer.location.startswith(bed.issuer + path + "?"), answer.location
    assert answer.get("Cache-Control") == "no-store"


def test_nobody_is_sent_to_login_with_the_request(bed):
    request = bed.authorization(nonce="a nonce, with &=%")
    answer = bed.get("/authorize", request)
    goes_to(bed, answer, "/login")
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(answer.location).query) == {n: [v] for n, v in request.items()}


def test_an_anonymous_request_stores_nothing(bed):
    """SEC-DOS-02."""
    tables = ("authorization_request", "session", "authorization_grant")
    before = bed.stored(*tables)
    for _ in range(5):
        goes_to(bed, bed.get("/authorize", bed.authorization()), "/login")
    assert bed.stored(*tables) <= before


def test_prompt_none_without_a_session(bed):
    request = bed.authorization(prompt="none")
    is_reported(bed.get("/authorize", request), "login_required", request)


def test_prompt_none_without_consent(bed):
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-other'")
    request = bed.authorization("t-other", prompt="none")
    before = bed.stored("authorization_request")
    is_reported(bed.get("/authorize", request, bed.session()), "consent_required", request)
    assert bed.stored("authorization_request") <= before
    bed.consent("t-other")


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent", "consent login"])
def test_prompt_login_asks_again(bed, session, prompt):
    goes_to(bed, bed.get("/authorize", bed.authorization(prompt=prompt), session), "/login")


def test_prompt_consent_asks_again(bed, session):
    goes_to(bed, bed.get("/authorize", bed.authorization(prompt="consent"), session), "/consent")


def test_max_age(bed):
    old = bed.session(ago_seconds=100)
    goes_to(bed, bed.get("/authorize", bed.authorization(max_age="50"), old), "/login")
    goes_to(bed, bed.get("/authorize", bed.authorization(max_age="0"), old), "/login")
    assert "code" in bed.get("/authorize", bed.authorization(max_age="200"), old).query()
    request = bed.authorization(max_age="50", prompt="none")
    is_reported(bed.get("/authorize", request, old), "login_required", request)


def test_back_from_login_without_a_cookie_is_no_loop(bed):
    """DESIGN, browser flow: a second return without a cookie is an error page."""
    is_page(bed, bed.get("/authorize", {**bed.authorization(), "postern_after": "login"}))


def test_marks_of_our_own_decide_nothing(bed, session):
    """A forged after= or consent= changes nothing (SEC-AUTHZ-06)."""
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-other'")
    for consent in ("A" * 64, "x", ""):
        goes_to(bed, bed.get("/authorize", {**bed.authorization("t-other"), "postern_after": "login", "postern_consent": consent}, session), "/consent")
    bed.consent("t-other")


COOKIES = [
    ("garbage", "garbage"), ("empty", ""), ("short", "A" * 63), ("long", "A" * 65), ("zero", "A" * 64), ("quoted", '"%s"'),
    ("padded", "%s="), ("not base64url", "+" * 64),
]


@pytest.mark.parametrize("cookie", [c for _, c in COOKIES], ids=["SEC-SESS-02 " + n for n, _ in COOKIES])
def test_a_foreign_cookie_is_nobody(bed, cookie):
    value = cookie.replace("%s", bed.session().text)
    goes_to(bed, bed.get("/authorize", bed.authorization(), headers=[("Cookie", "postern_session=" + value)]), "/login")


def test_cookie_twice_is_nobody(bed, session):
    """SEC-HTTP-05: which of two is ours nobody knows."""
    both = f"postern_session={session.text}; postern_session={bed.session('alan').text}"
    goes_to(bed, bed.get("/authorize", bed.authorization(), headers=[("Cookie", both)]), "/login")


def test_every_octet_of_the_cookie_counts(bed, session, long):
    """SEC-TOK-02, SEC-SESS-01."""
    text = session.text
    for i in range(0, 64, 1 if long or bed.how == "http" else 9):
        changed = text[:i] + ("A" if text[i] != "A" else "B") + text[i + 1:]
        answer = bed.get("/authorize", bed.authorization(), headers=[("Cookie", "postern_session=" + changed)])
        goes_to(bed, answer, "/login")
    authorize_works(bed, session)
