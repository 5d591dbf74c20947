/*
 * endpoint.c -- the one main(); see endpoint.h
 *
 * Open, close the sandbox, work: everything that a worker will ever need is open
 * before it looks at the first octet of a request.
 */
#include "endpoint/endpoint.h"

#include "base/memory.h"
#include "base/secret.h"
#include "endpoint/config.h"
#include "endpoint/sandbox.h"
#include "endpoint/sanitizer.h"
#include "endpoint/serve.h"
#include "endpoint/workers.h"

#include <fcgiapp.h>
#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define LISTENER			0	/* FastCGI: the socket comes as descriptor 0 */
#define REQUEST_DEADLINE_SECONDS	20	/* a peer that stalls must not hold a worker */
#define REQUESTS_PER_WORKER		1000000
#define UNAVAILABLE_MS			500	/* how long to answer 503 before connecting anew */
#define MAX_EVENTS			3
#define DRAIN_MAX_BYTES			((size_t)1024 * 1024)

extern char **environ;

static long
read_fcgi(void *context, char *place, size_t n)
{
	FCGX_Request *request = context;

	return FCGX_GetStr(place, (int)n, request->in);
}

static bool
write_fcgi(void *context, const char *text, size_t n)
{
	FCGX_Request *request = context;

	return FCGX_PutStr(text, (int)n, request->out) == (int)n;
}

static void
serve_fcgi(struct server *server, FCGX_Request *request)
{
	const struct body_source source = { read_fcgi, request };
	const struct reply_sink	 sink = { write_fcgi, request };

	serve(server, request->envp, &source, &sink);
	/* A kept connection would parse an unread body as the next request, with
	 * variables of the client's choice (SEC-HTTP-01). */
	request->keepConnection = 0;
	FCGX_Finish_r(request);
	server_sweep(server);
}

/* Async-signal-safe: the worker hangs in a read from its web server. */
static void
on_alarm(int number)
{
	static const char text[] = "level=error msg=\"a web server stalled in the middle of a request: this worker ends\"\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(EX_IOERR);
	_exit(EX_TEMPFAIL);
}

static bool
watch(int set, int descriptor, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = descriptor };

	return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* Everything an idle worker waits for: a request (only one worker is woken), a
 * signal to stop, the end of the database connection.  -1 on failure. */
static int
open_watch(const struct server *server)
{
	int		set = epoll_create1(EPOLL_CLOEXEC), signals;
	sigset_t	stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGUSR1);
	signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (set < 0 || signals < 0 || !watch(set, signals, EPOLLIN) ||
	    !watch(set, LISTENER, EPOLLIN | EPOLLEXCLUSIVE))
		return -1;
	if (server->store != NULL && !watch(set, store_descriptor(server->store), EPOLLIN))
		return -1;
	return set;
}

enum wake { WAKE_REQUEST, WAKE_NOTHING, WAKE_LEAVE };

static enum wake
wait_for_work(struct server *server, int set)
{
	struct epoll_event	events[MAX_EVENTS];
	int			n = epoll_wait(set, events, MAX_EVENTS, server->store == NULL ? UNAVAILABLE_MS : -1);
	enum wake		wake = WAKE_NOTHING;

	if (n == 0)
		return WAKE_LEAVE;
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == LISTENER)
			wake = WAKE_REQUEST;
		else if (server->store == NULL || events[i].data.fd != store_descriptor(server->store))
			return WAKE_LEAVE;	/* a signal */
		else if (!store_is_alive(server->store))
			return WAKE_LEAVE;
	}
	return wake;
}

static long
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How many requests until the first sweep.  Workers take turns, and of CGI programs,
 * which serve one request each, one in so many sweeps. */
static unsigned
sweep_turn(void)
{
	return (unsigned)getpid() % SERVE_SWEEP_REQUESTS;
}

/* One worker: connect, close the sandbox, answer until it is time to leave.
 * Without a database it answers 503 for a moment and leaves, to be started anew. */
static int
work(void *context)
{
	struct server	*server = context;
	FCGX_Request	 request;
	long		 began = milliseconds();
	int		 set;

	signal(SIGALRM, on_alarm);
	FCGX_InitRequest(&request, LISTENER, FCGI_FAIL_ACCEPT_ON_INTR);
	server->until_sweep = sweep_turn();
	server_connect(server);
	set = open_watch(server);
	if (set < 0 || !sandbox_close()) {
		log_event(LOG_LEVEL_ERROR, "could not close the sandbox: %s", strerror(errno));
		return EX_OSERR;
	}
	for (long served = 0; served < REQUESTS_PER_WORKER && !server->leave; ) {
		enum wake wake = wait_for_work(server, set);

		if (wake == WAKE_LEAVE || (server->store == NULL && milliseconds() - began > UNAVAILABLE_MS))
			break;
		if (wake == WAKE_NOTHING)
			continue;
		alarm(REQUEST_DEADLINE_SECONDS);
		if (FCGX_Accept_r(&request) == 0) {
			serve_fcgi(server, &request);
			served++;
		}
		alarm(0);
	}
	sanitizer_check_leaks();
	return server->store == NULL ? EX_UNAVAILABLE : EX_OK;
}

/* context: how much has been read in all. */
static long
read_stdin(void *context, char *place, size_t n)
{
	size_t	*total = context;
	ssize_t	 got;

	do
		got = read(STDIN_FILENO, place, n);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		*total += (size_t)got;
	return got;
}

