/*
 * source.h -- the files that templates are read from
 */
#ifndef PAGE_SOURCE_H
#define PAGE_SOURCE_H

#include "base/str.h"

#define SOURCE_MAX_BYTES		((size_t)64 * 1024)	/* a file */
#define SOURCE_MAX_FILES		64
#define SOURCE_NAME_MAX_BYTES		64

struct source {
	struct str	name;	/* in its directory */
	struct str	text;	/* UTF-8 without NUL; lines end in LF */
};

/* Where one line for the administrator goes. */
struct source_error {
	char	*text;
	size_t	 size;
};

/* The files of one directory, each read once. */
struct source_library {
	struct arena		*arena;		/* where the texts live */
	struct str		 directory;
	struct source		 files[SOURCE_MAX_FILES];
	size_t			 count;
	struct source_error	 error;
};

/* Write "file:line: message" (a line of 0 is left out) and return false. */
bool source_fail(const struct source_error *error, struct str file, size_t line,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A plain file name: lower-case letters, digits, "_", "-" and ".", not hidden,
 * no directory. */
bool source_is_name(struct str name);

/* The file called name, read when it is asked for first.  NULL if it cannot be
 * read or is not text; the library's error then says why. */
const struct source *source_find(struct source_library *library, struct str name);

/* May this style sheet stand inside <style>, and does it ask for nothing that the
 * pages' Content-Security-Policy forbids? */
bool source_check_style(const struct source *source, const struct source_error *error);

#endif
