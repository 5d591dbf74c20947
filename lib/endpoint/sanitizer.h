/*
 * sanitizer.h -- a worker in a build that looks for bugs (base/sanitized.h)
 *
 * AddressSanitizer and UndefinedBehaviorSanitizer end the process at the first bug
 * and report it.  To be able to, such a build has a wide sandbox (sandbox.c); so it is
 * for tests only, and says so in --version and in the log.  In every other build these
 * functions do nothing.
 */
#ifndef ENDPOINT_SANITIZER_H
#define ENDPOINT_SANITIZER_H

#include "base/sanitized.h"

/* What --version adds: empty, or that this build is for tests. */
const char *sanitizer_mark(void);

/* One warning in the log, in such a build. */
void sanitizer_announce(void);

/* Report what was allocated and can be reached no more; called where everything
 * that a process keeps is still on its stack. */
void sanitizer_check_leaks(void);

#endif
