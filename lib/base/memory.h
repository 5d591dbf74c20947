/*
 * memory.h -- when there is no memory left
 *
 * A request during which any allocation failed is answered with 503, and the worker
 * ends: what was computed on the way there may be wrong -- a library takes a token for
 * forged when it could not allocate the number to check it with.  So a failure is
 * either the end of the request (memory_exhausted) or remembered until its end
 * (memory_note_failure), and never forgotten.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

/* Where memory_exhausted() goes (longjmp with 1); NULL for abort().  The target must be
 * valid until it is replaced. */
void memory_on_exhaustion(jmp_buf *target);

/* Give up what is being done. */
_Noreturn void memory_exhausted(void);

/* An allocation failed, and whoever asked for it goes on without. */
void memory_note_failure(void);

/* Has any allocation failed that we know of, since the process began? */
bool memory_has_failed(void);

/* n zeroed bytes from the heap, for free(); NULL, and noted, if there are none. */
void *memory_zeroed(size_t n);

/* Watch OpenSSL's allocations.  Before its first one; false if it is too late. */
bool memory_watch_openssl(void);

#endif
