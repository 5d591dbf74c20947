/*
 * published.h -- what anybody may know: metadata and public keys
 */
#ifndef STORE_PUBLISHED_H
#define STORE_PUBLISHED_H

#include "store/store.h"

struct published_metadata {
	struct str	scopes;		/* space-separated */
	struct str	algorithms;	/* of the keys that sign now, space-separated */
};

enum store_status published_metadata(struct store *store, struct arena *arena,
    struct published_metadata *metadata) MUST_USE;

/* One row per key, one column: the public JWK. */
enum store_status published_keys(struct store *store, struct arena *arena,
    const struct store_rows **rows) MUST_USE;

#endif
