/*
 * handle.c -- names that are secrets; see handle.h
 */
#include "base/handle.h"

#include "base/base64url.h"
#include "base/uuid.h"

static void
digest(struct handle *handle)
{
	handle->digest = sha256_of((struct str){ (const char *)handle->bytes, HANDLE_BYTES });
}

void
handle_new(struct handle *handle)
{
	unsigned char id[HANDLE_ID_BYTES];

	uuid_new(id);
	handle_new_with_id(handle, id);
}

void
handle_new_with_id(struct handle *handle, const unsigned char id[HANDLE_ID_BYTES])
{
	memcpy(handle->bytes, id, HANDLE_ID_BYTES);
	random_bytes(handle->bytes + HANDLE_ID_BYTES, HANDLE_BYTES - HANDLE_ID_BYTES);
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
