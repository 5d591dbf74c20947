"""Authlib (python3-authlib): an app on a server that signs people in, a program
with no person behind it, and a resource server that asks about tokens."""

import time

import pytest
# recipe: sign in
from urllib.parse import parse_qsl, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken
# end
from authlib.jose.errors import InvalidClaimError, JoseError
from authlib.oauth2.rfc6749.errors import MismatchingStateException
from lib import wire
from secure import CALLBACK, SECRET, SIGNED_OUT

SCOPE = "openid profile email files.read"


class App:
    """What somebody who uses Authlib would write; tests change what they pass."""

    def __init__(self, issuer, client_id="wiki", client_secret=SECRET, scope=SCOPE, **options):
        redirect_uri = CALLBACK
        # recipe: sign in
        server = requests.get(issuer + "/.well-known/openid-configuration").json()
        app = OAuth2Session(client_id, client_secret, scope=scope, redirect_uri=redirect_uri, code_challenge_method="S256")
        # end
        app.token_endpoint_auth_method = options.get("token_endpoint_auth_method", app.token_endpoint_auth_method)
        self.app, self.server = app, server

    def start(self, **parameters):
        app, server = self.app, self.server
        # recipe: sign in
        # Send the browser to url; keep state, nonce and code_verifier in its session.
        nonce, code_verifier = generate_token(), generate_token(48)
        url, state = app.create_authorization_url(server["authorization_endpoint"], nonce=nonce, code_verifier=code_verifier)
        # end
        self.state, self.nonce, self.code_verifier = state, nonce, code_verifier
        return url + "".join("&" + wire.form({name: value}) for name, value in parameters.items())

    def finish(self, answer, **different):
        app, server, state, code_verifier = self.app, self.server, self.state, self.code_verifier
        state, code_verifier = different.get("state", state), different.get("code_verifier", code_verifier)
        # recipe: sign in
        # The browser is back: answer is the URL that it came to.
        query = dict(parse_qsl(urlsplit(answer).query))
        if query.get("iss") != server["issuer"]:        # RFC 9207: not the server that was asked
            raise OAuthError("mix_up", "this answer is from another server")
        if "error" in query:
            raise OAuthError(query["error"], query.get("error_description"))
        token = app.fetch_token(server["token_endpoint"], authorization_response=answer, state=state, code_verifier=code_verifier)
        # end
        return token

    def claims(self, token, **different):
        app, server = self.app, self.server
        nonce, issuer, client_id = (different.get(name, value) for name, value in (("nonce", self.nonce), ("issuer", server["issuer"]), ("client_id", app.client_id)))
        # recipe: sign in
        # Who it is: the ID token, checked against the server's keys.
        keys = JsonWebKey.import_key_set(requests.get(server["jwks_uri"]).json())
        claims = jwt.decode(token["id_token"], keys, claims_cls=CodeIDToken,
                            claims_options={"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
                            claims_params={"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]})
        claims.validate()
        # end
        return claims

    def sign_in(self, person, **parameters):
        return self.finish(person.open(self.start(**parameters)))


@pytest.fixture
def app(bed):
    return App(bed.issuer)


def refused(error, act, *arguments, **options):
    with pytest.raises(OAuthError) as caught:
        act(*arguments, **options)
    assert caught.value.error == error, caught.value


# --- signing in -------------------------------------------------------------

def test_sign_in(bed, app, person):
    token = app.sign_in(person)
    assert person.asked == ["login", "consent"]
    assert token["token_type"] == "Bearer" and token["expires_in"] == 600
    assert sorted(token["scope"].split()) == sorted(SCOPE.split()) and token["refresh_token"]
    claims = app.claims(token)
    assert claims.header["alg"] == "RS256"
    assert claims["iss"] == bed.issuer and claims["aud"] == "wiki" and claims["sub"] == bed.sub["grace"]
    assert claims["exp"] - claims["iat"] == 600 and 0 <= claims["iat"] - claims["auth_time"] < 60
    assert claims["at_hash"] and claims["nonce"] == app.nonce


def test_userinfo_and_drive(bed, app, person):
    app.sign_in(person)
    assert app.app.get(app.server["userinfo_endpoint"]).json() == {
        "sub": bed.sub["grace"], "name": "Grace", "preferred_username": "grace", "email": "grace@example.org", "email_verified": False}
    answer = app.app.get(bed.drive + "/whoami")
    assert answer.status_code == 200 and bed.sub["grace"] in answer.text and "wiki" in answer.text
    assert app.app.get(bed.drive + "/whoami/write").status_code == 403


def test_second_time_nothing_is_asked(app, bed, person):
    app.sign_in(person)
    person.asked.clear()
    again = App(bed.issuer)
    assert again.claims(again.sign_in(person))["sub"] == bed.sub["grace"]
    assert person.asked == []


@pytest.mark.parametrize("client_id, secret, options, alg", [
    ("wiki-post", SECRET, {"token_endpoint_auth_method": "client_secret_post"}, "ES256"),
    ("wiki", SECRET, {"token_endpoint_auth_method": "client_secret_basic"}, "RS256"),
])
def test_client_authentication(bed, person, client_id, secret, options, alg):
    app = App(bed.issuer, client_id, secret, "openid", **options)
    assert app.claims(app.sign_in(person)).header["alg"] == alg


def test_denied(app, person):
    refused("access_denied", app.finish, person.open(app.start(prompt="consent"), "deny"))


def test_wrong_scope(app, person):
    app.app.scope = "openid no.such.scope"
    refused("invalid_scope", app.finish, person.open(app.start()))


def test_prompt_none(app, person):
    refused("login_required", app.finish, person.open(app.start(prompt="none")))


def test_answer_of_another_server(bed, app, person):
    answer = person.open(app.start())
    with pytest.raises(OAuthError, match="mix_up"):
        app.finish(answer.replace(wire.form({"iss": bed.issuer}), wire.form({"iss": "https://another.example"})))


def test_wrong_state(app, person):
    answer = person.open(app.start())
    with pytest.raises(MismatchingStateException):
        app.finish(answer, state="another")
    assert app.finish(answer)["access_token"]


def test_wrong_verifier_does_not_burn_the_code(app, person):
    answer = person.open(app.start())
    refused("invalid_grant", app.finish, answer, code_verifier=generate_token(48))
    assert app.finish(answer)["access_token"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_wrong_secret(bed, person, method):
    app = App(bed.issuer, "wiki" if method == "client_secret_basic" else "wiki-post", SECRET + "!", "openid", token_endpoint_auth_method=method)
    refused("invalid_client", app.sign_in, person)


def test_replayed_code_ends_what_it_gave(bed, app, person):
    answer = person.open(app.start())
    token = app.finish(answer)
    refused("invalid_grant", app.finish, answer)
    app.app.token = token
    assert app.app.get(app.server["userinfo_endpoint"]).status_code == 401
    refused("invalid_grant", app.app.refresh_token, app.server["token_endpoint"], token["refresh_token"])


@pytest.mark.parametrize("different, error", [
    ({"nonce": "another"}, InvalidClaimError),
    ({"issuer": "https://another.example"}, InvalidClaimError),
    ({"client_id": "another"}, InvalidClaimError),
])
def test_id_token_for_somebody_else(app, person, different, error):
    token = app.sign_in(person)
    with pytest.raises(error):
        app.claims(token, **different)
    assert app.claims(token)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_tampered_id_token(app, person, part):
    token = app.sign_in(person)
    parts = token["id_token"].split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1:]
    with pytest.raises(JoseError):
        app.claims({**token, "id_token": ".".join(parts)})


def test_access_token_of_another(app, person):
    """at_hash binds the ID token to its access token."""
    one, two = app.sign_in(person), app.sign_in(person)
    with pytest.raises(InvalidClaimError):
        app.claims({**one, "access_token": two["access_token"]})


# --- afterwards -------------------------------------------------------------

def test_refresh(bed, app, person):
    old = app.sign_in(person)
    new = app.app.refresh_token(app.server["token_endpoint"])
    assert new["token_type"] == "Bearer" and new["expires_in"] == 600 and sorted(new["scope"].split()) == sorted(old["scope"].split())
    assert new["refresh_token"] != old["refresh_token"] and new["access_token"] != old["access_token"]
    assert app.app.get(bed.drive + "/whoami").status_code == 200
    newer = app.app.refresh_token(app.server["token_endpoint"], scope="openid")
    assert newer["scope"] == "openid"


def test_refresh_beyond_what_was_granted(app, person):
    app.sign_in(person)
    refused("invalid_scope", app.app.refresh_token, app.server["token_endpoint"], scope=SCOPE + " files.write")


def test_old_refresh_token_ends_the_grant(app, person):
    first = app.sign_in(person)
    app.app.refresh_token(app.server["token_endpoint"])
    third = app.app.refresh_token(app.server["token_endpoint"])
    refused("invalid_grant", app.app.refresh_token, app.server["token_endpoint"], first["refresh_token"])
    refused("invalid_grant", app.app.refresh_token, app.server["token_endpoint"], third["refresh_token"])


def test_refresh_token_of_another_client(bed, app, person):
    token = app.sign_in(person)
    other = App(bed.issuer, "wiki-post", token_endpoint_auth_method="client_secret_post")
    with pytest.raises(OAuthError) as caught:
        other.app.refresh_token(other.server["token_endpoint"], token["refresh_token"])
    assert caught.value.error in ("invalid_grant", "unauthorized_client")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoke(bed, app, person, kind):
    token = app.sign_in(person)
    for _ in range(2):          # RFC 7009 section 2.2: the second time is no error
        assert app.app.revoke_token(app.server["revocation_endpoint"], token[kind], token_type_hint=kind).status_code == 200
    assert app.app.get(bed.drive + "/whoami").status_code == 401
    if kind == "refresh_token":
        refused("invalid_grant", app.app.refresh_token, app.server["token_endpoint"], token["refresh_token"])


def test_sign_out(bed, app, person):
    token = app.sign_in(person)
    request = wire.form({"id_token_hint": token["id_token"], "post_logout_redirect_uri": SIGNED_OUT, "state": "s"})
    person.asked.clear()
    assert person.open(f"{app.server['end_session_endpoint']}?{request}") == SIGNED_OUT + "?state=s"
    assert person.asked == []
    refused("login_required", app.finish, person.open(app.start(prompt="none")))


# --- programs without a person ----------------------------------------------

def machine(issuer, client_secret):
    client_id = "nightly"
    # recipe: client credentials
    server = requests.get(issuer + "/.well-known/openid-configuration").json()
    program = OAuth2Session(client_id, client_secret, scope="files.read", token_endpoint=server["token_endpoint"])
    program.fetch_token()
    # end
    return program


def test_client_credentials(bed):
    program = machine(bed.issuer, SECRET)
    assert program.token["token_type"] == "Bearer" and program.token["expires_in"] == 600 and program.token["scope"] == "files.read"
    assert "refresh_token" not in program.token and "id_token" not in program.token
    assert "nightly" in program.get(bed.drive + "/whoami").text


@pytest.mark.parametrize("secret", [SECRET + "!", ""])
def test_client_credentials_refused(bed, secret):
    refused("invalid_client", machine, bed.issuer, secret)


def test_introspection(bed, app, person):
    token = app.sign_in(person)
    client_id, client_secret, server = "drive-server", SECRET, app.server
    access_token = token["access_token"]
    # recipe: introspection
    asks = OAuth2Session(client_id, client_secret)
    answer = asks.introspect_token(server["introspection_endpoint"], access_token).json()
    # end
    assert answer["active"] is True and answer["token_type"] == "Bearer" and answer["client_id"] == "wiki" and answer["sub"] == bed.sub["grace"]
    assert answer["aud"] == bed.drive and answer["iss"] == bed.issuer and "files.read" in answer["scope"].split()
    assert 590 <= answer["exp"] - time.time() <= 600
    app.app.revoke_token(app.server["revocation_endpoint"], token["access_token"])
    assert asks.introspect_token(app.server["introspection_endpoint"], token["access_token"]).json() == {"active": False}


@pytest.mark.parametrize("client_id, secret", [("drive-server", SECRET + "!"), ("nobody", SECRET)])
def test_introspection_by_nobody(bed, app, client_id, secret):
    answer = OAuth2Session(client_id, secret).introspect_token(app.server["introspection_endpoint"], "any")
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"
