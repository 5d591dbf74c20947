/*
 * uuid.h -- UUIDs, and their textual form (RFC 9562 section 4)
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/arena.h"
#include "base/str.h"

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = 36 };

/* A new one, of version 4: random (section 5.4). */
void uuid_new(unsigned char out[UUID_BYTES]);

/* Its text, as uuid_parse() reads it, in the arena. */
struct str uuid_text(struct arena *arena, const unsigned char uuid[UUID_BYTES]);

/* Read "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", lower case; false for anything else. */
bool uuid_parse(struct str text, unsigned char out[UUID_BYTES]);

#endif
