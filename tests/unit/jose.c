/*
 * jose.c -- tests of algorithms and keys: RFC 7515 appendix A, RFC 7517, RFC 7638,
 *           RFC 8037, security requirements 4.1 (tokens are in jose_jwt.c)
 */
#include "base/base64url.h"
#include "base/buf.h"
#include "base/json.h"
#include "jose/jws.h"

#include "tap.h"

#include <json.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#define COUNT(array)	(sizeof (array) / sizeof (array)[0])

/* RFC 7515 appendix A.2. */
#define A2_N "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEz" \
	"P1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX" \
	"ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJ" \
	"H7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define A2_INPUT "eyJhbGciOiJSUzI1NiJ9." A_PAYLOAD
#define A2_SIGNATURE "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt" \
	"_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS" \
	"jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6I" \
	"eYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define A_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

/* RFC 7515 appendix A.3. */
#define A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define A3_INPUT "eyJhbGciOiJFUzI1NiJ9." A_PAYLOAD
#define A3_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

/* RFC 8037 appendix A. */
#define ED_D "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4" \
	"\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60"
#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_INPUT "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define ED_SIGNATURE "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

#define RSA_JWK(e, more)	"{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":\"" e "\"" more "}"
#define EC_JWK(more)		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"" more "}"
#define ED_JWK(x, more)		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" x "\"" more "}"

static bool
imports(struct str jwk)
{
	struct jose_key	*key = jose_key_from_public_jwk(jwk);
	bool		 imported = key != NULL;

	jose_key_free(&key);
	return imported;
}

static bool
verifies(struct arena *arena, const char *jwk, struct str input, struct str signature)
{
	struct jose_key	*key = jose_key_from_public_jwk(str_of(jwk));
	struct str	 bytes;
	bool		 good;

	good = key != NULL && base64url_decode(arena, signature, &bytes) &&
	    jose_key_verify(key, input, bytes);
	jose_key_free(&key);
	return good;
}

static void
test_algorithms(void)
{
	static const struct str none[] = {
		STR_INIT("none"), STR_INIT("None"), STR_INIT("NONE"), STR_INIT(""),
		STR_INIT("HS256"), STR_INIT("HS384"), STR_INIT("HS512"), STR_INIT("RS384"),
		STR_INIT("ES384"), STR_INIT("ES256K"), STR_INIT("es256"), STR_INIT("ES256 "),
		STR_INIT("ES25"), STR_INIT("ES256\0"), STR_INIT("RSA1_5"), { NULL, 0 },
	};
	enum jose_algorithm algorithm = JOSE__COUNT;

	ok(jose_algorithm_by_name(STR("ES256"), &algorithm) && algorithm == JOSE_ES256, "ES256");
	ok(jose_algorithm_by_name(STR("RS256"), &algorithm) && algorithm == JOSE_RS256, "RS256");
	ok(jose_algorithm_by_name(STR("PS256"), &algorithm) && algorithm == JOSE_PS256, "PS256");
	ok(jose_algorithm_by_name(STR("EdDSA"), &algorithm) && algorithm == JOSE_EDDSA, "EdDSA");
	ok(str_equal(jose_algorithm_name(JOSE_EDDSA), STR("EdDSA")), "name of EdDSA");
	for (size_t i = 0; i < COUNT(none); i++)
		ok(!jose_algorithm_by_name(none[i], &algorithm),
		    "SEC-JOSE-01 a: no algorithm \"%.*s\"", STR_ARG(none[i]));
}

