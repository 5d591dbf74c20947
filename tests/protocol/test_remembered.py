"""Answers that are given again (lib/store/store.h, sql/0003-basis.sql): only as long as nothing that
they rest on has changed, in every process; SEC-TOK-06, CVE-2025-12624.

Each test asks so often first that every worker remembers."""

import os
import pathlib
import subprocess
import time

import pytest

from lib import jwt
from lib.bed import SECRET, basic, handle_of
from test_gate import GATES, words

pytestmark = pytest.mark.once       # no web server has a part in it

CLIENT = "t-refresh-basic"
TIMES = 6       # more than an endpoint has workers, and one of them is asked twice

MORE = [        # as GATES; {jti}: of the JWT
    ("token revoked by hand", "INSERT INTO postern.revoked_token (jti, expires_at) VALUES ('{jti}', now() + interval '1 hour')", None),
    ("token revoked by hand, of a grant", "INSERT INTO postern.revoked_token (jti, expires_at, grant_id)"
     " VALUES ('{jti}', now() + interval '1 hour', '{code}')", None),
    ("signing keys retired", "UPDATE postern.signing_key SET retired_at = now() WHERE alg = 'ES256' AND retired_at IS NULL",
     "UPDATE postern.signing_key SET retired_at = NULL WHERE retired_at > now() - interval '1 minute'"),
    ("sessions emptied", "TRUNCATE postern.session", None),
    ("consents emptied", "TRUNCATE postern.consent", None),
    ("grants emptied", "TRUNCATE postern.authorization_grant", None),
    ("grant of another person", "UPDATE postern.authorization_grant SET sub = gen_random_uuid() WHERE id = '{code}'", None),
    ("session is another row", "UPDATE postern.session SET id = gen_random_uuid() WHERE id = '{id}'", None),
    ("consent of another client", "UPDATE postern.consent SET client_id = 't-other' WHERE client_id = 't-refresh-basic'", None),
]


class Token:
    """A person's access token, and how it is asked about."""

    def __init__(self, bed, session, scope):
        self.bed = bed
        bed.consent(CLIENT)
        self.code = bed.code(session, CLIENT, scope)
        self.text = bed.redeem(self.code, CLIENT).json()["access_token"]
        self.jwt = "." in self.text

    def guard(self):
        return self.bed.call(self.text)

    def userinfo(self):
        return self.bed.get("/userinfo", headers=[("Authorization", "Bearer " + self.text)])

    def introspect(self, client=None):
        return self.bed.post("/introspect", {"token": self.text}, headers=[basic(client or ("t-drive" if self.jwt else CLIENT))])

    def is_good(self):
        assert not self.jwt or self.guard().status == 200
        assert self.userinfo().status == 200
        assert self.introspect().json()["active"]

    def is_dead(self):
        assert not self.jwt or self.guard().status == 401
        assert self.userinfo().status == 401
        told = self.introspect()
        assert told.status == 401 or told.body == b'{"active":false}', told


def warm(ask):
    for _ in range(TIMES):
        ask()


@pytest.fixture
def restored(bed):
    yield
    bed.prepare()


# An opaque token has no jti that one could write down, no signature, and a resource of its own.
JWT_ONLY = ("{jti}", "signing_key", "urn:gone")
CASES = [("openid files.read", "JWT", *g) for g in GATES + MORE] + [
    ("openid op.read", "opaque", *g) for g in GATES + MORE if not any(word in g[1] for word in JWT_ONLY)]


@pytest.mark.parametrize("sql, back, scope", [(c[3], c[4], c[0]) for c in CASES], ids=[f"SEC-TOK-06 {c[2]}, {c[1]}" for c in CASES])
def test_what_ends_a_token_ends_what_is_remembered(bed, restored, sql, back, scope):
    sql, back = (text and text.replace("t-public", CLIENT) for text in (sql, back))
    if scope == "openid op.read":
        sql = sql.replace("name = 'Drive'", "name = 'Op'")
    session = bed.session()
    token = Token(bed, session, scope)
    warm(token.is_good)
    try:
        bed.db(words(sql, id=session.id, code=handle_of(token.code).id, jti=jwt.read(token.text)[1]["jti"] if token.jwt else ""))
        warm(token.is_dead)
    finally:
        if back:
            bed.db(words(back, sub=bed.sub["grace"], drive=bed.drive))


