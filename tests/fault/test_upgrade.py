"""postern migrate under load: no request is answered with an error (SEC-DB-05)."""

import pathlib
import shutil
import subprocess
import threading

import pytest

from lib.bed import SECRET, basic

SQL = pathlib.Path(__file__).resolve().parents[2] / "sql"
ROUNDS, ROUNDS_LONG = 8, 100
# A body that differs from the last one, with the same result type.
VERSION = ("CREATE OR REPLACE FUNCTION postern.jwks(OUT public_jwk text) RETURNS SETOF text"
           " LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$\n"
           "BEGIN -- {}\n"
           "    RETURN QUERY SELECT k.public_jwk::text FROM postern.signing_key k WHERE k.retired_at IS NULL ORDER BY k.created_at, k.kid;\n"
           "END\n$$;\n")


@pytest.fixture
def files(bed, tmp_path):
    yield shutil.copytree(SQL, tmp_path / "sql")
    migrate(bed, SQL)


def migrate(bed, files):
    done = subprocess.run([bed.env["POSTERN_SBINDIR"] + "/postern", "migrate", "--sql", str(files)], capture_output=True, text=True, timeout=60,
                          env={"POSTERN_CONFIG": bed.config, "PGUSER": bed.env["PGUSER"]})
    assert (done.returncode, done.stderr) == (0, "")


def requests(bed):
    """One of each kind that writes, reads, or asks several functions."""
    bed.consent("t-refresh")
    session = bed.session()
    state = bed.tokens(client_id="t-refresh", scope="openid files.read")

    def refresh():
        answer = bed.post("/token", {"grant_type": "refresh_token", "client_id": "t-refresh", "refresh_token": state["refresh_token"]})
        if answer.status == 200:
            state.update(answer.json())
        return answer

    return {
        "refresh": refresh,
        "client_credentials": lambda: bed.machine(scope="files.read"),
        "code": lambda: bed.redeem(bed.code(session, "t-refresh"), "t-refresh"),
        "introspect": lambda: bed.post("/introspect", {"token": state["access_token"]}, headers=[basic("t-drive", SECRET)]),
        "guard": lambda: bed.call(state["access_token"]),
        "account": lambda: bed.get("/account", cookie=session),
        "jwks": lambda: bed.get("/jwks"),
    }


@pytest.mark.http
def test_no_request_notices_an_upgrade(bed, files, long):
    stop, answers, lock = threading.Event(), [], threading.Lock()

    def client(name, request):
        while not stop.is_set():
            try:
                answer = request()
                seen = (name, answer.status, "" if answer.status == 200 else answer.text[:200])
            except AssertionError as problem:       # one of the requests before it
                seen = (name, 0, str(problem)[:300])
            with lock:
                answers.append(seen)

    threads = [threading.Thread(target=client, args=pair) for pair in requests(bed).items()]
    for thread in threads:
        thread.start()
    try:
        for number in range(ROUNDS_LONG if long else ROUNDS):
            (files / "functions/jwks.sql").write_text(VERSION.format(number))
            migrate(bed, files)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {name for name, _, _ in answers} == {"refresh", "client_credentials", "code", "introspect", "guard", "account", "jwks"}
    assert [answer for answer in answers if answer[1] != 200] == []
    assert len(answers) > 20 * len(threads)
