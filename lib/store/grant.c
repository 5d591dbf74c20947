/*
 * grant.c -- what guard asks the database; see grant.h
 */
#include "store/grant.h"

static const struct store_call guard = {
	"guard", "SELECT client_id FROM postern.guard($1, $2, $3, $4)"
};

static const struct store_call verification_key = {
	"verification_key", "SELECT public_jwk FROM postern.verification_key($1)"
};

enum store_status
grant_check(struct store *store, struct arena *arena, const unsigned char grant_id[HANDLE_ID_BYTES],
    struct str audience, long expires, struct str kid,
    struct str *client_id)
{
	const struct store_value values[] = {
		store_uuid(grant_id), store_text(audience), store_integer(expires), store_text(kid),
	};
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &guard, values, 4, &rows);

	if (status == STORE_ROWS)
		*client_id = store_get(rows, 0, 0);
	return status;
}

enum store_status
grant_verification_key(struct store *store, struct arena *arena, struct str kid, struct str *jwk)
{
	const struct store_value value = store_text(kid);
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &verification_key, &value, 1, &rows);

	if (status == STORE_ROWS)
		*jwk = store_get(rows, 0, 0);
	return status;
}
