/*
 * arena.c -- memory with one lifetime; see arena.h
 *
 * Blocks come from malloc.  The first block is kept from reset to reset, so the
 * usual request calls malloc for nothing but its foreign objects.
 *
 * In a build with sanitizers there is a red zone behind each allocation, and what is not
 * handed out is forbidden: they see an overrun here as they would in malloc's memory.
 */
#include "base/arena.h"

#include "base/memory.h"
#include "base/sanitized.h"

#include <stdalign.h>
#include <stdint.h>

#define FIRST_BLOCK_BYTES	((size_t)64 * 1024)
#define RED_ZONE_BYTES		(SANITIZED ? alignof(max_align_t) : 0)

struct block {
	struct block	*older;
	size_t		 size;		/* bytes in data */
	size_t		 used;
	size_t		 red;		/* bytes of red zones: no more than used */
	alignas(max_align_t) unsigned char data[];
};

struct binding {
	struct binding	*older;
	void		*object;
	void		(*release)(void *object);
};

struct arena {
	struct block	*newest;
	struct binding	*bindings;
	jmp_buf		*exhausted;
	size_t		 limit;
	size_t		 taken;		/* bytes in all blocks */
};

/* Octets in data, with room for the red zones. */
static size_t
room(size_t size)
{
	return SANITIZED ? 2 * size : size;
}

static struct block *
block_new(size_t size, struct block *older)
{
	struct block *block = malloc(sizeof *block + room(size));

	if (block == NULL) {
		memory_note_failure();
		return NULL;
	}
	block->older = older;
	block->size = size;
	block->used = 0;
	block->red = 0;
	MEMORY_FORBID(block->data, room(size));
	return block;
}

static void
wipe(struct block *block)
{
	MEMORY_ALLOW(block->data, room(block->size));
	explicit_bzero(block->data, block->used + block->red);
	MEMORY_FORBID(block->data, room(block->size));
	block->used = block->red = 0;
}

static void
block_free(struct block *block)
{
	wipe(block);
	MEMORY_ALLOW(block->data, room(block->size));
	free(block);
}

struct arena *
arena_new(size_t limit_bytes)
{
	struct arena *arena = memory_zeroed(sizeof *arena);

	if (arena == NULL)
		return NULL;
	arena->limit = limit_bytes;
	arena->taken = limit_bytes < FIRST_BLOCK_BYTES ? limit_bytes : FIRST_BLOCK_BYTES;
	arena->newest = block_new(arena->taken, NULL);
	if (arena->newest == NULL) {
		free(arena);
		return NULL;
	}
	return arena;
}

void
arena_free(struct arena **arena)
{
	if (*arena == NULL)
		return;
	arena_reset(*arena);
	block_free((*arena)->newest);
	free(*arena);
	*arena = NULL;
}

void
arena_reset(struct arena *arena)
{
	struct block *block;

	while (arena->bindings != NULL) {
		struct binding *binding = arena->bindings;

		arena->bindings = binding->older;
		binding->release(binding->object);
	}
	while ((block = arena->newest)->older != NULL) {
		arena->newest = block->older;
		arena->taken -= block->size;
		block_free(block);
	}
	wipe(block);
}

static _Noreturn void
exhausted(struct arena *arena)
{
	if (arena->exhausted == NULL)
		memory_exhausted();
	longjmp(*arena->exhausted, 1);
}

/* size bytes at an aligned place, or NULL. */
static void *
take(struct arena *arena, size_t size)
{
	struct block	*block = arena->newest;
	size_t		 exact = size, wanted;
	void		*place;

	if (size > arena->limit)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (block->size - block->used < size) {
		wanted = size > FIRST_BLOCK_BYTES ? size : FIRST_BLOCK_BYTES;
		if (arena->limit - arena->taken < wanted)
			return NULL;
		block = block_new(wanted, arena->newest);
		if (block == NULL)
			return NULL;
		arena->newest = block;
		arena->taken += wanted;
	}
	place = block->data + block->used + block->red;
	block->used += size;
	if (size > 0)
		block->red += RED_ZONE_BYTES;
	MEMORY_ALLOW(place, exact);
	return memset(place, 0, exact);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	void *place = take(arena, size);

	if (place == NULL)
		exhausted(arena);
	return place;
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		exhausted(arena);
	return arena_alloc(arena, bytes);
}

void
arena_bind(struct arena *arena, void *object, void (*release)(void *object))
{
	struct binding *binding = take(arena, sizeof *binding);

	if (binding == NULL) {
		release(object);
		exhausted(arena);
	}
	binding->object = object;
	binding->release = release;
	binding->older = arena->bindings;
	arena->bindings = binding;
}

void
arena_on_exhaustion(struct arena *arena, jmp_buf *target)
{
	arena->exhausted = target;
}
