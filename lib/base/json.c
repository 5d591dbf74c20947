/*
 * json.c -- the gate that every JSON text from outside passes; see json.h
 *
 * The scanner is a recursive descent over the grammar of RFC 8259 section 2.
 * Its recursion ends at JSON_MAX_DEPTH.  Every scan_ function starts at the first
 * byte of its construct, leaves s->p behind the last, and is false on refusal.
 */
#include "base/json.h"

#include "base/memory.h"

#include <json.h>

#define HASH_START	UINT64_C(0xcbf29ce484222325)	/* FNV-1a, 64 bit */
#define HASH_PRIME	UINT64_C(0x00000100000001b3)

/* How much is in a text; json-c must have made as much of it. */
struct measure {
	unsigned	values;			/* but null, which json-c has no object for */
	size_t		octets;			/* of all names and strings */
};

/*
 * Names are compared by a 64-bit hash alone.  Equal names have equal hashes, so
 * no duplicate passes.  Different names with one hash are refused as well: by
 * accident that never happens, and who makes it happen has only his own text
 * refused.
 */
struct scanner {
	const unsigned char	*p;
	const unsigned char	*end;
	struct measure		 measure;
	unsigned		 depth;
	unsigned		 members;		/* seen so far */
	unsigned		 names_held;
	uint64_t		 names[JSON_MAX_MEMBERS]; /* of the open objects, outermost first */
};

static bool scan_value(struct scanner *s);

