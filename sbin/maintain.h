/*
 * maintain.h -- postern maintain: take out what nothing depends on any more
 */
#ifndef SBIN_MAINTAIN_H
#define SBIN_MAINTAIN_H

#include "invocation.h"

/* At most so many rows of each table in one transaction, and a pause between two, so
 * that no request waits for us. */
#define MAINTAIN_BATCH_ROWS		"500"
#define MAINTAIN_PAUSE_MILLISECONDS	10

/* Sweep expired rows until there are none, and print how many there were.  Can be run at
 * any time, several times at once, and interrupted: each batch is a transaction. */
int maintain(const struct invocation *invocation);

#endif
