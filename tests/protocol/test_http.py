"""The HTTP layer, the same for every endpoint: SEC-HTTP, SEC-WEB; and what only CGI can say."""

import secrets
import socket
import subprocess
import time

import pytest

from lib import fcgi, jwt, wire
from lib.bed import ENDPOINTS, basic

METADATA = ".well-known/openid-configuration"
ALL = [*ENDPOINTS, METADATA]
PAGES = ("authorize", "login", "consent", "account")
OPEN = ("token", "revoke", "userinfo", "jwks", METADATA)       # to scripts of other origins
GOOD = "grant_type=client_credentials&scope=files.read"


# --- paths: SEC-HTTP-06 --------------------------------------------------

SUFFIXES = ["/", "/x", "//", "/.", "/..", "/../token", ";x", ";", "%00", "%20", "%2f", "%2fx", "/%2e", "/%2e%2e/account", ".", "x", "%0d%0aSet-Cookie:a=b",
            "/..;/login", "\\x", "%5cx", "%3f", "*", "~"]


@pytest.mark.parametrize("name", ENDPOINTS, ids=lambda v: f"SEC-HTTP-06 {v!r}")
def test_extra_path(bed, name):
    """Anything but exactly the one path: no answer of the endpoint's."""
    for suffix in SUFFIXES if bed.how == "http" else SUFFIXES[::3]:
        target = bed.at("/" + name) + suffix
        if bed.how == "cgi" and "%00" in target:
            continue
        for method, body in (("GET", None), ("POST", GOOD)):
            answer = bed.request(method, target, [basic("t-machine")] if name == "token" else [], body)
            if answer.location == bed.issuer + "/account":
                continue        # the web server took /token/.. for the issuer's root
            assert answer.status in (301, 400, 404, 405), (method, target, answer)
            assert b"access_token" not in answer.body and b"<form" not in answer.body and b'"keys"' not in answer.body
            assert answer.get("Set-Cookie") is None
    bed.works()


@pytest.mark.front
@pytest.mark.parametrize("spelling", ["//%s", "/./%s", "/x/../%s", "/%%74oken", "/TOKEN", "/%s%%2e", "/.//%s"], ids=lambda v: f"SEC-HTTP-06 {v!r}")
def test_other_spelling_of_the_path(bed, spelling):
    """The web server may normalise; the program wants its own raw path."""
    target = bed.path + spelling.replace("%s", "token").replace("%%", "%")
    answer = bed.request("POST", target, [basic("t-machine")], GOOD)
    assert answer.status in (400, 404), (target, answer)
    assert b"access_token" not in answer.body


def test_endpoints_are_below_the_issuer_only(bed):
    if bed.path:
        for name in ENDPOINTS:
            assert bed.request("GET", "/" + name).status == 404
    for prefix in ("/auth2", "/AUTH", "/auth/auth", "/other"):
        for name in ENDPOINTS:
            assert bed.request("GET", f"{prefix}/{name}").status == 404


@pytest.mark.http
def test_absolute_form(bed):
    """RFC 9112 section 3.2.2: another host in the target changes nothing."""
    for target in ("http://evil.example" + bed.at("/jwks"), bed.issuer + "/jwks"):
        answer = bed.request("GET", target)
        assert answer.status in (200, 400, 404), answer
        assert "evil" not in answer.text


# --- methods: SEC-HTTP-07 ------------------------------------------------

ALLOWED = {"authorize": "GET, HEAD, POST", "login": "GET, HEAD, POST", "consent": "GET, HEAD, POST", "account": "GET, HEAD, POST",
           "token": "POST", "introspect": "POST", "revoke": "POST",
           "userinfo": "GET, HEAD, POST", "logout": "GET, HEAD, POST", "jwks": "GET, HEAD", METADATA: "GET, HEAD"}


@pytest.mark.front
@pytest.mark.parametrize("name", ALL, ids=lambda v: f"SEC-HTTP-07 {v!r}")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO", "get", "GETT", "GE"])
def test_method(bed, name, method):
    answer = bed.request(method, bed.at("/" + name))
    if method == "OPTIONS" and name in OPEN:
        assert answer.status == 204
        return
    assert answer.status in (400, 405, 501), answer
    if answer.get("Allow"):
        assert answer.get("Allow") == ALLOWED[name]
    elif bed.how == "cgi":
        raise AssertionError("no Allow")
    assert b"<form" not in answer.body


# --- headers of every reply ----------------------------------------------

