/*
 * introspection.c -- what introspect, revoke and userinfo ask; see introspection.h
 */
#include "store/introspection.h"

static const struct str introspection_outcomes[INTROSPECTION__COUNT] = {
	[INTROSPECTION_ACTIVE] = STR_INIT("active"),
	[INTROSPECTION_INACTIVE] = STR_INIT("inactive"),
	[INTROSPECTION_INVALID_CLIENT] = STR_INIT("invalid_client"),
};

static const struct str revocation_outcomes[REVOCATION__COUNT] = {
	[REVOCATION_OK] = STR_INIT("ok"),
	[REVOCATION_INVALID_CLIENT] = STR_INIT("invalid_client"),
};

enum {
	ASK_OUTCOME, ASK_ISSUER, ASK_TOKEN_TYPE, ASK_CLIENT_ID, ASK_SUB, ASK_USERNAME, ASK_SCOPE, ASK_AUDIENCE,
	ASK_JTI, ASK_EXPIRES, ASK_BASIS,
};
static const struct store_call introspect = {
	.name = "introspect",
	.sql = "SELECT outcome, issuer, token_type, client_id, sub, username, scope, audience, jti, expires, " STORE_BASIS
	" FROM postern.introspect($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
	ASK_BASIS
};

static const struct store_call revoke = {
	.name = "revoke",
	.sql = "SELECT outcome, what FROM postern.revoke($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
};

enum { USER_SUB, USER_SCOPE, USER_LOGIN_NAME, USER_NAME, USER_EMAIL, USER_EMAIL_VERIFIED, USER_BASIS };
static const struct store_call userinfo = {
	.name = "userinfo",
	.sql = "SELECT sub, scope, login_name, name, email, email_verified, " STORE_BASIS
	" FROM postern.userinfo($1, $2, $3, $4, $5, $6, $7, $8)",
	USER_BASIS
};

enum { PROOF_VALUES = 3 };

static void
proof_values(const struct client_proof *client, struct store_value *values)
{
	values[0] = store_text(client->client_id);
	values[1] = store_text(client->method);
	values[2] = store_digest(client->secret);
}

enum store_status
introspection_ask(struct store *store, struct arena *arena, const struct client_proof *client,
    const struct presented *token, struct introspection *answer)
{
	struct store_value	 values[PROOF_VALUES + PRESENTED_VALUES];
	const struct store_rows	*rows;
	enum store_status	 status;

	proof_values(client, values);
	presented_values(token, values + PROOF_VALUES, PRESENTED_VALUES);
	status = store_call(store, arena, &introspect, values, PROOF_VALUES + PRESENTED_VALUES, &rows);
	if (status == STORE_ROWS)
		*answer = (struct introspection){
			.outcome = (enum introspection_outcome)store_get_outcome(rows, ASK_OUTCOME,
			    introspection_outcomes, INTROSPECTION__COUNT),
			.issuer = store_get(rows, 0, ASK_ISSUER),
			.token_type = store_get(rows, 0, ASK_TOKEN_TYPE),
			.client_id = store_get(rows, 0, ASK_CLIENT_ID),
			.sub = store_get(rows, 0, ASK_SUB),
			.username = store_get(rows, 0, ASK_USERNAME),
			.scope = store_get(rows, 0, ASK_SCOPE),
			.audience = store_get(rows, 0, ASK_AUDIENCE),
			.jti = store_get(rows, 0, ASK_JTI),
			.expires = store_get_integer(rows, 0, ASK_EXPIRES),
		};
	return status;
}

enum store_status
revocation_do(struct store *store, struct arena *arena, const struct client_proof *client,
    const struct presented *token, enum revocation_outcome *outcome, struct str *what)
{
	struct store_value	 values[PROOF_VALUES + PRESENTED_VALUES_WITHOUT_KEY];
	const struct store_rows	*rows;
	enum store_status	 status;

	proof_values(client, values);
	presented_values(token, values + PROOF_VALUES, PRESENTED_VALUES_WITHOUT_KEY);
	status = store_call(store, arena, &revoke, values, PROOF_VALUES + PRESENTED_VALUES_WITHOUT_KEY, &rows);
	if (status != STORE_ROWS)
		return status;
	*outcome = (enum revocation_outcome)store_get_outcome(rows, 0, revocation_outcomes, REVOCATION__COUNT);
	*what = store_get(rows, 0, 1);
	return status;
}

enum store_status
userinfo_read(struct store *store, struct arena *arena, const struct presented *token,
    struct userinfo_claims *claims)
{
	struct store_value	 values[PRESENTED_VALUES_WITHOUT_KEY];
	const struct store_rows	*rows;
	enum store_status	 status;

	presented_values(token, values, PRESENTED_VALUES_WITHOUT_KEY);
	status = store_call(store, arena, &userinfo, values, PRESENTED_VALUES_WITHOUT_KEY, &rows);
	if (status == STORE_ROWS)
		*claims = (struct userinfo_claims){
			.sub = store_get(rows, 0, USER_SUB),
			.scope = store_get(rows, 0, USER_SCOPE),
			.login_name = store_get(rows, 0, USER_LOGIN_NAME),
			.name = store_get(rows, 0, USER_NAME),
			.email = store_get(rows, 0, USER_EMAIL),
			.email_verified = store_get_bool(rows, 0, USER_EMAIL_VERIFIED),
		};
	return status == STORE_ROWS && str_is_absent(claims->sub) ? STORE_NONE : status;
}
