// Pictures of every page and of every state of NoteApp: phone and desktop, light
// and dark.  They are test output, for people to look at.  What a machine can see
// is checked on the way: nothing is wider than the screen, down to 320 pixels.

import assert from "node:assert/strict";
import * as story from "./story.mjs";
import { DESKTOP, PHONE, checkBasics } from "./visit.mjs";

const NARROWEST = { width: 320, height: 640 };

// camera: a function that takes four pictures of the page as it is
function camera(visit, directory) {
	return async (name, page = visit.page) => {
		await page.mouse.move(0, 0);
		for (const [size, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
			await page.setViewportSize(viewport);
			for (const colorScheme of ["light", "dark"]) {
				await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
				await page.screenshot({ path: `${directory}/${name}-${size}-${colorScheme}.png`, fullPage: true });
			}
		}
		await page.setViewportSize(NARROWEST);
		await checkBasics(page, { main: name === "drive" ? 0 : 1 });
		await page.setViewportSize(DESKTOP);
	};
}

async function pages(visit, directory) {
	const { page, bed } = visit;
	const take = camera(visit, directory);

	visit.expect(/status of 403 .*\/login/);
	visit.expect(/status of 429 .*\/login/);
	visit.expect(/status of 400 .*\/(authorize|consent)/);
	await page.goto(`${bed.issuer}/account`);
	await take("login-to-account");
	await page.goto(story.request(bed).url);
	await take("login");
	await story.signIn(visit, "not the password");
	await page.getByRole("alert").waitFor();
	await take("login-wrong");
	for (let attempts = 0; attempts < 15 && (await visit.document("/login")).status !== 429; attempts++) {
		await story.signIn(visit, "a guess");
		await page.getByRole("alert").waitFor();
	}
	await take("login-throttled");
	await bed.sql("DELETE FROM postern.login_throttle");

	await story.signIn(visit);
	await story.beAsked(visit);
	await take("consent");
	await page.getByRole("button", { name: "Allow" }).focus();
	await page.keyboard.press("Shift+Tab");
	await take("consent-focus");
	await longConsent(visit, take);

	await page.goto(`${bed.issuer}/account`);
	await take("account-empty");
	await page.goto(story.request(bed).url);
	await story.decide(visit, "Allow");
	await page.waitForURL((url) => url.origin === bed.noteapp);
	await page.goto(`${bed.issuer}/account`);
	await take("account");
	await story.makeKey(visit, "Nightly backup");
	await take("account-key");
	await page.reload();
	await page.getByText("This key was made already").waitFor();
	await take("account-key-again");
	await story.disconnect(visit, page);
	await take("account-disconnected");
	await page.getByRole("button", { name: "Sign out" }).click();
	await page.getByText("You are signed out").waitFor();
	await take("signed-out");

	await page.goto(story.request(bed, { client_id: "nobody" }).url);
	await take("error-client");
	await page.goto(story.request(bed, { redirect_uri: "https://elsewhere.example/" }).url);
	await take("error-redirect-uri");
	await page.goto(`${bed.issuer}/consent?request=none`);
	await take("error-consent");
	await page.goto(`${bed.drive}/`);
	await take("drive");
}

// longConsent: long names, many rights, a sensitive one, no logo
async function longConsent(visit, take) {
	const { page, bed } = visit;
	const undo = await bed.setNoteApp({
		client_name: "Correspondence & Archive Assistant for Mathematicians (International Edition)", logo_uri: "",
		policy_uri: "https://notes.example.test/privacy", tos_uri: "https://notes.example.test/terms",
		scope: "openid profile email files.read files.write",
	});
	await bed.sql("UPDATE postern.scope SET sensitive = true WHERE scope = 'files.write'");
	try {
		await page.goto(story.request(bed, { scope: "openid profile email files.read files.write" }).url);
		await story.atConsent(visit);
		await take("consent-long");
	} finally {
		await undo();
		await bed.sql("UPDATE postern.scope SET sensitive = false WHERE scope = 'files.write'");
	}
}

async function noteapp(visit, directory) {
	const { page, bed } = visit;
	const take = camera(visit, directory);

	await starting(visit, take);
	await story.openNoteApp(visit);
	await take("noteapp-idle");
	await story.connect(visit);
	await story.signIn(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Deny");
	await story.see(visit, "denied");
	await take("noteapp-denied");
	await story.connect(visit);
	await story.beAsked(visit);
	await story.decide(visit, "Allow");
	await story.see(visit, "connected");
	await take("noteapp-connected");
	await story.readFile(visit);
	await take("noteapp-connected-file");
	const account = await story.openAccount(visit);
	await story.disconnect(visit, account);
	await story.beRefused(visit, () => page.locator("#reload").click());
	await take("noteapp-refused");
	await page.goto(`${bed.noteapp}/?code=forged&state=forged`);
	await story.see(visit, "error");
	await take("noteapp-error");
}

// starting: its first moment, held by keeping its configuration back
async function starting(visit, take) {
	const { page, bed } = visit;
	let release;
	const held = new Promise((done) => { release = done; });

	await page.route("**/config.json", async (route) => { await held; await route.continue(); });
	await page.goto(bed.noteapp, { waitUntil: "domcontentloaded" });
	assert.equal(await page.locator("main").getAttribute("data-state"), "starting");
	await take("noteapp-starting");
	release();
	await story.see(visit, "idle");
	await page.unroute("**/config.json");
}

export const screens = [
	["pictures of every page", pages],
	["pictures of every state of NoteApp", noteapp],
];