def samples(bed, name):
    """Replies of one endpoint: good, bad, not found, wrong method."""
    path = "/" + name
    out = [bed.get(path), bed.get(path, {"unknown": "1"}), bed.request("DELETE", bed.at(path)), bed.request("GET", bed.at(path) + "/x"),
           bed.post(path, {"a": "b"}), bed.request("POST", bed.at(path), [("Content-Type", "text/plain")], "x")]
    if name == "authorize":
        out += [bed.get(path, bed.authorization()), bed.get(path, bed.authorization(response_type="x"))]
    if name == "token":
        out += [bed.machine(scope="files.read"), bed.machine("nobody")]
    return [a for a in out if a.get("X-Content-Type-Options")]     # the rest is the web server's own


@pytest.mark.parametrize("name", ALL, ids=lambda v: f"SEC-WEB-01 SEC-CONS-03 SEC-TOK-09 {v!r}")
def test_headers(bed, name):
    """SEC-WEB-01, SEC-CONS-03, SEC-TOK-09: on every reply, errors included."""
    got = samples(bed, name)
    assert len(got) >= 4
    for answer in got:
        assert answer.all("X-Content-Type-Options") == ["nosniff"]
        assert answer.all("X-Frame-Options") == ["DENY"]
        assert answer.all("Referrer-Policy") == ["no-referrer"]
        policies = answer.all("Content-Security-Policy")
        assert len(policies) == 1 and "default-src 'none'" in policies[0] and "frame-ancestors 'none'" in policies[0]
        assert "unsafe" not in policies[0] and "script-src" not in policies[0] and "*" not in policies[0]
        if not (answer.status == 200 and name in ("jwks", METADATA)):
            assert answer.all("Cache-Control") == ["no-store"], answer
        assert len(answer.all("Content-Type")) <= 1 and len(answer.all("Content-Length")) <= 1
        assert answer.get("Strict-Transport-Security") is None      # http on loopback
        assert not any("postern" in v.lower() and n.lower() in ("server", "x-powered-by") for n, v in answer.headers)
        if (answer.get("Content-Type") or "").startswith("text/html"):
            assert answer.all("Cross-Origin-Opener-Policy") == ["same-origin"]
            assert "base-uri 'none'" in policies[0] and "form-action 'self'" in policies[0] and "style-src 'sha256-" in policies[0]
            assert "<script" not in answer.text and " on" + "click" not in answer.text and "style=" not in answer.text
        if answer.status in (301, 302, 307, 308):
            raise AssertionError("a redirect that is not 303")      # SEC-HTTP-13
    if name in PAGES:
        assert any((a.get("Content-Type") or "").startswith("text/html") for a in got)


# --- CORS: SEC-HTTP-11 ---------------------------------------------------

@pytest.mark.parametrize("name", ALL, ids=lambda v: f"SEC-HTTP-11 {v!r}")
@pytest.mark.parametrize("origin", ["https://app.example", "null", "http://noteapp.localhost"])
def test_cors(bed, name, origin):
    replies = [bed.get("/" + name, headers=[("Origin", origin)]), bed.post("/" + name, {"a": "b"}, headers=[("Origin", origin)])]
    for answer in replies:
        if name in OPEN:
            assert answer.all("Access-Control-Allow-Origin") == ["*"], answer
            assert answer.all("Access-Control-Expose-Headers") == ["WWW-Authenticate"]
        else:
            assert not any(n.lower().startswith("access-control-") for n, _ in answer.headers), answer
        assert answer.get("Access-Control-Allow-Credentials") is None


@pytest.mark.parametrize("name", ALL, ids=lambda v: f"SEC-HTTP-11 {v!r}")
def test_preflight(bed, name):
    answer = bed.request("OPTIONS", bed.at("/" + name), [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST"),
                                                         ("Access-Control-Request-Headers", "authorization,content-type")])
    if name not in OPEN:
        assert answer.status in (400, 405) and not any(n.lower().startswith("access-control-") for n, _ in answer.headers), answer
        return
    assert answer.status == 204 and answer.body == b""
    assert answer.get("Access-Control-Allow-Origin") == "*"
    assert answer.get("Access-Control-Allow-Methods") == ALLOWED[name]
    allowed = answer.get("Access-Control-Allow-Headers").lower()
    assert "authorization" in allowed and "content-type" in allowed
    assert answer.get("Access-Control-Allow-Credentials") is None


def test_what_may_be_kept_is_readable_by_all(bed):
    """A cache gives the answer to one without Origin to one with it (Fetch section 3.2.5)."""
    for path in ("/jwks", "/" + METADATA):
        for headers in ([], [("Origin", "https://app.example")]):
            answer = bed.get(path, headers=headers)
            assert answer.get("Cache-Control").startswith("public") and answer.all("Access-Control-Allow-Origin") == ["*"], answer


