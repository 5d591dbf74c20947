/*
 * recent.c -- things found again by a digest; see recent.h
 */
#include "base/recent.h"

#include <stdlib.h>

#define NOWHERE	RECENT_WAYS

static size_t
set_of(const struct sha256 *digest)
{
	return digest->bytes[0] % RECENT_SETS;
}

/* The place in the set that has the digest; NOWHERE if none has. */
static size_t
way_of(const struct recent *table, size_t set, const struct sha256 *digest)
{
	size_t way = 0;

	while (way < RECENT_WAYS && (table->place[set][way].kept == NULL ||
	    memcmp(&table->place[set][way].digest, digest, sizeof *digest) != 0))
		way++;
	return way;
}

/* A free place counts as never used, and is the oldest. */
static size_t
oldest_of(const struct recent *table, size_t set)
{
	size_t oldest = 0;

	for (size_t way = 1; way < RECENT_WAYS; way++) {
		if (table->place[set][way].used < table->place[set][oldest].used)
			oldest = way;
	}
	return oldest;
}

static void
empty(struct recent *table, size_t set, size_t way)
{
	if (table->place[set][way].kept != NULL)
		explicit_bzero(table->place[set][way].kept, table->place[set][way].size);
	free(table->place[set][way].kept);
	table->place[set][way].kept = NULL;
	table->place[set][way].used = 0;
}

void *
recent_find(struct recent *table, const struct sha256 *digest)
{
	size_t set = set_of(digest), way = way_of(table, set, digest);

	if (way == NOWHERE)
		return NULL;
	table->place[set][way].used = ++table->clock;
	return table->place[set][way].kept;
}

void
recent_keep(struct recent *table, const struct sha256 *digest, void *kept, size_t size)
{
	size_t set = set_of(digest), way = way_of(table, set, digest);

	if (way == NOWHERE)
		way = oldest_of(table, set);
	empty(table, set, way);
	table->place[set][way].digest = *digest;
	table->place[set][way].used = ++table->clock;
	table->place[set][way].kept = kept;
	table->place[set][way].size = size;
}

void
recent_forget(struct recent *table, const struct sha256 *digest)
{
	size_t set = set_of(digest), way = way_of(table, set, digest);

	if (way != NOWHERE)
		empty(table, set, way);
}

void
recent_clear(struct recent *table)
{
	for (size_t set = 0; set < RECENT_SETS; set++) {
		for (size_t way = 0; way < RECENT_WAYS; way++)
			empty(table, set, way);
	}
}
