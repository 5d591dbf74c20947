/*
 * grant.h -- what guard asks the database
 */
#ifndef STORE_GRANT_H
#define STORE_GRANT_H

#include "store/store.h"

/* STORE_ROWS: the grant is alive, so is the resource that its token is for, the time
 * expires (seconds since 1970) has not come, and the key kid is not retired.
 * STORE_NONE: not so. */
enum store_status grant_check(struct store *store, struct arena *arena,
    const unsigned char grant_id[HANDLE_ID_BYTES], struct str audience,
    long expires, struct str kid, struct str *client_id) MUST_USE;

/* The public JWK of a key that we sign with.  STORE_NONE: not one of ours. */
enum store_status grant_verification_key(struct store *store, struct arena *arena, struct str kid,
    struct str *jwk) MUST_USE;

#endif
