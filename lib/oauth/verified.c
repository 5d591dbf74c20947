/*
 * verified.c -- tokens whose signature this process has verified; see verified.h
 */
#include "oauth/verified.h"

#include <stddef.h>

/* Room for the claims of one token; what does not fit is not remembered. */
#define CLAIMS_MAX_BYTES	((size_t)2048)

struct memory {
	struct sha256		 digest;
	struct presented	 presented;
	struct arena		*arena;		/* of the claims; NULL: not used yet */
};

static struct memory memories[VERIFIED_MAX_TOKENS];

static struct memory *
place_of(const struct sha256 *digest)
{
	return &memories[digest->bytes[0] % VERIFIED_MAX_TOKENS];
}

bool
verified_recall(struct str token, struct presented *presented)
{
	struct sha256	digest = sha256_of(token);
	struct memory	*memory = place_of(&digest);

	if (memory->arena == NULL || memcmp(&memory->digest, &digest, sizeof digest) != 0)
		return false;
	*presented = memory->presented;
	return true;
}

static size_t
room(struct str s)
{
	return s.n + 1 + sizeof(max_align_t);
}

void
verified_remember(struct str token, const struct presented *presented)
{
	struct sha256	digest = sha256_of(token);
	struct memory	*memory = place_of(&digest);

	if (room(presented->client_id) + room(presented->jti) + room(presented->scope) +
	    room(presented->audience) + room(presented->kid) > CLAIMS_MAX_BYTES)
		return;
	if (memory->arena == NULL && (memory->arena = arena_new(CLAIMS_MAX_BYTES)) == NULL)
		return;
	arena_reset(memory->arena);
	memory->digest = digest;
	memory->presented = *presented;
	memory->presented.client_id = str_dup(memory->arena, presented->client_id);
	memory->presented.jti = str_dup(memory->arena, presented->jti);
	memory->presented.scope = str_dup(memory->arena, presented->scope);
	memory->presented.audience = str_dup(memory->arena, presented->audience);
	memory->presented.kid = str_dup(memory->arena, presented->kid);
}
