/*
 * supported.h -- what this server can do, by its registered names
 *
 * One list for each kind: endpoints dispatch on it, and metadata prints it, so
 * that discovery tells the truth.
 */
#ifndef OAUTH_SUPPORTED_H
#define OAUTH_SUPPORTED_H

#include "base/str.h"

enum grant_type { GRANT_AUTHORIZATION_CODE, GRANT_REFRESH_TOKEN, GRANT_CLIENT_CREDENTIALS, GRANT__COUNT };
extern const struct str grant_types[GRANT__COUNT];

enum auth_method { AUTH_SECRET_BASIC, AUTH_SECRET_POST, AUTH_NONE, AUTH__COUNT };
extern const struct str auth_methods[AUTH__COUNT];

enum response_type { RESPONSE_CODE, RESPONSE__COUNT };
extern const struct str response_types[RESPONSE__COUNT];

enum response_mode { MODE_QUERY, MODE__COUNT };
extern const struct str response_modes[MODE__COUNT];

enum challenge_method { CHALLENGE_S256, CHALLENGE__COUNT };
extern const struct str challenge_methods[CHALLENGE__COUNT];

enum prompt { PROMPT_NONE, PROMPT_LOGIN, PROMPT_CONSENT, PROMPT_SELECT_ACCOUNT, PROMPT__COUNT };
extern const struct str prompts[PROMPT__COUNT];

/* The place of name in one of these lists; count if it is not there. */
size_t supported_find(const struct str *list, size_t count, struct str name);

#endif
