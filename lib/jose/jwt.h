/*
 * jwt.h -- JSON Web Tokens: verifying them, reading their claims, building them
 *          (RFC 7519, RFC 8725)
 *
 * jwt_verify() is the only thing that makes a struct jwt_claims, so no claim can
 * be read before its signature is verified (SEC-JOSE-09).  What the claims mean --
 * whether iss, aud, exp and the others are right for this use -- is for the
 * caller to decide.
 */
#ifndef JOSE_JWT_H
#define JOSE_JWT_H

#include "base/buf.h"
#include "jose/jws.h"

#define JWT_MAX_BYTES		JWS_MAX_BYTES	/* of a token */
#define JWT_MAX_KID_BYTES	((size_t)256)	/* a longer kid is of no key of ours */

struct json_object;
struct jwt_claims;

enum jwt_outcome {
	JWT_OK,
	JWT_MALFORMED,		/* not a JWS in compact form with JSON objects in it */
	JWT_REFUSED_HEADER,	/* has crit, b64, jku or x5u */
	JWT_WRONG_TYPE,		/* another kind of token (typ) */
	JWT_WRONG_ALGORITHM,	/* none, unknown, or not the one of the key */
	JWT_UNKNOWN_KEY,	/* find_key() knows no such key */
	JWT_BAD_SIGNATURE,
	JWT__COUNT
};

/* A name for the log; static. */
struct str jwt_outcome_name(enum jwt_outcome outcome);

/* The key that kid names, or NULL.  kid is absent if the header has none; it is
 * text from outside, at most JWT_MAX_KID_BYTES long.  The key must live until
 * jwt_verify() returns. */
typedef const struct jose_key *jwt_find_key(void *context, struct str kid);

/* Verify a token and, if the outcome is JWT_OK, set *claims, which live as long
 * as the arena's present contents; otherwise *claims is NULL.
 *
 * typ: the acceptable types, separated by spaces, compared without regard to case
 * and with an optional "application/" (RFC 7515 section 4.1.9).  The word "JWT"
 * also stands for a header without typ.  Absent means "JWT".  For example
 *	STR("at+jwt")				an access token, RFC 9068 section 4
 *	STR("client-authentication+jwt JWT")	a client assertion
 *
 * Keys in the token itself (jwk, x5c) are never used (SEC-JOSE-03). */
enum jwt_outcome jwt_verify(struct arena *arena, struct str token, struct str typ,
	jwt_find_key *find_key, void *context, const struct jwt_claims **claims);

/* Is there a claim of this name, whatever its value? */
bool jwt_has_claim(const struct jwt_claims *claims, const char *name);

/* A claim that is a string; absent if it is missing or not a string. */
struct str jwt_claim_string(const struct jwt_claims *claims, const char *name);

/* A claim that is an integer with 0 <= value < 2^53, such as a time in seconds;
 * false if it is missing or anything else. */
bool jwt_claim_integer(const struct jwt_claims *claims, const char *name, int64_t *value);

/* A claim that is a boolean; false if it is missing or not one. */
bool jwt_claim_boolean(const struct jwt_claims *claims, const char *name, bool *value);

/* Any claim, for those that are objects or arrays; NULL if it is missing. */
struct json_object *jwt_claim(const struct jwt_claims *claims, const char *name);

/* Is audience the aud, or one of an array of strings (RFC 7519 section 4.1.3)? */
bool jwt_has_audience(const struct jwt_claims *claims, struct str audience);

/* The same, and aud names nobody else? */
bool jwt_has_only_audience(const struct jwt_claims *claims, struct str audience);

/* Is scope one of the words of the claim "scope" (RFC 9068 section 2.2.3)? */
bool jwt_has_scope(const struct jwt_claims *claims, struct str scope);

/*
 * Claims under construction.  Names must not need escaping and must not repeat;
 * the order is that of the calls.  What does not fit shows in jwt_sign().
 */
struct jwt_builder {
	struct buf	json;
};

struct jwt_builder jwt_builder_new(struct arena *arena);

/* Add a claim.  An absent string or an absent raw text adds nothing; value must
 * be UTF-8, raw text must be JSON that we made ourselves. */
void jwt_add_string(struct jwt_builder *builder, struct str name, struct str value);
void jwt_add_integer(struct jwt_builder *builder, struct str name, int64_t value);
void jwt_add_boolean(struct jwt_builder *builder, struct str name, bool value);
void jwt_add_strings(struct jwt_builder *builder, struct str name,
	const struct str *values, size_t count);
void jwt_add_raw(struct jwt_builder *builder, struct str name, struct str json);

/* The token of these claims; see jws_sign().  The builder is used up. */
struct str jwt_sign(struct jwt_builder *builder, const struct jose_key *key, struct str typ);

#endif