static void
test_vectors(struct arena *arena)
{
	static const char a2[] = RSA_JWK("AQAB", "");
	static const char a3[] = EC_JWK("");
	static const char ed[] = ED_JWK(ED_X, "");

	ok(verifies(arena, a2, STR(A2_INPUT), STR(A2_SIGNATURE)), "RFC 7515 A.2: RS256");
	ok(!verifies(arena, a2, STR(A2_INPUT "x"), STR(A2_SIGNATURE)), "A.2 with another text");
	ok(!verifies(arena, RSA_JWK("AQAB", ",\"alg\":\"PS256\""), STR(A2_INPUT),
	    STR(A2_SIGNATURE)), "SEC-JOSE-02 b: A.2 with the key of PS256");
	ok(verifies(arena, a3, STR(A3_INPUT), STR(A3_SIGNATURE)), "RFC 7515 A.3: ES256");
	ok(!verifies(arena, a3, STR(A3_INPUT "x"), STR(A3_SIGNATURE)), "A.3 with another text");
	ok(verifies(arena, ed, STR(ED_INPUT), STR(ED_SIGNATURE)), "RFC 8037 A.5: EdDSA");
	ok(!verifies(arena, ed, STR(ED_INPUT "x"), STR(ED_SIGNATURE)), "A.5 with another text");
	ok(!verifies(arena, a2, STR(A2_INPUT), STR("")), "SEC-JOSE-01 b: RS256, no signature");
	ok(!verifies(arena, a3, STR(A3_INPUT), STR("")), "SEC-JOSE-01 b: ES256, no signature");
	ok(!verifies(arena, ed, STR(ED_INPUT), STR("")), "SEC-JOSE-01 b: EdDSA, no signature");
}

/* The keys that RFC 7517 and RFC 8037 show: only public ones, for signatures. */
static void
test_example_keys(void)
{
#define A1_EC	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"," \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""
	ok(!imports(STR(A1_EC ",\"use\":\"enc\",\"kid\":\"1\"}")), "RFC 7517 A.1: the EC key, which is for encryption");
	ok(imports(STR(A1_EC ",\"kid\":\"1\"}")), "RFC 7517 A.1: the same key without its use");
	ok(!imports(STR(A1_EC ",\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\",\"use\":\"enc\",\"kid\":\"1\"}")),
	    "RFC 7517 A.2: the private EC key");
	ok(!imports(STR(A1_EC ",\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\",\"use\":\"sig\"}")),
	    "SEC-JOSE-07 c: RFC 7517 A.2: the private EC key, said to be for signatures");
	ok(!imports(STR("{\"kty\":\"oct\",\"alg\":\"A128KW\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"}")), "RFC 7517 A.3: the AES key");
	ok(!imports(STR("{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA"
	    "zZr1Z9CAow\",\"kid\":\"HMAC key used in JWS spec Appendix A.1 example\"}")), "RFC 7517 A.3: the HMAC key");
	ok(!imports(STR(ED_JWK(ED_X, ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\""))), "RFC 8037 A.1: the private key");
	ok(imports(STR(ED_JWK(ED_X, ""))), "RFC 8037 A.2: the public key");
	ok(!imports(STR("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"Bob\",\"x\":\"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08\"}")),
	    "SEC-JOSE-02 b: RFC 8037 A.6: a key of X25519");
	ok(!imports(STR("{\"kty\":\"OKP\",\"crv\":\"X448\",\"kid\":\"Dave\",\"x\":\"PreoKbDNIPW8_AtZm2_sz22kYnEHvbDU80W0MCfYuXL8PjT7"
	    "QjKhPKcG3LV67D2uB73BxnvzNgk\"}")), "SEC-JOSE-02 b: RFC 8037 A.7: a key of X448");
	ok(!imports(STR("{\"keys\":[" A1_EC ",\"kid\":\"1\"}]}")), "RFC 7517 section 5: a set is no key");
}

static void
test_thumbprints(void)
{
	struct jose_key *key = jose_key_from_public_jwk(STR("{\"kty\":\"RSA\",\"n\":\""
	    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS"
	    "oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65"
	    "YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyr"
	    "dkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
	    "nqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"));

	ok(key != NULL && str_equal(jose_key_kid(key),
	    STR("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")), "RFC 7638 section 3.1");
	jose_key_free(&key);
	key = jose_key_from_public_jwk(STR(ED_JWK(ED_X, "")));
	ok(key != NULL && str_equal(jose_key_kid(key),
	    STR("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")), "RFC 8037 A.3");
	jose_key_free(&key);
	ok(key == NULL, "the pointer is gone after jose_key_free");
	jose_key_free(&key);
}

static void
test_ed25519_signing(struct arena *arena)
{
	EVP_PKEY		*pkey;
	BIO			*bio = BIO_new(BIO_s_mem());
	char			*pem;
	long			 n;
	struct jose_key		*key;
	struct jose_signature	 signature = { .n = 0 };

	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    (const unsigned char *)ED_D, 32);
	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &pem);
	key = jose_key_from_private_pem(JOSE_EDDSA, (struct str){ pem, (size_t)n });
	ok(key != NULL && jose_key_sign(key, STR(ED_INPUT), &signature) &&
	    str_equal(base64url_encode(arena,
	    (struct str){ (char *)signature.bytes, signature.n }), STR(ED_SIGNATURE)),
	    "RFC 8037 A.4: the same signature");
	jose_key_free(&key);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
}

