/*
 * uuid.h -- UUIDs in their textual form (RFC 9562 section 4)
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/str.h"

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = 36 };

/* Read "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", lower case; false for anything else. */
bool uuid_parse(struct str text, unsigned char out[UUID_BYTES]);

#endif
