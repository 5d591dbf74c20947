/*
 * token.c -- what token asks the database; see token.h
 */
#include "store/token.h"

static const struct str outcomes[TOKEN__COUNT] = {
	[TOKEN_OK] = STR_INIT("ok"),
	[TOKEN_INVALID_CLIENT] = STR_INIT("invalid_client"),
	[TOKEN_UNAUTHORIZED_CLIENT] = STR_INIT("unauthorized_client"),
	[TOKEN_INVALID_SCOPE] = STR_INIT("invalid_scope"),
	[TOKEN_INVALID_TARGET] = STR_INIT("invalid_target"),
	[TOKEN_UNKNOWN] = STR_INIT("unknown"),
	[TOKEN_EXPIRED] = STR_INIT("expired"),
	[TOKEN_REPLAYED] = STR_INIT("replayed"),
	[TOKEN_WRONG_CLIENT] = STR_INIT("wrong_client"),
	[TOKEN_WRONG_REDIRECT_URI] = STR_INIT("wrong_redirect_uri"),
	[TOKEN_WRONG_VERIFIER] = STR_INIT("wrong_verifier"),
	[TOKEN_ENDED] = STR_INIT("ended"),
};

#define ANSWER \
	"SELECT outcome, issuer, issued_at, access_token_seconds, id_token_seconds, grant_id, sub, scope," \
	" audience, nonce, auth_time, session_id, access_kid, id_kid, access_token, refresh_token, " STORE_BASIS " FROM "
enum {
	ANSWER_OUTCOME, ANSWER_ISSUER, ANSWER_ISSUED_AT, ANSWER_ACCESS_TOKEN_SECONDS, ANSWER_ID_TOKEN_SECONDS,
	ANSWER_GRANT_ID, ANSWER_SUB, ANSWER_SCOPE, ANSWER_AUDIENCE, ANSWER_NONCE, ANSWER_AUTH_TIME,
	ANSWER_SESSION_ID, ANSWER_ACCESS_KID, ANSWER_ID_KID, ANSWER_ACCESS_TOKEN, ANSWER_REFRESH_TOKEN,
	ANSWER_BASIS,
};

static const struct store_call redeem_code = {
	.name = "redeem_code", .sql = ANSWER "postern.redeem_code($1, $2, $3, $4, $5, $6, $7)"
};

static const struct store_call refresh = {
	.name = "refresh", .sql = ANSWER "postern.refresh($1, $2, $3, $4, $5, $6)"
};

static const struct store_call client_credentials = {
	.name = "client_credentials", .sql = ANSWER "postern.client_credentials($1, $2, $3, $4, $5)", .basis = ANSWER_BASIS
};

static const struct store_call signing_key = {
	.name = "signing_key", .sql = "SELECT alg, private_key FROM postern.signing_key($1)"
};
enum { KEY_ALGORITHM, KEY_PEM };

static enum store_status
ask(struct store *store, struct arena *arena, const struct store_call *call,
    const struct store_value *values, size_t count, enum token_outcome *outcome, struct token_claims *claims)
{
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, call, values, count, &rows);

	if (status != STORE_ROWS)
		return status;
	*outcome = (enum token_outcome)store_get_outcome(rows, ANSWER_OUTCOME, outcomes, TOKEN__COUNT);
	*claims = (struct token_claims){
		.issuer = store_get(rows, 0, ANSWER_ISSUER),
		.issued_at = store_get_time(rows, ANSWER_ISSUED_AT),
		.access_token_seconds = store_get_integer(rows, 0, ANSWER_ACCESS_TOKEN_SECONDS),
		.id_token_seconds = store_get_integer(rows, 0, ANSWER_ID_TOKEN_SECONDS),
		.grant_id = store_get(rows, 0, ANSWER_GRANT_ID),
		.sub = store_get(rows, 0, ANSWER_SUB),
		.scope = store_get(rows, 0, ANSWER_SCOPE),
		.audience = store_get(rows, 0, ANSWER_AUDIENCE),
		.nonce = store_get(rows, 0, ANSWER_NONCE),
		.auth_time = store_get_integer(rows, 0, ANSWER_AUTH_TIME),
		.session_id = store_get(rows, 0, ANSWER_SESSION_ID),
		.access_kid = store_get(rows, 0, ANSWER_ACCESS_KID),
		.id_kid = store_get(rows, 0, ANSWER_ID_KID),
		.access_token = store_get(rows, 0, ANSWER_ACCESS_TOKEN),
		.refresh_token = store_get(rows, 0, ANSWER_REFRESH_TOKEN),
	};
	return status;
}

enum store_status
token_redeem_code(struct store *store, struct arena *arena, const struct code_redemption *redemption,
    enum token_outcome *outcome, struct token_claims *claims)
{
	const struct store_value values[] = {
		store_text(redemption->client.client_id),
		store_text(redemption->client.method),
		store_digest(redemption->client.secret),
		store_handle_id(redemption->code),
		store_handle_digest(redemption->code),
		store_text(redemption->redirect_uri),
		store_text(redemption->challenge),
	};

	return ask(store, arena, &redeem_code, values, sizeof values / sizeof *values, outcome, claims);
}

enum store_status
token_refresh(struct store *store, struct arena *arena, const struct token_refresh *request,
    enum token_outcome *outcome, struct token_claims *claims)
{
	const struct store_value values[] = {
		store_text(request->client.client_id),
		store_text(request->client.method),
		store_digest(request->client.secret),
		store_bytes(request->sealed.p, request->sealed.n),
		store_text(request->scope),
		store_text(request->resource),
	};

	return ask(store, arena, &refresh, values, sizeof values / sizeof *values, outcome, claims);
}

enum store_status
token_client_credentials(struct store *store, struct arena *arena, const struct client_proof *client,
    struct str scope, struct str resource, enum token_outcome *outcome, struct token_claims *claims)
{
	const struct store_value values[] = {
		store_text(client->client_id),
		store_text(client->method),
		store_digest(client->secret),
		store_text(scope),
		store_text(resource),
	};

	return ask(store, arena, &client_credentials, values, sizeof values / sizeof *values, outcome, claims);
}

enum store_status
token_signing_key(struct store *store, struct arena *arena, struct str kid, struct str *algorithm,
    struct str *pem)
{
	const struct store_value value = store_text(kid);
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &signing_key, &value, 1, &rows);

	if (status != STORE_ROWS)
		return status;
	*algorithm = store_get(rows, 0, KEY_ALGORITHM);
	*pem = store_get(rows, 0, KEY_PEM);
	return status;
}

struct str
token_outcome_name(enum token_outcome outcome)
{
	return outcome < TOKEN__COUNT ? outcomes[outcome] : STR("unexpected");
}
