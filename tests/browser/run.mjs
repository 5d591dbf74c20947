// run -- the story in a real browser
//
// usage: node tests/browser/run.mjs [--long] [--output DIR] [--only PATTERN]
//
// Prints TAP.  Screenshots go to DIR (default tests/output/browser): of every page
// and every state of NoteApp, and of the page where a case failed.
//
//   --long           also with TLS below a path, and every case behind nginx
//   --only PATTERN   the cases whose name matches

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { freePort, startDemo, startTls, stopAll } from "./bed.mjs";

if (!existsSync(resolve(import.meta.dirname, "node_modules/playwright-core"))) {
	console.log("Bail out! playwright-core is missing: run npm ci in tests/browser");
	process.exit(1);
}
const { cases } = await import("./cases.mjs");
const { screens } = await import("./screens.mjs");
const { Visit, launch } = await import("./visit.mjs");

const { values: options } = parseArgs({ options: {
	long: { type: "boolean" },
	output: { type: "string", default: resolve(import.meta.dirname, "../output/browser") },
	only: { type: "string", default: "" },
} });
const only = new RegExp(options.only);
let count = 0, failures = 0;

const wanted = (list) => list.filter(([name]) => only.test(name));

function report(name, problem = null, remark = "") {
	count++;
	console.log(`${problem ? "not ok" : "ok"} ${count} - ${name}${remark}`);
	if (problem) {
		failures++;
		console.log(problem.replace(/^/gm, "  # "));
	}
}

async function runCase(browser, bed, prefix, [name, act, context]) {
	const began = Date.now();
	let visit;
	try {
		await bed.reset();
		visit = await Visit.begin(browser, bed, context);
		await act(visit, options.output);
		await visit.end();
		report(`${prefix}: ${name}`, null, ` # ${((Date.now() - began) / 1000).toFixed(1)} s`);
	} catch (error) {
		report(`${prefix}: ${name}`, [error.stack, ...await lastWords(visit)].join("\n"));
	}
}

// lastWords: what helps to see why a case failed; no secret but those of this bed
async function lastWords(visit) {
	if (visit === undefined)
		return [];
	const words = ["where it went:", ...visit.trail.slice(-8), "what it complained about:", ...visit.complaints];
	for (const page of visit.context.pages()) {
		const file = `${options.output}/failure-${count + 1}-${page === visit.page ? "first" : "other"}.png`;
		await page.screenshot({ path: file, fullPage: true }).then(() => words.push(`see ${file}`), () => {});
	}
	await visit.context.close();
	return words;
}

async function runCases(browser, prefix, list, start) {
	const chosen = wanted(list);
	if (chosen.length === 0)
		return null;
	let bed;
	try {
		bed = await start();
	} catch (error) {
		report(`${prefix}: starts`, error.stack);
		return null;
	}
	for (const one of chosen)
		await runCase(browser, bed, prefix, one);
	return bed;
}

async function main() {
	await mkdir(options.output, { recursive: true });
	const tlsPort = await freePort();
	const browser = await launch(tlsPort);

	const demo = await runCases(browser, "lighttpd", [...cases.demo, ...screens], () => startDemo());
	await demo?.stop();
	const nginx = await runCases(browser, "nginx below /auth", options.long ? cases.demo : cases.path,
		() => startDemo({ web: "nginx", path: "/auth" }));
	const data = nginx ?? await startDemo({ web: "nginx", path: "/auth" });
	for (const path of options.long ? ["", "/auth"] : [""]) {
		const tls = await runCases(browser, `TLS, ${path ? `below ${path}` : "real names"}`, cases.tls, () => startTls(data, tlsPort, path));
		await tls?.stop();
	}
	await browser.close();
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
	process.once(signal, async () => {
		await stopAll();
		process.exit(1);
	});
try {
	console.log("TAP version 13");
	await main();
} catch (error) {
	report("the browser tests end as they should", error.stack);
} finally {
	await stopAll();
}
console.log(`1..${count}`);
process.exit(failures === 0 && count > 0 ? 0 : 1);
