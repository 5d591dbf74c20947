/*
 * prepare.h -- OpenSSL, ready before the first request
 */
#ifndef JOSE_PREPARE_H
#define JOSE_PREPARE_H

/* Use every part of OpenSSL that a token needs once, with a key that is thrown away: it
 * finds its algorithms when they are first used, which takes a millisecond and five
 * thousand allocations.  Before the workers are forked they share what it has found,
 * and no request pays for it or fails in the middle of it. */
void jose_prepare(void);

#endif
