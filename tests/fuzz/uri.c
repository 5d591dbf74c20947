/*
 * uri.c -- fuzz target: a URI that is taken is made of its parts and of nothing that
 *          could end a header, an attribute or a policy
 */
#include "http/uri.h"

#include "base/buf.h"
#include "fuzz.h"

#define ARENA_BYTES	((size_t)1024 * 1024)

static struct str
put_together(struct arena *arena, const struct uri *uri)
{
	struct buf text = buf_new(arena, 512 * 1024);

	if (!str_is_empty(uri->origin)) {
		HOLDS(str_starts_with(uri->origin, uri->scheme));
		buf_add(&text, uri->origin);
	} else {
		buf_add(&text, uri->scheme);
		buf_addc(&text, ':');
	}
	buf_add(&text, uri->path);
	if (!str_is_absent(uri->query)) {
		buf_addc(&text, '?');
		buf_add(&text, uri->query);
	}
	return buf_str(&text);
}

static void
check_source(struct arena *arena, const struct uri *uri)
{
	struct str source = uri_source(arena, uri);

	for (size_t i = 0; i < source.n; i++)
		HOLDS(source.p[i] > ' ' && source.p[i] < 0x7f && strchr(";,'\"*<>\\@?#", source.p[i]) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena = fuzz_arena(ARENA_BYTES);
	struct str	 input = { (const char *)data, size };
	struct uri	 uri, origin;

	if (uri_parse(input, &uri)) {
		for (size_t i = 0; i < size; i++)
			HOLDS(data[i] > ' ' && data[i] < 0x7f && strchr("\"<>\\^`{|}#", data[i]) == NULL);
		HOLDS(str_equal(put_together(arena, &uri), input));
		HOLDS(str_index(uri.host, '@') < 0 && str_index(uri.origin, '@') < 0);
		if (!str_is_empty(uri.origin))
			HOLDS(uri_parse(uri.origin, &origin) && str_equal(origin.host, uri.host) &&
			    str_equal(origin.origin, uri.origin) && str_is_empty(origin.path));
		check_source(arena, &uri);
		if (uri_host_is_loopback(uri.host))
			HOLDS(str_equal(uri.host, STR("[::1]")) || str_equal(uri.host, STR("127.0.0.1")) ||
			    str_ends_with(uri.host, STR("localhost")));
	}
	arena_reset(arena);
	return 0;
}
