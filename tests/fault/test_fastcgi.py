"""FastCGI at its worst: kept connections with unread bodies, broken records, stalled and
vanishing peers; security.md sections 2.1 and 2.3; SEC-HTTP-01, -02, -05, -08, -12."""

import pathlib
import socket
import struct
import subprocess
import time

import pytest

from lib import demo, fcgi, wire
from lib.bed import basic

GOOD = b"grant_type=client_credentials&scope=files.read"


@pytest.fixture(scope="module")
def token(bed):
    """token with one worker, on a socket of the test's own."""
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=1) as endpoint:
        yield endpoint


def good(bed, endpoint):
    return endpoint("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD)


def works(bed, endpoint, within=1.0):
    """The next good request is answered, and soon."""
    began = time.monotonic()
    answer = good(bed, endpoint)
    while answer.status != 200 and time.monotonic() - began < within:
        answer = good(bed, endpoint)
    assert answer.status == 200, answer
    assert time.monotonic() - began < within


# --- an unread body must not become a request: security.md section 2.1 ---

def smuggled(bed):
    """Records of a request that a body could carry, with variables of the client's choice."""
    names = fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD)
    names.update({"REMOTE_USER": "admin", "HTTPS": "on", "REMOTE_ADDR": "6.6.6.6"})
    return fcgi.request(names, GOOD, flags=fcgi.KEEP_CONNECTION)


REFUSALS = [    # requests that are answered before their body is read
    ("wrong path", {"REQUEST_URI": "/other"}), ("wrong method", {"REQUEST_METHOD": "PUT"}), ("wrong type", {"CONTENT_TYPE": "text/plain"}),
    ("too long", {"CONTENT_LENGTH": "1000000"}), ("not a length", {"CONTENT_LENGTH": "x"}), ("no length", {"CONTENT_LENGTH": ""}),
    ("shorter than the body", {"CONTENT_LENGTH": "10"}), ("zero", {"CONTENT_LENGTH": "0"}), ("GET with a body", {"REQUEST_METHOD": "GET"}),
]


@pytest.mark.parametrize("different", [d for _, d in REFUSALS], ids=["SEC-HTTP-01 " + n for n, _ in REFUSALS])
def test_kept_connection_is_closed(bed, token, different):
    """A front server that asks to keep the connection gets one answer, then the end."""
    tail = smuggled(bed)
    before = token.requests_logged()
    for filler in (0, 1, 7, 8000, 8192, 9000):
        body = b"x" * filler + tail
        names = fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), body)
        names.update(different)
        octets = token.raw(fcgi.request(names, body, flags=fcgi.KEEP_CONNECTION) + tail, timeout=3)
        ends = [c for k, c in fcgi.records(octets) if k == fcgi.END]
        assert len(ends) <= 1 and octets.count(b"Status: ") <= 1, octets
        assert b"access_token" not in octets
    works(bed, token)
    assert token.requests_logged() == before + 6 + 1
    assert "6.6.6.6" not in token.log.read_text()


def test_one_request_for_one_connection(bed, token):
    """Two complete requests in a row on one connection: the first counts."""
    before = token.requests_logged()
    octets = token.raw(smuggled(bed) + smuggled(bed), timeout=3)
    assert octets.count(b"Status: ") == 1 and octets.count(b"access_token") == 1
    works(bed, token)
    assert token.requests_logged() == before + 2


