"""Every consumer of a JWT against every attack on one: SEC-JOSE-01 to 08, 11, 12; RFC 8725.

Four take our access token (guard, userinfo, introspect, revoke), one our ID token (the
hint of logout).  Each row is a token that is not to be taken; then the good one still is.
Keys are tested in tests/unit/jose.c, the verifier alone in tests/unit/jose_jwt.c."""

import base64
import hmac
import json
import subprocess
import time

import pytest

from lib import jwt
from lib.bed import LOGOUT_URI, VAULT, basic

CONSUMERS = ("guard", "userinfo", "introspect", "revoke", "logout")
HINT = ("logout",)
ACCESS = CONSUMERS[:4]
# revoke looks at whose a token is and not at what it is for: a token that is worth
# nothing now may be put down for good.
JUDGES = CONSUMERS[:3]
STEP = 12       # beds on which only a sample runs: no web server looks into a token
DELETE = object()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Kit:
    """A good token, taken apart, and what an attacker could have."""

    def __init__(self, bed, token):
        self.bed, self.token = bed, token
        self.kid, self.sign = bed.signer()
        self.header, self.claims = jwt.read(token)
        self.public = next(k for k in bed.keys()["keys"] if k["kid"] == self.kid)
        self.parts = token.split(".")

    def signed(self, header=None, claims=None, sign=None):
        return jwt.join(self.header if header is None else header, self.claims if claims is None else claims, sign or self.sign)

    def with_header(self, **changes):
        header = {**self.header, **changes}
        return self.signed({n: v for n, v in header.items() if v is not DELETE})

    def with_claims(self, **changes):
        claims = {**self.claims, **changes}
        return self.signed(claims={n: v for n, v in claims.items() if v is not DELETE})

    def with_text(self, header, payload):
        """Texts that need not be JSON, really signed."""
        header, payload = (t if isinstance(t, bytes) else t.encode() for t in (header, payload))
        signed = jwt.encode(header) + "." + jwt.encode(payload)
        return signed + "." + jwt.encode(self.sign(signed.encode()))

    def with_signature(self, octets):
        return ".".join(self.parts[:2]) + "." + jwt.encode(octets)

    @property
    def signature(self):
        return jwt.decode(self.parts[2])

    def with_part(self, index, text):
        parts = list(self.parts)
        parts[index] = text
        return ".".join(parts)


def none(kit, alg, signature=b""):
    return kit.signed({"typ": kit.header["typ"], "alg": alg, "kid": kit.kid}, sign=lambda _: signature)


def mac(kit, alg, secret):
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(alg, "sha256")
    return kit.signed({**kit.header, "alg": alg}, sign=lambda text: hmac.digest(secret, text, digest))


def spki(kit):
    return jwt.subject_public_key_info(kit.public)


def pem(kit):
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(spki(kit)) + b"-----END PUBLIC KEY-----\n"


_strangers = []


def stranger():
    """A key pair of the attacker's: (signs, public JWK)."""
    if not _strangers:
        text = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], capture_output=True, check=True, text=True).stdout
        own = jwt.Signer(text)
        x, y = (jwt.encode(c.to_bytes(32, "big")) for c in jwt._multiply(own.d, jwt.G))
        _strangers.append((own, {"kty": "EC", "crv": "P-256", "x": x, "y": y}))
    return _strangers[0]


def der(octets):
    def integer(part):
        part = part.lstrip(b"\0") or b"\0"
        part = (b"\0" if part[0] & 0x80 else b"") + part
        return bytes([2, len(part)]) + part
    body = integer(octets[:32]) + integer(octets[32:])
    return bytes([0x30, len(body)]) + body


def spare_bits(kit):
    last = ALPHABET.index(kit.token[-1])
    return kit.token[:-1] + ALPHABET[last ^ 1]


def flip(kit, part, at=3):
    text = kit.parts[part]
    return kit.with_part(part, text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])


