"""Metadata and key set: RFC 8414, OpenID Connect Discovery, RFC 7517; SEC-ISS."""

import pathlib
import time

import pytest

DOCUMENTS = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


def where(bed, name):
    """Below the issuer (Discovery section 4) and before its path (RFC 8414 section 3.1)."""
    return sorted({bed.path + name, name + bed.path})


@pytest.mark.parametrize("name", DOCUMENTS, ids=lambda v: f"SEC-ISS-02 {v!r}")
def test_metadata(bed, name):
    for target in where(bed, name):
        answer = bed.request("GET", target)
        assert answer.status == 200, (target, answer)
        assert answer.get("Content-Type") == "application/json"
        assert answer.get("Cache-Control") == "public, max-age=300"
        m = answer.json()
        assert m["issuer"] == bed.issuer            # byte for byte: SEC-ISS-02
        for member, path in (("authorization_endpoint", "/authorize"), ("token_endpoint", "/token"), ("jwks_uri", "/jwks")):
            assert m[member] == bed.issuer + path
        assert m["response_types_supported"] == ["code"] and m["code_challenge_methods_supported"] == ["S256"]
        assert m["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
        assert m["authorization_response_iss_parameter_supported"] is True
        assert m["request_uri_parameter_supported"] is False and m["request_parameter_supported"] is False
        assert set(m["id_token_signing_alg_values_supported"]) == {"ES256", "RS256"}
        assert {"openid", "files.read"} <= set(m["scopes_supported"]) and "none" not in m["id_token_signing_alg_values_supported"]
        assert m["subject_types_supported"] == ["public"]


def test_what_is_promised_is_there(bed):
    """Every endpoint that is named answers, and says so itself."""
    m = bed.request("GET", where(bed, DOCUMENTS[0])[0]).json()
    for name, value in m.items():
        if name.endswith(("_endpoint", "_uri")):
            answer = bed.request("GET", value[len(bed.origin):])
            assert answer.status in (200, 303, 400, 401, 405), (name, answer)


def test_metadata_follows_the_rows(bed):
    bed.db("INSERT INTO postern.scope (scope, title) VALUES ('t.new', 'New')")
    bed.public_has_changed()
    try:
        assert "t.new" in bed.request("GET", where(bed, DOCUMENTS[0])[0]).json()["scopes_supported"]
    finally:
        bed.db("DELETE FROM postern.scope WHERE scope = 't.new'")
    bed.db("UPDATE postern.resource SET disabled_at = now() WHERE name = 'Vault'")
    bed.public_has_changed()
    try:
        assert "vault.read" not in bed.request("GET", where(bed, DOCUMENTS[0])[0]).json()["scopes_supported"]
    finally:
        bed.db("UPDATE postern.resource SET disabled_at = NULL WHERE name = 'Vault'")
        bed.public_has_changed()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80@localhost", "127.0.0.1", "localhost:1"], ids=lambda v: f"SEC-ISS-01 {v!r}")
def test_host_header_changes_nothing(bed, host):
    """SEC-ISS-01, SEC-HTTP-03."""
    headers = [("Host", host), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/evil"),
               ("Forwarded", "host=evil.example"), ("X-Forwarded-Port", "1"), ("X-Original-URL", "/token"), ("X-Rewrite-URL", "/token")]
    for target in (where(bed, DOCUMENTS[0])[0], bed.at("/login"), bed.at("/authorize")):
        answer = bed.request("GET", target, headers)
        assert "evil" not in answer.text and "evil" not in str(answer.headers), answer
        if answer.status == 200 and "json" in (answer.get("Content-Type") or ""):
            assert answer.json()["issuer"] == bed.issuer


WRONG = ["/.well-known/", "/.well-known/openid-configuration/", "/.well-known/openid-configuration/x", "/.well-known/OpenID-Configuration",
         "/.well-known/other", "/.well-known/oauth-authorization-server/other", "/.well-known/openid-configuration/auth/auth"]


@pytest.mark.parametrize("target", WRONG, ids=lambda v: f"SEC-HTTP-06 {v!r}")
def test_other_documents(bed, target):
    answer = bed.request("GET", bed.path + target)
    assert answer.status == 404, answer


def test_issuer_with_path_has_none_at_the_root(bed):
    """RFC 8414 section 3.1: https://host/.well-known/... would be another issuer."""
    if bed.path:
        for name in DOCUMENTS:
            assert bed.request("GET", name).status == 404


def test_keys(bed):
    """RFC 7517, SEC-KEY-02."""
    answer = bed.get("/jwks")
    assert answer.status == 200 and answer.get("Content-Type") == "application/jwk-set+json"
    keys = answer.json()["keys"]
    assert {k["alg"] for k in keys} == {"ES256", "RS256"}
    for key in keys:
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}, "a private member"
        assert set(key) <= {"kty", "kid", "alg", "use", "crv", "x", "y", "n", "e", "key_ops"}
        assert key["use"] == "sig"


