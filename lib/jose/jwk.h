/*
 * jwk.h -- the public members of a JWK (RFC 7517, RFC 7518 section 6, RFC 8037)
 *
 * For key.c only: what comes out of jwk_to_pkey() has not been checked.
 */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

#include "base/buf.h"
#include "jose/algorithm.h"

#include <openssl/evp.h>

struct json_object;

/* The public key that a JWK describes for an algorithm; NULL if a member is
 * missing, not of the right length or not in the shortest encoding, or if OpenSSL
 * refuses the key.  The caller owns it. */
EVP_PKEY *jwk_to_pkey(struct arena *arena, enum jose_algorithm algorithm,
	struct json_object *jwk);

/* Add the required public members without braces, in the order and spelling of
 * RFC 7638 section 3.2.  False if OpenSSL fails. */
bool jwk_add_members(struct buf *buf, enum jose_algorithm algorithm, EVP_PKEY *pkey);

#endif
