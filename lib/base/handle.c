/*
 * handle.c -- names that are secrets; see handle.h
 */
#include "base/handle.h"

#include "base/base64url.h"

static void
digest(struct handle *handle)
{
	handle->digest = sha256_of((struct str){ (const char *)handle->bytes, HANDLE_BYTES });
}

void
handle_new(struct handle *handle)
{
	random_bytes(handle->bytes, HANDLE_BYTES);
	handle->bytes[6] = (handle->bytes[6] & 0x0f) | 0x40;
	handle->bytes[8] = (handle->bytes[8] & 0x3f) | 0x80;
	digest(handle);
}

struct str
handle_text(struct arena *arena, const struct handle *handle)
{
	return base64url_encode(arena, (struct str){ (const char *)handle->bytes, HANDLE_BYTES });
}

bool
handle_parse(struct arena *arena, struct str text, struct handle *handle)
{
	struct str bytes;

	if (text.n != HANDLE_TEXT_BYTES || !base64url_decode(arena, text, &bytes))
		return false;
	memcpy(handle->bytes, bytes.p, HANDLE_BYTES);
	digest(handle);
	return true;
}
