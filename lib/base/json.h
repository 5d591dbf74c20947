/*
 * json.h -- the gate that every JSON text from outside passes
 *
 * json-c accepts much that is not JSON, and some of it dangerously: duplicate
 * members (the last wins), names cut at \u0000, NaN, integers that saturate to
 * 2^63-1.  So a scanner of our own looks at the text first, and json-c sees only
 * what has one meaning: RFC 8259 as narrowed by I-JSON (RFC 7493), and more
 * narrowly still where no protocol of ours needs the rest:
 *
 *	- valid UTF-8; no NUL, no \u0000, no lone surrogate, no noncharacter
 *	  (RFC 7493 section 2.1); no byte order mark (RFC 8259 section 8.1)
 *	- no two members of one object with the same name after unescaping
 *	  (RFC 7493 section 2.3)
 *	- numbers are integers of at most JSON_MAX_DIGITS digits, so that they are
 *	  exact everywhere (RFC 7493 section 2.2); every fraction, every exponent
 *	  and -0 is refused
 *	- no pair of escapes for U+1D800 .. U+1DFFF and their like in the other planes,
 *	  which json-c would make U+FFFD of; as UTF-8 they pass
 *	- the four maxima below
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/str.h"

#define JSON_MAX_BYTES		((size_t)64 * 1024)
#define JSON_MAX_DEPTH		8	/* objects and arrays inside one another */
#define JSON_MAX_MEMBERS	256	/* members of all objects of one text together */
#define JSON_MAX_DIGITS		15	/* of an integer: |i| < 10^15 < 2^53 */

struct json_object;

/* Is text exactly one JSON value as described above, and nothing after it but
 * white space?  Allocates nothing. */
bool json_is_strict(struct str text);

/* The object or array that text holds, or NULL when it is not strict or is another
 * value.  It lives until the arena's next reset.  When memory is out, this does not
 * return (memory.h). */
struct json_object *json_parse(struct arena *arena, struct str text);

/* The accessors below never convert: a member of another type is like a missing
 * one.  "object" may be NULL or of any type.  What they return lives as long as
 * the object. */

bool json_is_object(struct json_object *value);
bool json_is_array(struct json_object *value);

/* Is there a member of this name, of whatever type (null included)? */
bool json_has_member(struct json_object *object, const char *name);

/* A member of any type; NULL if it is missing or null. */
struct json_object *json_member(struct json_object *object, const char *name);

/* A string; absent if it is not one. */
struct str json_member_string(struct json_object *object, const char *name);

/* An integer, a boolean; false if it is not one, and *value is unchanged. */
bool json_member_integer(struct json_object *object, const char *name, int64_t *value);
bool json_member_boolean(struct json_object *object, const char *name, bool *value);

/* The string that a value is, or absent. */
struct str json_string(struct json_object *value);

/* Elements of an array (0 if it is not one), and one of them (NULL if it is
 * null or there is none). */
size_t json_array_length(struct json_object *array);
struct json_object *json_element(struct json_object *array, size_t index);

/* Is array an array whose elements are all strings, and is text one of them? */
bool json_strings_have(struct json_object *array, struct str text);

#endif
