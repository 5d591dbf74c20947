"""A bed: one way of running Postern, and the test data in it.

    lighttpd        issuer http://localhost:PORT behind lighttpd
    nginx           the same behind nginx
    apache          the same behind Apache (mod_proxy_fcgi)
    nginx-path      issuer http://localhost:PORT/auth behind nginx
    lighttpd-path   the same behind lighttpd
    apache-path     the same behind Apache
    apache-fcgid    FastCGI programs that Apache starts (mod_fcgid)
    lighttpd-cgi    plain CGI behind lighttpd
    nginx-cgi       plain CGI behind nginx (fcgiwrap)
    apache-cgi      plain CGI behind Apache
    apache-hosting  plain CGI as on shared hosting, by .htaccess; issuer below /id
    cgi             the endpoints as CGI programs, run by the test itself (guard,
                    which is FastCGI only, through lighttpd)

The same tests run in each."""

import base64
import collections
import hashlib
import os
import pathlib
import secrets
import subprocess
import time
import urllib.parse

from . import demo, fcgi, jwt, wire
from .database import Database

FULL, HALF, THIN = range(3)
Kind = collections.namedtuple("Kind", "demo how amount", defaults=("http", FULL))

# demo: web server, path and mode of tools/demo; how: "http", or "cgi" without a web
# server; amount: how much of long tables without --long, which is less where the same
# server is asked in full elsewhere, and least where each request starts a process.
BEDS = {
    "lighttpd": Kind(("lighttpd", "", "fcgi")),
    "nginx": Kind(("nginx", "", "fcgi"), amount=HALF),
    "nginx-path": Kind(("nginx", "/auth", "fcgi")),
    "apache": Kind(("apache", "", "fcgi")),
    "lighttpd-path": Kind(("lighttpd", "/auth", "fcgi")),
    "apache-path": Kind(("apache", "/auth", "fcgi")),
    "apache-fcgid": Kind(("apache", "", "fcgid"), amount=HALF),
    "lighttpd-cgi": Kind(("lighttpd", "", "cgi"), amount=THIN),
    "nginx-cgi": Kind(("nginx", "/auth", "cgi"), amount=THIN),
    "apache-cgi": Kind(("apache", "", "cgi"), amount=THIN),
    "apache-hosting": Kind(("apache", "/id", "hosting"), amount=THIN),
    "cgi": Kind(("lighttpd", "", "fcgi"), "cgi", amount=HALF),
}

PRIMARY_KEYS = {"consent": "sub, client_id", "login_throttle": "subject", "revoked_token": "jti"}      # of the other tables: id
ENDPOINTS = ("authorize", "login", "consent", "account", "token", "introspect", "revoke", "userinfo", "logout", "jwks")

CB = "https://app.example/cb"
REDIRECT_URIS = [
    CB, "https://app.example/cb2?keep=1&x=%2F", "http://127.0.0.1/native", "http://[::1]:8000/native?q=1",
    "http://localhost:3000/dev", "com.example.app:/cb",
]
VAULT = "https://vault.example/api"
OP = "https://op.example/"          # its access tokens are opaque
LOGOUT_URI = "https://app.example/out?keep=1"
SECRET = "s3cret of a test: % & + =/" + "x" * 20
ALL_SCOPES = "openid profile email files.read files.write vault.read"

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

