/*
 * key.h -- postern key: the keys that sign and seal tokens
 *
 * Each command answers with a status of sysexits.h: EX_DATAERR for an argument that
 * names nothing, EX_UNAVAILABLE when the database does not answer or refuses.
 */
#ifndef SBIN_KEY_H
#define SBIN_KEY_H

#include "invocation.h"

/* Make a key for the algorithm that operand names, store it, print its kid.  It is
 * published at once and signs from active_from on.  Refuses (unless force) a server
 * that would write the key into its log. */
int key_add(const struct invocation *invocation);

/* Make a MAC key, inside the database, that seals from now on; print its name.  What
 * the ones before it have sealed stays good until they are retired. */
int key_rotate(const struct invocation *invocation);

/* Print a table of all keys, the oldest first. */
int key_list(const struct invocation *invocation);

/* End the key whose kid operand is, or the MAC key of that name.  Refuses (unless
 * force) the last active key of an algorithm, and in any case the last MAC key. */
int key_retire(const struct invocation *invocation);

#endif
