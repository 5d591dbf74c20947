// A bed: Postern, NoteApp and Drive at work, for the browser to meet.
//
//   startDemo   what a newcomer starts: tools/demo, on names below localhost
//   startTls    the same data behind https, on names like those of a real site

import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, "../..");
const READY = /^Postern is ready: /m;
const START_SECONDS = 300;	// the first start builds
const STOP_SECONDS = 40;
const ENDPOINTS = ["authorize", "login", "consent", "account", "token", "jwks", "metadata", "guard"];

const pause = (seconds) => new Promise((wake) => setTimeout(wake, seconds * 1000));

// Whatever runs now, so that a signal to the test can stop it.
const running = new Set();

export async function stopAll() {
	for (const bed of [...running].reverse())
		await bed.stop();
}

// free: a port that nobody uses on either loopback address
export async function freePort() {
	const port = await new Promise((done, fail) => {
		const server = createServer().on("error", fail);
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => done(port));
		});
	});
	return await answers(port, "::1") ? freePort() : port;
}

// answers: does somebody listen at this port, or Unix socket?
function answers(where, host = "127.0.0.1") {
	return new Promise((done) => {
		const socket = typeof where === "string" ? connect(where) : connect(where, host);
		socket.on("connect", () => { socket.destroy(); done(true); });
		socket.on("error", () => done(false));
	});
}

async function until(what, seconds, condition) {
	for (const end = Date.now() + seconds * 1000; !await condition(); await pause(0.05))
		if (Date.now() > end)
			throw new Error(`${what}: not within ${seconds} s`);
}

// end: ask by a signal, insist after a while; only processes that we started
async function end(child, signal) {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
		return;
	const gone = new Promise((done) => child.once("exit", done));
	const insist = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
	child.kill(signal);
	await gone;
	clearTimeout(insist);
}

class Bed {
	constructor(name, directory) {
		Object.assign(this, { name, directory, processes: [], output: "" });
		running.add(this);
	}

	// start: a program of this bed; what it says is kept for a failure's report
	start(program, args, { env = {}, signal = "SIGTERM" } = {}) {
		const child = spawn(program, args, {
			cwd: ROOT,
			env: { ...process.env, ...env },
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,		// Ctrl-C reaches us, and we stop it in order
		});
		child.on("error", (error) => { this.output += `${program}: ${error.message}\n`; });
		for (const stream of [child.stdout, child.stderr])
			stream.on("data", (data) => { this.output += data; });
		this.processes.push({ child, signal });
	}

	lives() {
		return this.processes.every(({ child }) => child.pid !== undefined && child.exitCode === null && child.signalCode === null);
	}

	async ready(seconds, condition) {
		await until(this.name, seconds, async () => {
			if (!this.lives())
				throw new Error(`${this.name} did not start:\n${this.output}`);
			return condition();
		});
	}

	async stop() {
		await Promise.all(this.processes.splice(0).map(({ child, signal }) => end(child, signal)));
		await rm(this.directory, { recursive: true, force: true });
		running.delete(this);
	}

	// sql: a script as the owner of the database, :'name' standing for values.
	// Answers with its rows, each an array of texts.
	async sql(script, values = {}) {
		const options = Object.entries(values).map(([name, value]) => `--set=${name}=${value}`);
		const psql = run("bash", ["-c", '$POSTERN_PSQL -X -q -A -t -F "\t" -v ON_ERROR_STOP=1 --single-transaction "$@"', "psql", ...options],
			{ env: { ...process.env, POSTERN_PSQL: this.env.POSTERN_PSQL } });
		psql.child.stdin.end(script);
		const { stdout } = await psql;
		return stdout.split("\n").filter(Boolean).map((line) => line.split("\t"));
	}

	// value: the one value that a query has
	async value(script, values) {
		return (await this.sql(script, values))[0]?.[0];
	}

	// reset: what people did is undone; accounts, clients and signing keys stay
	async reset() {
		await this.sql(`
			DELETE FROM postern.api_key;
			DELETE FROM postern.consent;
			DELETE FROM postern.session;
			DELETE FROM postern.authorization_request;
			DELETE FROM postern.authorization_grant;
			DELETE FROM postern.login_throttle;`);
	}

	// setNoteApp: columns of NoteApp's row; answers with a function that undoes it
	async setNoteApp(columns) {
		const names = Object.keys(columns);
		const list = names.map((name) => `${name} = nullif(:'${name}', '')`).join(", ");
		const old = (await this.sql(`SELECT ${names.map((name) => `coalesce(${name}, '')`).join(", ")} FROM postern.client WHERE client_id = 'noteapp'`))[0];
		const set = (values) => this.sql(`UPDATE postern.client SET ${list} WHERE client_id = 'noteapp'`, values);
		await set(columns);
		return () => set(Object.fromEntries(names.map((name, i) => [name, old[i]])));
	}
}

