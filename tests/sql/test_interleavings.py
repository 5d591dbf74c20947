"""Transactions beside each other, step by step, in every order; SEC-CODE-01, SEC-RT-03,
SEC-TOK-06, SEC-REV; DESIGN, Races.

Each case is two or three calls, each in a transaction of its own.  A call stops where
another one could come between: where it waits for a lock, before postern.issue() looks at
what is alive, before its COMMIT (with --long, also at the start of every statement that
writes, when its snapshot is taken already).  From there every order is played, a fresh
grant for each.

What must hold is one sentence: whatever the order, what the calls said and what is left
is what they would have said and left one after the other, in some order.  What that has
to be at the least is in keeps_promises(), and case by case in tests/protocol."""

import base64
import collections
import itertools
import os
import random
import select
import subprocess
import time

import pytest

from cluster import Installation, psql_command

LONG = bool(os.environ.get("POSTERN_LONG"))
GATES = 12                  # places to stop at, per call: more than there are
STUCK_SECONDS = 20
MOST_ORDERS = 1000 if LONG else 30       # only three calls have more

# Where a call stops: gate(), whose number counts up, waits for an advisory lock that the
# test holds.  Before issue() looks, so that what it sees is as late as it can be.
GATE = """
CREATE FUNCTION public.gate() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_call integer := nullif(current_setting('test.call', true), '');
    v_gate integer := coalesce(nullif(current_setting('test.gate', true), ''), '0')::integer + 1;
BEGIN
    IF v_call IS NULL THEN RETURN; END IF;
    PERFORM set_config('test.gate', v_gate::text, false);
    PERFORM pg_advisory_lock_shared(v_call, v_gate);
    PERFORM pg_advisory_unlock_shared(v_call, v_gate);
END $$;
DO $$
DECLARE
    f record;
BEGIN
    SELECT pg_get_function_arguments(p.oid) AS arguments, array_to_string(p.proargnames, ', ') AS names, pg_get_function_result(p.oid) AS result
      INTO STRICT f FROM pg_proc p WHERE p.pronamespace = 'postern'::regnamespace AND p.proname = 'issue';
    ALTER FUNCTION postern.issue RENAME TO issue_itself;
    EXECUTE format('CREATE FUNCTION postern.issue(%s) RETURNS %s LANGUAGE plpgsql VOLATILE AS $f$
        BEGIN PERFORM public.gate(); RETURN postern.issue_itself(%s); END $f$', f.arguments, f.result, f.names);
END $$;
"""
WRITE_GATES = """
CREATE FUNCTION public.gate_before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.gate(); RETURN NULL; END $$;
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY '{authorization_grant,consent,session,account,client,revoked_token,api_key}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER gate BEFORE INSERT OR UPDATE OR DELETE ON postern.%I
            FOR EACH STATEMENT EXECUTE FUNCTION public.gate_before()', v_table);
    END LOOP;
END $$;
"""

# A person, an app, a resource with opaque tokens, a login, a consent, and a code: all new
# for every order.  {n} is a number of its own.
WORLD = """
BEGIN;
INSERT INTO postern.resource (resource, name, access_token_format) VALUES ('https://r{n}.example', 'R', 'opaque');
INSERT INTO postern.scope (scope, resource, title) VALUES ('s{n}', 'https://r{n}.example', 'S');
INSERT INTO postern.client (client_id, client_name, redirect_uris, scope, token_endpoint_auth_method, grant_types)
VALUES ('c{n}', 'C', '{{https://c.example/}}', 's{n}', 'none', '{{authorization_code,refresh_token}}');
INSERT INTO postern.account (sub, login_name) VALUES ({id}, 'a{n}');
INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, login_for, expires_at)
VALUES ({id}, {digest}, {id}, 0, {digest}, now() + interval '1 hour');
INSERT INTO postern.consent (sub, client_id, id, scope) VALUES ({id}, 'c{n}', {id}, '{{s{n}}}');
INSERT INTO postern.authorization_grant (id, client_id, client_epoch, sub, account_epoch, consent_id, session_id, scope, resource,
    code_sha256, redirect_uri, code_challenge, auth_time, code_expires_at, expires_at)
VALUES ({id}, 'c{n}', 0, {id}, 0, {id}, {id}, '{{s{n}}}', 'https://r{n}.example', {digest}, 'https://c.example/', 'challenge', now(),
    now() + interval '1 minute', now() + interval '1 hour');
COMMIT;
"""

