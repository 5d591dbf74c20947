// NoteApp: an OAuth 2.0 client that runs in the browser.
//
// It is a *public* client: whoever opens this page can read all of it, so it has
// no secret. What protects the login instead is PKCE (RFC 7636). The functions
// stand in the order in which things happen:
//
//   discover      where are the server's endpoints?              RFC 8414
//   connect       send the person to the authorization server    RFC 6749 section 4.1.1
//   comeBack      the person returns, with a code or a refusal   RFC 6749 section 4.1.2, RFC 9207
//   redeem        exchange the code for a token                  RFC 6749 section 4.1.3
//   readIdToken   who logged in?                                 OpenID Connect Core section 3.1.3.7
//   callDrive     use the token                                  RFC 6750 section 2.1
//
// Each of them also writes down what it did, for the list of steps on the page.

const config = await (await fetch("config.json")).json();

// The registered redirect URI is this page itself; it must match to the letter.
const redirectUri = new URL("/", location.href).href;

// sessionStorage lives as long as this tab. It carries the login across the journey
// to the authorization server and back, and spares a new login on reload. A script
// injected into this page could read it: hence the strict Content-Security-Policy.
const memory = {
	get: (name) => JSON.parse(sessionStorage.getItem(name)),
	set: (name, value) => sessionStorage.setItem(name, JSON.stringify(value)),
	forget: (name) => sessionStorage.removeItem(name),
};

class Problem extends Error {
	constructor(state, title, text, detail = "") {
		super(text);
		Object.assign(this, { state, title, detail });
	}
}

const problem = (title, text, detail) => new Problem("error", title, text, detail);


// --- The protocol -----------------------------------------------------------

async function discover() {
	const url = `${config.issuer}/.well-known/openid-configuration`;
	const { response, body } = await exchange(
		"Find the authorization server",
		"All that NoteApp knows is the server's name, the issuer. A document at a well-known place below it says where the endpoints are.",
		url);

	if (!response.ok)
		throw problem("The authorization server does not answer", `Its metadata came back with status ${response.status}.`);
	// RFC 8414 section 3.3: a document about another issuer is not to be used.
	if (body.issuer !== config.issuer)
		throw problem("This is the wrong server", `NoteApp asked for ${config.issuer}, but the metadata is about ${body.issuer}.`);
	return body;
}

async function connect() {
	memory.forget("token");
	memory.set("steps", []);
	const server = await discover();

	// Three random values, for three questions at the end of the journey:
	const login = {
		verifier: randomText(),	// is it the same app that redeems the code?   (PKCE)
		state: randomText(),	// is it the answer to a question that we asked?
		nonce: randomText(),	// is the ID token about this very login?
		server,			// whom we asked, who alone may answer
	};
	memory.set("login", login);

	const url = new URL(server.authorization_endpoint);
	url.search = new URLSearchParams({
		response_type: "code",
		client_id: config.client_id,
		redirect_uri: redirectUri,
		scope: config.scope,
		state: login.state,
		nonce: login.nonce,
		code_challenge: base64url(await sha256(login.verifier)),
		code_challenge_method: "S256",
	});
	note({
		title: "Send you there",
		text: "NoteApp never sees your password. It sends your browser to the authorization server and says which rights it wants. "
			+ "It keeps a random code_verifier to itself and shows only its SHA-256, the code_challenge: a stolen code is worth nothing without it.",
		sent: describe("GET", url),
	});
	location.assign(url);
}

async function comeBack(answer) {
	const login = memory.get("login");
	memory.forget("login");

	// The code has no business in the address bar, the history or a bookmark.
	history.replaceState(null, "", redirectUri);
	note({
		title: answer.has("code") ? "You are back, with a code" : "You are back, without a code",
		text: answer.has("code")
			? "Your browser brought a one-time code. It passed through the address bar, so it is not the token: it is good for one exchange, by NoteApp, for a short while."
			: "The authorization server sent you back with an error instead of a code.",
		received: describe("GET", new URL(`${redirectUri}?${answer}`)),
	});

	if (login === null || answer.get("state") !== login.state)
		throw problem("NoteApp did not ask for this", "The state in the answer is not the one that NoteApp sent. Somebody else may have started this login, so it ends here.");

	// RFC 9207 section 2.4: an answer of another server must not be taken for ours.
	const { server } = login;
	const iss = answer.get("iss");
	if (iss === null ? server.authorization_response_iss_parameter_supported : iss !== config.issuer)
		throw problem("The answer is from another server", `It names ${iss ?? "no issuer"}; NoteApp asked ${config.issuer}.`);

	if (answer.get("error") === "access_denied")
		throw new Problem("denied", "You said no", "Nothing is connected, and Drive has not been asked for anything. You can try again whenever you like.");
	if (answer.has("error"))
		throw problem("The authorization server refused", answer.get("error_description") ?? "It gave no reason.", `error=${answer.get("error")}`);

	await redeem(answer.get("code"), login);
}

