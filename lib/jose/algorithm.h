/*
 * algorithm.h -- the signature algorithms that exist (RFC 7518 section 3.1, RFC 8037)
 *
 * One table.  "none" and the HS* family are not in it, so nothing that takes an
 * enum jose_algorithm can be talked into them (RFC 8725 section 3.1).
 */
#ifndef JOSE_ALGORITHM_H
#define JOSE_ALGORITHM_H

#include "base/str.h"

enum jose_algorithm { JOSE_ES256, JOSE_RS256, JOSE_PS256, JOSE_EDDSA, JOSE__COUNT };

struct jose_algorithm_parameters {
	struct str	 name;			/* "alg", RFC 7518 section 3.1 */
	struct str	 kty;			/* RFC 7518 section 6.1 */
	struct str	 crv;			/* absent for RSA */
	const char	*openssl_type;		/* for EVP_PKEY_is_a() */
	const char	*digest;		/* NULL: the algorithm hashes by itself */
	size_t		 signature_bytes;	/* 0: as many as the modulus */
	bool		 pss;			/* RSASSA-PSS, salt as long as the digest */
	unsigned	 check_every;		/* see jose_key_sign() */
};

/* The row of an algorithm; static. */
const struct jose_algorithm_parameters *jose_algorithm_parameters(enum jose_algorithm algorithm);

/* The registered name; static. */
struct str jose_algorithm_name(enum jose_algorithm algorithm);

/* The algorithm of exactly this name; false if there is none. */
bool jose_algorithm_by_name(struct str name, enum jose_algorithm *algorithm);

#endif
