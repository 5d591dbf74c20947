/*
 * published.c -- metadata and public keys; see published.h
 */
#include "store/published.h"

static const struct store_call metadata_call = {
	.name = "metadata", .sql = "SELECT scopes_supported, signing_algs FROM postern.metadata()"
};

static const struct store_call jwks_call = {
	.name = "jwks", .sql = "SELECT public_jwk FROM postern.jwks()"
};

enum store_status
published_metadata(struct store *store, struct arena *arena, struct published_metadata *metadata)
{
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &metadata_call, NULL, 0, &rows);

	if (status == STORE_ROWS)
		*metadata = (struct published_metadata){ store_get(rows, 0, 0), store_get(rows, 0, 1) };
	return status;
}

enum store_status
published_keys(struct store *store, struct arena *arena, const struct store_rows **rows)
{
	return store_call(store, arena, &jwks_call, NULL, 0, rows);
}