async function redeem(code, login) {
	const { response, body } = await exchange(
		"Exchange the code for a token",
		"Now without you: NoteApp sends the code and the code_verifier. The server compares its SHA-256 with the challenge of step two.",
		login.server.token_endpoint, {
			method: "POST",
			body: new URLSearchParams({
				grant_type: "authorization_code",
				code,
				redirect_uri: redirectUri,
				client_id: config.client_id,
				code_verifier: login.verifier,
			}),
		});

	if (!response.ok)
		throw problem("The code was refused", body.error_description ?? "The server gave no reason.", `error=${body.error}`);

	memory.set("token", {
		value: body.access_token,
		expires: Date.now() + body.expires_in * 1000,
		person: readIdToken(body.id_token, login.nonce),
	});
}

// OpenID Connect Core section 3.1.3.7. The signature is not checked, and need not
// be (point 6): the ID token came straight from the token endpoint, over TLS, so we
// know who made it. Had it travelled through the address bar, we would have to.
function readIdToken(idToken, nonce) {
	const claims = JSON.parse(new TextDecoder().decode(fromBase64url(idToken.split(".")[1])));
	const audience = [claims.aud].flat();

	if (claims.iss !== config.issuer)
		throw problem("The ID token is from another server", `It names ${claims.iss}.`);
	if (!audience.includes(config.client_id) || (claims.azp ?? config.client_id) !== config.client_id)
		throw problem("The ID token is for another app", `It is for ${audience.join(", ")}.`);
	if (claims.exp * 1000 < Date.now())
		throw problem("The ID token has expired", "The clock of this device may be wrong.");
	if (claims.nonce !== nonce)
		throw problem("The ID token is about another login", "Its nonce is not the one that NoteApp sent.");

	note({
		title: "Read who you are",
		text: "The ID token says who logged in (sub), where (iss), for which app (aud) and in which login (nonce). NoteApp checks these; it does not send this token anywhere.",
		received: JSON.stringify(claims, abbreviated, 2),
	});
	return claims;
}

async function callDrive(title, text, path) {
	const token = memory.get("token");
	const { response, body } = await exchange(title, text, config.drive + path, {
		headers: { Authorization: `Bearer ${token.value}` },
	});
	if (response.ok)
		return body;

	// RFC 6750 section 3: the header says what is wrong with the token.
	const challenge = response.headers.get("WWW-Authenticate") ?? "";
	if (response.status === 401 && token.expires < Date.now())
		throw new Problem("refused", "Drive refused: the token has expired", "An access token lives for minutes. Connect again to get a new one.", challenge);
	if (response.status === 401)
		throw new Problem("refused", "Drive refused: the connection was ended",
			"NoteApp still has its token, but it is worth nothing now: the authorization server no longer vouches for it.", challenge);
	if (response.status === 403)
		throw new Problem("refused", "Drive refused: a right is missing", "The token is good, but not for this.", challenge);
	throw problem("Drive does not answer as it should", `Status ${response.status}.`, challenge);
}


// --- The page ---------------------------------------------------------------

const $ = (id) => document.getElementById(id);

const badges = { idle: "Not connected", connected: "Connected", denied: "Not connected", refused: "Refused", error: "Something went wrong" };

function show(state, title, text, detail = "") {
	$("app").dataset.state = state;
	$("badge").textContent = badges[state];
	$("title").textContent = title;
	$("text").textContent = text;
	$("detail").textContent = detail;
	$("detail").hidden = detail === "";

	const hasToken = memory.get("token") !== null;
	$("connect").hidden = state === "connected";
	$("connect").textContent = state === "idle" ? "Connect to Drive" : state === "refused" ? "Connect again" : "Try again";
	$("reload").hidden = !hasToken;
	$("forget").hidden = !hasToken;
	$("account").hidden = !hasToken;
	$("files").hidden = state !== "connected";
}

function showIdle() {
	show("idle", "Your notes, next to your files",
		"NoteApp can show the files that you keep on Drive. You log in at Drive’s authorization server, not here, and you can end the connection whenever you like.");
}

async function showFiles() {
	const files = await callDrive(
		"Ask Drive for the list",
		"The token goes along in the Authorization header. Drive’s web server asks Postern’s guard whether it is valid and carries the right files.read; only then it answers.",
		"/files/index.json");
	const { person } = memory.get("token");

	$("list").replaceChildren(...files.map(fileButton));
	$("file").hidden = true;
	show("connected", "Connected to Drive",
		`${person.name ?? "You"} said yes, and Drive’s authorization server vouches for it. NoteApp may read your files; it cannot change them.`);
}

function fileButton(file) {
	const item = document.createElement("li");
	const button = document.createElement("button");
	button.type = "button";
	button.dataset.name = file.name;
	button.append(element("span", file.title), element("small", file.name));
	button.addEventListener("click", guarded(() => showFile(file, button)));
	item.append(button);
	return item;
}

