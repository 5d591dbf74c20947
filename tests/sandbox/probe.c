/*
 * NAME
 *	probe -- an attacker inside a worker
 *
 * DESCRIPTION
 *	A test program, never installed: an endpoint named token, with the role and
 *	the sandbox of token, whose handler tries what the parameter "act" says.
 *	It answers with the errno of the attempt, if it lives to answer.
 *
 *	act=sql runs the SQL of the parameter "sql" on the worker's own connection
 *	and answers with the outcome of the call (SQLSTATE is in the log).
 *
 * SECURITY
 *	Shows what arbitrary code in token could do: docs and SEC-ISO-01, -02, -03.
 */
#include "endpoint/endpoint.h"
#include "base/buf.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE_BYTES	4096

enum { P_ACT, P_SQL, P_CONNINFO, P__COUNT };

static const struct parameter parameters[P__COUNT] = {
	[P_ACT] = { "act", 64, NULL, false },
	[P_SQL] = { "sql", 8192, NULL, false },
	[P_CONNINFO] = { "conninfo", 1024, NULL, false },
};

static long
try_nothing(void)
{
	return 0;
}

static long
try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long
try_create(void)
{
	return syscall(SYS_creat, "/dev/null", 0600);
}

static long
try_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
try_socket_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

/* On the listening socket: it need not be a good one to be refused. */
static long
try_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	return connect(0, (struct sockaddr *)&address, sizeof address);
}

static long
try_bind(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	return bind(0, (struct sockaddr *)&address, sizeof address);
}

static long
try_execve(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none);
}

static long
try_fork(void)
{
	return syscall(SYS_fork);
}

static long
try_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long
try_kill(void)
{
	return kill(getppid(), 0);
}

/* Other ways to send a signal to another process. */
static long
try_signal_parent(void)
{
	return syscall(SYS_tgkill, (long)getppid(), (long)getppid(), 0L);
}

static long
try_own_signals(void)
{
	return fcntl(0, F_SETOWN, getppid());
}

static long
try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
try_read_parent(void)
{
	return syscall(SYS_process_vm_readv, (long)getppid(), NULL, 0L, NULL, 0L, 0L);
}

static long
try_memfd(void)
{
	return syscall(SYS_memfd_create, "probe", 0);
}

static long
try_send_descriptor(void)
{
	struct msghdr message = { .msg_name = NULL };

	return sendmsg(0, &message, 0);
}

static long
try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long
try_unshare(void)
{
	return syscall(SYS_unshare, 0);
}

static long
try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

/* Memory that is writable and executable, by both roads. */
static long
try_map_executable(void)
{
	void *place = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return place == MAP_FAILED ? -1 : 0;
}

static long
try_make_executable(void)
{
	void *place = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (place == MAP_FAILED)
		return 0;	/* would be a success of the attempt: the control has failed */
	return mprotect(place, PAGE_BYTES, PROT_READ | PROT_EXEC);
}

static long
try_stat(void)
{
	struct stat status;

	return stat("/etc/passwd", &status);
}

static long
try_unlink(void)
{
	return unlink("/nonexistent");
}

static long
try_rename(void)
{
	return syscall(SYS_rename, "/nonexistent", "/nonexistent2");
}

static long
try_chmod(void)
{
	return syscall(SYS_chmod, "/nonexistent", 0777);
}

static long
try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

static long
try_setuid(void)
{
	return syscall(SYS_setuid, 0);
}

static long
try_dup(void)
{
	return dup(0);
}

/* The next four are bugs, for a build with sanitizers to find. */
static long
try_overrun(void)
{
	char *volatile	 hidden = malloc(16);	/* from the compiler, which would know its size */
	volatile char	*place = hidden;

	place[16] = 'x';
	free(hidden);
	return 0;
}

static long
try_use_after_free(void)
{
	char *volatile hidden = malloc(16);

	free(hidden);
	return *(volatile char *)hidden == 'x' ? 1 : 0;
}

static long
try_overflow(void)
{
	volatile int n = INT_MAX;

	n = n + 1;
	return n != 0 ? 0 : 1;
}

static long
try_leak(void)
{
	char * volatile place = malloc(16);

	place = NULL;
	return place == NULL ? 0 : 1;
}

static const struct {
	const char	*name;
	long		 (*attempt)(void);
} acts[] = {
	{ "nothing", try_nothing }, { "open", try_open }, { "creat", try_create }, { "socket", try_socket },
	{ "socket_tcp", try_socket_tcp }, { "connect", try_connect }, { "bind", try_bind }, { "execve", try_execve },
	{ "fork", try_fork }, { "clone", try_clone }, { "kill", try_kill }, { "ptrace", try_ptrace },
	{ "read_parent", try_read_parent }, { "memfd", try_memfd }, { "sendmsg", try_send_descriptor },
	{ "io_uring", try_io_uring }, { "unshare", try_unshare }, { "bpf", try_bpf },
	{ "map_executable", try_map_executable }, { "make_executable", try_make_executable }, { "stat", try_stat },
	{ "unlink", try_unlink }, { "rename", try_rename }, { "chmod", try_chmod }, { "dumpable", try_dumpable },
	{ "setuid", try_setuid }, { "dup", try_dup }, { "signal_parent", try_signal_parent }, { "own_signals", try_own_signals }, { "overrun", try_overrun },
	{ "use_after_free", try_use_after_free }, { "overflow", try_overflow }, { "leak", try_leak },
};

/* An overrun inside the request's arena: by one octet, into what was not asked for. */
static enum error
overrun_arena(struct exchange *x)
{
	char *volatile	 hidden = arena_alloc(x->arena, 10);
	volatile char	*place = hidden;

	place[10] = 'x';
	return ERROR_NONE;
}

static enum error
report(struct exchange *x, const char *name, long value)
{
	struct buf json = buf_new(x->arena, 256);

	buf_addf(&json, "{\"%s\":%ld}", name, value);
	exchange_json(x, 200, buf_str(&json));
	return ERROR_NONE;
}

/* Another connection to the database, as whoever conninfo says. */
static enum error
connect_again(struct exchange *x)
{
	struct store *other = store_open(str_z(x->arena, exchange_parameter(x, P_CONNINFO)), "postern_login", NULL, false);

	return report(x, "connected", other != NULL);
}

static enum error
run_sql(struct exchange *x)
{
	struct store_call	 call = { .name = "probe", .sql = str_z(x->arena, exchange_parameter(x, P_SQL)) };
	const struct store_rows	*rows;

	return report(x, "status", (long)store_call(x->store, x->arena, &call, NULL, 0, &rows));
}

static enum error
probe(struct exchange *x)
{
	struct str act = exchange_parameter(x, P_ACT);

	if (str_equal(act, STR("sql")))
		return run_sql(x);
	if (str_equal(act, STR("second_connection")))
		return connect_again(x);
	if (str_equal(act, STR("overrun_arena")) && overrun_arena(x) == ERROR_NONE)
		return report(x, "errno", 0);
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (!str_equal(act, str_of(acts[i].name)))
			continue;
		errno = 0;
		return report(x, "errno", acts[i].attempt() < 0 ? errno : 0);
	}
	return exchange_fail(x, ERROR_INVALID_REQUEST, "there is no such act");
}

static const struct endpoint endpoint = {
	.name = "token",
	.path = "/token",
	.methods = METHOD_POST,
	.parameters = parameters,
	.parameter_count = P__COUNT,
	.handle = probe,
	.fail = exchange_fail_json,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
