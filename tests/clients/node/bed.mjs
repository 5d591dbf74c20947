// The bed as the programs here see it, and the person in front of it (tests/clients/run).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const { ISSUER, DRIVE, CLIENT_SECRET, CALLBACK, SIGNED_OUT, SUB, LOGIN, PASSWORD } = process.env;

// Person: a browser of their own, signed in nowhere yet
export class Person {
	#name = randomUUID();
	asked = [];	// what the last open() made them do

	// open: do what the issuer's pages ask; the URL at the app that it leads to
	async open(url, decision = "allow") {
		const answer = await fetch(process.env.PERSON, { method: "POST", body: JSON.stringify({ person: this.#name, url: url.href, decision }) });
		const { url: back, asked, problem } = await answer.json();
		assert.equal(problem, undefined);
		this.asked = asked;
		return new URL(back);
	}
}

export const sorted = (scope) => scope.split(" ").sort();

// changed: a URL with other parameters; null takes one away
export function changed(url, parameters) {
	const out = new URL(url);
	for (const [name, value] of Object.entries(parameters))
		if (value === null)
			out.searchParams.delete(name);
		else
			out.searchParams.set(name, value);
	return out;
}

// tampering: a fetch that spoils the ID token of every answer
export const tampering = (spoil) => async (...request) => {
	const answer = await fetch(...request);
	const text = await answer.text();
	if (!text.includes('"id_token"'))
		return new Response(text, answer);
	const body = JSON.parse(text);
	return new Response(JSON.stringify({ ...body, id_token: spoil(body.id_token) }), answer);
};

const PART = { header: 0, claims: 1, signature: 2 };

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (text) => JSON.parse(Buffer.from(text, "base64url"));

// withChanged: an ID token in which one part has other members, or another first octet
export const withChanged = (part, members) => (token) => {
	const parts = token.split(".");
	const at = PART[part];
	if (part === "signature") {
		const octets = Buffer.from(parts[at], "base64url");
		octets[0] ^= 1;
		parts[at] = octets.toString("base64url");
	} else {
		parts[at] = encode({ ...decode(parts[at]), ...members });
	}
	return parts.join(".");
};
