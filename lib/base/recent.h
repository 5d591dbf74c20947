/*
 * recent.h -- things found again by a digest, as long as they are used
 *
 * A table of a fixed size that never says it is full: what has not been asked for the
 * longest makes room.  The digest chooses a set of a few places, so that finding
 * something means comparing a few digests, and so that nobody who can choose what is
 * kept can push out all the rest by guessing one place.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include "base/secret.h"

#include <stdint.h>

enum { RECENT_SETS = 64, RECENT_WAYS = 8 };	/* a power of two; places in each set */

/* Zeroed memory is an empty table. */
struct recent {
	struct {
		struct sha256	 digest;
		uint64_t	 used;		/* by the table's clock */
		void		*kept;		/* NULL: free */
		size_t		 size;		/* of it */
	} place[RECENT_SETS][RECENT_WAYS];
	uint64_t	 clock;
};

/* What is kept under the digest; NULL: nothing.  It stays the table's, and is valid
 * until the next change of the table. */
void *recent_find(struct recent *table, const struct sha256 *digest);

/* Keep something of size octets under the digest, in the place of what was there.  It was
 * got from malloc and becomes the table's, which wipes and frees it. */
void recent_keep(struct recent *table, const struct sha256 *digest, void *kept, size_t size);

/* Let go of what is kept under the digest; of all. */
void recent_forget(struct recent *table, const struct sha256 *digest);
void recent_clear(struct recent *table);

#endif
