"""Every allocation that fails, in every endpoint: security.md section 5.2, G-09.

A scenario is one good request.  It is made again and again, each time to a fresh worker
in which the Nth allocation since the connection was accepted fails: the first, the
second, and so on until none does.  The reply is the good one or 503, or none because
libfcgi or json-c, which do not look at everything that malloc gives them, have died; and
what the database holds afterwards agrees with what was acknowledged."""

import base64
import errno
import hashlib
import re
import secrets
import uuid

import pytest

from lib import demo, failing, fcgi, wire
from lib.bed import CB, VERIFIER, Handle, basic, handle_of
from lib.demo import BUILD

SHORT_STEPS = 5             # of each scenario, spread over all N; with --long every N
SHORT_BROKEN = SHORT_OTHERWISE = 2
LONG_STEPS = 40
ORIGIN = {"Origin": "null"}


@pytest.fixture(scope="module")
def faulty(bed):
    failing_bed = failing.Failing(bed)
    yield failing_bed
    failing_bed.close()


# --- scenarios: yield a request, get the reply, compare with the database ----

SCENARIOS = {}


def scenario(program, good=200):
    """A generator (program, the good status); the first yield is the request."""
    def register(function):
        SCENARIOS[function.__name__.strip("_")] = (program, good, function)
        return function
    return register


def cookie(session):
    return {"Cookie": "postern_session=" + session.text}


def form_value(purpose, handle):
    """The csrf value of a form (oauth/browser.h)."""
    digest = hashlib.sha256(f"form {purpose} ".encode() + handle.octets).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def post(path, parameters, headers=None):
    return {"method": "POST", "path": path, "headers": headers or {}, "body": wire.form(parameters).encode()}


def get(path, parameters=None, headers=None):
    return {"method": "GET", "path": path + ("?" + wire.form(parameters) if parameters else ""), "headers": headers or {}}


def lives(bed, token, client="t-drive"):
    return bed.post("/introspect", {"token": token}, headers=[basic(client)]).json()["active"]


def redemption(bed, scope, client="t-refresh"):
    """The ledger of a code: used once at most, and used if it was acknowledged."""
    bed.consent(client)
    code = bed.code(bed.session(), client, scope)
    answer = yield post("/token", {"grant_type": "authorization_code", "client_id": client, "code": code, "redirect_uri": CB, "code_verifier": VERIFIER})
    used = bed.db.value("SELECT redeemed_at IS NOT NULL FROM postern.authorization_grant WHERE id = {}", handle_of(code).id) == "t"
    if answer.status == 200:
        assert used and answer.json()["access_token"] and ("openid" not in scope or answer.json()["id_token"])
        assert lives(bed, answer.json()["access_token"], "t-refresh-basic" if client == "t-refresh-basic" else "t-drive") or "op.read" in scope
    assert bed.redeem(code, client).status == (400 if used else 200)


@scenario("token")
def redeem(bed):
    yield from redemption(bed, "openid files.read")


@scenario("token")
def redeem_opaque(bed):
    yield from redemption(bed, "op.read")


@scenario("token")
def refresh(bed):
    """Whatever became of the reply, the successor is the same."""
    first = bed.tokens(client_id="t-refresh")
    parameters = {"grant_type": "refresh_token", "client_id": "t-refresh", "refresh_token": first["refresh_token"]}
    answer = yield post("/token", parameters)
    again = bed.post("/token", parameters)
    assert again.status == 200, again
    if answer.status == 200:
        assert answer.json()["refresh_token"] == again.json()["refresh_token"]
        assert lives(bed, answer.json()["access_token"])
    assert bed.post("/token", {**parameters, "refresh_token": again.json()["refresh_token"]}).status == 200


@scenario("token")
def client_credentials(bed):
    answer = yield post("/token", {"grant_type": "client_credentials", "scope": "files.read"}, dict([basic("t-machine")]))
    if answer.status == 200:
        assert lives(bed, answer.json()["access_token"])


@scenario("revoke")
def revoke_access_token(bed):
    token = bed.tokens(client_id="t-refresh")["access_token"]
    answer = yield post("/revoke", {"client_id": "t-refresh", "token": token})
    assert answer.status != 200 or not lives(bed, token)


@scenario("revoke")
def revoke_refresh_token(bed):
    tokens = bed.tokens(client_id="t-refresh")
    answer = yield post("/revoke", {"client_id": "t-refresh", "token": tokens["refresh_token"]})
    assert answer.status != 200 or not lives(bed, tokens["access_token"])


