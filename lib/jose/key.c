/*
 * key.c -- a key that signs or verifies with exactly one algorithm; see key.h
 *
 * Speed: fetching an algorithm and setting up a context costs OpenSSL 3.0 more
 * than hashing a token does, so each key sets its contexts up once.
 * EVP_PKEY_sign() and EVP_PKEY_verify() may be called again and again on one.
 */
#include "jose/key.h"

#include "base/base64url.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/secret.h"
#include "jose/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define KID_BYTES		BASE64URL_LENGTH(SHA256_BYTES)
#define RSA_MIN_EXPONENT	65537UL
#define RSA_MAX_EXPONENT_BITS	32
#define ED25519_BYTES		32
#define P256_INTEGER_BYTES	32		/* R and S, RFC 7518 section 3.4 */
#define P256_DER_BYTES		72		/* at most, of both in ASN.1 */
#define SCRATCH_BYTES		((size_t)64 * 1024)

struct contexts {
	EVP_MD		*digest;		/* NULL for EdDSA */
	EVP_MD_CTX	*hash;
	EVP_PKEY_CTX	*sign;			/* NULL for EdDSA and public keys */
	EVP_PKEY_CTX	*verify;		/* NULL for EdDSA */
	unsigned	 unchecked;		/* signatures until the next check */
	bool		 faulty;
};

struct jose_key {
	EVP_PKEY		*pkey;
	struct contexts		*contexts;	/* change also when the key is const */
	enum jose_algorithm	 algorithm;
	bool			 is_private;
	size_t			 signature_bytes;
	char			 kid[KID_BYTES];
};

/* The y coordinates of the points of order 1, 2, 4 and 8, and those that are not
 * reduced: with such a public key, anybody can sign some messages. */
static const unsigned char small_order[][ED25519_BYTES] = {
	{ 0 },
	{ 1 },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
	    0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
	    0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
	    0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
	    0x92, 0xac, 0x03, 0x7a },
};

/* 2^255 - 20 (which is -1) and above: not reduced, or of order 2. */
static bool
is_at_least_minus_one(const unsigned char *y)
{
	for (size_t i = 1; i < ED25519_BYTES - 1; i++) {
		if (y[i] != 0xff)
			return false;
	}
	return y[0] >= 0xec && (y[ED25519_BYTES - 1] & 0x7f) == 0x7f;
}

static bool
is_good_ed25519(EVP_PKEY *pkey)
{
	unsigned char	y[ED25519_BYTES];
	size_t		n = sizeof y;

	if (EVP_PKEY_get_raw_public_key(pkey, y, &n) != 1 || is_at_least_minus_one(y))
		return false;
	y[ED25519_BYTES - 1] &= 0x7f;	/* the sign of x */
	for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
		if (memcmp(y, small_order[i], sizeof y) == 0)
			return false;
	}
	return true;
}

static bool
is_good_rsa(EVP_PKEY *pkey)
{
	BIGNUM	*e = NULL;
	int	 bits = EVP_PKEY_get_bits(pkey);
	bool	 good;

	if (bits < JOSE_RSA_MIN_BITS || bits > JOSE_RSA_MAX_BITS)
		return false;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return false;
	good = BN_is_odd(e) && BN_num_bits(e) <= RSA_MAX_EXPONENT_BITS &&
	    BN_get_word(e) >= RSA_MIN_EXPONENT;
	BN_free(e);
	return good;
}

static bool
is_good_p256(EVP_PKEY *pkey)
{
	char	name[32];
	size_t	n;

	return EVP_PKEY_get_group_name(pkey, name, sizeof name, &n) == 1 &&
	    strcmp(name, "prime256v1") == 0;
}

static bool
passes_public_check(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool		 passes = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return passes;
}

/*
 * The checks that key.h promises.  The size comes first, because OpenSSL's own
 * check of a huge RSA key takes long.  A private key, which is ours, is spared
 * that check (4 ms for RSA, in every CGI process): instead its first signature is
 * verified with it.
 */
static bool
is_good(EVP_PKEY *pkey, enum jose_algorithm algorithm, bool is_private)
{
	bool good = false;

	if (!EVP_PKEY_is_a(pkey, jose_algorithm_parameters(algorithm)->openssl_type))
		return false;
	switch (algorithm) {
	case JOSE_ES256:
		good = is_good_p256(pkey);
		break;
	case JOSE_RS256:
	case JOSE_PS256:
		good = is_good_rsa(pkey);
		break;
	case JOSE_EDDSA:
		good = is_good_ed25519(pkey);
		break;
	case JOSE__COUNT:
		break;
	}
	return good && (is_private || passes_public_check(pkey));
}

