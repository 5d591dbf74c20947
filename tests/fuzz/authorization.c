/*
 * authorization.c -- fuzz target: who authenticates by an Authorization header is who the
 *                    header names, in exactly one way
 *
 * The input is the header; behind the first newline follows the body of a form.
 */
#include "base/buf.h"
#include "oauth/bearer.h"
#include "oauth/client_authentication.h"

#include <openssl/evp.h>

#include "fuzz.h"

#define ARENA_BYTES	((size_t)4 * 1024 * 1024)

enum { CLIENT_ID, CLIENT_SECRET, CLIENT_ASSERTION, ACCESS_TOKEN, COUNT };

static const struct parameter table[COUNT] = {
	[CLIENT_ID] = { "client_id", CLIENT_ID_MAX_BYTES, form_is_vschar, false },
	[CLIENT_SECRET] = { "client_secret", CLIENT_SECRET_MAX_BYTES, NULL, false },
	[CLIENT_ASSERTION] = { "client_assertion", 1024, form_is_vschar, false },
	[ACCESS_TOKEN] = { "access_token", BEARER_MAX_BYTES, form_is_vschar, false },
};

static struct str
basic(struct arena *arena, struct str client_id, struct str secret)
{
	struct buf	 text = buf_new(arena, 16 * 1024), header = buf_new(arena, 32 * 1024);
	unsigned char	*encoded;
	int		 n;

	buf_add_url(&text, client_id);
	buf_addc(&text, ':');
	buf_add_url(&text, secret);
	encoded = arena_alloc(arena, text.n * 2 + 8);
	n = EVP_EncodeBlock(encoded, (const unsigned char *)text.p, (int)text.n);
	buf_add(&header, STR("bASIC  "));
	buf_add(&header, (struct str){ (const char *)encoded, (size_t)n });
	return buf_str(&header);
}

static bool
is_proof_of(const struct client_authentication *client, struct str client_id, struct str secret)
{
	struct sha256 digest = sha256_of(secret);

	return client->used_basic && client->proof.secret == &client->secret &&
	    str_equal(client->proof.client_id, client_id) && memcmp(&digest, &client->secret, sizeof digest) == 0;
}

/* Any id and secret within their limits reach us as they are. */
static void
check_round_trip(struct arena *arena, struct str client_id, struct str secret)
{
	struct client_authentication	 client;
	const struct client_parameters	 none = { STR_ABSENT, STR_ABSENT, STR_ABSENT };
	const char			*description = NULL;
	struct request			 request = { .fault.parameter = -1 };

	if (client_id.n == 0 || client_id.n > CLIENT_ID_MAX_BYTES || secret.n == 0 || secret.n > CLIENT_SECRET_MAX_BYTES ||
	    !str_is_utf8(client_id) || !str_is_utf8(secret))
		return;
	request.variable[VARIABLE_AUTHORIZATION] = basic(arena, client_id, secret);
	if (request.variable[VARIABLE_AUTHORIZATION].n > 4096)
		return;			/* more than read_basic() takes */
	HOLDS(client_authentication_read(arena, &request, &none, &client, &description) == ERROR_NONE);
	HOLDS(is_proof_of(&client, client_id, secret));
}

static void
check_client(struct arena *arena, const struct request *request, const struct str *values)
{
	struct client_authentication	 client;
	struct client_parameters	 body = { values[CLIENT_ID], values[CLIENT_SECRET], values[CLIENT_ASSERTION] };
	const char			*description = NULL;
	enum error			 error = client_authentication_read(arena, request, &body, &client, &description);

	if (error != ERROR_NONE) {
		HOLDS((error == ERROR_INVALID_CLIENT || error == ERROR_INVALID_REQUEST) && description != NULL);
		return;
	}
	HOLDS(!str_is_empty(client.proof.client_id) && client.proof.client_id.n <= CLIENT_ID_MAX_BYTES);
	HOLDS(str_is_utf8(client.proof.client_id));
	HOLDS(str_is_absent(body.id) || str_equal(body.id, client.proof.client_id));
	HOLDS(client.used_basic == !str_is_absent(request->variable[VARIABLE_AUTHORIZATION]));
	HOLDS(!client.used_basic || str_is_absent(body.secret));
	HOLDS(str_is_absent(body.assertion));
	HOLDS((client.proof.secret == NULL) == str_equal(client.proof.method, auth_methods[AUTH_NONE]));
}

static void
check_bearer(const struct request *request, struct str in_body)
{
	struct str	header = request->variable[VARIABLE_AUTHORIZATION], token;
	enum error	error = bearer_of_request(request, in_body, &token);

	if (error != ERROR_NONE)
		return;
	HOLDS(!str_is_empty(token) && (str_is_absent(in_body) || str_equal(token, in_body)));
	if (str_equal(token, in_body))
		return;
	HOLDS(str_equal_ignoring_case(str_first(header, 7), STR("Bearer ")) && str_index(header, ',') < 0);
	HOLDS(token.p > header.p && token.p + token.n <= header.p + header.n && token.p[0] != ' ');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena		*arena = fuzz_arena(ARENA_BYTES);
	struct str		 input = { (const char *)data, size }, header, id = input;
	struct request		 request = { .fault.parameter = -1 };
	struct str		 values[COUNT];

	str_cut(&input, '\n', &header);
	if (header.n > 0)
		request.variable[VARIABLE_AUTHORIZATION] = header;
	form_parse(arena, input, table, COUNT, values, &request.fault);
	check_client(arena, &request, values);
	check_bearer(&request, values[ACCESS_TOKEN]);
	id = header;
	str_cut(&id, ':', &header);
	check_round_trip(arena, header, id);
	arena_reset(arena);
	return 0;
}
