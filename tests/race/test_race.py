"""Races: many requests at the same moment, over several workers and two sets of them (as
two machines would have); SEC-CODE-01, SEC-PARAM-05, SEC-HTTP-14; DESIGN, Settled."""

import base64
import collections
import random
import selectors
import socket
import uuid

import pytest

from lib import fcgi, jwt, wire
from lib.bed import CB, VERIFIER, basic, handle_of
from lib.browser import Browser, forms

PARALLEL = 200
ROUNDS_LONG = 500           # times PARALLEL: 100,000 attempts
END_BYTES = 8               # of a request, held back; in FastCGI the record that ends the body
STUCK_SECONDS = 30
CLIENT = "t-refresh-basic"  # may refresh, introspect and revoke


@pytest.fixture(scope="module")
def nodes(bed):
    """Two token programs with four workers each, over one database."""
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=4) as one, \
         fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=4) as two:
        yield one, two


def to(endpoint, octets):
    """A FastCGI request, ready for at_once()."""
    def parse(answer):
        return fcgi.response(b"".join(content for kind, content in fcgi.records(answer) if kind == fcgi.STDOUT))
    return lambda: endpoint.connect(60), octets, parse


def to_web(bed, method, path, parameters, cookie):
    """The same through the web server."""
    headers = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", "postern_session=" + cookie)]
    return lambda: socket.create_connection(bed.address, 60), wire.build(method, bed.at(path), headers, wire.form(parameters).encode()), wire.parse


def at_once(shots):
    """Requests, and functions that do something else, at the same moment; the replies.
    The servers have all but the end of each when the ends are sent, in this order.  A
    worker is busy with the one request whose end has come: the replies come in any order."""
    sockets, answers = [], [b""] * len(shots)
    for shot in shots:
        if isinstance(shot, tuple):
            sockets.append(shot[0]())
            sockets[-1].sendall(shot[1][:-END_BYTES])
        else:
            sockets.append(None)
    for s, shot in zip(sockets, shots):
        if s is None:
            shot()
        else:
            s.sendall(shot[1][-END_BYTES:])
    with selectors.DefaultSelector() as selector:
        for i, s in enumerate(sockets):
            if s is not None:
                selector.register(s, selectors.EVENT_READ, i)
        while selector.get_map():
            ready = selector.select(STUCK_SECONDS)
            assert ready, f"{len(selector.get_map())} requests get no answer"
            for key, _ in ready:
                chunk = key.fileobj.recv(65536)
                answers[key.data] += chunk
                if not chunk:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
    return [shot[2](answer) if isinstance(shot, tuple) else None for shot, answer in zip(shots, answers)]


def together(endpoints, requests):
    """Requests at once, in turn to each endpoint."""
    return at_once([to(endpoints[i % len(endpoints)], octets) for i, octets in enumerate(requests)])


def redemption(bed, code, **different):
    body = wire.form({"grant_type": "authorization_code", "client_id": "t-public", "code": code, "redirect_uri": CB, "code_verifier": VERIFIER,
                      **different}).encode()
    return fcgi.request(fcgi.variables("POST", bed.at("/token"), {}, body), body)


def by_client(bed, path, **parameters):
    """A request of the confidential client."""
    body = wire.form(parameters).encode()
    return fcgi.request(fcgi.variables("POST", bed.at(path), dict([basic(CLIENT)]), body), body)


def refreshing(bed, token):
    return by_client(bed, "/token", grant_type="refresh_token", refresh_token=token)


def test_one_of_many_redemptions_wins(bed, nodes, long):
    """SEC-CODE-01: 200 at once of one code, over many codes: never two successes; the
    others are replays, so that what was issued is dead afterwards."""
    bed.consent("t-public")
    session = bed.session()
    for _ in range(ROUNDS_LONG if long else 20):
        code = bed.code(session)
        answers = together(nodes, [redemption(bed, code)] * PARALLEL)
        good = [a for a in answers if a.status == 200]
        others = collections.Counter(a.json().get("error") if a.body else a.status for a in answers if a.status != 200)
        assert len(good) == 1, others
        assert others == {"invalid_grant": PARALLEL - 1}
        assert bed.call(good[0].json()["access_token"]).status == 401
        assert bed.db.value("SELECT revoked_because FROM postern.authorization_grant WHERE id = {}", handle_of(code).id) == "code replayed"


