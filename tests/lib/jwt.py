"""JSON Web Tokens, independently of the server: RFC 7515 and RFC 7518 in plain
Python.  Slow and not constant in time: for tests only."""

import base64
import hashlib
import hmac
import json
import secrets
import subprocess


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# P-256 (FIPS 186-4 appendix D.1.2.3)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def _add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _multiply(k, point):
    out = None
    while k:
        if k & 1:
            out = _add(out, point)
        point, k = _add(point, point), k >> 1
    return out


def _es256_verify(jwk, signed, signature):
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    e, w = int.from_bytes(hashlib.sha256(signed).digest(), "big"), pow(s, -1, N)
    q = tuple(int.from_bytes(decode(jwk[c]), "big") for c in "xy")
    point = _add(_multiply(e * w % N, G), _multiply(r * w % N, q))
    return point is not None and point[0] % N == r


def _rs256_verify(jwk, signed, signature):
    n, e = (int.from_bytes(decode(jwk[c]), "big") for c in "ne")
    size = (n.bit_length() + 7) // 8
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signed).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return len(signature) == size and pow(int.from_bytes(signature, "big"), e, n) == int.from_bytes(padded, "big")


VERIFIERS = {"ES256": _es256_verify, "RS256": _rs256_verify}


def read(token):
    """(header, claims), unverified."""
    header, payload, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(payload))


def verify(token, keys):
    """(header, claims) by a key set; assertion error if the signature is wrong."""
    header, claims = read(token)
    found = [k for k in keys["keys"] if k["kid"] == header["kid"]]
    assert len(found) == 1, f"kid {header['kid']} is in the key set {len(found)} times"
    assert found[0]["alg"] == header["alg"]
    signed, _, signature = token.rpartition(".")
    assert VERIFIERS[header["alg"]](found[0], signed.encode(), decode(signature)), "wrong signature"
    return header, claims


def join(header, claims, signature_of):
    signed = ".".join(encode(json.dumps(p, separators=(",", ":")).encode()) for p in (header, claims))
    return signed + "." + encode(signature_of(signed.encode()))


class Signer:
    """Signs ES256 with the private key of a PEM."""

    def __init__(self, pem):
        der = subprocess.run(["openssl", "ec", "-outform", "DER"], input=pem.encode(), capture_output=True, check=True).stdout
        at = der.index(b"\x02\x01\x01\x04\x20") + 5         # RFC 5915 section 3
        self.d = int.from_bytes(der[at:at + 32], "big")

    def __call__(self, signed):
        e = int.from_bytes(hashlib.sha256(signed).digest(), "big")
        k = secrets.randbelow(N - 1) + 1
        r = _multiply(k, G)[0] % N
        s = pow(k, -1, N) * (e + r * self.d) % N
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def hs256(key):
    return lambda signed: hmac.digest(key, signed, "sha256")


def subject_public_key_info(jwk):
    """DER of a P-256 public key (RFC 5480 section 2)."""
    return bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04" + decode(jwk["x"]) + decode(jwk["y"])
