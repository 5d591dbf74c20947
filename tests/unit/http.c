/*
 * http.c -- tests of requests, forms, replies and URIs: SEC-HTTP-05, 08, 09, 10,
 *           SEC-PARAM-01 to 04, 06
 */
#include "http/form.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/uri.h"

#include "tap.h"

#define COUNT(array)	(sizeof (array) / sizeof (array)[0])

static struct arena *arena;

/* --- forms -------------------------------------------------------------- */

enum { P_A, P_B, P_LIST, P_SCOPE, P_LINE, P__COUNT };

static const struct parameter table[P__COUNT] = {
	[P_A] = { "a", 8, NULL, false },
	[P_B] = { "b", 8, form_is_vschar, false },
	[P_LIST] = { "list", 8, NULL, true },
	[P_SCOPE] = { "scope", 8, form_is_nqchar_list, false },
	[P_LINE] = { "line", 8, form_is_line, false },
};

struct form_sample {
	const char	*name;
	struct str	 text;
	const char	*a;		/* NULL: absent */
	int		 faulty;	/* parameter; P__COUNT: no fault */
};

#define GOOD	P__COUNT

static const struct form_sample forms[] = {
	{ "plain", STR_INIT("a=x"), "x", GOOD },
	{ "empty form", STR_INIT(""), NULL, GOOD },
	{ "absent form", { NULL, 0 }, NULL, GOOD },
	{ "SEC-PARAM-02 empty value", STR_INIT("a="), NULL, GOOD },
	{ "SEC-PARAM-02 name alone", STR_INIT("a"), NULL, GOOD },
	{ "SEC-PARAM-03 unknown name", STR_INIT("c=1&a=x&d"), "x", GOOD },
	{ "SEC-PARAM-03 name in capitals", STR_INIT("A=1"), NULL, GOOD },
	{ "SEC-PARAM-03 name with a space", STR_INIT("a =1"), NULL, GOOD },
	{ "SEC-PARAM-03 empty name", STR_INIT("=1&a=x"), "x", GOOD },
	{ "empty pairs", STR_INIT("&&a=x&&"), "x", GOOD },
	{ "value with =", STR_INIT("a=x=y"), "x=y", GOOD },
	{ "plus and escapes", STR_INIT("a=%41+%2B%c3%A9"), "A +\xc3\xa9", GOOD },
	{ "escaped name", STR_INIT("%61=x"), "x", GOOD },
	{ "eight octets", STR_INIT("a=12345678"), "12345678", GOOD },
	{ "SEC-PARAM-06 nine octets", STR_INIT("a=123456789"), NULL, P_A },
	{ "SEC-PARAM-06 nine octets, escaped", STR_INIT("a=%31%32345678%39"), NULL, P_A },
	{ "SEC-PARAM-01 repeated", STR_INIT("a=x&a=x"), NULL, P_A },
	{ "SEC-PARAM-01 repeated, the second empty", STR_INIT("a=x&a="), NULL, P_A },
	{ "SEC-PARAM-01 repeated, the first empty", STR_INIT("a=&a=x"), NULL, P_A },
	{ "SEC-PARAM-01 repeated, escaped name", STR_INIT("a=x&%61=y"), NULL, P_A },
	{ "SEC-PARAM-01 three times", STR_INIT("a=x&a=y&a=z"), NULL, P_A },
	{ "SEC-PARAM-01 repeated, the second broken", STR_INIT("a=x&a=%zz"), NULL, P_A },
	{ "SEC-PARAM-01 repeated, the first broken", STR_INIT("a=%zz&a=x"), NULL, P_A },
	{ "SEC-PARAM-01 repeated, the second too long", STR_INIT("a=x&a=123456789"), NULL, P_A },
	{ "SEC-PARAM-01 repeated, the first too long", STR_INIT("a=123456789&a=x"), NULL, P_A },
	{ "SEC-PARAM-01 broken after another fault", STR_INIT("b=%zz&a=x&a=%zz"), NULL, P_B },
	{ "SEC-PARAM-01 repeated after another fault", STR_INIT("b=%zz&a=x&a=y"), NULL, P_B },
	{ "what is good stays readable", STR_INIT("b=%zz&a=x"), "x", P_B },
	{ "SEC-PARAM-04 percent at the end", STR_INIT("a=%"), NULL, P_A },
	{ "SEC-PARAM-04 one digit", STR_INIT("a=%4"), NULL, P_A },
	{ "SEC-PARAM-04 no digits", STR_INIT("a=%zz"), NULL, P_A },
	{ "SEC-PARAM-04 second digit wrong", STR_INIT("a=%4g"), NULL, P_A },
	{ "SEC-PARAM-04 signs for digits", STR_INIT("a=%+1"), NULL, P_A },
	{ "SEC-PARAM-04 NUL", STR_INIT("a=x%00y"), NULL, P_A },
	{ "SEC-PARAM-04 raw NUL", STR_INIT("a=x\0y"), NULL, P_A },
	{ "SEC-PARAM-04 overlong", STR_INIT("a=%c0%af"), NULL, P_A },
	{ "SEC-PARAM-04 overlong NUL", STR_INIT("a=%c0%80"), NULL, P_A },
	{ "SEC-PARAM-04 surrogate", STR_INIT("a=%ed%a0%80"), NULL, P_A },
	{ "SEC-PARAM-04 Latin-1", STR_INIT("a=%e9"), NULL, P_A },
	{ "SEC-PARAM-04 raw Latin-1", STR_INIT("a=\xe9"), NULL, P_A },
	{ "SEC-PARAM-04 cut UTF-8", STR_INIT("a=%e2%82"), NULL, P_A },
	{ "SEC-PARAM-04 beyond Unicode", STR_INIT("a=%f4%90%80%80"), NULL, P_A },
	{ "SEC-PARAM-04 in an unknown parameter", STR_INIT("a=x&c=%zz"), "x", -1 },
	{ "SEC-PARAM-04 in a name", STR_INIT("a=x&%zz=1"), "x", -1 },
	{ "SEC-PARAM-04 NUL in a name", STR_INIT("a=x&a%00=1"), "x", -1 },
	{ "control in VSCHAR", STR_INIT("b=%0a"), NULL, P_B },
	{ "DEL in VSCHAR", STR_INIT("b=%7f"), NULL, P_B },
	{ "not ASCII in VSCHAR", STR_INIT("b=%c3%a9"), NULL, P_B },
	{ "quote in scope", STR_INIT("scope=%22"), NULL, P_SCOPE },
	{ "backslash in scope", STR_INIT("scope=%5c"), NULL, P_SCOPE },
	{ "tab in scope", STR_INIT("scope=%09"), NULL, P_SCOPE },
	{ "newline in a line", STR_INIT("line=%0a"), NULL, P_LINE },
	{ "DEL in a line", STR_INIT("line=%7f"), NULL, P_LINE },
};