def test_through_the_web_server(bed, long):
    bed.consent("t-public")
    session = bed.session()
    headers = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded")]
    for _ in range(20 if long else 3):
        body = wire.form({"grant_type": "authorization_code", "client_id": "t-public", "code": bed.code(session), "redirect_uri": CB,
                          "code_verifier": VERIFIER}).encode()
        answers = wire.together(bed.address, [wire.build("POST", bed.at("/token"), headers, body)] * PARALLEL)
        assert collections.Counter(a.status for a in answers) == {200: 1, 400: PARALLEL - 1}


def test_wrong_ones_do_not_burn_it(bed, nodes):
    """199 with a wrong verifier, one right: it wins, and nothing is revoked before it does."""
    bed.consent("t-public")
    session = bed.session()
    for place in (0, 100, 199):
        code = bed.code(session)
        requests = [redemption(bed, code, code_verifier="A" * 43)] * PARALLEL
        requests[place] = redemption(bed, code)
        answers = together(nodes, requests)
        assert [a.status for a in answers].count(200) == 1 and answers[place].status == 200


def test_two_people_through_the_same_workers(bed, nodes, long):
    """SEC-HTTP-14, CVE-2021-35472: what one gets is never the other's."""
    people = ("grace", "alan")
    for name in people:
        bed.consent("t-public", name)
    sessions = {name: bed.session(name) for name in people}
    for _ in range(20 if long else 2):
        order = [people[i % 2] for i in range(60)]
        answers = together(nodes, [redemption(bed, bed.code(sessions[name], nonce=name)) for name in order])
        for name, answer in zip(order, answers):
            access, identity = (jwt.read(answer.json()[t])[1] for t in ("access_token", "id_token"))
            assert access["sub"] == identity["sub"] == bed.sub[name] and identity["nonce"] == name


def test_two_sessions_through_the_same_pages(bed, long):
    """The same for pages, through the web server."""
    cookies = {name: bed.session(name).text for name in ("grace", "alan")}
    order = [("grace", "alan")[i % 2] for i in range(600 if long else 100)]
    answers = wire.together(bed.address, [
        wire.build("GET", bed.at("/account"), [("Host", "localhost"), ("Cookie", "postern_session=" + cookies[name])]) for name in order])
    for name, answer in zip(order, answers):
        assert answer.status == 200
        assert (name + "@example.org" in answer.text) and ({"grace": "alan", "alan": "grace"}[name] + "@" not in answer.text)


def test_one_of_many_decisions_counts(bed, long):
    """SEC-PARAM-05: parallel consent decisions, allow and deny mixed."""
    for _ in range(50 if long else 5):
        bed.db("DELETE FROM postern.consent WHERE client_id = 't-public'")
        browser = Browser(bed)
        browser.cookies["postern_session"] = bed.session().text
        browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization()))
        fields = forms(browser.page)[0]["fields"]
        headers = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded"),
                   ("Cookie", "postern_session=" + browser.cookies["postern_session"])]
        answers = wire.together(bed.address, [
            wire.build("POST", bed.at("/consent"), headers, wire.form({**fields, "decision": ("allow", "deny")[i % 2]}).encode()) for i in range(50)])
        assert collections.Counter(a.status for a in answers) == {303: 1, 400: 49}
        winner = next(i for i, a in enumerate(answers) if a.status == 303)
        back = browser.send("GET", answers[winner].location)
        assert ("code" in back.query()) == (winner % 2 == 0)
        assert bool(bed.db("SELECT 1 FROM postern.consent WHERE client_id = 't-public'")) == (winner % 2 == 0)


def test_a_decision_is_taken_once(bed, long):
    """The way back, 50 times at once: one code from a prompt=consent."""
    for _ in range(20 if long else 3):
        bed.consent("t-public")
        session = bed.session()
        request = bed.authorization(prompt="consent")
        browser = Browser(bed)
        browser.cookies["postern_session"] = session.text
        browser.go(bed.issuer + "/authorize?" + wire.form(request))
        browser.send("POST", bed.issuer + "/consent", wire.form({**forms(browser.page)[0]["fields"], "decision": "allow"}))
        target = browser.page.location[len(bed.origin):]
        answers = wire.together(bed.address, [wire.build("GET", target, [("Host", "localhost"), ("Cookie", "postern_session=" + session.text)])] * 50)
        assert sum("code=" in a.location for a in answers) == 1


