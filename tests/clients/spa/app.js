// app.js -- a single-page app on oidc-client-ts; the test presses its buttons as app.NAME(),
// and bed.js says where issuer and drive are

const log = [];

// recipe: sign in
const manager = new oidc.UserManager({
	authority: issuer,
	client_id: "spa",
	redirect_uri: `${location.origin}/`,
	post_logout_redirect_uri: `${location.origin}/signed-out`,
	scope: "openid profile email files.read",
	loadUserInfo: true,
	automaticSilentRenew: true,
	validateSubOnSilentRenew: true,
});

// On every load: back from the issuer with an answer, or not.
async function start() {
	if (new URLSearchParams(location.search).has("state")) {
		await manager.signinRedirectCallback();
		history.replaceState(null, "", "/");
	}
	return manager.getUser();
}
// end

manager.events.addUserLoaded((user) => log.push(["loaded", user.access_token]));
manager.events.addSilentRenewError((error) => log.push(["error", error.error ?? error.message]));

// recipe: call
async function call(url) {
	const { access_token } = await manager.getUser();
	return fetch(url, { headers: { Authorization: `Bearer ${access_token}` } });
}
// end

const tell = ({ access_token, refresh_token, token_type, expires_in, scope, profile }) => ({ access_token, refresh_token, token_type, expires_in, scope, profile });
const refusal = (error) => ({ name: error.name, error: error.error, message: error.message });

globalThis.app = {
	log,
	user: async () => { const user = await manager.getUser(); return user && tell(user); },
	signIn: (options) => manager.signinRedirect(options),
	signOut: () => manager.signoutRedirect(),
	renew: (options) => manager.signinSilent(options).then((user) => user && tell(user), refusal),
	revoke: () => manager.revokeTokens(),
	forget: () => manager.removeUser(),
	drive: () => call(`${drive}/whoami`).then(async (answer) => ({ status: answer.status, challenge: answer.headers.get("WWW-Authenticate"), text: await answer.text() })),

	// expire: the token ends in so many seconds, as far as the app knows
	async expire(seconds) {
		const user = await manager.getUser();
		user.expires_in = seconds;
		await manager.storeUser(user);
		await manager.events.load(user, false);
	},
};

start().then(
	(user) => { document.body.dataset.state = user ? "signed in" : "signed out"; },
	(error) => { document.body.dataset.state = "refused"; app.refusal = refusal(error); },
);
