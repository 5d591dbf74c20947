/*
 * jwk.c -- the public members of a JWK; see jwk.h
 */
#include "jose/jwk.h"

#include "base/base64url.h"
#include "base/json.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#define P256_COORDINATE_BYTES	32
#define P256_POINT_BYTES	(1 + 2 * P256_COORDINATE_BYTES)
#define ED25519_BYTES		32

/* The octets of a base64url member; false if it is missing or not canonical. */
static bool
octets(struct arena *arena, struct json_object *jwk, const char *name, struct str *bytes)
{
	struct str text = json_member_string(jwk, name);

	return !str_is_empty(text) && base64url_decode(arena, text, bytes);
}

/* RFC 7518 section 2, Base64urlUInt: no leading zero octet. */
static BIGNUM *
unsigned_integer(struct arena *arena, struct json_object *jwk, const char *name)
{
	struct str bytes;

	if (!octets(arena, jwk, name, &bytes) || bytes.p[0] == '\0')
		return NULL;
	return BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
}

/* A public key of the OpenSSL type from its parameters; takes "params" over. */
static EVP_PKEY *
pkey_from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY	*pkey = NULL;

	if (ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

/* RFC 7518 section 6.3.1. */
static EVP_PKEY *
rsa_to_pkey(struct arena *arena, struct json_object *jwk)
{
	BIGNUM		*n = unsigned_integer(arena, jwk, "n");
	BIGNUM		*e = unsigned_integer(arena, jwk, "e");
	OSSL_PARAM_BLD	*builder = OSSL_PARAM_BLD_new();
	EVP_PKEY	*pkey = NULL;

	if (n != NULL && e != NULL && builder != NULL &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		pkey = pkey_from_params("RSA", OSSL_PARAM_BLD_to_param(builder));
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return pkey;
}

/* RFC 7518 section 6.2.1: both coordinates, each in full length. */
static EVP_PKEY *
ec_to_pkey(struct arena *arena, struct json_object *jwk)
{
	unsigned char	point[P256_POINT_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD	*builder;
	EVP_PKEY	*pkey = NULL;
	struct str	 x, y;

	if (!octets(arena, jwk, "x", &x) || x.n != P256_COORDINATE_BYTES ||
	    !octets(arena, jwk, "y", &y) || y.n != P256_COORDINATE_BYTES)
		return NULL;
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + x.n, y.p, y.n);
	builder = OSSL_PARAM_BLD_new();
	if (builder != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
	    "prime256v1", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY,
	    point, sizeof point) == 1)
		pkey = pkey_from_params("EC", OSSL_PARAM_BLD_to_param(builder));
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

/* RFC 8037 section 2. */
static EVP_PKEY *
okp_to_pkey(struct arena *arena, struct json_object *jwk)
{
	struct str x;

	if (!octets(arena, jwk, "x", &x) || x.n != ED25519_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    (const unsigned char *)x.p, x.n);
}

EVP_PKEY *
jwk_to_pkey(struct arena *arena, enum jose_algorithm algorithm, struct json_object *jwk)
{
	const struct jose_algorithm_parameters *parameters = jose_algorithm_parameters(algorithm);

	if (!str_equal(json_member_string(jwk, "kty"), parameters->kty) ||
	    !str_equal(json_member_string(jwk, "crv"), parameters->crv))
		return NULL;
	switch (algorithm) {
	case JOSE_ES256:
		return ec_to_pkey(arena, jwk);
	case JOSE_RS256:
	case JOSE_PS256:
		return rsa_to_pkey(arena, jwk);
	case JOSE_EDDSA:
		return okp_to_pkey(arena, jwk);
	case JOSE__COUNT:
		break;
	}
	return NULL;
}

/* One member: a number of the key, in "width" octets (0: as few as it takes). */
static bool
add_number(struct buf *buf, const char *name, EVP_PKEY *pkey, const char *parameter, int width)
{
	BIGNUM		*number = NULL;
	unsigned char	*bytes;

	if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1)
		return false;
	if (width == 0)
		width = BN_num_bytes(number);
	bytes = arena_alloc(buf->arena, (size_t)width);
	width = BN_bn2binpad(number, bytes, width);
	BN_free(number);
	if (width < 0)
		return false;
	buf_addf(buf, "\"%s\":", name);
	buf_add_json(buf, base64url_encode(buf->arena,
	    (struct str){ (const char *)bytes, (size_t)width }));
	return true;
}

static bool
add_rsa(struct buf *buf, EVP_PKEY *pkey)
{
	if (!add_number(buf, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0))
		return false;
	buf_add(buf, STR(",\"kty\":\"RSA\","));
	return add_number(buf, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0);
}

static bool
add_ec(struct buf *buf, EVP_PKEY *pkey)
{
	buf_add(buf, STR("\"crv\":\"P-256\",\"kty\":\"EC\","));
	if (!add_number(buf, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, P256_COORDINATE_BYTES))
		return false;
	buf_addc(buf, ',');
	return add_number(buf, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, P256_COORDINATE_BYTES);
}

static bool
add_okp(struct buf *buf, EVP_PKEY *pkey)
{
	unsigned char	x[ED25519_BYTES];
	size_t		n = sizeof x;

	if (EVP_PKEY_get_raw_public_key(pkey, x, &n) != 1)
		return false;
	buf_add(buf, STR("\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":"));
	buf_add_json(buf, base64url_encode(buf->arena, (struct str){ (const char *)x, n }));
	return true;
}

bool
jwk_add_members(struct buf *buf, enum jose_algorithm algorithm, EVP_PKEY *pkey)
{
	switch (algorithm) {
	case JOSE_ES256:
		return add_ec(buf, pkey);
	case JOSE_RS256:
	case JOSE_PS256:
		return add_rsa(buf, pkey);
	case JOSE_EDDSA:
		return add_okp(buf, pkey);
	case JOSE__COUNT:
		break;
	}
	return false;
}
