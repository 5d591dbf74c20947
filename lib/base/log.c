/*
 * log.c -- what the administrator reads; see log.h
 */
#include "base/log.h"

#include <stdarg.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES	2048

static const char	*log_program = "postern";
static enum log_target	 log_target = LOG_TO_STDERR;

static const struct {
	const char	*name;
	int		 priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
};

void
log_open(const char *program, enum log_target target)
{
	log_program = program;
	log_target = target;
	/* gmtime_r() reads the time zone file when it is first used: do that now. */
	tzset();
	if (target == LOG_TO_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

void
log_line(enum log_level level, struct str line)
{
	char		text[LINE_MAX_BYTES];
	struct timespec	now;
	struct tm	tm;
	int		n;

	if (log_target == LOG_TO_SYSLOG) {
		syslog(levels[level].priority, "%.*s", STR_ARG(line));
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = snprintf(text, sizeof text, "ts=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ level=%s program=%s pid=%ld %.*s",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    now.tv_nsec / 1000000, levels[level].name, log_program, (long)getpid(), STR_ARG(line));
	if (n < 0)
		return;
	if ((size_t)n > sizeof text - 2)
		n = sizeof text - 2;
	text[n++] = '\n';
	/* One write, so that the lines of several processes do not mix. */
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		return;
}

void
log_event(enum log_level level, const char *format, ...)
{
	char	line[LINE_MAX_BYTES / 2] = "msg=\"";
	va_list	args;
	size_t	start = strlen(line);
	int	n;

	va_start(args, format);
	n = vsnprintf(line + start, sizeof line - start - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	n = (int)strlen(line);
	for (int i = (int)start; i < n; i++) {
		if (line[i] == '"')
			line[i] = '\'';
		else if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	}
	line[n++] = '"';
	log_line(level, (struct str){ line, (size_t)n });
}
