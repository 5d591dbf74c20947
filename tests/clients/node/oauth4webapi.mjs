// oauth4webapi: the protocol step by step, each answer checked by the library; and a
// resource server that checks access tokens by itself (RFC 9068).

import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";
import { CALLBACK, CLIENT_SECRET, DRIVE, ISSUER, Person, SIGNED_OUT, SUB, changed, sorted, tampering, withChanged } from "./bed.mjs";

const SCOPE = "openid profile email files.read";
const secret = CLIENT_SECRET;

const discover = async (algorithm) => {
	const issuer = new URL(ISSUER);
	return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm }));
};
const as = await discover("oidc");

const wiki = { client_id: "wiki", id_token_signed_response_alg: "RS256" };
const desktop = { client_id: "desktop", id_token_signed_response_alg: "ES256" };
const basic = oauth.ClientSecretBasic(secret);

async function ask(client, parameters = {}) {
	const kept = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), redirect_uri: CALLBACK };
	const url = new URL(as.authorization_endpoint);
	url.search = new URLSearchParams({
		client_id: client.client_id, redirect_uri: CALLBACK, response_type: "code", scope: SCOPE, state: kept.state, nonce: kept.nonce,
		code_challenge: await oauth.calculatePKCECodeChallenge(kept.verifier), code_challenge_method: "S256", ...parameters,
	});
	return { url, kept: { ...kept, redirect_uri: url.searchParams.get("redirect_uri") } };
}

async function finish(client, authentication, answer, { verifier, state, nonce, redirect_uri }, options = {}) {
	const parameters = oauth.validateAuthResponse(as, client, answer, state);
	const response = await oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, redirect_uri, verifier, options);
	const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
	await oauth.validateApplicationLevelSignature(as, response);
	return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens), headers: response.headers };
}

async function signIn({ client = wiki, authentication = basic, person = new Person(), ...parameters } = {}) {
	const { url, kept } = await ask(client, parameters);
	return { ...await finish(client, authentication, await person.open(url), kept), kept };
}

const refresh = async (client, authentication, token, additionalParameters) =>
	oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, token, { additionalParameters }));
const revoke = async (client, authentication, token) =>
	oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, token));
const introspect = async (client, authentication, token) =>
	oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, authentication, token));
const machine = async (client, authentication, parameters = { scope: "files.read" }) =>
	oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters));
const callDrive = (token, path = "/whoami") => oauth.protectedResourceRequest(token, "GET", new URL(DRIVE + path));

const refused = (error, status = 400) => (problem) => {
	assert.ok(problem instanceof oauth.ResponseBodyError, problem);
	assert.deepEqual([problem.error, problem.status], [error, status]);
	return true;
};
// RFC 6749 section 5.2: a client that tried Basic is told so by WWW-Authenticate.
const notAuthenticated = (problem) => {
	assert.ok(problem instanceof oauth.WWWAuthenticateChallengeError || problem.error === "invalid_client", problem);
	assert.equal(problem.status, 401);
	return true;
};
const challenged = (status, error) => (problem) => {
	assert.ok(problem instanceof oauth.WWWAuthenticateChallengeError, problem);
	const [{ scheme, parameters }] = problem.cause;
	assert.deepEqual([problem.status, scheme, parameters.error], [status, "bearer", error]);
	return true;
};
const distrusted = oauth.OperationProcessingError;


// --- Metadata and signing in ------------------------------------------------

for (const algorithm of ["oidc", "oauth2"])
	test(`metadata: ${algorithm}`, async () => {
		const found = await discover(algorithm);
		assert.equal(found.issuer, ISSUER);
		assert.deepEqual(found, as);
	});

test("the library refuses metadata of another issuer", async () => {
	const response = await oauth.discoveryRequest(new URL(ISSUER));
	await assert.rejects(oauth.processDiscoveryResponse(new URL("https://another.example"), response), distrusted);
});

test("sign in", async () => {
	const { tokens, claims, headers, kept } = await signIn();
	assert.deepEqual([tokens.token_type, tokens.expires_in], ["bearer", 600]);
	assert.deepEqual(sorted(tokens.scope), sorted(SCOPE));
	assert.deepEqual([claims.iss, claims.aud, claims.sub, claims.nonce, claims.exp - claims.iat], [ISSUER, "wiki", SUB, kept.nonce, 600]);
	assert.match(headers.get("cache-control"), /no-store/);
	const info = await oauth.processUserInfoResponse(as, wiki, claims.sub, await oauth.userInfoRequest(as, wiki, tokens.access_token));
	assert.deepEqual(info, { sub: SUB, name: "Grace", preferred_username: "grace", email: "grace@example.org", email_verified: false });
	await assert.rejects(oauth.processUserInfoResponse(as, wiki, "somebody else", await oauth.userInfoRequest(as, wiki, tokens.access_token)), distrusted);
	assert.equal((await callDrive(tokens.access_token)).status, 200);
});

