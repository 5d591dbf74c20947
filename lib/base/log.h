/*
 * log.h -- what the administrator reads
 *
 * One line an event, logfmt (key=value), to standard error or to syslog; never
 * to the FastCGI error stream, which some web servers show to others.  Values
 * from outside are quoted with buf_add_log(); secrets, tokens, codes, cookies
 * and passwords are never logged, not even in part.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Open the log under the program's name.  Call once, before the sandbox closes:
 * the connection to syslog is made here. */
void log_open(const char *program, enum log_target target);

/* One line; the caller has escaped what came from outside. */
void log_line(enum log_level level, struct str line);

/* The same for fixed events of the program itself: "msg" is constant text in the
 * style of PostgreSQL (lower case, no full stop, says what to do). */
void log_event(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
