"""Races: many requests at the same moment, over several workers and two sets of them (as
two machines would have); SEC-CODE-01, SEC-PARAM-05, SEC-HTTP-14; DESIGN, Settled."""

import collections
import concurrent.futures

import pytest

from lib import fcgi, jwt, wire
from lib.bed import CB, VERIFIER, basic, handle_of
from lib.browser import Browser, forms

PARALLEL = 200


@pytest.fixture(scope="module")
def nodes(bed):
    """Two token programs with four workers each, over one database."""
    with fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=4) as one, \
         fcgi.Endpoint(bed.run, bed.programs / "token", bed.config, workers=4) as two:
        yield one, two


def together(endpoints, requests):
    """Requests (octets of FastCGI) at once, in turn to each endpoint; the replies."""
    sockets = []
    for i, octets in enumerate(requests):
        s = endpoints[i % len(endpoints)].connect(60)
        s.sendall(octets[:-8])              # all but the end of stdin
        sockets.append((s, octets))
    for s, octets in sockets:
        s.sendall(octets[-8:])

    def finish(s):
        with s:
            return fcgi.response(b"".join(c for k, c in fcgi.records(fcgi.read_to_end(s)) if k == fcgi.STDOUT))

    # A worker is busy with the one request whose end has come: read them in any order.
    with concurrent.futures.ThreadPoolExecutor(len(sockets)) as pool:
        return list(pool.map(finish, [s for s, _ in sockets]))


def redemption(bed, code, **different):
    body = wire.form({"grant_type": "authorization_code", "client_id": "t-public", "code": code, "redirect_uri": CB, "code_verifier": VERIFIER,
                      **different}).encode()
    return fcgi.request(fcgi.variables("POST", bed.at("/token"), {}, body), body)


def test_one_of_many_redemptions_wins(bed, nodes, long):
    """SEC-CODE-01: 200 at once of one code, over many codes: never two successes; the
    others are replays, so that what was issued is dead afterwards."""
    bed.consent("t-public")
    session = bed.session()
    for _ in range(500 if long else 20):
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


ENDS = [
    ("disconnect", "DELETE FROM postern.consent WHERE client_id = 't-public'"),
    ("session ended", "UPDATE postern.session SET ended_at = now() WHERE id = '{id}'"),
    ("client disabled", "UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-public'"),
    ("account epoch", "UPDATE postern.account SET epoch = epoch + 1 WHERE login_name = 'grace'"),
]


@pytest.mark.parametrize("sql", [s for _, s in ENDS], ids=["SEC-TOK-06 " + n for n, _ in ENDS])
def test_an_end_beside_redemptions(bed, nodes, long, sql):
    """Whatever wins, no token is alive afterwards."""
    for _ in range(40 if long else 6):
        bed.consent("t-public")
        session = bed.session()
        codes = [bed.code(session) for _ in range(12)]
        sockets, tokens = [], []
        for i, code in enumerate(codes):
            octets = redemption(bed, code)
            s = nodes[i % 2].connect(30)
            s.sendall(octets[:-8])
            sockets.append(s)
        for s in sockets[:6]:
            s.sendall(fcgi.record(fcgi.STDIN))
        bed.db.send(sql.replace("{id}", session.id))
        for s in sockets[6:]:
            s.sendall(fcgi.record(fcgi.STDIN))
        bed.db.receive()
        for s in sockets:
            with s:
                answer = fcgi.response(b"".join(c for k, c in fcgi.records(fcgi.read_to_end(s)) if k == fcgi.STDOUT))
            if answer.status == 200:
                tokens.append(answer.json()["access_token"])
            else:
                assert answer.json()["error"] in ("invalid_grant", "invalid_client")
        for token in tokens:
            assert bed.call(token).status == 401
        bed.db("UPDATE postern.client SET disabled_at = NULL")


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