static void
test_forms(void)
{
	struct str		values[P__COUNT];
	struct form_fault	fault;

	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct form_sample *sample = &forms[i];
		bool faulty = sample->faulty != GOOD;

		form_parse(arena, sample->text, table, P__COUNT, values, &fault);
		ok((fault.description != NULL) == faulty && (!faulty || fault.parameter == sample->faulty),
		    "%s: %s", sample->name, fault.description == NULL ? "no fault" : fault.description);
		ok(sample->a == NULL ? str_is_absent(values[P_A]) : str_equal(values[P_A], str_of(sample->a)),
		    "%s: the value", sample->name);
	}
}

/* A form of count pairs with unknown names. */
static struct str
many_pairs(unsigned count)
{
	struct buf text = buf_new(arena, 4096);

	for (unsigned i = 0; i < count; i++)
		buf_addf(&text, "%sn%u=1", i == 0 ? "" : "&", i);
	return buf_str(&text);
}

static void
test_form_limits(void)
{
	struct str		values[P__COUNT];
	struct form_fault	fault;

	form_parse(arena, many_pairs(FORM_MAX_PAIRS), table, P__COUNT, values, &fault);
	ok(fault.description == NULL, "SEC-PARAM-06 as many pairs as may be");
	form_parse(arena, many_pairs(FORM_MAX_PAIRS + 1), table, P__COUNT, values, &fault);
	ok(fault.description != NULL && fault.parameter == -1, "SEC-PARAM-06 one pair more");
	form_parse(arena, STR("list=a&list=b"), table, P__COUNT, values, &fault);
	ok(fault.description == NULL && str_equal(values[P_LIST], STR("a b")), "a list is joined");
	form_parse(arena, STR("list=abcd&list=efghi"), table, P__COUNT, values, &fault);
	ok(fault.parameter == P_LIST && str_is_absent(values[P_LIST]), "SEC-PARAM-06 a list that becomes too long");
	form_parse(arena, STR("list=a&list=%zz"), table, P__COUNT, values, &fault);
	ok(fault.parameter == P_LIST && str_is_absent(values[P_LIST]), "SEC-PARAM-04 a list with a broken part");
	form_parse(arena, STR("list=%zz&list=a"), table, P__COUNT, values, &fault);
	ok(fault.parameter == P_LIST && str_is_absent(values[P_LIST]), "SEC-PARAM-04 a list whose first part is broken");
}