def serialised(kit):
    header, payload, signature = kit.parts
    return json.dumps({"protected": header, "payload": payload, "signature": signature})


def nested(depth):
    return "[" * depth + "1" + "]" * depth


N = jwt.N.to_bytes(32, "big")
ZERO = bytes(32)

# requirement, name, the token (by the kit), for which consumers
ATTACKS = [
    *[("SEC-JOSE-01", f"CVE-2026-18569 alg {alg!r}", lambda k, a=alg: none(k, a)) for alg in ("none", "None", "NONE", "nOnE", "", " none")],
    *[("SEC-JOSE-01", f"alg {alg!r}", lambda k, a=alg: k.with_header(alg=a)) for alg in (None, 0, True, ["ES256"], {"alg": "ES256"}, "es256", "ES256 ", "ES256\0")],
    ("SEC-JOSE-01", "alg missing", lambda k: k.with_header(alg=DELETE)),
    ("SEC-JOSE-01", "alg none with a signature", lambda k: none(k, "none", k.signature)),
    ("SEC-JOSE-01", "no signature", lambda k: k.with_part(2, "")),
    *[("SEC-JOSE-02", f"{cve} {alg} keyed with {what}", lambda k, a=alg, s=secret: mac(k, a, s(k))) for cve, alg, what, secret in (
        ("CVE-2015-9235", "HS256", "the PEM", pem), ("CVE-2026-11800", "HS256", "the PEM without its last newline", lambda k: pem(k).strip()),
        ("CVE-2024-54150", "HS256", "the DER", spki), ("JWK text", "HS256", "the JWK", lambda k: json.dumps(k.public).encode()),
        ("x", "HS256", "x", lambda k: jwt.decode(k.public["x"])), ("nothing", "HS256", "nothing", lambda k: b""), ("PEM", "HS384", "the PEM", pem),
        ("PEM", "HS512", "the PEM", pem), ("MAC", "ES256", "the PEM", pem))],
    *[("SEC-JOSE-02", f"alg {alg} with the key of ES256", lambda k, a=alg: k.with_header(alg=a))
      for alg in ("RS256", "PS256", "EdDSA", "ES384", "ES512", "ES256K", "RS384", "RSA1_5", "dir", "A128KW")],
    ("SEC-JOSE-03", "CVE-2018-0114 jwk", lambda k: k.signed({**k.header, "jwk": stranger()[1]}, sign=stranger()[0])),
    ("SEC-JOSE-03", "jwk without kid", lambda k: k.signed({"typ": k.header["typ"], "alg": "ES256", "jwk": stranger()[1]}, sign=stranger()[0])),
    ("SEC-JOSE-03", "jwk with our kid", lambda k: k.signed({**k.header, "jwk": {**stranger()[1], "kid": k.kid}}, sign=stranger()[0])),
    ("SEC-JOSE-03", "x5c", lambda k: k.signed({**k.header, "x5c": ["MIIB"]}, sign=stranger()[0])),
    ("SEC-JOSE-03", "a stranger's signature", lambda k: k.signed(sign=stranger()[0])),
    *[("SEC-JOSE-03", f"{name}, well signed", lambda k, n=name: k.with_header(**{n: "http://127.0.0.1:9/"})) for name in ("jku", "x5u")],
    *[("SEC-JOSE-03", f"kid {what}", lambda k, v=kid: k.with_header(kid=v)) for what, kid in (
        ("a path", "../../../../dev/null"), ("SQL", "' OR ''='"), ("empty", ""), ("a number", 1), ("null", None), ("a list", ["x"]), ("with NUL", "a\0b"),
        ("of 3000 octets", "k" * 3000), ("unknown", "x" * 43), ("with %", "%"), ("not ASCII", "é"))],
    ("SEC-JOSE-03", "kid missing", lambda k: k.with_header(kid=DELETE)),
    ("SEC-JOSE-03", "kid in another case", lambda k: k.with_header(kid=k.kid.swapcase())),
    ("SEC-JOSE-03", "kid of the other key", lambda k: k.with_header(kid=next(j["kid"] for j in k.bed.keys()["keys"] if j["kid"] != k.kid))),
    *[("SEC-JOSE-04", f"CVE-2025-59420 crit {crit!r}", lambda k, c=crit: k.with_header(crit=c, x=1))
      for crit in (["x"], [], "exp", ["alg"], ["x", "x"], ["missing"], None, ["b64"], {}, ["exp"])],
    *[("SEC-JOSE-04", f"b64 {value!r}", lambda k, v=value: k.with_header(b64=v)) for value in (False, True)],
    ("SEC-JOSE-04", "b64 false with crit", lambda k: k.with_header(b64=False, crit=["b64"])),
    *[("SEC-JOSE-05", f"iss {what}", lambda k, v=value: k.with_claims(iss=v(k))) for what, value in (
        ("of another", lambda k: "https://evil.example"), ("with a slash", lambda k: k.bed.issuer + "/"), ("in capitals", lambda k: k.bed.issuer.upper()),
        ("in a list", lambda k: [k.bed.issuer]), ("empty", lambda k: ""), ("null", lambda k: None), ("missing", lambda k: DELETE), ("a number", lambda k: 1))],
    *[("SEC-JOSE-05", f"aud {what}", lambda k, v=value: k.with_claims(aud=v)) for what, value in (
        ("missing", DELETE), ("an empty list", []), ("null", None), ("a number", 1), ("an object", {}), ("true", True))],
    ("SEC-JOSE-05", "aud empty", lambda k: k.with_claims(aud=""), (*JUDGES, *HINT)),
    ("SEC-JOSE-05", "aud with a stranger", lambda k: k.with_claims(aud=[k.claims["aud"], "https://evil.example"])),
    ("SEC-JOSE-05", "CVE-2026-55669 aud of another", lambda k: k.with_claims(aud=VAULT), JUDGES),
    ("SEC-JOSE-05", "CVE-2024-47077 aud of another client", lambda k: k.with_claims(aud="t-other"), HINT),
    ("SEC-JOSE-05", "aud is the issuer", lambda k: k.with_claims(aud=k.bed.issuer), JUDGES),
    *[("SEC-JOSE-05", f"exp {what}", lambda k, v=value: k.with_claims(exp=v() if callable(v) else v), ACCESS) for what, value in (
        ("CVE-2021-35473 one second ago", lambda: int(time.time()) - 1), ("in 1970", 1), ("0", 0), ("missing", DELETE), ("a string", "9999999999"), ("null", None),
        ("negative", -1), ("a fraction", 9999999999.5), ("true", True), ("a list", [9999999999]), ("10^30", 10 ** 30), ("2^63", 2 ** 63), ("2^64", 2 ** 64),
        ("2^53", 2 ** 53), ("in ten years", lambda: int(time.time()) + 315360000))],
    ("SEC-JOSE-05", "exp 1e300", lambda k: k.with_text(json.dumps(k.header), json.dumps({**k.claims, "exp": 0}).replace('"exp": 0', '"exp": 1e300')), ACCESS),
    ("SEC-JOSE-05", "exp NaN", lambda k: k.with_claims(exp=float("nan"))),
    *[("SEC-JOSE-05", f"iat {what}", lambda k, v=value: k.with_claims(iat=v), ACCESS) for what, value in (
        ("missing", DELETE), ("a string", "1"), ("negative", -1), ("null", None), ("long ago", 1), ("after exp", 2 ** 40))],
    ("SEC-JOSE-05", "nbf, which we never write", lambda k: k.with_claims(nbf=int(time.time()) + 3600), ACCESS),
    *[("SEC-JOSE-05", f"{claim} missing", lambda k, c=claim: k.with_claims(**{c: DELETE}), ACCESS) for claim in ("grant_id", "client_id", "jti")],
    *[("SEC-JOSE-05", f"grant_id {what}", lambda k, v=value: k.with_claims(grant_id=v(k.claims.get("grant_id", ""))), ACCESS) for what, value in (
        ("empty", lambda g: ""), ("cut", lambda g: g[:-1]), ("longer", lambda g: g + "0"),
        ("a number", lambda g: 5), ("without dashes", lambda g: g.replace("-", "")), ("in braces", lambda g: "{" + g + "}"))],
    ("SEC-JOSE-05", "grant_id unknown", lambda k: k.with_claims(grant_id="00000000-0000-4000-8000-000000000000"), JUDGES),
    ("SEC-JOSE-05", "client_id of another", lambda k: k.with_claims(client_id="t-other"), ACCESS),
    *[("SEC-JOSE-05", f"sub {what}", lambda k, v=value: k.with_claims(sub=v), HINT) for what, value in (("missing", DELETE), ("null", None), ("a number", 1))],
    *[("SEC-JOSE-06", name, lambda k, s=signature: k.with_signature(s(k.signature))) for name, signature in (
        ("CVE-2022-21449 r = s = 0", lambda s: ZERO * 2), ("r = 0", lambda s: ZERO + s[32:]), ("s = 0", lambda s: s[:32] + ZERO), ("r = n", lambda s: N + s[32:]),
        ("s = n", lambda s: s[:32] + N), ("r and s = n", lambda s: N * 2), ("exchanged", lambda s: s[32:] + s[:32]), ("DER", der), ("63 octets", lambda s: s[:-1]),
        ("65 octets", lambda s: s + b"\0"), ("65 octets, zero first", lambda s: b"\0" + s), ("128 octets", lambda s: s * 2), ("one octet", lambda s: b"\1"))],
    *[("SEC-JOSE-08", f"WSO2-2020-0752 one octet of part {part}", lambda k, p=part: flip(k, p)) for part in (0, 1, 2)],
    ("SEC-JOSE-08", "alg twice", lambda k: k.with_text(json.dumps(k.header)[:-1] + ', "alg": "ES256"}', json.dumps(k.claims))),
    ("SEC-JOSE-08", "an escape that json-c misreads", lambda k: k.with_text(json.dumps(k.header)[:-1] + ', "x": "\\ud836\\ude09"}', json.dumps(k.claims))),
    ("SEC-JOSE-08", "alg twice, once escaped", lambda k: k.with_text(json.dumps(k.header)[:-1] + ', "\\u0061lg": "none"}', json.dumps(k.claims))),
    ("SEC-JOSE-08", "claim twice", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims)[:-1] + ', "sub": "evil"}')),
    ("SEC-JOSE-08", "claim twice, once escaped", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims)[:-1] + ', "s\\u0075b": "evil"}')),
    ("SEC-JOSE-08", "twice in an object inside", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims)[:-1] + ', "x": {"a": 1, "a": 2}}')),
    *[("SEC-JOSE-08", f"base64url: {what} in part {part}", lambda k, p=part, c=change: k.with_part(p, c(k.parts[p]))) for part in (0, 1, 2) for what, change in (
        ("padding", lambda t: t + "="), ("space", lambda t: t[:5] + " " + t[5:]), ("plus", lambda t: "+" + t[1:]), ("slash", lambda t: "/" + t[1:]), ("length 1 mod 4", lambda t: t[:len(t) // 4 * 4 + 1] + ("A" * ((1 - len(t)) % 4) if len(t) % 4 == 0 else "")))],
    ("SEC-JOSE-08", "base64url: spare bits", spare_bits),
    *[("SEC-JOSE-08", name, shape) for name, shape in (
        ("one part", lambda k: k.parts[0]), ("two parts", lambda k: ".".join(k.parts[:2])), ("four parts", lambda k: k.token + "." + k.parts[2]),
        ("a dot more", lambda k: k.token + "."), ("a dot first", lambda k: "." + k.token), ("empty header", lambda k: k.with_part(0, "")), ("empty payload", lambda k: k.with_part(1, "")),
        ("CVE-2016-9122 JSON serialisation", serialised), ("header an array", lambda k: k.with_text("[]", json.dumps(k.claims))), ("header a string", lambda k: k.with_text('"ES256"', json.dumps(k.claims))),
        ("payload an array", lambda k: k.with_text(json.dumps(k.header), "[" + json.dumps(k.claims) + "]")), ("payload a string", lambda k: k.with_text(json.dumps(k.header), '"x"')),
        ("nested JWT", lambda k: k.with_text(json.dumps({**k.header, "cty": "JWT"}), k.token)), ("byte order mark", lambda k: k.with_text(json.dumps(k.header), b"\xef\xbb\xbf" + json.dumps(k.claims).encode())),
        ("trailing garbage", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims) + "x")), ("depth 9", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims)[:-1] + f', "x": {nested(8)}}}')),
        ("single quotes", lambda k: k.with_text(json.dumps(k.header), str(k.claims))), ("NUL in a name", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims).replace('"sub"', '"sub\\u0000x"'))),
        ("not UTF-8", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims).encode()[:-1] + b', "x": "\xc0\xaf"}')), ("a raw TAB", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims)[:-1] + ', "x": "a\tb"}')),
        ("a comment", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims) + "/* */")), ("a lone surrogate", lambda k: k.with_text(json.dumps(k.header), json.dumps(k.claims)[:-1] + ', "x": "\\ud800"}')),
        ("CVE-2025-27144 many dots", lambda k: "." * 4000), ("CVE-2026-34986 8001 octets", lambda k: k.with_text(json.dumps({**k.header, "x": "y" * 5000}), json.dumps(k.claims)) + "A" * 20))],
    *[("SEC-JOSE-11", f"typ {typ!r}", lambda k, t=typ: k.with_header(typ=t)) for typ in (
        "logout+jwt", "dpop+jwt", "client-authentication+jwt", "oauth-authz-req+jwt", "secevent+jwt", "JWE", "", 1, None, ["at+jwt"], "at+jwt JWT", "application/", "text/at+jwt")],
    ("SEC-JOSE-11", "typ JWT: an ID token's", lambda k: k.with_header(typ="JWT"), ACCESS),
    ("SEC-JOSE-11", "typ missing", lambda k: k.with_header(typ=DELETE), ACCESS),
    ("SEC-JOSE-11", "typ at+jwt: an access token's", lambda k: k.with_header(typ="at+jwt"), HINT),
    *[("SEC-JOSE-12", f"{cve} JWE {json.dumps(header)}", lambda k, h=header: jwt.encode(json.dumps(h).encode()) + ".AAAA.AAAA.AAAA.AAAA") for cve, header in (
        ("CVE-2024-28180", {"alg": "dir", "enc": "A128GCM", "zip": "DEF"}), ("GO-2023-2334", {"alg": "PBES2-HS256+A128KW", "p2c": 2147483647, "enc": "A128GCM"}),
        ("CVE-2022-32096", {"alg": "A256KW", "enc": "A256GCM"}), ("CVE-2022-38493", {"alg": "RSA-OAEP", "enc": "A128GCM"}), ("CVE-2023-37464", {"alg": "A128GCMKW", "enc": "A128GCM", "tag": "AA"}), ("CVE-2016-9121", {"alg": "ECDH-ES", "enc": "A128GCM"}))],
]
_pairs = [(row, consumer) for row in ATTACKS for consumer in (row[3] if len(row) > 3 else CONSUMERS)]
ROWS = [pytest.param(consumer, row[2], id=f"{row[0]} {row[1]} at {consumer}", marks=[] if i % STEP == 0 else pytest.mark.once)
        for i, (row, consumer) in enumerate(_pairs)]


