/*
 * cookie.c -- fuzz target: a cookie's value is that of the one pair with its name, as a
 *             second, naive reader sees it, or there is none
 */
#include "http/request.h"

#include "fuzz.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The value of the pair from .. to that has the name; absent if it has another one. */
static struct str
value_of(const char *from, const char *to, struct str name)
{
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	if ((size_t)(to - from) <= name.n || memcmp(from, name.p, name.n) != 0 || from[name.n] != '=')
		return STR_ABSENT;
	return (struct str){ from + name.n + 1, (size_t)(to - from) - name.n - 1 };
}

static struct str
naive(struct str header, struct str name)
{
	const char	*p = header.p, *end = p + header.n, *semicolon;
	struct str	 found = STR_ABSENT, value;
	unsigned	 count = 0;

	for (; p <= end; p = semicolon + 1) {
		semicolon = memchr(p, ';', (size_t)(end - p));
		if (semicolon == NULL)
			semicolon = end;
		value = value_of(p, semicolon, name);
		if (str_is_absent(value))
			continue;
		found = value;
		count++;
	}
	return count == 1 ? found : STR_ABSENT;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str	names[] = { STR_INIT("a"), STR_INIT("postern_session"), STR_INIT("__Host-postern_session") };
	struct request		request = { .variable[VARIABLE_COOKIE] = { (const char *)data, size } };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct str value = request_cookie(&request, names[i]), other;

		other = size == 0 ? STR_ABSENT : naive(request.variable[VARIABLE_COOKIE], names[i]);
		HOLDS(str_equal(value, other) && str_is_absent(value) == str_is_absent(other));
	}
	return 0;
}