static void
skip_space(struct scanner *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
take(struct scanner *s, char c)
{
	if (s->p == s->end || *s->p != (unsigned char)c)
		return false;
	s->p++;
	return true;
}

static bool
scan_word(struct scanner *s, struct str word)
{
	if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
		return false;
	s->p += word.n;
	return true;
}

static bool
at_digit(const struct scanner *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

/* RFC 8259 section 6 without frac and exp: these are then refused like any other
 * octet that cannot follow a value. */
static bool
scan_number(struct scanner *s)
{
	bool			 negative = take(s, '-');
	const unsigned char	*first = s->p;
	size_t			 digits;

	while (at_digit(s))
		s->p++;
	digits = (size_t)(s->p - first);
	if (digits == 0 || digits > JSON_MAX_DIGITS)
		return false;
	return *first != '0' || (digits == 1 && !negative);
}

static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "u" and four digits: one UTF-16 code unit. */
static bool
scan_unit(struct scanner *s, uint32_t *unit)
{
	if (!take(s, 'u') || s->end - s->p < 4)
		return false;
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int value = hex_value(*s->p++);

		if (value < 0)
			return false;
		*unit = *unit << 4 | (uint32_t)value;
	}
	return true;
}

/* What follows a backslash: RFC 8259 section 7. */
static bool
scan_escape(struct scanner *s, uint32_t *code)
{
	static const char	 letters[] = "\"\\/bfnrt";
	static const char	 meanings[] = "\"\\/\b\f\n\r\t";
	const char		*letter;
	uint32_t		 low;

	if (s->p == s->end)
		return false;
	letter = memchr(letters, *s->p, sizeof letters - 1);
	if (letter != NULL) {
		s->p++;
		*code = (unsigned char)meanings[letter - letters];
		return true;
	}
	if (!scan_unit(s, code) || *code == 0)
		return false;
	if (*code < 0xd800 || *code > 0xdfff)
		return true;
	if (*code > 0xdbff || !take(s, '\\') || !scan_unit(s, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	/* json-c (0.16) takes what it has put together for half a pair once more. */
	return (*code & 0xf800) != 0xd800;
}

/* The character at s->p; json_is_strict() has found the text to be UTF-8. */
static uint32_t
next_character(struct scanner *s)
{
	uint32_t	code = *s->p++;
	unsigned	more;

	if (code < 0x80)
		return code;
	more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : 1;
	code &= 0x3fU >> more;
	while (more-- > 0)
		code = code << 6 | (*s->p++ & 0x3fU);
	return code;
}

static size_t
utf8_length(uint32_t code)
{
	if (code < 0x80)
		return 1;
	if (code < 0x800)
		return 2;
	return code < 0x10000 ? 3 : 4;
}

static bool
is_noncharacter(uint32_t code)
{
	return (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
}

/* A string; its hash is that of what it means, not of how it is spelled. */
static bool
scan_string(struct scanner *s, uint64_t *hash)
{
	uint32_t code;

	if (!take(s, '"'))
		return false;
	*hash = HASH_START;
	while (s->p < s->end) {
		if (take(s, '"'))
			return true;
		if (*s->p < 0x20)
			return false;
		if (!take(s, '\\'))
			code = next_character(s);
		else if (!scan_escape(s, &code))
			return false;
		if (is_noncharacter(code))
			return false;
		*hash = (*hash ^ code) * HASH_PRIME;
		s->measure.octets += utf8_length(code);
	}
	return false;
}

/* Note a name of the object whose names start at "first"; false if it is there. */
static bool
add_name(struct scanner *s, unsigned first, uint64_t hash)
{
	if (++s->members > JSON_MAX_MEMBERS)
		return false;
	for (unsigned i = first; i < s->names_held; i++) {
		if (s->names[i] == hash)
			return false;
	}
	s->names[s->names_held++] = hash;
	return true;
}

static bool
scan_member(struct scanner *s, unsigned first)
{
	uint64_t hash;

	skip_space(s);
	if (!scan_string(s, &hash) || !add_name(s, first, hash))
		return false;
	skip_space(s);
	return take(s, ':') && scan_value(s);
}

static bool
scan_object(struct scanner *s)
{
	unsigned first = s->names_held;

	if (!take(s, '{') || ++s->depth > JSON_MAX_DEPTH)
		return false;
	skip_space(s);
	if (!take(s, '}')) {
		do {
			if (!scan_member(s, first))
				return false;
		} while (take(s, ','));
		if (!take(s, '}'))
			return false;
	}
	s->names_held = first;
	s->depth--;
	return true;
}

static bool
scan_array(struct scanner *s)
{
	if (!take(s, '[') || ++s->depth > JSON_MAX_DEPTH)
		return false;
	skip_space(s);
	if (!take(s, ']')) {
		do {
			if (!scan_value(s))
				return false;
		} while (take(s, ','));
		if (!take(s, ']'))
			return false;
	}
	s->depth--;
	return true;
}

static bool
scan_bare_value(struct scanner *s)
{
	uint64_t unused;

	if (s->p == s->end)
		return false;
	s->measure.values += *s->p != 'n';
	switch (*s->p) {
	case '{':
		return scan_object(s);
	case '[':
		return scan_array(s);
	case '"':
		return scan_string(s, &unused);
	case 't':
		return scan_word(s, STR("true"));
	case 'f':
		return scan_word(s, STR("false"));
	case 'n':
		return scan_word(s, STR("null"));
	default:
		return scan_number(s);
	}
}

/* A value with the white space around it. */
static bool
scan_value(struct scanner *s)
{
	skip_space(s);
	if (!scan_bare_value(s))
		return false;
	skip_space(s);
	return true;
}

/* The gate. */
static bool
scan(struct str text, struct measure *measure)
{
	struct scanner s;

	if (text.n == 0 || text.n > JSON_MAX_BYTES || !str_is_utf8(text))
		return false;
	s.p = (const unsigned char *)text.p;
	s.end = s.p + text.n;
	s.depth = s.members = s.names_held = 0;
	s.measure = (struct measure){ 0, 0 };
	if (!scan_value(&s) || s.p != s.end)
		return false;
	*measure = s.measure;
	return true;
}

bool
json_is_strict(struct str text)
{
	struct measure unused;

	return scan(text, &unused);
}

/* The recursion ends at JSON_MAX_DEPTH: the gate has seen to that. */
static void
measure(struct json_object *value, struct measure *out)
{
	out->values += value != NULL;
	if (json_object_is_type(value, json_type_string))
		out->octets += (size_t)json_object_get_string_len(value);
	for (size_t i = 0; i < json_array_length(value); i++)
		measure(json_object_array_get_idx(value, i), out);
	if (!json_is_object(value))
		return;
	json_object_object_foreach(value, name, member) {
		out->octets += strlen(name);
		measure(member, out);
	}
}

/* json-c does not look at everything that malloc gives it: without memory it leaves a
 * member out, cuts a string short, or says that the text is wrong. */
static bool
is_whole(struct json_object *value, const struct measure *expected)
{
	struct measure found = { 0, 0 };

	measure(value, &found);
	return found.values == expected->values && found.octets == expected->octets;
}

/* Does the text begin an object or an array? */
static bool
is_container(struct str text)
{
	size_t i = 0;

	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\n' || text.p[i] == '\r'))
		i++;
	return i < text.n && (text.p[i] == '{' || text.p[i] == '[');
}

static void
release(void *object)
{
	json_object_put(object);
}

struct json_object *
json_parse(struct arena *arena, struct str text)
{
	struct json_tokener	*tokener;
	struct json_object	*object;
	struct measure		 expected;

	if (!is_container(text) || !scan(text, &expected))
		return NULL;
	/* json-c counts one level more: that of the innermost scalars. */
	tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
	if (tokener == NULL)
		memory_exhausted();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	json_tokener_free(tokener);
	if (!is_whole(object, &expected)) {
		json_object_put(object);
		memory_exhausted();
	}
	arena_bind(arena, object, release);
	return object;
}

bool
json_is_object(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) != 0;
}

bool
json_is_array(struct json_object *value)
{
	return json_object_is_type(value, json_type_array) != 0;
}

bool
json_has_member(struct json_object *object, const char *name)
{
	return json_is_object(object) && json_object_object_get_ex(object, name, NULL);
}

struct json_object *
json_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_is_object(object) || !json_object_object_get_ex(object, name, &value))
		return NULL;
	return value;
}

struct str
json_string(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return STR_ABSENT;
	return (struct str){ json_object_get_string(value),
	    (size_t)json_object_get_string_len(value) };
}

struct str
json_member_string(struct json_object *object, const char *name)
{
	return json_string(json_member(object, name));
}

bool
json_member_integer(struct json_object *object, const char *name, int64_t *value)
{
	struct json_object *member = json_member(object, name);

	if (!json_object_is_type(member, json_type_int))
		return false;
	*value = json_object_get_int64(member);
	return true;
}

bool
json_member_boolean(struct json_object *object, const char *name, bool *value)
{
	struct json_object *member = json_member(object, name);

	if (!json_object_is_type(member, json_type_boolean))
		return false;
	*value = json_object_get_boolean(member) != 0;
	return true;
}

size_t
json_array_length(struct json_object *array)
{
	return json_is_array(array) ? json_object_array_length(array) : 0;
}

struct json_object *
json_element(struct json_object *array, size_t index)
{
	if (index >= json_array_length(array))
		return NULL;
	return json_object_array_get_idx(array, index);
}

bool
json_strings_have(struct json_object *array, struct str text)
{
	bool found = false;

	for (size_t i = 0; i < json_array_length(array); i++) {
		struct str element = json_string(json_element(array, i));

		if (str_is_absent(element))
			return false;
		found |= str_equal(element, text);
	}
	return found;
}