# --- refresh tokens -------------------------------------------------------

def is_active(bed, token):
    return bed.post("/introspect", {"token": token}, headers=[basic(CLIENT)]).json()["active"]


def is_alive(bed, token):
    """An access token: what introspection says, and guard says the same."""
    active, status = is_active(bed, token), bed.call(token).status
    assert (active, status) in ((True, 200), (False, 401))
    return active


def generation(token):
    return int.from_bytes(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[17:21], "big")


def given(answers, kind="refresh_token"):
    return [a.json()[kind] for a in answers if a is not None and a.status == 200 and a.body]


def is_dead(bed, tokens):
    """Nothing of a grant is good for anything any more: tokens are replies of the token
    endpoint."""
    assert not any(is_alive(bed, t["access_token"]) for t in tokens)
    assert not any(is_active(bed, t["refresh_token"]) for t in tokens)
    latest = max((t["refresh_token"] for t in tokens), key=generation)
    assert bed.post("/token", {"grant_type": "refresh_token", "refresh_token": latest}, headers=[basic(CLIENT)]).status in (400, 401)


def window_is_over(bed, token):
    grant_id = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[1:17].hex()
    bed.db("UPDATE postern.authorization_grant SET refreshed_at = refreshed_at - interval '1 minute' WHERE id = {}", grant_id)


def test_all_get_the_same_successor(bed, nodes, long):
    """SEC-RT-03: 200 at once of one generation: one successor, and it is the live one."""
    first = bed.tokens(bed.session(), CLIENT)["refresh_token"]
    for _ in range(ROUNDS_LONG if long else 8):
        answers = together(nodes, [refreshing(bed, first)] * PARALLEL)
        assert collections.Counter(a.status for a in answers) == {200: PARALLEL}
        successors = set(given(answers))
        assert len(successors) == 1
        second = successors.pop()
        assert generation(second) == generation(first) + 1
        assert is_active(bed, second) and not is_active(bed, first)
        assert is_alive(bed, random.choice(answers).json()["access_token"])
        first = second


def test_replay_at_once_ends_the_grant(bed, nodes, long):
    """After the window 200 at once get nothing, and nobody else does any more."""
    session = bed.session()
    for _ in range(50 if long else 4):
        body = bed.tokens(session, CLIENT)
        answers = together(nodes, [refreshing(bed, body["refresh_token"])] * 10)
        window_is_over(bed, body["refresh_token"])
        replays = together(nodes, [refreshing(bed, body["refresh_token"])] * PARALLEL)
        assert collections.Counter(a.json().get("error") for a in replays) == {"invalid_grant": PARALLEL}
        is_dead(bed, [body, answers[0].json()])


