/*
 * invocation.c -- what one call of postern says to the administrator; see invocation.h
 */
#include "invocation.h"

#include <stdarg.h>

void
complain(const char *format, ...)
{
	va_list arguments;

	fputs("postern: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}
