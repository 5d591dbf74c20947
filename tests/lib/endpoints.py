"""A good request to each endpoint, for tests that make it bad in every way, and how
each endpoint says that a request is bad.

    good = endpoints.of(bed)["token"]
    answer = good.send(scope="x")           with one parameter changed (None: left out)
    good.is_refused(answer, "scope")
    good.works()                            the good request, unchanged"""

import re

from . import wire
from .bed import ALL_SCOPES, CB, CHALLENGE, LOGOUT_URI, SECRET, VERIFIER, basic
from .browser import Browser, forms

# What each endpoint knows, and how many octets it takes; tests compare the names with
# the tables in cgi-bin.  Values are long enough for any limit: a table's unit is octets.
LIMITS = {
    "authorize": {"client_id": 255, "redirect_uri": 2048, "response_type": 64, "scope": 2048, "state": 1024, "code_challenge": 128,
                  "code_challenge_method": 64, "nonce": 1024, "prompt": 128, "max_age": 16, "response_mode": 64, "resource": 1024,
                  "login_hint": 255, "request": 65536, "request_uri": 65536, "registration": 65536, "postern_after": 16, "postern_consent": 64},
    "login": {"username": 255, "password": 1533, "csrf": 64, "request": 6144},
    "consent": {"request": 64, "csrf": 64, "decision": 16},
    "account": {"action": 32, "csrf": 64, "client_id": 255, "session": 36, "key": 36, "name": 255, "days": 4, "scope": 2048, "done": 32},
    "token": {"grant_type": 255, "client_id": 255, "client_secret": 1024, "client_assertion": 65536, "code": 512, "redirect_uri": 2048,
              "code_verifier": 512, "refresh_token": 512, "scope": 2048, "resource": 1024},
    "introspect": {"token": 8192, "token_type_hint": 255, "client_id": 255, "client_secret": 1024, "client_assertion": 65536},
    "revoke": {"token": 8192, "token_type_hint": 255, "client_id": 255, "client_secret": 1024, "client_assertion": 65536},
    "userinfo": {"access_token": 8192},
    "logout": {"id_token_hint": 8192, "client_id": 255, "post_logout_redirect_uri": 2048, "state": 1024, "logout_hint": 255, "ui_locales": 255, "csrf": 64},
}
TRANSPORT = ("date", "server", "content-length", "transfer-encoding", "connection")       # the web server's own
LISTS = {("account", "scope")}          # tick boxes: may come more than once
READ_ONLY = ("jwks", ".well-known/openid-configuration")


class Good:
    """One endpoint.  Subclasses say what is different."""

    name = path = None
    method = "POST"

    def __init__(self, bed):
        self.bed, self.path = bed, "/" + self.name
        self.headers, self.parameters = [], {}
        self.prepare()

    def prepare(self):
        pass

    def send(self, headers=(), **different):
        parameters = {**self.parameters, **different}
        return self.send_text(wire.form(parameters), headers)

    def send_text(self, text, headers=()):
        return self.bed.request("POST", self.bed.at(self.path), [*self.headers, *headers], text)

    def is_good(self, answer):
        raise NotImplementedError

    def is_refused(self, answer, parameter=None):
        """invalid_request, said in the endpoint's own way (parameter: which one was bad)."""
        raise NotImplementedError

    def works(self):
        answer = self.send()
        assert self.is_good(answer), f"the good request to {self.name} failed: {answer}"

    def probe(self, headers=()):
        """A request that costs little, for those that ask often."""
        return self.send(headers)

    def outcome(self, answer):
        """What a reply comes to, without what differs each time."""
        text = re.sub(r"[A-Za-z0-9_-]{22,}(\.[A-Za-z0-9_-]+)*", "*", answer.text)
        headers = [(n, re.sub(r"[A-Za-z0-9_%-]{22,}", "*", v)) for n, v in answer.headers if n.lower() not in TRANSPORT]
        return answer.status, headers, text


class Json(Good):
    def is_refused(self, answer, parameter=None):
        assert answer.status == 400, answer
        assert answer.get("Content-Type") == "application/json" and answer.get("Cache-Control") == "no-store", answer
        assert answer.json()["error"] == "invalid_request", answer
        assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]*", answer.json().get("error_description", ""))


class Page(Good):
    def is_refused(self, answer, parameter=None):
        assert answer.status == 400 and answer.location is None, answer
        assert answer.get("Content-Type") == "text/html; charset=utf-8" and answer.get("Cache-Control") == "no-store", answer


class Authorize(Page):
    name = "authorize"

    def prepare(self):
        self.bed.consent("t-public")
        self.session = self.bed.session()
        self.headers = [("Cookie", "postern_session=" + self.session.text)]
        self.parameters = {"client_id": "t-public", "redirect_uri": CB, "response_type": "code", "scope": "openid", "state": "st",
                           "code_challenge": CHALLENGE, "code_challenge_method": "S256"}

    def is_good(self, answer):
        if answer.status == 303 and answer.location.startswith(self.bed.issuer + "/authorize?"):
            answer = self.bed.request("GET", answer.location[len(self.bed.origin):], self.headers)
        return answer.status == 303 and answer.location.startswith(CB + "?code=")

    def is_refused(self, answer, parameter=None):
        if parameter in ("client_id", "redirect_uri"):
            return super().is_refused(answer)
        assert answer.status == 303 and answer.location.startswith(CB + "?error="), answer
        got = answer.query()
        assert got["error"] == "invalid_request" and "code" not in got and got["iss"] == self.bed.issuer, answer
        assert got.get("state") == (None if parameter == "state" else "st")
        return None


