/*
 * tokens.c -- the tokens that we make; see tokens.h
 */
#include "oauth/tokens.h"

#include "base/base64url.h"
#include "base/secret.h"

#include <openssl/sha.h>

enum { JTI_BYTES = 16 };

struct str
access_token_make(struct arena *arena, const struct jose_key *key, const struct token_claims *claims,
    struct str client_id)
{
	struct jwt_builder	builder = jwt_builder_new(arena);
	unsigned char		jti[JTI_BYTES];

	random_bytes(jti, sizeof jti);
	jwt_add_string(&builder, STR("iss"), claims->issuer);
	jwt_add_string(&builder, STR("sub"), claims->sub);
	jwt_add_string(&builder, STR("aud"), claims->audience);
	jwt_add_string(&builder, STR("client_id"), client_id);
	jwt_add_integer(&builder, STR("iat"), claims->issued_at);
	jwt_add_integer(&builder, STR("exp"), claims->issued_at + claims->access_token_seconds);
	jwt_add_string(&builder, STR("jti"), base64url_encode(arena, (struct str){ (const char *)jti, sizeof jti }));
	jwt_add_string(&builder, STR("scope"), claims->scope);
	jwt_add_string(&builder, STR(CLAIM_GRANT_ID), claims->grant_id);
	return jwt_sign(&builder, key, ACCESS_TOKEN_TYPE);
}

/* The left half of the hash that goes with the ID token's algorithm: SHA-256, but
 * SHA-512 for EdDSA, because that is what Ed25519 itself hashes with. */
static struct str
at_hash(struct arena *arena, const struct jose_key *key, struct str access_token)
{
	unsigned char	sha512[SHA512_DIGEST_LENGTH];
	struct sha256	sha256;

	if (jose_key_algorithm(key) == JOSE_EDDSA) {
		SHA512((const unsigned char *)access_token.p, access_token.n, sha512);
		return base64url_encode(arena, (struct str){ (const char *)sha512, sizeof sha512 / 2 });
	}
	sha256 = sha256_of(access_token);
	return base64url_encode(arena, (struct str){ (const char *)sha256.bytes, SHA256_BYTES / 2 });
}

struct str
id_token_make(struct arena *arena, const struct jose_key *key, const struct token_claims *claims,
    struct str client_id, struct str access_token)
{
	struct jwt_builder builder = jwt_builder_new(arena);

	jwt_add_string(&builder, STR("iss"), claims->issuer);
	jwt_add_string(&builder, STR("sub"), claims->sub);
	jwt_add_string(&builder, STR("aud"), client_id);
	jwt_add_integer(&builder, STR("iat"), claims->issued_at);
	jwt_add_integer(&builder, STR("exp"), claims->issued_at + claims->id_token_seconds);
	jwt_add_integer(&builder, STR("auth_time"), claims->auth_time);
	jwt_add_string(&builder, STR("nonce"), claims->nonce);
	jwt_add_string(&builder, STR("sid"), claims->session_id);
	jwt_add_string(&builder, STR("at_hash"), at_hash(arena, key, access_token));
	return jwt_sign(&builder, key, STR("JWT"));
}
