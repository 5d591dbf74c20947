/*
 * NAME
 *	metadata -- what this authorization server is and can do
 *
 * DESCRIPTION
 *	GET ISSUER/.well-known/openid-configuration and, for an issuer with a path,
 *	the same document at the host's root with the path behind the well-known
 *	name (RFC 8414 section 3.1).
 *
 *	The document is computed from the tables that the endpoints dispatch on, so
 *	it cannot promise what is not there.
 *
 * SECURITY
 *	Holds no secret.  Its role may call one function, which shows what is public.
 *
 * STANDARDS
 *	RFC 8414; OpenID Connect Discovery 1.0 section 3; RFC 9207 section 3.
 */
#include "endpoint/endpoint.h"
#include "oauth/supported.h"
#include "store/published.h"

static const struct {
	const char	*member;
	const char	*path;
} endpoints[] = {
	{ "authorization_endpoint", "/authorize" },
	{ "token_endpoint", "/token" },
	{ "jwks_uri", "/jwks" },
	{ "userinfo_endpoint", "/userinfo" },
	{ "introspection_endpoint", "/introspect" },		/* RFC 8414 section 2 */
	{ "revocation_endpoint", "/revoke" },
	{ "end_session_endpoint", "/logout" },			/* RP-Initiated Logout section 2.1 */
};

static const struct str true_text = STR_INIT("true"), false_text = STR_INIT("false");
static const struct {
	const char	*member;
	const struct str *value;
} switches[] = {
	{ "authorization_response_iss_parameter_supported", &true_text },	/* RFC 9207 */
	/* Discovery section 3: absent would mean true. */
	{ "request_parameter_supported", &false_text },
	{ "request_uri_parameter_supported", &false_text },
	{ "claims_parameter_supported", &false_text },
};

static const struct str claims[] = {
	STR_INIT("sub"), STR_INIT("iss"), STR_INIT("aud"), STR_INIT("exp"), STR_INIT("iat"), STR_INIT("auth_time"), STR_INIT("nonce"),
	STR_INIT("at_hash"), STR_INIT("sid"), STR_INIT("name"), STR_INIT("preferred_username"), STR_INIT("email"), STR_INIT("email_verified"),
};

#define COUNT(table)	(sizeof(table) / sizeof *(table))
#define LIST(list, count)	list, count
static const struct {
	const char	*member;
	const struct str *list;
	size_t		 count;
} lists[] = {
	{ "response_types_supported", LIST(response_types, RESPONSE__COUNT) },
	{ "response_modes_supported", LIST(response_modes, MODE__COUNT) },
	{ "grant_types_supported", LIST(grant_types, GRANT__COUNT) },
	{ "token_endpoint_auth_methods_supported", LIST(auth_methods, AUTH__COUNT) },
	{ "introspection_endpoint_auth_methods_supported", LIST(auth_methods, AUTH_NONE) },
	{ "revocation_endpoint_auth_methods_supported", LIST(auth_methods, AUTH__COUNT) },
	{ "code_challenge_methods_supported", LIST(challenge_methods, CHALLENGE__COUNT) },
	{ "prompt_values_supported", LIST(prompts, PROMPT__COUNT) },
	{ "subject_types_supported", LIST((const struct str[]){ STR_INIT("public") }, 1) },
	{ "claims_supported", LIST(claims, COUNT(claims)) },
};

static void
add_member(struct buf *json, const char *member)
{
	buf_addc(json, json->n == 0 ? '{' : ',');
	buf_add_json(json, str_of(member));
	buf_addc(json, ':');
}

static void
add_list(struct buf *json, const char *member, const struct str *list, size_t count)
{
	add_member(json, member);
	for (size_t i = 0; i < count; i++) {
		buf_addc(json, i == 0 ? '[' : ',');
		buf_add_json(json, list[i]);
	}
	buf_addc(json, ']');
}

/* A space-separated list; none is an empty array. */
static void
add_words(struct buf *json, const char *member, struct str words)
{
	struct str	word;
	char		separator = '[';

	add_member(json, member);
	while (str_cut(&words, ' ', &word)) {
		buf_addc(json, separator);
		buf_add_json(json, word);
		separator = ',';
	}
	buf_add(json, separator == '[' ? STR("[]") : STR("]"));
}

static enum error
metadata(struct exchange *x)
{
	struct published_metadata published;
	struct buf		  json = buf_new(x->arena, REPLY_MAX_BODY_BYTES);
	enum store_status	  status = published_metadata(x->store, x->arena, &published);

	if (status != STORE_ROWS)
		return exchange_store_failed(x, status);
	add_member(&json, "issuer");
	buf_add_json(&json, x->issuer->url);
	for (size_t i = 0; i < COUNT(endpoints); i++) {
		add_member(&json, endpoints[i].member);
		buf_add_json(&json, issuer_endpoint(x->arena, x->issuer, endpoints[i].path));
	}
	add_words(&json, "scopes_supported", published.scopes);
	for (size_t i = 0; i < COUNT(lists); i++)
		add_list(&json, lists[i].member, lists[i].list, lists[i].count);
	add_words(&json, "id_token_signing_alg_values_supported", published.algorithms);
	for (size_t i = 0; i < COUNT(switches); i++) {
		add_member(&json, switches[i].member);
		buf_add(&json, *switches[i].value);
	}
	buf_addc(&json, '}');
	reply_header(&x->reply, "Cache-Control", STR("public, max-age=300"));
	exchange_json(x, 200, buf_str(&json));
	return ERROR_NONE;
}

/* Below the issuer (Discovery section 4), or inserted before its path (RFC 8414). */
static bool
serves(const struct issuer *issuer, struct str path)
{
	static const struct str documents[] = {
		STR_INIT("/.well-known/openid-configuration"),
		STR_INIT("/.well-known/oauth-authorization-server"),
	};

	for (size_t i = 0; i < COUNT(documents); i++) {
		size_t n = documents[i].n, m = issuer->path.n;

		if (path.n != n + m)
			continue;
		if (str_starts_with(path, documents[i]) && str_equal(str_from(path, n), issuer->path))
			return true;
		if (str_starts_with(path, issuer->path) && str_equal(str_from(path, m), documents[i]))
			return true;
	}
	return false;
}

static const struct endpoint endpoint = {
	.name = "metadata",
	.serves = serves,
	.methods = METHOD_GET | METHOD_HEAD,
	.cors = true,
	.cacheable = true,
	.handle = metadata,
	.fail = exchange_fail_json,
};

int
main(int argc, char **argv)
{
	return endpoint_main(argc, argv, &endpoint);
}
