/*
 * jwt.c -- JSON Web Tokens; see jwt.h
 */
#include "jose/jwt.h"

#include "base/base64url.h"
#include "base/json.h"

#define PARTS	3

struct jwt_claims {
	struct json_object	*payload;
};

/* A token taken apart. */
struct parts {
	struct str		 signing_input;	/* a part of the token */
	struct str		 payload;
	struct str		 signature;
	struct json_object	*header;
};

static const struct str outcome_names[JWT__COUNT] = {
	[JWT_OK] = STR_INIT("ok"),
	[JWT_MALFORMED] = STR_INIT("malformed"),
	[JWT_REFUSED_HEADER] = STR_INIT("refused_header"),
	[JWT_WRONG_TYPE] = STR_INIT("wrong_type"),
	[JWT_WRONG_ALGORITHM] = STR_INIT("wrong_algorithm"),
	[JWT_UNKNOWN_KEY] = STR_INIT("unknown_key"),
	[JWT_BAD_SIGNATURE] = STR_INIT("bad_signature"),
};

struct str
jwt_outcome_name(enum jwt_outcome outcome)
{
	return outcome_names[outcome];
}

/* Exactly three parts, each strict base64url, the header an object: RFC 7519
 * section 7.2 steps 1 to 4.  More parts are refused before decoding. */
static bool
take_apart(struct arena *arena, struct str token, struct parts *parts)
{
	struct str	rest = token;
	struct str	part[PARTS];
	struct str	header;

	if (token.n > JWT_MAX_BYTES)
		return false;
	for (size_t i = 0; i < PARTS; i++) {
		if (!str_cut(&rest, '.', &part[i]))
			return false;
	}
	if (!str_is_absent(rest))
		return false;
	if (!base64url_decode(arena, part[0], &header) ||
	    !base64url_decode(arena, part[1], &parts->payload) ||
	    !base64url_decode(arena, part[2], &parts->signature))
		return false;
	parts->signing_input = str_first(token, part[0].n + 1 + part[1].n);
	parts->header = json_parse(arena, header);
	return json_is_object(parts->header);
}

/*
 * We understand no critical extension, so any crit is refused (RFC 7515 section
 * 4.1.11), an empty or misshapen one too; b64 would change what is signed (RFC
 * 7797); jku and x5u ask us to fetch a key from where the sender likes.
 */
static bool
is_refused(struct json_object *header)
{
	static const char *const refused[] = { "crit", "b64", "jku", "x5u" };

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		if (json_has_member(header, refused[i]))
			return true;
	}
	return false;
}

/* RFC 7515 section 4.1.9: "application/" may be left out. */
static struct str
without_prefix(struct str typ)
{
	struct str prefix = STR("application/");

	if (!str_equal_ignoring_case(str_first(typ, prefix.n), prefix))
		return typ;
	return str_from(typ, prefix.n);
}

static bool
is_acceptable_type(struct json_object *header, struct str acceptable)
{
	struct str typ = json_member_string(header, "typ");
	struct str word;

	if (!json_has_member(header, "typ"))
		typ = STR("JWT");
	if (str_is_absent(typ))
		return false;
	if (str_is_empty(acceptable))
		acceptable = STR("JWT");
	while (str_cut(&acceptable, ' ', &word)) {
		if (str_equal_ignoring_case(without_prefix(typ), word))
			return true;
	}
	return false;
}

/* The key that the header names, if it is for the algorithm that the header names.
 * The header never decides the algorithm: the key has one (RFC 8725 section 3.1). */
static enum jwt_outcome
choose_key(struct json_object *header, jwt_find_key *find_key, void *context,
	const struct jose_key **key)
{
	struct str		alg = json_member_string(header, "alg");
	struct str		kid = json_member_string(header, "kid");
	enum jose_algorithm	algorithm;

	if (str_is_absent(alg) || (json_has_member(header, "kid") && str_is_absent(kid)))
		return JWT_MALFORMED;
	if (!jose_algorithm_by_name(alg, &algorithm))
		return JWT_WRONG_ALGORITHM;
	if (kid.n > JWT_MAX_KID_BYTES)
		return JWT_UNKNOWN_KEY;
	*key = find_key(context, kid);
	if (*key == NULL)
		return JWT_UNKNOWN_KEY;
	return jose_key_algorithm(*key) == algorithm ? JWT_OK : JWT_WRONG_ALGORITHM;
}

