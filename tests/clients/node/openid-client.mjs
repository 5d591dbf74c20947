// openid-client: an app on a server, a desktop program, a program without a person,
// and a resource server.

import assert from "node:assert/strict";
import { test } from "node:test";
// recipe: sign in
import * as oidc from "openid-client";
// end
import { CALLBACK, CLIENT_SECRET, DRIVE, ISSUER, Person, SIGNED_OUT, SUB, changed, sorted, tampering, withChanged } from "./bed.mjs";

const SCOPE = "openid profile email files.read";

async function start() {
	const issuer = ISSUER, client_id = "wiki", client_secret = CLIENT_SECRET;
	// recipe: sign in
	const server = await oidc.discovery(new URL(issuer), client_id, { id_token_signed_response_alg: "RS256" }, oidc.ClientSecretBasic(client_secret));
	oidc.enableNonRepudiationChecks(server);	// check the ID token's signature, not only the TLS connection
	// end
	return server;
}

const wiki = await start();

// ask: where the browser is sent, and what the app keeps meanwhile
async function ask(server, parameters = {}) {
	const redirect_uri = CALLBACK, scope = SCOPE;
	// recipe: sign in
	// Send the browser to url; keep the other three in its session.
	const pkceCodeVerifier = oidc.randomPKCECodeVerifier(), expectedState = oidc.randomState(), expectedNonce = oidc.randomNonce();
	const url = oidc.buildAuthorizationUrl(server, {
		redirect_uri, scope, state: expectedState, nonce: expectedNonce,
		code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
	});
	// end
	for (const [name, value] of Object.entries(parameters))
		url.searchParams.set(name, value);
	return { url, kept: { pkceCodeVerifier, expectedState, expectedNonce } };
}

