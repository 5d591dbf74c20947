/*
 * NAME
 *	driver -- loads a web server and says what an answer cost
 *
 * SYNOPSIS
 *	driver NAME=VALUE...
 *
 * DESCRIPTION
 *	CONCURRENCY users have a kept HTTP/1.1 connection each and one request in
 *	flight; a user sends the next one when the last answer has come (closed
 *	loop, one thread).  Every answer is checked; one that is not what it should
 *	be counts as an error.
 *
 *	workload=get			GET path
 *	workload=client_credentials	POST path, RFC 6749 section 4.4
 *	workload=code			GET path with a session cookie and PKCE, then POST
 *					token_path with the code; both are one
 *
 *	Prints one line of numbers with tabs between: answers a second, p50 and p99
 *	in microseconds, errors, processor time per answer in microseconds of the
 *	web server, the endpoints, the database and this driver, and the share of
 *	the machine that went to processes that are none of these.  With once=MEMBER
 *	it does one and prints that member of the JSON answer.
 */
#include "base/base64url.h"
#include "base/buf.h"
#include "base/secret.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_USERS	256
#define MAX_SAMPLES	(4 * 1024 * 1024)
#define MAX_PROCESSES	8192
#define REQUEST_BYTES	8192
#define ANSWER_BYTES	(64 * 1024)
#define STALL_MS	5000

/* What can be said on the command line. */
static const char *workload_name, *port, *path, *token_path, *authorization, *cookies_file, *once;
static const char *client_id, *redirect_uri, *scope, *concurrency = "1", *seconds = "1", *warm_up = "0.2";
static const char *web, *app, *db;

static const struct {
	const char	 *name;
	const char	**value;
} settings[] = {
	{ "workload", &workload_name }, { "port", &port }, { "path", &path }, { "token_path", &token_path },
	{ "authorization", &authorization }, { "cookies", &cookies_file }, { "once", &once },
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
};

static struct user	 users[MAX_USERS];
static char		*cookies[MAX_USERS];
static size_t		 cookie_count;
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