class Kept:
    """What scenarios that change nothing need only once."""
    token = None


def kept_token(bed):
    if Kept.token is None or not lives(bed, Kept.token):
        Kept.token = bed.tokens(bed.session("alan"), "t-basic", "openid profile email files.read") if bed.consent("t-basic", "alan") is None else None
        Kept.token = Kept.token["access_token"]
    return Kept.token


@scenario("introspect")
def introspect(bed):
    answer = yield post("/introspect", {"token": kept_token(bed)}, dict([basic("t-drive")]))
    assert answer.status != 200 or answer.json()["active"] is True, "a live token was called dead"


@scenario("userinfo")
def userinfo(bed):
    answer = yield get("/userinfo", headers={"Authorization": "Bearer " + kept_token(bed)})
    assert answer.status != 200 or answer.json()["sub"] == bed.sub["alan"]


@scenario("guard")
def guard(bed):
    answer = yield {**get("/x", headers={"Authorization": "Bearer " + kept_token(bed)}), "role": fcgi.AUTHORIZER,
                    "extra": {"POSTERN_REQUIRE_AUDIENCE": bed.drive, "POSTERN_REQUIRE_SCOPE": "files.read"}}
    assert answer.status != 200 or answer.get("Variable-POSTERN_SUBJECT") == bed.sub["alan"]


@scenario("guard", 401)
def guard_forged_token(bed):
    """A token that is wrong never passes because memory is out."""
    answer = yield {**get("/x", headers={"Authorization": "Bearer " + kept_token(bed)[:-8] + "AAAAAAAA"}), "role": fcgi.AUTHORIZER,
                    "extra": {"POSTERN_REQUIRE_AUDIENCE": bed.drive}}
    assert answer.status != 200 and answer.get("Variable-POSTERN_SUBJECT") is None


@scenario("authorize", 303)
def authorize_code(bed):
    bed.consent("t-public")
    answer = yield get("/authorize", bed.authorization(), cookie(bed.session()))
    if answer.status == 303:
        assert answer.location.startswith(CB), answer
        assert bed.redeem(answer.query()["code"]).status == 200, "a code that the database does not know"


@scenario("authorize", 303)
def authorize_asks_for_consent(bed):
    bed.forget_consents()
    session = bed.session()
    answer = yield get("/authorize", bed.authorization(), cookie(session))
    if answer.status == 303:
        assert answer.location.startswith(bed.issuer + "/consent?"), answer
        assert bed.get("/consent", answer.query(), session).status == 200


@scenario("authorize", 303)
def authorize_asks_for_login(bed):
    answer = yield get("/authorize", bed.authorization())
    assert answer.status != 303 or answer.location.startswith(bed.issuer + "/login?"), answer


@scenario("login")
def login_page(bed):
    answer = yield get("/login", bed.authorization())
    assert answer.status != 200 or b"password" in answer.body and answer.get("Set-Cookie")


def login_form(bed, password):
    bed.unthrottle()
    browser = Handle()
    return post("/login", {"username": "grace", "password": password, "csrf": form_value("login", browser), "request": ""},
                {"Cookie": "postern_browser=" + browser.text, **ORIGIN})


@scenario("login", 303)
def login(bed):
    """A right password is never called wrong; who is let in has a session."""
    answer = yield login_form(bed, bed.password)
    if answer.status == 303:
        session = re.search(r"postern_session=([\w-]{64})", " ".join(answer.all("Set-Cookie")))[1]
        assert bed.get("/account", cookie=handle_of(session)).status == 200


@scenario("login", 403)
def login_wrong_password(bed):
    answer = yield login_form(bed, "wrong")
    assert answer.status != 303 and "postern_session" not in str(answer.all("Set-Cookie"))
    bed.unthrottle()


def asked(bed):
    """(session, request handle) of somebody who is asked for consent."""
    bed.forget_consents()
    session = bed.session()
    return session, handle_of(bed.get("/authorize", bed.authorization(), session).query()["request"])


def consents(bed):
    return bed.db.value("SELECT count(*) FROM postern.consent WHERE client_id = 't-public'")


@scenario("consent")
def consent_page(bed):
    session, request = asked(bed)
    answer = yield get("/consent", {"request": request.text}, cookie(session))
    assert answer.status != 200 or b"decision" in answer.body