CLIENTS = {     # client_id: what differs from the defaults below
    "t-public": {},
    "t-other": {},
    "t-single": {"redirect_uris": [CB]},
    "t-basic": {"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "RS256",
                "grant_types": ["authorization_code", "client_credentials"]},
    "t-post": {"token_endpoint_auth_method": "client_secret_post",
               "grant_types": ["authorization_code", "client_credentials"]},
    "t-classic": {"token_endpoint_auth_method": "client_secret_basic", "profile": "oidc-classic"},
    "t-classic-public": {"profile": "oidc-classic"},
    "t-implied": {"consent": "implied"},
    "t-machine": {"token_endpoint_auth_method": "client_secret_basic", "grant_types": ["client_credentials"],
                  "redirect_uris": [], "response_types": [], "scope": "files.read files.write vault.read"},
    "t-code-only": {"token_endpoint_auth_method": "client_secret_basic"},
    "t-narrow": {"scope": "openid files.read"},
    "t-refresh": {"grant_types": ["authorization_code", "refresh_token"], "scope": ALL_SCOPES + " op.read op.write offline_access",
                  "post_logout_redirect_uris": [LOGOUT_URI]},
    "t-refresh-basic": {"grant_types": ["authorization_code", "refresh_token"], "scope": ALL_SCOPES + " op.read op.write",
                        "token_endpoint_auth_method": "client_secret_basic"},
    # A resource server: Drive, when it asks about a token.
    "t-drive": {"token_endpoint_auth_method": "client_secret_basic", "grant_types": [], "response_types": [],
                "redirect_uris": [], "scope": ""},
}


class Handle:
    """What the server calls a handle: 48 octets, of which the first 16 are the id."""

    def __init__(self, octets=None):
        self.octets = octets or secrets.token_bytes(48)
        self.text = base64.urlsafe_b64encode(self.octets).decode()
        self.id = self.octets[:16].hex()
        self.digest = hashlib.sha256(self.octets).digest()


def handle_of(text):
    return Handle(base64.urlsafe_b64decode(text))


