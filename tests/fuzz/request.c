/*
 * request.c -- fuzz target: what is read of an environment is what a second, naive reader
 *              finds; a body is as long as was announced
 *
 * The input is variables, each ended by a zero octet; what follows the last one is the
 * body.
 */
#include "http/request.h"

#include "fuzz.h"

#define ARENA_BYTES	((size_t)4 * 1024 * 1024)
#define MAX_ENTRIES	((size_t)512)

static const struct {
	const char	*name;
	enum variable	 variable;
} known[] = {
	{ "REQUEST_METHOD", VARIABLE_METHOD }, { "REQUEST_URI", VARIABLE_TARGET }, { "QUERY_STRING", VARIABLE_QUERY },
	{ "CONTENT_TYPE", VARIABLE_CONTENT_TYPE }, { "CONTENT_LENGTH", VARIABLE_CONTENT_LENGTH },
	{ "HTTP_COOKIE", VARIABLE_COOKIE }, { "HTTP_ORIGIN", VARIABLE_ORIGIN }, { "REMOTE_ADDR", VARIABLE_ADDRESS },
	{ "HTTP_SEC_FETCH_SITE", VARIABLE_FETCH_SITE }, { "HTTP_USER_AGENT", VARIABLE_USER_AGENT },
	{ "POSTERN_REQUIRE_AUDIENCE", VARIABLE_REQUIRE_AUDIENCE }, { "POSTERN_REQUIRE_SCOPE", VARIABLE_REQUIRE_SCOPE },
};

static char *entries[MAX_ENTRIES + 1];

/* Copies, as an environment has them; returns the body. */
static struct str
split(struct arena *arena, struct str input)
{
	size_t		count = 0;
	const char	*end;

	while (count < MAX_ENTRIES && input.n > 0 && (end = memchr(input.p, '\0', input.n)) != NULL) {
		size_t n = (size_t)(end - input.p);

		entries[count] = arena_alloc(arena, n + 1);
		memcpy(entries[count++], input.p, n);
		input = str_from(input, n + 1);
	}
	entries[count] = NULL;
	return input;
}

static bool
is_within_limits(void)
{
	size_t count = 0, total = 0;

	for (; entries[count] != NULL; count++) {
		size_t n = strlen(entries[count]);

		total += n;
		if (n > REQUEST_MAX_VARIABLE_BYTES)
			return false;
	}
	return count <= REQUEST_MAX_VARIABLES && total <= REQUEST_MAX_VARIABLES_BYTES;
}

/* The value of a variable, and how often it is there with one. */
static const char *
find(const char *name, unsigned *count)
{
	const char	*value = NULL;
	size_t		 n = strlen(name);

	*count = 0;
	for (size_t i = 0; entries[i] != NULL; i++) {
		if (strncmp(entries[i], name, n) != 0 || entries[i][n] != '=' || entries[i][n + 1] == '\0')
			continue;
		if ((*count)++ == 0)
			value = entries[i] + n + 1;
	}
	return value;
}

static void
check_variables(const struct request *request)
{
	unsigned count;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct str	here = request->variable[known[i].variable];
		const char	*there = find(known[i].name, &count);

		HOLDS(count <= 1 && str_equal(here, str_of(there)) && str_is_absent(here) == (there == NULL));
	}
}

/* A front server that hands out the body in small pieces. */
struct dribble {
	struct str	rest;
	size_t		piece;
};

static long
read_dribble(void *context, char *place, size_t n)
{
	struct dribble *dribble = context;

	dribble->piece = dribble->piece % 7 + 1;
	if (n > dribble->piece)
		n = dribble->piece;
	if (n > dribble->rest.n)
		n = dribble->rest.n;
	if (n > 0)
		memcpy(place, dribble->rest.p, n);
	dribble->rest = str_from(dribble->rest, n);
	return (long)n;
}

static void
check_body(struct arena *arena, struct request *request, struct str body)
{
	struct dribble			dribble = { body, 0 };
	const struct body_source	source = { read_dribble, &dribble };
	struct str			announced = request->variable[VARIABLE_CONTENT_LENGTH];
	enum error			error = request_read_body(arena, request, &source);
	long				length;

	if (str_is_absent(announced) || str_equal(announced, STR("-1"))) {
		HOLDS((error == ERROR_NONE) == (body.n <= REQUEST_MAX_BODY_BYTES));
		HOLDS(error != ERROR_NONE || str_equal(request->body, body));
		return;
	}
	if (!str_consists_of(announced, "0123456789"))
		HOLDS(error == ERROR_INVALID_REQUEST);
	if (error != ERROR_NONE)
		return;
	HOLDS(str_to_long(announced, &length) && length >= 0 && length <= REQUEST_MAX_BODY_BYTES);
	HOLDS((size_t)length <= body.n && str_equal(request->body, str_first(body, (size_t)length)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena = fuzz_arena(ARENA_BYTES);
	struct request	 request = { .fault.parameter = -1 };
	struct str	 body;
	enum error	 error;
	bool		 malformed;

	body = split(arena, (struct str){ (const char *)data, size });
	error = request_read_variables(arena, &request, entries);
	if (error == ERROR_NONE) {
		HOLDS(is_within_limits());
		check_variables(&request);
		check_body(arena, &request, body);
		request_has_form(&request);
		request_cookie(&request, STR("postern_session"));
		request_credentials(&request, STR("Bearer"), &malformed);
	} else {
		HOLDS(error == ERROR_INVALID_REQUEST || !is_within_limits());
	}
	arena_reset(arena);
	return 0;
}
