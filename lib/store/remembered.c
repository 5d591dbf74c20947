/*
 * remembered.c -- the answer to a call, kept for the next time; see remembered.h
 */
#include "store/remembered.h"

#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>

struct remembered {
	size_t		size;		/* of the whole block */
	int		columns;
	struct {
		size_t	at;		/* from the beginning of the block; 0: NULL */
		size_t	n;
	} column[];
};

struct sha256
remembered_key(struct arena *arena, const char *name, const char *const *values, const int *lengths, int count)
{
	size_t		size = strlen(name) + 1;
	struct buf	text;

	for (int i = 0; i < count; i++)
		size += sizeof lengths[i] + (values[i] == NULL ? 0 : (size_t)lengths[i]);
	text = buf_new(arena, size);
	buf_add(&text, (struct str){ name, strlen(name) + 1 });
	for (int i = 0; i < count; i++) {
		int length = values[i] == NULL ? -1 : lengths[i];

		buf_add(&text, (struct str){ (const char *)&length, sizeof length });
		if (values[i] != NULL)
			buf_add(&text, (struct str){ values[i], (size_t)lengths[i] });
	}
	return sha256_of(buf_str(&text));
}

struct remembered *
remembered_new(const PGresult *result)
{
	int			 columns = PQnfields(result);
	size_t			 at = sizeof(struct remembered) + (size_t)columns * sizeof(((struct remembered *)NULL)->column[0]);
	size_t			 size = at;
	struct remembered	*answer;

	for (int i = 0; i < columns; i++)
		size += (size_t)PQgetlength(result, 0, i);
	answer = malloc(size);
	if (answer == NULL)
		return NULL;
	answer->size = size;
	answer->columns = columns;
	for (int i = 0; i < columns; i++) {
		size_t n = (size_t)PQgetlength(result, 0, i);

		answer->column[i].at = PQgetisnull(result, 0, i) ? 0 : at;
		answer->column[i].n = n;
		memcpy((char *)answer + at, PQgetvalue(result, 0, i), n);
		at += n;
	}
	return answer;
}

size_t
remembered_size(const struct remembered *answer)
{
	return answer->size;
}

const struct remembered *
remembered_copy(struct arena *arena, const struct remembered *answer)
{
	return memcpy(arena_alloc(arena, answer->size), answer, answer->size);
}

struct str
remembered_get(const struct remembered *answer, int column)
{
	assert(column < answer->columns);
	if (answer->column[column].at == 0)
		return STR_ABSENT;
	return (struct str){ (const char *)answer + answer->column[column].at, answer->column[column].n };
}