def test_a_real_error_is_readable_across_origins(bed):
    """A script must be able to read why its code was refused."""
    answer = bed.redeem("x" * 64)
    assert answer.get("Access-Control-Allow-Origin") is None        # without Origin there is none
    answer = bed.post("/token", {"grant_type": "authorization_code", "client_id": "t-public", "code": "x"}, headers=[("Origin", "https://app.example")])
    assert answer.json()["error"] == "invalid_grant" and answer.get("Access-Control-Allow-Origin") == "*"


# --- limits: SEC-HTTP-02, SEC-HTTP-08 ------------------------------------

def test_many_headers(bed):
    """SEC-HTTP-02: 100 variables at most, the web server's own among them (Apache itself
    refuses more than 100 headers); the worker lives."""
    answer = bed.get("/jwks?not-kept", headers=[(f"X-{i}", "1") for i in range(97)])
    assert answer.status == 431, answer
    assert answer.get("Content-Type") == "application/json"
    assert bed.get("/jwks").status == 200


def test_large_headers(bed):
    answer = bed.get("/jwks", headers=[(f"X-{i}", "y" * 6000) for i in range(4)])
    assert answer.status in (200, 400, 431), answer         # web servers have limits of their own
    answer = bed.get("/jwks", headers=[("X-Large", "y" * 20_000)])
    assert answer.status in (0, 400, 413, 431), answer
    assert bed.get("/jwks").status == 200


def test_long_query(bed):
    answer = bed.get("/authorize", bed.authorization(nonce="n" * 1000, login_hint="h" * 250, unknown="u" * 3000))
    assert answer.status == 303, answer
    answer = bed.get("/authorize", bed.authorization(unknown="u" * 100_000))
    assert answer.status in (0, 400, 414, 431), answer


def raw(bed, headers, body, half_close=False):
    headers = [("Host", "localhost"), basic("t-machine"), ("Content-Type", "application/x-www-form-urlencoded"), *headers]
    return wire.parse(wire.exchange(bed.address, wire.build("POST", bed.at("/token"), headers, body), half_close, head_only=True))


LENGTHS = ["-1", "+62", " ", "abc", "0x3e", "62, 62", "62.0", "1e2", "99999999999999999999", "1000000000", "-62", "62 62"]


@pytest.mark.front
@pytest.mark.http
@pytest.mark.parametrize("value", LENGTHS, ids=lambda v: f"SEC-HTTP-08 {v!r}")
def test_content_length(bed, value):
    """SEC-HTTP-08."""
    answer = raw(bed, [("Content-Length", value)], GOOD.encode(), half_close=True)
    assert answer.status in (0, 400, 411, 413), answer
    bed.works()


@pytest.mark.http
def test_length_twice_and_both(bed):
    n = str(len(GOOD))
    for headers in ([("Content-Length", n), ("Content-Length", "5")], [("Content-Length", n), ("Transfer-Encoding", "chunked")],
                    [("Transfer-Encoding", "chunked, identity")], [("Transfer-Encoding", "xchunked")]):
        answer = raw(bed, headers, GOOD.encode(), half_close=True)
        assert answer.status in (0, 400, 411, 501), (headers, answer)
        bed.works()