def test_mac_key_retired(bed):
    token = Token(bed, bed.session(), "openid op.read")
    warm(token.is_good)
    bed.db("INSERT INTO postern.mac_key (tag) SELECT '\\xfe' WHERE NOT EXISTS (SELECT FROM postern.mac_key WHERE tag = '\\xfe')")
    try:
        bed.db("UPDATE postern.mac_key SET retired_at = now() WHERE tag <> '\\xfe'")
        warm(token.is_dead)
    finally:
        bed.db("UPDATE postern.mac_key SET retired_at = NULL")
        bed.db("DELETE FROM postern.mac_key WHERE tag = '\\xfe'")


@pytest.mark.parametrize("scope", ["openid files.read", "openid op.read"], ids=["JWT", "opaque"])
def test_revoked_by_its_client(bed, scope):
    """SEC-REV-01: one token, while another one of the same grant lives."""
    session = bed.session()
    token, other = Token(bed, session, scope), Token(bed, session, scope)
    warm(token.is_good)
    warm(other.is_good)
    assert bed.post("/revoke", {"token": token.text}, headers=[basic(CLIENT)]).status == 200
    warm(token.is_dead)
    warm(other.is_good)


@pytest.mark.parametrize("how", ["logout", "disconnect", "end session"])
def test_ended_by_the_person(bed, how):
    session = bed.session()
    token = Token(bed, session, "openid files.read")
    warm(token.is_good)
    arguments = {"logout": "postern.logout({}, {}, NULL, NULL, NULL, true)", "end session": "postern.account_end_session({}, {}, NULL)",
                 "disconnect": f"postern.account_disconnect({{}}, {{}}, '{CLIENT}')"}[how]
    bed.db(f"SELECT outcome FROM {arguments}", session.id, session.digest)
    warm(token.is_dead)


def test_also_where_triggers_are_off(bed):
    """As a restored dump and a subscription write: session_replication_role = replica."""
    session = bed.session()
    token = Token(bed, session, "openid files.read")
    warm(token.is_good)
    bed.admin("SET session_replication_role = replica")
    try:
        bed.admin("DELETE FROM postern.consent WHERE client_id = {}", CLIENT)
    finally:
        bed.admin("RESET session_replication_role")
    warm(token.is_dead)


def test_a_change_that_is_rolled_back_ends_nothing(bed):
    token = Token(bed, bed.session(), "openid files.read")
    warm(token.is_good)
    bed.db("DO $$ BEGIN UPDATE postern.client SET disabled_at = now(); RAISE raise_exception USING MESSAGE = 'back';"
           " EXCEPTION WHEN raise_exception THEN NULL; END $$")
    warm(token.is_good)


def test_what_is_told_follows_what_is_stored(bed, restored):
    token = Token(bed, bed.session(), "openid profile email files.read")
    warm(token.is_good)
    bed.db("UPDATE postern.account SET name = 'Grace Hopper', email_verified = true, login_name = 'Grace' WHERE login_name = 'grace'")
    for _ in range(TIMES):
        told = token.userinfo().json()
        assert (told["name"], told["email_verified"], told["preferred_username"]) == ("Grace Hopper", True, "Grace")
        assert token.introspect().json()["username"] == "Grace"
    bed.db("UPDATE postern.account SET login_name = 'grace' WHERE login_name = 'Grace'")


def test_who_may_ask_follows_what_is_stored(bed, restored):
    """SEC-INTRO-02: another resource server, another secret."""
    token = Token(bed, bed.session(), "openid files.read")
    warm(token.is_good)
    bed.db("UPDATE postern.resource SET client_id = 't-basic' WHERE client_id = 't-drive'")
    for _ in range(TIMES):
        assert token.introspect("t-drive").body == b'{"active":false}' and token.introspect("t-basic").json()["active"]
    bed.db("UPDATE postern.client SET client_secret_sha256 = sha256('another') WHERE client_id = 't-basic'")
    for _ in range(TIMES):
        assert token.introspect("t-basic").status == 401
        assert bed.post("/introspect", {"token": token.text}, headers=[basic("t-basic", "another")]).json()["active"]


