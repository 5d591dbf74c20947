/*
 * key.h -- a key that signs or verifies with exactly one algorithm
 *
 * A key outlives the request: a process keeps the keys that it has parsed, by
 * kid.  Keys are therefore malloc'ed, not in an arena.  A key that does not pass
 * the checks below never comes to exist, wherever it is from:
 *
 *	- RSA: 2048 to 4096 bits, exponent odd and 65537 <= e < 2^32
 *	- EC: P-256, a point on the curve and not infinity
 *	- OKP: Ed25519, not a point of small order
 *
 * A public key also passes EVP_PKEY_public_check().  OpenSSL by itself imports RSA
 * keys with e = 1, for which every message has a known signature, and the point at
 * infinity (SEC-JOSE-07).
 *
 * A key is not for several threads at once: it holds OpenSSL contexts that are
 * reused from call to call, also where the key is const.
 */
#ifndef JOSE_KEY_H
#define JOSE_KEY_H

#include "jose/algorithm.h"

#define JOSE_RSA_MIN_BITS		2048	/* also what is generated */
#define JOSE_RSA_MAX_BITS		4096
#define JOSE_MAX_SIGNATURE_BYTES	(JOSE_RSA_MAX_BITS / 8)
#define JOSE_MAX_JWK_BYTES		((size_t)16 * 1024)

struct jose_key;

struct jose_signature {
	unsigned char	bytes[JOSE_MAX_SIGNATURE_BYTES];
	size_t		n;
};

/* A new key pair; NULL if OpenSSL fails.  RSA takes some 0.2 s. */
struct jose_key *jose_key_generate(enum jose_algorithm algorithm);

/* The key pair of an unencrypted private key in PEM (RFC 5958); NULL if it is no
 * such key, does not fit the algorithm or fails the checks. */
struct jose_key *jose_key_from_private_pem(enum jose_algorithm algorithm, struct str pem);

/* The public key of a JWK (RFC 7517); NULL if it is refused: not strict JSON,
 * with any private member (or "k"), with a "use" other than "sig", with
 * "key_ops" that lack "verify", with an "alg" that does not fit, with an encoding
 * that is not the shortest, or failing the checks.  A JWK without "alg" is for
 * ES256, EdDSA or, if it is RSA, RS256.  Its own "kid" is not looked at. */
struct jose_key *jose_key_from_public_jwk(struct str jwk);

/* The same for one algorithm: a JWK with another "alg" is refused, one without is
 * taken.  For a client that registered its algorithm beside its keys. */
struct jose_key *jose_key_from_public_jwk_for(enum jose_algorithm algorithm, struct str jwk);

/* Release a key, wiping what is private; *key becomes NULL. */
void jose_key_free(struct jose_key **key);

enum jose_algorithm jose_key_algorithm(const struct jose_key *key);

/* The SHA-256 thumbprint (RFC 7638), 43 characters; lives as long as the key. */
struct str jose_key_kid(const struct jose_key *key);

/* The private key as PKCS #8 PEM, in the arena; absent if the key is public. */
struct str jose_key_private_pem(struct arena *arena, const struct jose_key *key);

/* The public key as a JWK with alg, use "sig" and kid, in the arena. */
struct str jose_key_public_jwk(struct arena *arena, const struct jose_key *key);

/* Sign message as JWS does (RFC 7518 section 3; ES256 is R || S).  False if the
 * key is public, OpenSSL fails, or a check of the new signature fails
 * (SEC-JOSE-14); after a failed check the key never signs again: end the process.
 * RSA and EdDSA signatures are always checked; of ES256 the first and every 64th,
 * for the reason given in algorithm.c. */
bool jose_key_sign(const struct jose_key *key, struct str message,
	struct jose_signature *signature);

/* Is signature, of exactly the right length, that of message?  ECDSA signatures
 * can be changed into another valid one by anybody, so they identify nothing. */
bool jose_key_verify(const struct jose_key *key, struct str message, struct str signature);

#endif
