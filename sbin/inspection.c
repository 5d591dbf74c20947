/*
 * inspection.c -- what postern check has found; see inspection.h
 */
#include "inspection.h"

#include "base/buf.h"

#include <stdarg.h>

static const char *const level_names[] = {
	[LEVEL_OK] = "ok", [LEVEL_WARNING] = "warning", [LEVEL_ERROR] = "error",
};

/* One line, whatever a server or a file name put into it. */
static void
print_line(struct inspection *inspection, enum level level, const char *finding, const char *hint)
{
	struct buf line = buf_new(inspection->arena, FINDING_MAX_BYTES);

	buf_addf(&line, "%s: %s: %s", level_names[level], inspection->check, finding);
	if (hint != NULL)
		buf_addf(&line, "; hint: %s", hint);
	for (size_t i = 0; i < line.n; i++) {
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			line.p[i] = ' ';
	}
	if (line.overflowed)
		printf("%s: %s: there is too much to say\n", level_names[level], inspection->check);
	else
		printf("%.*s\n", (int)line.n, line.p);
}

static const char *vtext(struct inspection *inspection, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static const char *
vtext(struct inspection *inspection, const char *format, va_list arguments)
{
	char *out = arena_alloc(inspection->arena, FINDING_MAX_BYTES);

	vsnprintf(out, FINDING_MAX_BYTES, format, arguments);
	return out;
}

const char *
text(struct inspection *inspection, const char *format, ...)
{
	va_list		 arguments;
	const char	*out;

	va_start(arguments, format);
	out = vtext(inspection, format, arguments);
	va_end(arguments);
	return out;
}

void
found(struct inspection *inspection, enum level level, const char *hint, const char *format, ...)
{
	va_list		 arguments;
	const char	*finding;

	va_start(arguments, format);
	finding = vtext(inspection, format, arguments);
	va_end(arguments);
	inspection->count++;
	if (level > inspection->worst)
		inspection->worst = level;
	if (level != LEVEL_OK || !inspection->invocation->quiet)
		print_line(inspection, level, finding, hint);
}
