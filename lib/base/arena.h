/*
 * arena.h -- memory with one lifetime
 *
 * A worker has one arena for its request: everything that a request needs is
 * taken from it and nothing is freed by hand.  arena_reset() ends all of it at
 * once, wipes it, and lets go of foreign objects (PGresult, EVP_PKEY, ...) that
 * were bound to it.
 *
 * Allocation never returns NULL.  When the arena's limit is reached or malloc
 * fails, control goes back to the place that called arena_on_exhaustion(); if nobody
 * did, it goes where everything goes that is out of memory (memory.h): to the skeleton,
 * which answers 503 and ends the worker.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>

struct arena;

/* A new arena that hands out at most limit_bytes.  NULL when memory is out.
 * The caller owns it; arena_free() ends it. */
struct arena *arena_new(size_t limit_bytes);

/* Reset, then release the arena itself.  *arena becomes NULL. */
void arena_free(struct arena **arena);

/* Run the bound releases, newest first, wipe and take back all memory.
 * Everything that was allocated from the arena is invalid afterwards. */
void arena_reset(struct arena *arena);

/* size zeroed bytes, aligned for any type, valid until the next reset. */
void *arena_alloc(struct arena *arena, size_t size)
	__attribute__((malloc, returns_nonnull, alloc_size(2)));

/* Room for count elements of size bytes; an overflow counts as exhaustion. */
void *arena_array(struct arena *arena, size_t count, size_t size)
	__attribute__((malloc, returns_nonnull, alloc_size(2, 3)));

/* Call release(object) at the next reset.  If there is no memory to remember
 * that, object is released at once and the arena counts as exhausted. */
void arena_bind(struct arena *arena, void *object, void (*release)(void *object));

/* Where to go (longjmp with 1) when the arena is exhausted; NULL for memory_exhausted().
 * The target must be valid until it is replaced. */
void arena_on_exhaustion(struct arena *arena, jmp_buf *target);

#endif