class Consumers:
    """Each by its name: does it take this token?  What it answers else is checked here."""

    def __init__(self, bed):
        self.bed = bed
        body = bed.tokens(bed.session(), "t-refresh-basic")
        self.access, self.identity = Kit(bed, body["access_token"]), Kit(bed, body["id_token"])
        self.made = {}

    def kit(self, consumer):
        return self.identity if consumer == "logout" else self.access

    def token(self, consumer, attack):
        """Made once for all consumers of a kind."""
        key = self.kit(consumer), attack
        if key not in self.made:
            self.made[key] = attack(self.kit(consumer))
        return self.made[key]

    def guard(self, token):
        return self.bearer(self.bed.call(token), token)

    def userinfo(self, token):
        return self.bearer(self.bed.get("/userinfo", headers=[("Authorization", "Bearer " + token)]), token)

    def bearer(self, answer, token):
        if answer.status == 200:
            return True
        assert answer.status in (400, 401), answer
        if answer.get("WWW-Authenticate"):      # else the web server has refused a character
            words = ("invalid_token", "invalid_request") if "," in token else ("invalid_token",)     # a comma looks like two headers joined
            assert any(f'error="{w}"' in answer.get("WWW-Authenticate") for w in words), answer
        return False

    def introspect(self, token):
        answer = self.bed.post("/introspect", {"token": token}, headers=[basic("t-drive")])
        if answer.status == 400:                # longer than any token of ours, or no characters of one
            assert answer.json()["error"] == "invalid_request", answer
            return False
        assert answer.status == 200 and (answer.json()["active"] or answer.body == b'{"active":false}'), answer
        return answer.json()["active"]

    def revoke(self, token):
        """Nothing is revoked by it; the good token is not looked at here."""
        before = self.bed.ended()
        answer = self.bed.post("/revoke", {"token": token}, headers=[basic("t-refresh-basic")])
        assert (answer.status == 200 and answer.body == b"") or answer.json()["error"] == "invalid_request", answer
        taken = not self.bed.ended() <= before
        self.bed.db("DELETE FROM postern.revoked_token")
        return taken

    def logout(self, token):
        answer = self.bed.get("/logout", {"id_token_hint": token, "post_logout_redirect_uri": LOGOUT_URI})
        assert answer.status == 400 or answer.location == LOGOUT_URI, answer
        return answer.status == 303