async function finish(server, answer, { pkceCodeVerifier, expectedState, expectedNonce }) {
	// recipe: sign in
	// The browser is back: answer is the URL that it came to.
	const tokens = await oidc.authorizationCodeGrant(server, answer, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
	const person = await oidc.fetchUserInfo(server, tokens.access_token, tokens.claims().sub);
	// end
	return { tokens, person };
}

async function signIn(server = wiki, person = new Person(), parameters = {}) {
	const { url, kept } = await ask(server, parameters);
	const answer = await person.open(url);
	return { ...await finish(server, answer, kept), answer, kept };
}

const at = (client_id, metadata, authentication) => oidc.discovery(new URL(ISSUER), client_id, metadata, authentication);
const callDrive = (server, token, path = "/whoami") => oidc.fetchProtectedResource(server, token, new URL(DRIVE + path), "GET");

// An error that the server sent, by its registered name.
const refused = (error, status = 400) => (problem) => {
	assert.ok(problem instanceof oidc.ResponseBodyError, problem);
	assert.deepEqual([problem.error, problem.status], [error, status]);
	return true;
};
const redirected = (error) => (problem) => {
	assert.ok(problem instanceof oidc.AuthorizationResponseError, problem);
	assert.equal(problem.error, error);
	return true;
};
// Something that the library itself refused.
const distrusted = (problem) => {
	assert.ok(problem instanceof oidc.ClientError || problem instanceof TypeError, problem);
	return true;
};


// --- Signing in -------------------------------------------------------------

test("metadata", () => {
	const server = wiki.serverMetadata();
	assert.equal(server.issuer, ISSUER);
	assert.equal(server.supportsPKCE(), true);
	assert.equal(server.authorization_response_iss_parameter_supported, true);
});

test("sign in", async () => {
	const visitor = new Person();
	const { tokens, person, kept } = await signIn(wiki, visitor);
	assert.deepEqual(visitor.asked, ["login", "consent"]);
	assert.equal(tokens.token_type, "bearer");
	assert.equal(tokens.expires_in, 600);
	assert.deepEqual(sorted(tokens.scope), sorted(SCOPE));
	assert.ok(tokens.refresh_token);
	const claims = tokens.claims();
	assert.equal(claims.iss, ISSUER);
	assert.equal(claims.aud, "wiki");
	assert.equal(claims.sub, SUB);
	assert.equal(claims.nonce, kept.expectedNonce);
	assert.equal(claims.exp - claims.iat, 600);
	assert.ok(claims.iat - claims.auth_time < 60);
	assert.deepEqual(person, { sub: SUB, name: "Grace", preferred_username: "grace", email: "grace@example.org", email_verified: false });
	assert.match(await (await callDrive(wiki, tokens.access_token)).text(), new RegExp(SUB));
});

test("a secret in the body, ES256", async () => {
	const server = await at("wiki-post", { id_token_signed_response_alg: "ES256" }, oidc.ClientSecretPost(CLIENT_SECRET));
	oidc.enableNonRepudiationChecks(server);
	const { tokens } = await signIn(server, new Person(), { scope: "openid profile" });
	assert.equal(tokens.claims().aud, "wiki-post");
});

test("max_age", async () => {
	const person = new Person();
	await signIn(wiki, person);
	const { url, kept } = await ask(wiki, { max_age: "0" });
	const answer = await person.open(url);
	assert.deepEqual(person.asked, ["login"]);
	const tokens = await oidc.authorizationCodeGrant(wiki, answer, { ...kept, maxAge: 0 });
	assert.ok(tokens.claims().auth_time);
});

for (const [name, parameters, decision, error] of [
	["denied", { prompt: "consent" }, "deny", "access_denied"],
	["prompt=none before login", { prompt: "none" }, "allow", "login_required"],
	["a scope that is not there", { scope: "openid no.such.scope" }, "allow", "invalid_scope"],
	["a response type that is not offered", { response_type: "token" }, "allow", /^(unsupported_response_type|unauthorized_client)$/],
	["no PKCE", { code_challenge: "", code_challenge_method: "" }, "allow", "invalid_request"],
	["PKCE by plain", { code_challenge_method: "plain" }, "allow", "invalid_request"],
])
	test(`refused by redirect: ${name}`, async () => {
		const { url, kept } = await ask(wiki, parameters);
		const answer = await new Person().open(url, decision);
		await assert.rejects(finish(wiki, answer, kept), (problem) => {
			assert.ok(problem instanceof oidc.AuthorizationResponseError, problem);
			assert.match(problem.error, error instanceof RegExp ? error : new RegExp(`^${error}$`));
			return true;
		});
	});

test("prompt=none before consent", async () => {
	const person = new Person();
	await signIn(await at("wiki-post", { id_token_signed_response_alg: "ES256" }, oidc.ClientSecretPost(CLIENT_SECRET)), person, { scope: "openid" });
	const { url, kept } = await ask(wiki, { scope: "openid files.write", prompt: "none" });
	await assert.rejects(finish(wiki, await person.open(url), kept), redirected("consent_required"));
});

test("the library refuses another state, issuer or nonce, and then takes the right one", async () => {
	const { url, kept } = await ask(wiki);
	const answer = await new Person().open(url);
	for (const wrong of [{ state: "another" }, { state: null }, { iss: "https://another.example" }, { iss: null }])
		await assert.rejects(finish(wiki, changed(answer, wrong), kept), distrusted);
	await assert.rejects(finish(wiki, answer, { ...kept, expectedState: "another" }), distrusted);
	assert.ok((await finish(wiki, answer, kept)).tokens);
});

test("the library refuses another nonce", async () => {
	const { url, kept } = await ask(wiki);
	await assert.rejects(finish(wiki, await new Person().open(url), { ...kept, expectedNonce: "another" }), distrusted);
});

for (const [name, spoil] of [
	["signature", withChanged("signature")],
	["sub", withChanged("claims", { sub: "somebody else" })],
	["alg", withChanged("header", { alg: "none" })],
	["other alg", withChanged("header", { alg: "ES256" })],
	["kid", withChanged("header", { kid: "another" })],
])
	test(`the library refuses a tampered ID token: ${name}`, async () => {
		const server = await start();
		server[oidc.customFetch] = tampering(spoil);
		const { url, kept } = await ask(server);
		await assert.rejects(finish(server, await new Person().open(url), kept), distrusted);
	});

test("a wrong verifier does not burn the code, a replay ends what it gave", async () => {
	const { url, kept } = await ask(wiki);
	const answer = await new Person().open(url);
	await assert.rejects(finish(wiki, answer, { ...kept, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }), refused("invalid_grant"));
	const { tokens } = await finish(wiki, answer, kept);
	await assert.rejects(finish(wiki, answer, kept), refused("invalid_grant"));
	await assert.rejects(callDrive(wiki, tokens.access_token), oidc.WWWAuthenticateChallengeError);
	await assert.rejects(oidc.refreshTokenGrant(wiki, tokens.refresh_token), refused("invalid_grant"));
});

for (const [name, client_id, authentication] of [
	["basic", "wiki", oidc.ClientSecretBasic(`${CLIENT_SECRET}!`)],
	["post", "wiki-post", oidc.ClientSecretPost(`${CLIENT_SECRET}!`)],
	["none", "wiki", oidc.None()],
])
	test(`wrong client authentication: ${name}`, async () => {
		const server = await at(client_id, {}, authentication);
		const { url, kept } = await ask(server, { scope: "openid" });
		await assert.rejects(finish(server, await new Person().open(url), kept), (problem) => {
			// The library names it by its challenge if there is one (RFC 6749 section 5.2).
			const error = problem instanceof oidc.WWWAuthenticateChallengeError ? problem.status : problem.error;
			assert.ok(error === 401 || error === "invalid_client", problem);
			return true;
		});
	});


// --- Afterwards -------------------------------------------------------------

test("refresh", async () => {
	const { tokens: first } = await signIn();
	const server = wiki, refresh_token = first.refresh_token;
	// recipe: refresh
	const tokens = await oidc.refreshTokenGrant(server, refresh_token);
	// end
	assert.equal(tokens.token_type, "bearer");
	assert.equal(tokens.expires_in, 600);
	assert.notEqual(tokens.refresh_token, refresh_token);
	assert.notEqual(tokens.access_token, first.access_token);
	assert.equal((await callDrive(wiki, tokens.access_token)).status, 200);
	const narrower = await oidc.refreshTokenGrant(wiki, tokens.refresh_token, { scope: "openid" });
	assert.equal(narrower.scope, "openid");
	await assert.rejects(callDrive(wiki, narrower.access_token), oidc.WWWAuthenticateChallengeError);
	await assert.rejects(oidc.refreshTokenGrant(wiki, narrower.refresh_token, { scope: "openid files.write" }), refused("invalid_scope"));
});

test("an old refresh token ends the grant", async () => {
	const { tokens } = await signIn();
	const second = await oidc.refreshTokenGrant(wiki, tokens.refresh_token);
	const third = await oidc.refreshTokenGrant(wiki, second.refresh_token);
	await assert.rejects(oidc.refreshTokenGrant(wiki, tokens.refresh_token), refused("invalid_grant"));
	await assert.rejects(oidc.refreshTokenGrant(wiki, third.refresh_token), refused("invalid_grant"));
	await assert.rejects(callDrive(wiki, third.access_token), oidc.WWWAuthenticateChallengeError);
});

test("revocation", async () => {
	const { tokens } = await signIn();
	await oidc.tokenRevocation(wiki, tokens.access_token, { token_type_hint: "access_token" });
	await assert.rejects(callDrive(wiki, tokens.access_token), (problem) => {
		assert.equal(problem.cause[0].parameters.error, "invalid_token");
		return true;
	});
	const { access_token, refresh_token } = await oidc.refreshTokenGrant(wiki, tokens.refresh_token);
	await oidc.tokenRevocation(wiki, refresh_token);
	await oidc.tokenRevocation(wiki, refresh_token);	// RFC 7009 section 2.2
	await assert.rejects(oidc.refreshTokenGrant(wiki, refresh_token), refused("invalid_grant"));
	await assert.rejects(callDrive(wiki, access_token), oidc.WWWAuthenticateChallengeError);
});

test("sign out", async () => {
	const person = new Person();
	const { tokens } = await signIn(wiki, person);
	const server = wiki, post_logout_redirect_uri = SIGNED_OUT;
	// recipe: sign out
	const url = oidc.buildEndSessionUrl(server, { id_token_hint: tokens.id_token, post_logout_redirect_uri, state: "bye" });
	// end
	assert.equal((await person.open(url)).href, `${SIGNED_OUT}?state=bye`);
	assert.deepEqual(person.asked, []);
	const { url: again, kept } = await ask(wiki, { prompt: "none" });
	await assert.rejects(finish(wiki, await person.open(again), kept), redirected("login_required"));
});


// --- A desktop program ------------------------------------------------------

test("a public client on a port of its own", async () => {
	const server = await at("desktop", { id_token_signed_response_alg: "ES256" }, oidc.None());
	oidc.enableNonRepudiationChecks(server);
	const { tokens } = await signIn(server, new Person(), { redirect_uri: "http://127.0.0.1:41234/callback", scope: "openid files.read offline_access" });
	assert.equal(tokens.claims().aud, "desktop");
	const next = await oidc.refreshTokenGrant(server, tokens.refresh_token);
	assert.equal((await callDrive(server, next.access_token)).status, 200);
	await oidc.tokenRevocation(server, next.refresh_token);
	await assert.rejects(callDrive(server, next.access_token), oidc.WWWAuthenticateChallengeError);
});


// --- Programs without a person ----------------------------------------------

test("client credentials", async () => {
	const issuer = ISSUER, client_id = "nightly", client_secret = CLIENT_SECRET;
	// recipe: client credentials
	const server = await oidc.discovery(new URL(issuer), client_id, {}, oidc.ClientSecretBasic(client_secret));
	const tokens = await oidc.clientCredentialsGrant(server, { scope: "files.read" });
	// end
	assert.equal(tokens.token_type, "bearer");
	assert.equal(tokens.expires_in, 600);
	assert.equal(tokens.scope, "files.read");
	assert.equal(tokens.refresh_token, undefined);
	assert.match(await (await callDrive(server, tokens.access_token)).text(), /nightly/);
	await assert.rejects(oidc.clientCredentialsGrant(server, { scope: "openid" }), refused("invalid_scope"));
	await assert.rejects(oidc.clientCredentialsGrant(server, { resource: "https://another.example" }), refused("invalid_target"));
	await assert.rejects(oidc.clientCredentialsGrant(wiki), refused("unauthorized_client"));
});

test("introspection", async () => {
	const { tokens } = await signIn();
	const drive = await at("drive-server", {}, oidc.ClientSecretBasic(CLIENT_SECRET));
	const answer = await oidc.tokenIntrospection(drive, tokens.access_token);
	assert.equal(answer.active, true);
	assert.deepEqual([answer.sub, answer.client_id, answer.aud, answer.iss, answer.token_type], [SUB, "wiki", DRIVE, ISSUER, "Bearer"]);
	assert.ok(answer.scope.split(" ").includes("files.read"));
	await oidc.tokenRevocation(wiki, tokens.access_token);
	assert.deepEqual(await oidc.tokenIntrospection(drive, tokens.access_token), { active: false });
	assert.deepEqual(await oidc.tokenIntrospection(drive, "nonsense"), { active: false });
});
