/*
 * memory.c -- when there is no memory left; see memory.h
 */
#include "base/memory.h"

#include <openssl/crypto.h>

static jmp_buf	*place;
static bool	 failed;

void
memory_on_exhaustion(jmp_buf *target)
{
	place = target;
}

void
memory_exhausted(void)
{
	failed = true;
	if (place == NULL)
		abort();
	longjmp(*place, 1);
}

void
memory_note_failure(void)
{
	failed = true;
}

bool
memory_has_failed(void)
{
	return failed;
}

void *
memory_zeroed(size_t n)
{
	void *memory = calloc(1, n);

	failed |= memory == NULL;
	return memory;
}

static void *
allocate(size_t n, const char *file, int line)
{
	void *memory = malloc(n);

	(void)file, (void)line;
	failed |= memory == NULL;
	return memory;
}

static void *
reallocate(void *old, size_t n, const char *file, int line)
{
	void *memory = realloc(old, n);

	(void)file, (void)line;
	failed |= memory == NULL && n > 0;
	return memory;
}

static void
release(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	free(memory);
}

bool
memory_watch_openssl(void)
{
	return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}
