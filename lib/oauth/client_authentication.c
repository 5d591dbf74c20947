/*
 * client_authentication.c -- who a client says it is; see client_authentication.h
 */
#include "oauth/client_authentication.h"

#include <openssl/evp.h>

/* Basic credentials are padded base64 (RFC 7617 section 2), which OpenSSL decodes
 * loosely: only what encodes back to the same text is taken. */
static bool
decode_base64(struct arena *arena, struct str text, struct str *out)
{
	unsigned char	*place, *again;
	int		 n;

	if (text.n == 0 || text.n % 4 != 0 || text.n > 4096)
		return false;
	place = arena_alloc(arena, text.n);
	again = arena_alloc(arena, text.n + 8);
	n = EVP_DecodeBlock(place, (const unsigned char *)text.p, (int)text.n);
	if (n < 0)
		return false;
	n -= text.p[text.n - 1] == '=';
	n -= text.p[text.n - 2] == '=';
	*out = (struct str){ (const char *)place, (size_t)n };
	return EVP_EncodeBlock(again, place, n) == (int)text.n && memcmp(again, text.p, text.n) == 0;
}

/* client_id ":" client_secret, each form-encoded (RFC 6749 section 2.3.1). */
static bool
read_basic(struct arena *arena, struct str credentials, struct str *client_id, struct str *secret)
{
	struct str text;

	if (!decode_base64(arena, credentials, &text) || str_index(text, ':') < 0)
		return false;
	str_cut(&text, ':', client_id);
	return form_decode(arena, *client_id, client_id) && form_decode(arena, text, secret) &&
	    client_id->n > 0 && client_id->n <= CLIENT_ID_MAX_BYTES && secret->n > 0 &&
	    secret->n <= CLIENT_SECRET_MAX_BYTES;
}

static enum error
fail(const char **description, enum error error, const char *why)
{
	*description = why;
	return error;
}

enum error
client_authentication_read(struct arena *arena, const struct request *request,
    const struct client_parameters *parameters, struct client_authentication *out, const char **description)
{
	bool		 malformed;
	struct str	 basic_id, client_id = parameters->id, secret = parameters->secret;
	struct str	 basic = request_credentials(request, STR("Basic"), &malformed);
	enum auth_method method = str_is_absent(secret) ? AUTH_NONE : AUTH_SECRET_POST;

	*out = (struct client_authentication){ .used_basic = !str_is_absent(basic) };
	if (malformed || (!out->used_basic && !str_is_absent(request->variable[VARIABLE_AUTHORIZATION])))
		return fail(description, ERROR_INVALID_CLIENT, "the Authorization header is not understood: use Basic");
	/* Whoever sends one means it to count: a secret beside it would be a second method. */
	if (!str_is_absent(parameters->assertion))
		return fail(description, ERROR_INVALID_CLIENT, "client assertions are not supported: use a client secret");
	if (out->used_basic) {
		if (method != AUTH_NONE)
			return fail(description, ERROR_INVALID_REQUEST, "the client authenticates in two ways at once");
		if (!read_basic(arena, basic, &basic_id, &secret))
			return fail(description, ERROR_INVALID_CLIENT, "the Basic credentials are malformed");
		if (!str_is_absent(client_id) && !str_equal(client_id, basic_id))
			return fail(description, ERROR_INVALID_REQUEST, "client_id differs from the Basic credentials");
		client_id = basic_id;
		method = AUTH_SECRET_BASIC;
	}
	if (str_is_absent(client_id))
		return fail(description, ERROR_INVALID_CLIENT, "the client does not say who it is");
	out->proof = (struct client_proof){ .client_id = client_id, .method = auth_methods[method] };
	if (method != AUTH_NONE) {
		out->secret = sha256_of(secret);
		out->proof.secret = &out->secret;
	}
	return ERROR_NONE;
}
