// oidc-client-ts: a single-page app in Chromium, with silent renewal.
//
// The app lives twice: near the issuer (the same site to the rules about cookies, like
// app.example.org and id.example.org) and far from it (another site).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { resolve } from "node:path";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { DRIVE, ISSUER, LOGIN, PASSWORD, SUB, sorted } from "./bed.mjs";

const { SPA_NEAR, SPA_FAR, CERTIFICATE, CERTIFICATE_KEY } = process.env;
const SCOPE = "openid profile email files.read";
const WAIT_MS = 30_000;

const HERE = import.meta.dirname;
const read = (name) => readFileSync(resolve(HERE, name));
const FILES = {
	"/": [read("../spa/index.html"), "text/html"],
	"/signed-out": [read("../spa/index.html"), "text/html"],
	"/app.js": [read("../spa/app.js"), "text/javascript"],
	"/silent.html": [read("../spa/silent.html"), "text/html"],
	"/silent.js": [read("../spa/silent.js"), "text/javascript"],
	"/bed.js": [`const issuer = "${ISSUER}", drive = "${DRIVE}";`, "text/javascript"],
	"/oidc-client-ts.js": [read("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"), "text/javascript"],
};
// What the app needs, and nothing else.
const ORIGIN = new URL(ISSUER).origin;
const POLICY = `default-src 'self'; connect-src ${ORIGIN} ${DRIVE}; frame-src 'self' ${ORIGIN}; img-src data:; frame-ancestors 'self'`;

function serve(origin) {
	const server = createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(CERTIFICATE_KEY) }, (request, reply) => {
		const file = FILES[new URL(request.url, origin).pathname];
		if (file === undefined)
			return reply.writeHead(404).end();
		reply.writeHead(200, { "Content-Type": file[1], "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer" });
		reply.end(file[0]);
	});
	server.listen(new URL(origin).port, "127.0.0.1");
	after(() => server.close());
}

serve(SPA_NEAR);
serve(SPA_FAR);
const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--host-resolver-rules=MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
after(() => browser.close());


// --- The person and the app -------------------------------------------------

async function visit(origin = SPA_NEAR, storageState = undefined) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, storageState });
	context.setDefaultTimeout(WAIT_MS);
	const page = await context.newPage();
	await page.goto(`${origin}/`);
	await state(page);
	return page;
}

async function state(page) {
	await page.locator("body[data-state]:not([data-state=starting])").waitFor();
	return page.locator("body").getAttribute("data-state");
}

const press = (page, button, options) => page.evaluate(([name, argument]) => globalThis.app[name](argument), [button, options]);

// leave: a button that leads away from the app, so that it never returns
const leave = (page, button, options) => page.evaluate(([name, argument]) => { globalThis.app[name](argument); }, [button, options]);

// atIssuer: do what its pages ask, if they ask; the app's state afterwards
async function atIssuer(page, { decision = "Allow" } = {}) {
	const next = (here) => page.waitForURL((url) => url.href !== here && /^(\/|.*\/login|.*\/consent)$/.test(url.pathname));
	await next(page.url());
	if (page.url().startsWith(`${ISSUER}/login`)) {
		const here = page.url();
		await page.getByLabel("User name").fill(LOGIN);
		await page.getByLabel("Password").fill(PASSWORD);
		await page.getByRole("button", { name: "Sign in" }).click();
		await next(here);
	}
	if (page.url().startsWith(`${ISSUER}/consent`)) {
		const here = page.url();
		await page.getByRole("button", { name: decision, exact: true }).click();
		await next(here);
	}
	return state(page);
}

// signedIn: the app has a user.  Most cases share one login at the issuer, whose cookie
// is kept here; a case that ends it asks for one of its own.
let login;
async function signedIn(origin, { own = false } = {}) {
	const page = await visit(origin, own ? undefined : login);
	await leave(page, "signIn");
	assert.equal(await atIssuer(page), "signed in");
	if (!own && login === undefined)
		login = { cookies: await page.context().cookies(ISSUER), origins: [] };
	return page;
}

// elsewhere: in another tab of the same browser, the person signs out of everything
async function signOutElsewhere(page) {
	const tab = await page.context().newPage();
	await tab.goto(`${ISSUER}/logout`);
	await tab.getByRole("button", { name: "Sign out" }).click();
	await tab.getByRole("heading", { name: "You are signed out" }).waitFor();
	await tab.close();
}

const frame = (origin) => ({ forceIframeAuth: true, redirect_uri: `${origin}/silent.html`, silentRequestTimeoutInSeconds: 20 });

const spa = (name, run) => test(name, async () => {
	try {
		await run();
	} finally {
		for (const context of browser.contexts())
			await context.close();
	}
});


// --- What must be true ------------------------------------------------------

spa("sign in", async () => {
	const page = await signedIn();
	assert.equal(page.url(), `${SPA_NEAR}/`, "the code has left the address bar");
	const user = await press(page, "user");
	assert.equal(user.token_type, "Bearer");
	assert.ok(user.expires_in > 590 && user.expires_in <= 600, user.expires_in);
	assert.deepEqual(sorted(user.scope), sorted(SCOPE));
	const { profile } = user;
	assert.deepEqual([profile.iss, profile.aud, profile.sub, profile.name, profile.email, profile.email_verified],
		[ISSUER, "spa", SUB, "Grace", "grace@example.org", false]);
	const { status, text } = await press(page, "drive");
	assert.equal(status, 200);
	assert.match(text, new RegExp(SUB));
});

