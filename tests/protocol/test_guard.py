"""guard in front of Drive, through the web server: RFC 6750 sections 2.1 and 3, RFC 9068
section 4; SEC-TOK-02, SEC-TOK-03, SEC-HTTP-03."""

import re

import pytest

from lib import jwt
from lib.bed import VAULT

pytestmark = pytest.mark.http       # guard is FastCGI only


@pytest.fixture(scope="module")
def body(bed):
    return bed.tokens(bed.session())


@pytest.fixture(scope="module")
def token(body):
    return body["access_token"]


@pytest.fixture(scope="module")
def signer(bed):
    return bed.signer()


def challenge(answer):
    """RFC 6750 section 3: one challenge, and what it says."""
    headers = answer.all("WWW-Authenticate")
    assert len(headers) == 1, answer
    assert headers[0].startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', headers[0]))


def is_refused(answer, error="invalid_token", status=401, scope="files.read"):
    assert answer.status == status, answer
    got = challenge(answer)
    assert got.get("error") == error and got.get("scope") == scope and got["realm"] == "Postern demo", got
    assert answer.get("Access-Control-Allow-Origin") == "*"
    assert "WWW-Authenticate" in answer.get("Access-Control-Expose-Headers")
    assert b"POSTERN_" not in answer.body and b"birds" not in answer.body


def told(answer):
    """What the protected program was told; each name once."""
    assert answer.status == 200, answer
    pairs = [line.split("=", 1) for line in answer.text.splitlines() if line.startswith("POSTERN_")]
    assert len({n for n, _ in pairs}) == len(pairs), answer.text
    return {n: v for n, v in pairs if "REQUIRE" not in n}


# --- good ----------------------------------------------------------------

def test_the_program_is_told_who(bed, token):
    assert told(bed.call(token)) == {"POSTERN_SUBJECT": bed.sub["grace"], "POSTERN_CLIENT_ID": "t-public",
                                     "POSTERN_SCOPE": "openid files.read"}


def test_machine(bed):
    token = bed.machine(scope="files.read files.write").json()["access_token"]
    assert told(bed.call(token, "/whoami/write"))["POSTERN_SUBJECT"] == "t-machine"


def test_files(bed, token):
    answer = bed.call(token, "/files/index.json")
    assert answer.status == 200 and answer.json()
    assert answer.get("Cache-Control") == "no-store" and answer.get("Access-Control-Allow-Origin") == "*"
    head = bed.call(token, "/files/index.json", "HEAD")
    assert head.status == 200 and head.body == b""


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer ", "Bearer  "])
def test_scheme(bed, token, scheme):
    """RFC 9110 section 11.1: case-insensitive."""
    assert bed.request("GET", "/whoami", [("Authorization", f"{scheme.rstrip()} {' ' * scheme.count(' ')}{token}")],
                       host="drive.localhost").status == 200


def test_public_page_needs_none(bed):
    assert bed.call(None, "/").status == 200


# --- no token, not a token -----------------------------------------------

def test_no_token(bed):
    """RFC 6750 section 3.1: without credentials no error code."""
    for path in ("/whoami", "/files/", "/files/index.json", "/files/nothing", "/files/../files/index.json"):
        answer = bed.call(None, path)
        assert answer.status == 401, (path, answer)
        assert set(challenge(answer)) == {"realm", "scope"}


HEADERS = [
    ("empty", ""), ("scheme alone", "Bearer"), ("Basic", "Basic Z3JhY2U6eA=="), ("DPoP", "DPoP x"), ("no scheme", "%T"),
    ("colon", "Bearer: %T"), ("tab", "Bearer\t%T"), ("two tokens", "Bearer %T %T"), ("two joined", "Bearer %T, Bearer %T"),
    ("quoted", 'Bearer "%T"'), ("Token", "Token %T"),
]


@pytest.mark.front
@pytest.mark.parametrize("value", [v for _, v in HEADERS], ids=["SEC-HTTP-05 " + n for n, _ in HEADERS])
def test_header(bed, token, value):
    answer = bed.request("GET", "/whoami", [("Authorization", value.replace("%T", token))], host="drive.localhost")
    assert answer.status in (400, 401), answer
    if answer.status == 401:
        challenge(answer)
    assert bed.call(token).status == 200


def test_two_headers(bed, token):
    """SEC-HTTP-05."""
    other = bed.machine(scope="files.read").json()["access_token"]
    for pair in ((token, other), (other, token), (token, "x"), ("x", token)):
        answer = bed.request("GET", "/whoami", [("Authorization", "Bearer " + t) for t in pair], host="drive.localhost")
        assert answer.status in (400, 401), answer