test("a secret in the body", async () => {
	const client = { client_id: "wiki-post", id_token_signed_response_alg: "ES256" };
	const { claims } = await signIn({ client, authentication: oauth.ClientSecretPost(secret), scope: "openid" });
	assert.equal(claims.aud, "wiki-post");
});

test("a public client", async () => {
	const { tokens, claims } = await signIn({
		client: desktop, authentication: oauth.None(), redirect_uri: "http://127.0.0.1:45678/callback", scope: "openid files.read offline_access",
	});
	assert.equal(claims.aud, "desktop");
	const next = await refresh(desktop, oauth.None(), tokens.refresh_token);
	assert.notEqual(next.refresh_token, tokens.refresh_token);
	await revoke(desktop, oauth.None(), next.refresh_token);
	await assert.rejects(refresh(desktop, oauth.None(), next.refresh_token), refused("invalid_grant"));
});

for (const [name, parameters, decision, error] of [
	["denied", { prompt: "consent" }, "deny", "access_denied"],
	["prompt=none", { prompt: "none" }, "allow", "login_required"],
	["unknown scope", { scope: "openid no.such.scope" }, "allow", "invalid_scope"],
	["unknown resource", { resource: "https://another.example" }, "allow", "invalid_target"],
	["a request object", { request: "e30.e30." }, "allow", "request_not_supported"],
	["a request URI", { request_uri: "https://another.example/r" }, "allow", "request_uri_not_supported"],
])
	test(`refused by redirect: ${name}`, async () => {
		const { url, kept } = await ask(wiki, parameters);
		const answer = await new Person().open(url, decision);
		await assert.rejects(finish(wiki, basic, answer, kept), (problem) => {
			assert.ok(problem instanceof oauth.AuthorizationResponseError, problem);
			assert.equal(problem.error, error);
			return true;
		});
	});

test("the library refuses another state and another issuer", async () => {
	const { url, kept } = await ask(wiki);
	const answer = await new Person().open(url);
	for (const wrong of [{ state: "another" }, { state: null }, { iss: "https://another.example" }, { iss: null }])
		await assert.rejects(finish(wiki, basic, changed(answer, wrong), kept), distrusted, JSON.stringify(wrong));
	await finish(wiki, basic, answer, kept);
});

test("the library refuses another nonce", async () => {
	const { url, kept } = await ask(wiki);
	await assert.rejects(finish(wiki, basic, await new Person().open(url), { ...kept, nonce: "another" }), distrusted);
});

for (const [name, spoil] of [
	["signature", withChanged("signature")],
	["aud", withChanged("claims", { aud: "another" })],
	["exp", withChanged("claims", { exp: 1 })],
	["iss", withChanged("claims", { iss: "https://another.example" })],
	["alg", withChanged("header", { alg: "ES256" })],
])
	test(`the library refuses a tampered ID token: ${name}`, async () => {
		const { url, kept } = await ask(wiki);
		const answer = await new Person().open(url);
		await assert.rejects(finish(wiki, basic, answer, kept, { [oauth.customFetch]: tampering(spoil) }), distrusted);
	});

test("wrong secrets", async () => {
	for (const [client_id, authentication] of [
		["wiki", oauth.ClientSecretBasic(`${secret}!`)], ["wiki-post", oauth.ClientSecretPost(`${secret}!`)], ["wiki", oauth.None()], ["nobody", basic],
	])
		await assert.rejects(machine({ client_id }, authentication), notAuthenticated, client_id);
});

test("a replayed code ends what it gave", async () => {
	const { url, kept } = await ask(wiki);
	const answer = await new Person().open(url);
	await assert.rejects(finish(wiki, basic, answer, { ...kept, verifier: oauth.generateRandomCodeVerifier() }), refused("invalid_grant"));
	await assert.rejects(finish(wiki, basic, answer, { ...kept, redirect_uri: `${CALLBACK}/other` }), refused("invalid_grant"));
	const { tokens } = await finish(wiki, basic, answer, kept);
	await assert.rejects(finish(wiki, basic, answer, kept), refused("invalid_grant"));
	await assert.rejects(callDrive(tokens.access_token), challenged(401, "invalid_token"));
});


// --- Afterwards -------------------------------------------------------------

test("refresh and rotation", async () => {
	const { tokens: first } = await signIn();
	const second = await refresh(wiki, basic, first.refresh_token);
	assert.deepEqual([second.token_type, second.expires_in], ["bearer", 600]);
	const third = await refresh(wiki, basic, second.refresh_token, { scope: "files.read" });
	assert.equal(third.scope, "files.read");
	await assert.rejects(refresh(wiki, basic, third.refresh_token, { scope: "files.write" }), refused("invalid_scope"));
	await assert.rejects(refresh(wiki, basic, first.refresh_token), refused("invalid_grant"));
	await assert.rejects(refresh(wiki, basic, third.refresh_token), refused("invalid_grant"));
	await assert.rejects(callDrive(third.access_token), challenged(401, "invalid_token"));
});

