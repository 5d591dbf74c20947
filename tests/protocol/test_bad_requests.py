"""Every endpoint, every parameter, every way of being malformed: SEC-PARAM, SEC-HTTP.
What was asked wrongly is refused in the endpoint's own way; the same request, put right,
is answered the next moment."""

import re

import pytest

from lib import endpoints, wire
from lib.demo import ROOT

PAIRS = [(e, p) for e, table in endpoints.LIMITS.items() for p in table]


@pytest.fixture(scope="module")
def good(bed):
    return endpoints.of(bed)


def rows(requirement, pairs=PAIRS):
    """A row for each parameter on one bed, for the first one of each endpoint on all: web
    servers do not look into bodies."""
    first = dict(reversed(pairs))
    return [pytest.param(e, p, id=f"{requirement} {e} {p}", marks=[] if first[e] == p else pytest.mark.once) for e, p in pairs]


def named(requirement, names):
    return [pytest.param(n, id=f"{requirement} {n}") for n in names]


def test_every_parameter_of_every_program_is_here():
    """The tables of these tests are those of the programs."""
    for name, table in endpoints.LIMITS.items():
        source = (ROOT / f"cgi-bin/{name}.c").read_text()
        body = re.search(r"parameters\[P__COUNT\] = \{\n(.*?)\n\};", source, re.S)[1]
        words = {"TRAVEL_AFTER": "postern_after", "TRAVEL_CONSENT": "postern_consent"}
        assert {words.get(w, w.strip('"')) for w in re.findall(r"\] = \{ (\"\w+\"|\w+),", body)} == set(table), name


# --- repeated ------------------------------------------------------------

@pytest.mark.parametrize("name, parameter", rows("SEC-PARAM-01", [p for p in PAIRS if p not in endpoints.LISTS]))
def test_repeated(good, name, parameter):
    """RFC 6749 sections 3.1 and 3.2; also empty, also under another spelling of the name."""
    endpoint = good[name]
    value = endpoint.parameters.get(parameter, "x")
    rest = {n: v for n, v in endpoint.parameters.items() if n != parameter}
    encoded = "".join(f"%{ord(c):02x}" for c in parameter)
    first = wire.form({parameter: value})
    for second in (first, parameter + "=", parameter, encoded + "=" + first.partition("=")[2], parameter + "=%zz"):
        for both in (first + "&" + second, second + "&" + first):
            endpoint.is_refused(endpoint.send_text(wire.form(rest) + "&" + both), parameter)
    endpoint.works()


# --- empty and unknown ---------------------------------------------------

OPTIONAL = [(e, p) for e, p in PAIRS if (e, p) not in {
    ("authorize", p) for p in ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")
} | {("login", "username"), ("login", "password"), ("login", "csrf"), ("consent", "request"), ("consent", "csrf"), ("consent", "decision"),
     ("account", "action"), ("account", "csrf"), ("account", "client_id"), ("token", "grant_type"), ("token", "scope"), ("introspect", "token"),
     ("revoke", "token"), ("userinfo", "access_token"), ("logout", "client_id"), ("logout", "post_logout_redirect_uri"), ("logout", "state")}]


@pytest.mark.parametrize("name, parameter", rows("SEC-PARAM-02", OPTIONAL))
def test_empty_is_absent(good, name, parameter):
    answer = good[name].send(**{parameter: ""})
    assert good[name].is_good(answer), answer


@pytest.mark.parametrize("name", named("SEC-PARAM-03", endpoints.FORMS))
def test_unknown_parameters(bed, good, name):
    """Ignored, and neither echoed nor stored."""
    endpoint = good[name]
    extra = {n: "canary-of-a-test" for n in ("unknown", "sub", "iss", "role", "is_admin", "__proto__", "x[y]", "ä", "Scope", "client_id ", "", "a.b")}
    answer = endpoint.send(**extra)
    assert endpoint.is_good(answer), answer
    assert b"canary" not in answer.body and "canary" not in str(answer.headers)
    assert bed.db.value("SELECT count(*) FROM postern.authorization_request r WHERE r::text LIKE '%canary%'") == "0"


# --- encoding ------------------------------------------------------------

BROKEN = ["%", "%4", "%zz", "%g0", "%00", "a%00b", "%c0%af", "%c0%80", "%80", "%ed%a0%80", "%f4%90%80%80", "%e2%82", "%e9", "a\0b", "\udce9"]


@pytest.mark.parametrize("name, parameter", rows("SEC-PARAM-04"))
def test_encoding(good, name, parameter):
    """Bad percent-encoding, NUL, and what is not UTF-8."""
    endpoint = good[name]
    rest = wire.form({n: v for n, v in endpoint.parameters.items() if n != parameter})
    for value in BROKEN:
        text = (rest + "&" + parameter + "=" + value).encode("utf-8", "surrogateescape")
        endpoint.is_refused(endpoint.send_text(text), parameter)
    endpoint.works()


