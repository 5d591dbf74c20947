/*
 * source.c -- the files that templates are read from; see source.h
 */
#include "page/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES	4096
#define MESSAGE_BYTES	320

bool
source_fail(const struct source_error *error, struct str file, size_t line,
    const char *format, ...)
{
	char	message[MESSAGE_BYTES];
	char	place[32] = "";
	va_list	args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	if (line > 0)
		snprintf(place, sizeof place, ":%zu", line);
	snprintf(error->text, error->size, "%.*s%s: %s", STR_ARG(file), place, message);
	/* it quotes the file, and must stay one line */
	for (size_t i = 0; i < error->size && error->text[i] != '\0'; i++) {
		if ((unsigned char)error->text[i] < 0x20 || error->text[i] == 0x7f)
			error->text[i] = ' ';
	}
	return false;
}

bool
source_is_name(struct str name)
{
	return name.n > 0 && name.n <= SOURCE_NAME_MAX_BYTES && name.p[0] != '.' &&
	    str_consists_of(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.");
}

/* All bytes of the open file fd; errno says why not. */
static bool
read_all(struct arena *arena, int fd, char **text, size_t *n)
{
	struct stat	status;
	size_t		size;
	ssize_t		got = 1;

	if (fstat(fd, &status) != 0)
		return false;
	errno = S_ISREG(status.st_mode) ? EFBIG : EINVAL;
	if (!S_ISREG(status.st_mode) || status.st_size > (off_t)SOURCE_MAX_BYTES)
		return false;
	size = (size_t)status.st_size;
	*text = arena_alloc(arena, size + 1);
	for (*n = 0; *n < size && got > 0; *n += (size_t)got) {
		got = read(fd, *text + *n, size - *n);
		if (got < 0)
			return false;
	}
	return true;
}

/* Drop a byte order mark and every CR.  Browsers make LF of CR LF before they
 * hash a style sheet, so the text may not depend on how the file was uploaded. */
static struct str
normalize(char *text, size_t n)
{
	size_t from = str_starts_with((struct str){ text, n }, STR("\xef\xbb\xbf")) ? 3 : 0;
	size_t to = 0;

	for (; from < n; from++) {
		if (text[from] != '\r')
			text[to++] = text[from];
	}
	return (struct str){ text, to };
}

static bool
check_utf8(const struct source *source, const struct source_error *error)
{
	struct str rest = source->text, part;

	for (size_t line = 1; str_cut(&rest, '\n', &part); line++) {
		if (!str_is_utf8(part))
			return source_fail(error, source->name, line, "the text is not valid UTF-8");
	}
	return true;
}

static bool
read_source(const struct source_library *library, struct source *source)
{
	const struct source_error *error = &library->error;
	char	 path[PATH_BYTES], *text = NULL;
	size_t	 size = 0;
	int	 fd, n, why;
	bool	 complete;

	n = snprintf(path, sizeof path, "%.*s/%.*s", STR_ARG(library->directory), STR_ARG(source->name));
	if (n < 0 || (size_t)n >= sizeof path)
		return source_fail(error, source->name, 0, "the path is too long");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return source_fail(error, source->name, 0, "could not open the file: %s", strerror(errno));
	complete = read_all(library->arena, fd, &text, &size);
	why = errno;
	close(fd);
	if (!complete && why == EFBIG)
		return source_fail(error, source->name, 0, "the file has more than %zu bytes", SOURCE_MAX_BYTES);
	if (!complete)
		return source_fail(error, source->name, 0, "could not read the file: %s", strerror(why));
	source->text = normalize(text, size);
	return check_utf8(source, error);
}

const struct source *
source_find(struct source_library *library, struct str name)
{
	struct source *source;

	for (size_t i = 0; i < library->count; i++) {
		if (str_equal(library->files[i].name, name))
			return &library->files[i];
	}
	if (library->count == SOURCE_MAX_FILES) {
		source_fail(&library->error, name, 0, "more than %d files", SOURCE_MAX_FILES);
		return NULL;
	}
	source = &library->files[library->count];
	source->name = str_dup(library->arena, name);
	if (!read_source(library, source))
		return NULL;
	library->count++;
	return source;
}

/* Does line hold word, in any case? */
static bool
has_text(struct str line, struct str word)
{
	for (size_t i = 0; i + word.n <= line.n; i++) {
		if (str_equal_ignoring_case(str_first(str_from(line, i), word.n), word))
			return true;
	}
	return false;
}

bool
source_check_style(const struct source *source, const struct source_error *error)
{
	struct str rest = source->text, part;

	for (size_t line = 1; str_cut(&rest, '\n', &part); line++) {
		if (str_index(part, '<') >= 0)
			return source_fail(error, source->name, line,
			    "< is not allowed in the style sheet: it could end <style>");
		if (has_text(part, STR("@import")) || has_text(part, STR("url(")))
			return source_fail(error, source->name, line,
			    "@import and url() are not allowed: the pages forbid browsers to load anything");
	}
	return true;
}
