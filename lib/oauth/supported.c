/*
 * supported.c -- what this server can do; see supported.h
 */
#include "oauth/supported.h"

/* RFC 7591 section 2 */
const struct str grant_types[GRANT__COUNT] = {
	[GRANT_AUTHORIZATION_CODE] = STR_INIT("authorization_code"),
	[GRANT_REFRESH_TOKEN] = STR_INIT("refresh_token"),
	[GRANT_CLIENT_CREDENTIALS] = STR_INIT("client_credentials"),
};

/* RFC 7591 section 2 */
const struct str auth_methods[AUTH__COUNT] = {
	[AUTH_SECRET_BASIC] = STR_INIT("client_secret_basic"),
	[AUTH_SECRET_POST] = STR_INIT("client_secret_post"),
	[AUTH_NONE] = STR_INIT("none"),
};

/* RFC 6749 section 3.1.1 */
const struct str response_types[RESPONSE__COUNT] = {
	[RESPONSE_CODE] = STR_INIT("code"),
};

/* OAuth 2.0 Multiple Response Type Encoding Practices section 2.1 */
const struct str response_modes[MODE__COUNT] = {
	[MODE_QUERY] = STR_INIT("query"),
};

/* RFC 7636 section 4.2; plain is not offered (RFC 9700 section 2.1.1) */
const struct str challenge_methods[CHALLENGE__COUNT] = {
	[CHALLENGE_S256] = STR_INIT("S256"),
};

/* OpenID Connect Core section 3.1.2.1 */
const struct str prompts[PROMPT__COUNT] = {
	[PROMPT_NONE] = STR_INIT("none"),
	[PROMPT_LOGIN] = STR_INIT("login"),
	[PROMPT_CONSENT] = STR_INIT("consent"),
	[PROMPT_SELECT_ACCOUNT] = STR_INIT("select_account"),
};

size_t
supported_find(const struct str *list, size_t count, struct str name)
{
	size_t i = 0;

	while (i < count && !str_equal(list[i], name))
		i++;
	return i;
}
