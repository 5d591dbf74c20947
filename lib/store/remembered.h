/*
 * remembered.h -- the answer to a call, kept for the next time that the same is asked
 *
 * One block of memory with offsets instead of pointers, so that it can be kept in one
 * place and copied to another.  Only store.c looks inside; when an answer may be
 * given again is said in store.h.
 */
#ifndef STORE_REMEMBERED_H
#define STORE_REMEMBERED_H

#include "base/secret.h"

#include <libpq-fe.h>

struct remembered;

/* The digest under which the answer to a call is kept: of the call's name and all its
 * values, as libpq gets them (NULL or lengths[i] octets). */
struct sha256 remembered_key(struct arena *arena, const char *name, const char *const *values,
    const int *lengths, int count);

/* The first row of result in a block from malloc, which is the caller's.  NULL: out
 * of memory, and then it is not remembered. */
struct remembered *remembered_new(const PGresult *result);

/* Octets of the block. */
size_t remembered_size(const struct remembered *answer);

/* A copy that lives as long as the arena's present contents. */
const struct remembered *remembered_copy(struct arena *arena, const struct remembered *answer);

/* A column's text; absent for NULL.  It lives as long as answer. */
struct str remembered_get(const struct remembered *answer, int column);

#endif
