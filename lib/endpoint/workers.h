/*
 * workers.h -- the parent that keeps N workers running
 *
 * The parent has no connection and handles no request.  It starts workers, starts
 * another when one ends (crash-only: a worker that has lost its database or its
 * memory just ends), waits longer each time when they end at once, and passes a
 * request to stop on.
 */
#ifndef ENDPOINT_WORKERS_H
#define ENDPOINT_WORKERS_H

#define WORKERS_STOP_SECONDS	5	/* then a worker that has not ended is killed */

/* Run work(context) in count processes until SIGTERM, SIGINT or SIGUSR1; work's
 * result is the exit status of its process.  Returns the exit status of the
 * parent.  Those signals are blocked in the workers: they watch a signalfd. */
int workers_run(long count, int (*work)(void *context), void *context);

#endif
