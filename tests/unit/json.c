/*
 * json.c -- tests of the JSON gate: RFC 8259, RFC 7493, security requirements 4.2
 */
#include "base/json.h"
#include "base/buf.h"

#include "tap.h"

#include <json.h>

#define TEXT(literal)	STR_INIT(literal)
#define COUNT(array)	(sizeof (array) / sizeof (array)[0])

struct sample {
	const char	*name;
	struct str	 text;
};

static const struct sample good[] = {
	{ "empty object", TEXT("{}") },
	{ "empty array", TEXT("[]") },
	{ "white space everywhere", TEXT(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n") },
	{ "every kind of value", TEXT("{\"a\":true,\"b\":false,\"c\":null,\"d\":-12,\"e\":\"x\"}") },
	{ "every escape", TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\"]") },
	{ "surrogate pair", TEXT("[\"\\ud83d\\ude00\"]") },
	{ "UTF-8 of two, three and four octets", TEXT("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]") },
	{ "fifteen digits", TEXT("[999999999999999,-999999999999999]") },
	{ "zero", TEXT("[0]") },
	{ "same name in different objects", TEXT("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}") },
	{ "name of an object that has ended", TEXT("{\"b\":{\"a\":1},\"a\":2}") },
	{ "names that differ in their high bits", TEXT("{\"a\":1,\"\\u0161\":2}") },
	{ "names that differ in case", TEXT("{\"a\":1,\"A\":2}") },
	{ "empty name", TEXT("{\"\":1}") },
	{ "depth 8", TEXT("[[[[[[[[1]]]]]]]]") },
	{ "depth 8 of objects", TEXT("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}") },
	{ "DEL", TEXT("[\"\x7f\"]") },
};

/* Values that are JSON and that the gate passes, but no object or array. */
static const struct sample scalars[] = {
	{ "string", TEXT("\"a\"") },
	{ "number", TEXT("42") },
	{ "true", TEXT("true") },
	{ "null", TEXT("null") },
};

static const struct sample bad[] = {
	{ "4.2: duplicate member", TEXT("{\"a\":1,\"a\":2}") },
	{ "4.2: duplicate member after unescaping", TEXT("{\"a\":1,\"\\u0061\":2}") },
	{ "4.2: duplicate member in a nested object", TEXT("{\"x\":[{\"a\":1,\"b\":2,\"a\":3}]}") },
	{ "duplicate after a nested object", TEXT("{\"a\":{\"b\":1},\"a\":2}") },
	{ "duplicate of a non-ASCII name", TEXT("{\"\xc3\xa9\":1,\"\\u00e9\":2}") },
	{ "duplicate outside the basic plane", TEXT("{\"\xf0\x9f\x98\x80\":1,\"\\uD83D\\uDE00\":2}") },
	{ "duplicate empty name", TEXT("{\"\":1,\"\":2}") },
	{ "duplicate by escaped solidus", TEXT("{\"a/b\":1,\"a\\/b\":2}") },
	{ "4.2: \\u0000 in a name", TEXT("{\"a\\u0000b\":1}") },
	{ "4.2: \\u0000 in a string", TEXT("{\"a\":\"x\\u0000y\"}") },
	{ "NUL in a string", TEXT("[\"x\0y\"]") },
	{ "NUL after the text", TEXT("{\"a\":1}\0x") },
	{ "NUL as white space", TEXT("[\0]") },
	{ "4.2: single quotes", TEXT("{'a':1}") },
	{ "4.2: NaN", TEXT("[NaN]") },
	{ "4.2: Infinity", TEXT("[Infinity]") },
	{ "4.2: -Infinity", TEXT("[-Infinity]") },
	{ "4.2: 1e999", TEXT("[1e999]") },
	{ "exponent", TEXT("[1e3]") },
	{ "exponent, capital", TEXT("[1E3]") },
	{ "fraction", TEXT("[1.5]") },
	{ "fraction of zero", TEXT("[1.0]") },
	{ "point without digits", TEXT("[1.]") },
	{ "leading point", TEXT("[.5]") },
	{ "minus zero", TEXT("[-0]") },
	{ "minus alone", TEXT("[-]") },
	{ "plus", TEXT("[+1]") },
	{ "two minuses", TEXT("[--1]") },
	{ "hexadecimal", TEXT("[0x10]") },
	{ "sixteen digits", TEXT("[1000000000000000]") },
	{ "4.2: 2^53", TEXT("[9007199254740992]") },
	{ "4.2: 2^63", TEXT("[9223372036854775808]") },
	{ "4.2: 2^64", TEXT("[18446744073709551616]") },
	{ "thirty digits", TEXT("[123456789012345678901234567890]") },
	{ "leading zero", TEXT("[01]") },
	{ "leading zero after minus", TEXT("[-01]") },
	{ "4.2: overlong UTF-8", TEXT("[\"\xc0\xaf\"]") },
	{ "overlong UTF-8 of three octets", TEXT("[\"\xe0\x80\xaf\"]") },
	{ "UTF-8 surrogate", TEXT("[\"\xed\xa0\x80\"]") },
	{ "UTF-8 beyond U+10FFFF", TEXT("[\"\xf4\x90\x80\x80\"]") },
	{ "UTF-8 cut short", TEXT("[\"\xe2\x82\"]") },
	{ "lone continuation octet", TEXT("[\"\x80\"]") },
	{ "Latin-1", TEXT("[\"\xe9\"]") },
	{ "4.2: raw TAB in a string", TEXT("[\"a\tb\"]") },
	{ "raw newline in a string", TEXT("[\"a\nb\"]") },
	{ "raw newline in a name", TEXT("{\"a\nb\":1}") },
	{ "4.2: lone high surrogate", TEXT("[\"\\ud800\"]") },
	{ "a pair that json-c does not read", TEXT("[\"\\ud836\\ude09\"]") },
	{ "two names that json-c would read alike", TEXT("{\"\\ud836\\ude09\":1,\"\\ud836\\ude0a\":2}") },
	{ "the last pair that json-c does not read", TEXT("[\"\\udbf7\\udfff\"]") },
	{ "lone low surrogate", TEXT("[\"\\udc00\"]") },
	{ "high surrogate and a letter", TEXT("[\"\\ud800a\"]") },
	{ "high surrogate and another escape", TEXT("[\"\\ud800\\n\"]") },
	{ "high surrogate and a letter beyond", TEXT("[\"\\ud83d\\ue000\"]") },
	{ "low surrogate twice", TEXT("[\"\\udc00\\udc00\"]") },
	{ "high surrogate twice", TEXT("[\"\\ud800\\ud800\"]") },
	{ "surrogates in the wrong order", TEXT("[\"\\ude00\\ud83d\"]") },
	{ "noncharacter U+FFFF", TEXT("[\"\\uffff\"]") },
	{ "noncharacter U+FFFE as UTF-8", TEXT("[\"\xef\xbf\xbe\"]") },
	{ "noncharacter U+FDD0", TEXT("[\"\\ufdd0\"]") },
	{ "noncharacter U+1FFFE", TEXT("[\"\\ud83f\\udffe\"]") },
	{ "unknown escape", TEXT("[\"\\x41\"]") },
	{ "escaped quote", TEXT("[\"\\'\"]") },
	{ "\\u with three digits", TEXT("[\"\\u004\"]") },
	{ "\\u with a sign", TEXT("[\"\\u+041\"]") },
	{ "\\U", TEXT("[\"\\U0041\"]") },
	{ "backslash at the end", TEXT("\"\\") },
	{ "\\u at the end", TEXT("\"\\u00") },
	{ "string without end", TEXT("[\"a") },
	{ "4.2: trailing garbage", TEXT("{} x") },
	{ "two values", TEXT("{}{}") },
	{ "4.2: comment", TEXT("{/* c */}") },
	{ "comment to the end of line", TEXT("{} // c") },
	{ "4.2: trailing comma in an array", TEXT("[1,]") },
	{ "trailing comma in an object", TEXT("{\"a\":1,}") },
	{ "leading comma", TEXT("[,1]") },
	{ "two commas", TEXT("[1,,2]") },
	{ "comma missing", TEXT("[1 2]") },
	{ "comma missing in an object", TEXT("{\"a\":1 \"b\":2}") },
	{ "colon missing", TEXT("{\"a\" 1}") },
	{ "two colons", TEXT("{\"a\"::1}") },
	{ "value missing", TEXT("{\"a\":}") },
	{ "name missing", TEXT("{:1}") },
	{ "name that is a number", TEXT("{1:1}") },
	{ "name without quotes", TEXT("{a:1}") },
	{ "4.2: TRUE", TEXT("[TRUE]") },
	{ "True", TEXT("[True]") },
	{ "tru", TEXT("[tru]") },
	{ "truex", TEXT("[truex]") },
	{ "NULL", TEXT("[NULL]") },
	{ "nul at the end", TEXT("nul") },
	{ "undefined", TEXT("[undefined]") },
	{ "array without end", TEXT("[1") },
	{ "object without end", TEXT("{\"a\":1") },
	{ "object without a value at the end", TEXT("{\"a\":") },
	{ "closed by the wrong bracket", TEXT("[1}") },
	{ "object closed by the wrong bracket", TEXT("{\"a\":1]") },
	{ "closed twice", TEXT("[1]]") },
	{ "depth 9", TEXT("[[[[[[[[[1]]]]]]]]]") },
	{ "depth 9 without a value", TEXT("[[[[[[[[[]]]]]]]]]") },
	{ "depth 9 of objects", TEXT("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}") },
	{ "byte order mark", TEXT("\xef\xbb\xbf{}") },
	{ "UTF-16", TEXT("\xff\xfe{\0}\0") },
	{ "empty text", TEXT("") },
	{ "white space only", TEXT(" ") },
	{ "form feed as white space", TEXT("{\f}") },
	{ "no-break space as white space", TEXT("{\xc2\xa0}") },
	{ "record separator", TEXT("\x1e{}") },
};

static void
test_samples(struct arena *arena)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		ok(json_is_strict(good[i].text), "passes: %s", good[i].name);
		ok(json_parse(arena, good[i].text) != NULL, "is parsed: %s", good[i].name);
	}
	for (size_t i = 0; i < COUNT(scalars); i++) {
		ok(json_is_strict(scalars[i].text), "passes: bare %s", scalars[i].name);
		ok(json_parse(arena, scalars[i].text) == NULL, "not parsed: bare %s",
		    scalars[i].name);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		ok(!json_is_strict(bad[i].text), "refused: %s", bad[i].name);
		ok(json_parse(arena, bad[i].text) == NULL, "not parsed: %s", bad[i].name);
	}
	ok(!json_is_strict(STR_ABSENT), "refused: absent");
}