/* RSASSA-PSS has a salt as long as the digest, and MGF1 with the same digest:
 * RFC 7518 section 3.5. */
static bool
set_up(EVP_PKEY_CTX *ctx, const EVP_MD *digest, const struct jose_algorithm_parameters *parameters)
{
	if (EVP_PKEY_CTX_set_signature_md(ctx, digest) != 1)
		return false;
	if (!str_equal(parameters->kty, STR("RSA")))
		return true;
	if (!parameters->pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest) == 1;
}

static bool
make_contexts(struct jose_key *key)
{
	const struct jose_algorithm_parameters	*parameters =
	    jose_algorithm_parameters(key->algorithm);
	struct contexts				*contexts = memory_zeroed(sizeof *contexts);

	key->contexts = contexts;
	if (contexts == NULL || (contexts->hash = EVP_MD_CTX_new()) == NULL)
		return false;
	if (parameters->digest == NULL)
		return true;
	contexts->digest = EVP_MD_fetch(NULL, parameters->digest, NULL);
	contexts->verify = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (contexts->digest == NULL || contexts->verify == NULL ||
	    EVP_PKEY_verify_init(contexts->verify) != 1 ||
	    !set_up(contexts->verify, contexts->digest, parameters))
		return false;
	if (!key->is_private)
		return true;
	contexts->sign = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	return contexts->sign != NULL && EVP_PKEY_sign_init(contexts->sign) == 1 &&
	    set_up(contexts->sign, contexts->digest, parameters);
}

/* RFC 7638 section 3. */
static bool
make_kid(struct jose_key *key)
{
	struct arena	*scratch = arena_new(SCRATCH_BYTES);
	struct sha256	 digest;
	struct buf	 members;
	struct str	 kid;
	bool		 done;

	if (scratch == NULL)
		return false;
	members = buf_new(scratch, JOSE_MAX_JWK_BYTES);
	buf_addc(&members, '{');
	done = jwk_add_members(&members, key->algorithm, key->pkey);
	buf_addc(&members, '}');
	if (done) {
		digest = sha256_of(buf_str(&members));
		kid = base64url_encode(scratch,
		    (struct str){ (const char *)digest.bytes, sizeof digest.bytes });
		memcpy(key->kid, kid.p, sizeof key->kid);
	}
	arena_free(&scratch);
	return done;
}

/* A key from pkey, which it takes over; NULL if pkey is NULL or not good. */
static struct jose_key *
key_new(enum jose_algorithm algorithm, EVP_PKEY *pkey, bool is_private)
{
	struct jose_key *key = memory_zeroed(sizeof *key);

	if (key == NULL || pkey == NULL || !is_good(pkey, algorithm, is_private)) {
		ERR_clear_error();	/* libpq's TLS looks at the same queue */
		EVP_PKEY_free(pkey);
		free(key);
		return NULL;
	}
	key->pkey = pkey;
	key->algorithm = algorithm;
	key->is_private = is_private;
	key->signature_bytes = jose_algorithm_parameters(algorithm)->signature_bytes;
	if (key->signature_bytes == 0)
		key->signature_bytes = (size_t)EVP_PKEY_get_size(pkey);
	if (!make_contexts(key) || !make_kid(key)) {
		ERR_clear_error();
		jose_key_free(&key);
	}
	return key;
}

struct jose_key *
jose_key_generate(enum jose_algorithm algorithm)
{
	EVP_PKEY *pkey = NULL;

	switch (algorithm) {
	case JOSE_ES256:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	case JOSE_RS256:
	case JOSE_PS256:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)JOSE_RSA_MIN_BITS);
		break;
	case JOSE_EDDSA:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	case JOSE__COUNT:
		break;
	}
	return key_new(algorithm, pkey, true);
}

/* OpenSSL's default would ask at the terminal. */
static int
no_passphrase(char *passphrase, int size, int writing, void *context)
{
	(void)passphrase, (void)size, (void)writing, (void)context;
	return -1;
}

struct jose_key *
jose_key_from_private_pem(enum jose_algorithm algorithm, struct str pem)
{
	EVP_PKEY	*pkey;
	BIO		*bio;

	if (str_is_empty(pem) || pem.n > JOSE_MAX_JWK_BYTES)
		return NULL;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return NULL;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return key_new(algorithm, pkey, true);
}

/* RFC 7517 sections 4.2 and 4.3; a private or symmetric key has no business in a
 * place for public ones, and who sent it should learn that (SEC-JOSE-07 c). */
