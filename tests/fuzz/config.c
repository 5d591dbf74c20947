/*
 * config.c -- fuzz target: postern.conf gives a whole configuration, or one line that says
 *             which line is wrong; what is written from it reads the same
 */
#include "endpoint/config.h"

#include "base/buf.h"
#include "fuzz.h"

#define ARENA_BYTES	((size_t)1024 * 1024)
#define PATH		"/etc/postern.conf"

/* A value is one line without blanks at its ends. */
static bool
is_value(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && strpbrk(text, "\n") == NULL && strchr(" \t\r", text[0]) == NULL && strchr(" \t\r", text[n - 1]) == NULL;
}

static void
add(struct buf *text, const char *name, const char *value)
{
	if (value == NULL)
		return;
	HOLDS(is_value(value));
	buf_addf(text, "\t%s=%s \r\n# comment\n\n", name, value);
}

static char *
write(struct arena *arena, const struct config *config)
{
	struct buf text = buf_new(arena, 4 * CONFIG_MAX_BYTES);

	add(&text, "templates", config->templates);
	add(&text, "role", config->role);
	add(&text, "role_prefix", config->role_prefix);
	add(&text, "passfiles", config->passfiles);
	add(&text, "log", config->log == LOG_TO_SYSLOG ? "syslog" : "stderr");
	add(&text, "prepare", config->prepare ? "on" : "off");
	buf_addf(&text, "workers = %ld\n", config->workers);
	add(&text, "database", config->database);
	HOLDS(!text.overflowed);
	return text.p;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check(struct arena *arena, const struct config *config)
{
	struct config	again;
	char		problem[256] = "";

	HOLDS(config->database != NULL && config->templates != NULL && config->role_prefix != NULL);
	HOLDS(config->workers >= 0 && config->workers <= CONFIG_MAX_WORKERS);
	HOLDS(config_parse(&again, PATH, write(arena, config), problem, sizeof problem));
	HOLDS(is_same(config->database, again.database) && is_same(config->templates, again.templates));
	HOLDS(is_same(config->role, again.role) && is_same(config->role_prefix, again.role_prefix));
	HOLDS(is_same(config->passfiles, again.passfiles) && config->workers == again.workers);
	HOLDS(config->prepare == again.prepare && config->log == again.log);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena;
	struct config	 config;
	char		*text, problem[256] = "";

	/* What config_read() refuses before it parses. */
	if (size > CONFIG_MAX_BYTES || (size > 0 && memchr(data, '\0', size) != NULL))
		return 0;
	arena = fuzz_arena(ARENA_BYTES);
	text = arena_alloc(arena, size + 1);
	if (size > 0)
		memcpy(text, data, size);
	if (config_parse(&config, PATH, text, problem, sizeof problem))
		check(arena, &config);
	else
		HOLDS(str_starts_with(str_of(problem), STR(PATH ": ")) && strchr(problem, '\n') == NULL);
	arena_reset(arena);
	return 0;
}
