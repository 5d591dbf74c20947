"""guard in front of Drive, through the web server: RFC 6750 sections 2.1 and 3, RFC 9068
section 4, RFC 8725; SEC-JOSE, SEC-TOK-02, SEC-TOK-03, SEC-HTTP-03."""

import base64
import json
import re
import subprocess
import time

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


@pytest.mark.parametrize("value", [v for _, v in HEADERS], ids=[n for n, _ in HEADERS])
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


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
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


# --- the right key, the wrong contents (each claim negated in turn) ------

DELETE = object()
CLAIMS = [      # SEC-JOSE-05, GHSA-wcvh-g65p-v576
    ("iss other", {"iss": "https://evil.example"}), ("iss with slash", {"iss": "%I/"}), ("iss missing", {"iss": DELETE}),
    ("iss list", {"iss": ["%I"]}), ("aud other", {"aud": VAULT}), ("aud missing", {"aud": DELETE}), ("aud empty list", {"aud": []}),
    ("aud two", {"aud": ["%D", VAULT]}), ("aud issuer", {"aud": "%I"}), ("aud client", {"aud": "t-public"}), ("aud number", {"aud": 1}),
    ("aud null", {"aud": None}), ("aud with slash", {"aud": "%D/"}), ("exp past", {"exp": 1}), ("exp just past", {"exp": "%NOW-1"}),
    ("exp missing", {"exp": DELETE}), ("exp text", {"exp": "9999999999"}), ("exp null", {"exp": None}), ("exp negative", {"exp": -1}),
    ("exp fraction", {"exp": 9999999999.5}), ("exp true", {"exp": True}), ("exp enormous", {"exp": 10 ** 30}),
    ("grant_id missing", {"grant_id": DELETE}), ("grant_id unknown", {"grant_id": "00000000-0000-4000-8000-000000000000"}),
    ("grant_id empty", {"grant_id": ""}), ("grant_id cut", {"grant_id": "%CUT"}), ("grant_id number", {"grant_id": 5}),
    ("grant_id upper case", {"grant_id": "%UPPER"}), ("client_id other", {"client_id": "t-other"}), ("client_id missing", {"client_id": DELETE}),
]


@pytest.mark.parametrize("changes", [c for _, c in CLAIMS], ids=["SEC-JOSE-05 " + n for n, _ in CLAIMS])
def test_claims(bed, token, signer, changes):
    kid, sign = signer
    header, claims = jwt.read(token)
    words = {"%I": bed.issuer, "%I/": bed.issuer + "/", "%D": bed.drive, "%D/": bed.drive + "/", "%NOW-1": int(time.time()) - 1,
             "%CUT": claims["grant_id"][:-1], "%UPPER": claims["grant_id"].upper()}
    for name, value in changes.items():
        if value is DELETE:
            del claims[name]
        elif isinstance(value, list):
            claims[name] = [words.get(v, v) for v in value]
        else:
            claims[name] = words.get(value, value) if isinstance(value, str) else value
    if changes.get("grant_id") == "%UPPER" and claims["grant_id"] == claims["grant_id"].lower():
        return      # no letter in it
    is_refused(bed.call(jwt.join(header, claims, sign)))
    assert bed.call(token).status == 200


def test_the_same_claims_signed_again_pass(bed, token, signer):
    """The control of the test above: what is refused there is refused for the claim."""
    header, claims = jwt.read(token)
    assert told(bed.call(jwt.join(header, claims, signer[1])))["POSTERN_SUBJECT"] == bed.sub["grace"]


def headers_of(kid, jwk):
    return [    # SEC-JOSE-01..04, 08
        ("typ JWT: an ID token's", {"typ": "JWT", "alg": "ES256", "kid": kid}), ("typ missing", {"alg": "ES256", "kid": kid}),
        ("typ logout", {"typ": "logout+jwt", "alg": "ES256", "kid": kid}), ("typ number", {"typ": 1, "alg": "ES256", "kid": kid}),
        ("kid missing", {"typ": "at+jwt", "alg": "ES256"}), ("kid unknown", {"typ": "at+jwt", "alg": "ES256", "kid": "x"}),
        ("kid path", {"typ": "at+jwt", "alg": "ES256", "kid": "../../dev/null"}), ("kid SQL", {"typ": "at+jwt", "alg": "ES256", "kid": "' OR ''='"}),
        ("kid number", {"typ": "at+jwt", "alg": "ES256", "kid": 1}), ("kid long", {"typ": "at+jwt", "alg": "ES256", "kid": "k" * 3000}),
        ("alg missing", {"typ": "at+jwt", "kid": kid}), ("alg RS256 with the EC key", {"typ": "at+jwt", "alg": "RS256", "kid": kid}),
        ("alg es256", {"typ": "at+jwt", "alg": "es256", "kid": kid}), ("alg ES384", {"typ": "at+jwt", "alg": "ES384", "kid": kid}),
        ("alg null", {"typ": "at+jwt", "alg": None, "kid": kid}), ("alg list", {"typ": "at+jwt", "alg": ["ES256"], "kid": kid}),
        ("crit", {"typ": "at+jwt", "alg": "ES256", "kid": kid, "crit": ["x"], "x": 1}), ("crit empty", {"typ": "at+jwt", "alg": "ES256", "kid": kid, "crit": []}),
        ("b64", {"typ": "at+jwt", "alg": "ES256", "kid": kid, "b64": False}),
        ("jku", {"typ": "at+jwt", "alg": "ES256", "kid": kid, "jku": "http://127.0.0.1:9/"}),
        ("x5u", {"typ": "at+jwt", "alg": "ES256", "kid": kid, "x5u": "http://127.0.0.1:9/"}),
    ]


