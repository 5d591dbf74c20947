/*
 * json.c -- fuzz target: what the gate passes, json-c must read and write back alike
 */
#include "base/json.h"

#include <json.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena		*arena = fuzz_arena(256 * 1024);
	struct str		 text = { (const char *)data, size };
	struct json_object	*value;
	struct str		 again;

	value = json_parse(arena, text);
	if (value == NULL && json_is_strict(text)) {
		/* The gate passes what json-c refuses only if it is no object or array. */
		while (text.n > 0 && strchr(" \t\r\n", text.p[0]) != NULL)
			text = str_from(text, 1);
		if (text.p[0] == '{' || text.p[0] == '[')
			abort();
	}
	if (value != NULL) {
		again = str_of(json_object_to_json_string_ext(value,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		/* Control characters may take more room than they did. */
		if (again.n <= JSON_MAX_BYTES && !json_object_equal(value, json_parse(arena, again)))
			abort();
	}
	arena_reset(arena);
	return 0;
}
