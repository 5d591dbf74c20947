/*
 * NAME
 *	driver -- loads a web server and says what an answer cost
 *
 * SYNOPSIS
 *	driver NAME=VALUE... [-- PROGRAM ARGUMENT...]
 *
 * DESCRIPTION
 *	CONCURRENCY users have a kept HTTP/1.1 connection each and one request in
 *	flight; a user sends the next one when the last answer has come (closed
 *	loop, one thread).  Every answer is checked; one that is not what it should
 *	be counts as an error.
 *
 *	workload=get			GET path; with tokens, each request with the next one
 *					in its Authorization header
 *	workload=client_credentials	POST path, RFC 6749 section 4.4
 *	workload=introspect		POST path with the next of the tokens, RFC 7662
 *	workload=refresh		POST path; the first token of each user is from tokens,
 *					then it is what the last answer brought
 *	workload=code			GET path with a session cookie and PKCE, then POST
 *					token_path with the code; both are one
 *
 *	With a PROGRAM each request starts it as plain CGI does, without a web server.
 *
 *	Prints one line of numbers with tabs between: answers a second, p50 and p99
 *	in microseconds, errors, processor time per answer in microseconds of the
 *	web server, the endpoints, the database and this driver, and the share of
 *	the machine that went to processes that are none of these.  With once=MEMBER
 *	each user does one and the driver prints that member of the JSON answers.
 */
#include "base/base64url.h"
#include "base/buf.h"
#include "base/secret.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_USERS	256
#define MAX_LINES	4096	/* tokens, cookies */
#define MAX_SAMPLES	(4 * 1024 * 1024)
#define MAX_PROCESSES	8192
#define REQUEST_BYTES	8192
#define ANSWER_BYTES	(64 * 1024)
#define TOKEN_BYTES	2048
#define STALL_MS	5000

/* What can be said on the command line. */
static const char *workload_name, *port, *host = "localhost", *path, *token_path, *authorization, *expect;
static const char *cookies_file, *tokens_file, *once;
static const char *client_id, *redirect_uri, *scope, *concurrency = "1", *seconds = "1", *warm_up = "0.2";
static const char *web, *app, *db;
static char *const *program;		/* plain CGI: what is started, and its arguments */

static const struct {
	const char	 *name;
	const char	**value;
} settings[] = {
	{ "workload", &workload_name }, { "port", &port }, { "host", &host }, { "path", &path },
	{ "token_path", &token_path }, { "authorization", &authorization }, { "expect", &expect },
	{ "cookies", &cookies_file }, { "tokens", &tokens_file }, { "once", &once },
	{ "client_id", &client_id }, { "redirect_uri", &redirect_uri }, { "scope", &scope },
	{ "concurrency", &concurrency }, { "seconds", &seconds }, { "warm_up", &warm_up },
	{ "web", &web }, { "app", &app }, { "db", &db },
};

