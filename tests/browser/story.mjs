// The story in the words of the person who lives it: each function is one thing
// that is done or seen, and checks what must be true there.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { checkBasics } from "./visit.mjs";

export const SCOPES = [
	["See your files", "Read the names and contents of the files you keep on Drive."],
];

const isPage = (visit, name) => (url) => url.href.split("?")[0] === `${visit.bed.issuer}/${name}`;

export const atLogin = (visit, page = visit.page) => page.waitForURL(isPage(visit, "login"));
export const atConsent = (visit, page = visit.page) => page.waitForURL(isPage(visit, "consent"));
export const atAccount = (visit, page = visit.page) => page.waitForURL(isPage(visit, "account"));

// see: NoteApp in a state
export async function see(visit, state, page = visit.page) {
	const app = page.locator("main[data-state]:not([data-state=starting])");
	await page.waitForURL((url) => url.origin === visit.bed.noteapp);
	await page.locator(`main[data-state=${state}]`).waitFor().catch(async (error) => {
		throw new Error(`NoteApp is ${await app.getAttribute("data-state").catch(() => "away")}, not ${state}: ${await page.locator("main").innerText()}`, { cause: error });
	});
	await checkBasics(page);
}

export async function openNoteApp(visit, page = visit.page) {
	await page.goto(visit.bed.noteapp);
	await see(visit, "idle", page);
}

export async function connect(visit, page = visit.page) {
	await page.locator("#connect").click();
}

export async function signIn(visit, password = visit.bed.env.DEMO_PASSWORD, page = visit.page) {
	await atLogin(visit, page);
	await checkBasics(page);
	assert.equal(await page.locator("h1").innerText(), "Sign in");
	await page.getByLabel("User name").fill(visit.bed.env.DEMO_LOGIN);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Sign in" }).click();
}

// beAsked: the consent page says who asks, for what, and where one goes back
export async function beAsked(visit, page = visit.page, { client = "NoteApp" } = {}) {
	await atConsent(visit, page);
	await checkBasics(page);
	assert.match(await page.locator("h1").innerText(), new RegExp(`^${client} `));
	const text = await page.locator("main").innerText();
	for (const words of SCOPES.flat())
		assert.ok(text.includes(words), `the consent page says "${words}":\n${text}`);
	for (const [fact, words] of [["Signed in as", "Ada Lovelace"], ["Access to", "Drive"], ["You will go back to", new URL(visit.bed.noteapp).hostname]])
		assert.equal(await page.locator("dl div", { hasText: fact }).locator("dd").innerText(), words, fact);
}

export const decide = (visit, name, page = visit.page) => page.getByRole("button", { name, exact: true }).click();

// allow: from NoteApp's button to its list of files
export async function allow(visit, page = visit.page) {
	await connect(visit, page);
	await signIn(visit, undefined, page);
	await beAsked(visit, page);
	await decide(visit, "Allow", page);
	await see(visit, "connected", page);
}

// readFile: the list, and what is in one of the files
export async function readFile(visit, page = visit.page) {
	assert.deepEqual(await page.locator("#list button span").allInnerTexts(),
		["Notes on the engine", "Reading list", "Scones", "Packing for the coast", "Birds seen in May"]);
	await page.getByRole("button", { name: "Scones" }).click();
	await page.locator("#file").waitFor();
	assert.match(await page.locator("#file-text").innerText(), /flour/i);
}

// openAccount: the person's own page, in another tab
export async function openAccount(visit) {
	const page = await visit.tab();
	await page.goto(`${visit.bed.issuer}/account`);
	await atAccount(visit, page);
	return page;
}

export async function disconnect(visit, page) {
	await page.getByRole("button", { name: "Disconnect NoteApp" }).click();
	await page.getByRole("status").waitFor();
	await checkBasics(page);
	assert.match(await page.getByRole("status").innerText(), /disconnected/);
	assert.match(await page.locator("main").innerText(), /No app is connected/);
}

// makeKey: on the account page, for the first right of the list
export async function makeKey(visit, name, page = visit.page) {
	await page.getByText("Make a new key").click();
	await page.getByLabel("Name, so that you will know it again").fill(name);
	await page.getByRole("checkbox").first().check();
	await page.getByRole("button", { name: "Make a key" }).click();
	await page.getByText("Your new key").waitFor();
}

// beRefused: NoteApp's next call; the browser logs the 401 as it should
export async function beRefused(visit, act) {
	visit.expect(/status of 401/);
	await act();
	await see(visit, "refused");
	assert.match(await visit.page.locator("#detail").innerText(), /^Bearer .*error="invalid_token"/);
	assert.match(await visit.page.locator("#steps").innerText(), /WWW-Authenticate: Bearer /);
}

// request: an authorization request by hand, as NoteApp's script would make it
export function request(bed, more = {}) {
	const verifier = randomBytes(32).toString("base64url");
	const parameters = {
		response_type: "code", client_id: "noteapp", redirect_uri: `${bed.noteapp}/`, scope: "openid profile files.read",
		state: randomBytes(8).toString("hex"), code_challenge_method: "S256",
		code_challenge: createHash("sha256").update(verifier).digest("base64url"), ...more,
	};
	return { ...parameters, verifier, url: `${bed.issuer}/authorize?${new URLSearchParams(parameters)}` };
}

// answerTo: the browser is back at the app, with an answer to that request
export async function answerTo(visit, asked, page = visit.page) {
	await page.waitForURL((url) => url.origin === visit.bed.noteapp && url.search !== "");
	const answer = new URL(page.url()).searchParams;
	assert.equal(answer.get("iss"), visit.bed.issuer, "RFC 9207");
	assert.equal(answer.get("state"), asked.state);
	return answer;
}