/* Every beginning of a good text, in memory that ends where it ends. */
static void
test_truncated(void)
{
	struct str	text = STR("{\"a\":[true,-12,\"\\ud83d\\ude00\xe2\x82\xac\"],\"b\":null}");
	unsigned	passed = 0;

	for (size_t n = 0; n < text.n; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy + 1, text.p, n);
		passed += json_is_strict((struct str){ copy + 1, n });
		free(copy);
	}
	ok(passed == 0, "refused: a good text cut anywhere");
}

/* An object with count members. */
static struct str
many_members(struct arena *arena, unsigned count)
{
	struct buf buf = buf_new(arena, JSON_MAX_BYTES);

	buf_addc(&buf, '{');
	for (unsigned i = 0; i < count; i++)
		buf_addf(&buf, "%s\"m%u\":%u", i == 0 ? "" : ",", i, i);
	buf_addc(&buf, '}');
	return buf_str(&buf);
}

/* An array with count objects of one member. */
static struct str
many_objects(struct arena *arena, unsigned count)
{
	struct buf buf = buf_new(arena, JSON_MAX_BYTES);

	buf_addc(&buf, '[');
	for (unsigned i = 0; i < count; i++)
		buf_addf(&buf, "%s{\"a\":1}", i == 0 ? "" : ",");
	buf_addc(&buf, ']');
	return buf_str(&buf);
}