REDEEM = "SELECT outcome, access_token, refresh_token FROM postern.redeem_code('c{n}', 'none', NULL, {id}, {digest}, 'https://c.example/', '%s')"
REFRESH = "SELECT outcome, access_token, refresh_token FROM postern.refresh('c{n}', 'none', NULL, {%s}, NULL, NULL)"
REVOKE = "SELECT outcome, what FROM postern.revoke('c{n}', 'none', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {%s})"
AUTHORIZE = ("SELECT outcome FROM postern.authorize('c{n}', 'https://c.example/', 's{n}', NULL, 'challenge', NULL, false, %s, false, NULL,"
             " 'q', {digest}, {id}, {digest}, NULL, NULL, %s, {digest}, {digest})")

CALLS = {
    "redeem": REDEEM % "challenge",
    "wrong verifier": REDEEM % "another",
    "refresh": REFRESH % "refresh",                 # the current token
    "refresh old": REFRESH % "old",                 # the one before it, within the window
    "revoke": REVOKE % "refresh",
    "revoke old": REVOKE % "old",
    "revoke access": REVOKE % "access",
    "disconnect": "SELECT outcome FROM postern.account_disconnect({id}, {digest}, 'c{n}')",
    "logout": "SELECT outcome FROM postern.logout({id}, {digest}, NULL, NULL, NULL, true)",
    "end session": "SELECT outcome FROM postern.account_end_session({id}, {digest}, NULL)",
    "disable account": "UPDATE postern.account SET disabled_at = now() WHERE sub = {id}",
    "account epoch": "UPDATE postern.account SET epoch = epoch + 1 WHERE sub = {id}",
    "disable client": "UPDATE postern.client SET disabled_at = now() WHERE client_id = 'c{n}'",
    "client epoch": "UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 'c{n}'",
    "disable resource": "UPDATE postern.resource SET disabled_at = now() WHERE resource = 'https://r{n}.example'",
    "consent anew": "SELECT 'ok' FROM postern.record_consent({id}, 'c{n}', '{{s{n}}}')",
    "authorize": AUTHORIZE % ("false", "{other}"),
    "prompt=login": AUTHORIZE % ("true", "{other}"),        # the login of the session was made for it
    "and again": AUTHORIZE % ("true", "gen_random_uuid()"),
    "make key": "SELECT outcome FROM postern.account_make_key({id}, {digest}, gen_random_uuid(), {digest}, 'k', 's{n}', 1)",
    "make this key": "SELECT outcome FROM postern.account_make_key({id}, {digest}, {other}, {digest}, 'k', 's{n}', 1)",
}
ENDS = ["disconnect", "logout", "end session", "disable account", "account epoch", "disable client", "client epoch", "disable resource"]

# (what was before, calls beside each other)
PAIRS = [
    *[("code", ("redeem", other)) for other in ["redeem", "wrong verifier", *ENDS]],
    *[("connected", ("refresh", other)) for other in ["refresh", "redeem", "revoke", "revoke access", *ENDS]],
    *[("rotated", ("refresh old", other)) for other in ["refresh", "refresh old", "redeem", "revoke", "revoke old", "revoke access", *ENDS]],
    *[("rotated", ("refresh", other)) for other in ["revoke old", "redeem"]],
    *[("connected", ("authorize", other)) for other in ENDS],
    *[("connected", ("make key", other)) for other in ["logout", "account epoch", "disable account"]],
    ("connected", ("prompt=login", "and again")),
    ("49 keys", ("make key", "make key")),
    ("49 keys", ("make this key", "make this key")),
    ("connected", ("make this key", "make this key")),
    ("connected", ("disconnect", "consent anew")),
    ("connected", ("disconnect", "disconnect")),
    ("connected", ("revoke", "revoke")),
    ("connected", ("revoke access", "disable account")),
]
THREES = [
    ("code", ("redeem", "redeem", "redeem")),
    ("code", ("redeem", "redeem", "disconnect")),
    ("connected", ("refresh", "refresh", "revoke")),
    ("connected", ("refresh", "disconnect", "consent anew")),
    ("rotated", ("refresh", "refresh old", "revoke old")),
]