/* --- variables ---------------------------------------------------------- */

struct variable_sample {
	const char	*name;
	enum error	 error;
	const char	*environment[6];
};

static const struct variable_sample variables[] = {
	{ "plain", ERROR_NONE, { "REQUEST_METHOD=GET", "REQUEST_URI=/token" } },
	{ "none", ERROR_NONE, { NULL } },
	{ "SEC-HTTP-05 Authorization twice", ERROR_INVALID_REQUEST, { "HTTP_AUTHORIZATION=Basic a", "HTTP_AUTHORIZATION=Basic a" } },
	{ "SEC-HTTP-05 Content-Type twice", ERROR_INVALID_REQUEST, { "CONTENT_TYPE=a", "CONTENT_TYPE=b" } },
	{ "SEC-HTTP-05 Content-Type twice, as nginx shows it", ERROR_INVALID_REQUEST,
	    { "CONTENT_TYPE=a", "HTTP_CONTENT_TYPE=a", "HTTP_CONTENT_TYPE=b" } },
	{ "Content-Type once, as nginx shows it", ERROR_NONE, { "CONTENT_TYPE=a", "HTTP_CONTENT_TYPE=a" } },
	{ "SEC-HTTP-05 Content-Length twice", ERROR_INVALID_REQUEST, { "CONTENT_LENGTH=1", "CONTENT_LENGTH=2" } },
	{ "SEC-HTTP-05 Cookie twice", ERROR_INVALID_REQUEST, { "HTTP_COOKIE=a=1", "HTTP_COOKIE=b=1" } },
	{ "SEC-HTTP-05 method twice", ERROR_INVALID_REQUEST, { "REQUEST_METHOD=GET", "REQUEST_METHOD=POST" } },
	{ "SEC-HTTP-05 target twice", ERROR_INVALID_REQUEST, { "REQUEST_URI=/a", "REQUEST_URI=/b" } },
	{ "SEC-HTTP-05 query twice", ERROR_INVALID_REQUEST, { "QUERY_STRING=a", "QUERY_STRING=b" } },
	{ "SEC-HTTP-05 Origin twice", ERROR_INVALID_REQUEST, { "HTTP_ORIGIN=null", "HTTP_ORIGIN=null" } },
	{ "SEC-HTTP-05 address twice", ERROR_INVALID_REQUEST, { "REMOTE_ADDR=a", "REMOTE_ADDR=b" } },
	{ "SEC-HTTP-05 what guard demands twice", ERROR_INVALID_REQUEST, { "POSTERN_REQUIRE_SCOPE=a", "POSTERN_REQUIRE_SCOPE=b" } },
	{ "SEC-HTTP-05 resource of guard twice", ERROR_INVALID_REQUEST, { "POSTERN_REQUIRE_AUDIENCE=a", "POSTERN_REQUIRE_AUDIENCE=b" } },
	{ "SEC-HTTP-05 Apache's Authorization twice", ERROR_INVALID_REQUEST,
	    { "REDIRECT_HTTP_AUTHORIZATION=Basic a", "REDIRECT_HTTP_AUTHORIZATION=Basic b" } },
	{ "an empty one beside it", ERROR_NONE, { "HTTP_COOKIE=", "HTTP_COOKIE=a=1", "HTTP_COOKIE=" } },
	{ "unknown ones twice", ERROR_NONE, { "HTTP_X=1", "HTTP_X=2", "SERVER_NAME=a", "SERVER_NAME=b" } },
	{ "a name without a value", ERROR_NONE, { "REQUEST_METHOD", "=x", "" } },
	{ "a name that holds =", ERROR_NONE, { "HTTP_X=REQUEST_METHOD=POST" } },
};