@scenario("consent", 303)
def consent_allow(bed):
    session, request = asked(bed)
    answer = yield post("/consent", {"request": request.text, "csrf": form_value("consent", session), "decision": "allow"}, {**cookie(session), **ORIGIN})
    assert consents(bed) in ("0", "1")
    if answer.status == 303:
        assert consents(bed) == "1" and "code" in bed.get("/authorize", bed.authorization(), session).query()


@scenario("consent", 303)
def consent_deny(bed):
    session, request = asked(bed)
    yield post("/consent", {"request": request.text, "csrf": form_value("consent", session), "decision": "deny"}, {**cookie(session), **ORIGIN})
    assert consents(bed) == "0"


@scenario("account")
def account_page(bed):
    answer = yield get("/account", headers=cookie(bed.session()))
    assert answer.status != 200 or b"Grace" in answer.body


@scenario("account", 303)
def account_disconnect(bed):
    session = bed.session()
    token = bed.tokens(session)["access_token"]
    answer = yield post("/account", {"action": "disconnect", "client_id": "t-public", "csrf": form_value("account", session)}, {**cookie(session), **ORIGIN})
    assert answer.status != 303 or not lives(bed, token)


@scenario("account")
def account_make_key(bed):
    session, name = bed.session(), "script " + secrets.token_hex(8)
    answer = yield post("/account", [("action", "make_key"), ("key", str(uuid.uuid4())), ("name", name), ("days", "7"), ("scope", "files.read"), ("csrf", form_value("account", session))],
                        {**cookie(session), **ORIGIN})
    if answer.status == 200:
        assert bed.call(re.search(r"postern_key_[\w-]{64}", answer.text)[0]).status == 200
    assert int(bed.db.value("SELECT count(*) FROM postern.api_key WHERE name = {}", name)) <= 1
    bed.db("DELETE FROM postern.api_key")


@scenario("account")
def account_sign_out(bed):
    session = bed.session()
    answer = yield post("/account", {"action": "sign_out", "csrf": form_value("account", session)}, {**cookie(session), **ORIGIN})
    assert answer.status != 200 or bed.get("/account", cookie=session).status == 303


@scenario("logout")
def logout_confirmed(bed):
    session = bed.session()
    answer = yield post("/logout", {"csrf": form_value("logout", session)}, {**cookie(session), **ORIGIN})
    assert answer.status != 200 or bed.get("/account", cookie=session).status == 303