def test_behind_nginx_with_kept_connections(bed, tmp_path, long):
    """SEC-HTTP-01: fastcgi_keep_conn on, keepalive 1, bodies with records at every offset
    that could be the end of libfcgi's buffer."""
    directory = pathlib.Path(bed.run) / f"keep-{time.monotonic_ns() % 10**9}"
    directory.mkdir()
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=2) as endpoint:
        port = demo.free_port()
        config = directory / "nginx.conf"
        config.write_text(f"""
            daemon off; pid {directory}/pid; error_log {directory}/log;
            events {{ worker_connections 256; }}
            http {{
                access_log off; client_max_body_size 1m;
                {" ".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
                upstream endpoint {{ server unix:{endpoint.path}; keepalive 1; }}
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        fastcgi_keep_conn on; fastcgi_request_buffering off;
                        fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;
                        fastcgi_param QUERY_STRING $query_string; fastcgi_param CONTENT_TYPE $content_type;
                        fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param REMOTE_ADDR $remote_addr;
                        fastcgi_pass endpoint;
                    }}
                }}
            }}""")
        as_root = ["-g", "user root;"] if pathlib.Path("/proc/self").stat().st_uid == 0 else []
        nginx = subprocess.Popen(["nginx", "-e", str(directory / "log"), "-c", str(config), *as_root],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            address, end = ("127.0.0.1", port), time.monotonic() + 5
            while time.monotonic() < end:
                try:
                    socket.create_connection(address, 1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            tail, sent, good_ones = smuggled(bed), 0, 0
            headers = [("Host", "localhost"), basic("t-machine")]
            for offset in range(7000, 8400, 1 if long else 40):
                for media_type, target in (("text/plain", bed.at("/token")), ("application/x-www-form-urlencoded", "/nothing")):
                    body = (b"x" * offset + tail).ljust(65_000, b"\0")
                    answer = wire.parse(wire.exchange(address, wire.build("POST", target, [*headers, ("Content-Type", media_type)], body)))
                    sent += 1
                    assert answer.status in (404, 415, 502), answer
                    good_answer = wire.parse(wire.exchange(address, wire.build(
                        "POST", bed.at("/token"), [*headers, ("Content-Type", "application/x-www-form-urlencoded")], GOOD)))
                    sent += 1
                    # 502: nginx has taken a connection that the endpoint was closing, as it should.
                    assert good_answer.status in (200, 502), good_answer
                    good_ones += good_answer.status == 200
                    assert good_answer.body.count(b"access_token") == (good_answer.status == 200)
            time.sleep(0.1)
            assert good_ones > 0
            assert endpoint.requests_logged() <= sent
            assert endpoint.log.read_text().count("status=200") <= sent // 2
            works(bed, endpoint)
        finally:
            nginx.terminate()
            nginx.wait(10)
            subprocess.run(["rm", "-rf", str(directory)], check=True)


# --- the body is read exactly: SEC-HTTP-08 -------------------------------

LENGTHS = [("46", 200), ("", 200), ("-1", 200), ("45", 400), ("47", 400), ("0", 400), ("1e1", 400), ("+46", 400), (" 46", 400),
           ("046", 200), ("99999999999999999999999", 400), ("1000000000", 413), ("65537", 413), ("-46", 400), ("46,46", 400)]


@pytest.mark.parametrize("value, status", LENGTHS)
def test_content_length(bed, token, value, status):
    assert len(GOOD) == 46
    names = fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD)
    names["CONTENT_LENGTH"] = value
    answer = fcgi.response(b"".join(c for k, c in fcgi.records(token.raw(fcgi.request(names, GOOD))) if k == fcgi.STDOUT))
    if status == 400 and value == "45":
        assert answer.status in (200, 400)      # the body as announced is a good request by itself: scope=files.rea
        assert b"access_token" not in answer.body
    else:
        assert answer.status == status, answer
    works(bed, token)


# --- variables: SEC-HTTP-02, SEC-HTTP-05 ---------------------------------

def ask(endpoint, pairs, body=GOOD):
    return fcgi.response(b"".join(c for k, c in fcgi.records(endpoint.raw(fcgi.request(pairs, body))) if k == fcgi.STDOUT))


TWICE = ["HTTP_AUTHORIZATION", "CONTENT_TYPE", "CONTENT_LENGTH", "REQUEST_METHOD", "REQUEST_URI", "QUERY_STRING", "HTTP_COOKIE",
         "POSTERN_REQUIRE_SCOPE", "POSTERN_REQUIRE_AUDIENCE", "REMOTE_ADDR"]


@pytest.mark.parametrize("name", TWICE)
def test_variable_twice(bed, token, name):
    names = fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD)
    names.setdefault(name, "x")
    names[name] = names[name] or "x"
    for second in (names[name], "other"):
        answer = ask(token, [*names.items(), (name, second)])
        assert answer.status == 400, answer
    works(bed, token)


