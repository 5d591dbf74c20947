"""Crash-only: workers and the database die, service comes back by itself; DESIGN rule 10,
SEC-REL-02, G-15; graceful stop."""

import os
import signal
import threading
import time

import pytest

from lib import demo, fcgi, wire
from lib.bed import CB, VERIFIER, basic, handle_of
from lib.site import Cluster

GOOD = b"grant_type=client_credentials&scope=files.read"


@pytest.fixture
def token(bed):
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=2) as endpoint:
        assert ask(bed, endpoint).status == 200
        yield endpoint


def ask(bed, endpoint):
    return endpoint("POST", bed.at("/token"), dict([basic("t-machine")]), GOOD)


def back_within(bed, endpoint, seconds):
    """Until it serves again: only 503, or a connection that broke, before that."""
    began = time.monotonic()
    while (answer := ask(bed, endpoint)).status != 200:
        assert answer.status in (0, 503), answer
        assert time.monotonic() - began < seconds, f"not back after {seconds} seconds: {answer}"
        time.sleep(0.02)
    return time.monotonic() - began


def is_unavailable(answer):
    assert answer.status == 503 and answer.json()["error"] == "temporarily_unavailable", answer
    assert answer.get("Retry-After") and answer.get("Cache-Control") == "no-store"


# With sanitizers a SIGSEGV is reported as a bug, wherever it comes from.
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGTERM] + ([] if demo.SANITIZED else [signal.SIGSEGV]))
def test_worker_dies(bed, token, number):
    """G-15: the next request within a second."""
    for _ in range(3):
        for pid in token.workers():
            os.kill(pid, number)
        assert back_within(bed, token, 2) < 1.5
    assert token.process.poll() is None


def test_one_worker_dies_under_load(bed, token):
    """Those of the others are not touched."""
    answers, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            answers.append(ask(bed, token).status)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(0.15)
        for pid in token.workers()[:1]:
            os.kill(pid, signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 0}, set(answers)
    assert answers.count(0) <= 5 and answers.count(200) > 20, (answers.count(0), len(answers))


def backends(bed, role):
    return [int(r[0]) for r in bed.admin("SELECT pid FROM pg_stat_activity WHERE usename = {}", role)]


def test_connection_is_cut(bed, token):
    """A worker whose connection died leaves before it takes a request: nobody gets a 503."""
    for _ in range(3):
        bed.admin("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usename = 'postern_token'")
        assert [ask(bed, token).status for _ in range(10)] == [200] * 10


def test_database_refuses(bed, token):
    """503 while there is no database, service within 5 seconds after it is back."""
    bed.admin("ALTER ROLE postern_token NOLOGIN")
    try:
        bed.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postern_token'")
        time.sleep(0.2)
        seen = [ask(bed, token) for _ in range(20)]
        assert any(a.status == 503 for a in seen)
        for answer in seen:
            if answer.status:
                is_unavailable(answer)
        time.sleep(2.5)         # long enough for the longest back-off
    finally:
        bed.admin("ALTER ROLE postern_token LOGIN")
    back_within(bed, token, 5)


def test_pages_say_so_too(bed):
    """A person sees a page, a machine JSON; nothing is lost."""
    bed.admin("ALTER ROLE postern_login NOLOGIN")
    try:
        with fcgi.Endpoint(bed.run, bed.programs / "login", bed.config, workers=1) as login:
            answer = login("GET", bed.at("/login"))
            assert answer.status == 503 and answer.get("Content-Type").startswith("text/html") and answer.get("Retry-After"), answer
            assert "frame-ancestors 'none'" in answer.get("Content-Security-Policy")
            assert answer.get("Set-Cookie") is None
            assert login("POST", bed.at("/login"), {"Origin": "null"}, b"username=grace&password=x&csrf=y").status == 503
    finally:
        bed.admin("ALTER ROLE postern_login LOGIN")


