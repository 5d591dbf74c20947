/*
 * sanitizer.c -- a build that looks for bugs; see sanitizer.h
 */
#include "endpoint/sanitizer.h"

#include "base/log.h"

#if SANITIZED

#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

#include <dlfcn.h>

/* The runtime calls these.  A report is a file of its own, because what a web server
 * does with its children's stderr is not ours to say.  Leaks are looked for by
 * sanitizer_check_leaks(); at exit everything that main() held would be one.  The last
 * option lets tests/fault/failing.c come before the runtime. */
#define REPORTS		"log_path=" SANITIZER_REPORTS "/report:log_exe_name=1:"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *
__asan_default_options(void)
{
	return REPORTS "leak_check_at_exit=0:detect_stack_use_after_return=1:allocator_may_return_null=1:"
	    "verify_asan_link_order=0";
}

const char *
__ubsan_default_options(void)
{
	return REPORTS "print_stacktrace=1";
}

/* libfcgi 2.4.2 forgets a few octets when a connection ends in the middle of its
 * parameters (FCGX_Accept_r() frees no params then). */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfcgi.so";
}

const char *
sanitizer_mark(void)
{
	return " with sanitizers, for tests only";
}

/* gcc has the two runtimes in two libraries.  Each has this function, and the linker
 * gives everybody AddressSanitizer's. */
static void
tell_other_runtime(void)
{
	void	*library = dlopen("libubsan.so.1", RTLD_LAZY | RTLD_NOLOAD);
	void	 (*set_path)(const char *path) = NULL;

	if (library != NULL)
		*(void **)&set_path = dlsym(library, "__sanitizer_set_report_path");
	if (set_path != NULL)
		set_path(SANITIZER_REPORTS "/report.undefined");
}

void
sanitizer_announce(void)
{
	tell_other_runtime();
	log_event(LOG_LEVEL_WARNING, "this build looks for bugs, reports them to %s and has a wide sandbox: it is for tests only",
	    SANITIZER_REPORTS);
}

void
sanitizer_check_leaks(void)
{
	__lsan_do_leak_check();
}

#else

const char *
sanitizer_mark(void)
{
	return "";
}

void
sanitizer_announce(void)
{
}

void
sanitizer_check_leaks(void)
{
}

#endif
