/*
 * config.c -- postern.conf; see config.h
 */
#include "endpoint/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { KIND_TEXT, KIND_SWITCH, KIND_WORKERS, KIND_LOG };

static const struct key {
	const char	*name;
	enum kind	 kind;
	size_t		 offset;
} keys[] = {
	{ "database", KIND_TEXT, offsetof(struct config, database) },
	{ "role_prefix", KIND_TEXT, offsetof(struct config, role_prefix) },
	{ "role", KIND_TEXT, offsetof(struct config, role) },
	{ "passfiles", KIND_TEXT, offsetof(struct config, passfiles) },
	{ "templates", KIND_TEXT, offsetof(struct config, templates) },
	{ "prepare", KIND_SWITCH, offsetof(struct config, prepare) },
	{ "workers", KIND_WORKERS, offsetof(struct config, workers) },
	{ "log", KIND_LOG, offsetof(struct config, log) },
};

#define KEY_COUNT	(sizeof keys / sizeof *keys)

static struct config config;
static char contents[CONFIG_MAX_BYTES + 1];
static char config_path[PATH_MAX];

/* Take one value; NULL, or what is wrong with it. */
static const char *
set(struct config *out, const struct key *key, char *value)
{
	char *place = (char *)out + key->offset;

	switch (key->kind) {
	case KIND_TEXT:
		*(const char **)place = value;
		return NULL;
	case KIND_SWITCH:
		if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
			return "is on or off";
		*(bool *)place = strcmp(value, "on") == 0;
		return NULL;
	case KIND_WORKERS:
		if (!str_to_long(str_of(value), (long *)place) || *(long *)place > CONFIG_MAX_WORKERS)
			return "is a number from 0 to 256";
		return NULL;
	case KIND_LOG:
		if (strcmp(value, "stderr") != 0 && strcmp(value, "syslog") != 0)
			return "is stderr or syslog";
		*(enum log_target *)place = strcmp(value, "syslog") == 0 ? LOG_TO_SYSLOG : LOG_TO_STDERR;
		return NULL;
	}
	return "is not understood";
}

static char *
trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]) != NULL)
		*--end = '\0';
	return text;
}

static const struct key *
find_key(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

/* One line; NULL, or what is wrong with it. */
static const char *
parse_line(struct config *out, char *line, bool *seen)
{
	const struct key	*key;
	char			*value;

	line = trim(line);
	if (*line == '\0' || *line == '#')
		return NULL;
	value = strchr(line, '=');
	if (value == NULL)
		return "is not \"key = value\"";
	*value++ = '\0';
	line = trim(line);
	value = trim(value);
	key = find_key(line);
	if (key == NULL)
		return "has an unknown key";
	if (seen[key - keys])
		return "repeats a key";
	seen[key - keys] = true;
	if (*value == '\0')
		return "has no value";
	return set(out, key, value);
}

bool
config_parse(struct config *out, const char *path, char *text, char *problem, size_t size)
{
	bool	 seen[KEY_COUNT] = { false };
	char	*rest = text, *line;

	*out = (struct config){
		.path = path,
		.role_prefix = "postern_",
		.prepare = true,
		.workers = 2,
		.templates = TEMPLATES_DIRECTORY,
	};
	for (int number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
		const char *fault = parse_line(out, line, seen);

		if (fault != NULL) {
			snprintf(problem, size, "%s: line %d %s", path, number, fault);
			return false;
		}
	}
	if (out->database == NULL) {
		snprintf(problem, size, "%s: says nothing about the database: add database = host=... dbname=...", path);
		return false;
	}
	return true;
}

/* A file beside an executable may lie in a document root: others must not read it. */
static bool
read_file(bool private, char *problem, size_t size)
{
	struct stat	status;
	ssize_t		n;
	int		fd = open(config_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		snprintf(problem, size, "could not open %s: %s", config_path, strerror(errno));
		return false;
	}
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
	    (private && (status.st_mode & S_IRWXO) != 0)) {
		snprintf(problem, size, "%s must be a file that others cannot read: chmod 0640", config_path);
		close(fd);
		return false;
	}
	n = read(fd, contents, sizeof contents);
	close(fd);
	if (n < 0 || n > CONFIG_MAX_BYTES || memchr(contents, '\0', (size_t)n) != NULL) {
		snprintf(problem, size, "%s is not a text of at most %d bytes", config_path, CONFIG_MAX_BYTES);
		return false;
	}
	contents[n] = '\0';
	return true;
}

/* The directory of the executable, without a slash at its end. */
static bool
own_directory(char *directory, size_t size)
{
	ssize_t	 n = readlink("/proc/self/exe", directory, size - 1);
	char	*slash;

	if (n <= 0)
		return false;
	directory[n] = '\0';
	slash = strrchr(directory, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/* Set config_path; *private tells whether the place may be below a document root. */
static void
find(bool *private)
{
	static const struct {
		const char	*suffix;
		bool		 private;
	} places[] = {
		{ "/../../postern/postern.conf", false },
		{ "/postern.conf", true },
	};
	const char	*named = getenv("POSTERN_CONFIG");
	char		 directory[PATH_MAX - 32];

	*private = false;
	if (named != NULL && *named != '\0') {
		snprintf(config_path, sizeof config_path, "%s", named);
		return;
	}
	for (size_t i = 0; own_directory(directory, sizeof directory) && i < 2; i++) {
		snprintf(config_path, sizeof config_path, "%s%s", directory, places[i].suffix);
		*private = places[i].private;
		if (access(config_path, F_OK) == 0)
			return;
	}
	*private = false;
	snprintf(config_path, sizeof config_path, "%s", CONFIG_DIRECTORY "/postern.conf");
}

const struct config *
config_read(char *problem, size_t size)
{
	bool private;

	find(&private);
	if (!read_file(private, problem, size) || !config_parse(&config, config_path, contents, problem, size))
		return NULL;
	return &config;
}