@scenario("logout", 303)
def logout_with_hint(bed):
    session = bed.session()
    tokens = bed.tokens(session, "t-refresh")
    answer = yield get("/logout", {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://app.example/out?keep=1"}, cookie(session))
    assert answer.status != 303 or not lives(bed, tokens["access_token"])


@scenario("jwks")
def jwks(bed):
    answer = yield get("/jwks")
    assert answer.status != 200 or len(answer.json()["keys"]) >= 2


@scenario("metadata")
def metadata(bed):
    answer = yield get("/.well-known/openid-configuration")
    assert answer.status != 200 or answer.json()["issuer"] == bed.issuer


# --- one run, and all of them --------------------------------------------

class Found(Exception):
    pass


def send(bed, endpoint, request):
    path = request["path"] if request.get("role") else bed.at(request["path"])
    try:
        return endpoint(request["method"], path, request["headers"], request.get("body", b""), extra=request.get("extra"),
                        role=request.get("role", fcgi.RESPONDER))
    except ConnectionRefusedError:
        return wire.Response(0, [], b"")        # it had decided to end


def finish(steps, answer):
    try:
        steps.send(answer)
    except StopIteration:
        return
    raise AssertionError("a scenario is one request")


def is_clean_end(faulty, endpoint, is_connection_broken):
    """libfcgi asserts; both of them use pointers that they have not looked at.  The worker
    is gone then, and no library of ours may do that."""
    if is_connection_broken and (endpoint.process.poll() or 0) >= 0:
        return True
    endpoint.process.wait(5)
    nearest = " ".join(faulty.where.split(" < ")[:2])
    if not any(name in nearest for name in ("libfcgi", "libjson-c")):
        return False
    for report in (BUILD / "reports").glob(f"report*.{endpoint.process.pid}"):
        report.unlink()             # known, and not ours
    return endpoint.process.returncode < 0 or demo.SANITIZED


def one_run(bed, faulty, name, nth, **how):
    """The reply's status; Found if something is not as it must be."""
    program, good, scenario_of = SCENARIOS[name]
    bed.db("DELETE FROM postern.session WHERE sub = {}", bed.sub["grace"])      # or the account page grows
    steps = scenario_of(bed)
    request = next(steps)
    faulty.arm(nth, **how)
    with faulty.start(program) as endpoint:
        for _ in range(how.get("connection", 1) - 1):
            before = scenario_of(bed)
            finish(before, send(bed, endpoint, next(before)))
        answer = send(bed, endpoint, request)
        faulty.disarm()
        if answer.status not in (good, 503) and not (answer.status == 0 and is_clean_end(faulty, endpoint, "error" in how)):
            raise Found(f"{answer}, exit status {endpoint.process.poll()}: {endpoint.log.read_text()[-600:]}")
        length = answer.get("Content-Length")
        if "error" in how and length is not None and int(length) > len(answer.body):
            answer = wire.Response(0, [], b"")      # cut off: the web server will say so
        elif length is not None and int(length) != len(answer.body) or b"Status:" in answer.body:
            raise Found(f"{answer} is not one reply")
        try:
            finish(steps, answer)
        except AssertionError as problem:
            raise Found(f"{answer}, and the ledger: {problem}") from problem
        if endpoint.process.poll() is None and answer.status == good:
            again = scenario_of(bed)        # it goes on: then it works
            after = send(bed, endpoint, next(again))
            if after.status != good and not (after.status == 0 and endpoint.process.wait(5) == 0):
                raise Found(f"{answer}, but then {after}: {endpoint.log.read_text()[-600:]}")
            finish(again, after)
    endpoint.log.unlink()
    return answer.status


def steps_of(total, steps):
    if steps is None or total <= steps:
        return range(1, total + 1)
    return sorted({1 + i * (total - 1) // (steps - 1) for i in range(steps)})


def sweep(bed, faulty, name, steps, **how):
    """At every N, or at so many of them."""
    good = SCENARIOS[name][1]
    assert one_run(bed, faulty, name, failing.NEVER, **how) == good
    total, problems, statuses = faulty.control.count, [], []
    for nth in steps_of(total, steps):
        try:
            statuses.append(one_run(bed, faulty, name, nth, **how))
        except Found as problem:
            problems.append(f"N = {nth} of {total}, asked for by {faulty.where}: {problem}")
    assert not problems, f"{len(problems)} of {total}:\n" + "\n".join(problems)
    return statuses


@pytest.mark.parametrize("name", SCENARIOS)
def test_allocation_fails(bed, faulty, long, name):
    """In the first request of a worker, which prepares statements and parses keys."""
    statuses = sweep(bed, faulty, name, None if long else SHORT_STEPS)
    assert 503 in statuses, statuses        # the test has teeth: something did fail


# What a worker asks the kernel for while it serves: the web server's socket by read and
# write (libfcgi), PostgreSQL's by recv and send (libpq).
BROKEN = {"EINTR": errno.EINTR, "EIO": errno.EIO, "ECONNRESET": errno.ECONNRESET, "short": 0}
MOST = ["redeem", "refresh", "revoke_access_token", "login", "consent_allow", "account_make_key", "guard"]
SOME = ["redeem", "login", "guard"]


@pytest.mark.parametrize("error", BROKEN)
@pytest.mark.parametrize("kind", ["input", "output"])
def test_input_or_output_fails(bed, faulty, long, kind, error):
    """The Nth read, recv, write or send; an octet that is missing is not made up for."""
    kinds = failing.INPUT if kind == "input" else failing.OUTPUT
    for name in SCENARIOS if long else SOME:
        statuses = sweep(bed, faulty, name, None if long else SHORT_BROKEN, kinds=kinds, error=BROKEN[error])
        # Short counts are usual: both libraries ask again.
        assert error != "short" or set(statuses) == {SCENARIOS[name][1]}


@pytest.mark.parametrize("how", [{"connection": 2}, {"and_later": True}], ids=["in the second request", "and every one after it"])
def test_allocation_fails_otherwise(bed, faulty, long, how):
    """When statements are prepared and keys parsed; and when memory stays out."""
    for name in SCENARIOS if long else MOST:
        sweep(bed, faulty, name, LONG_STEPS if long else SHORT_OTHERWISE, **how)