static enum error
read_variables(const struct variable_sample *sample, struct request *request)
{
	char *environment[7] = { NULL };

	*request = (struct request){ .method = METHOD_OTHER };
	for (size_t i = 0; i < 6 && sample->environment[i] != NULL; i++)
		environment[i] = strdup(sample->environment[i]);
	enum error error = request_read_variables(arena, request, environment);

	for (size_t i = 0; environment[i] != NULL; i++)
		free(environment[i]);
	return error;
}

static void
test_variables(void)
{
	struct request request;

	for (size_t i = 0; i < COUNT(variables); i++)
		ok(read_variables(&variables[i], &request) == variables[i].error, "%s", variables[i].name);
	const struct variable_sample both = { "", ERROR_NONE,
	    { "REDIRECT_HTTP_AUTHORIZATION=Basic a", "HTTP_AUTHORIZATION=Basic b" } };

	ok(read_variables(&both, &request) == ERROR_NONE &&
	    str_equal(request.variable[VARIABLE_AUTHORIZATION], STR("Basic b")), "the header itself goes before Apache's");
}

static void
test_methods(void)
{
	static const struct { const char *text; enum method method; } samples[] = {
		{ "REQUEST_METHOD=GET", METHOD_GET }, { "REQUEST_METHOD=HEAD", METHOD_HEAD },
		{ "REQUEST_METHOD=POST", METHOD_POST }, { "REQUEST_METHOD=OPTIONS", METHOD_OPTIONS },
		{ "REQUEST_METHOD=get", METHOD_OTHER }, { "REQUEST_METHOD=GE", METHOD_OTHER },
		{ "REQUEST_METHOD=GETT", METHOD_OTHER }, { "REQUEST_METHOD=GET ", METHOD_OTHER },
		{ "REQUEST_METHOD= GET", METHOD_OTHER }, { "REQUEST_METHOD=PUT", METHOD_OTHER },
		{ "REQUEST_METHOD=", METHOD_OTHER }, { "request_method=GET", METHOD_OTHER },
	};
	struct request request;

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct variable_sample sample = { "", ERROR_NONE, { samples[i].text } };

		ok(read_variables(&sample, &request) == ERROR_NONE && request.method == samples[i].method,
		    "SEC-HTTP-07 %s", samples[i].text);
	}
}

static void
test_variable_limits(void)
{
	static char		 texts[REQUEST_MAX_VARIABLES + 1][16];
	static char		 large[REQUEST_MAX_VARIABLE_BYTES + 2];
	char			*environment[REQUEST_MAX_VARIABLES + 2] = { NULL };
	struct request		 request = { .method = METHOD_OTHER };

	for (size_t i = 0; i <= REQUEST_MAX_VARIABLES; i++) {
		snprintf(texts[i], sizeof texts[i], "HTTP_X%zu=1", i);
		environment[i] = texts[i];
	}
	ok(request_read_variables(arena, &request, environment) == ERROR_HEADERS_TOO_LARGE, "SEC-HTTP-02 one variable too many");
	environment[REQUEST_MAX_VARIABLES] = NULL;
	ok(request_read_variables(arena, &request, environment) == ERROR_NONE, "SEC-HTTP-02 as many as may be");
	memset(large, 'x', REQUEST_MAX_VARIABLE_BYTES + 1);
	for (size_t i = 0; i < 9; i++)
		environment[i] = large;
	environment[1] = NULL;
	ok(request_read_variables(arena, &request, environment) == ERROR_HEADERS_TOO_LARGE, "SEC-HTTP-02 one octet too long");
	large[REQUEST_MAX_VARIABLE_BYTES] = '\0';
	ok(request_read_variables(arena, &request, environment) == ERROR_NONE, "SEC-HTTP-02 as long as may be");
	environment[1] = large;
	environment[8] = large;
	environment[9] = NULL;
	for (size_t i = 2; i < 8; i++)
		environment[i] = large;
	ok(request_read_variables(arena, &request, environment) == ERROR_HEADERS_TOO_LARGE, "SEC-HTTP-02 too much together");
}

