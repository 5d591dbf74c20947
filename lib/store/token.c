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

static const struct store_call redeem_code = {
	"redeem_code",
	"SELECT outcome, issuer, issued_at, access_token_seconds, id_token_seconds, sub, scope, audience,"
	" nonce, auth_time, session_id, access_kid, id_kid, $4::uuid"
	" FROM postern.redeem_code($1, $2, $3, $4, $5, $6, $7)"
};
enum {
	REDEEM_OUTCOME, REDEEM_ISSUER, REDEEM_ISSUED_AT, REDEEM_ACCESS_TOKEN_SECONDS, REDEEM_ID_TOKEN_SECONDS,
	REDEEM_SUB, REDEEM_SCOPE, REDEEM_AUDIENCE, REDEEM_NONCE, REDEEM_AUTH_TIME, REDEEM_SESSION_ID,
	REDEEM_ACCESS_KID, REDEEM_ID_KID, REDEEM_GRANT_ID,
};

static const struct store_call client_credentials = {
	"client_credentials",
	"SELECT outcome, issuer, issued_at, access_token_seconds, grant_id, scope, audience, access_kid"
	" FROM postern.client_credentials($1, $2, $3, $4, $5)"
};
enum {
	CREDENTIALS_OUTCOME, CREDENTIALS_ISSUER, CREDENTIALS_ISSUED_AT, CREDENTIALS_ACCESS_TOKEN_SECONDS,
	CREDENTIALS_GRANT_ID, CREDENTIALS_SCOPE, CREDENTIALS_AUDIENCE, CREDENTIALS_ACCESS_KID,
};

static const struct store_call signing_key = {
	"signing_key", "SELECT alg, private_key FROM postern.signing_key($1)"
};
enum { KEY_ALGORITHM, KEY_PEM };

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
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &redeem_code, values,
	    sizeof values / sizeof *values, &rows);

	if (status != STORE_ROWS)
		return status;
	*outcome = (enum token_outcome)store_get_outcome(rows, REDEEM_OUTCOME, outcomes, TOKEN__COUNT);
	*claims = (struct token_claims){
		.issuer = store_get(rows, 0, REDEEM_ISSUER),
		.issued_at = store_get_integer(rows, 0, REDEEM_ISSUED_AT),
		.access_token_seconds = store_get_integer(rows, 0, REDEEM_ACCESS_TOKEN_SECONDS),
		.id_token_seconds = store_get_integer(rows, 0, REDEEM_ID_TOKEN_SECONDS),
		.grant_id = store_get(rows, 0, REDEEM_GRANT_ID),
		.sub = store_get(rows, 0, REDEEM_SUB),
		.scope = store_get(rows, 0, REDEEM_SCOPE),
		.audience = store_get(rows, 0, REDEEM_AUDIENCE),
		.nonce = store_get(rows, 0, REDEEM_NONCE),
		.auth_time = store_get_integer(rows, 0, REDEEM_AUTH_TIME),
		.session_id = store_get(rows, 0, REDEEM_SESSION_ID),
		.access_kid = store_get(rows, 0, REDEEM_ACCESS_KID),
		.id_kid = store_get(rows, 0, REDEEM_ID_KID),
	};
	return status;
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
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &client_credentials, values,
	    sizeof values / sizeof *values, &rows);

	if (status != STORE_ROWS)
		return status;
	*outcome = (enum token_outcome)store_get_outcome(rows, CREDENTIALS_OUTCOME, outcomes, TOKEN__COUNT);
	*claims = (struct token_claims){
		.issuer = store_get(rows, 0, CREDENTIALS_ISSUER),
		.issued_at = store_get_integer(rows, 0, CREDENTIALS_ISSUED_AT),
		.access_token_seconds = store_get_integer(rows, 0, CREDENTIALS_ACCESS_TOKEN_SECONDS),
		.grant_id = store_get(rows, 0, CREDENTIALS_GRANT_ID),
		.sub = client->client_id,
		.scope = store_get(rows, 0, CREDENTIALS_SCOPE),
		.audience = store_get(rows, 0, CREDENTIALS_AUDIENCE),
		.access_kid = store_get(rows, 0, CREDENTIALS_ACCESS_KID),
	};
	return status;
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