/* One algorithm: a new key through PEM and JWK and back. */
static void
test_round_trip(struct arena *arena, enum jose_algorithm algorithm)
{
	const char		*name = jose_algorithm_name(algorithm).p;
	struct jose_key		*key = jose_key_generate(algorithm);
	struct str		 pem = jose_key_private_pem(arena, key);
	struct str		 jwk = jose_key_public_jwk(arena, key);
	struct jose_key		*private = jose_key_from_private_pem(algorithm, pem);
	struct jose_key		*public = jose_key_from_public_jwk(jwk);
	struct json_object	*object = json_parse(arena, jwk);
	struct jose_signature	 signature;
	struct str		 bytes;

	ok(private != NULL && public != NULL, "%s: PEM and JWK are read again", name);
	ok(str_starts_with(pem, STR("-----BEGIN PRIVATE KEY-----\n")), "%s: PKCS #8", name);
	ok(str_equal(jose_key_kid(key), jose_key_kid(private)) &&
	    str_equal(jose_key_kid(key), jose_key_kid(public)), "%s: one kid", name);
	ok(jose_key_algorithm(public) == algorithm, "%s: one algorithm", name);
	ok(str_equal(json_member_string(object, "alg"), jose_algorithm_name(algorithm)) &&
	    str_equal(json_member_string(object, "use"), STR("sig")) &&
	    str_equal(json_member_string(object, "kid"), jose_key_kid(key)),
	    "%s: JWK says alg, use and kid", name);
	ok(!json_has_member(object, "d") && !json_has_member(object, "p"),
	    "SEC-KEY-02: %s: JWK holds no private member", name);
	ok(jose_key_sign(private, STR("text"), &signature), "%s: signs", name);
	bytes = (struct str){ (char *)signature.bytes, signature.n };
	ok(jose_key_verify(public, STR("text"), bytes), "%s: verifies", name);
	ok(!jose_key_verify(public, STR("texT"), bytes), "%s: not another text", name);
	ok(!jose_key_verify(public, STR("text"), str_first(bytes, bytes.n - 1)) &&
	    !jose_key_verify(public, STR("text"), STR_ABSENT), "%s: not when cut", name);
	signature.bytes[signature.n / 2] ^= 1;
	ok(!jose_key_verify(public, STR("text"), bytes), "%s: not when changed", name);
	ok(!jose_key_sign(public, STR("text"), &signature), "%s: a public key cannot sign", name);
	ok(str_is_absent(jose_key_private_pem(arena, public)),
	    "%s: a public key has no private PEM", name);
	ok(str_is_absent(jws_sign(arena, public, STR_ABSENT, STR("{}"))),
	    "%s: no JWS by a public key", name);
	for (unsigned other = 0; other < JOSE__COUNT; other++) {
		bool same_kty = str_equal(jose_algorithm_parameters(algorithm)->kty,
		    jose_algorithm_parameters((enum jose_algorithm)other)->kty);
		struct jose_key *wrong =
		    jose_key_from_private_pem((enum jose_algorithm)other, pem);
		struct jose_key *wanted =
		    jose_key_from_public_jwk_for((enum jose_algorithm)other, jwk);

		ok((wrong != NULL) == same_kty, "SEC-JOSE-02 b: PEM of %s for %s: %s", name,
		    jose_algorithm_name((enum jose_algorithm)other).p,
		    same_kty ? "taken" : "refused");
		ok((wanted != NULL) == (other == algorithm), "SEC-JOSE-02 b: JWK of %s for %s",
		    name, jose_algorithm_name((enum jose_algorithm)other).p);
		jose_key_free(&wrong);
		jose_key_free(&wanted);
	}
	jose_key_free(&key);
	jose_key_free(&private);
	jose_key_free(&public);
}

