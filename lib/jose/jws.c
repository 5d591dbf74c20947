/*
 * jws.c -- signed text in compact serialisation; see jws.h
 */
#include "jose/jws.h"

#include "base/base64url.h"
#include "base/buf.h"

#define HEADER_MAX_BYTES	512

static struct str
header_text(struct arena *arena, const struct jose_key *key, struct str typ)
{
	struct buf header = buf_new(arena, HEADER_MAX_BYTES);

	buf_add(&header, STR("{\"alg\":"));
	buf_add_json(&header, jose_algorithm_name(jose_key_algorithm(key)));
	if (!str_is_absent(typ)) {
		buf_add(&header, STR(",\"typ\":"));
		buf_add_json(&header, typ);
	}
	buf_add(&header, STR(",\"kid\":"));
	buf_add_json(&header, jose_key_kid(key));
	buf_addc(&header, '}');
	return buf_str(&header);
}

struct str
jws_sign(struct arena *arena, const struct jose_key *key, struct str typ, struct str payload)
{
	struct jose_signature	signature;
	struct str		header = header_text(arena, key, typ);
	struct buf		token = buf_new(arena, JWS_MAX_BYTES);

	/* A longer payload would be refused below, but after the work. */
	if (str_is_absent(header) || str_is_absent(payload) || payload.n > JWS_MAX_BYTES)
		return STR_ABSENT;
	buf_add(&token, base64url_encode(arena, header));
	buf_addc(&token, '.');
	buf_add(&token, base64url_encode(arena, payload));
	if (token.overflowed || !jose_key_sign(key, buf_str(&token), &signature))
		return STR_ABSENT;
	buf_addc(&token, '.');
	buf_add(&token, base64url_encode(arena,
	    (struct str){ (const char *)signature.bytes, signature.n }));
	return buf_str(&token);
}