def test_the_old_one_beside_the_current_one(bed, nodes, long):
    """Within the window: the token before the current one gets the current one, or is one
    too old and ends everything.  It never gets what the current one gets."""
    session, ended = bed.session(), 0
    for _ in range(ROUNDS_LONG if long else 8):
        first = bed.tokens(session, CLIENT)
        second = together(nodes, [refreshing(bed, first["refresh_token"])])[0].json()
        order = [first, second] * (PARALLEL // 2)
        random.shuffle(order)
        answers = together(nodes, [refreshing(bed, body["refresh_token"]) for body in order])
        of = {id(first): set(), id(second): set()}
        for body, answer in zip(order, answers):
            of[id(body)].update(given([answer]))
            assert answer.status == 200 or answer.json()["error"] == "invalid_grant"
        assert of[id(first)] <= {second["refresh_token"]}
        assert len(of[id(second)]) <= 1 and all(generation(t) == generation(second["refresh_token"]) + 1 for t in of[id(second)])
        if any(a.status != 200 for a in answers):
            ended += 1
            is_dead(bed, [first, second, *(a.json() for a in answers if a.status == 200)][:5])
    assert ended, "the two did not meet"


def test_many_hold_one_grant(bed, nodes, long):
    """Clients that share a grant without speaking to each other, round after round: of all
    refresh tokens that there are, one at most is good."""
    for number in range(60 if long else 5):
        dice = random.Random(number)
        body = bed.tokens(bed.session(), CLIENT)
        known = [body["refresh_token"]]
        for _ in range(6):
            answers = together(nodes, [refreshing(bed, dice.choice(known[-2:])) for _ in range(20)])
            known += sorted(set(given(answers)) - set(known), key=generation)
            assert len({generation(t) for t in known}) == len(known), "two of one generation"
        alive = [t for t in known if is_active(bed, t)]
        assert alive in ([], [known[-1]])


# --- ends -----------------------------------------------------------------

def by_sql(sql):
    def make(bed, session, tokens):
        def shoot():
            bed.db.send(sql, session.id)
        shoot.after = bed.db.receive
        return shoot
    return make


def by_revocation(bed, session, tokens):
    return to(bed.revoke_node, by_client(bed, "/revoke", token=tokens["refresh_token"]))


def by_form(path, wanted):
    """A button on a page, pressed through the web server."""
    def make(bed, session, tokens):
        browser = Browser(bed)
        browser.cookies["postern_session"] = session.text
        browser.go(bed.issuer + path)
        fields = next(f["fields"] for f in forms(browser.page) if wanted.items() <= f["fields"].items())
        return to_web(bed, "POST", path, fields, session.text)
    return make


ENDS = {
    "disconnect": by_form("/account", {"client_id": CLIENT}),
    "consent deleted": by_sql("DELETE FROM postern.consent WHERE client_id = 't-refresh-basic'"),
    "logout": by_form("/logout", {}),
    "session ended": by_sql("UPDATE postern.session SET ended_at = now() WHERE id = {}"),
    "account disabled": by_sql("UPDATE postern.account SET disabled_at = now() WHERE login_name = 'grace'"),
    "account epoch": by_sql("UPDATE postern.account SET epoch = epoch + 1 WHERE login_name = 'grace'"),
    "client disabled": by_sql("UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-refresh-basic'"),
    "client epoch": by_sql("UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 't-refresh-basic'"),
}


@pytest.fixture(scope="module")
def revoke_node(bed):
    with fcgi.Endpoint(bed.run, bed.programs / "revoke", bed.config, workers=4) as bed.revoke_node:
        yield bed.revoke_node


def enable(bed):
    bed.db("UPDATE postern.account SET disabled_at = NULL")
    bed.db("UPDATE postern.client SET disabled_at = NULL")


@pytest.fixture
def enabled(bed):
    yield
    enable(bed)


def end_beside(shots, end):
    """The replies to all; the end comes somewhere in the first half."""
    place = random.randrange(len(shots) // 2)
    answers = at_once([*shots[:place], end, *shots[place:]])
    if hasattr(end, "after"):
        end.after()
    else:
        assert answers[place].status in (200, 303), answers[place]
    return answers[:place] + answers[place + 1:]


@pytest.mark.parametrize("name", ENDS, ids=["SEC-TOK-06 " + n for n in ENDS])
def test_an_end_beside_redemptions(bed, nodes, long, enabled, name):
    """Whatever wins, no token is alive afterwards, and no code is good."""
    for _ in range(40 if long else 4):
        bed.consent(CLIENT)
        session = bed.session()
        codes = [bed.code(session, CLIENT) for _ in range(16)]
        shots = [to(nodes[i % 2], by_client(bed, "/token", grant_type="authorization_code", code=code, redirect_uri=CB, code_verifier=VERIFIER))
                 for i, code in enumerate(codes)]
        answers = end_beside(shots, ENDS[name](bed, session, None))
        refused(answers)
        over(bed, name, [a.json() for a in answers if a.status == 200])
        assert not any(bed.redeem(code, CLIENT).status == 200 for code in codes)
        enable(bed)


@pytest.mark.parametrize("name", [*ENDS, "revoke"], ids=["SEC-TOK-06 " + n for n in [*ENDS, "revoke"]])
def test_an_end_beside_refreshes(bed, nodes, revoke_node, long, enabled, name):
    """The same for refresh tokens, of two grants: one client at each, and many."""
    for _ in range(40 if long else 4):
        bed.consent(CLIENT)
        session = bed.session()
        first = bed.tokens(session, CLIENT)
        octets = refreshing(bed, first["refresh_token"])
        end = {**ENDS, "revoke": by_revocation}[name](bed, session, first)
        answers = end_beside([to(nodes[i % 2], octets) for i in range(40)], end)
        refused(answers)
        assert len(set(given(answers))) <= 1
        over(bed, name, [first, *[a.json() for a in answers if a.status == 200][:6]])
        enable(bed)


def refused(answers):
    """Those that got nothing were told so."""
    for answer in answers:
        assert answer.status == 200 or answer.json()["error"] in ("invalid_grant", "invalid_client"), answer


def over(bed, name, tokens):
    if name == "client disabled":       # it cannot even ask: guard says it
        assert {bed.call(t["access_token"]).status for t in tokens} <= {401}
    elif tokens:
        is_dead(bed, tokens)


def test_one_login_satisfies_one_request(bed, long):
    """prompt=login: the way back from the login, 50 times at once: one code."""
    bed.consent("t-public")
    for _ in range(10 if long else 2):
        bed.unthrottle()
        browser = Browser(bed)
        browser.go(bed.issuer + "/authorize?" + wire.form(bed.authorization(prompt="login")))
        fields = {**forms(browser.page)[0]["fields"], "username": "grace", "password": bed.password}
        browser.send("POST", bed.issuer + "/login", wire.form(fields))
        target = browser.page.location[len(bed.origin):]
        headers = [("Host", "localhost"), ("Cookie", "postern_session=" + browser.cookies["postern_session"])]
        answers = wire.together(bed.address, [wire.build("GET", target, headers)] * 50)
        assert sum("code=" in a.location for a in answers) == 1, collections.Counter(a.status for a in answers)


def test_keys_are_counted_one_by_one(bed, long):
    """No more API keys than the account page shows, however many are asked for at once."""
    bed.db("DELETE FROM postern.api_key")
    browser = Browser(bed)
    browser.cookies["postern_session"] = bed.session().text
    browser.go(bed.issuer + "/account")
    fields = next(f["fields"] for f in forms(browser.page) if f["fields"].get("action") == "make_key")


    def shot(key):
        return to_web(bed, "POST", "/account", {**fields, "key": key, "name": "k", "scope": "files.read", "days": "1"}, browser.cookies["postern_session"])

    for _ in range(3):
        at_once([shot(str(uuid.uuid4())) for _ in range(40)])
    assert bed.db.value("SELECT count(*) FROM postern.api_key") == "50"
    bed.db("DELETE FROM postern.api_key")
    at_once([shot(fields["key"])] * 40)             # one form: one key
    assert bed.db.value("SELECT count(*) FROM postern.api_key") == "1"
    bed.db("DELETE FROM postern.api_key")


def test_first_use_of_a_machine(bed, nodes, long):
    """Its grant is made when it is first used: by all at once."""
    body = b"grant_type=client_credentials&scope=files.read"
    octets = fcgi.request(fcgi.variables("POST", bed.at("/token"), dict([basic("t-machine")]), body), body)
    for _ in range(20 if long else 3):
        bed.db("UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 't-machine'")
        answers = together(nodes, [octets] * 50)
        assert collections.Counter(a.status for a in answers) == {200: 50}
        assert len({jwt.read(a.json()["access_token"])[1]["grant_id"] for a in answers}) == 1


def test_implied_consent_at_once(bed, long):
    """The first requests of a person for an own app, at once."""
    bed.db("DELETE FROM postern.consent WHERE client_id = 't-implied'")
    session = bed.session()
    answers = wire.together(bed.address, [
        wire.build("GET", bed.at("/authorize?" + wire.form(bed.authorization("t-implied"))), [("Host", "localhost"), ("Cookie", "postern_session=" + session.text)])
        for _ in range(50)])
    assert all(a.status == 303 and "code=" in a.location for a in answers), [a for a in answers if a.status != 303][:1]
    assert bed.db.value("SELECT count(*) FROM postern.consent WHERE client_id = 't-implied'") == "1"
    tokens = [bed.redeem(a.query()["code"], "t-implied").json()["access_token"] for a in answers[:5]]
    assert all(bed.call(t).status == 200 for t in tokens)