async function showFile(file, button) {
	const text = await callDrive(
		`Read “${file.title}”`,
		"The same token again. Nothing is remembered between two calls: each is checked anew, so a disconnected app is refused at once.",
		`/files/${encodeURIComponent(file.name)}`);

	for (const other of $("list").querySelectorAll("button"))
		other.removeAttribute("aria-current");
	button.setAttribute("aria-current", "true");
	$("file-title").textContent = file.title;
	$("file-text").textContent = text;
	$("file").hidden = false;
}

// guarded: what goes wrong in an action becomes a state of the page.
function guarded(action) {
	return async () => {
		try {
			await action();
		} catch (error) {
			if (!(error instanceof Problem))
				console.error(error);
			show(error.state ?? "error", error.title ?? "NoteApp has a fault", error.message, error.detail);
		}
	};
}


// --- The list of steps ------------------------------------------------------

// exchange: fetch, and write down what was sent and what came back.
async function exchange(title, text, url, options = {}) {
	const sent = describe(options.method ?? "GET", new URL(url), options.headers, options.body);
	let response;

	try {
		// Cookies never go along: the token alone says what NoteApp may do.
		response = await fetch(url, { ...options, credentials: "omit", cache: "no-store" });
	} catch {
		note({ title, text, sent, received: "no answer" });
		throw problem("No answer", `${new URL(url).host} could not be reached. Is it running?`);
	}

	const content = await response.text();
	const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
	const body = isJson ? JSON.parse(content) : content;
	const challenge = response.headers.get("WWW-Authenticate");
	note({
		title, text, sent,
		received: [
			`${response.status} ${response.statusText}`,
			challenge && `WWW-Authenticate: ${challenge}`,
			// The web server's own error page says nothing more than the status.
			response.ok || isJson ? excerpt(isJson ? JSON.stringify(body, abbreviated, 2) : content) : "",
		].filter(Boolean).join("\n"),
	});
	return { response, body };
}

function note(step) {
	memory.set("steps", [...memory.get("steps") ?? [], step]);
	showSteps();
}

function showSteps() {
	const steps = memory.get("steps") ?? [];
	$("story-empty").hidden = steps.length > 0;
	$("steps").replaceChildren(...steps.map((step) => {
		const item = document.createElement("li");
		item.append(element("h3", step.title), element("p", step.text));
		if (step.sent)
			item.append(message("sent", step.sent));
		if (step.received)
			item.append(message("received", step.received));
		return item;
	}));
}

function message(kind, text) {
	const box = document.createElement("figure");
	box.className = kind;
	box.append(element("figcaption", kind === "sent" ? "NoteApp sends" : "NoteApp receives"), element("pre", text));
	return box;
}

function element(tag, text) {
	const node = document.createElement(tag);
	node.textContent = text;
	return node;
}

// describe: a request as text, one parameter a line.
function describe(method, url, headers = {}, body = []) {
	return [
		`${method} ${url.origin}${url.pathname}`,
		...Object.entries(headers).map(([name, value]) => `${name}: ${abbreviate(value)}`),
		...[...url.searchParams, ...body].map(([name, value]) => `  ${name} = ${abbreviate(value)}`),
	].join("\n");
}

// abbreviate: random values and tokens are long; URLs and words stay whole.
function abbreviate(text) {
	return text.replace(/[\w.~-]{40,}/g, (long) => `${long.slice(0, 10)}…${long.slice(-4)}`);
}

const abbreviated = (name, value) => typeof value === "string" ? abbreviate(value) : value;

function excerpt(text) {
	const lines = text.trimEnd().split("\n");
	return lines.length > 12 ? [...lines.slice(0, 11), "…"].join("\n") : lines.join("\n");
}


// --- Small change -----------------------------------------------------------

const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const sha256 = async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

const base64url = (bytes) => btoa(String.fromCharCode(...bytes))
	.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const fromBase64url = (text) => Uint8Array.from(
	atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));


// --- Start ------------------------------------------------------------------

$("account").href = `${config.issuer}/account`;
$("connect").addEventListener("click", guarded(connect));
$("reload").addEventListener("click", guarded(showFiles));
$("forget").addEventListener("click", () => {
	// This forgets; it does not disconnect. That is done at the account page.
	memory.forget("token");
	memory.set("steps", []);
	showSteps();
	showIdle();
});

await guarded(async () => {
	const answer = new URLSearchParams(location.search);
	showSteps();
	// crypto.subtle exists only where nobody can change the script on its way.
	if (!window.isSecureContext)
		throw problem("NoteApp needs https", "Browsers offer cryptography only on https, and on localhost.");
	if (answer.has("code") || answer.has("error"))
		await comeBack(answer);
	if (memory.get("token") !== null)
		await showFiles();
	else
		showIdle();
})();