@pytest.mark.parametrize("name", named("SEC-PARAM-04", endpoints.FORMS))
def test_encoding_elsewhere(good, name):
    """In the name of a parameter, in one that nobody knows, in too many of them."""
    endpoint = good[name]
    for tail in ("%zz=1", "a%00b=1", "%c0%af=1", "unknown=%zz", "unknown=%00", "&".join(f"n{i}=1" for i in range(100))):
        endpoint.is_refused(endpoint.send_text(wire.form(endpoint.parameters) + "&" + tail))
    endpoint.works()


@pytest.mark.parametrize("name, parameter", rows("SEC-HTTP-09"))
def test_no_octet_makes_a_header(good, name, parameter):
    """CR, LF and other controls in a value never become a line of the reply."""
    endpoint = good[name]
    value = endpoint.parameters.get(parameter, "x")
    for tail in ("\r\nX-Injected: yes", "\nX-Injected: yes", "\rX-Injected: yes", "\r\n\r\n<script>", "\u2028X-Injected: yes", "\x1b[31m", "\x7f"):
        answer = endpoint.send(**{parameter: value + tail})
        assert answer.status in (200, 303, 400, 401, 403), (tail, answer)
        assert answer.get("X-Injected") is None and not answer.body.startswith(b"<script>"), (tail, answer)
        assert not re.search(r"[\x00-\x1f\x7f]", answer.location or ""), (tail, answer)
    endpoint.works()


PAGES = [p for p in PAIRS if p[0] in ("authorize", "login", "consent", "account", "logout")]


@pytest.mark.parametrize("name, parameter", rows("SEC-WEB-02 CVE-2019-8400 CVE-2026-33525", PAGES))
def test_nothing_is_reflected(good, name, parameter):
    """Error texts are ours; what a page repeats of a request is escaped."""
    endpoint = good[name]
    for value in ("\"><svg onload=canary()>", "'><script>canary()</script>", "javascript:canary()", "</style><script>canary()//"):
        answer = endpoint.send(**{parameter: value})
        assert answer.status in (200, 303, 400, 403), answer
        for raw in ("<svg", "<script"):
            assert raw not in answer.text, (value, answer)
        assert "<" not in (answer.location or "") and '"' not in (answer.location or ""), answer
    endpoint.works()


# --- length --------------------------------------------------------------

SMALL = [(e, p) for e, p in PAIRS if endpoints.LIMITS[e][p] < 65536]
TOO_LONG = "a parameter is too long"


@pytest.mark.parametrize("name, parameter", rows("SEC-PARAM-06", SMALL))
def test_length(good, name, parameter):
    """One octet more than allowed is refused, and never cut; the limit itself is read."""
    endpoint, limit = good[name], endpoints.LIMITS[name][parameter]
    for n in (limit + 1, limit + 2, 4 * limit if limit < 9000 else limit + 100):
        endpoint.is_refused(endpoint.send(**{parameter: "x" * n}), parameter)
    if (name, parameter) not in (("login", "username"), ("login", "password")):      # there an attempt begins
        answer = endpoint.send(**{parameter: "x" * limit})
        assert TOO_LONG.replace(" ", "%20") not in (answer.location or "") and TOO_LONG not in answer.text, answer
        if (name, parameter) == ("authorize", "state"):
            assert answer.status == 303 and "state=" + "x" * limit in answer.location
    endpoint.works()


def test_length_counts_decoded_octets(good):
    """SEC-PARAM-06: an escape is one octet, a letter beyond ASCII is two."""
    authorize = good["authorize"]
    text = wire.form({**authorize.parameters, "nonce": ""})
    assert authorize.is_good(authorize.send_text(text.replace("nonce=", "nonce=" + "%78" * 1024)))
    authorize.is_refused(authorize.send(nonce="é" * 513), "nonce")
    assert authorize.is_good(authorize.send(nonce="é" * 512))


# --- body, media type, method --------------------------------------------

LENGTHS = ["-1", "+62", " ", "abc", "0x3e", "62, 62", "62.0", "1e2", "99999999999999999999", "1000000000", "65537", "-62", "62 62", ""]


@pytest.mark.http
@pytest.mark.parametrize("name", named("SEC-HTTP-08", endpoints.FORMS))
def test_content_length(bed, good, name):
    """Not digits, or more than the cap: refused by the web server or by us."""
    endpoint = good[name]
    body = wire.form(endpoint.parameters).encode()
    base = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded"), *endpoint.headers]
    for value in LENGTHS:
        octets = wire.build("POST", bed.at(endpoint.path), [*base, ("Content-Length", value)], body)
        answer = wire.parse(wire.exchange(bed.address, octets, half_close=True, head_only=True))
        assert answer.status in (0, 400, 401, 411, 413), (value, answer)
    for n in (len(body) + 1, len(body) + 1000):          # announced, and never sent
        octets = wire.build("POST", bed.at(endpoint.path), [*base, ("Content-Length", str(n))], body)
        answer = wire.parse(wire.exchange(bed.address, octets, half_close=True, head_only=True))
        assert answer.status in (0, 400, 408, *([500] if bed.mode == "fcgid" else [])), (n, answer)
    endpoint.works()


