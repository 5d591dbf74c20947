/*
 * algorithm.c -- the signature algorithms that exist; see algorithm.h
 */
#include "jose/algorithm.h"

/*
 * Why check_every differs: a signature made with a damaged key or a faulty
 * processor can give the key away (SEC-JOSE-14).
 *  - RSA: one faulty CRT signature is enough, and checking costs less than a
 *    tenth of signing: always.
 *  - EdDSA: the nonce depends on the message only, so one faulty signature of a
 *    message signed twice is enough: always.
 *  - ES256: the nonce is random, so one faulty signature tells little, while
 *    checking costs three times as much as signing (68 us, 23 us).  What is to be
 *    caught is memory that stays damaged: the first signature of a process and
 *    every 64th thereafter are checked, for 1 us each on average.
 */
static const struct jose_algorithm_parameters algorithms[JOSE__COUNT] = {
	[JOSE_ES256] = {
		.name = STR_INIT("ES256"), .kty = STR_INIT("EC"), .crv = STR_INIT("P-256"),
		.openssl_type = "EC", .digest = "SHA256", .signature_bytes = 64,
		.check_every = 64,
	},
	[JOSE_RS256] = {
		.name = STR_INIT("RS256"), .kty = STR_INIT("RSA"),
		.openssl_type = "RSA", .digest = "SHA256", .check_every = 1,
	},
	[JOSE_PS256] = {
		.name = STR_INIT("PS256"), .kty = STR_INIT("RSA"),
		.openssl_type = "RSA", .digest = "SHA256", .pss = true, .check_every = 1,
	},
	[JOSE_EDDSA] = {
		.name = STR_INIT("EdDSA"), .kty = STR_INIT("OKP"), .crv = STR_INIT("Ed25519"),
		.openssl_type = "ED25519", .signature_bytes = 64, .check_every = 1,
	},
};

const struct jose_algorithm_parameters *
jose_algorithm_parameters(enum jose_algorithm algorithm)
{
	return &algorithms[algorithm];
}

struct str
jose_algorithm_name(enum jose_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

bool
jose_algorithm_by_name(struct str name, enum jose_algorithm *algorithm)
{
	for (unsigned i = 0; i < JOSE__COUNT; i++) {
		if (!str_equal(name, algorithms[i].name))
			continue;
		*algorithm = (enum jose_algorithm)i;
		return true;
	}
	return false;
}
