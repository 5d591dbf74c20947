/*
 * tap.h -- the Test Anything Protocol in a few lines
 *
 * ok(condition, name...) prints one result; return tap_done() from main.
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused))
static bool
ok(bool passed, const char *name, ...)
{
	va_list args;

	printf("%s %d - ", passed ? "ok" : "not ok", ++tap_count);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	putchar('\n');
	tap_failed += !passed;
	return passed;
}

__attribute__((unused))
static int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
