/*
 * jwt.c -- fuzz target: the input as a token, as a JWK and, well signed, as the
 *          header and payload of a token
 */
#include "base/base64url.h"
#include "jose/jwt.h"

#include "fuzz.h"

static const struct jose_key *
find_key(void *context, struct str kid)
{
	(void)kid;
	return context;
}

/* Header and payload are separated by the first newline. */
static struct str
sign(struct arena *arena, const struct jose_key *key, struct str input)
{
	struct jose_signature	signature;
	struct buf		token = buf_new(arena, 4 * JWT_MAX_BYTES);
	struct str		header;

	if (!str_cut(&input, '\n', &header))
		return STR_ABSENT;
	buf_add(&token, base64url_encode(arena, header));
	buf_addc(&token, '.');
	buf_add(&token, base64url_encode(arena, input));
	if (str_is_absent(buf_str(&token)) || !jose_key_sign(key, buf_str(&token), &signature))
		return STR_ABSENT;
	buf_addc(&token, '.');
	buf_add(&token, base64url_encode(arena,
	    (struct str){ (const char *)signature.bytes, signature.n }));
	return buf_str(&token);
}

static void
read_claims(const struct jwt_claims *claims)
{
	int64_t time = 0;

	if (jwt_claim_integer(claims, "exp", &time) && (time < 0 || time >= INT64_C(1) << 53))
		abort();
	if (jwt_has_only_audience(claims, STR("us")) && !jwt_has_audience(claims, STR("us")))
		abort();
	jwt_has_scope(claims, jwt_claim_string(claims, "sub"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jose_key		*key;
	struct arena			*arena = fuzz_arena(8 * 1024 * 1024);
	struct str			 input = { (const char *)data, size };
	struct jose_key			*other;
	const struct jwt_claims		*claims;

	if (key == NULL)
		key = jose_key_generate(JOSE_ES256);
	if (key == NULL)
		return 0;
	if (jwt_verify(arena, input, STR("JWT"), find_key, key, &claims) == JWT_OK)
		abort();		/* nobody else has the key */
	other = jose_key_from_public_jwk(input);
	jose_key_free(&other);
	if (size <= JWT_MAX_BYTES && jwt_verify(arena, sign(arena, key, input), STR("JWT"),
	    find_key, key, &claims) == JWT_OK)
		read_claims(claims);
	arena_reset(arena);
	return 0;
}
