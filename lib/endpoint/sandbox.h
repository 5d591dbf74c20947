/*
 * sandbox.h -- what a worker may still ask of the kernel
 *
 * Closed when everything is open: after the connection to the database, before
 * the first request.  From then on a worker can answer requests and nothing
 * else: no new file, no new socket, no program, no process (SEC-ISO-01, -02).
 * An attempt kills the process; whatever else is not needed is refused with
 * EPERM, so that a library's harmless surprise costs a feature and not a login.
 */
#ifndef ENDPOINT_SANDBOX_H
#define ENDPOINT_SANDBOX_H

#include <stdbool.h>

/* Close the sandbox around this process, for good.  False if the kernel refused. */
bool sandbox_close(void);

#endif