/* More signatures than are between two checks, by one reused context. */
static void
test_many_signatures(void)
{
	struct jose_key		*key = jose_key_generate(JOSE_ES256);
	struct jose_signature	 signature;
	unsigned		 good = 0;

	for (unsigned i = 0; i < 150; i++) {
		good += jose_key_sign(key, STR("text"), &signature) && signature.n == 64 &&
		    jose_key_verify(key, STR("text"),
		    (struct str){ (char *)signature.bytes, signature.n });
	}
	ok(good == 150, "ES256: 150 signatures of 64 octets");
	jose_key_free(&key);
}

struct jwk_sample {
	const char	*name;
	struct str	 jwk;
};

static const struct jwk_sample good_jwks[] = {
	{ "RSA", STR_INIT(RSA_JWK("AQAB", "")) },
	{ "RSA, e = 2^32 - 1", STR_INIT(RSA_JWK("_____w", "")) },
	{ "RSA for PS256", STR_INIT(RSA_JWK("AQAB", ",\"alg\":\"PS256\"")) },
	{ "use sig", STR_INIT(EC_JWK(",\"use\":\"sig\"")) },
	{ "key_ops verify", STR_INIT(EC_JWK(",\"key_ops\":[\"verify\"]")) },
	{ "key_ops with more", STR_INIT(EC_JWK(",\"key_ops\":[\"sign\",\"verify\"]")) },
	{ "unknown members", STR_INIT(EC_JWK(",\"x5c\":[\"AA\"],\"kid\":\"k\",\"new\":{}")) },
	{ "Ed25519", STR_INIT(ED_JWK(ED_X, ",\"alg\":\"EdDSA\"")) },
};