static struct str
long_text(struct arena *arena, size_t n)
{
	char *text = arena_alloc(arena, n);

	memset(text, ' ', n);
	text[0] = '[';
	text[n - 1] = ']';
	return (struct str){ text, n };
}

static void
test_maxima(struct arena *arena)
{
	ok(json_is_strict(many_members(arena, JSON_MAX_MEMBERS)), "as many members as may be");
	ok(!json_is_strict(many_members(arena, JSON_MAX_MEMBERS + 1)), "refused: one more");
	ok(json_is_strict(many_objects(arena, JSON_MAX_MEMBERS)), "in several objects");
	ok(!json_is_strict(many_objects(arena, JSON_MAX_MEMBERS + 1)),
	    "refused: one more in several objects");
	ok(json_is_strict(long_text(arena, JSON_MAX_BYTES)), "as many octets as may be");
	ok(!json_is_strict(long_text(arena, JSON_MAX_BYTES + 1)), "refused: one more octet");
}

static void
test_strings(struct arena *arena)
{
	struct json_object *object = json_parse(arena, STR("{\"s\":\"x\\u00e9\",\"empty\":\"\","
	    "\"exp\":\"9999999999\",\"n\":null,\"i\":12,\"b\":true,\"a\":[\"s\"]}"));

	ok(str_equal(json_member_string(object, "s"), STR("x\xc3\xa9")), "a string, unescaped");
	ok(str_is_empty(json_member_string(object, "empty")) &&
	    !str_is_absent(json_member_string(object, "empty")), "an empty string is not absent");
	ok(str_is_absent(json_member_string(object, "i")), "an integer is no string");
	ok(str_is_absent(json_member_string(object, "n")), "null is no string");
	ok(str_is_absent(json_member_string(object, "b")), "a boolean is no string");
	ok(str_is_absent(json_member_string(object, "a")), "an array is no string");
	ok(str_is_absent(json_member_string(object, "S")), "names are case-sensitive");
	ok(str_is_absent(json_member_string(NULL, "s")), "nothing is in no object");
	ok(json_has_member(object, "n") && json_member(object, "n") == NULL,
	    "null is there and is nothing");
	ok(!json_has_member(object, "none"), "a missing member is not there");
}

