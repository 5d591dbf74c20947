/*
 * check.h -- postern check: what is wrong with an installation, and how to mend it
 */
#ifndef SBIN_CHECK_H
#define SBIN_CHECK_H

#include "invocation.h"

/* What check answers with, beside EX_USAGE. */
#define CHECK_FINE	0
#define CHECK_WARNINGS	1
#define CHECK_ERRORS	2

/*
 * Look at the configuration, the files it names, the database and (unless no_server)
 * the running web server; change nothing.  A line on standard output for each finding:
 *
 *	LEVEL: CHECK: FINDING; hint: WHAT TO DO
 *
 * LEVEL is ok, warning or error; quiet leaves out ok.  Lines of ok have no hint.
 */
int check(const struct invocation *invocation);

#endif