static bool
is_for_verification(struct json_object *jwk)
{
	static const char *const secret[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

	for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
		if (json_has_member(jwk, secret[i]))
			return false;
	}
	if (json_has_member(jwk, "use") &&
	    !str_equal(json_member_string(jwk, "use"), STR("sig")))
		return false;
	return !json_has_member(jwk, "key_ops") ||
	    json_strings_have(json_member(jwk, "key_ops"), STR("verify"));
}

/* The algorithm of a JWK: the one it names, else "wanted", else the usual one of
 * its type.  False if what it names is unknown or is not what is wanted. */
static bool
choose_algorithm(struct json_object *jwk, enum jose_algorithm wanted, enum jose_algorithm *chosen)
{
	struct str kty = json_member_string(jwk, "kty");

	if (json_has_member(jwk, "alg"))
		return jose_algorithm_by_name(json_member_string(jwk, "alg"), chosen) &&
		    (wanted == JOSE__COUNT || *chosen == wanted);
	*chosen = wanted;
	for (unsigned i = 0; i < JOSE__COUNT && *chosen == JOSE__COUNT; i++) {
		if (str_equal(kty, jose_algorithm_parameters((enum jose_algorithm)i)->kty))
			*chosen = (enum jose_algorithm)i;
	}
	return *chosen != JOSE__COUNT;
}

struct jose_key *
jose_key_from_public_jwk_for(enum jose_algorithm wanted, struct str text)
{
	struct arena		*scratch;
	struct json_object	*jwk;
	struct jose_key		*key = NULL;
	enum jose_algorithm	 algorithm;

	if (text.n > JOSE_MAX_JWK_BYTES || (scratch = arena_new(SCRATCH_BYTES)) == NULL)
		return NULL;
	jwk = json_parse(scratch, text);
	if (json_is_object(jwk) && is_for_verification(jwk) &&
	    choose_algorithm(jwk, wanted, &algorithm))
		key = key_new(algorithm, jwk_to_pkey(scratch, algorithm, jwk), false);
	arena_free(&scratch);
	return key;
}

struct jose_key *
jose_key_from_public_jwk(struct str jwk)
{
	return jose_key_from_public_jwk_for(JOSE__COUNT, jwk);
}

void
jose_key_free(struct jose_key **key)
{
	if (*key == NULL)
		return;
	if ((*key)->contexts != NULL) {
		EVP_PKEY_CTX_free((*key)->contexts->sign);
		EVP_PKEY_CTX_free((*key)->contexts->verify);
		EVP_MD_CTX_free((*key)->contexts->hash);
		EVP_MD_free((*key)->contexts->digest);
		free((*key)->contexts);
	}
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

enum jose_algorithm
jose_key_algorithm(const struct jose_key *key)
{
	return key->algorithm;
}

struct str
jose_key_kid(const struct jose_key *key)
{
	return (struct str){ key->kid, sizeof key->kid };
}

struct str
jose_key_private_pem(struct arena *arena, const struct jose_key *key)
{
	struct str	 pem = STR_ABSENT;
	BIO		*bio;
	char		*text;
	long		 n;

	if (!key->is_private || (bio = BIO_new(BIO_s_mem())) == NULL)
		return STR_ABSENT;
	if (PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
	    (n = BIO_get_mem_data(bio, &text)) > 0)
		pem = str_dup(arena, (struct str){ text, (size_t)n });
	BIO_free(bio);			/* wipes */
	return pem;
}

struct str
jose_key_public_jwk(struct arena *arena, const struct jose_key *key)
{
	struct buf jwk = buf_new(arena, JOSE_MAX_JWK_BYTES);

	buf_addc(&jwk, '{');
	if (!jwk_add_members(&jwk, key->algorithm, key->pkey))
		return STR_ABSENT;
	buf_add(&jwk, STR(",\"alg\":"));
	buf_add_json(&jwk, jose_algorithm_name(key->algorithm));
	buf_add(&jwk, STR(",\"use\":\"sig\",\"kid\":"));
	buf_add_json(&jwk, jose_key_kid(key));
	buf_addc(&jwk, '}');
	return buf_str(&jwk);
}

static bool
hash_message(struct contexts *contexts, struct str message, struct sha256 *hash)
{
	return EVP_DigestInit_ex2(contexts->hash, contexts->digest, NULL) == 1 &&
	    EVP_DigestUpdate(contexts->hash, message.p, message.n) == 1 &&
	    EVP_DigestFinal_ex(contexts->hash, hash->bytes, NULL) == 1;
}

/* RFC 7518 section 3.4: R and S, each in 32 octets. */
static bool
der_to_raw(const unsigned char *der, size_t n, unsigned char raw[2 * P256_INTEGER_BYTES])
{
	ECDSA_SIG	*pair = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool		 done = pair != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, P256_INTEGER_BYTES) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + P256_INTEGER_BYTES,
	    P256_INTEGER_BYTES) > 0;

	ECDSA_SIG_free(pair);
	return done;
}

