/*
 * pkce.c -- Proof Key for Code Exchange; see pkce.h
 */
#include "oauth/pkce.h"

#include "base/base64url.h"
#include "base/secret.h"

#define ALPHANUMERIC	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool
pkce_is_challenge(struct str text)
{
	return text.n == BASE64URL_LENGTH(SHA256_BYTES) && str_consists_of(text, ALPHANUMERIC "-_");
}

bool
pkce_is_verifier(struct str text)
{
	return text.n >= 43 && text.n <= 128 && str_consists_of(text, ALPHANUMERIC "-._~");
}

struct str
pkce_challenge(struct arena *arena, struct str verifier)
{
	struct sha256 digest = sha256_of(verifier);

	return base64url_encode(arena, (struct str){ (const char *)digest.bytes, SHA256_BYTES });
}
