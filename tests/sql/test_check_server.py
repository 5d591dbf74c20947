"""postern check, the running web server: an nginx of the test's own stands before the programs
of the bed, each time with another mistake."""

import contextlib
import http.server
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from cluster import SQL, environment, findings, postern_bin

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib import fcgi  # noqa: E402
from lib.demo import free_port, read_env  # noqa: E402

BED = pathlib.Path(os.environ["POSTERN_BED"])
ENV = read_env(BED)


def check(*words, before=(), **more):
    """What is found, but for what the bed is: a trial, with clients of tests."""
    done = subprocess.run([*before, postern_bin(), "check", "--sql", str(SQL), *words], text=True, capture_output=True, timeout=120,
                          env=environment(POSTERN_CONFIG=ENV["POSTERN_CONFIG"], PGUSER=ENV["PGUSER"], **more))
    return [f for f in findings(done) if f.check not in ("issuer", "clients")]


def bad(found):
    return [f for f in found if f.level != "ok"]


class Nginx:
    """The bed's configuration on another port, changed."""

    def __init__(self, directory, change):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = (BED / "nginx.conf").read_text()
        for old, new in ((f"127.0.0.1:{ENV['PORT']};", f"127.0.0.1:{self.port};"), (f"127.0.0.1:{ENV['PORT']} ", f"127.0.0.1:{self.port} "),
                         (f"{ENV['DEMO_RUNDIR']}/nginx.pid", f"{directory}/nginx.pid"), (f"{BED}/tmp", str(directory)), (f"{ENV['DEMO_LOGDIR']}/nginx.log", f"{directory}/nginx.log")):
            assert old in text
            text = text.replace(old, new)
        changed = change(text)
        assert changed != text
        (directory / "nginx.conf").write_text(changed)
        directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
        self.process = subprocess.Popen(["nginx", "-e", f"{directory}/nginx.log", "-g", directives, "-c", f"{directory}/nginx.conf"],
                                        env={"PATH": os.environ["PATH"] + ":/usr/sbin"}, stderr=subprocess.DEVNULL)

    def __enter__(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            time.sleep(0.02)
        raise AssertionError("nginx did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def replaced(old, new):
    return lambda text: re.sub(old, lambda _: new, text, flags=re.M)


def at(path, directives):
    """The location of an endpoint, with something else in it."""
    return replaced(rf"^\s*location = {path}\s*\{{[^}}]*\}}", f"location = {path} {{ {directives} }}")


def everywhere(directive):
    return replaced(r"^\s*fastcgi_keep_conn off;", f"fastcgi_keep_conn off; {directive}")


# check, what the finding says, the mistake
MISTAKES = [
    ("authorization", "the header Authorization (Bearer) does not reach", everywhere('fastcgi_param HTTP_AUTHORIZATION "";')),
    ("authorization", "the header Authorization (Basic) does not reach", everywhere('fastcgi_param HTTP_AUTHORIZATION "";')),
    ("query", "the query does not reach the program", replaced(r"QUERY_STRING\s+\$query_string", 'QUERY_STRING ""')),
    ("endpoints", "POST /token: the web server has no program there (404)", at("/token", "return 404;")),
    ("endpoints", "POST /revoke: the web server has no program there (405)", at("/revoke", "return 405;")),
    ("endpoints", "GET /login: the web server has no program there (403)", at("/login", "return 403;")),
    ("endpoints", "POST /token: a program of Postern answers there, but not token", replaced(r"token\.sock", "revoke.sock")),
    ("endpoints", "GET /account: the web server gets no answer from account (502)", replaced(r"account\.sock", "nobody.sock")),
    ("endpoints", "GET /consent: is redirected to https://elsewhere.example/consent (301)", at("/consent", "return 301 https://elsewhere.example/consent;")),
    ("endpoints", "GET /logout: the answer is not logout's (200, text/plain", at("/logout", 'default_type text/plain; return 200 "It works!";')),
    ("endpoints", "POST /introspect: the answer is not introspect's", everywhere("fastcgi_pass_request_body off;")),
    ("metadata", "GET /.well-known/oauth-authorization-server: there is no metadata (404)",
     replaced(r"location ~ \^\(\)\?/\\\.well-known/ \{", "location = /.well-known/openid-configuration {")),
    ("metadata", "the issuer is https://other.example there",
     replaced(r"location ~ \^\(\)\?/\\\.well-known/ \{", 'location /.well-known/ { return 200 \'{"issuer":"https://other.example"}\'; } location /none/ {')),
    ("metadata", "there is no metadata (200)", replaced(r"location ~ \^\(\)\?/\\\.well-known/ \{", 'location /.well-known/ { return 200 "<html>"; } location /none/ {')),
    ("published keys", "is not published", at("/jwks", 'default_type application/jwk-set+json; return 200 \'{"keys":[{"kid":"other"}]}\';')),
    *(("headers", f"GET /login: the header {name} is lost", everywhere(f"fastcgi_hide_header {name};")) for name in
      ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control", "Set-Cookie")),
    ("headers", "POST /token: the header Cache-Control is lost", everywhere("fastcgi_hide_header Cache-Control;")),
    ("headers", "GET /userinfo: the header WWW-Authenticate is lost", everywhere("fastcgi_hide_header WWW-Authenticate;")),
    ("headers", "POST /token: the header WWW-Authenticate is lost", everywhere("fastcgi_hide_header WWW-Authenticate;")),
    ("headers", "GET /jwks: the header Access-Control-Allow-Origin is lost", everywhere("fastcgi_hide_header Access-Control-Allow-Origin;")),
    ("headers", "OPTIONS /token: the header Access-Control-Allow-Headers", everywhere("fastcgi_hide_header Access-Control-Allow-Headers;")),
    ("headers", 'GET /login: the header X-Frame-Options is "SAMEORIGIN", not "DENY"', everywhere("fastcgi_hide_header X-Frame-Options; add_header X-Frame-Options SAMEORIGIN;")),
    ("exposure", "GET /postern.conf: the web server gives the file away", replaced(r"^\s*location = /token ", 'location = /postern.conf { return 200 "database = x"; } location = /token ')),
]


@pytest.mark.parametrize("name, says, mistake", MISTAKES, ids=[f"{row[0]}-{row[1][:50]}" for row in MISTAKES])
def test_mistake(name, says, mistake, tmp_path):
    with Nginx(tmp_path, mistake) as nginx:
        found = check("--url", nginx.url)
    said = [f for f in found if f.check == name and says in f.text]
    assert {f.level for f in said} == {"error"} and all(f.hint for f in said), bad(found)


def test_no_mistake(tmp_path):
    """The same web server without one; and the bed itself, at the issuer's own URL."""
    with Nginx(tmp_path, lambda text: text + "\n") as nginx:
        assert bad(check("--url", nginx.url)) == []
    assert bad(check()) == []


def test_program_without_its_database(tmp_path):
    config = tmp_path / "postern.conf"
    config.write_text(pathlib.Path(ENV["POSTERN_CONFIG"]).read_text().replace("dbname=postern", "dbname=nothing"))
    with fcgi.Endpoint(ENV["DEMO_RUNDIR"], ENV["POSTERN_LIBEXECDIR"] + "/userinfo", config) as endpoint:
        with Nginx(tmp_path, replaced(re.escape(f"{ENV['DEMO_RUNDIR']}/userinfo.sock"), endpoint.path)) as nginx:
            found = bad(check("--url", nginx.url))
    assert [f.text for f in found if f.check == "endpoints"] == ["GET /userinfo: userinfo runs but cannot use the database (503)"]


def test_nothing_more_is_said_of_programs_that_do_not_run(tmp_path):
    """What the web server answers itself tells nothing about what it would pass on."""
    with Nginx(tmp_path, replaced(r"\b\w+\.sock", "nobody.sock")) as nginx:
        assert {f.check for f in bad(check("--url", nginx.url))} & {"endpoints", "authorization", "query"} == {"endpoints"}


@pytest.mark.parametrize("url, says", [
    (f"http://127.0.0.1:{free_port()}", "connect"), (f"https://127.0.0.1:{ENV['PORT']}", "SSL"), ("http://nobody.invalid", "resolve"),
    ("127.0.0.1", "--url is"), ("ftp://127.0.0.1", "--url is"), ("http://127.0.0.1/auth", "--url is"), ("http://u:p@127.0.0.1", "--url is"), ("", "--url is"),
])
def test_no_web_server(url, says):
    found = [f for f in check("--url", url) if f.check == "server"]
    assert [f.level for f in found] == ["error"] and says in found[0].text and found[0].hint


@contextlib.contextmanager
def another_server(date):
    """One that has nothing to do with Postern, but a clock."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_OPTIONS = do_GET

        def date_time_string(self, timestamp=None):
            return date() or super().date_time_string(timestamp)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("ahead, level, says", [
    (0, "ok", r"the clocks agree"), (20, "warning", r"the web server is (19|20|21) seconds ahead of"), (-20, "warning", r"the web server is (19|20|21) seconds behind"),
    (3600, "error", r"the web server is (3599|3600|3601) seconds ahead of"),
])
def test_clock_of_the_web_server(ahead, level, says):
    with another_server(lambda: time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + ahead))) as url:
        found = [f for f in check("--url", url) if f.check == "clocks"]
    assert [f.level for f in found] == [level] and re.search(says, found[0].text), found


def test_clock_of_this_machine():
    """Then the database and the web server are both wrong, by as much."""
    found = [f for f in check(before=["faketime", "-f", "-90s"]) if f.check == "clocks"]
    assert [f.level for f in found] == ["error", "error"]
    assert re.search("the database is (89|90|91) seconds ahead", found[0].text) and "the web server" in found[1].text


def test_a_server_that_is_another_program():
    with another_server(lambda: None) as url:
        found = bad(check("--url", url))
    assert {f.check for f in found} == {"endpoints", "metadata", "published keys", "authorization", "query", "headers", "exposure"}
