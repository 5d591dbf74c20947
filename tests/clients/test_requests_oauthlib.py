"""Requests-OAuthlib (python3-requests-oauthlib, on oauthlib): OAuth 2.0 without OpenID."""

import secrets
import time
from urllib.parse import parse_qsl, urlsplit

import pytest
# recipe: code
from urllib.parse import parse_qsl, urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
# end
from lib import wire
from oauthlib.oauth2 import (AccessDeniedError, InvalidClientError, InvalidGrantError, InvalidScopeError,
                             MismatchingStateError, TokenExpiredError)
from oauthlib.oauth2.rfc6749.errors import LoginRequired
from secure import CALLBACK, SECRET

SCOPE = ["profile", "files.read"]


class App:
    def __init__(self, issuer, client_id="wiki", client_secret=SECRET, scope=None):
        scope, redirect_uri = scope or SCOPE, CALLBACK
        # recipe: code
        server = requests.get(issuer + "/.well-known/oauth-authorization-server").json()
        client = WebApplicationClient(client_id)
        app = OAuth2Session(client=client, scope=scope, redirect_uri=redirect_uri)
        # end
        self.client, self.app, self.server, self.secret = client, app, server, client_secret

    def start(self, **parameters):
        app, client, server = self.app, self.client, self.server
        # recipe: code
        # Send the browser to url; keep state and code_verifier in its session.
        code_verifier = client.create_code_verifier(64)
        code_challenge = client.create_code_challenge(code_verifier, "S256")
        url, state = app.authorization_url(server["authorization_endpoint"], code_challenge=code_challenge, code_challenge_method="S256")
        # end
        self.state, self.code_verifier = state, code_verifier
        return url + "".join("&" + wire.form({name: value}) for name, value in parameters.items())

    def finish(self, answer, **different):
        app, server, client_id = self.app, self.server, self.client.client_id
        code_verifier, client_secret = different.get("code_verifier", self.code_verifier), self.secret
        # recipe: code
        # The browser is back: answer is the URL that it came to.
        if dict(parse_qsl(urlsplit(answer).query)).get("iss") != server["issuer"]:      # RFC 9207: not the server that was asked
            raise OAuth2Error("this answer is from another server")
        token = app.fetch_token(server["token_endpoint"], authorization_response=answer, code_verifier=code_verifier,
                                auth=HTTPBasicAuth(client_id, client_secret))
        # end
        return token

    def refresh(self):
        app, server, client_id, client_secret = self.app, self.server, self.client.client_id, self.secret
        # recipe: refresh
        token = app.refresh_token(server["token_endpoint"], auth=HTTPBasicAuth(client_id, client_secret))
        # end
        return token

    def sign_in(self, person, **parameters):
        return self.finish(person.open(self.start(**parameters)))


@pytest.fixture
def app(bed):
    return App(bed.issuer)


# --- code -------------------------------------------------------------------

def test_code(bed, app, person):
    token = app.sign_in(person)
    assert token["token_type"] == "Bearer" and token["expires_in"] == 600 and 590 < token["expires_at"] - time.time() <= 600
    assert sorted(token.scopes) == sorted(SCOPE) and not token.scope_changed
    assert token["refresh_token"] and "id_token" not in token, "openid was not asked for"
    answer = app.app.get(bed.drive + "/whoami")
    assert answer.status_code == 200 and bed.sub["grace"] in answer.text


def test_scope_is_what_was_asked_for(bed, person):
    """oauthlib raises a warning as an error when a scope comes back changed."""
    app = App(bed.issuer, scope=["files.write", "openid", "files.read"])
    token = app.sign_in(person)
    assert not token.scope_changed and token["id_token"]
    assert app.app.get(app.server["userinfo_endpoint"]).json() == {"sub": bed.sub["grace"]}


def test_secret_in_the_body(bed, person):
    app = App(bed.issuer, "wiki-post")
    answer = person.open(app.start())
    token = app.app.fetch_token(app.server["token_endpoint"], authorization_response=answer, code_verifier=app.code_verifier,
                                client_secret=SECRET, include_client_id=True)
    assert token["access_token"]


@pytest.mark.parametrize("parameters, decision, error", [
    ({"prompt": "consent"}, "deny", AccessDeniedError),
    ({"prompt": "none"}, "allow", LoginRequired),
    ({"scope": ["files.read", "no.such.scope"]}, "allow", InvalidScopeError),
])
def test_refused_by_redirect(bed, app, person, parameters, decision, error):
    app.app.scope = parameters.pop("scope", SCOPE)
    with pytest.raises(error):
        app.finish(person.open(app.start(**parameters), decision))


