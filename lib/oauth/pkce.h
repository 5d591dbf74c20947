/*
 * pkce.h -- Proof Key for Code Exchange (RFC 7636), S256 only
 */
#ifndef OAUTH_PKCE_H
#define OAUTH_PKCE_H

#include "base/str.h"

/* Is text a code challenge: the base64url of 32 octets (section 4.2)? */
bool pkce_is_challenge(struct str text);

/* Is text a code verifier: 43 to 128 unreserved characters (section 4.1)? */
bool pkce_is_verifier(struct str text);

/* The S256 challenge of a verifier, in the arena (section 4.6). */
struct str pkce_challenge(struct arena *arena, struct str verifier);

#endif
