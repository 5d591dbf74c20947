"""What our tokens say: RFC 9068, OpenID Connect Core sections 2 and 3.1.3.6, RFC 7515.
The signatures are checked by code of our own, not by the server's library."""

import base64
import hashlib
import time
import uuid

import pytest

from lib import jwt
from lib.bed import VAULT


@pytest.fixture(scope="module")
def keys(bed):
    return bed.keys()


def half_hash(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def test_access_token(bed, keys):
    """RFC 9068 section 2."""
    session = bed.session(ago_seconds=30)
    before = int(time.time())
    body = bed.tokens(session)
    header, claims = jwt.verify(body["access_token"], keys)
    assert header["alg"] == "ES256" and header["typ"] == "at+jwt" and set(header) == {"alg", "typ", "kid"}
    assert set(claims) == {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "grant_id"}
    assert claims["iss"] == bed.issuer and claims["aud"] == bed.drive and claims["client_id"] == "t-public"
    assert claims["sub"] == bed.sub["grace"]
    assert claims["scope"] == body["scope"] == "openid files.read"
    assert before - 1 <= claims["iat"] <= time.time() + 1
    assert claims["exp"] - claims["iat"] == body["expires_in"] == 600
    assert type(claims["iat"]) is int and type(claims["exp"]) is int
    uuid.UUID(claims["grant_id"])


def test_jti_is_unique(bed):
    """RFC 9068 section 2.2."""
    tokens = [bed.machine(scope="files.read").json()["access_token"] for _ in range(10)]
    assert len({jwt.read(t)[1]["jti"] for t in tokens}) == 10


def test_access_token_of_a_machine(bed, keys):
    """RFC 9068 section 2.2: sub is the client; SEC-TOK-08: never a person's."""
    _, claims = jwt.verify(bed.machine(scope="vault.read").json()["access_token"], keys)
    assert claims["sub"] == claims["client_id"] == "t-machine" and claims["aud"] == VAULT
    assert claims["sub"] not in {r[0] for r in bed.db("SELECT sub FROM postern.account")}


def test_audience_is_one_string(bed, keys):
    _, claims = jwt.verify(bed.tokens(scope="openid vault.read")["access_token"], keys)
    assert claims["aud"] == VAULT


def test_audience_of_identity_alone_is_the_issuer(bed, keys):
    body = bed.tokens(scope="openid")
    assert jwt.verify(body["access_token"], keys)[1]["aud"] == bed.issuer
    assert bed.call(body["access_token"]).status == 401


@pytest.mark.parametrize("client, alg", [("t-public", "ES256"), ("t-basic", "RS256")])
def test_id_token(bed, keys, client, alg):
    """OpenID Connect Core section 2; SEC-TOK-10; SEC-SESS-04: auth_time is that of the login."""
    session = bed.session(ago_seconds=30)
    body = bed.tokens(session, client, nonce="n-0S6_WzA2Mj \"\\ é")
    header, claims = jwt.verify(body["id_token"], keys)
    assert header["alg"] == alg and header["typ"] == "JWT" and set(header) == {"alg", "typ", "kid"}
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "sid", "at_hash"}
    assert claims["iss"] == bed.issuer and claims["aud"] == client and claims["sub"] == bed.sub["grace"]
    assert claims["nonce"] == "n-0S6_WzA2Mj \"\\ é"
    assert claims["at_hash"] == half_hash(body["access_token"])
    assert claims["exp"] - claims["iat"] == 600
    assert 29 <= claims["iat"] - claims["auth_time"] <= 33
    assert uuid.UUID(claims["sid"]).hex == session.id


def test_id_token_without_nonce(bed):
    assert "nonce" not in jwt.read(bed.tokens()["id_token"])[1]


def test_sub_is_stable_and_the_same_for_all_clients(bed):
    subs = {jwt.read(bed.tokens(client_id=c)["id_token"])[1]["sub"] for c in ("t-public", "t-basic", "t-public")}
    assert subs == {bed.sub["grace"]}


def test_lifetimes_are_those_of_the_rows(bed):
    """DESIGN rule 7: effective on the next request."""
    bed.db("UPDATE postern.resource SET access_token_lifetime = '77 seconds' WHERE resource = {}", VAULT)
    bed.db("UPDATE postern.issuer SET access_token_lifetime = '88 seconds', id_token_lifetime = '99 seconds'")
    try:
        body = bed.tokens(scope="openid vault.read")
        access, identity = (jwt.read(body[n])[1] for n in ("access_token", "id_token"))
        assert body["expires_in"] == 77 == access["exp"] - access["iat"]
        assert identity["exp"] - identity["iat"] == 99
        assert bed.machine(scope="files.read").json()["expires_in"] == 88
    finally:
        bed.db("UPDATE postern.resource SET access_token_lifetime = NULL")
        bed.db("UPDATE postern.issuer SET access_token_lifetime = DEFAULT, id_token_lifetime = DEFAULT")


def test_kid_is_the_thumbprint(keys):
    """RFC 7638, SEC-KEY-02."""
    for key in keys["keys"]:
        members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[key["kty"]]
        text = "{" + ",".join(f'"{m}":"{key[m]}"' for m in members) + "}"
        assert key["kid"] == base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_signatures_differ(bed):
    """ECDSA with a nonce that repeats would give the key away."""
    signatures = [bed.machine(scope="files.read").json()["access_token"].split(".")[2] for _ in range(20)]
    assert len({s[:43] for s in signatures}) == 20
