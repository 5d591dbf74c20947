/*
 * verified.h -- tokens whose signature this process has verified
 *
 * That a signature is right never changes, so it may be remembered; whether the
 * token is still worth anything is asked anew each time.  A token is remembered by
 * its SHA-256, never by its octets.
 */
#ifndef OAUTH_VERIFIED_H
#define OAUTH_VERIFIED_H

#include "store/presented.h"

/* What a token says, if its signature is remembered as right.  The slices live until
 * the next verified_remember(). */
bool verified_recall(struct str token, struct presented *presented);

/* Remember a token whose signature has just been verified.  What is said is copied. */
void verified_remember(struct str token, const struct presented *presented);

#endif
