"""kill -9 under load, with a ledger on the client's side; SEC-REL-01, G-03, G-04, G-05, G-15.

Several clients go through the whole flow again and again and note what they were told.
Meanwhile PostgreSQL, or endpoints, are killed.  Afterwards each note is held against what
the server says: what it acknowledged must be so.  An answer that did not come leaves a
doubt, and then both is right, but never two tokens for one code.

The same with synchronous_commit = off must lose something, or the test could not see a
loss (test_the_test_can_see_losses)."""

import contextlib
import os
import pathlib
import random
import signal
import threading
import time

import pytest

from lib.bed import basic
from lib.site import Site, children, kill

CLIENT = "t-refresh-basic"
CLIENTS = 6                     # at the same time
LOAD_SECONDS = 0.5              # before each kill
BACK_SECONDS = 5                # after PostgreSQL accepts connections
STORIES_IN_A_ROW = 8        # more than an endpoint has workers
WINDOW_SECONDS = 8              # a refresh whose reply was lost can be repeated (ten, less some)
AUDIT_THREADS = 4


class Doubt(Exception):
    """No answer, or one that says that the server cannot: it may be done or not."""


class Story:
    """What one client has been told about one authorization."""

    def __init__(self, ledger):
        self.ledger, self.bed = ledger, ledger.bed
        self.code, self.successes = None, 0
        self.access, self.refresh = [], []      # tokens, in the order they came
        self.given_back = {}                    # access token: acknowledged?
        self.ended = None                       # the grant: None, "asked", "acknowledged"
        self.doubt, self.doubted_at = None, None

    # --- requests: an answer, or Doubt ------------------------------------

    def send(self, path, parameters, what):
        try:
            answer = self.bed.post(path, parameters, headers=[basic(CLIENT)])
        except OSError:
            answer = None
        if answer is None or answer.status == 0 or answer.status >= 500:
            self.doubt, self.doubted_at = what, time.monotonic()
            raise Doubt
        self.ledger.answered += 1
        return answer

    def authorize(self, session):
        try:
            answer = self.bed.get("/authorize", self.bed.authorization(CLIENT), session)
        except OSError:
            raise Doubt from None
        if answer.status != 303 or "code" not in answer.query():
            if answer.status != 0 and answer.status < 500:
                self.lost(f"authorize: {answer}")
            raise Doubt
        self.ledger.answered += 1
        self.code = answer.query()["code"]

    def redeem(self):
        parameters = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": "https://app.example/cb",
                      "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
        return self.keep(self.send("/token", parameters, "redeem"))

    def use(self, token):
        return self.keep(self.send("/token", {"grant_type": "refresh_token", "refresh_token": token}, "refresh"))

    def keep(self, answer):
        if answer.status == 200:
            body = answer.json()
            self.access.append(body["access_token"])
            self.refresh.append(body["refresh_token"])
        return answer.status == 200

    def is_active(self, token):
        return self.send("/introspect", {"token": token}, self.doubt).json()["active"]

    def lost(self, what):
        self.ledger.lost.append(f"{what} (doubt: {self.doubt}, ended: {self.ended}, {len(self.refresh)} refreshed)")

    # --- the flow ---------------------------------------------------------

    def go(self, session, dice):
        self.authorize(session)
        if not self.redeem():
            self.lost("a code that was given out is refused")
            return
        self.successes += 1
        for _ in range(dice.randrange(3)):
            if not self.use(self.refresh[-1]):
                self.lost("a refresh token that was given out is refused")
                return
        end = dice.randrange(6)
        if end <= 1:
            self.give_back(dice.choice(self.access))
        elif end == 2:
            self.end("revoke", lambda: self.revoke(dice.choice(self.refresh)))
        elif end == 3:
            self.end("replay", self.redeem_again)

    def give_back(self, token):
        self.given_back[token] = False
        if self.revoke(token):
            self.given_back[token] = True

    def revoke(self, token):
        """Anything but 200 is no acknowledgement, and no answer that is ours to give here."""
        answer = self.send("/revoke", {"token": token}, "revoke")
        if answer.status != 200:
            self.lost(f"revoke: {answer}")
        return answer.status == 200

    def end(self, how, request):
        self.ended = "asked"
        if request() is not False:
            self.ended = "acknowledged"

    def redeem_again(self):
        if self.redeem():
            self.lost("a code was redeemed twice")

    # --- the audit --------------------------------------------------------

    def audit(self):
        """Hold it against the server; then present the code once more."""
        if self.code is None:
            return
        if self.doubt == "redeem" and self.ended is None:
            self.successes += self.redeem()     # never answered: it may be good, once
            self.doubt = None
            if not self.successes:
                return                          # it was done, and is replayed now
        if self.doubt == "refresh" and time.monotonic() < self.doubted_at + WINDOW_SECONDS:
            if not self.use(self.refresh[-1]):
                self.lost("a refresh without an answer cannot be repeated")
            self.doubt = None
        for token in self.access:
            self.check_access(token)
        if self.doubt != "refresh":
            for token in self.refresh:
                self.check_refresh(token)

    def check_access(self, token):
        active = self.is_active(token)
        if (self.ended == "acknowledged" or self.given_back.get(token)) and active:
            self.lost("an acknowledged revocation")
        if self.ended is None and token not in self.given_back and self.doubt is None and not active:
            self.lost("an acknowledged access token")

    def check_refresh(self, token):
        active = self.is_active(token)
        if self.ended == "acknowledged" and active:
            self.lost("an acknowledged revocation of the grant")
        if self.ended is None and active != (token == self.refresh[-1]):
            self.lost("an acknowledged refresh token" if not active else "an older refresh token is alive")

    def replay(self):
        """The last word: the code is used, and whoever shows it again ends everything."""
        if not self.access:
            return
        if self.redeem():
            self.lost("a redeemed code is good again")
        elif any(self.is_active(t) for t in (*self.access, self.refresh[-1])):
            self.lost("what a replay must have ended")