/* --- bodies ------------------------------------------------------------- */

struct stream {
	struct str	rest;
	size_t		at_once;	/* octets a read gives */
	bool		broken;		/* fails at the end */
};

static long
read_stream(void *context, char *place, size_t n)
{
	struct stream *stream = context;
	size_t got = stream->rest.n < n ? stream->rest.n : n;

	if (got > stream->at_once)
		got = stream->at_once;
	if (got == 0)
		return stream->broken ? -1 : 0;
	memcpy(place, stream->rest.p, got);
	stream->rest = str_from(stream->rest, got);
	return (long)got;
}

struct body_sample {
	const char	*length;	/* CONTENT_LENGTH; NULL: absent */
	size_t		 sent;
	enum error	 error;
	size_t		 read;
};

#define CAP	REQUEST_MAX_BODY_BYTES
static const struct body_sample bodies[] = {
	{ "5", 5, ERROR_NONE, 5 }, { "0", 0, ERROR_NONE, 0 }, { "65536", CAP, ERROR_NONE, CAP },
	{ "5", 4, ERROR_INVALID_REQUEST, 0 }, { "5", 0, ERROR_INVALID_REQUEST, 0 },
	{ "5", 9, ERROR_NONE, 5 },		/* the rest is nobody's: the connection is not kept */
	{ "65537", CAP + 1, ERROR_CONTENT_TOO_LARGE, 0 }, { "1000000000", 5, ERROR_CONTENT_TOO_LARGE, 0 },
	{ "99999999999999999999", 5, ERROR_INVALID_REQUEST, 0 }, { "18446744073709551621", 5, ERROR_INVALID_REQUEST, 0 },
	{ "-5", 5, ERROR_INVALID_REQUEST, 0 }, { "+5", 5, ERROR_INVALID_REQUEST, 0 }, { " 5", 5, ERROR_INVALID_REQUEST, 0 },
	{ "5 ", 5, ERROR_INVALID_REQUEST, 0 }, { "0x5", 5, ERROR_INVALID_REQUEST, 0 }, { "5,5", 5, ERROR_INVALID_REQUEST, 0 },
	{ "5.0", 5, ERROR_INVALID_REQUEST, 0 }, { "five", 5, ERROR_INVALID_REQUEST, 0 }, { "1e1", 5, ERROR_INVALID_REQUEST, 0 },
	{ NULL, 5, ERROR_NONE, 5 }, { "", 5, ERROR_NONE, 5 }, { "-1", 5, ERROR_NONE, 5 }, { NULL, 0, ERROR_NONE, 0 },
	{ NULL, CAP, ERROR_NONE, CAP }, { NULL, CAP + 1, ERROR_CONTENT_TOO_LARGE, 0 }, { "-1", CAP + 5, ERROR_CONTENT_TOO_LARGE, 0 },
};

static void
test_body(const struct body_sample *sample, size_t at_once)
{
	char			*text = arena_alloc(arena, sample->sent + 1);
	struct stream		 stream = { { text, sample->sent }, at_once, false };
	struct body_source	 source = { read_stream, &stream };
	struct request		 request = { .method = METHOD_POST };
	enum error		 error;

	memset(text, 'x', sample->sent);
	request.variable[VARIABLE_CONTENT_LENGTH] = str_of(sample->length);
	error = request_read_body(arena, &request, &source);
	ok(error == sample->error && (error != ERROR_NONE || request.body.n == sample->read),
	    "SEC-HTTP-08 \"%s\" announced, %zu octets in parts of %zu", sample->length == NULL ? "nothing" : sample->length,
	    sample->sent, at_once);
}

