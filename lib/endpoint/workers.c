/*
 * workers.c -- the parent that keeps N workers running; see workers.h
 */
#include "endpoint/workers.h"

#include "base/log.h"
#include "endpoint/config.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_LIFE_SECONDS	2
#define DELAY_FIRST_MS		20
#define DELAY_MAX_MS		1000	/* service is back within a second of the database */

struct worker {
	pid_t		pid;		/* 0: not running */
	long		started_ms;
	long		delay_ms;	/* before the next start, if it dies young */
	long		due_ms;
};

static struct worker workers[CONFIG_MAX_WORKERS];

static long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
start(struct worker *worker, int (*work)(void *context), void *context)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		/* Never outlive the parent, however it ended. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(getppid() == parent ? work(context) : 1);
	}
	worker->started_ms = now_ms();
	if (pid > 0) {
		worker->pid = pid;
		return;
	}
	log_event(LOG_LEVEL_ERROR, "could not start a worker: %s", strerror(errno));
	worker->due_ms = worker->started_ms + DELAY_MAX_MS;
}

static void
plan_restart(struct worker *worker)
{
	long now = now_ms();

	worker->pid = 0;
	if (now - worker->started_ms >= SHORT_LIFE_SECONDS * 1000L)
		worker->delay_ms = 0;
	else if (worker->delay_ms == 0)
		worker->delay_ms = DELAY_FIRST_MS;
	else
		worker->delay_ms = worker->delay_ms * 2 > DELAY_MAX_MS ? DELAY_MAX_MS : worker->delay_ms * 2;
	worker->due_ms = now + worker->delay_ms;
}

static void
reap(long count)
{
	int	status;
	pid_t	pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (long i = 0; i < count; i++) {
			if (workers[i].pid == pid)
				plan_restart(&workers[i]);
		}
		if (WIFSIGNALED(status))
			log_event(LOG_LEVEL_ERROR, "worker %ld was killed by signal %d%s", (long)pid, WTERMSIG(status),
			    WTERMSIG(status) == SIGSYS ? ": it tried what its sandbox forbids" : "");
	}
}

/* Start what is due; how long until the next one is, or -1. */
static long
start_due(long count, int (*work)(void *context), void *context)
{
	long now = now_ms(), next = -1;

	for (long i = 0; i < count; i++) {
		long wait = workers[i].due_ms - now;

		if (workers[i].pid != 0)
			continue;
		if (wait <= 0)
			start(&workers[i], work, context);
		else if (next < 0 || wait < next)
			next = wait;
	}
	return next;
}

static bool
any_running(long count)
{
	for (long i = 0; i < count; i++) {
		if (workers[i].pid != 0)
			return true;
	}
	return false;
}

static void
signal_all(long count, int number)
{
	for (long i = 0; i < count; i++) {
		if (workers[i].pid != 0)
			kill(workers[i].pid, number);
	}
}

/* Wait for a signal of the set, at most ms (-1: for ever); 0 when time is over. */
static int
wait_signal(const sigset_t *set, long ms)
{
	struct timespec limit = { ms / 1000, ms % 1000 * 1000000 };
	int number = ms < 0 ? sigwaitinfo(set, NULL) : sigtimedwait(set, NULL, &limit);

	return number < 0 ? 0 : number;
}

static void
stop_all(long count, const sigset_t *set)
{
	long deadline = now_ms() + WORKERS_STOP_SECONDS * 1000L, left;

	signal_all(count, SIGTERM);
	for (reap(count); any_running(count) && (left = deadline - now_ms()) > 0; reap(count))
		wait_signal(set, left);
	signal_all(count, SIGKILL);
}

int
workers_run(long count, int (*work)(void *context), void *context)
{
	sigset_t	set;
	int		number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (count == 0)
		return work(context);
	for (;;) {
		long next = start_due(count, work, context);

		number = wait_signal(&set, next);
		reap(count);
		if (number == SIGTERM || number == SIGINT || number == SIGUSR1)
			break;
	}
	stop_all(count, &set);
	return 0;
}
