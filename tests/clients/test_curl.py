"""curl: a script that has a token or an API key, through guard."""

import json
import pathlib
import re
import subprocess

import pytest
from lib.browser import forms
from secure import SECRET

SCRIPT = pathlib.Path(__file__).with_name("shell") / "files.sh"
CURL_REFUSED = 22       # --fail-with-body: the status is 400 or above


def script(environment, **variables):
    """(exit status, what it wrote)"""
    done = subprocess.run([SCRIPT], capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **environment, **variables})
    return done.returncode, done.stdout


def curl(environment, *arguments):
    """(status, WWW-Authenticate, body)"""
    mark = "\n== %{http_code} %header{www-authenticate}"
    done = subprocess.run(["curl", "--silent", "--max-time", "10", "--write-out", mark, *arguments], capture_output=True, text=True, timeout=20, check=True,
                          env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **environment})
    body, _, rest = done.stdout.rpartition("\n== ")
    status, _, challenge = rest.partition(" ")
    return int(status), challenge, body


@pytest.fixture(scope="module")
def at(bed):
    return bed.environment()


@pytest.fixture
def token(bed):
    return bed.machine("nightly", SECRET, scope="files.read").json()["access_token"]


@pytest.fixture
def api_key(bed, person):
    """Made on the account page, as a person does it."""
    browser = person.browser
    browser.go(bed.issuer + "/account")
    browser.login()
    number = next(i for i, form in enumerate(forms(browser.page)) if form["fields"].get("action") == "make_key")
    browser.submit({"name": "a script", "days": "1", "scope": "files.read"}, form=number)
    return re.search(r"postern_key_[\w-]+", browser.page.text)[0]


# --- the recipes ------------------------------------------------------------

def test_script_with_a_token(at):
    status, output = script(at, CLIENT_ID="nightly")
    assert status == 0 and json.loads(output), output


def test_script_with_an_api_key(at, api_key):
    status, output = script({"DRIVE": at["DRIVE"], "CURL_CA_BUNDLE": at["CURL_CA_BUNDLE"]}, API_KEY=api_key)
    assert status == 0 and json.loads(output), output


@pytest.mark.parametrize("different", [{"CLIENT_SECRET": SECRET + "!"}, {"CLIENT_ID": "nobody"}, {"CLIENT_ID": "wiki"}])
def test_script_without_a_token(at, different):
    status, output = script({**at, "CLIENT_ID": "nightly", **different})
    assert status == CURL_REFUSED and "index" not in output


# --- what guard says --------------------------------------------------------

def test_token(at, token):
    status, challenge, body = curl(at, "--oauth2-bearer", token, at["DRIVE"] + "/whoami")
    assert (status, challenge) == (200, "") and "nightly" in body and "files.read" in body


def test_key(bed, at, api_key):
    status, challenge, body = curl(at, "--oauth2-bearer", api_key, at["DRIVE"] + "/whoami")
    assert (status, challenge) == (200, "") and bed.sub["grace"] in body


def test_nothing(at):
    status, challenge, _ = curl(at, at["DRIVE"] + "/files/index.json")
    assert status == 401 and challenge.startswith("Bearer ") and "error" not in challenge


@pytest.mark.parametrize("spoil", [
    lambda token: token[:-2], lambda token: "x" + token, lambda token: token.swapcase(), lambda token: token + "." + token, lambda token: "null",
])
def test_not_a_token(at, token, spoil):
    status, challenge, _ = curl(at, "--oauth2-bearer", spoil(token), at["DRIVE"] + "/files/index.json")
    assert status == 401 and 'error="invalid_token"' in challenge


def test_scope_is_missing(at, token):
    status, challenge, _ = curl(at, "--oauth2-bearer", token, at["DRIVE"] + "/whoami/write")
    assert status == 403 and 'error="insufficient_scope"' in challenge and "files.write" in challenge


def test_in_the_address(at, token):
    """RFC 6750 section 2.3 is not offered: addresses end up in logs."""
    status, _, _ = curl(at, f"{at['DRIVE']}/files/index.json?access_token={token}")
    assert status == 401


def test_revoked(at, token):
    status, _, _ = curl(at, "--user", "nightly:" + SECRET, "--data-urlencode", "token=" + token, at["ISSUER"] + "/revoke")
    assert status == 200
    assert curl(at, "--oauth2-bearer", token, at["DRIVE"] + "/files/index.json")[0] == 401


def test_userinfo_is_not_for_programs(at, token):
    status, challenge, _ = curl(at, "--oauth2-bearer", token, at["ISSUER"] + "/userinfo")
    assert status == 403 and 'error="insufficient_scope"' in challenge