def test_wrong_state(app, person):
    answer = person.open(app.start())
    with pytest.raises(MismatchingStateError):
        app.finish(answer.replace(wire.form({"state": app.state}), wire.form({"state": "another"})))
    assert app.finish(answer)["access_token"]


@pytest.mark.parametrize("verifier", [secrets.token_urlsafe(48), ""])
def test_wrong_verifier(app, person, verifier):
    answer = person.open(app.start())
    with pytest.raises(OAuth2Error) as caught:
        app.finish(answer, code_verifier=verifier)
    assert caught.value.error == "invalid_grant"
    assert app.finish(answer)["access_token"]


def test_replayed_code(bed, app, person):
    answer = person.open(app.start())
    app.finish(answer)
    access_token = app.app.token["access_token"]
    with pytest.raises(InvalidGrantError):
        app.finish(answer)
    assert requests.get(bed.drive + "/whoami", headers={"Authorization": "Bearer " + access_token}).status_code == 401


def test_code_of_another_client(bed, app, person):
    answer, other = person.open(app.start()), App(bed.issuer, "nightly")
    query = dict(parse_qsl(urlsplit(answer).query))
    with pytest.raises(OAuth2Error) as caught:
        other.app.fetch_token(other.server["token_endpoint"], code=query["code"], code_verifier=app.code_verifier, auth=HTTPBasicAuth("nightly", SECRET))
    assert caught.value.error in ("invalid_grant", "unauthorized_client")
    assert app.finish(answer)["access_token"]


def test_wrong_secret(bed, person):
    app = App(bed.issuer, client_secret=SECRET + "!")
    with pytest.raises(InvalidClientError):
        app.sign_in(person)


# --- refresh and revocation -------------------------------------------------

def test_refresh(bed, app, person):
    old = dict(app.sign_in(person))
    new = app.refresh()
    assert new["token_type"] == "Bearer" and new["expires_in"] == 600 and sorted(new.scopes) == sorted(SCOPE)
    assert new["refresh_token"] != old["refresh_token"] and new["access_token"] != old["access_token"]
    assert app.app.get(bed.drive + "/whoami").status_code == 200


def test_refreshes_by_itself(bed, app, person):
    """The library notices that the token is past its time, and tries no other."""
    token = app.sign_in(person)
    app.app.token = {**token, "expires_at": time.time() - 1}
    with pytest.raises(TokenExpiredError):
        app.app.get(bed.drive + "/whoami")
    updated = []
    app.app.auto_refresh_url, app.app.token_updater = app.server["token_endpoint"], updated.append
    answer = app.app.get(bed.drive + "/whoami", client_id="wiki", client_secret=SECRET)
    assert answer.status_code == 200 and updated[0]["refresh_token"] != token["refresh_token"]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoke(bed, app, person, kind):
    app.sign_in(person)
    url, headers, body = app.client.prepare_token_revocation_request(app.server["revocation_endpoint"], app.app.token[kind], kind)
    assert requests.post(url, body, headers=headers, auth=HTTPBasicAuth("wiki", SECRET)).status_code == 200
    assert app.app.get(bed.drive + "/whoami").status_code == 401
    if kind == "refresh_token":
        with pytest.raises(InvalidGrantError):
            app.refresh()


def test_refresh_with_nonsense(app, person):
    token = app.sign_in(person)
    app.app.token = {**token, "refresh_token": "nonsense"}
    with pytest.raises(InvalidGrantError):
        app.refresh()
    app.app.token = token
    assert app.refresh()["access_token"]


# --- without a person -------------------------------------------------------

def machine(issuer, client_secret, scope=("files.read",)):
    client_id = "nightly"
    # recipe: client credentials
    from oauthlib.oauth2 import BackendApplicationClient

    server = requests.get(issuer + "/.well-known/oauth-authorization-server").json()
    program = OAuth2Session(client=BackendApplicationClient(client_id, scope=scope))
    token = program.fetch_token(server["token_endpoint"], auth=HTTPBasicAuth(client_id, client_secret))
    # end
    return program, token


def test_client_credentials(bed):
    program, token = machine(bed.issuer, SECRET)
    assert token["token_type"] == "Bearer" and token["expires_in"] == 600 and token.scopes == ["files.read"]
    assert "refresh_token" not in token
    assert "nightly" in program.get(bed.drive + "/whoami").text


@pytest.mark.parametrize("secret, scope, error", [
    (SECRET + "!", ["files.read"], InvalidClientError),
    (SECRET, ["openid"], InvalidScopeError),
    (SECRET, ["files.read", "no.such.scope"], InvalidScopeError),
])
def test_client_credentials_refused(bed, secret, scope, error):
    with pytest.raises(error):
        machine(bed.issuer, secret, scope)