@pytest.fixture(scope="module")
def consumers(bed):
    bed.db("UPDATE postern.client SET post_logout_redirect_uris = ARRAY[{}] WHERE client_id = 't-refresh-basic'", LOGOUT_URI)
    return Consumers(bed)


def takes(consumers, consumer, token):
    return getattr(consumers, consumer)(token)


@pytest.mark.parametrize("consumer, attack", ROWS)
def test_attack(consumers, consumer, attack):
    token = consumers.token(consumer, attack)
    assert token != consumers.kit(consumer).token
    assert not takes(consumers, consumer, token), token


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_good_after_all_of_these(consumers, consumer):
    """The control: the same claims, signed again by the same key, are taken."""
    kit = consumers.kit(consumer)
    assert takes(consumers, consumer, kit.token)
    assert takes(consumers, consumer, kit.signed())
    assert takes(consumers, consumer, kit.with_header(typ="application/" + kit.header["typ"]))


def test_hint_may_have_expired(consumers):
    """OpenID Connect RP-Initiated Logout section 2: an ID token is still a hint when it has expired."""
    assert consumers.logout(consumers.identity.with_claims(exp=1))


@pytest.mark.parametrize("consumer", [pytest.param(c, id="SEC-JOSE-03 retired key at " + c) for c in (*JUDGES, *HINT)])
def test_retired_key(bed, consumers, consumer):
    """On the next request, also where the process has verified the token before."""
    kit = consumers.kit(consumer)
    assert takes(consumers, consumer, kit.token)
    bed.db("UPDATE postern.signing_key SET retired_at = now() WHERE kid = {}", kit.kid)
    try:
        assert not takes(consumers, consumer, kit.token)
    finally:
        bed.db("UPDATE postern.signing_key SET retired_at = NULL WHERE kid = {}", kit.kid)
    assert takes(consumers, consumer, kit.token)
