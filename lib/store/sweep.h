/*
 * sweep.h -- expired rows, a few at a time
 */
#ifndef STORE_SWEEP_H
#define STORE_SWEEP_H

#include "store/store.h"

/* Take out at most batch expired rows of each table.  Rows that somebody holds are left
 * for the next time. */
enum store_status sweep_expired(struct store *store, struct arena *arena, long batch) MUST_USE;

#endif