class Ledger:
    """The stories, and the clients that write them."""

    def __init__(self, bed):
        self.bed, self.stories, self.lost, self.answered = bed, [], [], 0
        bed.consent(CLIENT)
        bed.db("UPDATE postern.issuer SET access_token_lifetime = '1 hour'")    # the last audit looks at the first tokens
        self.sessions = [bed.session() for _ in range(CLIENTS)]
        self.told = 0

    @contextlib.contextmanager
    def load(self, seed):
        stop = threading.Event()
        threads = [threading.Thread(target=self.client, args=(stop, session, random.Random(f"{seed} {i}")))
                   for i, session in enumerate(self.sessions)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def client(self, stop, session, dice):
        while not stop.is_set():
            story = Story(self)
            self.stories.append(story)
            try:
                story.go(session, dice)
            except Doubt:
                time.sleep(0.02)

    def audit(self, stories, step=Story.audit):
        """Each of them; several at a time."""
        waiting = list(stories)

        def work():
            with contextlib.suppress(IndexError):
                while True:
                    try:
                        step(story := waiting.pop())
                    except Doubt:
                        self.lost.append(f"no answer at rest, in the audit: {story.doubt}")

        threads = [threading.Thread(target=work) for _ in range(AUDIT_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close_cycle(self, dice):
        """What is new, and some of what is old; nothing may be lost.  Then some codes again."""
        new, old = self.stories[self.told:], self.stories[:self.told]
        self.told = len(self.stories)
        self.audit(new + dice.sample(old, min(len(old), 50)))
        again = dice.sample(new, len(new) // 3)
        self.audit(again, Story.replay)
        for story in again:
            self.stories.remove(story)
        self.told = len(self.stories)


def all_answer(site, ledger):
    """One whole story: authorize, token, introspect, revoke and guard."""
    story = Story(ledger)
    with contextlib.suppress(Doubt, OSError):
        story.authorize(ledger.sessions[0])
        assert story.redeem() and story.is_active(story.access[0])
        if site.bed.call(story.access[0]).status == 200:
            story.give_back(story.access[0])
            return True
    return False


def wait_until_all_answer(site, ledger):
    """So often in a row that every worker has had its turn; the seconds until the first of these."""
    began, since, row = time.monotonic(), 0.0, 0
    while row < STORIES_IN_A_ROW:
        if all_answer(site, ledger):
            since = since if row else time.monotonic()
            row += 1
            continue
        row = 0
        assert time.monotonic() < began + 2 * BACK_SECONDS, "not back"
        time.sleep(0.02)
    return since - began


def kill_and_start(site, ledger, number):
    """One cycle; the seconds until all is back."""
    with ledger.load(number):
        time.sleep(LOAD_SECONDS + random.Random(number).random() / 5)
        site.kill()
        site.start()
        back = wait_until_all_answer(site, ledger)
    ledger.close_cycle(random.Random(number))
    return back


def test_postgresql_under_load(bed, long, request, record_testsuite_property):
    with Site(bed) as site:
        ledger, times = Ledger(site.bed), []
        for number in range(100 if long else 3):
            times.append(kill_and_start(site, ledger, number))
            assert not ledger.lost, (number, len(ledger.lost), ledger.lost[:5])
            assert times[-1] < BACK_SECONDS
        ledger.audit(ledger.stories)
        ledger.audit(ledger.stories, Story.replay)
        assert not ledger.lost, (len(ledger.lost), ledger.lost[:5])
        report(request, record_testsuite_property, cycles=len(times), answered=ledger.answered, slowest_return=round(max(times), 2))


def test_the_test_can_see_losses(bed, request, record_testsuite_property):
    """PostgreSQL may then forget what it has acknowledged, and this must be seen."""
    with Site(bed, "-c synchronous_commit=off") as site:
        ledger = Ledger(site.bed)
        for number in range(10):
            kill_and_start(site, ledger, number)
            if lost := [what for what in ledger.lost if "acknowledged" in what]:
                break
        assert lost, "nothing was lost: this test sees nothing"
        report(request, record_testsuite_property, cycles=number + 1, lost=len(lost))


def test_endpoints_under_load(bed, long, request, record_testsuite_property):
    """Workers, which their parent starts again; then whole programs, which lighttpd does."""
    with Site(bed) as site:
        ledger, dice, times = Ledger(site.bed), random.Random(1), []
        for number in range(20 if long else 2):
            with ledger.load(number):
                for _ in range(20):
                    time.sleep(0.05)
                    kill(dice.choice(workers(site)))
                for pid in dice.sample(sorted(site.parents()), 3):
                    kill_program(pid)
                times.append(wait_until_all_answer(site, ledger))
            ledger.close_cycle(dice)
            assert not ledger.lost, (number, len(ledger.lost), ledger.lost[:5])
            assert times[-1] < BACK_SECONDS
        report(request, record_testsuite_property, workers=20 * len(times), programs=3 * len(times), answered=ledger.answered, slowest_return=round(max(times), 2))


def kill_program(parent):
    """Parent and workers.  Not the parent alone: lighttpd 1.4.69 looks at the socket before
    it starts a program again, finds the workers that are just leaving, and takes them for
    somebody else's server (conf/lighttpd.conf says so)."""
    os.kill(parent, signal.SIGSTOP)         # or it would start new ones
    pids = children(parent)
    for pid in pids:
        kill(pid)
    while not all(is_dead(pid) for pid in pids):
        time.sleep(0.001)
    kill(parent)


def is_dead(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def workers(site):
    """Those of the endpoints that the flow needs."""
    while True:
        pids = [pid for parent, name in site.parents().items() if name in ("authorize", "token", "introspect", "revoke") for pid in children(parent)]
        if pids:
            return pids


def report(request, record, **figures):
    """For whoever reads the log, and for the JUnit XML."""
    for name, value in figures.items():
        record(f"{request.node.name} {name}", value)
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
