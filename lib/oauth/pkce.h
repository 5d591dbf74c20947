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

/* No code lives longer (postern.issuer.code_lifetime has a constraint). */
#define PKCE_MEMORY_SECONDS	600

/* Has this process answered the same client's same challenge with a code in the last
 * PKCE_MEMORY_SECONDS?  That it does so now is remembered.  A client makes a challenge for
 * each request (RFC 9700 section 2.1.1); for the log only, because other processes
 * answer too, and what is remembered has its bounds. */
bool pkce_comes_again(struct arena *arena, struct str client_id, struct str challenge);

#endif
