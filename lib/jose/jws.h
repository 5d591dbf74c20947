/*
 * jws.h -- signed text in compact serialisation (RFC 7515 section 7.1)
 *
 * The JSON serialisations do not exist here.  Verification is in jwt.h.
 */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include "jose/key.h"

#define JWS_MAX_BYTES	((size_t)16 * 1024)	/* of the compact form */

/* payload signed by key, in the arena.  The header has alg, typ (left out if typ
 * is absent) and kid, in this order.  Absent if the key cannot sign or found a
 * faulty signature (see jose_key_sign(): answer 500 and end the process), or if
 * the result would be longer than JWS_MAX_BYTES. */
struct str jws_sign(struct arena *arena, const struct jose_key *key, struct str typ,
	struct str payload);

#endif