VARIABLES = [
    ("101 variables", lambda n: [*n.items(), *((f"HTTP_X_{i}", "1") for i in range(101))], 431),
    ("20000 variables", lambda n: [*n.items(), *((f"HTTP_X_{i}", "1") for i in range(20_000))], 431),
    ("one of 8193", lambda n: [*n.items(), ("HTTP_X", "y" * 8193)], 431),
    ("one of a megabyte", lambda n: [*n.items(), ("HTTP_X", "y" * 1_000_000)], 431),
    ("70000 octets together", lambda n: [*n.items(), *((f"HTTP_X_{i}", "y" * 7000) for i in range(10))], 431),
    ("none at all", lambda n: [], 405),
    ("empty names", lambda n: [*n.items(), ("", ""), ("", "x")], 200),
    ("a name that holds =", lambda n: [*n.items(), ("REMOTE_USER=x", "admin")], 200),
    ("a name that overrides by =", lambda n: [*n.items(), ("REQUEST_METHOD=GET", "x")], 400),
    ("lower case", lambda n: [*n.items(), ("request_method", "GET"), ("http_authorization", "x")], 200),
    ("NUL in a value", lambda n: [*n.items(), ("HTTP_X", "a\0b")], 200),
    ("NUL in a name", lambda n: [*n.items(), ("HTTP_\0X", "a")], 200),
]


@pytest.mark.parametrize("change, status", [v[1:] for v in VARIABLES], ids=["SEC-HTTP-02 " + v[0] for v in VARIABLES])
def test_variables(bed, token, change, status):
    names = fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD)
    answer = ask(token, change(names))
    assert answer.status in (status, 0), answer        # 0: libfcgi gave up; the worker is another then
    if status == 200:
        assert answer.status == 200
    works(bed, token)


# --- octets that are no requests: security.md section 2.3 ----------------

HUGE = struct.pack("!II", 0x7FFFFFFE | 0x80000000, 0x7FFFFFFE | 0x80000000)
BROKEN = [
    ("nothing", b""), ("one octet", b"\1"), ("seven octets", b"\1\1\0\1\0\10\0"), ("version 0", b"\0" * 16), ("version 255", b"\xff" * 64),
    ("HTTP", b"GET /token HTTP/1.1\r\nHost: x\r\n\r\n"), ("zeros", bytes(4096)), ("ones", b"\1" * 4096),
    ("CVE-2025-23016 24 octets", fcgi.begin() + fcgi.record(fcgi.PARAMS, HUGE)),
    ("a name of 2 GiB", fcgi.begin() + fcgi.record(fcgi.PARAMS, struct.pack("!I", 0xFFFFFFFF) + b"\0")),
    ("a gigabyte announced", fcgi.begin() + fcgi.record(fcgi.PARAMS, struct.pack("!II", 0x40000000 | 0x80000000, 1))),
    ("params end at once", fcgi.begin() + fcgi.record(fcgi.PARAMS)),
    ("params without begin", fcgi.record(fcgi.PARAMS, b"\1\1ab")), ("stdin first", fcgi.record(fcgi.STDIN, b"x")),
    ("begin twice", fcgi.begin() + fcgi.begin()), ("abort", fcgi.begin() + fcgi.record(fcgi.ABORT)),
    ("unknown role", fcgi.begin(role=9) + fcgi.stream(fcgi.PARAMS, b"")), ("filter role", fcgi.begin(role=3) + fcgi.stream(fcgi.PARAMS, b"")),
    ("unknown type", fcgi.record(99, b"x" * 100)), ("get values", fcgi.record(9, fcgi.pair("FCGI_MAX_CONNS", ""), 0)),
    ("cut in a pair", fcgi.begin() + fcgi.stream(fcgi.PARAMS, b"\5\5ab")), ("cut in a length", fcgi.begin() + fcgi.stream(fcgi.PARAMS, b"\x80\0")),
    ("begin of the wrong size", fcgi.record(fcgi.BEGIN, b"\0\1")), ("request id 0", fcgi.record(fcgi.BEGIN, struct.pack("!HB5x", 1, 0), 0)),
    ("other request id", fcgi.begin() + fcgi.record(fcgi.PARAMS, b"\1\1ab", 2)),
]


@pytest.mark.parametrize("octets", [o for _, o in BROKEN], ids=["SEC-HTTP-02 " + n for n, _ in BROKEN])
def test_broken_records(bed, token, octets):
    """The worker lives or is another within a second; nothing is answered with a token."""
    answer = token.raw(octets, timeout=5)
    assert b"access_token" not in answer
    works(bed, token)


def test_mutated_requests(bed, token, long):
    """A good request with one octet changed, at every place of its first records."""
    whole = fcgi.request(fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD), GOOD)
    for i in range(0, 64, 1 if long else 4):
        for value in (0, 0x7f, 0x80, 0xff):
            token.raw(whole[:i] + bytes([value]) + whole[i + 1:], timeout=5)
    works(bed, token, 3)


