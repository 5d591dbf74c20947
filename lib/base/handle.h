/*
 * handle.h -- names that are secrets: codes, session cookies, request handles
 *
 * 48 random octets, 64 characters of base64url.  The first 16 are the key of the
 * row, so that it is found by its primary key; the row holds the SHA-256 of all 48
 * and nothing that could be presented (SEC-TOK-02, SEC-CODE-04).
 */
#ifndef BASE_HANDLE_H
#define BASE_HANDLE_H

#include "base/secret.h"

enum { HANDLE_ID_BYTES = 16, HANDLE_BYTES = 48, HANDLE_TEXT_BYTES = 64 };

struct handle {
	unsigned char	bytes[HANDLE_BYTES];
	struct sha256	digest;
};

/* A new handle.  Its id is a version 4 UUID (RFC 9562 section 5.4). */
void handle_new(struct handle *handle);

/* A new handle with this id, where one is known before the handle is made. */
void handle_new_with_id(struct handle *handle, const unsigned char id[HANDLE_ID_BYTES]);

/* The text that a browser or client holds, in the arena. */
struct str handle_text(struct arena *arena, const struct handle *handle);

/* Read one; false if text is not exactly a handle's. */
bool handle_parse(struct arena *arena, struct str text, struct handle *handle);

#endif