/* What is left of the body of a request that was refused before it was read.
 * Apache's mod_cgid gives it over a socket, and a socket that is closed with
 * something unread in it takes the reply along. */
static void
drain_stdin(size_t total)
{
	const char	*announced = getenv("CONTENT_LENGTH");
	char		 place[4096];
	size_t		 end = 0;
	long		 length;

	if (announced != NULL && str_to_long(str_of(announced), &length))
		end = (size_t)length;
	else if (getenv("HTTP_TRANSFER_ENCODING") != NULL)
		end = DRAIN_MAX_BYTES;		/* chunked, without a length: up to its end */
	if (end > DRAIN_MAX_BYTES)
		end = DRAIN_MAX_BYTES;
	while (total < end && read_stdin(&total, place, end - total < sizeof place ? end - total : sizeof place) > 0)
		continue;
}

static bool
write_stdout(void *context, const char *text, size_t n)
{
	(void)context;
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, text, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		text += done;
		n -= (size_t)done;
	}
	return true;
}

/* CGI: one request from the environment and standard input. */
static int
work_cgi(struct server *server)
{
	size_t			 total = 0;
	const struct body_source source = { read_stdin, &total };
	const struct reply_sink	 sink = { write_stdout, NULL };

	alarm(REQUEST_DEADLINE_SECONDS);
	server->until_sweep = sweep_turn();
	server_connect(server);
	if (!sandbox_close()) {
		log_event(LOG_LEVEL_ERROR, "could not close the sandbox: %s", strerror(errno));
		return EX_OSERR;
	}
	serve(server, environ, &source, &sink);
	server_sweep(server);
	store_close(&server->store);
	drain_stdin(total);
	sanitizer_check_leaks();
	return EX_OK;
}

/* No core, no tracing, no surprise from the environment (SEC-KEY-03, section 2.4).
 * PG* variables would change where libpq connects. */
static void
harden(void)
{
	static const char *const unwanted[] = {
		"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE",
		"PGSERVICEFILE", "PGOPTIONS", "PGAPPNAME", "PGSSLMODE", "PGREQUIRESSL", "PGTARGETSESSIONATTRS",
		"OPENSSL_CONF", "HTTP_PROXY", "FCGI_WEB_SERVER_ADDRS",
	};
	struct rlimit none = { 0, 0 };

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
		unsetenv(unwanted[i]);
	memory_watch_openssl();
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static int
usage(const struct endpoint *endpoint, FILE *out)
{
	fprintf(out, "%s: the %s endpoint of Postern, run by a web server as FastCGI or CGI\n"
	    "  --workers N   FastCGI: how many processes (0: only this one)\n"
	    "  --help, --version\n"
	    "see postern-%s(8)\n", endpoint->name, endpoint->name, endpoint->name);
	return out == stdout ? EX_OK : EX_USAGE;
}

/* In CGI a query without '=' arrives as arguments (RFC 3875 section 4.4): there,
 * arguments are never looked at. */
static bool
parse_arguments(int argc, char **argv, const struct endpoint *endpoint, long *count, int *status)
{
	if (getenv("GATEWAY_INTERFACE") != NULL || getenv("REQUEST_METHOD") != NULL || argc < 2)
		return true;
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s (Postern) %s%s\n", endpoint->name, PACKAGE_VERSION, sanitizer_mark());
		*status = EX_OK;
		return false;
	}
	if (argc == 3 && strcmp(argv[1], "--workers") == 0 && str_to_long(str_of(argv[2]), count) &&
	    *count <= CONFIG_MAX_WORKERS)
		return true;
	*status = usage(endpoint, strcmp(argv[1], "--help") == 0 ? stdout : stderr);
	return false;
}

static bool
load_templates(struct server *server, char *problem, size_t size)
{
	size_t count = 0;

	if (server->endpoint->templates == NULL)
		return true;
	while (server->endpoint->templates[count] != NULL)
		count++;
	server->templates = template_set_load(server->config->templates, server->endpoint->templates,
	    count, problem, size);
	return server->templates != NULL;
}

int
endpoint_main(int argc, char **argv, const struct endpoint *endpoint)
{
	struct server	server = { .endpoint = endpoint };
	char		problem[512] = "";
	long		count = -1;
	int		status;
	bool		is_cgi = FCGX_IsCGI();

	if (!parse_arguments(argc, argv, endpoint, &count, &status))
		return status;
	if (is_cgi && getenv("REQUEST_METHOD") == NULL)
		return usage(endpoint, stderr);
	harden();
	log_open(endpoint->name, LOG_TO_STDERR);
	server.config = config_read(problem, sizeof problem);
	if (server.config == NULL || !load_templates(&server, problem, sizeof problem)) {
		log_event(LOG_LEVEL_ERROR, "%s", problem);
		return EX_CONFIG;
	}
	log_open(endpoint->name, server.config->log);
	sanitizer_announce();
	server.arena = arena_new(EXCHANGE_ARENA_BYTES);
	if (server.arena == NULL)
		return EX_OSERR;
	if (is_cgi && endpoint->fastcgi_only) {
		log_event(LOG_LEVEL_ERROR, "%s is a FastCGI program: start it as one", endpoint->name);
		return EX_USAGE;
	}
	if (is_cgi)
		return work_cgi(&server);
	if (FCGX_Init() != 0 || fcntl(LISTENER, F_SETFL, O_NONBLOCK) != 0)
		return EX_OSERR;
	secret_prepare();
	if (endpoint->prepare != NULL)
		endpoint->prepare();
	return workers_run(count < 0 ? server.config->workers : count, work, &server);
}