static const struct jwk_sample bad_jwks[] = {
	{ "a: RSA, e = 1", STR_INIT(RSA_JWK("AQ", "")) },
	{ "a: RSA, e = 2", STR_INIT(RSA_JWK("Ag", "")) },
	{ "a: RSA, e = 3", STR_INIT(RSA_JWK("Aw", "")) },
	{ "a: RSA, e = 65535", STR_INIT(RSA_JWK("__8", "")) },
	{ "a: RSA, e = 65536", STR_INIT(RSA_JWK("AQAA", "")) },
	{ "a: RSA, e = 65538", STR_INIT(RSA_JWK("AQAC", "")) },
	{ "a: RSA, e = 2^32 + 1", STR_INIT(RSA_JWK("AQAAAAE", "")) },
	{ "a: RSA, e = 2^64 + 1", STR_INIT(RSA_JWK("AQAAAAAAAAAB", "")) },
	{ "a: RSA, e = 2^64 + 65537", STR_INIT(RSA_JWK("AQAAAAAAAQAB", "")) },
	{ "a: RSA, e = 0", STR_INIT(RSA_JWK("AA", "")) },
	{ "a: RSA, e empty", STR_INIT(RSA_JWK("", "")) },
	{ "a: RSA, e with a leading zero", STR_INIT(RSA_JWK("AAEAAQ", "")) },
	{ "a: RSA, e not base64url", STR_INIT(RSA_JWK("AQAB=", "")) },
	{ "a: RSA, e a number", STR_INIT("{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":65537}") },
	{ "a: RSA without e", STR_INIT("{\"kty\":\"RSA\",\"n\":\"" A2_N "\"}") },
	{ "a: RSA without n", STR_INIT("{\"kty\":\"RSA\",\"e\":\"AQAB\"}") },
	{ "a: RSA, n with a leading zero", STR_INIT("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AKH4\"}") },
	{ "a: RSA, n = 1", STR_INIT("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQ\"}") },
	{ "b: EC point off the curve", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_Y
	    "\",\"y\":\"" A3_X "\"}") },
	{ "b: EC (0, 0)", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
	    "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}") },
	{ "b: EC infinity as one octet", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"AA\",\"y\":\"AA\"}") },
	{ "b: EC without y (compressed)", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\"}") },
	{ "b: EC, y empty", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"\"}") },
	{ "b: EC, x of 33 octets", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\",\"y\":\"" A3_Y "\"}") },
	{ "b: EC, x of 31 octets", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA\",\"y\":\"" A3_Y "\"}") },
	{ "b: EC, both coordinates in x", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"" A3_X A3_Y "\",\"y\":\"\"}") },
	{ "b: EC, crv P-384", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" A3_X
	    "\",\"y\":\"" A3_Y "\"}") },
	{ "b: EC, crv secp256k1", STR_INIT("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" A3_X
	    "\",\"y\":\"" A3_Y "\"}") },
	{ "b: EC, crv missing", STR_INIT("{\"kty\":\"EC\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}") },
	{ "b: EC, crv in small letters", STR_INIT("{\"kty\":\"EC\",\"crv\":\"p-256\",\"x\":\"" A3_X
	    "\",\"y\":\"" A3_Y "\"}") },
	{ "b: OKP X25519", STR_INIT("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}") },
	{ "b: OKP, x of 31 octets", STR_INIT(ED_JWK("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ", "")) },
	{ "b: OKP, x of 33 octets", STR_INIT(ED_JWK(ED_X "A", "")) },
	{ "b: OKP, x empty", STR_INIT(ED_JWK("", "")) },
	{ "06 c: Ed25519, zero (order 4)", STR_INIT(ED_JWK("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "")) },
	{ "06 c: Ed25519, zero with sign", STR_INIT(ED_JWK("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA", "")) },
	{ "06 c: Ed25519, identity", STR_INIT(ED_JWK("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "")) },
	{ "06 c: Ed25519, order 2", STR_INIT(ED_JWK("7P_______________________________________38", "")) },
	{ "06 c: Ed25519, p", STR_INIT(ED_JWK("7f_______________________________________38", "")) },
	{ "06 c: Ed25519, p + 1", STR_INIT(ED_JWK("7v_______________________________________38", "")) },
	{ "06 c: Ed25519, order 8", STR_INIT(ED_JWK("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU", "")) },
	{ "06 c: Ed25519, order 8, sign", STR_INIT(ED_JWK("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU", "")) },
	{ "06 c: Ed25519, order 8, other", STR_INIT(ED_JWK("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", "")) },
	{ "c: EC with d", STR_INIT(EC_JWK(",\"d\":\"AA\"")) },
	{ "c: EC with d null", STR_INIT(EC_JWK(",\"d\":null")) },
	{ "c: OKP with d", STR_INIT(ED_JWK(ED_X, ",\"d\":\"AA\"")) },
	{ "c: RSA with d", STR_INIT(RSA_JWK("AQAB", ",\"d\":\"AA\"")) },
	{ "c: RSA with p", STR_INIT(RSA_JWK("AQAB", ",\"p\":\"AA\"")) },
	{ "c: RSA with q", STR_INIT(RSA_JWK("AQAB", ",\"q\":\"AA\"")) },
	{ "c: RSA with dp", STR_INIT(RSA_JWK("AQAB", ",\"dp\":\"AA\"")) },
	{ "c: RSA with dq", STR_INIT(RSA_JWK("AQAB", ",\"dq\":\"AA\"")) },
	{ "c: RSA with qi", STR_INIT(RSA_JWK("AQAB", ",\"qi\":\"AA\"")) },
	{ "c: RSA with oth", STR_INIT(RSA_JWK("AQAB", ",\"oth\":[]")) },
	{ "c: RSA with k", STR_INIT(RSA_JWK("AQAB", ",\"k\":\"AA\"")) },
	{ "c: use enc", STR_INIT(EC_JWK(",\"use\":\"enc\"")) },
	{ "c: use empty", STR_INIT(EC_JWK(",\"use\":\"\"")) },
	{ "c: use no string", STR_INIT(EC_JWK(",\"use\":[\"sig\"]")) },
	{ "c: use null", STR_INIT(EC_JWK(",\"use\":null")) },
	{ "c: key_ops without verify", STR_INIT(EC_JWK(",\"key_ops\":[\"sign\"]")) },
	{ "c: key_ops empty", STR_INIT(EC_JWK(",\"key_ops\":[]")) },
	{ "c: key_ops no array", STR_INIT(EC_JWK(",\"key_ops\":\"verify\"")) },
	{ "c: key_ops with a number", STR_INIT(EC_JWK(",\"key_ops\":[\"verify\",1]")) },
	{ "c: key_ops null", STR_INIT(EC_JWK(",\"key_ops\":null")) },
	{ "c: kty oct", STR_INIT("{\"kty\":\"oct\",\"k\":\"AAAA\"}") },
	{ "c: kty oct for HS256", STR_INIT("{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}") },
	{ "c: kty missing", STR_INIT("{\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\"}") },
	{ "c: kty missing, alg there", STR_INIT("{\"alg\":\"ES256\",\"crv\":\"P-256\",\"x\":\"" A3_X
	    "\",\"y\":\"" A3_Y "\"}") },
	{ "c: kty no string", STR_INIT("{\"kty\":[\"EC\"],\"crv\":\"P-256\",\"x\":\"" A3_X
	    "\",\"y\":\"" A3_Y "\"}") },
	{ "02 b: EC with alg RS256", STR_INIT(EC_JWK(",\"alg\":\"RS256\"")) },
	{ "02 b: EC with alg ES384", STR_INIT(EC_JWK(",\"alg\":\"ES384\"")) },
	{ "02 b: EC with alg HS256", STR_INIT(EC_JWK(",\"alg\":\"HS256\"")) },
	{ "02 b: EC with alg none", STR_INIT(EC_JWK(",\"alg\":\"none\"")) },
	{ "02 b: EC with alg null", STR_INIT(EC_JWK(",\"alg\":null")) },
	{ "02 b: RSA with alg ES256", STR_INIT(RSA_JWK("AQAB", ",\"alg\":\"ES256\"")) },
	{ "02 b: RSA with alg RSA-OAEP", STR_INIT(RSA_JWK("AQAB", ",\"alg\":\"RSA-OAEP\"")) },
	{ "02 b: OKP with alg ES256", STR_INIT(ED_JWK(ED_X, ",\"alg\":\"ES256\"")) },
	{ "08 a: x twice", STR_INIT(EC_JWK(",\"x\":\"" A3_X "\"")) },
	{ "08 a: kty twice, once escaped", STR_INIT(EC_JWK(",\"\\u006bty\":\"EC\"")) },
	{ "08 b: x with padding", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "=\",\"y\":\"" A3_Y "\"}") },
	{ "08 b: x with unused bits", STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\",\"y\":\"" A3_Y "\"}") },
	{ "08 c: not JSON", STR_INIT("x") },
	{ "08 c: an array", STR_INIT("[" EC_JWK("") "]") },
	{ "08 c: a key set", STR_INIT("{\"keys\":[" EC_JWK("") "]}") },
	{ "08 c: trailing octet", STR_INIT(EC_JWK("") "x") },
	{ "08 c: empty", STR_INIT("") },
	{ "08 c: absent", { NULL, 0 } },
};

static void
test_jwks(struct arena *arena)
{
	char *padded = arena_alloc(arena, JOSE_MAX_JWK_BYTES + 1);

	for (size_t i = 0; i < COUNT(good_jwks); i++)
		ok(imports(good_jwks[i].jwk), "JWK taken: %s", good_jwks[i].name);
	for (size_t i = 0; i < COUNT(bad_jwks); i++)
		ok(!imports(bad_jwks[i].jwk), "SEC-JOSE-07 %s", bad_jwks[i].name);
	memset(padded, ' ', JOSE_MAX_JWK_BYTES + 1);
	memcpy(padded, EC_JWK(""), sizeof EC_JWK("") - 1);
	ok(imports((struct str){ padded, JOSE_MAX_JWK_BYTES }), "JWK taken: 16 KiB");
	ok(!imports((struct str){ padded, JOSE_MAX_JWK_BYTES + 1 }),
	    "SEC-JOSE-07 c: JWK of 16 KiB and one octet");
}

/* A JWK whose modulus is the power of a 1024-bit one, plus "add": OpenSSL's own
 * check finds nothing wrong with the powers, so that ours of the size shows. */
static struct str
rsa_jwk(struct arena *arena, const BIGNUM *base, unsigned power, unsigned add)
{
	struct buf	 jwk = buf_new(arena, JOSE_MAX_JWK_BYTES);
	BIGNUM		*n = BN_new();
	BN_CTX		*ctx = BN_CTX_new();
	unsigned char	 bytes[1024];
	int		 length;

	BN_one(n);
	for (unsigned i = 0; i < power; i++)
		BN_mul(n, n, base, ctx);
	BN_add_word(n, add);
	length = BN_bn2bin(n, bytes);
	buf_add(&jwk, STR("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":"));
	buf_add_json(&jwk, base64url_encode(arena, (struct str){ (char *)bytes, (size_t)length }));
	buf_addc(&jwk, '}');
	BN_CTX_free(ctx);
	BN_free(n);
	return buf_str(&jwk);
}

static void
test_rsa_sizes(struct arena *arena)
{
	EVP_PKEY	*pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	BIGNUM		*n = NULL;

	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
	ok(!imports(rsa_jwk(arena, n, 1, 0)), "SEC-JOSE-07 a: RSA of 1024 bits");
	ok(imports(rsa_jwk(arena, n, 3, 0)), "RSA of 3072 bits is taken");
	ok(!imports(rsa_jwk(arena, n, 3, 1)), "SEC-JOSE-07 a: RSA, n even");
	ok(!imports(rsa_jwk(arena, n, 5, 0)), "SEC-JOSE-07 a: RSA of 5120 bits");
	ok(!imports(rsa_jwk(arena, n, 8, 0)), "SEC-JOSE-07 a: RSA of 8192 bits");
	BN_free(n);
	EVP_PKEY_free(pkey);
}

static struct str
ec_jwk(struct arena *arena, struct str x, struct str y)
{
	struct buf jwk = buf_new(arena, 1024);

	buf_add(&jwk, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"));
	buf_add_json(&jwk, base64url_encode(arena, x));
	buf_add(&jwk, STR(",\"y\":"));
	buf_add_json(&jwk, base64url_encode(arena, y));
	buf_addc(&jwk, '}');
	return buf_str(&jwk);
}

/* A point whose last octet is 0: cut wrongly, its 64 octets are still the point. */
static void
test_coordinate_lengths(struct arena *arena)
{
	unsigned char	point[65] = { [64] = 1 };
	struct str	octets = { (char *)point + 1, 64 };
	size_t		n;

	while (point[64] != 0) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

		EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point,
		    sizeof point, &n);
		EVP_PKEY_free(pkey);
	}
	ok(imports(ec_jwk(arena, str_first(octets, 32), str_from(octets, 32))),
	    "a point whose last octet is 0");
	ok(!imports(ec_jwk(arena, str_first(octets, 32), str_first(str_from(octets, 32), 31))),
	    "SEC-JOSE-07 b: y without its last octet");
	ok(!imports(ec_jwk(arena, str_first(octets, 31), str_first(str_from(octets, 31), 32))),
	    "SEC-JOSE-07 b: x of 31 octets and y of 32 in one row");
}

/* The PEM of a key that OpenSSL makes, encrypted if a cipher is given; takes pkey. */
static struct str
pem_of(struct arena *arena, EVP_PKEY *pkey, const EVP_CIPHER *cipher)
{
	static char	 passphrase[] = "secret";
	BIO		*bio = BIO_new(BIO_s_mem());
	char		*text;
	struct str	 pem;

	PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher, cipher == NULL ? NULL : passphrase,
	    cipher == NULL ? 0 : (int)sizeof passphrase - 1, NULL, NULL);
	pem = (struct str){ NULL, (size_t)BIO_get_mem_data(bio, &text) };
	pem.p = text;
	pem = str_dup(arena, pem);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return pem;
}

static bool
loads(enum jose_algorithm algorithm, struct str pem)
{
	struct jose_key	*key = jose_key_from_private_pem(algorithm, pem);
	bool		 loaded = key != NULL;

	jose_key_free(&key);
	return loaded;
}

static void
test_pems(struct arena *arena)
{
	struct str good = pem_of(arena, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), NULL);

	ok(loads(JOSE_ES256, good), "PEM of P-256");
	ok(!loads(JOSE_ES256, pem_of(arena, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), NULL)),
	    "SEC-JOSE-02 b: PEM of P-384 for ES256");
	ok(!loads(JOSE_ES256, pem_of(arena, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"),
	    NULL)), "SEC-JOSE-02 b: PEM of secp256k1 for ES256");
	ok(!loads(JOSE_EDDSA, pem_of(arena, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL)),
	    "SEC-JOSE-02 b: PEM of X25519 for EdDSA");
	ok(!loads(JOSE_RS256, pem_of(arena, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
	    NULL)), "SEC-JOSE-07 a: PEM of RSA of 1024 bits");
	ok(!loads(JOSE_ES256, pem_of(arena, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
	    EVP_aes_256_cbc())), "an encrypted PEM, without a question");
	ok(!loads(JOSE_ES256, str_first(good, good.n / 2)), "half a PEM");
	ok(!loads(JOSE_ES256, STR("x")) && !loads(JOSE_ES256, STR("")) &&
	    !loads(JOSE_ES256, STR_ABSENT), "no PEM at all");
}

/* A P-256 key pair whose halves do not belong together: what a flipped bit makes. */
static EVP_PKEY *
damaged_pair(void)
{
	EVP_PKEY	*a = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY	*b = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY	*pair = NULL;
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD	*builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM	*params;
	unsigned char	 point[65];
	size_t		 n;
	BIGNUM		*d = NULL;

	EVP_PKEY_get_bn_param(a, OSSL_PKEY_PARAM_PRIV_KEY, &d);
	EVP_PKEY_get_octet_string_param(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n);
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, n);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d);
	params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_fromdata_init(ctx);
	EVP_PKEY_fromdata(ctx, &pair, EVP_PKEY_KEYPAIR, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(d);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	return pair;
}

