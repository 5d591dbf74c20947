// The cases: each has a fresh browser, and the bed as it was in the beginning.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import * as story from "./story.mjs";
import { checkAxe, checkBasics } from "./visit.mjs";

const grants = (bed) => bed.value("SELECT count(*) FROM postern.authorization_grant").then(Number);
const consents = (bed) => bed.value("SELECT count(*) FROM postern.consent").then(Number);

// navigations: where the browser went since then, without the queries
const navigations = (visit, since) => visit.trail.slice(since).map((line) => line.split("?")[0].replace(`${visit.bed.issuer}/`, ""));


// --- The story --------------------------------------------------------------

async function allowed(visit) {
	await story.openNoteApp(visit);
	await story.connect(visit);
	await story.atLogin(visit);
	assert.match(await visit.page.locator("main").innerText(), /to continue to NoteApp/);
	await story.signIn(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Allow");
	await story.see(visit, "connected");
	await story.readFile(visit);
	assert.equal(visit.page.url(), `${visit.bed.noteapp}/`, "the code has left the address bar");
	assert.equal(await consents(visit.bed), 1);
}

async function denied(visit) {
	await story.openNoteApp(visit);
	await story.connect(visit);
	await story.signIn(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Deny");
	await story.see(visit, "denied");
	assert.match(await visit.page.locator("#steps").innerText(), /error = access_denied/);
	assert.equal(await consents(visit.bed), 0, "no is not stored as consent");
	assert.equal(await grants(visit.bed), 0, "no code was made");
}

async function wrongPassword(visit) {
	visit.expect(/status of 403 .*\/login/);
	await story.openNoteApp(visit);
	await story.connect(visit);
	await story.signIn(visit, "not the password");
	const alert = visit.page.getByRole("alert");
	await alert.waitFor();
	await checkBasics(visit.page);
	assert.match(await alert.innerText(), /name or the password is not right/);
	assert.match(await visit.page.title(), /^Error: /);
	assert.equal(await visit.page.getByLabel("User name").inputValue(), visit.bed.env.DEMO_LOGIN, "the name is kept");
	assert.equal(await visit.page.getByLabel("Password").inputValue(), "", "the password is not");
	assert.equal(await visit.page.evaluate(() => document.activeElement.id), "password");
	assert.equal((await visit.document("/login")).status, 403);

	await visit.page.getByLabel("Password").fill(visit.bed.env.DEMO_PASSWORD);
	await visit.page.keyboard.press("Enter");
	await story.beAsked(visit);
	await story.decide(visit, "Allow");
	await story.see(visit, "connected");
}

async function disconnected(visit) {
	await story.openNoteApp(visit);
	await story.allow(visit);
	const account = await story.openAccount(visit);
	await checkBasics(account);
	const text = await account.locator("main").innerText();
	for (const words of ["Ada Lovelace", "NoteApp", story.SCOPES[0][0]])
		assert.ok(text.includes(words), `the account page says "${words}"`);
	await story.disconnect(visit, account);
	await story.beRefused(visit, () => visit.page.locator("#reload").click());
}

// The same with one tab: through NoteApp's link, and back.
async function disconnectedAndBack(visit) {
	await story.openNoteApp(visit);
	await story.allow(visit);
	await visit.page.locator("#account").click();
	await story.atAccount(visit);
	await story.disconnect(visit, visit.page);
	await story.beRefused(visit, () => visit.page.goto(visit.bed.noteapp));
}

async function secondConnect(visit) {
	await story.openNoteApp(visit);
	await story.allow(visit);
	await visit.page.locator("#forget").click();
	await story.see(visit, "idle");

	const since = visit.trail.length;
	await story.connect(visit);
	await story.see(visit, "connected");
	assert.deepEqual(navigations(visit, since), ["GET authorize", `GET ${visit.bed.noteapp}/`], "no question was asked");

	await story.disconnect(visit, await story.openAccount(visit));
	await story.beRefused(visit, () => visit.page.getByRole("button", { name: "Scones" }).click());
	await story.connect(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Allow");
	await story.see(visit, "connected");
}


// Reload sends the form again; so does going back and forward, if the page is not kept.
async function keyOnce(visit) {
	const { page, bed } = visit;
	const keys = async () => Number(await bed.value("SELECT count(*) FROM postern.api_key"));
	const posts = () => navigations(visit, 0).filter((step) => step === "POST account").length;

	await page.goto(`${bed.issuer}/account`);
	await story.signIn(visit);
	await story.atAccount(visit);
	await story.makeKey(visit, "Nightly backup");
	const key = await page.locator(".secret").innerText();
	await checkBasics(page);
	for (let reloads = 1; reloads <= 2; reloads++) {
		await page.reload();
		await page.getByText("This key was made already").waitFor();
		await checkBasics(page);
		assert.equal(posts(), 1 + reloads, "the browser has sent the form again");
		assert.equal(await keys(), 1);
		assert.ok(!(await page.content()).includes(key), "the key was shown once");
		assert.equal(await page.getByRole("heading", { name: "Nightly backup" }).count(), 1);
	}
	await story.makeKey(visit, "Another one");	// this form is a new one
	assert.equal(await keys(), 2);
	assert.notEqual(await page.locator(".secret").innerText(), key);
}


// --- Our own pages without JavaScript ---------------------------------------

async function withoutScript(visit) {
	const { page, bed } = visit;
	const asked = story.request(bed);

	// The app's page cannot run its script; that it is refused one is not our affair.
	visit.expect(/status of 403 .*\/login/);
	await page.goto(asked.url);
	await story.signIn(visit, "not the password");
	await page.getByRole("alert").waitFor();
	await story.signIn(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Allow");
	const answer = await story.answerTo(visit, asked);
	const redeemed = await redeem(visit, asked, answer.get("code"));
	assert.equal(redeemed.status(), 200);
	assert.equal((await redeem(visit, asked, answer.get("code"))).status(), 400, "a code is good for once");

	await page.goto(`${bed.issuer}/account`);
	await story.disconnect(visit, page);
	const again = story.request(bed);
	await page.goto(again.url);
	await story.beAsked(visit);
	await story.decide(visit, "Deny");
	assert.equal((await story.answerTo(visit, again)).get("error"), "access_denied");

	await page.goto(`${bed.issuer}/account`);
	await page.getByRole("button", { name: "Sign out" }).click();
	await page.getByText("You are signed out").waitFor();
	await checkBasics(page);
	await page.getByRole("link", { name: "Sign in again" }).click();
	await story.atLogin(visit);

	visit.expect(/status of 400 .*\/authorize/);
	await page.goto(story.request(bed, { client_id: "nobody" }).url);
	await checkBasics(page);
	assert.match(await page.locator("main").innerText(), /not known to this server/);
	assert.equal(new URL(page.url()).origin, new URL(bed.issuer).origin, "an error page, not a redirect");
}

function redeem(visit, asked, code) {
	return visit.context.request.post(`${visit.bed.issuer}/token`, { form: {
		grant_type: "authorization_code", code, redirect_uri: asked.redirect_uri, client_id: asked.client_id, code_verifier: asked.verifier,
	} });
}


// --- Sites, cookies, frames -------------------------------------------------

// crossSite: the browser itself takes the three for different sites, and the
// story works all the same; what is stored is what may be stored.
async function crossSite(visit) {
	const { bed, page } = visit;
	const secure = bed.issuer.startsWith("https:");
	const path = new URL(bed.issuer).pathname;
	const prefix = secure ? path === "/" ? "__Host-" : "__Secure-" : "";

	await story.openNoteApp(visit);
	await story.allow(visit);
	await story.readFile(visit);
	await page.locator("#forget").click();
	await story.connect(visit);
	await story.see(visit, "connected");
	const authorize = await visit.document("/authorize");
	assert.equal(authorize.request["sec-fetch-site"], "cross-site");
	assert.match(authorize.request.cookie, new RegExp(`${prefix}postern_session=`), "Lax lets the session come along");

	const cookies = await visit.context.cookies();
	assert.deepEqual(cookies.map(({ name }) => name).sort(), [`${prefix}postern_browser`, `${prefix}postern_session`]);
	for (const { name, value, expires, ...rest } of cookies) {
		assert.deepEqual(rest, { domain: new URL(bed.issuer).hostname, path, httpOnly: true, secure, sameSite: "Lax" }, name);
		assert.ok(value.length >= 32 && expires === -1, `${name} is random and ends with the browser`);
	}
	// Another site's form: the cookie stays at home, and the post changes nothing.
	await foreignPage(visit, `<form method="post" action="${bed.issuer}/account"><input name="action" value="disconnect"><input name="client_id" value="noteapp"><button>win</button></form>`);
	await page.getByRole("button", { name: "win" }).click();
	await story.atLogin(visit);
	assert.equal(await consents(bed), 1, "the app is still connected");
}

// foreignPage: what somebody else would put on a site of theirs; NoteApp's is another
// site to the issuer, and what lies beside its page has no policy of its own
async function foreignPage(visit, body) {
	const name = `foreign-${randomUUID()}.html`;
	await writeFile(`${visit.bed.noteappDirectory}/${name}`, `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>foreign</title>${body}`);
	await visit.page.goto(`${visit.bed.noteapp}/${name}`);
}

async function framed(visit) {
	const { bed, page } = visit;
	// A session first, so that there would be something to steal a click from.
	const asked = story.request(bed);
	await page.goto(asked.url);
	await story.signIn(visit);
	await story.beAsked(visit);
	const consent = page.url();

	visit.expect(/violat.*frame-ancestors/);
	visit.expect(/status of 400 .*chrome-error:/);	// the session stays at home, so there is no such question
	visit.expect(/failed: .* net::ERR_BLOCKED_BY_RESPONSE/);
	// The last one shows that this test would notice: Drive's page may be framed.
	for (const [url, shown] of [
		[`${bed.issuer}/login`, false], [asked.url, false], [consent, false], [`${bed.issuer}/account`, false],
		[`${bed.drive}/`, true],
	]) {
		await foreignPage(visit, `<iframe src="${url}"></iframe>`);
		const frame = page.frames()[1];
		await frame.waitForLoadState();
		assert.equal(!frame.url().startsWith("chrome-error:"), shown, `${url} in a frame`);
		assert.equal(await frame.locator("form").count(), 0);
	}
}


// --- Doing it again, going back, two tabs -----------------------------------

async function promptLogin(visit) {
	const { page, bed } = visit;
	await story.openNoteApp(visit);
	await story.allow(visit);

	const asked = story.request(bed, { prompt: "login" });
	await page.goto(asked.url);
	await story.signIn(visit);
	const answer = await story.answerTo(visit, asked);
	assert.ok(answer.has("code"), "logged in again, and not asked twice");

	const none = story.request(bed, { prompt: "none" });
	await page.goto(none.url);
	assert.ok((await story.answerTo(visit, none)).has("code"));
}

async function back(visit) {
	const { page, bed } = visit;
	await story.openNoteApp(visit);
	await story.allow(visit);
	assert.equal(await grants(bed), 1);

	visit.expect(/status of 400 .*\/consent/);
	await page.goBack();
	await story.atConsent(visit);
	if (await page.getByRole("button", { name: "Allow" }).count() > 0)	// from the browser's memory
		await story.decide(visit, "Allow");
	await page.getByText("has been answered already").waitFor();
	await checkBasics(page);
	assert.equal(await page.locator("form").count(), 0, "there is nothing to press");
	await page.goBack();
	await story.signIn(visit);
	await story.see(visit, "error");	// NoteApp has its answer; it did not ask for a second one
	assert.match(await page.locator("#title").innerText(), /did not ask/);
	assert.equal(await consents(bed), 1);
}

// twoLogins: two tabs at the login page, one after the other
async function twoLogins(visit) {
	const other = await openTabs(visit);

	await story.signIn(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Allow");
	await story.see(visit, "connected");
	await story.signIn(visit, undefined, other);
	await story.see(visit, "connected", other);
	assert.equal(await consents(visit.bed), 1);
}

// twoQuestions: two tabs at the consent page, in the same session
async function twoQuestions(visit) {
	const other = await openTabs(visit);

	await story.signIn(visit);
	await story.beAsked(visit);
	await other.reload();		// it is still at the login page
	await story.openNoteApp(visit, other);
	await story.connect(visit, other);
	await story.beAsked(visit, other);
	for (const page of [visit.page, other]) {
		await story.decide(visit, "Allow", page);
		await story.see(visit, "connected", page);
	}
	assert.equal(await consents(visit.bed), 1);
}

// openTabs: NoteApp's journey has begun in two
async function openTabs(visit) {
	const other = await visit.tab();

	for (const page of [visit.page, other]) {
		await story.openNoteApp(visit, page);
		await story.connect(visit, page);
		await story.atLogin(visit, page);
	}
	return other;
}


// --- Guessing ---------------------------------------------------------------

async function throttled(visit) {
	const { page, bed } = visit;
	visit.expect(/status of 403 .*\/login/);
	visit.expect(/status of 429 .*\/login/);
	await page.goto(`${bed.issuer}/account`);
	for (let attempts = 0; attempts < 15; attempts++) {
		await story.signIn(visit, "a guess");
		await page.getByRole("alert").waitFor();
		if ((await visit.document("/login")).status === 429)
			break;
	}
	assert.equal((await visit.document("/login")).status, 429);
	assert.match(await page.getByRole("alert").innerText(), /wait \d+ min/);
	await checkBasics(page);

	await bed.sql("UPDATE postern.login_throttle SET blocked_until = now() + interval '1 hour'");
	await story.signIn(visit);
	await page.getByRole("alert").waitFor();
	assert.equal((await visit.document("/login")).status, 429, "the right password must wait as well");
	await bed.sql("DELETE FROM postern.login_throttle");
	await story.signIn(visit);
	await story.atAccount(visit);
}


// --- What others have written -----------------------------------------------

const MARKUP = `<img src=x onerror=alert(1)> <b>"Note" & 'App'</b> {{client_id}} &lt;`;

async function markup(visit) {
	const { page, bed } = visit;
	const undo = [await bed.setNoteApp({ client_name: MARKUP })];
	await bed.sql("UPDATE postern.account SET name = :'name'; UPDATE postern.scope SET title = :'name', description = :'name' WHERE scope = 'files.read'", { name: MARKUP });
	undo.push(() => bed.sql(`UPDATE postern.account SET name = 'Ada Lovelace';
		UPDATE postern.scope SET title = :'title', description = :'description' WHERE scope = 'files.read'`,
	{ title: story.SCOPES[0][0], description: story.SCOPES[0][1] }));
	page.on("dialog", (dialog) => visit.complain(`a dialog: ${dialog.message()}`));

	try {
		const asked = story.request(bed);
		await page.goto(asked.url);
		await showsMarkup(page, ".lead strong", 0);
		await story.signIn(visit);
		await story.atConsent(visit);
		await showsMarkup(page, "h1", 1);
		for (const part of [".facts", ".scopes"])
			assert.ok((await page.locator(part).innerText()).includes(MARKUP), part);
		await story.decide(visit, "Allow");
		await story.answerTo(visit, asked);
		await page.goto(`${bed.issuer}/account`);
		await showsMarkup(page, "h1", 0);
		await showsMarkup(page, "h3", 0);
		assert.equal(await page.getByRole("button", { name: `Disconnect ${MARKUP}`, exact: true }).count(), 1);
	} finally {
		for (const again of undo)
			await again();
	}
}

async function showsMarkup(page, part, images) {
	assert.ok((await page.locator(part).first().innerText()).includes(MARKUP), `${part} of ${page.url()}`);
	assert.equal(await page.locator("main b").count(), 0);
	assert.equal(await page.locator("img").count(), images, "the logo, and no other image");
	await checkBasics(page);
}

async function logo(visit) {
	const { page, bed } = visit;
	await page.goto(story.request(bed).url);
	await story.signIn(visit);
	await story.beAsked(visit);
	const image = page.locator("img");
	assert.equal(await image.getAttribute("src"), `${bed.noteapp}/logo.svg`);
	assert.ok(await image.evaluate((element) => element.complete && element.naturalWidth > 0), "the logo is shown");
	const policy = (await visit.document("/consent")).headers["content-security-policy"];
	assert.match(policy, new RegExp(`img-src ${bed.noteapp}(;|$)`));

	// The browser holds to it: from elsewhere comes nothing, and no script runs.
	visit.expect(/img-src|logo\.svg csp/);
	visit.expect(/script-src|default-src/);
	await page.evaluate(async (url) => {
		const image = document.createElement("img");
		const answer = new Promise((done) => { image.onerror = () => done("refused"); image.onload = () => done("loaded"); });
		image.src = url;
		document.body.append(image);
		const script = document.createElement("script");
		script.textContent = "window.ran = true";
		document.body.append(script);
		if (await answer !== "refused" || window.ran)
			throw new Error("the policy was not applied");
	}, `${bed.drive}/logo.svg`);
}


// --- By keyboard ------------------------------------------------------------

// tabTo: press Tab until the focus is there; each stop must be visible
async function tabTo(page, name, most = 8) {
	for (let presses = 0; presses < most; presses++) {
		await page.keyboard.press("Tab");
		const focus = await page.evaluate(() => {
			const element = document.activeElement;
			const style = getComputedStyle(element);
			return {
				name: element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText,
				visible: element.matches(":focus-visible") && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
			};
		});
		assert.ok(focus.visible, `the focus on "${focus.name}" is visible`);
		if (focus.name === name)
			return;
	}
	assert.fail(`Tab does not lead to "${name}"`);
}

// typeLogin: into the field that gets the focus by itself, a moment after the page is there
async function typeLogin(visit) {
	const { page, bed } = visit;

	await story.atLogin(visit);
	await page.waitForFunction(() => document.activeElement.id === "username");
	await page.keyboard.type(bed.env.DEMO_LOGIN);
	await tabTo(page, "Password", 1);
	await page.keyboard.type(bed.env.DEMO_PASSWORD);
}

async function keyboard(visit) {
	const { page } = visit;
	const press = async (name) => { await tabTo(page, name); await page.keyboard.press("Enter"); };

	await story.openNoteApp(visit);
	await press("Connect to Drive");
	await typeLogin(visit);
	await tabTo(page, "Sign in", 1);
	await page.keyboard.press("Enter");
	await story.beAsked(visit);
	await tabTo(page, "Deny");
	await tabTo(page, "Allow", 1);
	await page.keyboard.press("Enter");
	await story.see(visit, "connected");
	await tabTo(page, "Read the list again");
	await page.keyboard.press("Enter");
	await press("Manage the connection");
	await story.atAccount(visit);
	await press("Disconnect NoteApp");
	await page.getByRole("status").waitFor();
	await press("Sign out");
	await page.getByText("You are signed out").waitFor();
	await press("Sign in again");
	await typeLogin(visit);
	await page.keyboard.press("Enter");		// in a field it sends the form
	await story.atAccount(visit);
}

async function contrast(visit) {
	const { page, bed } = visit;
	const check = async () => {
		for (const colorScheme of ["light", "dark"]) {
			await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
			await checkAxe(page);
		}
	};
	visit.expect(/status of 400 .*\/authorize/);
	visit.expect(/status of 403 .*\/login/);

	await story.openNoteApp(visit);
	await check();
	await story.connect(visit);
	await story.atLogin(visit);
	await check();
	await story.signIn(visit, "not the password");
	await page.getByRole("alert").waitFor();
	await check();
	await story.signIn(visit);
	await story.beAsked(visit);
	await check();
	await story.decide(visit, "Allow");
	await story.see(visit, "connected");
	await story.readFile(visit);
	await check();
	await page.goto(`${bed.issuer}/account`);
	await check();
	await story.disconnect(visit, page);
	await check();
	await story.beRefused(visit, () => page.goto(bed.noteapp));
	await check();
	await page.goto(`${bed.issuer}/account`);
	await page.getByRole("button", { name: "Sign out" }).click();
	await page.getByText("You are signed out").waitFor();
	await check();
	await page.goto(story.request(bed, { client_id: "nobody" }).url);
	await check();
}

const STORY = [
	["Allow: NoteApp reads a file on Drive", allowed],
	["Disconnect: the next call is refused", disconnected],
];

// By the bed that they run in.
export const cases = {
	demo: [
		...STORY,
		["Deny: nothing is connected, nothing is stored", denied],
		["a wrong password first", wrongPassword],
		["Disconnect, and back to NoteApp", disconnectedAndBack],
		["a second connect asks nothing; after Disconnect it asks again", secondConnect],
		["reload after Make a key: one key, shown once", keyOnce],
		["our pages without JavaScript", withoutScript, { javaScriptEnabled: false }],
		["three sites: cookies, and a form of another site", crossSite],
		["prompt=login asks for the password again", promptLogin],
		["the back button after Allow", back],
		["two tabs at the login page", twoLogins],
		["two tabs at the consent page", twoQuestions],
		["many guesses: the page says to wait", throttled],
		["markup in names is text", markup],
		["the logo comes from its origin only", logo],
		["no page of ours shows in a frame", framed],
		["the story by keyboard", keyboard],
		["axe-core finds nothing serious, light and dark", contrast],
	],
	path: STORY,
	tls: [
		...STORY,
		["three sites: cookies, and a form of another site", crossSite],
		["no page of ours shows in a frame", framed],
	],
};