static void
test_bodies(void)
{
	struct stream		broken = { STR("ab"), 1, true };
	struct body_source	source = { read_stream, &broken };
	struct request		request = { .method = METHOD_POST };

	for (size_t i = 0; i < COUNT(bodies); i++) {
		test_body(&bodies[i], 1000000);
		test_body(&bodies[i], 3);
	}
	request.variable[VARIABLE_CONTENT_LENGTH] = STR("5");
	ok(request_read_body(arena, &request, &source) == ERROR_INVALID_REQUEST, "SEC-HTTP-08 a source that breaks");
}

/* --- headers that are read ---------------------------------------------- */

static void
test_media_types(void)
{
	static const struct { struct str text; bool good; } samples[] = {
		{ STR_INIT("application/x-www-form-urlencoded"), true },
		{ STR_INIT("Application/X-WWW-Form-urlencoded"), true },
		{ STR_INIT("application/x-www-form-urlencoded;charset=utf-8"), true },
		{ STR_INIT("application/x-www-form-urlencoded ; charset=UTF-8"), true },
		{ STR_INIT("application/x-www-form-urlencoded; charset=\"utf-8\""), true },
		{ { NULL, 0 }, false }, { STR_INIT(""), false }, { STR_INIT("application/json"), false },
		{ STR_INIT("application/x-www-form-urlencodedx"), false }, { STR_INIT("xapplication/x-www-form-urlencoded"), false },
		{ STR_INIT("application/x-www-form-urlencoded; charset=utf-16"), false },
		{ STR_INIT("application/x-www-form-urlencoded; charset=utf-8; a=b"), false },
		{ STR_INIT("application/x-www-form-urlencoded;"), false },
		{ STR_INIT("application/x-www-form-urlencoded, application/json"), false },
		{ STR_INIT("multipart/form-data; boundary=x"), false }, { STR_INIT("text/plain"), false },
		{ STR_INIT("application/x-www-form-urlencoded\0"), false },
	};
	struct request request = { .method = METHOD_POST };

	for (size_t i = 0; i < COUNT(samples); i++) {
		request.variable[VARIABLE_CONTENT_TYPE] = samples[i].text;
		ok(request_has_form(&request) == samples[i].good, "SEC-HTTP-10 \"%.*s\"", STR_ARG(samples[i].text));
	}
}

static void
test_cookies(void)
{
	static const struct { const char *name; struct str text; const char *value; } samples[] = {
		{ "alone", STR_INIT("s=1"), "1" }, { "among others", STR_INIT("a=b; s=1; c=d"), "1" },
		{ "no spaces", STR_INIT("a=b;s=1;c=d"), "1" }, { "tabs", STR_INIT("a=b;\ts=1\t;c=d"), "1" },
		{ "value with =", STR_INIT("s=1=="), "1==" }, { "quoted stays quoted", STR_INIT("s=\"1\""), "\"1\"" },
		{ "none", STR_INIT("a=b"), NULL }, { "absent", { NULL, 0 }, NULL }, { "empty", STR_INIT(""), NULL },
		{ "SEC-HTTP-05 twice", STR_INIT("s=1; s=1"), NULL }, { "SEC-HTTP-05 twice, one empty", STR_INIT("s=; s=1"), NULL },
		{ "SEC-HTTP-05 joined by a comma", STR_INIT("s=1, s=2"), "1, s=2" },
		{ "prefix of a name", STR_INIT("ss=1; xs=2"), NULL }, { "capitals", STR_INIT("S=1"), NULL },
		{ "in a value", STR_INIT("a=s=1"), NULL }, { "only separators", STR_INIT(";;; ;"), NULL },
		{ "CVE-2024-24814 many", STR_INIT("a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;a;s=1"), "1" },
	};
	struct request request = { .method = METHOD_GET };

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct str value;

		request.variable[VARIABLE_COOKIE] = samples[i].text;
		value = request_cookie(&request, STR("s"));
		ok(samples[i].value == NULL ? str_is_absent(value) : str_equal(value, str_of(samples[i].value)),
		    "cookie: %s", samples[i].name);
	}
}

