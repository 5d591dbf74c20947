"""mod_auth_openidc (libapache2-mod-auth-openidc): Apache itself is the client, and a
resource server.  Apache is real; the person has the scripted browser."""

import json
import os
import pathlib
import re
import secrets
import shutil
import tempfile
import time
import urllib.parse

import pytest
import requests
from lib import wire
from lib.demo import free_port
from secure import SECRET, serve, stop, wait_until

HERE = pathlib.Path(__file__).resolve().parent
SITES = ("BOARD", "FILES", "DECEIVED", "MISTAKEN")


class Site:
    """One host of this Apache, and a browser's cookies for it."""

    def __init__(self, url):
        self.url, self.session = url, requests.Session()

    def get(self, path="/board/index.html", **options):
        return self.session.get(urllib.parse.urljoin(self.url, path), allow_redirects=False, timeout=20, **options)

    def ask(self):
        """The first click: where the browser is sent."""
        answer = self.get()
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def sign_in(self, person, decision="allow"):
        """From the first click to the way back."""
        return self.get(person.open(self.ask(), decision))

    def info(self):
        return self.get("/board/callback?info=json").json()

    def lets_in(self):
        return self.get().status_code == 200


@pytest.fixture(scope="module")
def apache(bed):
    """Name of a site: its URL."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="postern-test-"))
    ports = {name: free_port() for name in SITES}
    process = None
    try:
        directory.chmod(0o755)          # its workers give up root's rights
        (directory / "site").mkdir()
        (directory / "site/index.html").write_text("the notice board\n")
        (directory / "site/keys.json").write_text(json.dumps(keys_of_somebody_else(bed)))
        words = {**ports, "DIRECTORY": directory, "MODULES": "/usr/lib/apache2/modules", "ISSUER": bed.issuer, "CLIENT_SECRET": SECRET,
                 "CERTIFICATE": bed.certificate, "CERTIFICATE_KEY": bed.key, "PASSPHRASE": secrets.token_hex(32)}
        text = (HERE / "apache/apache2.conf").read_text()
        (directory / "apache2.conf").write_text(re.sub(r"@([A-Z_]+)@", lambda word: str(words[word[1]]), text.replace("between @ signs", "")))
        shutil.copy(bed.certificate, directory / "certificate.pem")
        bed.register("board", redirect_uris=[f"https://127.0.0.1:{port}/board/callback" for port in ports.values()], scope="openid profile email files.read",
                     grant_types=["authorization_code", "refresh_token"], id_token_signed_response_alg="ES256",
                     post_logout_redirect_uris=[f"https://127.0.0.1:{ports['BOARD']}/goodbye"])
        process = serve(["apache2", "-f", directory / "apache2.conf", "-DFOREGROUND"], directory / "output", PATH=os.environ["PATH"] + ":/usr/sbin")
        wait_until(lambda: requests.get(f"https://127.0.0.1:{ports['BOARD']}/index.html", timeout=5).ok, [process], directory / "output")
        yield {**{name: f"https://127.0.0.1:{port}" for name, port in ports.items()}, "LOG": directory / "error.log"}
    finally:
        if process is not None:
            stop(process)
        shutil.rmtree(directory, ignore_errors=True)


def keys_of_somebody_else(bed):
    """The issuer's key set with other keys under the same names."""
    other = {"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}    # RFC 7515 appendix A.3
    return {"keys": [{**key, **other} for key in bed.keys()["keys"] if key["alg"] == "ES256"]}


@pytest.fixture
def board(apache):
    return Site(apache["BOARD"])


# --- People -----------------------------------------------------------------

def test_sign_in(bed, apache, board, person):
    where, _, query = board.ask().partition("?")
    query = dict(urllib.parse.parse_qsl(query))
    assert where == bed.issuer + "/authorize"
    assert query["response_type"] == "code" and query["code_challenge_method"] == "S256" and query["scope"] == "openid profile email files.read"
    assert query["state"] and query["nonce"] and query["redirect_uri"] == apache["BOARD"] + "/board/callback"

    back = board.sign_in(person)
    assert back.status_code == 302 and back.headers["Location"] == apache["BOARD"] + "/board/index.html"
    assert person.asked == ["login", "consent"]
    page = board.get()
    assert page.status_code == 200 and page.text == "the notice board\n"
    assert page.headers["X-User"] == f"{bed.sub['grace']}@{bed.issuer.removeprefix('https://')}"
    assert (page.headers["X-Name"], page.headers["X-Email"], page.headers["X-Issuer"]) == ("Grace", "grace@example.org", bed.issuer)
    assert 590 <= int(page.headers["X-Expires"]) - time.time() <= 600


def test_tokens(bed, board, person):
    """The ID token, userinfo, and an access token that Drive accepts."""
    board.sign_in(person)
    info = board.info()
    assert info["userinfo"] == {"sub": bed.sub["grace"], "name": "Grace", "preferred_username": "grace", "email": "grace@example.org", "email_verified": False}
    claims = info["id_token"]
    assert (claims["iss"], claims["aud"], claims["sub"]) == (bed.issuer, "board", bed.sub["grace"]) and claims["exp"] - claims["iat"] == 600
    answer = requests.get(bed.drive + "/whoami", headers={"Authorization": "Bearer " + info["access_token"]})
    assert answer.status_code == 200 and bed.sub["grace"] in answer.text and "board" in answer.text


def test_second_visit_asks_nothing(apache, board, person):
    board.sign_in(person)
    person.asked.clear()
    other = Site(apache["BOARD"])
    other.sign_in(person)
    assert person.asked == [] and other.lets_in()


def test_refresh(bed, apache, board, person):
    board.sign_in(person)
    before = board.info()
    answer = board.get("/board/callback?" + wire.form({"refresh": apache["BOARD"] + "/board/", "access_token": before["access_token"]}))
    assert answer.headers["Location"] == apache["BOARD"] + "/board/"
    after = board.info()
    assert after["access_token"] != before["access_token"] and after["refresh_token"] != before["refresh_token"]
    assert requests.get(bed.drive + "/whoami", headers={"Authorization": "Bearer " + after["access_token"]}).status_code == 200


def test_refresh_after_disconnecting(bed, apache, board, person):
    """The module reports that it got no new token."""
    board.sign_in(person)
    bed.forget_consents()
    answer = board.get("/board/callback?" + wire.form({"refresh": apache["BOARD"] + "/board/", "access_token": board.info()["access_token"]}))
    assert answer.headers["Location"] == apache["BOARD"] + "/board/?error_code=refresh_failed"


def test_sign_out(apache, board, person):
    board.sign_in(person)
    answer = board.get("/board/callback?" + wire.form({"logout": apache["BOARD"] + "/goodbye"}))
    person.asked.clear()
    assert person.open(answer.headers["Location"]) == apache["BOARD"] + "/goodbye"
    assert person.asked == [], "the ID token says that it was this person's wish"
    assert not board.lets_in()
    board.sign_in(person)
    assert person.asked == ["login"] and board.lets_in()


def test_denied(board, person):
    """This version takes a refusal with iss (RFC 9207) for somebody else's invitation to
    sign in, and says so; what counts is that nobody gets in."""
    assert board.sign_in(person, "deny").status_code != 302
    assert person.asked == ["login", "consent"] and not board.lets_in()


@pytest.mark.parametrize("name, value", [("state", "another"), ("iss", "https://another.example"), ("code", "another")])
def test_changed_answer(board, person, name, value):
    parts = urllib.parse.urlsplit(person.open(board.ask()))
    query = {**dict(urllib.parse.parse_qsl(parts.query)), name: value}
    answer = board.get(f"{parts.path}?{wire.form(query)}")
    assert not answer.headers.get("Location", "").endswith("/board/index.html") and not board.lets_in()


def test_replayed_answer(apache, board, person):
    """The same answer again, in the same browser and in another."""
    back = person.open(board.ask())
    board.get(back)
    assert board.lets_in()
    for site in (board, Site(apache["BOARD"])):
        site.session.cookies.pop("mod_auth_openidc_session", None)
        assert site.get(back).headers.get("Location") != apache["BOARD"] + "/board/index.html" and not site.lets_in()


@pytest.mark.parametrize("name, complaint", [
    ("DECEIVED", "id_token signature could not be validated"),
    ("MISTAKEN", 'with value: ""invalid_client""'),
])
def test_wrong_keys_and_wrong_secret(apache, person, name, complaint):
    site, log = Site(apache[name]), apache["LOG"]
    before = len(log.read_text())
    answer = site.sign_in(person)
    assert "Error in handling response type" in answer.text and not site.lets_in()
    assert complaint in log.read_text()[before:]


# --- Programs ---------------------------------------------------------------

def with_token(apache, token, path="/files/index.html"):
    return requests.get(apache["FILES"] + path, headers={"Authorization": "Bearer " + token} if token else {})


def test_token(bed, apache):
    token = bed.machine("nightly", SECRET, scope="files.read").json()["access_token"]
    answer = with_token(apache, token)
    assert answer.status_code == 200
    assert (answer.headers["X-User"], answer.headers["X-Client"], answer.headers["X-Scope"]) == ("nightly", "nightly", "files.read")
    assert with_token(apache, token, "/files/write/index.html").status_code == 401, "without the scope"


@pytest.mark.parametrize("spoil", [lambda token: "", lambda token: token + "x", lambda token: "nonsense"])
def test_no_token(bed, apache, spoil):
    token = bed.machine("nightly", SECRET, scope="files.read").json()["access_token"]
    assert with_token(apache, spoil(token)).status_code == 401


def test_token_of_somebody_who_disconnected(bed, apache, board, person):
    board.sign_in(person)
    token = board.info()["access_token"]
    assert with_token(apache, token).headers["X-User"] == bed.sub["grace"]
    bed.forget_consents()
    assert with_token(apache, token).status_code == 401