def test_retired_key_leaves(bed):
    kid = bed.db.value("SELECT kid FROM postern.signing_key WHERE alg = 'RS256'")
    bed.db("UPDATE postern.signing_key SET retired_at = now() WHERE kid = {}", kid)
    bed.public_has_changed()
    try:
        assert kid not in bed.get("/jwks").text
        assert bed.request("GET", where(bed, DOCUMENTS[0])[0]).json()["id_token_signing_alg_values_supported"] == ["ES256"]
    finally:
        bed.db("UPDATE postern.signing_key SET retired_at = NULL WHERE kid = {}", kid)
        bed.public_has_changed()


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
def test_head(bed, path):
    got, head = bed.get(path), bed.request("HEAD", bed.at(path))
    assert head.status == 200 and head.body == b""
    if bed.web != "apache" or bed.how == "cgi":     # since CVE-2024-24795 Apache believes no program's Content-Length
        assert head.get("Content-Length") == str(len(got.body))
    assert head.get("Content-Type") == got.get("Content-Type")


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"], ids=lambda v: f"SEC-HTTP-07 {v!r}")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_methods(bed, path, method):
    answer = bed.request(method, bed.at(path), [], "" if method == "POST" else None)
    assert answer.status == 405 and answer.get("Allow") == "GET, HEAD", answer
    assert answer.get("Cache-Control") == "no-store"


def test_a_query_is_not_answered_from_the_cache(bed):
    """Whatever a web server keeps, it keeps for the plain path: a query gets Postern's own answer, and changes nothing for others."""
    for path in (bed.at("/jwks"), where(bed, DOCUMENTS[0])[0]):
        plain = bed.request("GET", path)
        assert plain.status == 200
        for query in ("?x=1", "?x=%00", "?" + "x" * 500):
            once, again = bed.request("GET", path + query), bed.request("GET", path + query)
            assert once.status == again.status
            assert once.status == 200 or once.get("Cache-Control") != plain.get("Cache-Control"), once
        assert bed.request("GET", path).body == plain.body


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
def test_what_is_refused_is_not_kept(bed, path):
    """An error for one request is not the next one's answer, nor is the answer to another method or path."""
    for method in ("POST", "DELETE", "OPTIONS"):
        bed.request(method, bed.at(path), [], "" if method == "POST" else None)
        assert bed.get(path).status == 200
    assert bed.request("HEAD", bed.at(path)).body == b""
    assert bed.get(path).body != b""
    escaped = bed.at(path)[:-1] + "%" + path[-1].encode().hex()
    assert bed.request("GET", escaped).status != 200        # the raw path is another one
    assert bed.get(path).status == 200
    bed.request("GET", bed.at(path), [("Range", "bytes=0-4")])
    assert bed.get(path).status == 200


@pytest.mark.web("nginx")
def test_a_burst_is_one_request_to_postern(bed):
    """conf/nginx.conf keeps what is public, for less than two seconds."""
    log = pathlib.Path(bed.env["DEMO_LOGDIR"], "endpoints.log")

    def asked():
        return sum(" program=jwks " in line for line in log.read_text().splitlines())

    bed.public_has_changed()
    before = asked()
    began = time.monotonic()
    assert len({bed.get("/jwks").body for _ in range(100)}) == 1
    seconds = time.monotonic() - began
    assert 1 <= asked() - before <= 2 + seconds, (before, asked(), seconds)
    bed.public_has_changed()
    before = asked()
    bed.get("/jwks")
    assert asked() == before + 1