static void
test_credentials(void)
{
	static const struct { struct str text; const char *value; bool malformed; } samples[] = {
		{ STR_INIT("Bearer t"), "t", false }, { STR_INIT("bearer t"), "t", false }, { STR_INIT("BEARER   t "), "t", false },
		{ STR_INIT("Bearer"), NULL, false }, { STR_INIT("Bearer "), "", false }, { STR_INIT("Bearert"), NULL, false },
		{ STR_INIT("Bearer\tt"), NULL, false }, { STR_INIT("Basic t"), NULL, false }, { STR_INIT(" Bearer t"), NULL, false },
		{ STR_INIT("Bearer t, Bearer u"), NULL, true }, { STR_INIT("Basic a, Bearer t"), NULL, true },
		{ STR_INIT(""), NULL, false }, { { NULL, 0 }, NULL, false },
	};
	struct request request = { .method = METHOD_GET };

	for (size_t i = 0; i < COUNT(samples); i++) {
		bool		malformed;
		struct str	value;

		request.variable[VARIABLE_AUTHORIZATION] = samples[i].text;
		value = request_credentials(&request, STR("Bearer"), &malformed);
		ok(malformed == samples[i].malformed && (samples[i].value == NULL ? str_is_absent(value) :
		    str_equal(value, str_of(samples[i].value))), "SEC-HTTP-05 Authorization: %.*s", STR_ARG(samples[i].text));
	}
}

static void
test_text(void)
{
	struct request request = { .method = METHOD_GET };

	request.variable[VARIABLE_USER_AGENT] = STR("Br\xc3\xb6wser/1.0");
	ok(!str_is_absent(request_text(&request, VARIABLE_USER_AGENT)), "a name in UTF-8 is text");
	request.variable[VARIABLE_USER_AGENT] = STR("Br\xf6wser/1.0");
	ok(str_is_absent(request_text(&request, VARIABLE_USER_AGENT)), "SEC-PARAM-04 a name in Latin-1 is not");
	request.variable[VARIABLE_USER_AGENT] = STR_ABSENT;
	ok(str_is_absent(request_text(&request, VARIABLE_USER_AGENT)), "absent is absent");
}

/* --- replies ------------------------------------------------------------ */

/* SEC-HTTP-09: refused, not stripped. */
static void
test_header_octets(void)
{
	unsigned refused = 0, wrong = 0;

	for (int octet = 0; octet < 256; octet++) {
		char		text[3] = { 'a', (char)octet, 'b' };
		struct reply	reply = reply_new(arena);
		bool		control = octet < 0x20 || octet == 0x7f, absent;

		reply_with(&reply, 200, "text/plain", STR("body"));
		reply_header(&reply, "X", (struct str){ text, sizeof text });
		absent = str_is_absent(reply_text(&reply, false));
		refused += absent;
		wrong += absent != control;
	}
	ok(wrong == 0 && refused == 33, "SEC-HTTP-09 every control octet in a header, and no other, breaks the reply");
}

static void
test_replies(void)
{
	struct reply	reply = reply_new(arena);
	struct str	text;

	ok(str_is_absent(reply_text(&reply, false)), "SEC-HTTP-12 a reply without a status is none");
	reply_redirect(&reply, STR("https://app.example/cb?state=a\r\nSet-Cookie: x=y"));
	ok(str_is_absent(reply_text(&reply, false)), "SEC-HTTP-09 CR LF in a Location");
	reply_clear(&reply);
	reply_redirect(&reply, STR_ABSENT);
	ok(str_is_absent(reply_text(&reply, false)), "no redirect to nowhere");
	reply_clear(&reply);
	reply_redirect(&reply, STR("https://app.example/cb"));
	text = reply_text(&reply, false);
	ok(str_equal(text, STR("Status: 303\r\nLocation: https://app.example/cb\r\nContent-Length: 0\r\n\r\n")), "SEC-HTTP-13 a redirect is 303");
	reply_clear(&reply);
	reply_with(&reply, 200, "text/plain", STR("body"));
	ok(str_ends_with(reply_text(&reply, false), STR("Content-Length: 4\r\n\r\nbody")) &&
	    str_ends_with(reply_text(&reply, true), STR("Content-Length: 4\r\n\r\n")), "HEAD has the length and no body");
	reply_clear(&reply);
	for (unsigned i = 0; i < 2000; i++)
		reply_header(&reply, "X-Filler", STR("0123456789"));
	reply_with(&reply, 200, NULL, STR(""));
	ok(str_is_absent(reply_text(&reply, false)), "SEC-HTTP-12 headers that became too long are no reply");
}

