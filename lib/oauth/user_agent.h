/*
 * user_agent.h -- a browser's name for people
 */
#ifndef OAUTH_USER_AGENT_H
#define OAUTH_USER_AGENT_H

#include "base/str.h"

/* "Firefox on Linux" from a User-Agent header (RFC 9110 section 10.1.5), as well as
 * one can tell; constant text. */
struct str user_agent_name(struct str header);

#endif