// startDemo: tools/demo in a directory of its own, which is removed at the end
export async function startDemo({ web = "lighttpd", path = "" } = {}) {
	// Below /tmp and short: the path of a Unix socket has 107 octets at most.
	const directory = await mkdtemp(join(tmpdir(), "postern-browser-"));
	const bed = new Bed(`tools/demo --web ${web}${path && ` --path ${path}`}`, directory);
	const port = await freePort();

	bed.start(join(ROOT, "tools/demo"), ["--no-install", "--dir", join(directory, "d"), "--port", `${port}`, "--web", web,
		...path ? ["--path", path] : []]);
	try {
		await bed.ready(START_SECONDS, () => READY.test(bed.output));
	} catch (error) {
		await bed.stop();
		throw error;
	}
	// The shell's own quoting: let a shell read it.
	const { stdout } = await run("env", ["-i", "bash", "-c", 'set -a; . "$1"; exec env -0', "bash", join(directory, "d/env")]);
	bed.env = Object.fromEntries(stdout.split("\0").filter(Boolean).map((line) => line.split(/=(.*)/s).slice(0, 2)));
	bed.issuer = bed.env.POSTERN_ISSUER;
	bed.noteapp = bed.env.NOTEAPP_URL;
	bed.drive = bed.env.DRIVE_URL;
	bed.noteappDirectory = join(directory, "d/noteapp");
	return bed;
}

// startTls: the data of a demo at https://id.postern.test, with endpoints and an
// nginx of its own; the configuration is the shipped one, made to speak TLS.
// The browser must be told that the names below .test are at tlsPort.
export async function startTls(demo, tlsPort, path = "") {
	const directory = await mkdtemp(join(tmpdir(), "postern-browser-"));
	const bed = new Bed(`nginx with TLS${path && ` below ${path}`}`, directory);
	const at = (name) => join(directory, name);

	bed.env = demo.env;
	bed.issuer = `https://id.postern.test${path}`;
	bed.noteapp = "https://notes.example.test";
	bed.drive = "https://drive.example.test";
	bed.noteappDirectory = at("noteapp");
	await moveRows(bed);
	await makeCertificate(at);
	await copyNoteApp(bed, bed.noteappDirectory);
	await mkdir(at("tmp"));
	await writeFile(at("nginx.conf"), await nginxConf(bed, at, tlsPort, path));

	for (const endpoint of ENDPOINTS)
		bed.start("spawn-fcgi", ["-n", "-s", at(`${endpoint}.sock`), "-M", "0600", "-b", "1024", "--", join(demo.env.POSTERN_LIBEXECDIR, endpoint)],
			{ env: { POSTERN_CONFIG: demo.env.POSTERN_CONFIG } });
	bed.start("nginx", ["-e", at("nginx.log"), "-g", `daemon off;${process.getuid() === 0 ? " user root;" : ""}`, "-c", at("nginx.conf")],
		{ signal: "SIGQUIT" });
	try {
		await bed.ready(30, async () => await answers(tlsPort) &&
			(await Promise.all(ENDPOINTS.map((endpoint) => answers(at(`${endpoint}.sock`))))).every(Boolean));
	} catch (error) {
		await bed.stop();
		throw error;
	}
	return bed;
}

async function moveRows(bed) {
	await bed.sql(`
		UPDATE postern.issuer SET url = :'issuer';
		UPDATE postern.resource SET resource = :'drive' WHERE name = 'Drive';
		UPDATE postern.client SET client_uri = :'noteapp', logo_uri = :'noteapp' || '/logo.svg', redirect_uris = ARRAY[:'noteapp' || '/']
		    WHERE client_id = 'noteapp';`, bed);
}

async function makeCertificate(at) {
	await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=id.postern.test", "-addext", "subjectAltName=DNS:id.postern.test,DNS:notes.example.test,DNS:drive.example.test",
		"-keyout", at("key.pem"), "-out", at("certificate.pem")]);
}

async function copyNoteApp(bed, directory) {
	await cp(join(ROOT, "examples/noteapp"), directory, { recursive: true });
	const page = await readFile(join(directory, "index.html"), "utf8");
	await writeFile(join(directory, "index.html"),
		page.replace("http://localhost:8080", new URL(bed.issuer).origin).replace("http://drive.localhost:8080", bed.drive));
	await writeFile(join(directory, "config.json"), JSON.stringify({
		issuer: bed.issuer, client_id: "noteapp", scope: "openid profile files.read", drive: bed.drive,
	}));
}

async function nginxConf(bed, at, port, path) {
	const words = {
		PORT: port, ISSUER: bed.issuer, ISSUER_HOST: new URL(bed.issuer).host, ISSUER_PATH: path, RUNDIR: at("."), LOGDIR: at("."), TMPDIR: at("tmp"),
		DRIVE_HOST: new URL(bed.drive).host, DRIVE: bed.drive, DRIVE_DIR: join(ROOT, "examples/drive"),
		NOTEAPP_HOST: new URL(bed.noteapp).host, NOTEAPP_DIR: bed.noteappDirectory,
	};
	return (await readFile(join(ROOT, "conf/nginx.conf"), "utf8"))
		.replace(/@([A-Z_]+)@/g, (word, name) => words[name] ?? word)
		.replace(/listen (127\.0\.0\.1:\d+)/g, "listen $1 ssl")
		.replace(/^http \{$/m, `http {\n\tssl_certificate "${at("certificate.pem")}";\n\tssl_certificate_key "${at("key.pem")}";\n`);
}