class Login(Page):
    """The good request has a wrong password: it is refused as such, and costs one hash."""

    name = "login"

    def prepare(self):
        self.bed.unthrottle()
        self.browser = Browser(self.bed)
        self.browser.go(self.bed.issuer + "/login")
        self.headers = [("Cookie", "postern_browser=" + self.browser.cookies["postern_browser"])]
        self.parameters = {"username": "grace", "password": "wrong", "csrf": forms(self.browser.page)[0]["fields"]["csrf"]}

    def send_text(self, text, headers=()):
        self.bed.unthrottle()
        return super().send_text(text, headers)

    def probe(self, headers=()):
        return self.send(headers, password="")      # a form that is not complete: no hash

    def is_good(self, answer):
        return answer.status == 403 and "is not right" in answer.text

    def works(self):
        answer = self.bed.request("GET", self.bed.at(self.path), self.headers)
        assert answer.status == 200 and "password" in answer.text, answer


class Consent(Page):
    """The good request is to be shown the page: a decision would be the last."""

    name = "consent"

    def prepare(self):
        self.session = self.bed.session()
        self.headers = [("Cookie", "postern_session=" + self.session.text)]
        self.bed.db("DELETE FROM postern.consent WHERE client_id = 't-other'")
        answer = self.bed.get("/authorize", self.bed.authorization("t-other"), self.session)
        self.handle = answer.query()["request"]
        page = self.bed.get("/consent", {"request": self.handle}, self.session)
        self.parameters = {"request": self.handle, "csrf": forms(page)[0]["fields"]["csrf"], "decision": "maybe"}

    def is_good(self, answer):
        return answer.status == 400 and "not one of ours" in answer.text

    def works(self):
        assert self.bed.get("/consent", {"request": self.handle}, self.session).status == 200


class Account(Page):
    name = "account"

    def prepare(self):
        self.session = self.bed.session()
        self.headers = [("Cookie", "postern_session=" + self.session.text)]
        page = self.bed.get("/account", cookie=self.session)
        csrf = next(f["fields"]["csrf"] for f in forms(page) if f["fields"].get("action") == "sign_out")
        self.parameters = {"action": "disconnect", "client_id": "unknown", "csrf": csrf}

    def is_good(self, answer):
        return answer.status == 303 and answer.location == self.bed.issuer + "/account?done=disconnect"


class Token(Json):
    name = "token"

    def prepare(self):
        self.headers = [basic("t-machine")]
        self.parameters = {"grant_type": "client_credentials", "scope": "files.read"}

    def is_good(self, answer):
        return answer.status == 200 and "access_token" in answer.json()


class Introspect(Json):
    name = "introspect"

    def prepare(self):
        self.headers = [basic("t-drive")]
        self.parameters = {"token": self.bed.machine(scope="files.read").json()["access_token"]}

    def is_good(self, answer):
        return answer.status == 200 and answer.json()["active"] is True


class Revoke(Json):
    """Gives back what nobody has: 200."""

    name = "revoke"

    def prepare(self):
        self.headers = [basic("t-machine")]
        self.parameters = {"token": "unknown"}

    def is_good(self, answer):
        return answer.status == 200 and answer.body == b""


class Userinfo(Json):
    name = "userinfo"

    def prepare(self):
        self.parameters = {"access_token": self.bed.tokens()["access_token"]}

    def is_good(self, answer):
        return answer.status == 200 and answer.json()["sub"] == self.bed.sub["grace"]

    def is_refused(self, answer, parameter=None):
        super().is_refused(answer)
        assert 'error="invalid_request"' in answer.get("WWW-Authenticate"), answer


class Logout(Page):
    """Nobody is signed in; the app wants its person back."""

    name = "logout"

    def prepare(self):
        self.parameters = {"client_id": "t-refresh", "post_logout_redirect_uri": LOGOUT_URI, "state": "st"}

    def is_good(self, answer):
        if answer.status == 303 and answer.location.startswith(self.bed.issuer + "/logout"):
            answer = self.bed.request("GET", answer.location[len(self.bed.origin):])
        return answer.status == 303 and answer.location == LOGOUT_URI + "&state=st"


class ReadOnly(Good):
    method = "GET"

    def send_text(self, text, headers=()):
        assert not text
        return self.bed.request("GET", self.bed.at(self.path), [*self.headers, *headers])

    def is_good(self, answer):
        return answer.status == 200 and self.member in answer.json()


class Jwks(ReadOnly):
    name, member = "jwks", "keys"


class Metadata(ReadOnly):
    name, member = ".well-known/openid-configuration", "issuer"


class Guard(ReadOnly):
    """In front of Drive."""

    name = "guard"

    def prepare(self):
        self.token = self.bed.machine(scope="files.read").json()["access_token"]

    def send_text(self, text, headers=()):
        assert not text
        return self.bed.call(self.token, headers=headers)

    def is_good(self, answer):
        return answer.status == 200 and "POSTERN_SUBJECT=t-machine" in answer.text

    def outcome(self, answer):
        """What the program behind guard is told under names that no header can form."""
        return answer.status, sorted(line for line in answer.text.splitlines() if line.startswith("POSTERN_"))


KINDS = (Authorize, Login, Consent, Account, Token, Introspect, Revoke, Userinfo, Logout, Jwks, Metadata, Guard)
FORMS = tuple(k.name for k in KINDS if k.name in LIMITS)
ALL = tuple(k.name for k in KINDS)


class All(dict):
    """Good requests by name, made when they are asked for."""

    def __init__(self, bed):
        super().__init__()
        self.bed = bed

    def __missing__(self, name):
        self[name] = next(k for k in KINDS if k.name == name)(self.bed)
        return self[name]


def of(bed):
    return All(bed)


__all__ = ["ALL", "ALL_SCOPES", "FORMS", "LIMITS", "LISTS", "READ_ONLY", "SECRET", "VERIFIER", "of"]