def test_guard_is_closed_without_a_database(bed):
    """An outage refuses, it does not let pass."""
    token = bed.machine(scope="files.read").json()["access_token"]
    with fcgi.Endpoint(bed.run, bed.programs / "guard", bed.config, workers=1) as guard:
        def check():
            return guard("GET", "/x", {"Authorization": "Bearer " + token}, extra={"POSTERN_REQUIRE_AUDIENCE": bed.drive})
        assert check().status == 200
        bed.admin("ALTER ROLE postern_guard NOLOGIN")
        try:
            bed.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postern_guard'")
            for _ in range(10):
                answer = check()
                assert answer.status in (0, 503) and not any(n.startswith("Variable-") for n, _ in answer.headers), answer
        finally:
            bed.admin("ALTER ROLE postern_guard LOGIN")
        end = time.monotonic() + 5
        while check().status != 200:
            assert time.monotonic() < end


def blocked(bed, code):
    """Another transaction holds the grant of a code; returns what lets it go."""
    holder = type(bed.admin)(bed.env["PGHOST"], "postgres")
    holder("BEGIN")
    holder("SELECT 1 FROM postern.authorization_grant WHERE id = {} FOR UPDATE", handle_of(code).id)

    def release():
        holder("ROLLBACK")
        holder.close()
    return release


def redemption(bed, code):
    body = wire.form({"grant_type": "authorization_code", "client_id": "t-public", "code": code, "redirect_uri": CB, "code_verifier": VERIFIER}).encode()
    return fcgi.request(fcgi.variables("POST", bed.at("/token"), {}, body), body)


def in_hand(bed, endpoint):
    """A redemption that waits inside the worker for a lock: (socket, release)."""
    bed.consent("t-public")
    code = bed.code(bed.session())
    release = blocked(bed, code)
    s = endpoint.connect(10)
    s.sendall(redemption(bed, code))
    time.sleep(0.3)
    return s, release, code


def reply(s):
    with s:
        return fcgi.response(b"".join(c for k, c in fcgi.records(fcgi.read_to_end(s)) if k == fcgi.STDOUT))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_graceful_stop(bed, token, number):
    """The request in hand is finished; then the parent ends with 0."""
    s, release, _ = in_hand(bed, token)
    os.kill(token.process.pid, number)
    time.sleep(0.3)
    assert token.process.poll() is None         # it waits for the worker
    release()
    assert reply(s).status == 200
    assert token.process.wait(3) == 0


def test_stop_when_idle_is_quick(bed, token):
    began = time.monotonic()
    assert token.stop() == 0
    assert time.monotonic() - began < 1


def test_workers_do_not_outlive_their_parent(bed, token):
    pids = token.workers()
    os.kill(token.process.pid, signal.SIGKILL)
    token.process.wait()
    end = time.monotonic() + 3
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < end, "workers without a parent"
        time.sleep(0.02)


def test_lock_timeout_is_503_and_nothing_is_lost(bed, token):
    """The database is slow: an answer within seconds; the code is not burnt."""
    s, release, code = in_hand(bed, token)
    began = time.monotonic()
    is_unavailable(reply(s))
    assert time.monotonic() - began < 4
    release()
    assert bed.redeem(code).status == 200


def test_killed_while_redeeming(bed, token):
    """No acknowledgement without a commit: after the crash the code is still good, or it
    was used and the client must ask again; never two tokens."""
    s, release, code = in_hand(bed, token)
    for pid in token.workers():
        os.kill(pid, signal.SIGKILL)
    assert reply(s).status == 0
    release()
    time.sleep(0.3)
    redeemed = bed.db.value("SELECT redeemed_at IS NOT NULL FROM postern.authorization_grant WHERE id = {}", handle_of(code).id)
    assert bed.redeem(code).status == (400 if redeemed == "t" else 200)


def test_postgresql_is_killed(bed, long):
    """kill -9 of everything that is PostgreSQL: 503 meanwhile, then service by itself
    (test_kill.py: under load)."""
    with Cluster(bed) as cluster, fcgi.Endpoint(bed.run, bed.programs / "token", cluster.config, workers=2) as token:
        assert ask(bed, token).status == 200, token.log.read_text()
        for _ in range(10 if long else 1):
            cluster.kill()
            end = time.monotonic() + 3
            while (answer := ask(bed, token)).status != 503:
                assert answer.status == 0 and time.monotonic() < end, answer
            is_unavailable(answer)
            cluster.start()
            back_within(bed, token, 5)
