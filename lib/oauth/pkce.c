/*
 * pkce.c -- Proof Key for Code Exchange; see pkce.h
 */
#include "oauth/pkce.h"

#include "base/base64url.h"
#include "base/buf.h"
#include "base/memory.h"
#include "base/recent.h"

#include <time.h>

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

bool
pkce_comes_again(struct arena *arena, struct str client_id, struct str challenge)
{
	static struct recent	 answered;
	struct buf		 text = buf_new(arena, challenge.n + client_id.n);
	struct sha256		 digest;
	const time_t		*before;
	time_t			*now;
	bool			 again;

	buf_add(&text, challenge);	/* always of one length, so no two pairs make the same text */
	buf_add(&text, client_id);
	digest = sha256_of(buf_str(&text));
	now = memory_zeroed(sizeof *now);
	if (now == NULL)
		return false;
	*now = time(NULL);
	before = recent_find(&answered, &digest);
	again = before != NULL && *before <= *now && *now - *before <= PKCE_MEMORY_SECONDS;
	recent_keep(&answered, &digest, now, sizeof *now);
	return again;
}