def test_cut_requests(bed, token, long):
    whole = fcgi.request(fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD), GOOD)
    complete = len(whole) - 8       # without the empty record behind the body, whose length was announced
    for n in (*range(0, complete, 5 if long else 40), complete - 1):
        assert b"access_token" not in token.raw(whole[:n], timeout=5)
    for n in range(complete, len(whole) + 1):
        assert b"access_token" in token.raw(whole[:n], timeout=5)
    works(bed, token)


def test_peer_that_goes_away(bed, token):
    """It closes before it has read the answer."""
    whole = fcgi.request(fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD), GOOD)
    for _ in range(20):
        s = token.connect()
        s.sendall(whole)
        s.close()
    works(bed, token)


def test_stalled_peers_do_not_hold_every_worker_for_ever(bed, long):
    """security.md section 2.3: a peer that sends one octet; other workers serve on, and
    the stalled one is free again after its deadline (with --long)."""
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=2) as endpoint:
        works(bed, endpoint)
        stalled = endpoint.connect()
        stalled.sendall(b"\1")
        time.sleep(0.1)
        works(bed, endpoint)
        if long:
            second = endpoint.connect()
            second.sendall(b"\1")
            time.sleep(21)
            works(bed, endpoint, 2)
            second.close()
        stalled.close()


def test_fault_is_one_line_in_the_log(bed, token):
    """SEC-LOG-01: control characters cannot make a second line."""
    before = len(token.log.read_text().splitlines())
    token("POST", bed.at("/token"), {}, wire.form({"grant_type": "client_credentials", "client_id": "a b\"=x status=200"}).encode())
    lines = token.log.read_text().splitlines()[before:]
    assert len(lines) == 1 and lines[0].count(" status=401") == 1 and 'client_id="a b' in lines[0].replace("\\", ""), lines


# --- guard as an authorizer ----------------------------------------------

def test_guard_without_an_audience_is_closed(bed):
    """A path whose demand was forgotten gives 503, not 200."""
    token = bed.machine(scope="files.read").json()["access_token"]
    with fcgi.Endpoint(bed.run, bed.programs / "guard", bed.config, workers=1) as guard:
        def check(extra, **headers):
            return guard("GET", "/x", headers, extra=extra, role=fcgi.AUTHORIZER)
        bearer = {"Authorization": "Bearer " + token}
        assert check({}, **bearer).status == 503
        assert check({"POSTERN_REQUIRE_AUDIENCE": ""}, **bearer).status == 503
        assert check({"POSTERN_REQUIRE_AUDIENCE": bed.drive}, **bearer).status == 200       # no scope demanded
        assert check({"POSTERN_REQUIRE_AUDIENCE": bed.drive}).status == 401
        assert check({"POSTERN_REQUIRE_AUDIENCE": bed.drive + "/"}, **bearer).status == 401
        assert check({"HTTP_POSTERN_REQUIRE_AUDIENCE": bed.drive}, **bearer).status == 503
        for scope, status in (("files.read", 200), ("  files.read  ", 200), ("files.read files.write", 403), (" ", 200), ("x", 403)):
            assert check({"POSTERN_REQUIRE_AUDIENCE": bed.drive, "POSTERN_REQUIRE_SCOPE": scope}, **bearer).status == status, scope
        answer = check({"POSTERN_REQUIRE_AUDIENCE": bed.drive}, **bearer)
        assert {n for n, _ in answer.headers if n.startswith("Variable-")} == {
            "Variable-POSTERN_SUBJECT", "Variable-POSTERN_CLIENT_ID", "Variable-POSTERN_SCOPE"}
        preflight = guard("OPTIONS", "/x", {"Origin": "https://x", "Access-Control-Request-Method": "GET"}, extra={"POSTERN_REQUIRE_AUDIENCE": bed.drive})
        assert preflight.status == 200 and not any(n.startswith("Variable-") for n, _ in preflight.headers)
        for headers in ({"Origin": "https://x"}, {"Access-Control-Request-Method": "GET"},
                        {"Origin": "https://x", "Access-Control-Request-Method": "GET", "Authorization": "Bearer x"}):
            assert guard("OPTIONS", "/x", headers, extra={"POSTERN_REQUIRE_AUDIENCE": bed.drive}).status == 401