class Psql:
    """One psql that stays open, and can be left waiting."""

    END = b"== end of the answer ==\n"

    def __init__(self, site):
        command = psql_command(dbname=site.name, user=None)
        self.process = subprocess.Popen([*(w for w in command if w not in ("-v", "ON_ERROR_STOP=1")), "-v", "VERBOSITY=sqlstate"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self.buffer = b""
        self("SET synchronous_commit = off")         # nothing is killed here
        self.pid = self("SELECT pg_backend_pid()")[0]

    def send(self, sql):
        self.process.stdin.write(sql.encode() + b"\n;\n\\echo " + self.END)

    def ready(self, seconds):
        """Has the answer come?"""
        while not self.buffer.endswith(self.END):
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                return False
            chunk = self.process.stdout.read(65536)
            assert chunk, self.buffer
            self.buffer += chunk
        return True

    def take(self):
        assert self.ready(STUCK_SECONDS), "no answer"
        lines, self.buffer = self.buffer[:-len(self.END)].decode().splitlines(), b""
        return lines

    def __call__(self, sql):
        self.send(sql)
        return self.take()

    def close(self):
        self.process.stdin.close()
        self.process.wait(STUCK_SECONDS)


@pytest.fixture(scope="module")
def site():
    with Installation() as installation:
        done = installation.migrate()
        assert done.returncode == 0, done.stderr
        installation.rows("INSERT INTO postern.issuer (url) VALUES ('https://op.example');\n")
        installation.rows(GATE + (WRITE_GATES if LONG else ""))
        yield installation


@pytest.fixture(scope="module")
def stage(site):
    stage = Stage(site)
    yield stage
    stage.close()


def literal(octets):
    return f"'\\x{octets.hex()}'::bytea"


def octets(token):
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


class World:
    """The rows of one order, and the tokens that came of them before."""

    numbers = itertools.count(1)

    def __init__(self, watcher, before):
        n = next(self.numbers)
        self.names = {"n": n, "id": f"'{n:032x}'", "other": f"'{n + (1 << 100):032x}'", "digest": literal(n.to_bytes(32, "big"))}
        watcher(WORLD.format(**self.names))
        if before in ("connected", "rotated", "49 keys"):
            self.keep(self.call(watcher, "redeem"))
        if before == "rotated":
            self.names["old"] = self.names["refresh"]
            self.keep(self.call(watcher, "refresh"))
        if before == "49 keys":
            for _ in range(49):
                watcher(self.sql("make key"))

    def sql(self, name):
        return CALLS[name].format(**self.names)

    def call(self, watcher, name):
        return watcher(self.sql(name))

    def keep(self, answer):
        outcome, access, refresh = answer[0].split("|")
        assert outcome == "ok", answer
        self.names.update(access=literal(octets(access)), refresh=literal(octets(refresh)))

    def state(self, watcher, answers):
        """What is left, as anybody could see it: now, and were everything enabled again that
        an administrator has disabled."""
        given = [self.names.get("access"), *(literal(octets(t)) for a in answers for t in a.split("|")[1:2] if len(t) > 70)]
        alive = " OR ".join(f"postern.guard(NULL, NULL, NULL, NULL, NULL, NULL, NULL, {token}, NULL, NULL) IS NOT NULL" for token in given if token)
        look = f"SELECT {LIVE}, {alive or False}, {OTHER_CODE}".format(**self.names)
        return State(*watcher(look)[0].rsplit("|", 2)), State(*watcher(";".join([*ENABLE, look, "ROLLBACK"]).format(**self.names))[0].rsplit("|", 2))


# The grant, if it is alive: whether its code is used, which refresh token is the current
# one; how many keys there are.
LIVE = """
(SELECT (g.redeemed_at IS NOT NULL, g.refresh_generation) FROM postern.authorization_grant g WHERE g.id = {id} AND (postern.live_grant(g.id)).id IS NOT NULL),
       (SELECT count(*) FROM postern.live_api_key WHERE sub = {id})"""
OTHER_CODE = "((postern.live_grant({other})).id IS NOT NULL)"
ENABLE = ["BEGIN", "UPDATE postern.account SET disabled_at = NULL WHERE sub = {id}", "UPDATE postern.client SET disabled_at = NULL WHERE client_id = 'c{n}'",
          "UPDATE postern.resource SET disabled_at = NULL WHERE resource = 'https://r{n}.example'"]
State = collections.namedtuple("State", "live access_token_alive other_code_good")    # 't' or 'f'; the words of psql
Result = collections.namedtuple("Result", "answers now if_enabled")


def said(answer):
    """An answer without what is random: the generation of the refresh token.  A refusal is
    a refusal, for whichever of two reasons."""
    parts = answer.split("|")
    if len(parts) == 3:
        return int.from_bytes(octets(parts[2])[17:21], "big") if parts[0] == "ok" else "refused"
    return answer


class Stage:
    """Plays calls in a given order."""

    def __init__(self, site):
        self.watcher, self.holder = Psql(site), Psql(site)
        self.players = [Psql(site) for _ in range(3)]
        self.orders = 0

    def close(self):
        for session in (self.watcher, self.holder, *self.players):
            session.close()

    def one_after_the_other(self, before, calls, ends):
        """Every result that there is without any gate."""
        results = set()
        for order in itertools.permutations(range(len(calls))):
            world, answers = World(self.watcher, before), [None] * len(calls)
            for i in order:
                player = self.players[i]
                player("SET test.call = ''")
                answers[i] = self.answer(player("BEGIN;" + world.sql(calls[i])))
                player(ends[i])
            results.add(self.result(world, answers, ends))
        return results

    @staticmethod
    def answer(lines):
        return lines[0] if lines else ""

    def result(self, world, answers, ends):
        # What a call said that was then rolled back, nobody has heard.
        heard = [a if e == "COMMIT" else "" for a, e in zip(answers, ends)]
        return Result(tuple(said(a) for a in heard), *world.state(self.watcher, heard))

    def every_order(self, before, calls, ends):
        """[(order, result)]: what could have gone on instead is played next; of very many
        orders, some at random."""
        todo, results, dice = [()], [], random.Random(1)
        while todo and len(results) < MOST_ORDERS:
            prefix = todo.pop(dice.randrange(len(todo)))
            order, choices, result = self.play(before, calls, ends, prefix)
            results.append((order, result))
            for i in range(len(prefix), len(order)):
                todo += [(*order[:i], other) for other in choices[i] if other != order[i]]
        return results

    def play(self, before, calls, ends, prefix):
        world = World(self.watcher, before)
        count = len(calls)
        self.holder(f"SELECT count(pg_advisory_lock(call, gate)) FROM generate_series(1, {count}) call, generate_series(1, {GATES}) gate")
        states, answers, passed = ["new"] * count, [None] * count, [0] * count
        order, choices = [], []
        while any(s != "over" for s in states):
            free = [i for i in range(count) if states[i] not in ("over", "lock")]
            if not free:
                self.await_deadlock(states, answers)
                self.settle(states, answers, passed)
                continue
            i = prefix[len(order)] if len(order) < len(prefix) else free[0]
            assert i in free, "the same order went another way"
            order.append(i)
            choices.append(free)
            if states[i] == "new":
                self.players[i](f"SET test.call = {i + 1}; SET test.gate = 0; BEGIN")
                self.players[i].send(world.sql(calls[i]))
            elif states[i] == "gate":
                passed[i] += 1
                self.holder(f"SELECT pg_advisory_unlock({i + 1}, {passed[i]})")
            elif states[i] == "done":
                self.players[i](ends[i])
            states[i] = "over" if states[i] == "done" else "running"
            self.settle(states, answers, passed)
        self.holder("SELECT pg_advisory_unlock_all()")
        self.orders += 1
        return tuple(order), choices, self.result(world, answers, ends)

    def settle(self, states, answers, passed):
        """Until each call has answered, waits at a gate, or waits for another's lock.  Whoever
        waits for one that was still running is looked at again."""
        seen = None
        while states != seen:
            seen = list(states)
            for i in range(len(states)):
                if states[i] in ("running", "lock"):
                    states[i] = self.rest(i, answers, passed)

    def rest(self, i, answers, passed):
        """Where one call has come to rest."""
        player, end = self.players[i], time.monotonic() + STUCK_SECONDS
        while not player.ready(0.001):
            waits = self.watcher(f"SELECT locktype, objid FROM pg_locks WHERE pid = {player.pid} AND NOT granted")
            kind, _, gate = waits[0].partition("|") if waits else ("", "", "")
            if kind == "advisory" and int(gate) > passed[i]:
                return "gate"
            if kind and kind != "advisory":
                return "lock"
            assert time.monotonic() < end, f"call {i + 1} neither ends nor waits"
        answers[i] = self.answer(player.take())
        return "done"

    def await_deadlock(self, states, answers):
        """All wait for each other: PostgreSQL ends one of them."""
        end = time.monotonic() + STUCK_SECONDS
        while True:
            for i in (i for i, state in enumerate(states) if state == "lock"):
                if self.players[i].ready(0.05):
                    answers[i], states[i] = self.answer(self.players[i].take()), "done"
                    return
            assert time.monotonic() < end, "all wait, and there is no deadlock"


def names(case):
    return f"{case[0]}: {' beside '.join(case[1])}"


@pytest.mark.parametrize("before, calls", PAIRS, ids=map(names, PAIRS))
def test_two(stage, before, calls):
    check(stage, before, calls, ("COMMIT", "COMMIT"))


WAITING = PAIRS if LONG else [pair for pair in PAIRS if pair[1] in (("redeem", "redeem"), ("refresh", "refresh"), ("refresh old", "refresh"))]


@pytest.mark.parametrize("before, calls", WAITING, ids=map(names, WAITING))
@pytest.mark.parametrize("ends", [("ROLLBACK", "COMMIT"), ("COMMIT", "ROLLBACK")], ids=["the second", "the first"])
def test_only_one_commits(stage, before, calls, ends):
    """As when a worker or the database dies before it has answered."""
    check(stage, before, calls, ends)


@pytest.mark.parametrize("before, calls", THREES, ids=map(names, THREES))
def test_three(stage, before, calls):
    check(stage, before, calls, ("COMMIT",) * 3)


def check(stage, before, calls, ends):
    serial = stage.one_after_the_other(before, calls, ends)
    for result in serial:
        keeps_promises(calls, ends, result)
    # Nobody sees what is behind a disabled client: there the orders may differ.
    seen = {result[:2] for result in serial}
    for order, result in stage.every_order(before, calls, ends):
        assert result[:2] in seen, f"{', '.join(calls[i] for i in order)}: {result[:2]}, but one after the other it is one of {seen}"
        keeps_promises(calls, ends, result)


def keeps_promises(calls, ends, result):
    """What must be so in whatever order."""
    heard = {call: answer for call, answer, end in zip(calls, result.answers, ends) if end == "COMMIT"}
    if set(heard) & set(ENDS) and "consent anew" not in heard:
        assert result.now.access_token_alive == "f", result
        # A new epoch of a client is no reason to refuse it new grants.
        assert result.now.other_code_good == "f" or "client epoch" in heard, result
    if any(heard.get(call) == "ok|grant" for call in ("revoke", "revoke old")):
        assert result.if_enabled.access_token_alive == "f" and result.if_enabled.live.startswith("|"), result
    if "revoke access" in heard and not {"refresh", "refresh old"} & set(calls):
        assert result.if_enabled.access_token_alive == "f", result
