"""The token endpoint: RFC 6749 sections 2.3, 3.2, 4.1.3, 4.4, 5; RFC 7636 section
4.6; RFC 8707; SEC-CODE, SEC-PKCE, SEC-CLI, SEC-TOK."""

import base64
import pathlib
import re
import urllib.parse

import pytest

from lib import jwt, wire
from lib.bed import CB, CHALLENGE, SECRET, VAULT, VERIFIER, basic, handle_of


@pytest.fixture(scope="module")
def session(bed):
    for client in ("t-public", "t-other", "t-single", "t-basic", "t-post", "t-classic", "t-narrow", "t-code-only"):
        bed.consent(client)
    return bed.session()


def is_error(answer, error, status=400):
    """RFC 6749 section 5.2."""
    assert answer.status == status, answer
    assert answer.get("Content-Type") == "application/json"
    assert answer.get("Cache-Control") == "no-store"
    body = answer.json()
    assert body["error"] == error, body
    assert set(body) <= {"error", "error_description"}
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]*", body.get("error_description", ""))
    assert ("WWW-Authenticate" in dict(answer.headers)) == (status == 401)
    return body


def is_good(answer):
    """RFC 6749 section 5.1."""
    assert answer.status == 200, answer
    assert answer.get("Content-Type") == "application/json"
    assert answer.get("Cache-Control") == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 600
    return body


# --- the good way --------------------------------------------------------

def test_code(bed, session):
    body = is_good(bed.redeem(bed.code(session)))
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert body["scope"] == "openid files.read"


def test_code_without_openid_has_no_id_token(bed, session):
    assert "id_token" not in is_good(bed.redeem(bed.code(session, scope="files.read")))


@pytest.mark.parametrize("client", ["t-public", "t-basic", "t-post", "t-classic", "t-code-only"])
def test_code_of_every_kind_of_client(bed, session, client):
    different = {"client_secret": SECRET} if client == "t-post" else {}
    is_good(bed.redeem(bed.code(session, client), client, **different))


def test_redirect_uri_may_be_left_out_with_pkce(bed, session):
    """OAuth 2.1: the challenge binds the request."""
    is_good(bed.redeem(bed.code(session), redirect_uri=None))


def test_classic_client_must_repeat_the_redirect_uri(bed, session):
    """RFC 6749 section 4.1.3."""
    code = bed.code(session, "t-classic", code_challenge=None, code_challenge_method=None)
    is_error(bed.redeem(code, "t-classic", code_verifier=None, redirect_uri=None), "invalid_grant")
    is_good(bed.redeem(code, "t-classic", code_verifier=None))


def test_unknown_parameters_are_ignored(bed, session):
    """SEC-PARAM-03."""
    is_good(bed.redeem(bed.code(session), audience="x", sub="x", foo="bar"))


def test_client_credentials(bed):
    body = is_good(bed.machine(scope="files.read"))
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"} and body["scope"] == "files.read"


# --- what does not burn the code, and what does --------------------------