HEADER_NAMES = [n for n, _ in headers_of("", {})]


@pytest.mark.parametrize("which", range(len(HEADER_NAMES)), ids=["SEC-JOSE " + n for n in HEADER_NAMES])
def test_header_of_the_token(bed, token, signer, which):
    header = headers_of(signer[0], None)[which][1]
    is_refused(bed.call(jwt.join(header, jwt.read(token)[1], signer[1])))


def test_alg_none(bed, token, signer):
    """SEC-JOSE-01, CVE-2026-18569."""
    _, claims = jwt.read(token)
    for alg in ("none", "None", "NONE", "nOnE", ""):
        for header in ({"typ": "at+jwt", "alg": alg, "kid": signer[0]}, {"typ": "at+jwt", "alg": alg}):
            for signature in (b"", b"x", bytes(64)):
                is_refused(bed.call(jwt.join(header, claims, lambda _, s=signature: s)))


def test_algorithm_confusion(bed, token, signer):
    """SEC-JOSE-02, CVE-2015-9235: HS256 with the public key as the secret."""
    _, claims = jwt.read(token)
    public = next(k for k in bed.keys()["keys"] if k["kid"] == signer[0])
    spki = jwt.subject_public_key_info(public)
    pem = "-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(spki).decode() + "-----END PUBLIC KEY-----\n"
    for secret in (spki, pem.encode(), pem.strip().encode(), json.dumps(public).encode(), jwt.decode(public["x"]), b""):
        for alg in ("HS256", "ES256"):
            is_refused(bed.call(jwt.join({"typ": "at+jwt", "alg": alg, "kid": signer[0]}, claims, jwt.hs256(secret))))


def test_embedded_key(bed, token, signer):
    """SEC-JOSE-03, CVE-2018-0114: a key in the header is not a key."""
    _, claims = jwt.read(token)
    pem = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], capture_output=True, check=True, text=True).stdout
    own = jwt.Signer(pem)
    x, y = jwt._multiply(own.d, jwt.G)
    jwk = {"kty": "EC", "crv": "P-256", "x": jwt.encode(x.to_bytes(32, "big")), "y": jwt.encode(y.to_bytes(32, "big")), "kid": signer[0]}
    for header in ({"jwk": jwk}, {"jwk": jwk, "kid": signer[0]}, {"x5c": ["MIIB"], "kid": signer[0]}, {"kid": signer[0]}):
        is_refused(bed.call(jwt.join({"typ": "at+jwt", "alg": "ES256", **header}, claims, own)))


SIGNATURES = [("psychic: zeros", bytes(64)), ("r = s = n", (jwt.N.to_bytes(32, "big")) * 2), ("short", bytes(63)), ("long", bytes(65)),
              ("empty", b""), ("DER", bytes.fromhex("3006020101020101")), ("r zero", bytes(32) + b"\1" * 32), ("s zero", b"\1" * 32 + bytes(32))]


@pytest.mark.parametrize("signature", [s for _, s in SIGNATURES], ids=["SEC-JOSE-06 " + n for n, _ in SIGNATURES])
def test_signature(bed, token, signature):
    header, claims = jwt.read(token)
    is_refused(bed.call(jwt.join(header, claims, lambda _: signature)))


def test_duplicate_claims(bed, token, signer):
    """Two members of one name: nobody knows which counts (RFC 8259 section 4)."""
    header, claims = jwt.read(token)
    text = json.dumps(claims)[:-1] + ', "sub": "evil"}'
    signed = jwt.encode(json.dumps(header).encode()) + "." + jwt.encode(text.encode())
    is_refused(bed.call(signed + "." + jwt.encode(signer[1](signed.encode()))))


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
    for scope in (None, 1, ["files.read"], DELETE):
        claims["scope"] = scope
        if scope is DELETE:
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


@pytest.mark.parametrize("header", FRONT, ids=[n for n, _ in FRONT])
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
    # A program is asked too, but is not told of anybody.
    program = bed.call(None, "/whoami", "OPTIONS", [("Origin", "http://noteapp.localhost"), ("Access-Control-Request-Method", "GET")])
    assert b"POSTERN_SUBJECT" not in program.body and b"POSTERN_CLIENT_ID" not in program.body
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
