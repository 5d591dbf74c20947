/*
 * sandbox.c -- what a worker may still ask of the kernel; see sandbox.h
 */
#include "endpoint/sandbox.h"

#include "endpoint/sanitizer.h"

#include <seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Measured: what libfcgi, libpq, OpenSSL, malloc, crypt and the accept loop use. */
static const int allowed[] = {
	/* the request and the database */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(shutdown), SCMP_SYS(close),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(lseek),
	/* memory, apart from making it executable (below) */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* time, randomness, identity */
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(futex),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall),
	/* signals and the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Not F_SETOWN: a descriptor can be told to send any signal to any process of our user. */
static const unsigned descriptor_flags[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL };

/* An attacker's first steps.  There is no honest use of these in a worker. */
static const int deadly[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(socket),
	SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(execve),
	SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kill),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(io_uring_setup), SCMP_SYS(bpf), SCMP_SYS(unshare),
	SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(memfd_create), SCMP_SYS(pidfd_getfd),
};

/* In a build with sanitizers only: their runtime opens its report, reads /proc, and
 * stops this process from another one to look for leaks. */
static const int for_reports[] = {
#if SANITIZED
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(stat),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(mkdir), SCMP_SYS(clone),
	SCMP_SYS(ptrace), SCMP_SYS(wait4), SCMP_SYS(kill), SCMP_SYS(prctl), SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_yield), SCMP_SYS(getppid), SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(pread64),
	SCMP_SYS(getuid), SCMP_SYS(sched_getaffinity), SCMP_SYS(uname), SCMP_SYS(arch_prctl),
#else
	-1
#endif
};

#define COUNT(table)	(sizeof(table) / sizeof *(table))

static bool
is_for_reports(int call)
{
	for (size_t i = 0; SANITIZED && i < COUNT(for_reports); i++) {
		if (for_reports[i] == call)
			return true;
	}
	return false;
}

static bool
add_rules(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < COUNT(allowed); i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) != 0)
			return false;
	}
	for (size_t i = 0; SANITIZED && i < COUNT(for_reports); i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, for_reports[i], 0) != 0)
			return false;
	}
	for (size_t i = 0; i < COUNT(deadly); i++) {
		if (!is_for_reports(deadly[i]) &&
		    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0) != 0)
			return false;
	}
	for (size_t i = 0; i < COUNT(descriptor_flags); i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
		    SCMP_A1(SCMP_CMP_EQ, descriptor_flags[i], 0)) != 0)
			return false;
	}
	/* tgkill is how abort() dies: it is for this process only. */
	if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) != 0)
		return false;
	/* Memory that is writable now is never executable later. */
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
}

bool
sandbox_close(void)
{
	scmp_filter_ctx	filter;
	bool		closed;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return false;
	closed = add_rules(filter) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return closed;
}