KEEP = [    # wrong, and the right client can still redeem (SEC-CODE-02)
    ("SEC-PKCE-02 wrong verifier", {"code_verifier": "A" * 43}, "invalid_grant"),
    ("verifier missing", {"code_verifier": None}, "invalid_grant"),
    ("verifier empty", {"code_verifier": ""}, "invalid_grant"),
    ("verifier cut", {"code_verifier": VERIFIER[:-1]}, "invalid_grant"),
    ("verifier longer", {"code_verifier": VERIFIER + "A"}, "invalid_grant"),
    ("verifier of 42", {"code_verifier": "A" * 42}, "invalid_grant"),
    ("verifier of 129", {"code_verifier": "A" * 129}, "invalid_grant"),
    ("verifier with +", {"code_verifier": "+" + VERIFIER[1:]}, "invalid_grant"),
    ("verifier with space", {"code_verifier": VERIFIER + " "}, "invalid_grant"),
    ("verifier not ASCII", {"code_verifier": "é" * 43}, "invalid_grant"),
    ("verifier is the challenge", {"code_verifier": CHALLENGE}, "invalid_grant"),
    ("verifier too long", {"code_verifier": "A" * 513}, "invalid_request"),
    ("SEC-CODE-03 wrong redirect_uri", {"redirect_uri": "https://app.example/cb2?keep=1&x=%2F"}, "invalid_grant"),
    ("redirect_uri not registered", {"redirect_uri": "https://evil.example/"}, "invalid_grant"),
    ("redirect_uri with a slash", {"redirect_uri": CB + "/"}, "invalid_grant"),
    ("redirect_uri case", {"redirect_uri": CB.upper()}, "invalid_grant"),
    ("redirect_uri too long", {"redirect_uri": CB + "?" + "x" * 2100}, "invalid_request"),
    ("SEC-CODE-03 CVE-2026-16089 CVE-2026-28513 another client", {"client_id": "t-other"}, "invalid_grant"),
    ("SEC-CODE-03 CVE-2019-15941 a client that people are not asked about", {"client_id": "t-implied"}, "invalid_grant"),
    ("code missing", {"code": None}, "invalid_request"),
    ("code empty", {"code": ""}, "invalid_request"),
    ("grant_type missing", {"grant_type": None}, "invalid_request"),
    ("grant_type empty", {"grant_type": ""}, "invalid_request"),
    ("SEC-TOK-01 CVE-2026-9792 password", {"grant_type": "password", "username": "grace", "password": "x"}, "unsupported_grant_type"),
    ("refresh_token", {"grant_type": "refresh_token", "refresh_token": "x"}, "unauthorized_client"),
    ("implicit", {"grant_type": "implicit"}, "unsupported_grant_type"),
    ("grant_type case", {"grant_type": "Authorization_Code"}, "unsupported_grant_type"),
    ("grant_type with NUL", {"grant_type": "authorization_code\0"}, "invalid_request"),
    ("grant_type urn", {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x"}, "unsupported_grant_type"),
    ("unknown client", {"client_id": "nobody"}, "invalid_client"),
    ("no client", {"client_id": None}, "invalid_client"),
    ("SEC-CLI-02 a public client with a secret", {"client_secret": "x"}, "invalid_client"),
]


@pytest.mark.parametrize("different, error", [k[1:] for k in KEEP], ids=["SEC-CODE-02 " + k[0] for k in KEEP])
def test_wrong_but_the_code_lives(bed, session, different, error):
    code = bed.code(session)
    is_error(bed.redeem(code, **different), error, 401 if error == "invalid_client" else 400)
    body = is_good(bed.redeem(code))
    assert bed.call(body["access_token"]).status == 200


def test_verifier_without_challenge_is_refused(bed, session):
    """SEC-PKCE-03, CVE-2024-23647, CVE-2024-22258: downgrade, of a confidential client."""
    code = bed.code(session, "t-classic", code_challenge=None, code_challenge_method=None)
    is_error(bed.redeem(code, "t-classic"), "invalid_grant")
    is_good(bed.redeem(code, "t-classic", code_verifier=None))


def test_classic_challenge_needs_its_verifier(bed, session):
    """SEC-PKCE-02, CVE-2023-48228."""
    code = bed.code(session, "t-classic")
    is_error(bed.redeem(code, "t-classic", code_verifier=None), "invalid_grant")
    is_good(bed.redeem(code, "t-classic"))


def test_replay_kills_what_was_issued(bed, session):
    """SEC-CODE-02, RFC 6749 section 4.1.2."""
    code = bed.code(session)
    body = is_good(bed.redeem(code))
    assert bed.call(body["access_token"]).status == 200
    is_error(bed.redeem(code), "invalid_grant")
    assert bed.call(body["access_token"]).status == 401
    is_error(bed.redeem(code), "invalid_grant")
    assert bed.db.value("SELECT revoked_because FROM postern.authorization_grant WHERE id = {}", handle_of(code).id) == "code replayed"


def test_replay_with_a_wrong_verifier_kills_too(bed, session):
    """Whoever presents a used code has stolen it, or it was stolen from."""
    code = bed.code(session)
    body = is_good(bed.redeem(code))
    is_error(bed.redeem(code, code_verifier="A" * 43), "invalid_grant")
    assert bed.call(body["access_token"]).status == 401


def test_expired_code(bed, session):
    """SEC-CODE-04: by the database's clock."""
    code = bed.code(session)
    bed.db("UPDATE postern.authorization_grant SET code_expires_at = now() WHERE id = {}", handle_of(code).id)
    is_error(bed.redeem(code), "invalid_grant")
    code = bed.code(session)
    bed.db("UPDATE postern.authorization_grant SET code_expires_at = now() + interval '5 seconds' WHERE id = {}", handle_of(code).id)
    is_good(bed.redeem(code))


def test_code_lives_as_long_as_the_issuer_says(bed, session):
    code = bed.code(session)
    left = float(bed.db.value("SELECT extract(epoch FROM code_expires_at - now()) FROM postern.authorization_grant"
                              " WHERE id = {}", handle_of(code).id))
    assert 55 < left <= 60


@pytest.mark.once
def test_every_octet_of_the_code_counts(bed, session, long):
    """SEC-TOK-02: changed, cut, longer."""
    code = bed.code(session)
    for i in range(0, 64, 1 if long or bed.how == "http" else 9):
        is_error(bed.redeem(code[:i] + ("A" if code[i] != "A" else "B") + code[i + 1:]), "invalid_grant")
    for changed in (code[:-1], code + "A", code + "=", code[1:], code.swapcase(), code[::-1], "A" * 64, "x", code[:32],
                    code + " ", code.replace("-", "+").replace("_", "/") + "A"):
        is_error(bed.redeem(changed), "invalid_grant")
    is_error(bed.redeem(code + "A" * 512), "invalid_request")
    is_good(bed.redeem(code))


def test_handles_of_other_kinds_are_no_codes(bed, session):
    """SEC-TOK-03: a session, a waiting consent."""
    is_error(bed.redeem(session.text), "invalid_grant")
    answer = bed.get("/authorize", bed.authorization(prompt="consent"), session)
    is_error(bed.redeem(answer.query()["request"]), "invalid_grant")


def test_scope_and_resource_cannot_grow(bed, session):
    code = bed.code(session, scope="openid")
    body = is_good(bed.redeem(code, scope="openid files.read vault.read"))
    assert body["scope"] == "openid"


# --- client authentication -----------------------------------------------

def b64(text):
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


AUTH = [    # name, Authorization (None: without), parameters, error
    ("wrong secret", basic("t-machine", "wrong")[1], {}, "invalid_client"),
    ("CVE-2024-45160 empty secret", b64("t-machine:"), {}, "invalid_client"),
    ("no colon", b64("t-machine"), {}, "invalid_client"),
    ("empty", b64(""), {}, "invalid_client"),
    ("empty id", b64(":" + SECRET), {}, "invalid_client"),
    ("unknown client", basic("nobody")[1], {}, "invalid_client"),
    ("secret cut", basic("t-machine", SECRET[:-1])[1], {}, "invalid_client"),
    ("secret longer", basic("t-machine", SECRET + "x")[1], {}, "invalid_client"),
    ("secret cut by NUL", b64(b"t-machine:" + SECRET.encode() + b"%00"), {}, "invalid_client"),
    ("secret with a raw NUL", b64(b"t-machine:" + SECRET.encode() + b"\0"), {}, "invalid_client"),
    ("digest for secret", basic("t-machine", "0" * 64)[1], {}, "invalid_client"),
    ("secret not form-encoded", b64("t-machine:" + SECRET), {}, "invalid_client"),
    ("bad encoding", b64("t-machine:%zz"), {}, "invalid_client"),
    ("not base64", "Basic ***", {}, "invalid_client"),
    ("base64url", "Basic " + base64.urlsafe_b64encode(b"t-machine:\xff\xff\xff").decode(), {}, "invalid_client"),
    ("unpadded", b64("t-machine:ab").rstrip("="), {}, "invalid_client"),
    ("trailing octets", basic("t-machine")[1] + "x", {}, "invalid_client"),
    ("invalid UTF-8", b64(b"t-machine:\xff\xfe"), {}, "invalid_client"),
    ("too long", b64("t-machine:" + "x" * 3100), {}, "invalid_client"),
    ("long secret", basic("t-machine", "x" * 1025)[1], {}, "invalid_client"),
    ("scheme alone", "Basic", {}, "invalid_client"),
    ("Bearer", "Bearer x", {}, "invalid_client"),
    ("Digest", "Digest username=\"t-machine\"", {}, "invalid_client"),
    ("Negotiate", "Negotiate YII=", {}, "invalid_client"),
    ("two credentials joined", basic("t-machine")[1] + ", " + basic("t-machine")[1], {}, "invalid_client"),
    ("SEC-CLI-03 two methods", basic("t-machine")[1], {"client_secret": SECRET}, "invalid_request"),
    ("SEC-CLI-03 two methods, same client", basic("t-machine")[1], {"client_id": "t-machine", "client_secret": SECRET}, "invalid_request"),
    ("client_id differs", basic("t-machine")[1], {"client_id": "t-basic"}, "invalid_request"),
    ("SEC-CLI-01 post for a basic client", None, {"client_id": "t-machine", "client_secret": SECRET}, "invalid_client"),
    ("SEC-CLI-01 basic for a post client", basic("t-post")[1], {}, "invalid_client"),
    ("SEC-CLI-01 nothing for a basic client", None, {"client_id": "t-machine"}, "invalid_client"),
    ("empty client_secret", None, {"client_id": "t-post", "client_secret": ""}, "invalid_client"),
    ("wrong client_secret", None, {"client_id": "t-post", "client_secret": "x"}, "invalid_client"),
    ("client_secret without id", None, {"client_secret": SECRET}, "invalid_client"),
    ("long client_secret", None, {"client_id": "t-post", "client_secret": "x" * 1025}, "invalid_request"),
    ("client_id too long", None, {"client_id": "t" * 256, "client_secret": SECRET}, "invalid_request"),
    ("client_id with a control", None, {"client_id": "t-post\n", "client_secret": SECRET}, "invalid_request"),
    ("a public client with Basic", basic("t-public")[1], {}, "invalid_client"),
    ("assertion", None, {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": "x"}, "invalid_client"),
    ("CVE-2026-16093 empty assertion and secret", None, {"client_id": "t-post", "client_secret": "x", "client_assertion": ""}, "invalid_client"),
    ("SEC-CLI-03 CVE-2026-16093 assertion beside Basic", basic("t-machine")[1], {"client_assertion": "x"}, "invalid_client"),
    ("SEC-CLI-03 assertion beside a secret", None, {"client_id": "t-post", "client_secret": SECRET, "client_assertion": "x.y.z"}, "invalid_client"),
    ("SEC-CLI-03 assertion of a public client", None, {"client_id": "t-public", "client_assertion": "x"}, "invalid_client"),
    ("a client of codes", basic("t-code-only")[1], {}, "unauthorized_client"),
    # RFC 6749 section 5.2 has a word for it, and that a public client exists is no secret.
    ("a public client", None, {"client_id": "t-public"}, "unauthorized_client"),
    ("a confidential client without its secret", None, {"client_id": "t-machine"}, "invalid_client"),
]


@pytest.mark.parametrize("header, parameters, error", [a[1:] for a in AUTH], ids=["SEC-CLI-02 " + a[0] for a in AUTH])
def test_client_authentication(bed, header, parameters, error):
    headers = [("Authorization", header)] if header else []
    answer = bed.post("/token", {"grant_type": "client_credentials", "scope": "files.read", **parameters}, headers=headers)
    is_error(answer, error, 401 if error == "invalid_client" else 400)
    if error == "invalid_client":
        assert answer.get("WWW-Authenticate").startswith("Basic realm=")    # RFC 9110 section 15.5.2
    if bed.how == "http":
        bed.works()


def right_credentials():
    """The same right ones in every length modulo 3: RFC 6749 section 2.3.1 lets any character be escaped."""
    secret = urllib.parse.quote_plus(SECRET)
    return [base64.b64encode((name + ":" + secret).encode()).decode() for name in ("t-machine", "%74-machine", "%74%2Dmachine")]


def test_base64_is_read_strictly(bed):
    """SEC-CLI-02: right credentials, written as RFC 4648 does not write them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    tried = 0
    for text in right_credentials():
        answer = bed.post("/token", {"grant_type": "client_credentials", "scope": "files.read"}, headers=[("Authorization", "Basic " + text)])
        assert answer.status == 200, answer
        bare = text.rstrip("=")
        wrong = [text[:8] + " " + text[8:], text[:8] + "\t" + text[8:], text + "====", text + "A===", bare + "=" * (3 - (len(text) - len(bare))), "====" + text]
        if bare != text:        # spare bits at the end
            wrong += [bare, bare[:-1] + alphabet[alphabet.index(bare[-1]) | 1] + text[len(bare):]]
        for value in wrong:
            if value == text:
                continue
            answer = bed.post("/token", {"grant_type": "client_credentials", "scope": "files.read"}, headers=[("Authorization", "Basic " + value)])
            assert answer.status in (400, 401), (value, answer)
            tried += 1
    assert tried > 15


def test_unknown_client_and_wrong_secret_are_alike(bed):
    """SEC-CLI-04."""
    unknown, wrong = bed.machine("nobody"), bed.machine("t-machine", "wrong")
    assert unknown.body == wrong.body and unknown.status == wrong.status


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic"])
def test_scheme_is_case_insensitive(bed, scheme):
    """RFC 9110 section 11.1."""
    value = basic("t-machine")[1].replace("Basic", scheme)
    is_good(bed.post("/token", {"grant_type": "client_credentials", "scope": "files.read"}, headers=[("Authorization", value)]))


def test_client_id_beside_basic(bed):
    is_good(bed.machine(scope="files.read", client_id="t-machine"))


@pytest.mark.http
def test_two_authorization_headers(bed):
    """SEC-HTTP-05."""
    answer = bed.post("/token", {"grant_type": "client_credentials", "scope": "files.read"},
                      headers=[basic("t-machine"), basic("t-machine")])
    assert answer.status in (400, 401)
    bed.works()


# --- scope and resource of client_credentials ----------------------------

def scopes(bed):
    return [
        ({"scope": "files.read"}, "files.read", bed.drive), ({"scope": "vault.read"}, "vault.read", VAULT),
        ({"scope": "files.write files.read"}, "files.read files.write", bed.drive),
        ({"scope": "files.read", "resource": bed.drive}, "files.read", bed.drive),
        ({"resource": VAULT}, "vault.read", VAULT), ({"resource": bed.drive}, "files.read files.write", bed.drive),
        ({"scope": "files.read vault.read", "resource": VAULT}, "vault.read", VAULT),
    ]


@pytest.mark.parametrize("which", range(7))
def test_scope_of_a_machine(bed, which):
    parameters, scope, audience = scopes(bed)[which]
    body = is_good(bed.machine(**parameters))
    assert body["scope"] == scope
    assert jwt.read(body["access_token"])[1]["aud"] == audience


SCOPES = [
    ("RFC 8707 2.2 two resources", {}, "invalid_target"), ("two resources named", {"scope": "files.read vault.read"}, "invalid_target"),
    ("unknown", {"scope": "nothing"}, "invalid_scope"), ("CVE-2024-52287 CVE-2026-33132 not the client's", {"scope": "openid"}, "invalid_scope"),
    ("one of two", {"scope": "files.read nothing"}, "invalid_scope"), ("twice", {"scope": "files.read files.read"}, "invalid_scope"),
    ("two spaces", {"scope": "files.read  files.write"}, "invalid_scope"), ("case", {"scope": "Files.Read"}, "invalid_scope"),
    ("quote", {"scope": "\""}, "invalid_request"), ("too long", {"scope": "s" * 2049}, "invalid_request"),
    ("unknown resource", {"scope": "files.read", "resource": "https://unknown.example/"}, "invalid_target"),
    ("other resource", {"scope": "files.read", "resource": VAULT}, "invalid_target"),
    ("resource cut", {"scope": "vault.read", "resource": VAULT[:-1]}, "invalid_target"),
    ("resource too long", {"scope": "vault.read", "resource": "https://" + "x" * 1024}, "invalid_request"),
]


@pytest.mark.parametrize("parameters, error", [s[1:] for s in SCOPES], ids=["SEC-TOK-05 " + s[0] for s in SCOPES])
def test_bad_scope_of_a_machine(bed, parameters, error):
    is_error(bed.machine(**parameters), error)
    if bed.how == "http":
        bed.works()


def test_a_machine_gets_no_identity(bed):
    """SEC-TOK-05: openid is for people."""
    is_error(bed.machine("t-basic", scope="openid"), "invalid_scope")
    is_error(bed.machine("t-basic", scope="profile files.read"), "invalid_scope")


# --- the request itself --------------------------------------------------

GOOD = "grant_type=client_credentials&scope=files.read"
TYPES = [
    ("none", None), ("JSON", "application/json"), ("text", "text/plain"), ("multipart", "multipart/form-data; boundary=x"),
    ("charset", "application/x-www-form-urlencoded; charset=iso-8859-1"), ("suffix", "application/x-www-form-urlencodedx"),
    ("two", "application/x-www-form-urlencoded, text/plain"), ("parameter", "application/x-www-form-urlencoded; a=b"),
    ("no subtype", "application"), ("xml", "application/xml"),
]


@pytest.mark.parametrize("media_type", [t for _, t in TYPES], ids=["SEC-HTTP-10 " + n for n, _ in TYPES])
def test_media_type(bed, media_type):
    headers = [basic("t-machine"), ("Content-Type", media_type or "")]
    answer = bed.request("POST", bed.at("/token"), headers, GOOD)
    is_error(answer, "invalid_request", 415)
    if bed.how == "http":
        bed.works()


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=UTF-8",
                                        "Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded; charset=utf-8"])
def test_media_type_accepted(bed, media_type):
    is_good(bed.request("POST", bed.at("/token"), [basic("t-machine"), ("Content-Type", media_type)], GOOD))


BODIES = [      # RFC 6749 section 3.2; SEC-PARAM
    ("SEC-PARAM-02 empty", ""), ("SEC-PARAM-01 repeated", GOOD + "&scope=files.read"), ("SEC-PARAM-01 repeated empty", GOOD + "&scope="),
    ("SEC-PARAM-01 repeated, encoded name", GOOD + "&s%63ope=files.read"), ("SEC-PARAM-01 repeated grant_type", GOOD + "&grant_type=client_credentials"),
    ("SEC-PARAM-01 repeated secret", GOOD + "&client_secret=a&client_secret=b"), ("SEC-PARAM-04 bad percent", GOOD + "&resource=%"),
    ("SEC-PARAM-04 bad hex", GOOD + "&x=%g0"), ("SEC-PARAM-04 NUL", GOOD + "&resource=%00"), ("SEC-PARAM-04 overlong", GOOD + "&resource=%c0%af"),
    ("SEC-PARAM-04 latin-1", GOOD + "&resource=%e9"), ("SEC-PARAM-04 raw NUL", GOOD + "&resource=a\0"), ("SEC-PARAM-04 surrogate", GOOD + "&code=%ed%a0%80"),
    ("SEC-PARAM-06 110 parameters", GOOD + "&" + "&".join(f"a{i}=1" for i in range(110))), ("SEC-HTTP-10 JSON", '{"grant_type":"client_credentials"}'),
    ("SEC-HTTP-10 semicolons", GOOD.replace("&", ";")), ("SEC-PARAM-02 = only", "="), ("SEC-PARAM-02 & only", "&&&&"),
]


@pytest.mark.parametrize("body", [b for _, b in BODIES], ids=[n for n, _ in BODIES])
def test_body(bed, body):
    answer = bed.request("POST", bed.at("/token"), [basic("t-machine")], body)
    expected = "unsupported_grant_type" if ";" in body else "invalid_request"
    is_error(answer, expected)
    if bed.how == "http":
        bed.works()


def test_body_of_the_largest_size(bed):
    body = GOOD + "&x=" + "y" * (65536 - len(GOOD) - 3)
    is_good(bed.request("POST", bed.at("/token"), [basic("t-machine")], body))
    answer = bed.request("POST", bed.at("/token"), [basic("t-machine")], body + "y")
    assert answer.status == 413, answer
    bed.works()


def test_body_of_5_megabytes(bed):
    answer = bed.request("POST", bed.at("/token"), [basic("t-machine")], "x=" + "y" * 5_000_000)
    assert answer.status in (413, 0), answer        # 0: the web server closed while we were sending
    bed.works()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_method(bed, method):
    """SEC-HTTP-07: POST only; credentials in the query are not looked at."""
    answer = bed.request(method, bed.at("/token?" + GOOD), [basic("t-machine")])
    assert answer.status == 405, answer
    assert answer.get("Allow") == "POST"
    bed.works()


def test_credentials_in_the_query(bed):
    """SEC-HTTP-07."""
    answer = bed.request("POST", bed.at("/token?" + wire.form({"client_id": "t-post", "client_secret": SECRET})), [], GOOD)
    is_error(answer, "invalid_client", 401)
    answer = bed.request("POST", bed.at("/token?" + GOOD), [basic("t-machine")], "")
    is_error(answer, "invalid_request")


def test_a_password_is_nowhere_in_the_log(bed, session):
    """SEC-LOG-01: codes, tokens, secrets, verifiers."""
    code = bed.code(session)
    token = bed.redeem(code).json()["access_token"]
    bed.call(token)
    bed.redeem(code)
    bed.machine("t-machine", "the wrong secret")
    logs = "".join(p.read_text(errors="replace") for p in pathlib.Path(bed.env["DEMO_LOGDIR"]).glob("*.log"))
    for secret in (code, token, token.split(".")[2], SECRET, wire.form({"": SECRET})[1:], "wrong secret", VERIFIER, session.text,
                   bed.password, bed.env["CONFIDENTIAL_CLIENT_SECRET"]):
        assert secret not in logs, secret