/* The length of the DER form, or 0. */
static size_t
raw_to_der(const unsigned char *raw, unsigned char der[P256_DER_BYTES])
{
	ECDSA_SIG	*pair = ECDSA_SIG_new();
	BIGNUM		*r = BN_bin2bn(raw, P256_INTEGER_BYTES, NULL);
	BIGNUM		*s = BN_bin2bn(raw + P256_INTEGER_BYTES, P256_INTEGER_BYTES, NULL);
	int		 n = 0;

	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1)
		n = i2d_ECDSA_SIG(pair, &der);
	else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return n > 0 ? (size_t)n : 0;
}

static bool
sign_ed25519(const struct jose_key *key, struct str message, struct jose_signature *signature)
{
	EVP_MD_CTX *ctx = key->contexts->hash;

	signature->n = sizeof signature->bytes;
	return EVP_MD_CTX_reset(ctx) == 1 &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, signature->bytes, &signature->n,
	    (const unsigned char *)message.p, message.n) == 1;
}

static bool
sign_hashed(const struct jose_key *key, struct str message, struct jose_signature *signature)
{
	struct sha256	hash;
	unsigned char	der[P256_DER_BYTES];
	size_t		n = sizeof der;

	if (!hash_message(key->contexts, message, &hash))
		return false;
	signature->n = key->signature_bytes;
	if (key->algorithm != JOSE_ES256)
		return EVP_PKEY_sign(key->contexts->sign, signature->bytes, &signature->n,
		    hash.bytes, sizeof hash.bytes) == 1;
	return EVP_PKEY_sign(key->contexts->sign, der, &n, hash.bytes, sizeof hash.bytes) == 1 &&
	    der_to_raw(der, n, signature->bytes);
}

/* Whether this signature is to be checked. */
static bool
is_check_due(const struct jose_key *key)
{
	if (key->contexts->unchecked > 0) {
		key->contexts->unchecked--;
		return false;
	}
	key->contexts->unchecked = jose_algorithm_parameters(key->algorithm)->check_every - 1;
	return true;
}

bool
jose_key_sign(const struct jose_key *key, struct str message, struct jose_signature *signature)
{
	bool done;

	if (!key->is_private || key->contexts->faulty)
		return false;
	done = key->algorithm == JOSE_EDDSA ? sign_ed25519(key, message, signature) :
	    sign_hashed(key, message, signature);
	if (!done) {
		ERR_clear_error();
		return false;
	}
	if (is_check_due(key) && !jose_key_verify(key, message,
	    (struct str){ (const char *)signature->bytes, signature->n })) {
		key->contexts->faulty = true;
		explicit_bzero(signature, sizeof *signature);	/* it may tell the key */
		return false;
	}
	return true;
}

static bool
verify_ed25519(const struct jose_key *key, struct str message, const unsigned char *signature)
{
	EVP_MD_CTX *ctx = key->contexts->hash;

	return EVP_MD_CTX_reset(ctx) == 1 &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	    EVP_DigestVerify(ctx, signature, key->signature_bytes,
	    (const unsigned char *)message.p, message.n) == 1;
}

static bool
verify_hashed(const struct jose_key *key, struct str message, const unsigned char *signature)
{
	struct sha256	hash;
	unsigned char	der[P256_DER_BYTES];
	size_t		n = key->signature_bytes;

	if (!hash_message(key->contexts, message, &hash))
		return false;
	if (key->algorithm == JOSE_ES256) {
		n = raw_to_der(signature, der);
		signature = der;
	}
	return n > 0 && EVP_PKEY_verify(key->contexts->verify, signature, n,
	    hash.bytes, sizeof hash.bytes) == 1;	/* -1 is malformed: not "true" */
}

bool
jose_key_verify(const struct jose_key *key, struct str message, struct str signature)
{
	const unsigned char	*bytes = (const unsigned char *)signature.p;
	bool			 good;

	if (signature.n != key->signature_bytes)
		return false;
	good = key->algorithm == JOSE_EDDSA ? verify_ed25519(key, message, bytes) :
	    verify_hashed(key, message, bytes);
	if (!good)
		ERR_clear_error();
	return good;
}
