/*
 * fuzz.h -- what the fuzz targets share
 *
 * A target is one function that takes any octets and aborts when something that must
 * always hold does not.  libFuzzer calls it with what it invents, replay.c with the
 * files of corpus/TARGET.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold. */
#define HOLDS(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* An arena for one input after the other: the target resets it.  To make one for each
 * would take longer than most targets do. */
__attribute__((unused))
static struct arena *
fuzz_arena(size_t limit_bytes)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_new(limit_bytes);
	HOLDS(arena != NULL);
	return arena;
}

#endif
