/*
 * request.c -- one HTTP request as CGI and FastCGI describe it; see request.h
 */
#include "http/request.h"

static const struct {
	struct str	name;
	enum variable	variable;
} names[] = {
	{ STR_INIT("REQUEST_METHOD"), VARIABLE_METHOD },
	{ STR_INIT("REQUEST_URI"), VARIABLE_TARGET },
	{ STR_INIT("QUERY_STRING"), VARIABLE_QUERY },
	{ STR_INIT("CONTENT_TYPE"), VARIABLE_CONTENT_TYPE },
	{ STR_INIT("CONTENT_LENGTH"), VARIABLE_CONTENT_LENGTH },
	{ STR_INIT("HTTP_CONTENT_TYPE"), VARIABLE_CONTENT_TYPE_HEADER },
	{ STR_INIT("HTTP_AUTHORIZATION"), VARIABLE_AUTHORIZATION },
	{ STR_INIT("HTTP_COOKIE"), VARIABLE_COOKIE },
	{ STR_INIT("HTTP_ORIGIN"), VARIABLE_ORIGIN },
	{ STR_INIT("HTTP_SEC_FETCH_SITE"), VARIABLE_FETCH_SITE },
	{ STR_INIT("HTTP_USER_AGENT"), VARIABLE_USER_AGENT },
	{ STR_INIT("HTTP_ACCESS_CONTROL_REQUEST_METHOD"), VARIABLE_PREFLIGHT_METHOD },
	{ STR_INIT("REMOTE_ADDR"), VARIABLE_ADDRESS },
	{ STR_INIT("POSTERN_REQUIRE_AUDIENCE"), VARIABLE_REQUIRE_AUDIENCE },
	{ STR_INIT("POSTERN_REQUIRE_SCOPE"), VARIABLE_REQUIRE_SCOPE },
};

static const struct {
	struct str	name;
	enum method	method;
} methods[] = {
	{ STR_INIT("GET"), METHOD_GET },
	{ STR_INIT("HEAD"), METHOD_HEAD },
	{ STR_INIT("POST"), METHOD_POST },
	{ STR_INIT("OPTIONS"), METHOD_OPTIONS },
};

#define COUNT(table)	(sizeof(table) / sizeof *(table))

static int
find_variable(struct str name)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		if (str_equal(name, names[i].name))
			return (int)names[i].variable;
	}
	return -1;
}

static enum method
find_method(struct str name)
{
	for (size_t i = 0; i < COUNT(methods); i++) {
		if (str_equal(name, methods[i].name))
			return methods[i].method;
	}
	return METHOD_OTHER;
}

enum error
request_read_variables(struct arena *arena, struct request *request, char *const *environment)
{
	struct str	redirected = STR_ABSENT, name, value;
	size_t		count = 0, total = 0;

	for (; environment != NULL && *environment != NULL; environment++) {
		int which;

		value = str_of(*environment);
		total += value.n;
		if (++count > REQUEST_MAX_VARIABLES || value.n > REQUEST_MAX_VARIABLE_BYTES ||
		    total > REQUEST_MAX_VARIABLES_BYTES)
			return ERROR_HEADERS_TOO_LARGE;
		str_cut(&value, '=', &name);
		if (str_equal(name, STR("REDIRECT_HTTP_AUTHORIZATION")) && !str_is_empty(value)) {
			if (!str_is_absent(redirected))
				return ERROR_INVALID_REQUEST;
			redirected = str_dup(arena, value);
		}
		which = find_variable(name);
		if (which < 0 || str_is_empty(value))
			continue;
		if (!str_is_absent(request->variable[which]))
			return ERROR_INVALID_REQUEST;
		request->variable[which] = str_dup(arena, value);
	}
	if (str_is_absent(request->variable[VARIABLE_AUTHORIZATION]))
		request->variable[VARIABLE_AUTHORIZATION] = redirected;
	request->method = find_method(request->variable[VARIABLE_METHOD]);
	return ERROR_NONE;
}

/* Read until n octets are there or the source ends; -1 on failure. */
static long
read_all(const struct body_source *source, char *place, size_t n)
{
	size_t got = 0;

	while (got < n) {
		long more = source->read(source->context, place + got, n - got);

		if (more < 0)
			return -1;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (long)got;
}

enum error
request_read_body(struct arena *arena, struct request *request, const struct body_source *source)
{
	struct str	announced = request->variable[VARIABLE_CONTENT_LENGTH];
	bool		open_ended = str_is_empty(announced) || str_equal(announced, STR("-1"));
	long		length = REQUEST_MAX_BODY_BYTES + 1, got;
	char		*place;

	if (!open_ended && !str_to_long(announced, &length))
		return ERROR_INVALID_REQUEST;
	if (!open_ended && length > REQUEST_MAX_BODY_BYTES)
		return ERROR_CONTENT_TOO_LARGE;
	place = arena_alloc(arena, (size_t)length + 1);
	got = read_all(source, place, (size_t)length);
	if (got < 0)
		return ERROR_INVALID_REQUEST;
	if (open_ended && got > REQUEST_MAX_BODY_BYTES)
		return ERROR_CONTENT_TOO_LARGE;
	if (!open_ended && got != length)
		return ERROR_INVALID_REQUEST;
	request->body = (struct str){ place, (size_t)got };
	return ERROR_NONE;
}

static struct str
trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_from(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

struct str
request_text(const struct request *request, enum variable which)
{
	struct str value = request->variable[which];

	return str_is_utf8(value) ? value : STR_ABSENT;
}

bool
request_is_empty(const struct request *request)
{
	struct str length = request->variable[VARIABLE_CONTENT_LENGTH];

	return str_is_absent(request->variable[VARIABLE_CONTENT_TYPE]) &&
	    (str_is_empty(length) || str_equal(length, STR("0")));
}

bool
request_has_form(const struct request *request)
{
	struct str rest = request->variable[VARIABLE_CONTENT_TYPE], part;

	if (!str_cut(&rest, ';', &part) ||
	    !str_equal_ignoring_case(trim(part), STR("application/x-www-form-urlencoded")))
		return false;
	if (str_is_absent(rest))
		return true;
	rest = trim(rest);
	return str_equal_ignoring_case(rest, STR("charset=utf-8")) ||
	    str_equal_ignoring_case(rest, STR("charset=\"utf-8\""));
}

struct str
request_cookie(const struct request *request, struct str name)
{
	struct str rest = request->variable[VARIABLE_COOKIE], pair, key, value = STR_ABSENT;

	while (str_cut(&rest, ';', &pair)) {
		pair = trim(pair);
		str_cut(&pair, '=', &key);
		/* Without '=' it is a value without a name (RFC 6265bis section 5.6). */
		if (str_is_absent(pair) || !str_equal(key, name))
			continue;
		if (!str_is_absent(value))
			return STR_ABSENT;
		value = pair;
	}
	return value;
}

struct str
request_credentials(const struct request *request, struct str scheme, bool *malformed)
{
	struct str header = request->variable[VARIABLE_AUTHORIZATION];

	*malformed = str_index(header, ',') >= 0;
	if (*malformed || header.n <= scheme.n || header.p[scheme.n] != ' ' ||
	    !str_equal_ignoring_case(str_first(header, scheme.n), scheme))
		return STR_ABSENT;
	return trim(str_from(header, scheme.n + 1));
}