/* --- URIs --------------------------------------------------------------- */

static void
test_uris(void)
{
	static const struct { const char *text; const char *host; } samples[] = {	/* host NULL: refused */
		{ "https://app.example/cb", "app.example" }, { "https://app.example", "app.example" }, { "https://app.example?x", "app.example" },
		{ "https://app.example:8443/cb?x=y&z", "app.example" }, { "http://[::1]:80/cb", "[::1]" }, { "com.example.app:/cb", "" },
		{ "https://user@app.example/cb", NULL }, { "https://app.example:80@evil.example/", NULL }, { "https://app.example\\@evil.example/", NULL },
		{ "https://app.example/cb#f", NULL }, { "https://app.example/c b", NULL }, { "https://app.example/\r\n", NULL }, { "https://app.example/\"", NULL },
		{ "https://app.example:0/", NULL }, { "https://app.example:65536/", NULL }, { "https://app.example:/", NULL }, { "https://app.example:8x/", NULL },
		{ "https://app.example:99999999999/", NULL }, { "https://:80/", NULL }, { "https:///cb", NULL }, { "https://[::1/", NULL }, { "https://[x]/", NULL },
		{ "https://[::1]x/", NULL }, { "//app.example/", NULL }, { "/cb", NULL }, { "", NULL }, { ":", NULL }, { "1http://x/", NULL }, { "ht tp://x/", NULL },
		{ "https://app\xc3\xa9.example/", NULL }, { "https://*.example/", NULL },
	};

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct uri	uri;
		bool		parsed = uri_parse(str_of(samples[i].text), &uri);

		ok(parsed == (samples[i].host != NULL) && (!parsed || str_equal(uri.host, str_of(samples[i].host))),
		    "CVE-2026-28512 URI \"%.*s\"", (int)strcspn(samples[i].text, "\r\n"), samples[i].text);
	}
}

static void
test_target_paths(void)
{
	static const struct { const char *target; const char *path; } samples[] = {
		{ "/token", "/token" }, { "/token?x=/y", "/token" }, { "/token/", "/token/" }, { "/a/../token", "/a/../token" }, { "/%74oken", "/%74oken" },
		{ "/token;x", "/token;x" }, { "/", "/" }, { "//token", "//token" }, { "http://evil.example/token?x", "/token" },
		{ "https://evil.example/token", "/token" }, { "http://evil.example", NULL }, { "http://evil.example?/token", NULL }, { "", NULL }, { "*", NULL },
		{ "token", NULL }, { "?/token", NULL }, { "ftp://x/token", NULL }, { "HTTP://x/token", NULL }, { "http:/token", NULL }, { "\\token", NULL },
	};

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct str path = uri_target_path(str_of(samples[i].target));

		ok(samples[i].path == NULL ? str_is_absent(path) : str_equal(path, str_of(samples[i].path)),
		    "SEC-HTTP-06 path of \"%s\"", samples[i].target);
	}
	ok(str_is_absent(uri_target_path(STR_ABSENT)), "SEC-HTTP-06 path of nothing");
}

int
main(void)
{
	arena = arena_new(64 * 1024 * 1024);
	test_forms();
	test_form_limits();
	test_variables();
	test_methods();
	test_variable_limits();
	test_bodies();
	test_media_types();
	test_cookies();
	test_credentials();
	test_text();
	test_header_octets();
	test_replies();
	test_uris();
	test_target_paths();
	arena_free(&arena);
	return tap_done();
}
