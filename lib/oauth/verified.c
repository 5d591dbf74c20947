/*
 * verified.c -- tokens whose signature this process has verified; see verified.h
 */
#include "oauth/verified.h"

#include "base/recent.h"

#include <stdlib.h>

/* What a token says, and behind it the octets that the slices point to. */
struct memory {
	struct presented	presented;
	char			octets[];
};

static struct recent memories;

bool
verified_recall(struct str token, struct presented *presented)
{
	struct sha256		 digest = sha256_of(token);
	const struct memory	*memory = recent_find(&memories, &digest);

	if (memory == NULL)
		return false;
	*presented = memory->presented;
	return true;
}

/* Let the slice point to a copy of its octets at *place, and go on behind it. */
static void
move(struct str *s, char **place)
{
	if (str_is_absent(*s))
		return;
	memcpy(*place, s->p, s->n);
	s->p = *place;
	*place += s->n;
}

void
verified_remember(struct str token, const struct presented *presented)
{
	struct sha256	 digest = sha256_of(token);
	size_t		 size = presented->client_id.n + presented->jti.n + presented->scope.n + presented->audience.n +
	    presented->kid.n;
	struct memory	*memory = malloc(sizeof *memory + size);
	char		*place;

	if (memory == NULL)
		return;		/* then it is verified once more */
	memory->presented = *presented;
	place = memory->octets;
	move(&memory->presented.client_id, &place);
	move(&memory->presented.jti, &place);
	move(&memory->presented.scope, &place);
	move(&memory->presented.audience, &place);
	move(&memory->presented.kid, &place);
	recent_keep(&memories, &digest, memory, sizeof *memory + size);
}
