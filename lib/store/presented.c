/*
 * presented.c -- an access token that somebody presents; see presented.h
 */
#include "store/presented.h"

#include <assert.h>

enum { CHECK_CLIENT_ID, CHECK_SUB, CHECK_SCOPE, CHECK_AUDIENCE, CHECK_BASIS };
static const struct store_call check = {
	.name = "guard",
	.sql = "SELECT client_id, sub, scope, audience, " STORE_BASIS " FROM postern.guard($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	CHECK_BASIS
};

static const struct store_call verification_key = {
	.name = "verification_key", .sql = "SELECT public_jwk FROM postern.verification_key($1)"
};

void
presented_values(const struct presented *token, struct store_value *values, size_t count)
{
	const struct handle		*key = token->has_key ? &token->key : NULL;
	const struct store_value	 all[PRESENTED_VALUES] = {
		store_uuid(token->has_grant ? token->grant_id : NULL),
		store_text(token->client_id),
		store_text(token->jti),
		store_text(token->scope),
		store_text(token->audience),
		token->has_grant ? store_integer(token->expires) : store_null_integer(),
		store_text(token->kid),
		store_bytes(token->sealed.p, token->sealed.n),
		store_handle_id(key),
		store_handle_digest(key),
	};

	assert(count <= PRESENTED_VALUES);
	memcpy(values, all, count * sizeof *values);
}

enum store_status
presented_check(struct store *store, struct arena *arena, const struct presented *token,
    struct presented_answer *answer)
{
	struct store_value	 values[PRESENTED_VALUES];
	const struct store_rows	*rows;
	enum store_status	 status;

	presented_values(token, values, PRESENTED_VALUES);
	status = store_call(store, arena, &check, values, PRESENTED_VALUES, &rows);
	if (status == STORE_ROWS)
		*answer = (struct presented_answer){
			.client_id = store_get(rows, 0, CHECK_CLIENT_ID),
			.sub = store_get(rows, 0, CHECK_SUB),
			.scope = store_get(rows, 0, CHECK_SCOPE),
			.audience = store_get(rows, 0, CHECK_AUDIENCE),
		};
	return status == STORE_ROWS && str_is_absent(answer->sub) ? STORE_NONE : status;
}

enum store_status
presented_verification_key(struct store *store, struct arena *arena, struct str kid, struct str *jwk)
{
	const struct store_value value = store_text(kid);
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &verification_key, &value, 1, &rows);

	if (status == STORE_ROWS)
		*jwk = store_get(rows, 0, 0);
	return status;
}