def test_token_elsewhere_does_not_count(bed, token):
    """RFC 6750 sections 2.2 and 2.3 are not offered."""
    assert bed.call(None, "/whoami?access_token=" + token).status == 401
    assert bed.call(None, "/whoami", headers=[("Cookie", "access_token=" + token), ("X-Authorization", "Bearer " + token),
                                              ("Authorization2", "Bearer " + token), ("Proxy-Authorization", "Bearer " + token),
                                              ("Redirect-Http-Authorization", "Bearer " + token)]).status == 401


GARBAGE = ["x", "a.b.c", "..", "...", "e30.e30.", "e30.e30.e30", "x" * 8000, "null", "%00", "é", "{}", "eyJhbGciOiJub25lIn0.e30."]


@pytest.mark.parametrize("text", GARBAGE, ids=[f"SEC-TOK-02 garbage {i}" for i in range(len(GARBAGE))])
def test_garbage(bed, token, text):
    answer = bed.call(text)
    if answer.status == 431 or (answer.status == 400 and len(text) > 1000):
        return      # the web server's limit
    is_refused(answer)
    assert bed.call(token).status == 200


def test_every_part_of_the_token_counts(bed, token, long):
    """SEC-TOK-02: changed, cut, longer, another spelling of the same octets."""
    for i in range(0, len(token), 1 if long else 5):
        c = token[i]
        if c != ".":
            is_refused(bed.call(token[:i] + ("A" if c != "A" else "B") + token[i + 1:]))
    for changed in (token[:-1], token + "A", token + "=", token + ".", "." + token, token + " x", token.rpartition(".")[0],
                    token.rpartition(".")[0] + ".", token.replace(".", ".."), token.replace("-", "+").replace("_", "/") + "+"):
        assert bed.call(changed).status == 401
    # ES256 has 64 octets: 86 characters, of which the last holds 4 spare bits.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(token[-1])
    for spare in range(1, 4):
        is_refused(bed.call(token[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last ^ spare]))
    assert bed.call(token).status == 200


# --- what a token says (attacks on tokens: test_jose.py) -----------------

def test_id_token_is_no_access_token(bed, body):
    """SEC-TOK-03, RFC 9068 section 4."""
    is_refused(bed.call(body["id_token"]))


def test_token_for_another_resource(bed):
    """RFC 9068 section 4: aud."""
    is_refused(bed.call(bed.machine(scope="vault.read").json()["access_token"]))


# --- scope ---------------------------------------------------------------

def test_scope(bed, token):
    """RFC 6750 section 3.1: 403 insufficient_scope, and which scopes it takes."""
    is_refused(bed.call(token, "/whoami/write"), "insufficient_scope", 403, "files.read files.write")
    only_write = bed.machine(scope="files.write").json()["access_token"]
    is_refused(bed.call(only_write, "/whoami/write"), "insufficient_scope", 403, "files.read files.write")
    is_refused(bed.call(only_write), "insufficient_scope", 403)
    both = bed.machine(scope="files.read files.write").json()["access_token"]
    assert bed.call(both, "/whoami/write").status == 200


def test_scope_is_compared_word_by_word(bed, token, signer):
    header, claims = jwt.read(token)
    for scope in ("", "files", "files.read.all", "xfiles.read", "files.readx", "FILES.READ", "files,read", "files.read,openid", "*"):
        claims["scope"] = scope
        is_refused(bed.call(jwt.join(header, claims, signer[1])), "insufficient_scope", 403)
    for scope in (None, 1, ["files.read"], "missing"):
        claims["scope"] = scope
        if scope == "missing":
            del claims["scope"]
        is_refused(bed.call(jwt.join(header, claims, signer[1])), "insufficient_scope", 403)


# --- names that a header must not form (SEC-HTTP-03) ---------------------

def spellings(name):
    words = name.split("_")
    for separator in ("-", "_", ".", "!"):
        for case in (str.upper, str.title, str.lower):
            for prefix in ("", "Http" + separator, "Variable" + separator, "Redirect" + separator, "X" + separator):
                yield prefix + case(separator.join(words))


@pytest.mark.parametrize("name", ["POSTERN_SUBJECT", "POSTERN_CLIENT_ID", "POSTERN_SCOPE"])
def test_identity_cannot_be_forged(bed, token, name):
    forged = [(n, "evil") for n in spellings(name)]
    for i in range(0, len(forged), 20):
        answer = bed.call(token, headers=forged[i:i + 20])
        if answer.status == 400:        # the web server does not like a name: one by one
            for header in forged[i:i + 20]:
                one = bed.call(token, headers=[header])
                assert one.status == 400 or "evil" not in told(one).values(), header
        else:
            assert "evil" not in told(answer).values() and told(answer)["POSTERN_SUBJECT"] == bed.sub["grace"]
        assert bed.call(None, headers=forged[i:i + 20]).status in (400, 401)