@pytest.mark.http
def test_chunked(bed):
    """A body without a length before it."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (GOOD[:10].encode(), GOOD[10:].encode())) + b"0\r\n\r\n"
    answer = raw(bed, [("Transfer-Encoding", "chunked")], chunks)
    # mod_fcgid cannot be trusted with it, so conf/apache-fcgid.conf refuses it (RFC 9112 section 6.3)
    assert answer.status == (411 if bed.mode == "fcgid" else 200), answer
    for bad in (b"zz\r\nx\r\n0\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffff1\r\nx\r\n0\r\n\r\n"):
        assert raw(bed, [("Transfer-Encoding", "chunked")], bad, half_close=True).status in (0, 400, 411, 413), bad
        bed.works()


@pytest.mark.http
def test_body_shorter_than_announced(bed):
    answer = raw(bed, [("Content-Length", "100")], GOOD.encode(), half_close=True)
    # 500 is mod_fcgid's, to a client that has gone.
    assert answer.status in (0, 400, 408, *([500] if bed.mode == "fcgid" else [])), answer
    bed.works()


@pytest.mark.http
def test_body_longer_than_announced_is_not_a_second_request(bed):
    """What follows the body belongs to nobody."""
    tail = b"GET " + bed.at("/jwks").encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    headers = [("Host", "localhost"), basic("t-machine"), ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(GOOD)))]
    answer = wire.exchange(bed.address, wire.build("POST", bed.at("/token"), headers, GOOD.encode() + tail), timeout=5)
    assert answer.count(b"HTTP/1.1 ") == 1 and b'"keys"' not in answer      # we said Connection: close


@pytest.mark.http
def test_pipelined_requests_keep_their_answers(bed):
    """SEC-HTTP-12: as many replies as requests, each to its own.  (Not one of 400:
    after that a web server may close the connection, and Apache does.)"""
    of = {"/jwks": (b"200", b'"keys":'), "/" + METADATA: (b"200", b'"issuer":'), "/userinfo": (b"401", b"")}
    paths = [*of] * 4
    octets = "".join(f"GET {bed.at(path)} HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths)
    octets += f"GET {bed.at('/jwks')} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = wire.exchange(bed.address, octets.encode()).split(b"HTTP/1.1 ")[1:]
    assert len(answers) == len(paths) + 1
    for path, answer in zip([*paths, "/jwks"], answers):
        status, mark = of[path]
        assert answer.startswith(status) and mark in answer, (path, answer)


# --- what only CGI can say (SEC-HTTP-08, RFC 3875) -----------------------

def cgi(bed, body=GOOD.encode(), **extra):
    headers = [basic("t-machine"), ("Content-Type", "application/x-www-form-urlencoded")]
    return bed.run_cgi("POST", bed.at("/token"), headers, body, extra)


CGI_LENGTHS = [("", 200), (None, 200), ("-1", 200), ("0", 400), ("10", 400), ("500", 400), ("+43", 400), (" 43", 400), ("43 ", 400),
               ("0x2b", 400), ("43x", 400), ("65537", 413), ("1000000000", 413), ("99999999999999999999", 400), ("-43", 400)]


@pytest.mark.parametrize("value, status", CGI_LENGTHS, ids=[f"SEC-HTTP-08 {v!r}" for v, _ in CGI_LENGTHS])
def test_cgi_content_length(bed, value, status):
    answer = cgi(bed, CONTENT_LENGTH=value)
    assert answer.status == status, answer


def test_cgi_body_without_a_length_has_a_cap(bed):
    assert cgi(bed, b"x=" + b"y" * 70_000, CONTENT_LENGTH=None).status == 413
    assert cgi(bed, b"x=" + b"y" * 70_000, CONTENT_LENGTH="-1").status == 413


REFUSED = [("GET", "/token", {}, 405), ("POST", "/token/x", {}, 404), ("POST", "/token", {"CONTENT_TYPE": "text/plain"}, 415),
           ("POST", "/token", {"CONTENT_LENGTH": "70000"}, 413)]


@pytest.mark.parametrize("method, path, changes, status", REFUSED, ids=[str(r[3]) for r in REFUSED])
def test_cgi_reply_outlives_an_unread_body(bed, method, path, changes, status):
    """Apache's mod_cgid talks to a program over a socket.  One that ends with something
    unread in it resets the connection, and the reply is lost."""
    body = b"x" * int(changes.get("CONTENT_LENGTH", 60_000))
    environment = {**fcgi.variables(method, bed.at(path), None, body), **changes, "POSTERN_CONFIG": bed.config}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(20)
        program = subprocess.Popen([str(bed.programs / "token")], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
        theirs.close()
        ours.sendall(body)
        answer = b""
        while chunk := ours.recv(65536):        # ConnectionResetError is what must not be
            answer += chunk
        assert program.wait(20) == 0
    assert fcgi.response(answer).status == status


FORGED = {      # SEC-HTTP-03: none of these is looked at
    "HTTP_HOST": "evil.example", "SERVER_NAME": "evil.example", "SERVER_PORT": "1", "HTTPS": "on", "REQUEST_SCHEME": "https", "SCRIPT_NAME": "/evil",
    "PATH_INFO": "/evil", "PATH_TRANSLATED": "/etc/passwd", "DOCUMENT_ROOT": "/", "REMOTE_USER": "admin", "AUTH_TYPE": "Basic", "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "https", "HTTP_PROXY": "http://evil.example", "SCRIPT_FILENAME": "/evil", "REDIRECT_URL": "/evil", "LD_LIBRARY_PATH": "/evil",
    "PGHOST": "evil.example", "PGUSER": "postgres", "PGOPTIONS": "-c search_path=evil", "PGPASSFILE": "/evil", "PGSERVICEFILE": "/evil", "OPENSSL_CONF": "/evil",
    "HTTP_POSTERN_CONFIG": "/evil", "TZ": "evil", "LANG": "evil",
}


def test_cgi_environment_decides_nothing(bed):
    """SEC-HTTP-03, SEC-ISS-01."""
    answer = cgi(bed, **FORGED)
    assert answer.status == 200 and jwt.read(answer.json()["access_token"])[1]["iss"] == bed.issuer
    page = bed.run_cgi("GET", bed.at("/authorize?" + wire.form(bed.authorization())), [], None, FORGED)
    assert page.status == 303 and page.location.startswith(bed.issuer + "/login?")


def test_cgi_query_is_not_an_argument(bed):
    """RFC 3875 section 4.4: a query without '=' arrives as arguments."""
    environment = {"REQUEST_METHOD": "GET", "REQUEST_URI": bed.at("/jwks?--version"), "QUERY_STRING": "--version", "POSTERN_CONFIG": bed.config,
                   "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "127.0.0.1"}
    for arguments in (["--version"], ["--help"], ["--workers", "5"], ["-c/etc/passwd"]):
        done = subprocess.run([str(bed.programs / "jwks"), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        assert done.stdout.startswith(b"Status: 200"), done


def test_cgi_absolute_request_uri(bed):
    """Apache gives the absolute form as it came: the path in it counts."""
    answer = bed.run_cgi("GET", bed.at("/jwks"), [], None, {"REQUEST_URI": "http://evil.example" + bed.at("/jwks")})
    assert answer.status == 200 and "evil" not in answer.text
    for target in ("", "jwks", "http://evil.example", "*", bed.at("/jwks") + "/", "//" + bed.at("/jwks"), "ftp://x" + bed.at("/jwks")):
        answer = bed.run_cgi("GET", bed.at("/jwks"), [], None, {"REQUEST_URI": target})
        assert answer.status == 404, (target, answer)


def test_cgi_authorization_of_apache(bed):
    """What RewriteRule ... [E=HTTP_AUTHORIZATION] becomes after an internal redirect."""
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    answer = bed.run_cgi("POST", bed.at("/token"), headers, GOOD.encode(), {"REDIRECT_HTTP_AUTHORIZATION": basic("t-machine")[1]})
    assert answer.status == 200, answer


def test_guard_is_no_cgi_program(bed):
    environment = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/", "POSTERN_CONFIG": bed.config, "POSTERN_REQUIRE_AUDIENCE": bed.drive}
    done = subprocess.run([str(bed.programs / "guard")], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    assert done.returncode != 0 and b"Status: 200" not in done.stdout


def test_wrong_configuration_is_one_clear_line(bed, tmp_path):
    for text, words in (("databse = x\n", "line 1 has an unknown key"), ("database\n", "line 1 is not"), ("# x\ndatabase = a\ndatabase = b\n", "line 3 repeats"),
                        ("workers = x\ndatabase = a\n", "line 1 is a number"), ("", "says nothing about the database"), ("prepare = yes\n", "line 1 is on or off")):
        config = tmp_path / "postern.conf"
        config.write_text(text)
        done = subprocess.run([str(bed.programs / "jwks")], env={"REQUEST_METHOD": "GET", "REQUEST_URI": "/jwks", "POSTERN_CONFIG": str(config)},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        assert done.returncode == 78 and words in done.stderr.decode(), done
        assert len(done.stderr.decode().strip().splitlines()) == 1


def test_unknown_cookies_and_headers_are_ignored(bed):
    junk = "; ".join(f"c{i}={secrets.token_hex(8)}" for i in range(30))
    assert bed.get("/login", headers=[("Cookie", junk), ("Accept-Language", "x" * 500)]).status == 200


@pytest.mark.http
@pytest.mark.front
@pytest.mark.web("nginx", "lighttpd")
def test_slow_bodies_hold_nobody(bed):
    """SEC-DOS-01: nginx and lighttpd hand a request over when all of it is there (docs/web-servers.md
    says what to do with Apache). Else a few clients that send their bodies slowly, as many as there
    are workers, would keep everybody waiting."""
    headers = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded"), basic("t-machine")]
    octets = wire.build("POST", bed.at("/token"), headers, GOOD.encode())
    slow = [socket.create_connection(bed.address, 15) for _ in range(8)]
    try:
        for s in slow:
            s.sendall(octets[:-1])
        time.sleep(0.3)
        began = time.monotonic()
        bed.works()
        assert time.monotonic() - began < 3
        for s in slow:
            s.sendall(octets[-1:])
        assert all(b"access_token" in s.recv(65536) for s in slow)
    finally:
        for s in slow:
            s.close()
