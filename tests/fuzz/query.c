/*
 * query.c -- fuzz target: a request target's path is a part of it, and its query travels
 *            through the browser and comes back the same
 */
#include "http/uri.h"
#include "oauth/travel.h"

#include "fuzz.h"

#define ARENA_BYTES	((size_t)4 * 1024 * 1024)

enum { CLIENT_ID, REDIRECT_URI, STATE, SCOPE, COUNT };

static const struct parameter table[COUNT] = {
	[CLIENT_ID] = { "client_id", 255, form_is_vschar, false },
	[REDIRECT_URI] = { "redirect_uri", URI_MAX_BYTES, NULL, false },
	[STATE] = { "state", 1024, form_is_vschar, false },
	[SCOPE] = { "scope", 2048, form_is_nqchar_list, false },
};

static void
check_path(struct str target)
{
	struct str path = uri_target_path(target);

	if (str_is_absent(path))
		return;
	HOLDS(path.p >= target.p && path.p + path.n <= target.p + target.n);
	HOLDS(str_starts_with(path, STR("/")) && str_index(path, '?') < 0);
	HOLDS(path.p + path.n == target.p + target.n || path.p[path.n] == '?');
	HOLDS(str_equal(uri_target_path(path), path));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena		*arena = fuzz_arena(ARENA_BYTES);
	struct str		 target = { (const char *)data, size }, query = target, part, travelling;
	struct str		 values[COUNT], again[COUNT];
	struct form_fault	 fault;

	check_path(target);
	str_cut(&query, '?', &part);
	form_parse(arena, query, table, COUNT, values, &fault);
	travelling = travel_query(arena, table, values, COUNT);
	if (!str_is_absent(travelling)) {
		HOLDS(travel_is_query(travelling));
		form_parse(arena, travelling, table, COUNT, again, &fault);
		HOLDS(fault.description == NULL);
		for (size_t i = 0; i < COUNT; i++)
			HOLDS(str_equal(values[i], again[i]));
		HOLDS(str_equal(travel_query(arena, table, again, COUNT), travelling));
	}
	/* What is no canonical query may not stand in a header. */
	if (travel_is_query(query)) {
		for (size_t i = 0; i < query.n; i++)
			HOLDS(query.p[i] > ' ' && query.p[i] < 0x7f && strchr("\"'<>\\#;,", query.p[i]) == NULL);
	}
	arena_reset(arena);
	return 0;
}