static void
test_numbers(struct arena *arena)
{
	struct json_object	*object = json_parse(arena, STR("{\"i\":999999999999999,\"z\":-5,"
	    "\"exp\":\"9999999999\",\"b\":true,\"f\":false}"));
	int64_t			 i = 7;
	bool			 b = false;

	ok(json_member_integer(object, "i", &i) && i == 999999999999999, "an integer");
	ok(json_member_integer(object, "z", &i) && i == -5, "a negative integer");
	ok(!json_member_integer(object, "exp", &i) && i == -5,
	    "4.2: \"9999999999\" is no integer, and the value is unchanged");
	ok(!json_member_integer(object, "b", &i), "a boolean is no integer");
	ok(!json_member_integer(object, "none", &i), "a missing member is no integer");
	ok(json_member_boolean(object, "b", &b) && b, "true");
	ok(json_member_boolean(object, "f", &b) && !b, "false");
	ok(!json_member_boolean(object, "i", &b), "an integer is no boolean");
	ok(!json_member_boolean(object, "none", &b), "a missing member is no boolean");
}

static void
test_arrays(struct arena *arena)
{
	struct json_object *object = json_parse(arena,
	    STR("{\"a\":[\"x\",\"y\"],\"mixed\":[\"x\",1],\"e\":[],\"s\":\"x\"}"));
	struct json_object *array = json_parse(arena, STR("[\"x\",null]"));

	ok(json_is_object(object) && !json_is_array(object), "an object is an object");
	ok(json_is_array(array) && !json_is_object(array), "an array is an array");
	ok(json_array_length(json_member(object, "a")) == 2, "length of an array");
	ok(json_array_length(json_member(object, "s")) == 0, "a string has no elements");
	ok(str_equal(json_string(json_element(json_member(object, "a"), 1)), STR("y")),
	    "an element");
	ok(json_element(array, 1) == NULL && json_element(array, 2) == NULL,
	    "no element, and none behind the end");
	ok(!json_has_member(array, "x") && json_member(array, "x") == NULL,
	    "an array has no members");
	ok(json_strings_have(json_member(object, "a"), STR("y")), "found among strings");
	ok(!json_strings_have(json_member(object, "a"), STR("z")), "not found among strings");
	ok(!json_strings_have(json_member(object, "mixed"), STR("x")),
	    "not found where something else is no string");
	ok(!json_strings_have(json_member(object, "e"), STR("x")), "not found in an empty array");
	ok(!json_strings_have(json_member(object, "s"), STR("x")), "not found in a string");
}

static size_t
put_escape(char *out, size_t room, unsigned code)
{
	if (code < 0x10000)
		return (size_t)snprintf(out, room, "\\u%04x", code);
	code -= 0x10000;
	return (size_t)snprintf(out, room, "\\u%04x\\u%04x", 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
}

static size_t
put_utf8(char *out, unsigned code)
{
	size_t		n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	const unsigned	first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(first[n] | code);
	return n;
}

/* Whatever the gate passes, json-c reads as what it means: each character by itself,
 * escaped. */
static void
test_every_escape(struct arena *arena)
{
	unsigned read = 0, refused = 0, wrong = 0;

	for (unsigned code = 1; code <= 0x10ffff; code++) {
		char			 text[32] = "[\"", expected[4];
		size_t			 n = 2 + put_escape(text + 2, sizeof text - 4, code);
		struct json_object	*array;

		text[n++] = '"';
		text[n++] = ']';
		if (!json_is_strict((struct str){ text, n })) {
			refused++;
			continue;
		}
		array = json_parse(arena, (struct str){ text, n });
		wrong += !str_equal(json_string(json_element(array, 0)), (struct str){ expected, put_utf8(expected, code) });
		read++;
		arena_reset(arena);
	}
	ok(wrong == 0, "every escape that passes is read as what it means");
	/* Surrogates and their like in 16 planes; the two last of each plane, 32 more. */
	ok(read == 0x10ffff - refused && refused == 17 * 0x800 + 17 * 2 + 32, "%u are refused", refused);
}

int
main(void)
{
	struct arena *arena = arena_new(8 * 1024 * 1024);

	test_samples(arena);
	test_truncated();
	test_maxima(arena);
	test_strings(arena);
	test_numbers(arena);
	test_arrays(arena);
	test_every_escape(arena);
	arena_free(&arena);
	return tap_done();
}