def test_the_caller_is_part_of_the_question(bed):
    """What one client was told, another one is not; nor without the right secret."""
    token = Token(bed, bed.session(), "openid files.read")
    warm(token.is_good)
    for _ in range(TIMES):
        assert token.introspect("t-machine").body == b'{"active":false}'
        assert bed.post("/introspect", {"token": token.text}, headers=[basic("t-drive", SECRET[:-1])]).status == 401
        assert token.introspect().json()["active"]


def test_nothing_outlives_its_time(bed, restored):
    """The token, or the login that it was got in, whichever ends first."""
    lifetime = bed.db.value("SELECT access_token_lifetime FROM postern.resource WHERE resource = {}", bed.drive)
    long, short = bed.session(), bed.session()
    of_short = Token(bed, short, "openid files.read")
    bed.db("UPDATE postern.session SET expires_at = now() + interval '5 seconds' WHERE id = {}", short.id)
    bed.db("UPDATE postern.resource SET access_token_lifetime = '10 seconds' WHERE resource = {}", bed.drive)
    try:
        of_long = Token(bed, long, "openid files.read")
    finally:
        bed.db("UPDATE postern.resource SET access_token_lifetime = {} WHERE resource = {}", lifetime, bed.drive)
    began = time.monotonic()
    warm(of_short.is_good)
    warm(of_long.is_good)
    assert time.monotonic() - began < 4, "the machine is too slow for this test"
    time.sleep(began + 5.5 - time.monotonic())
    warm(of_short.is_dead)
    warm(of_long.is_good)
    time.sleep(began + 10.5 - time.monotonic())
    warm(of_long.is_dead)


# --- client_credentials ---------------------------------------------------

def test_machine_tokens_are_new_each_time(bed):
    """What is remembered is the decision: number, time and signature are of each token."""
    seen = set()
    for _ in range(TIMES):
        answer = bed.machine(scope="files.read").json()
        claims = jwt.read(answer["access_token"])[1]
        assert abs(claims["iat"] - time.time()) <= 2 and claims["exp"] - claims["iat"] == answer["expires_in"]
        seen.add(claims["jti"])
        time.sleep(0.4)
    assert len(seen) == TIMES


def test_opaque_machine_tokens_are_new_each_time(bed, restored):
    bed.db("UPDATE postern.client SET scope = 'op.read' WHERE client_id = 't-machine'")
    assert len({bed.machine().json()["access_token"] for _ in range(TIMES)}) == TIMES


MACHINE_CHANGES = [     # SQL on the client, and what the answer is then: an error, or the scope
    ("its secret", "UPDATE postern.client SET client_secret_sha256 = sha256('another') WHERE client_id = 't-machine'", "invalid_client"),
    ("its method", "UPDATE postern.client SET token_endpoint_auth_method = 'client_secret_post' WHERE client_id = 't-machine'", "invalid_client"),
    ("disabled", "UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-machine'", "invalid_client"),
    ("deleted", "DELETE FROM postern.client WHERE client_id = 't-machine'", "invalid_client"),
    ("its grant types", "UPDATE postern.client SET grant_types = '{{}}' WHERE client_id = 't-machine'", "unauthorized_client"),
    ("its scope", "UPDATE postern.client SET scope = 'vault.read' WHERE client_id = 't-machine'", "invalid_scope"),
    ("its grant", "UPDATE postern.authorization_grant SET revoked_at = now() WHERE client_id = 't-machine'", "unauthorized_client"),
    ("the resource", "UPDATE postern.resource SET disabled_at = now() WHERE name = 'Drive'", "invalid_scope"),
    ("the scope's resource", "UPDATE postern.scope SET resource = NULL WHERE scope = 'files.read'", "invalid_scope"),
]


