"""Expired rows leave by themselves: one request in 128 is followed by a sweep (DESIGN rule 9)."""

import os
import subprocess
import threading

import pytest

from lib import fcgi
from lib.bed import basic

GOOD = b"grant_type=client_credentials&scope=files.read"
EVERY, ROWS = 128, 200


@pytest.fixture
def expired(bed):
    """Fills in rows that have expired; they count from 0 to 999."""
    bed.db("DELETE FROM postern.revoked_token")
    bed.db("INSERT INTO postern.revoked_token SELECT n, now() - interval '1 minute' FROM generate_series(0, 999) n")
    yield lambda: int(bed.db.value("SELECT count(*) FROM postern.revoked_token"))
    bed.db("DELETE FROM postern.revoked_token")


def ask(bed, endpoint, name, times):
    for _ in range(times):
        answer = endpoint("POST", bed.at("/" + name), dict([basic("t-machine")]), GOOD)
        assert answer.status in (200, 400, 401)


def test_token_sweeps_as_it_goes(bed, expired):
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=1) as endpoint:
        ask(bed, endpoint, "token", EVERY)
        assert 1000 - expired() == ROWS
        ask(bed, endpoint, "token", EVERY)
        assert 1000 - expired() == 2 * ROWS


@pytest.mark.parametrize("name", ["introspect", "revoke", "userinfo"])
def test_others_do_not(bed, expired, name):
    with fcgi.Endpoint(bed.run, bed.programs / name, bed.config, workers=1) as endpoint:
        ask(bed, endpoint, name, EVERY + 1)
    assert expired() == 1000


def test_a_sweep_that_fails_costs_nothing(bed, expired):
    """Somebody holds the whole table: the requests are answered, the rows go later."""
    holder = subprocess.Popen(["psql", "-XqAt", "-h", bed.env["PGHOST"], "-U", bed.env["PGUSER"], "-d", "postern"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]})
    holder.stdin.write("BEGIN; LOCK TABLE postern.revoked_token; SELECT 'held';\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    release = threading.Timer(4, lambda: holder.communicate("COMMIT;\n"))
    release.start()
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=1) as endpoint:
        ask(bed, endpoint, "token", EVERY + 1)
        release.join()
        assert expired() == 1000
        ask(bed, endpoint, "token", EVERY)
    assert 1000 - expired() == ROWS