/* Send one request; it is small and fits the socket's buffer. */
static void
send_request(struct user *user, const char *method, struct str target, const char *headers, struct str body)
{
	int n = snprintf(user->sent, sizeof user->sent, "%s %.*s HTTP/1.1\r\nHost: localhost\r\n%s", method,
	    STR_ARG(target), headers);

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

/* The value of a header of the answer; "absent" if it has none. */
static struct str
find_header(const struct user *user, const char *name)
{
	const char *line = user->in;

	while ((line = strstr(line, "\r\n")) != NULL && line < user->body) {
		line += 2;
		if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			line += strlen(name) + 1;
			line += strspn(line, " ");
			return (struct str){ line, strcspn(line, "\r") };
		}
	}
	return STR_ABSENT;
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

static void
get(struct user *user)
{
	send_request(user, "GET", str_of(path), header_line("Authorization", authorization).p, STR_ABSENT);
}

static enum verdict
got(const struct user *user)
{
	return user->status == 200 ? VERDICT_DONE : VERDICT_FAILED;
}

static void
client_credentials(struct user *user)
{
	send_request(user, "POST", str_of(path), header_line("Authorization", authorization).p,
	    STR("grant_type=client_credentials"));
}

static enum verdict
got_token(const struct user *user)
{
	return user->status == 200 && strstr(user->body, "\"access_token\"") != NULL ? VERDICT_DONE : VERDICT_FAILED;
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

	buf_addf(&body, "grant_type=authorization_code&client_id=%s&redirect_uri=", client_id);
	buf_add_url(&body, str_of(redirect_uri));
	buf_addf(&body, "&code_verifier=%s&code=%s", user->verifier, user->code);
	send_request(user, "POST", str_of(token_path), "", buf_str(&body));
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
got_code(struct user *user)
{
	struct str	location = find_header(user, "Location");
	const char	*found;

	if (user->step == 1)
		return got_token(user) == VERDICT_DONE && strstr(user->body, "\"id_token\"") != NULL ? VERDICT_DONE : VERDICT_FAILED;
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

static enum verdict
judge(struct user *user)
{
	if (strcmp(workload_name, "code") == 0)
		return got_code(user);
	return strcmp(workload_name, "get") == 0 ? got(user) : got_token(user);
}

static void
send_next(struct user *user)
{
	if (strcmp(workload_name, "code") == 0)
		code(user);
	else if (strcmp(workload_name, "get") == 0)
		get(user);
	else
		client_credentials(user);
}

static void
begin(struct user *user)
{
	user->step = 0;
	user->began = microseconds();
	send_next(user);
}

static void
load_cookies(void)
{
	FILE	*file = fopen(cookies_file, "r");
	char	*line = NULL;
	size_t	 room = 0;

	if (file == NULL)
		die("could not open %s", cookies_file);
	while (cookie_count < MAX_USERS && getline(&line, &room, file) > 1) {
		line[strcspn(line, "\n")] = '\0';
		cookies[cookie_count++] = line;
		line = NULL;
	}
	fclose(file);
	if (cookie_count == 0)
		die("%s is empty", cookies_file);
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

/* Something has arrived for this user. */
static void
receive(struct user *user)
{
	ssize_t n = read(user->fd, user->in + user->in_n, ANSWER_BYTES - user->in_n);

	if (n <= 0)
		die("the web server closed a connection");
	user->in_n += (size_t)n;
	if (!is_complete(user))
		return;
	switch (judge(user)) {
	case VERDICT_MORE:
		user->step++;
		send_next(user);
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
pump(int set, int64_t end)
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
	struct reading	first, last;
	int		set = epoll_create1(EPOLL_CLOEXEC);

	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &users[i] };

		dial(&users[i]);
		epoll_ctl(set, EPOLL_CTL_ADD, users[i].fd, &event);
		begin(&users[i]);
	}
	pump(set, microseconds() + (int64_t)(strtod(warm_up, NULL) * 1e6));
	sample_count = errors = 0;
	take_reading(&first);
	pump(set, first.at + (int64_t)(strtod(seconds, NULL) * 1e6));
	take_reading(&last);
	print_result(&first, &last);
}

/* One, and a member of its answer: tells early that something is wrong. */
static void
do_once(struct user *user)
{
	char		 member[64];
	const char	*found;
	enum verdict	 verdict;

	dial(user);
	for (user->step = 0;; user->step++) {
		ssize_t n = 1;

		send_next(user);
		while (n > 0 && !is_complete(user)) {
			n = read(user->fd, user->in + user->in_n, ANSWER_BYTES - user->in_n);
			user->in_n += n > 0 ? (size_t)n : 0;
		}
		verdict = n > 0 ? judge(user) : VERDICT_FAILED;
		if (verdict != VERDICT_MORE)
			break;
	}
	if (verdict == VERDICT_FAILED)
		die("an answer is not what it should be\n--- sent\n%s\n--- received\n%s", user->sent, user->in);
	snprintf(member, sizeof member, "\"%s\":\"", once);
	found = strstr(user->body, member);
	if (found != NULL)
		printf("%.*s\n", (int)strcspn(found + strlen(member), "\""), found + strlen(member));
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

	for (int i = 1; i < argc; i++)
		parse(argv[i]);
	count = strtoul(concurrency, NULL, 10);
	if (workload_name == NULL || port == NULL || path == NULL || count < 1 || count > MAX_USERS)
		die("workload, port and path are needed, and concurrency is 1 to %d", MAX_USERS);
	arena = arena_new((size_t)1 << 20);
	if (arena == NULL)
		die("out of memory");
	if (cookies_file != NULL)
		load_cookies();
	for (size_t i = 0; i < count && cookie_count > 0; i++)
		users[i].cookie = cookies[i % cookie_count];
	if (once != NULL)
		do_once(&users[0]);
	else
		measure(count);
	return 0;
}