static _Noreturn void __attribute__((format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("driver: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static int64_t
microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- one user ------------------------------------------------------------ */

struct user {
	int		 fd;
	int		 step;
	int64_t		 began;
	char		 sent[REQUEST_BYTES];
	char		 in[ANSWER_BYTES + 1];
	size_t		 in_n;
	char		*body;		/* in in[], once the answer is complete */
	int		 status;
	const char	*cookie;
	char		 verifier[64];
	char		 code[128];
	char		 token[TOKEN_BYTES];	/* refresh: the one to use next */
	pid_t		 pid;		/* CGI */
};

/* Lines of a file. */
struct lines {
	char	*line[MAX_LINES];
	size_t	 count;
	size_t	 next;
};

static struct user	 users[MAX_USERS];
static struct lines	 cookies, tokens;
static int		 set;		/* epoll: what may have something to say */
static struct arena	*arena;		/* reset after each request */

static void
dial(struct user *user)
{
	struct sockaddr_in	address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int			one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	user->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (user->fd < 0 || connect(user->fd, (struct sockaddr *)&address, sizeof address) != 0)
		die("could not connect to port %s", port);
	setsockopt(user->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void
watch(struct user *user)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = user };

	if (epoll_ctl(set, EPOLL_CTL_ADD, user->fd, &event) != 0)
		die("could not wait for a descriptor");
}

static char *
variable(const char *name, struct str value)
{
	size_t	 n = strlen(name) + 1 + value.n + 1;
	char	*text = arena_alloc(arena, n);

	snprintf(text, n, "%s=%.*s", name, STR_ARG(value));
	return text;
}

/* What a web server tells a CGI program (RFC 3875), as far as it matters here. */
static char **
environment_of(const char *method, struct str target, struct str body)
{
	enum { MAX_VARIABLES = 10 };
	char		**list = arena_alloc(arena, MAX_VARIABLES * sizeof *list), length[24];
	const char	*config = getenv("POSTERN_CONFIG");
	size_t		 n = 0;

	snprintf(length, sizeof length, "%zu", body.n);
	list[n++] = variable("GATEWAY_INTERFACE", STR("CGI/1.1"));
	list[n++] = variable("SERVER_PROTOCOL", STR("HTTP/1.1"));
	list[n++] = variable("REQUEST_METHOD", str_of(method));
	list[n++] = variable("REQUEST_URI", target);
	list[n++] = variable("POSTERN_CONFIG", str_of(config == NULL ? "" : config));
	if (authorization != NULL)
		list[n++] = variable("HTTP_AUTHORIZATION", str_of(authorization));
	if (!str_is_absent(body)) {
		list[n++] = variable("CONTENT_LENGTH", str_of(length));
		list[n++] = variable("CONTENT_TYPE", STR("application/x-www-form-urlencoded"));
	}
	list[n] = NULL;
	return list;
}

/* Start the program with the body on its standard input; fd is its standard output. */
static void
start_program(struct user *user, const char *method, struct str target, struct str body)
{
	posix_spawn_file_actions_t	actions;
	int				in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("could not make a pipe");
	if (!str_is_absent(body) && write(in[1], body.p, body.n) != (ssize_t)body.n)
		die("could not send a request");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	if (posix_spawn(&user->pid, program[0], &actions, NULL, program, environment_of(method, target, body)) != 0)
		die("could not start %s", program[0]);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(in[1]);
	close(out[1]);
	user->fd = out[0];
	user->in_n = 0;
	if (once == NULL)
		watch(user);
	arena_reset(arena);
}

/* Send one request; it is small and fits the socket's buffer. */
static void
send_request(struct user *user, const char *method, struct str target, const char *headers, struct str body)
{
	int n = snprintf(user->sent, sizeof user->sent, "%s %.*s HTTP/1.1\r\nHost: %s\r\n%s", method,
	    STR_ARG(target), host, headers);

	if (program != NULL) {
		start_program(user, method, target, body);
		return;
	}
	if (!str_is_absent(body))
		n += snprintf(user->sent + n, sizeof user->sent - (size_t)n,
		    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%.*s", body.n, STR_ARG(body));
	else
		n += snprintf(user->sent + n, sizeof user->sent - (size_t)n, "\r\n");
	user->in_n = 0;
	if (write(user->fd, user->sent, (size_t)n) != n)
		die("could not send a request");
	arena_reset(arena);
}

static struct str
header_line(const char *name, const char *value)
{
	struct buf line = buf_new(arena, REQUEST_BYTES);

	if (value != NULL)
		buf_addf(&line, "%s: %s\r\n", name, value);
	return buf_str(&line);
}

/* The value of a header of the answer; "absent" if it has none.  The first line is
 * HTTP's status or CGI's first header. */
static struct str
find_header(const struct user *user, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = user->in; line < user->body; line += strcspn(line, "\n") + 1) {
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			line += n + 1;
			line += strspn(line, " ");
			return (struct str){ line, strcspn(line, "\r") };
		}
	}
	return STR_ABSENT;
}

/* The program has ended: what it wrote, as a web server would send it (RFC 3875
 * section 6). */
static void
read_program(struct user *user)
{
	struct str	status;
	char		*end;
	int		ended;
	long		number = 200;

	close(user->fd);
	if (waitpid(user->pid, &ended, 0) != user->pid)
		die("a program is lost");
	user->in[user->in_n] = '\0';
	end = strstr(user->in, "\r\n\r\n");
	user->body = end == NULL ? user->in + user->in_n : end + 4;
	status = find_header(user, "Status");
	if (!str_is_absent(status))
		str_to_long((struct str){ status.p, strcspn(status.p, " \r") }, &number);
	user->status = end == NULL || ended != 0 ? 500 : (int)number;
}

/* Is the whole answer there?  nginx says Content-Length for all that we ask. */
static bool
is_complete(struct user *user)
{
	char		*end;
	struct str	 length;
	long		 n = 0;

	user->in[user->in_n] = '\0';
	end = strstr(user->in, "\r\n\r\n");
	if (end == NULL)
		return false;
	user->body = end + 4;
	user->status = (int)strtol(user->in + strcspn(user->in, " "), NULL, 10);
	length = find_header(user, "Content-Length");
	if (!str_to_long(length, &n))
		die("an answer has no Content-Length:\n%s", user->in);
	return user->in_n >= (size_t)(user->body - user->in) + (size_t)n;
}

/* --- workloads ----------------------------------------------------------- */

enum verdict { VERDICT_FAILED, VERDICT_DONE, VERDICT_MORE };

/* All users draw from one list, so that any number of them uses all of it. */
static const char *
next_token(void)
{
	if (tokens.count == 0)
		die("this workload needs tokens");
	return tokens.line[tokens.next++ % tokens.count];
}

static void
get(struct user *user)
{
	struct buf	value = buf_new(arena, REQUEST_BYTES);

	if (tokens.count > 0)
		buf_addf(&value, "Authorization: Bearer %s\r\n", next_token());
	send_request(user, "GET", str_of(path), buf_str(&value).p, STR_ABSENT);
}

/* 200, and what the answer must have. */
static enum verdict
judge_answer(struct user *user)
{
	if (user->status != 200)
		return VERDICT_FAILED;
	return expect == NULL || strstr(user->body, expect) != NULL ? VERDICT_DONE : VERDICT_FAILED;
}

static void
client_credentials(struct user *user)
{
	send_request(user, "POST", str_of(path), header_line("Authorization", authorization).p,
	    STR("grant_type=client_credentials"));
}

static enum verdict
judge_token(struct user *user)
{
	return user->status == 200 && strstr(user->body, "\"access_token\"") != NULL ? VERDICT_DONE : VERDICT_FAILED;
}

static void
introspect(struct user *user)
{
	struct buf body = buf_new(arena, REQUEST_BYTES);

	buf_addf(&body, "token=%s", next_token());
	send_request(user, "POST", str_of(path), header_line("Authorization", authorization).p, buf_str(&body));
}

/* The string that a member of the JSON answer holds; "absent" if there is none. */
static struct str
find_member(const struct user *user, const char *name)
{
	char		 member[64];
	const char	*found;

	snprintf(member, sizeof member, "\"%s\":\"", name);
	found = strstr(user->body, member);
	if (found == NULL)
		return STR_ABSENT;
	found += strlen(member);
	return (struct str){ found, strcspn(found, "\"") };
}

static void
refresh(struct user *user)
{
	struct buf body = buf_new(arena, REQUEST_BYTES);

	if (user->token[0] == '\0')
		snprintf(user->token, sizeof user->token, "%s", next_token());
	buf_addf(&body, "grant_type=refresh_token&refresh_token=%s", user->token);
	send_request(user, "POST", str_of(path), header_line("Authorization", authorization).p, buf_str(&body));
}

/* The successor must be there and be another one. */
static enum verdict
judge_refresh(struct user *user)
{
	struct str next = find_member(user, "refresh_token");

	if (judge_token(user) != VERDICT_DONE || str_is_absent(find_member(user, "id_token")) || next.n == 0 ||
	    next.n >= sizeof user->token || str_equal(next, str_of(user->token)))
		return VERDICT_FAILED;
	snprintf(user->token, sizeof user->token, "%.*s", STR_ARG(next));
	return VERDICT_DONE;
}

static struct str
random_text(size_t n)
{
	char *bytes = arena_alloc(arena, n);

	random_bytes(bytes, n);
	return base64url_encode(arena, (struct str){ bytes, n });
}

static void
authorize(struct user *user)
{
	struct buf	target = buf_new(arena, REQUEST_BYTES);
	struct sha256	digest;

	snprintf(user->verifier, sizeof user->verifier, "%.*s", STR_ARG(random_text(32)));
	digest = sha256_of(str_of(user->verifier));
	buf_addf(&target, "%s?response_type=code&client_id=%s&redirect_uri=", path, client_id);
	buf_add_url(&target, str_of(redirect_uri));
	buf_add(&target, STR("&scope="));
	buf_add_url(&target, str_of(scope));
	buf_addf(&target, "&state=%.*s&nonce=%.*s&code_challenge_method=S256&code_challenge=%.*s",
	    STR_ARG(random_text(12)), STR_ARG(random_text(12)),
	    STR_ARG(base64url_encode(arena, (struct str){ (const char *)digest.bytes, SHA256_BYTES })));
	send_request(user, "GET", buf_str(&target), header_line("Cookie", user->cookie).p, STR_ABSENT);
}

static void
redeem(struct user *user)
{
	struct buf body = buf_new(arena, REQUEST_BYTES);

	buf_add(&body, STR("grant_type=authorization_code&redirect_uri="));
	buf_add_url(&body, str_of(redirect_uri));
	if (authorization == NULL)
		buf_addf(&body, "&client_id=%s", client_id);
	buf_addf(&body, "&code_verifier=%s&code=%s", user->verifier, user->code);
	send_request(user, "POST", str_of(token_path), header_line("Authorization", authorization).p, buf_str(&body));
}

static void
code(struct user *user)
{
	if (user->step == 0)
		authorize(user);
	else
		redeem(user);
}

static enum verdict
judge_code(struct user *user)
{
	struct str	location = find_header(user, "Location");
	const char	*found;

	if (user->step == 1)
		return judge_token(user) == VERDICT_DONE && !str_is_absent(find_member(user, "id_token")) ?
		    VERDICT_DONE : VERDICT_FAILED;
	if (user->status != 303 || !str_starts_with(location, str_of(redirect_uri)))
		return VERDICT_FAILED;
	found = strstr(location.p, "?code=");
	if (found == NULL || found > location.p + location.n)
		return VERDICT_FAILED;
	found += strlen("?code=");
	/* Base64url or hexadecimal: nothing in it is encoded. */
	snprintf(user->code, sizeof user->code, "%.*s", (int)strcspn(found, "&\r"), found);
	return VERDICT_MORE;
}

static const struct workload {
	const char	 *name;
	void		(*send)(struct user *);
	enum verdict	(*judge)(struct user *);
} workloads[] = {
	{ "get", get, judge_answer },
	{ "client_credentials", client_credentials, judge_token },
	{ "introspect", introspect, judge_answer },
	{ "refresh", refresh, judge_refresh },
	{ "code", code, judge_code },
};

static const struct workload *workload;

static void
choose_workload(void)
{
	for (size_t i = 0; workload_name != NULL && i < sizeof workloads / sizeof *workloads; i++) {
		if (strcmp(workloads[i].name, workload_name) == 0)
			workload = &workloads[i];
	}
	if (workload == NULL)
		die("workload must be one of those in the comment of driver.c");
}

static void
begin(struct user *user)
{
	user->step = 0;
	user->began = microseconds();
	workload->send(user);
}

static void
load_lines(struct lines *lines, const char *file_name)
{
	FILE	*file = fopen(file_name, "r");
	char	*line = NULL;
	size_t	 room = 0;

	if (file == NULL)
		die("could not open %s", file_name);
	while (lines->count < MAX_LINES && getline(&line, &room, file) > 1) {
		line[strcspn(line, "\n")] = '\0';
		lines->line[lines->count++] = line;
		line = NULL;
		room = 0;
	}
	free(line);
	fclose(file);
	if (lines->count == 0)
		die("%s is empty", file_name);
}

/* --- processor time, from /proc ------------------------------------------ */

enum group { GROUP_WEB, GROUP_APP, GROUP_DB, GROUP__COUNT };

struct process { long pid, parent; double ms; int group; };

static struct process	processes[MAX_PROCESSES];
static size_t		process_count;

/* The number in the n-th field from 0, fields being set off by one blank each. */
static long
field(const char *text, int n)
{
	while (n-- > 0 && (text = strchr(text, ' ')) != NULL)
		text++;
	return text == NULL ? 0 : strtol(text, NULL, 10);
}

static int
group_of(long pid)
{
	const char *const lists[GROUP__COUNT] = { web, app, db };

	for (int i = 0; i < GROUP__COUNT; i++) {
		struct str	rest = str_of(lists[i]), word;
		long		number;

		while (str_cut(&rest, ',', &word)) {
			if (str_to_long(word, &number) && number == pid)
				return i;
		}
	}
	return -1;
}

static void
read_process(const char *name)
{
	char	 file_name[300], line[1024], *end;
	FILE	*file;

	snprintf(file_name, sizeof file_name, "/proc/%s/stat", name);
	file = fopen(file_name, "r");
	if (file == NULL)
		return;
	/* The second field, a name in parentheses, may hold anything. */
	if (fgets(line, sizeof line, file) != NULL && (end = strrchr(line, ')')) != NULL) {
		struct process	*process = &processes[process_count++];
		long		 ticks = field(end, 12) + field(end, 13) + field(end, 14) + field(end, 15);

		process->pid = strtol(name, NULL, 10);
		process->parent = field(end, 2);
		process->group = group_of(process->pid);
		process->ms = (double)ticks * 1000 / (double)sysconf(_SC_CLK_TCK);
	}
	fclose(file);
}

/* A process belongs to the group of its parent. */
static bool
inherit_groups(void)
{
	bool changed = false;

	for (size_t i = 0; i < process_count; i++) {
		for (size_t j = 0; processes[i].group < 0 && j < process_count; j++) {
			if (processes[j].group < 0 || processes[j].pid != processes[i].parent)
				continue;
			processes[i].group = processes[j].group;
			changed = true;
		}
	}
	return changed;
}

/* Milliseconds of each group, its dead children included. */
static void
read_groups(double ms[GROUP__COUNT])
{
	DIR		*directory = opendir("/proc");
	struct dirent	*entry;

	if (directory == NULL)
		die("could not read /proc");
	process_count = 0;
	while ((entry = readdir(directory)) != NULL && process_count < MAX_PROCESSES) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			read_process(entry->d_name);
	}
	closedir(directory);
	while (inherit_groups())
		continue;
	for (int i = 0; i < GROUP__COUNT; i++)
		ms[i] = 0;
	for (size_t i = 0; i < process_count; i++) {
		if (processes[i].group >= 0)
			ms[processes[i].group] += processes[i].ms;
	}
}

/* Busy milliseconds of the whole machine; stolen time counts as busy. */
static double
machine_ms(void)
{
	char	 line[512] = "";
	FILE	*file = fopen("/proc/stat", "r");
	long	 ticks = 0;

	if (file == NULL || fgets(line, sizeof line, file) == NULL)
		die("could not read /proc/stat");
	fclose(file);
	for (int i = 2; i < 10; i++)		/* "cpu" is followed by two blanks */
		ticks += i == 5 || i == 6 ? 0 : field(line, i);	/* idle and waiting for a disk */
	return (double)ticks * 1000 / (double)sysconf(_SC_CLK_TCK);
}

/* Of the programs that were started as CGI and have ended. */
static double
children_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static double
own_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* --- the measurement ----------------------------------------------------- */

struct reading {
	int64_t	at;
	double	groups[GROUP__COUNT];
	double	own;
	double	machine;
};

static uint32_t	samples[MAX_SAMPLES];
static size_t	sample_count;
static size_t	errors;

static void
take_reading(struct reading *reading)
{
	read_groups(reading->groups);
	reading->groups[GROUP_APP] += children_ms();
	reading->own = own_ms();
	reading->machine = machine_ms();
	reading->at = microseconds();
}

static void
note_error(const struct user *user)
{
	if (errors++ == 0)
		fprintf(stderr, "driver: an answer is not what it should be\n--- sent\n%.600s\n--- received\n%.600s\n",
		    user->sent, user->in);
}

/* Read what there is; is the answer complete? */
static bool
read_answer(struct user *user)
{
	ssize_t n = read(user->fd, user->in + user->in_n, ANSWER_BYTES - user->in_n);

	if (n < 0 || (n == 0 && program == NULL))
		die("the web server closed a connection");
	if (n == 0) {
		read_program(user);
		return true;
	}
	user->in_n += (size_t)n;
	return program == NULL && is_complete(user);
}

/* Something has arrived for this user. */
static void
receive(struct user *user)
{
	if (!read_answer(user))
		return;
	switch (workload->judge(user)) {
	case VERDICT_MORE:
		user->step++;
		workload->send(user);
		return;
	case VERDICT_DONE:
		if (sample_count < MAX_SAMPLES)
			samples[sample_count++] = (uint32_t)(microseconds() - user->began);
		break;
	case VERDICT_FAILED:
		note_error(user);
		break;
	}
	begin(user);
}

/* Answer whatever arrives, until the clock says end. */
static void
pump(int64_t end)
{
	struct epoll_event events[64];

	while (microseconds() < end) {
		int n = epoll_wait(set, events, 64, STALL_MS);

		if (n == 0)
			die("no answer for %d ms", STALL_MS);
		for (int i = 0; i < n; i++)
			receive(events[i].data.ptr);
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
print_result(const struct reading *first, const struct reading *last)
{
	double	span = (double)(last->at - first->at) / 1e6, count = (double)sample_count, others;

	if (sample_count == 0)
		die("not one answer was right");
	qsort(samples, sample_count, sizeof *samples, compare);
	printf("%.1f\t%u\t%u\t%zu", count / span, samples[sample_count / 2], samples[sample_count * 99 / 100], errors);
	others = last->machine - first->machine - (last->own - first->own);
	for (int i = 0; i < GROUP__COUNT; i++) {
		printf("\t%.1f", (last->groups[i] - first->groups[i]) * 1000 / count);
		others -= last->groups[i] - first->groups[i];
	}
	others /= span * 1000 * (double)sysconf(_SC_NPROCESSORS_ONLN);
	printf("\t%.1f\t%.2f\n", (last->own - first->own) * 1000 / count, others > 0 ? others : 0);
}

static void
measure(size_t count)
{
	struct reading first, last;

	set = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < count; i++) {
		if (program == NULL) {
			dial(&users[i]);
			watch(&users[i]);
		}
		begin(&users[i]);
	}
	pump(microseconds() + (int64_t)(strtod(warm_up, NULL) * 1e6));
	sample_count = errors = 0;
	take_reading(&first);
	pump(first.at + (int64_t)(strtod(seconds, NULL) * 1e6));
	take_reading(&last);
	print_result(&first, &last);
}

/* One, and a member of its answer: tells early that something is wrong, and collects
 * tokens. */
static void
do_once(struct user *user)
{
	enum verdict	verdict = VERDICT_MORE;
	struct str	member;

	if (program == NULL)
		dial(user);
	for (user->step = 0; verdict == VERDICT_MORE; user->step++) {
		workload->send(user);
		while (!read_answer(user))
			continue;
		verdict = workload->judge(user);
	}
	if (verdict == VERDICT_FAILED)
		die("an answer is not what it should be\n--- sent\n%s\n--- received\n%s", user->sent, user->in);
	member = find_member(user, once);
	if (!str_is_absent(member))
		printf("%.*s\n", STR_ARG(member));
	if (program == NULL)
		close(user->fd);
}

static void
parse(const char *argument)
{
	const char *value = strchr(argument, '=');

	for (size_t i = 0; value != NULL && i < sizeof settings / sizeof *settings; i++) {
		if (str_equal((struct str){ argument, (size_t)(value - argument) }, str_of(settings[i].name))) {
			*settings[i].value = value + 1;
			return;
		}
	}
	die("%s is no setting", argument);
}

int
main(int argc, char **argv)
{
	size_t count;

	for (int i = 1; i < argc && program == NULL; i++) {
		if (strcmp(argv[i], "--") == 0)
			program = argv + i + 1;
		else
			parse(argv[i]);
	}
	choose_workload();
	count = strtoul(concurrency, NULL, 10);
	if (path == NULL || count < 1 || count > MAX_USERS || (program == NULL ? port == NULL : program[0] == NULL))
		die("path and either port or -- PROGRAM are needed, and concurrency is 1 to %d", MAX_USERS);
	arena = arena_new((size_t)1 << 20);
	if (arena == NULL)
		die("out of memory");
	if (cookies_file != NULL)
		load_lines(&cookies, cookies_file);
	if (tokens_file != NULL)
		load_lines(&tokens, tokens_file);
	for (size_t i = 0; i < count && cookies.count > 0; i++)
		users[i].cookie = cookies.line[i % cookies.count];
	if (once == NULL)
		measure(count);
	for (size_t i = 0; i < count && once != NULL; i++)
		do_once(&users[i]);
	return 0;
}