@pytest.mark.parametrize("name", named("SEC-HTTP-08", endpoints.FORMS))
def test_body_that_is_too_large(good, name):
    endpoint = good[name]
    answer = endpoint.send_text(wire.form(endpoint.parameters) + "&unknown=" + "y" * 65536)
    assert answer.status == 413, answer
    answer = endpoint.send_text(wire.form(endpoint.parameters) + "&unknown=" + "y" * 2_000_000)
    assert answer.status in (413, 0), answer            # 0: the web server closed while we were sending
    endpoint.works()


TYPES = ["", "application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=iso-8859-1",
         "application/x-www-form-urlencodedx", "application/x-www-form-urlencoded, text/plain", "application/x-www-form-urlencoded; a=b", "application",
         "application/x-www-form-urlencoded;", "*/*", "application/x-www-form-urlencoded\u00e9"]


@pytest.mark.parametrize("name", named("SEC-HTTP-10", endpoints.FORMS))
def test_media_type(good, name):
    endpoint = good[name]
    for value in TYPES:
        answer = endpoint.send(headers=[("Content-Type", value)])
        assert answer.status in (400, 415), (value, answer)
        assert answer.status == 415 or (answer.get("X-Frame-Options") is None and "\u00e9" in value), (value, answer)
    endpoint.works()


METHODS = ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FOO", "post", "get", "POST2", "GETT"]


@pytest.mark.parametrize("name", named("SEC-HTTP-07", [n for n in endpoints.ALL if n != "guard"]))
def test_method(bed, good, name):
    """Compared exactly.  A web server may refuse some of them itself."""
    endpoint = good[name]
    body = wire.form(endpoint.parameters) if name in endpoints.FORMS else None
    for method in METHODS:
        answer = bed.request(method, bed.at(endpoint.path), endpoint.headers, body)
        assert answer.status in (0, 400, 405, 501), (method, answer)
    endpoint.works()


@pytest.mark.parametrize("name", named("SEC-HTTP-07", ["token", "introspect", "revoke"]))
def test_only_by_post(bed, good, name):
    """Nothing is read from a query: neither the request nor the credentials."""
    endpoint = good[name]
    query = wire.form(endpoint.parameters)
    for method in ("GET", "HEAD"):
        answer = bed.request(method, bed.at(endpoint.path) + "?" + query, endpoint.headers)
        assert answer.status == 405 and answer.get("Allow") == "POST", answer
    endpoint.is_refused(bed.request("POST", bed.at(endpoint.path) + "?" + query, endpoint.headers, ""))
    secret = wire.form({"client_id": "t-post", "client_secret": endpoints.SECRET})
    answer = bed.request("POST", bed.at(endpoint.path) + "?" + secret, [], query)
    assert answer.status == 401 and answer.json()["error"] == "invalid_client", answer
    endpoint.works()


def made_by_forms(bed):
    return bed.stored("session", "consent", "api_key", "login_throttle") | bed.stored("authorization_request", where="decision IS NOT NULL")


@pytest.mark.parametrize("name", named("SEC-HTTP-07", ["login", "consent", "account", "logout"]))
def test_nothing_is_changed_by_get(bed, good, name):
    """A form in a query is a visit, not an action."""
    endpoint = good[name]
    bed.consent("t-other")      # something to lose
    made, ended, lasting = made_by_forms(bed), bed.ended(), bed.stored("consent", "api_key")
    query = wire.form({**endpoint.parameters, "password": bed.password, "decision": "allow", "action": "sign_out"})
    answer = bed.request("GET", bed.at(endpoint.path) + "?" + query, endpoint.headers)
    assert answer.status in (200, 303, 400), answer
    assert "postern_session" not in str(answer.all("Set-Cookie")) or name == "logout"
    assert made_by_forms(bed) <= made and bed.ended() <= ended
    assert bed.stored("consent", "api_key") == lasting, "nobody sweeps these"
    endpoint.works()


@pytest.mark.http
@pytest.mark.parametrize("name", named("SEC-HTTP-12", endpoints.FORMS))
def test_one_reply_for_one_request(bed, good, name):
    """Good and bad requests by turns on one connection: as many replies, each to its own."""
    endpoint = good[name]
    base = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded"), *endpoint.headers]
    lines = "".join(f"{n}: {v}\r\n" for n, v in base)
    octets, body = b"", wire.form(endpoint.parameters)
    for text in (body + "&unknown=%zz", "x" * 100, body + "&unknown=%00") * 2:
        octets += f"POST {bed.at(endpoint.path)} HTTP/1.1\r\n{lines}Content-Length: {len(text)}\r\n\r\n{text}".encode()
    octets += f"GET {bed.at('/jwks')} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = wire.exchange(bed.address, octets)
    heads = re.findall(rb"HTTP/1\.1 (\d+)", answer)
    if bed.web == "apache":         # ends the connection with the first 400, and reads nothing after it
        assert heads.index(b"400") == len(heads) - 1 and b"Connection: close" in answer and b'"keys"' not in answer, heads
    else:
        assert len(heads) == 7 and heads[-1] == b"200" and answer.count(b'"keys"') == 1, heads
    endpoint.works()
