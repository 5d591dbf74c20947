// A visit: one person's browser, fresh, and everything that is watched in it.
//
// Whatever the browser complains about (console, uncaught errors, violated
// policies, requests that fail, requests to a stranger) fails the case, unless
// the case has announced it; so does an announced complaint that never comes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WAIT_MS = 15_000;

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

// launch: Debian's Chromium.  Names below .test are at tlsPort; no name leads away
// from this machine.
export function launch(tlsPort) {
	return chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: [
			"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
			"--disable-background-networking", "--disable-component-update", "--disable-sync",
			`--host-resolver-rules=MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1, MAP *.test 127.0.0.1:${tlsPort}, MAP * ~NOTFOUND`,
		],
	});
}

export class Visit {
	constructor(bed, context) {
		Object.assign(this, { bed, context, complaints: [], expected: [], trail: [], documents: [], watches: [] });
		this.origins = new Set([bed.issuer, bed.noteapp, bed.drive].map((url) => new URL(url).origin));
	}

	static async begin(browser, bed, options = {}) {
		const context = await browser.newContext({ viewport: DESKTOP, ignoreHTTPSErrors: bed.issuer.startsWith("https:"), ...options });
		const visit = new Visit(bed, context);

		context.setDefaultTimeout(WAIT_MS);
		context.on("console", (message) => visit.heard(message));
		context.on("weberror", (error) => visit.complain(`uncaught: ${error.error()}`));
		context.on("request", (request) => visit.sent(request));
		context.on("response", (response) => visit.received(response));
		context.on("requestfailed", (request) => visit.failed(request));
		visit.page = await visit.tab();
		return visit;
	}

	// tab: another one, watched like the first
	async tab() {
		const page = await this.context.newPage();
		const session = await this.context.newCDPSession(page);

		// The browser's own list of issues: policies, cookies, mixed content.
		session.on("Audits.issueAdded", ({ issue }) => this.audited(issue));
		await session.send("Audits.enable");
		page.on("crash", () => this.complain("the page crashed"));
		return page;
	}

	complain(text) {
		this.complaints.push(text);
	}

	// expect: complaints like this belong to the case; at least one must come
	expect(pattern) {
		this.expected.push({ pattern, seen: false });
	}

	heard(message) {
		if (message.type() === "error" || message.type() === "warning")
			this.complain(`console: ${message.text()} (${message.location().url})`);
	}

	audited(issue) {
		const quiet = ["GenericIssue"];	// hints about autofill, not about what we send
		if (!quiet.includes(issue.code))
			this.complain(`issue: ${issue.code} ${JSON.stringify(issue.details)}`);
	}

	sent(request) {
		const { origin } = new URL(request.url());
		if (!this.origins.has(origin))
			this.complain(`request to a stranger: ${request.url()}`);
		if (request.isNavigationRequest())
			this.trail.push(`${request.method()} ${request.url()}`);
	}

	failed(request) {
		const { errorText } = request.failure();
		// A navigation that another one overtook.
		if (errorText !== "net::ERR_ABORTED")
			this.complain(`failed: ${request.url()} ${errorText}`);
	}

	received(response) {
		const url = response.url();
		const page = url === this.bed.issuer || url.startsWith(`${this.bed.issuer}/`);
		if (page && response.request().isNavigationRequest())
			this.watches.push(this.checkPage(response));
	}

	// checkPage: what every answer of authorize, login, consent and account must say
	async checkPage(response) {
		const headers = await response.allHeaders();
		const wrong = [];
		const must = (name, test) => {
			if (!test(headers[name] ?? ""))
				wrong.push(`${name}: ${headers[name]}`);
		};

		this.documents.push({ url: response.url(), status: response.status(), headers, request: await response.request().allHeaders() });
		must("content-security-policy", (value) => /default-src 'none'/.test(value) && /frame-ancestors 'none'/.test(value) && !/unsafe|\*/.test(value));
		must("x-frame-options", (value) => value === "DENY");
		must("x-content-type-options", (value) => value === "nosniff");
		must("referrer-policy", (value) => value === "no-referrer");
		must("cache-control", (value) => value === "no-store");
		must("strict-transport-security", (value) => url(response).protocol === "https:" ? /^max-age=\d{8}/.test(value) : value === "");
		must("access-control-allow-origin", (value) => value === "");
		must("server", (value) => !/\d/.test(value));
		if (wrong.length > 0)
			this.complain(`headers of ${response.url()}: ${wrong.join("; ")}`);
	}

	// document: the last answer of ours whose path ends so
	async document(path) {
		await Promise.all(this.watches);
		const found = this.documents.findLast((answer) => new URL(answer.url).pathname.endsWith(path));
		assert.ok(found, `no answer from ${path}`);
		return found;
	}

	// end: close, and judge what was heard
	async end() {
		// The browser reports by messages of its own; a question waits until they are through.
		for (const page of this.context.pages())
			await page.evaluate("0").catch(() => {});
		await Promise.allSettled(this.watches);
		await this.context.close();
		const unexpected = this.complaints.filter((text) => {
			const known = this.expected.filter(({ pattern }) => pattern.test(text));
			for (const expectation of known)
				expectation.seen = true;
			return known.length === 0;
		});
		const missing = this.expected.filter(({ seen }) => !seen).map(({ pattern }) => `not heard: ${pattern}`);
		assert.deepEqual([...unexpected, ...missing], [], "what the browser complained about");
	}
}

const url = (response) => new URL(response.url());

// checkBasics: what every page owes to everybody
export async function checkBasics(page, { main = 1 } = {}) {
	const found = await page.evaluate(() => ({
		h1: document.querySelectorAll("h1").length,
		main: document.querySelectorAll("main").length,
		lang: document.documentElement.lang,
		title: document.title,
		unlabelled: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
			.filter((field) => field.labels.length === 0).map((field) => field.name),
		images: [...document.images].filter((image) => !image.hasAttribute("alt")).length,
		overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
	}));
	const { title, ...rest } = found;
	assert.notEqual(title, "", "the page has a title");
	assert.deepEqual(rest, { h1: 1, main, lang: "en", unlabelled: [], images: 0, overflow: 0 }, page.url());
}

// checkAxe: what axe-core finds serious, contrast among it
export async function checkAxe(page) {
	await page.evaluate(AXE);
	const violations = await page.evaluate(async () => {
		const { violations } = await window.axe.run(document, {
			preload: false,		// it would fetch style sheets, which the policy forbids
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		});
		return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
			.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
	});
	assert.deepEqual(violations, [], `axe-core at ${page.url()}`);
}