spa("silent renewal by refresh token, near and far", async () => {
	for (const origin of [SPA_NEAR, SPA_FAR]) {
		const page = await signedIn(origin);
		const before = await press(page, "user");
		const after = await press(page, "renew");
		assert.notEqual(after.access_token, before.access_token, origin);
		assert.notEqual(after.refresh_token, before.refresh_token);
		assert.deepEqual([after.token_type, after.profile.sub, sorted(after.scope)], ["Bearer", SUB, sorted(SCOPE)]);
		assert.ok(after.expires_in > 590);
		assert.equal((await press(page, "drive")).status, 200);
	}
});

spa("the library renews before the token expires, by itself", async () => {
	const page = await signedIn();
	const { access_token } = await press(page, "user");
	await press(page, "expire", 62);	// the library's notice is a minute
	await page.waitForFunction((old) => globalThis.app.log.some(([what, token]) => what === "loaded" && token !== old), access_token);
	const renewed = await press(page, "user");
	assert.notEqual(renewed.access_token, access_token);
	assert.ok(renewed.expires_in > 590);
	assert.equal((await press(page, "drive")).status, 200);
});

spa("silent renewal in a frame: near", async () => {
	const page = await signedIn();
	const before = await press(page, "user");
	const after = await press(page, "renew", frame(SPA_NEAR));
	assert.ok(after.access_token, JSON.stringify(after));
	assert.notEqual(after.access_token, before.access_token);
	assert.equal(after.profile.sub, SUB);
	assert.equal((await press(page, "drive")).status, 200);
});

spa("silent renewal in a frame: far, where no cookie goes with it", async () => {
	const page = await signedIn(SPA_FAR);
	const answer = await press(page, "renew", frame(SPA_FAR));
	assert.deepEqual([answer.name, answer.error], ["ErrorResponse", "login_required"], JSON.stringify(answer));
	assert.ok((await press(page, "renew")).access_token, "the refresh token still works");
});

spa("signed in at the issuer already: a frame is enough", async () => {
	const page = await signedIn();
	await press(page, "forget");
	const user = await press(page, "renew", frame(SPA_NEAR));
	assert.equal(user.profile.sub, SUB);
});

spa("nobody is signed in: a frame is told so", async () => {
	const page = await visit();
	const answer = await press(page, "renew", frame(SPA_NEAR));
	assert.deepEqual([answer.name, answer.error], ["ErrorResponse", "login_required"]);
});

spa("signing out elsewhere ends renewal of both kinds, and the token", async () => {
	const page = await signedIn(SPA_NEAR, { own: true });
	await signOutElsewhere(page);
	assert.deepEqual((({ name, error }) => [name, error])(await press(page, "renew")), ["ErrorResponse", "invalid_grant"]);
	assert.equal((await press(page, "renew", frame(SPA_NEAR))).error, "login_required");
	const { status, challenge } = await press(page, "drive");
	assert.equal(status, 401);
	assert.match(challenge, /error="invalid_token"/, "the app may read the challenge");
});

spa("sign out", async () => {
	const page = await signedIn(SPA_NEAR, { own: true });
	await leave(page, "signOut");
	await page.waitForURL(`${SPA_NEAR}/signed-out*`);
	assert.equal(await state(page), "signed out");
	await page.goto(`${SPA_NEAR}/`);
	assert.equal((await press(page, "renew", frame(SPA_NEAR))).error, "login_required");
});

spa("denied", async () => {
	const page = await visit();
	await leave(page, "signIn", { prompt: "consent" });
	assert.equal(await atIssuer(page, { decision: "Deny" }), "refused");
	const { name, error } = await page.evaluate(() => globalThis.app.refusal);
	assert.deepEqual([name, error], ["ErrorResponse", "access_denied"]);
});

spa("an answer that nobody asked for", async () => {
	const page = await visit();
	await page.goto(`${SPA_NEAR}/?${new URLSearchParams({ code: "stolen", state: "another", iss: ISSUER })}`);
	assert.equal(await state(page), "refused");
	assert.match((await page.evaluate(() => globalThis.app.refusal)).message, /state/);
});

spa("a code is good for once", async () => {
	const page = await visit();
	await leave(page, "signIn");
	const answers = [];
	page.on("request", (request) => { if (request.url().startsWith(`${SPA_NEAR}/?`)) answers.push(request.url()); });
	assert.equal(await atIssuer(page), "signed in");
	await page.goto(answers[0]);
	assert.equal(await state(page), "refused");
});

spa("revoked by the app", async () => {
	const page = await signedIn();
	const { access_token } = await press(page, "user");
	await press(page, "revoke");
	const answer = await page.evaluate(([url, token]) => fetch(url, { headers: { Authorization: `Bearer ${token}` } }).then(({ status }) => status), [`${DRIVE}/whoami`, access_token]);
	assert.equal(answer, 401);
});