enum jwt_outcome
jwt_verify(struct arena *arena, struct str token, struct str typ,
	jwt_find_key *find_key, void *context, const struct jwt_claims **claims)
{
	const struct jose_key	*key = NULL;
	struct jwt_claims	*verified;
	struct json_object	*payload;
	struct parts		 parts;
	enum jwt_outcome	 outcome;

	*claims = NULL;
	if (!take_apart(arena, token, &parts))
		return JWT_MALFORMED;
	if (is_refused(parts.header))
		return JWT_REFUSED_HEADER;
	if (!is_acceptable_type(parts.header, typ))
		return JWT_WRONG_TYPE;
	outcome = choose_key(parts.header, find_key, context, &key);
	if (outcome != JWT_OK)
		return outcome;
	if (!jose_key_verify(key, parts.signing_input, parts.signature))
		return JWT_BAD_SIGNATURE;
	payload = json_parse(arena, parts.payload);
	if (!json_is_object(payload))
		return JWT_MALFORMED;
	verified = arena_alloc(arena, sizeof *verified);
	verified->payload = payload;
	*claims = verified;
	return JWT_OK;
}

bool
jwt_has_claim(const struct jwt_claims *claims, const char *name)
{
	return json_has_member(claims->payload, name);
}

struct str
jwt_claim_string(const struct jwt_claims *claims, const char *name)
{
	return json_member_string(claims->payload, name);
}

bool
jwt_claim_integer(const struct jwt_claims *claims, const char *name, int64_t *value)
{
	int64_t integer;

	/* The upper bound is JSON_MAX_DIGITS. */
	if (!json_member_integer(claims->payload, name, &integer) || integer < 0)
		return false;
	*value = integer;
	return true;
}

bool
jwt_claim_boolean(const struct jwt_claims *claims, const char *name, bool *value)
{
	return json_member_boolean(claims->payload, name, value);
}

struct json_object *
jwt_claim(const struct jwt_claims *claims, const char *name)
{
	return json_member(claims->payload, name);
}

bool
jwt_has_audience(const struct jwt_claims *claims, struct str audience)
{
	struct json_object	*aud = jwt_claim(claims, "aud");
	struct str		 single = json_string(aud);

	if (str_is_absent(audience))
		return false;
	if (!str_is_absent(single))
		return str_equal(single, audience);
	return json_strings_have(aud, audience);
}

bool
jwt_has_only_audience(const struct jwt_claims *claims, struct str audience)
{
	return jwt_has_audience(claims, audience) &&
	    json_array_length(jwt_claim(claims, "aud")) <= 1;
}

bool
jwt_has_scope(const struct jwt_claims *claims, struct str scope)
{
	return str_has_word(jwt_claim_string(claims, "scope"), scope);
}

struct jwt_builder
jwt_builder_new(struct arena *arena)
{
	struct jwt_builder builder = { buf_new(arena, JWT_MAX_BYTES) };

	buf_addc(&builder.json, '{');
	return builder;
}

static void
add_name(struct jwt_builder *builder, struct str name)
{
	buf_add(&builder->json, builder->json.n == 1 ? STR("\"") : STR(",\""));
	buf_add(&builder->json, name);
	buf_add(&builder->json, STR("\":"));
}

void
jwt_add_string(struct jwt_builder *builder, struct str name, struct str value)
{
	if (str_is_absent(value))
		return;
	add_name(builder, name);
	buf_add_json(&builder->json, value);
}

void
jwt_add_integer(struct jwt_builder *builder, struct str name, int64_t value)
{
	add_name(builder, name);
	buf_addf(&builder->json, "%lld", (long long)value);
}

void
jwt_add_boolean(struct jwt_builder *builder, struct str name, bool value)
{
	add_name(builder, name);
	buf_add(&builder->json, value ? STR("true") : STR("false"));
}

void
jwt_add_strings(struct jwt_builder *builder, struct str name,
	const struct str *values, size_t count)
{
	add_name(builder, name);
	buf_addc(&builder->json, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(&builder->json, ',');
		buf_add_json(&builder->json, values[i]);
	}
	buf_addc(&builder->json, ']');
}

void
jwt_add_raw(struct jwt_builder *builder, struct str name, struct str json)
{
	if (str_is_absent(json))
		return;
	add_name(builder, name);
	buf_add(&builder->json, json);
}

struct str
jwt_sign(struct jwt_builder *builder, const struct jose_key *key, struct str typ)
{
	buf_addc(&builder->json, '}');
	return jws_sign(builder->json.arena, key, typ, buf_str(&builder->json));
}