test("a reply that was lost: the same successor again", async () => {
	const { tokens } = await signIn();
	const lost = await refresh(wiki, basic, tokens.refresh_token);
	const again = await refresh(wiki, basic, tokens.refresh_token);
	assert.equal(again.refresh_token, lost.refresh_token);
	assert.ok((await refresh(wiki, basic, again.refresh_token)).access_token);
});

test("introspection and revocation", async () => {
	const drive = { client_id: "drive-server" };
	const { tokens } = await signIn();
	const answer = await introspect(drive, basic, tokens.access_token);
	assert.deepEqual([answer.active, answer.sub, answer.client_id, answer.aud, answer.token_type], [true, SUB, "wiki", DRIVE, "Bearer"]);
	await revoke(wiki, basic, tokens.access_token);
	await revoke(wiki, basic, tokens.access_token);
	await revoke(wiki, basic, "nonsense");
	assert.deepEqual(await introspect(drive, basic, tokens.access_token), { active: false });
	await assert.rejects(introspect(drive, oauth.ClientSecretBasic("wrong"), tokens.access_token), notAuthenticated);
	await assert.rejects(revoke(wiki, oauth.ClientSecretBasic("wrong"), tokens.access_token), notAuthenticated);
	await assert.rejects(callDrive(tokens.access_token), challenged(401, "invalid_token"));
});

test("client credentials", async () => {
	const tokens = await machine({ client_id: "nightly" }, basic);
	assert.deepEqual([tokens.token_type, tokens.expires_in, tokens.scope, tokens.refresh_token], ["bearer", 600, "files.read", undefined]);
	assert.match(await (await callDrive(tokens.access_token)).text(), /nightly/);
	await assert.rejects(callDrive(tokens.access_token, "/whoami/write"), challenged(403, "insufficient_scope"));
	await assert.rejects(machine({ client_id: "nightly" }, basic, { scope: "openid" }), refused("invalid_scope"));
	await assert.rejects(machine(wiki, basic), refused("unauthorized_client"));
});

test("sign out", async () => {
	const person = new Person();
	const { tokens } = await signIn({ person });
	const url = new URL(as.end_session_endpoint);
	url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: SIGNED_OUT, state: "bye" });
	assert.equal((await person.open(url)).href, `${SIGNED_OUT}?state=bye`);
	await assert.rejects(callDrive(tokens.access_token), challenged(401, "invalid_token"));
	await assert.rejects(refresh(wiki, basic, tokens.refresh_token), refused("invalid_grant"));
});

test("what has offline_access stays when the person signs out", async () => {
	const person = new Person();
	const { tokens } = await signIn({
		client: desktop, authentication: oauth.None(), person, redirect_uri: "http://127.0.0.1:45678/callback", scope: "openid files.read offline_access",
	});
	const { tokens: ending } = await signIn({ person });
	const url = new URL(as.end_session_endpoint);
	url.search = new URLSearchParams({ id_token_hint: ending.id_token, post_logout_redirect_uri: SIGNED_OUT });
	await person.open(url);
	await assert.rejects(callDrive(ending.access_token), challenged(401, "invalid_token"));
	const next = await refresh(desktop, oauth.None(), tokens.refresh_token);
	assert.equal((await callDrive(next.access_token)).status, 200);
});


// --- A resource server ------------------------------------------------------

const requestWith = (token) => new Request(`${DRIVE}/files/`, { headers: { Authorization: `Bearer ${token}` } });

test("a resource server checks an access token by itself", async () => {
	const { access_token } = await machine({ client_id: "nightly" }, basic);
	const request = requestWith(access_token), issuer = ISSUER, audience = DRIVE;
	// recipe: resource server
	const server = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer)));
	const claims = await oauth.validateJwtAccessToken(server, request, audience);	// throws what it does not accept
	const allowed = claims.scope.split(" ").includes("files.read");
	// end
	assert.equal(allowed, true);
	assert.deepEqual([claims.iss, claims.aud, claims.client_id, claims.exp - claims.iat], [ISSUER, DRIVE, "nightly", 600]);
	assert.ok(claims.jti);
});

test("the library refuses what is not an access token for it", async () => {
	const { tokens } = await signIn();
	const [header, claims, signature] = tokens.access_token.split(".");
	await oauth.validateJwtAccessToken(as, requestWith(tokens.access_token), DRIVE);
	for (const [name, token, audience = DRIVE] of [
		["the ID token", tokens.id_token],
		["the ID token, by a resource that is called like the client", tokens.id_token, "wiki"],
		["a refresh token", tokens.refresh_token],
		["another audience", tokens.access_token, "https://another.example"],
		["a tampered signature", withChanged("signature")(tokens.access_token)],
		["more scope", withChanged("claims", { scope: "files.read files.write" })(tokens.access_token)],
		["no algorithm", withChanged("header", { alg: "none" })(`${header}.${claims}.`)],
		["nothing signed", `${header}..${signature}`],
	])
		await assert.rejects(oauth.validateJwtAccessToken(as, requestWith(token), audience), Error, name);
});