class Bed:
    def __init__(self, name, directory):
        self.name, self.how, self.directory = name, BEDS[name].how, directory
        self.env = demo.read_env(directory)
        self.web, self.mode = self.env["POSTERN_WEB"], self.env["POSTERN_MODE"]
        self.issuer = self.env["POSTERN_ISSUER"]
        self.origin = "http://" + urllib.parse.urlsplit(self.issuer).netloc
        self.path = urllib.parse.urlsplit(self.issuer).path
        self.port = int(self.env["PORT"])
        self.address = ("127.0.0.1", self.port)
        self.drive = self.env["DRIVE_RESOURCE"]
        self.programs = pathlib.Path(self.env["POSTERN_LIBEXECDIR"])
        self.config = self.env["POSTERN_CONFIG"]
        self.run = self.env["DEMO_RUNDIR"]
        self.db = Database(self.env["PGHOST"], self.env["PGUSER"])
        self.admin = Database(self.env["PGHOST"], "postgres")
        self.password = self.env["DEMO_PASSWORD"]
        self.sub = {}
        self.prepare()

    def close(self):
        self.db.close()
        self.admin.close()

    # --- test data ------------------------------------------------------

    def prepare(self):
        """Accounts, clients, resources and scopes of the tests; as often as one likes."""
        db, drive = self.db, self.drive
        db("UPDATE postern.resource SET client_id = NULL")
        db("DELETE FROM postern.client WHERE client_id LIKE 't-%'")
        db("DELETE FROM postern.account WHERE login_name IN ('grace', 'alan')")
        db("INSERT INTO postern.resource (resource, name) VALUES ({}, 'Vault') ON CONFLICT DO NOTHING", VAULT)
        db("INSERT INTO postern.scope (scope, resource, title) VALUES ('files.write', {}, 'Change your files'),"
           " ('vault.read', {}, 'Open your vault') ON CONFLICT DO NOTHING", drive, VAULT)
        db("INSERT INTO postern.resource (resource, name, access_token_format) VALUES ({}, 'Op', 'opaque') ON CONFLICT DO NOTHING", OP)
        db("INSERT INTO postern.scope (scope, resource, title) VALUES ('op.read', {}, 'Read'), ('op.write', {}, 'Write')"
           " ON CONFLICT DO NOTHING", OP, OP)
        for name in ("grace", "alan"):
            self.sub[name] = db.value(
                "INSERT INTO postern.account (login_name, name, email, password_hash)"
                " SELECT {0}, initcap({0}), {0} || '@example.org', a.password_hash FROM postern.account a"
                " WHERE a.login_name = {1} RETURNING sub", name, self.env["DEMO_LOGIN"])
        for client_id, different in CLIENTS.items():
            row = {"client_id": client_id, "client_name": f"Test {client_id}", "redirect_uris": REDIRECT_URIS,
                   "scope": ALL_SCOPES, "token_endpoint_auth_method": "none", "id_token_signed_response_alg": "ES256"}
            row.update(different)
            if row["token_endpoint_auth_method"] != "none":
                row["client_secret_sha256"] = hashlib.sha256(SECRET.encode()).digest()
            places = ", ".join("{}" for _ in row)
            db(f"INSERT INTO postern.client ({', '.join(row)}) VALUES ({places})", *row.values())
        db("UPDATE postern.resource SET client_id = 't-drive' WHERE resource = {}", drive)
        self.unthrottle()

    def unthrottle(self):
        self.db("DELETE FROM postern.login_throttle")

    def session(self, name="grace", ago_seconds=0):
        """The cookie of a login that is made here, without a password."""
        handle = Handle()
        self.db("INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, auth_time, expires_at)"
                " SELECT {}, {}, sub, epoch, now() - make_interval(secs => {}), now() + interval '1 hour'"
                " FROM postern.account WHERE login_name = {}", handle.id, handle.digest, ago_seconds, name)
        return handle

    def consent(self, client_id, name="grace", scope=ALL_SCOPES + " op.read op.write"):
        self.db("INSERT INTO postern.consent (sub, client_id, scope) SELECT sub, {}, {} FROM postern.account"
                " WHERE login_name = {} ON CONFLICT (sub, client_id) DO UPDATE SET scope = excluded.scope",
                client_id, scope.split(), name)

    def forget_consents(self):
        self.db("DELETE FROM postern.consent")

    def stored(self, *tables, where="true"):
        """Which rows there are, as a set.  What was there before may have been swept since:
        "nothing was stored" is bed.stored(...) <= before, and never that a count is the same."""
        return {(table, *row) for table in tables
                for row in self.db(f"SELECT {PRIMARY_KEYS.get(table, 'id')} FROM postern.{table} WHERE {where}")}

    def ended(self):
        """What was ended by something other than its time."""
        return self.stored("revoked_token") | self.stored("session", where="ended_at IS NOT NULL") \
            | self.stored("authorization_grant", "api_key", where="revoked_at IS NOT NULL")

    # --- requests -------------------------------------------------------

    def at(self, path):
        """The target of a path below the issuer."""
        return self.path + path

    def request(self, method, target, headers=(), body=None, host=None):
        """One request with exactly this target, to the issuer's host unless told."""
        headers = list(headers.items() if hasattr(headers, "items") else headers)
        if isinstance(body, (dict, list)):
            body = wire.form(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not any(n.lower() == "content-type" for n, _ in headers):
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        if self.how == "cgi" and host is None:
            return self.run_cgi(method, target, headers, body)
        host = host or urllib.parse.urlsplit(self.issuer).netloc
        if not any(n.lower() == "host" for n, _ in headers):
            headers.insert(0, ("Host", host))
        return wire.parse(self.exchange(wire.build(method, target, headers, body)))

    def exchange(self, octets):
        return wire.exchange(self.address, octets)

    def program_of(self, target):
        """Which CGI program a web server would run."""
        path = target.partition("?")[0]
        if "/.well-known/" in path:
            return "metadata"
        for name in ENDPOINTS:
            if path.startswith(self.at("/" + name)):
                return name
        return None

    def run_cgi(self, method, target, headers, body, extra=None):
        program = self.program_of(target)
        if program is None:
            return wire.Response(404, [], b"")
        environment = fcgi.variables(method, target, None, body or b"")
        for name, value in headers:
            variable = name.upper().replace("-", "_")
            variable = variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + variable
            environment[variable] = value
        environment.update({"GATEWAY_INTERFACE": "CGI/1.1", "POSTERN_CONFIG": self.config, "PATH": os.environ["PATH"]})
        environment.update(extra or {})
        environment = {n: v for n, v in environment.items() if v is not None}
        done = subprocess.run([str(self.programs / program)], input=body or b"", env=environment,
                              capture_output=True, timeout=30)
        return fcgi.response(done.stdout)

    def get(self, path, parameters=None, cookie=None, headers=()):
        target = self.at(path) + ("?" + wire.form(parameters) if parameters else "")
        return self.request("GET", target, self.with_cookie(headers, cookie))

    def post(self, path, parameters, cookie=None, headers=()):
        return self.request("POST", self.at(path), self.with_cookie(headers, cookie), parameters)

    @staticmethod
    def with_cookie(headers, session):
        headers = list(headers.items() if hasattr(headers, "items") else headers)
        if session is not None:
            headers.append(("Cookie", "postern_session=" + session.text))
        return headers

    # --- the protocol ---------------------------------------------------

    def authorization(self, client_id="t-public", scope="openid files.read", **different):
        """Parameters of a good authorization request, then changed; None removes one."""
        out = {"client_id": client_id, "redirect_uri": CB, "response_type": "code", "scope": scope,
               "state": "st-" + secrets.token_hex(8), "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        out.update(different)
        return {n: v for n, v in out.items() if v is not None}

    def code(self, session, client_id="t-public", scope="openid files.read", **different):
        """A code, for somebody who has consented already."""
        answer = self.get("/authorize", self.authorization(client_id, scope, **different), session)
        assert answer.status == 303, answer
        assert "code" in answer.query(), answer
        return answer.query()["code"]

    def redeem(self, presented, of="t-public", **different):
        """Redeem a code as a client; then parameters that differ (None: left out)."""
        parameters = {"grant_type": "authorization_code", "client_id": of, "code": presented,
                      "redirect_uri": CB, "code_verifier": VERIFIER}
        headers = []
        if CLIENTS[of].get("token_endpoint_auth_method") == "client_secret_basic":
            del parameters["client_id"]
            headers = [basic(of)]
        parameters.update(different)
        return self.post("/token", parameters, headers=headers)

    def tokens(self, session=None, client_id="t-public", scope="openid files.read", **different):
        self.consent(client_id)
        answer = self.redeem(self.code(session or self.session(), client_id, scope, **different), client_id)
        assert answer.status == 200, answer
        return answer.json()

    def machine(self, client_id="t-machine", secret=SECRET, **parameters):
        return self.post("/token", {"grant_type": "client_credentials", **parameters}, headers=[basic(client_id, secret)])

    def call(self, token, path="/whoami", method="GET", headers=()):
        """Drive, with an access token (None: without)."""
        headers = list(headers)
        if token is not None:
            headers.append(("Authorization", "Bearer " + token))
        return self.request(method, path, headers, host=urllib.parse.urlsplit(self.drive).netloc)

    def keys(self):
        return self.get("/jwks").json()

    def public_has_changed(self):
        """conf/nginx.conf keeps jwks and metadata for less than two seconds: until it asks again."""
        if self.web == "nginx":
            time.sleep(2.1)

    def signer(self):
        """(kid, signs as the server itself does)."""
        kid = self.db.value("SELECT kid FROM postern.signing_key WHERE alg = 'ES256' AND retired_at IS NULL"
                            " ORDER BY active_from DESC LIMIT 1")
        pem = "\n".join(r[0] for r in self.db("SELECT private_key FROM postern.signing_key WHERE kid = {}", kid))
        return kid, jwt.Signer(pem + "\n")

    def works(self):
        """After something bad: the next good request is answered."""
        answer = self.machine(scope="files.read")
        assert answer.status == 200, f"the next good request failed: {answer}"


def basic(client_id, secret=SECRET):
    """RFC 6749 section 2.3.1: both are form-encoded first."""
    text = urllib.parse.quote_plus(client_id) + ":" + urllib.parse.quote_plus(secret)
    return "Authorization", "Basic " + base64.b64encode(text.encode()).decode()
