"""The issuer's row is changed under running workers: none of them calls a token of the new
issuer foreign, or says that it has revoked what it has not (SEC-REV-03)."""

import time

import pytest

from lib import jwt
from lib.bed import basic
from lib.site import Site

PATIENCE_SECONDS = 10


def ask_until_right(ask, right, wrong):
    """503 is honest; any other wrong answer is not."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not right(answer := ask()):
        assert answer.status == 503 and not wrong(answer), answer
        assert time.monotonic() < end, "no worker has read the issuer anew"


@pytest.fixture(scope="module")
def site(bed):
    with Site(bed) as site:
        port = site.bed.env["PORT"]
        site.bed.db("UPDATE postern.issuer SET url = {}", f"http://127.0.0.1:{port}")
        yield site


def token(bed):
    bed.consent("t-public")
    return bed.redeem(bed.code(bed.session())).json()["access_token"]


def test_revoke(site):
    """Of an access token, by each worker that there was."""
    bed = site.bed
    for _ in range(8):
        given = token(bed)
        ask_until_right(lambda: bed.post("/revoke", {"token": given, "client_id": "t-public"}), lambda a: a.status == 200, lambda a: a.status < 500)
        assert bed.db.value("SELECT count(*) FROM postern.revoked_token WHERE jti = {}", jwt.read(given)[1]["jti"]) == "1"


def test_introspect(site):
    bed, given = site.bed, token(site.bed)
    for _ in range(8):
        ask_until_right(lambda: bed.post("/introspect", {"token": given}, headers=[basic("t-drive")]), lambda a: a.status == 200 and a.json()["active"],
                        lambda a: a.status < 500)


def test_userinfo_and_guard(site):
    bed, given = site.bed, token(site.bed)
    for _ in range(8):
        ask_until_right(lambda: bed.get("/userinfo", headers=[("Authorization", "Bearer " + given)]), lambda a: a.status == 200, lambda a: a.status == 401)
        ask_until_right(lambda: bed.call(given), lambda a: a.status == 200, lambda a: a.status == 401)
