/*
 * NAME
 *	jwks -- the public keys that our signatures are verified with
 *
 * DESCRIPTION
 *	GET ISSUER/jwks answers with a JSON Web Key Set: every key that signs now,
 *	will sign, or has signed and is not retired.
 *
 * SECURITY
 *	Holds no secret.  Its role may call one function, which shows the public
 *	halves; a private member cannot be in that column (a constraint).
 *
 * STANDARDS
 *	RFC 7517 section 5; OpenID Connect Discovery section 3 (jwks_uri).
 */
#include "endpoint/endpoint.h"
#include "store/published.h"

static enum error
jwks(struct exchange *x)
{
	const struct store_rows	*rows;
	struct buf		 json = buf_new(x->arena, REPLY_MAX_BODY_BYTES);
	enum store_status	 status = published_keys(x->store, x->arena, &rows);

	if (status != STORE_ROWS && status != STORE_NONE)
		return exchange_store_failed(x, status);
	buf_add(&json, STR("{\"keys\":["));
	for (size_t i = 0; i < store_count(rows); i++) {
		if (i > 0)
			buf_addc(&json, ',');
		buf_add(&json, store_get(rows, i, 0));
	}
	buf_add(&json, STR("]}"));
	reply_header(&x->reply, "Cache-Control", STR("public, max-age=300"));
	reply_with(&x->reply, 200, "application/jwk-set+json", buf_str(&json));
	return ERROR_NONE;
}

static const struct endpoint endpoint = {
	.name = "jwks",
	.path = "/jwks",
	.methods = METHOD_GET | METHOD_HEAD,
	.cors = true,
	.cacheable = true,
	.handle = jwks,
	.fail = exchange_fail_json,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