def test_demands_cannot_be_weakened(bed, token):
    vault = bed.machine(scope="vault.read").json()["access_token"]
    for name, value in (("POSTERN_REQUIRE_SCOPE", "files.read"), ("POSTERN_REQUIRE_AUDIENCE", VAULT), ("POSTERN_AUDIENCE", VAULT)):
        for spelling in spellings(name):
            refused = bed.call(token, "/whoami/write", headers=[(spelling, value)])
            assert refused.status in (400, 403), (spelling, refused)
            refused = bed.call(vault, headers=[(spelling, value)])
            assert refused.status in (400, 401), (spelling, refused)


FRONT = [("Remote-User", "evil"), ("Authorization-User", "evil"), ("X-Original-Method", "OPTIONS"), ("X-HTTP-Method-Override", "OPTIONS"),
         ("X-Original-URL", "/"), ("X-Rewrite-URL", "/"), ("X-Forwarded-For", "127.0.0.1"), ("Auth-Type", "Bearer"), ("Request-Method", "OPTIONS"),
         ("Request_Method", "OPTIONS"), ("Access-Control-Request-Method", "GET"), ("Fcgi-Role", "RESPONDER"), ("Proxy", "http://evil.example")]


@pytest.mark.front
@pytest.mark.parametrize("header", FRONT, ids=["SEC-HTTP-03 " + n for n, _ in FRONT])
def test_front_server_headers(bed, token, header):
    assert bed.call(None, headers=[header, ("Origin", "https://evil.example")]).status in (400, 401)
    assert bed.call(token, headers=[header]).status in (200, 400)


# --- CORS ----------------------------------------------------------------

def test_preflight_passes_and_shows_nothing(bed):
    """Fetch section 4.8: carries no token."""
    answer = bed.call(None, "/files/index.json", "OPTIONS", [("Origin", "http://noteapp.localhost"), ("Access-Control-Request-Method", "GET"),
                                                             ("Access-Control-Request-Headers", "authorization")])
    assert answer.status in (200, 204), answer
    assert answer.get("Access-Control-Allow-Origin") == "*" and "authorization" in answer.get("Access-Control-Allow-Headers").lower()
    assert answer.get("Access-Control-Allow-Credentials") is None
    assert b"birds" not in answer.body and b"POSTERN" not in answer.body
    # A program is not run: one that looks at no method would show what it protects.
    for path in ("/whoami", "/whoami/write"):
        program = bed.call(None, path, "OPTIONS", [("Origin", "http://noteapp.localhost"), ("Access-Control-Request-Method", "GET")])
        assert program.status in (200, 204) and program.body == b"", program
    # With a token it is no preflight.
    assert bed.call("x", "/files/index.json", "OPTIONS", [("Origin", "https://x"), ("Access-Control-Request-Method", "GET")]).status in (204, 401)


@pytest.mark.parametrize("headers", [[], [("Origin", "https://x.example")], [("Access-Control-Request-Method", "GET")]])
def test_options_shows_nothing(bed, headers):
    for path in ("/whoami", "/files/index.json"):
        answer = bed.call(None, path, "OPTIONS", headers)
        assert b"POSTERN_" not in answer.body and b"birds" not in answer.body, answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_other_methods(bed, token, method):
    answer = bed.request(method, "/files/index.json", [("Authorization", "Bearer " + token)], "", host="drive.localhost")
    assert answer.status in (403, 405, 501), answer


def test_paths_around_the_guard(bed):
    """SEC-HTTP-06: no spelling of a protected path is open."""
    for path in ("/files", "//files/index.json", "/./files/index.json", "/files//index.json", "/x/../files/index.json", "/files/./index.json",
                 "/%66iles/index.json", "/files%2findex.json", "/FILES/index.json", "/whoami/", "/whoami/x", "/whoami.cgi", "/whoami.txt",
                 "/%77hoami", "/whoami;x", "/whoami%00", "/files/..%2ffiles/index.json", "/_guard", "/index.html/../files/index.json",
                 "/whoami/write/", "/README.md", "/files/index.json/", "/whoami%2fwrite", "/files\\index.json"):
        answer = bed.call(None, path)
        assert answer.status in (301, 400, 401, 403, 404), (path, answer)
        assert b"POSTERN_" not in answer.body and b"birds" not in answer.body
    # The other hosts do not show Drive's files.
    for host in ("localhost", "noteapp.localhost", "evil.example"):
        for path in ("/files/index.json", "/whoami", "/_guard"):
            assert bed.request("GET", path, host=host).status == 404


def test_large_headers(bed, token):
    """SEC-HTTP-02."""
    answer = bed.call(token, headers=[(f"X-Filler-{i}", "y" * 500) for i in range(10)])
    assert answer.status == 200
    answer = bed.call(token, headers=[("X-Filler", "y" * 100_000)])
    assert answer.status in (0, 400, 413, 431, 494)
    assert bed.call(token).status == 200