static void
test_damaged_key(struct arena *arena)
{
	struct jose_key		*key;
	struct jose_signature	 signature = { .n = 0 };

	key = jose_key_from_private_pem(JOSE_ES256, pem_of(arena, damaged_pair(), NULL));
	ok(key != NULL, "SEC-JOSE-14: a damaged pair loads");
	if (key == NULL)
		return;
	ok(!jose_key_sign(key, STR("text"), &signature) && signature.n == 0 &&
	    signature.bytes[0] == 0 && signature.bytes[40] == 0,
	    "SEC-JOSE-14: its first signature is not released");
	ok(!jose_key_sign(key, STR("text"), &signature), "SEC-JOSE-14: nor any other");
	ok(str_is_absent(jws_sign(arena, key, STR("at+jwt"), STR("{}"))),
	    "SEC-JOSE-14: nor a token");
	jose_key_free(&key);
}

int
main(void)
{
	struct arena *arena = arena_new(8 * 1024 * 1024);

	test_algorithms();
	test_vectors(arena);
	test_example_keys();
	test_thumbprints();
	test_ed25519_signing(arena);
	for (unsigned i = 0; i < JOSE__COUNT; i++)
		test_round_trip(arena, (enum jose_algorithm)i);
	test_many_signatures();
	test_jwks(arena);
	test_rsa_sizes(arena);
	test_coordinate_lengths(arena);
	test_pems(arena);
	test_damaged_key(arena);
	arena_free(&arena);
	return tap_done();
}
