/*
 * sweep.c -- expired rows, a few at a time; see sweep.h
 */
#include "store/sweep.h"

static const struct store_call sweep_call = {
	.name = "sweep", .sql = "SELECT postern.sweep($1::integer)"
};

enum store_status
sweep_expired(struct store *store, struct arena *arena, long batch)
{
	const struct store_value	 values[] = { store_integer(batch) };
	const struct store_rows		*rows;

	return store_call(store, arena, &sweep_call, values, 1, &rows);
}