@pytest.mark.parametrize("sql, error", [c[1:] for c in MACHINE_CHANGES], ids=[c[0] for c in MACHINE_CHANGES])
def test_what_a_machine_gets_follows_what_is_stored(bed, restored, sql, error):
    warm(bed.works)
    bed.db(sql)
    try:
        for _ in range(TIMES):
            answer = bed.machine(scope="files.read")
            assert answer.status in (400, 401) and answer.json()["error"] == error, answer
    finally:
        bed.db("UPDATE postern.resource SET disabled_at = NULL")
        bed.db("UPDATE postern.scope SET resource = {} WHERE scope = 'files.read'", bed.drive)
        bed.db("DELETE FROM postern.authorization_grant WHERE client_id = 't-machine'")
    bed.prepare()
    bed.works()


def test_machine_grant_that_ends(bed, restored):
    """At its time, which an administrator has set."""
    warm(bed.works)
    bed.db("UPDATE postern.authorization_grant SET expires_at = now() + interval '2 seconds' WHERE client_id = 't-machine'")
    bed.db("BEGIN")
    try:
        # Locked, so that nobody sweeps it: then it would be made anew.
        bed.db("SELECT FROM postern.authorization_grant WHERE client_id = 't-machine' FOR UPDATE")
        warm(bed.works)
        time.sleep(2.2)
        assert {bed.machine(scope="files.read").status for _ in range(TIMES)} == {400}
    finally:
        bed.db("COMMIT")
        bed.db("DELETE FROM postern.authorization_grant WHERE client_id = 't-machine'")
    bed.prepare()
    bed.works()


def test_lifetime_and_key_of_a_machine_token(bed):
    warm(bed.works)
    lifetime = bed.db.value("SELECT access_token_lifetime FROM postern.resource WHERE resource = {}", bed.drive)
    bed.db("UPDATE postern.resource SET access_token_lifetime = '77 seconds' WHERE resource = {}", bed.drive)
    try:
        assert {bed.machine(scope="files.read").json()["expires_in"] for _ in range(TIMES)} == {77}
    finally:
        bed.db("UPDATE postern.resource SET access_token_lifetime = {} WHERE resource = {}", lifetime, bed.drive)


def test_a_key_that_begins_to_sign(bed):
    """By itself, at its time, without that anything is written then."""
    old, _ = bed.signer()
    begins = time.time() + 2
    done = subprocess.run([pathlib.Path(bed.env["POSTERN_SBINDIR"]) / "postern", "key", "add", "--active-from",
                           time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(begins)), "ES256"],
                          env={**os.environ, "POSTERN_CONFIG": bed.config, "PGHOST": bed.env["PGHOST"], "PGUSER": bed.env["PGUSER"]},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    new = done.stdout.strip()

    def signed_with():
        return {jwt.read(bed.machine(scope="files.read").json()["access_token"])[0]["kid"] for _ in range(TIMES)}

    try:
        assert signed_with() == {old} or time.time() >= begins - 0.5
        time.sleep(max(0, begins + 0.2 - time.time()))
        assert signed_with() == {new}
    finally:
        bed.db("DELETE FROM postern.signing_key WHERE kid = {}", new)
    assert signed_with() == {old}


# --- that it is remembered at all -------------------------------------------

def test_an_answer_that_stands_is_not_worked_out_again(bed):
    """Without the function that knows what a token is worth: what is remembered goes on, all else gets 503; and when the
    issuer's row is touched, that does too."""
    token, other = (Token(bed, bed.session(), "openid files.read") for _ in range(2))
    for _ in range(20):
        token.guard()
    bed.admin("ALTER FUNCTION postern.presented_token RENAME TO presented_token_away")
    try:
        assert {token.guard().status for _ in range(TIMES)} == {200}
        assert {other.guard().status for _ in range(TIMES)} == {503}
        bed.db("UPDATE postern.issuer SET name = name")
        assert {token.guard().status for _ in range(TIMES)} == {503}
    finally:
        bed.admin("ALTER FUNCTION postern.presented_token_away RENAME TO presented_token")
    assert token.guard().status == other.guard().status == 200


def test_more_tokens_than_are_remembered(bed):
    tokens = [bed.machine(scope="files.read").json()["access_token"] for _ in range(700)]
    for token in tokens + tokens:
        assert bed.call(token).status == 200
    bed.db("UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 't-machine'")
    assert {bed.call(token).status for token in tokens[::7]} == {401}
