/*
 * web.h -- the web server, asked as a client would ask it
 *
 * By libcurl: TLS is verified, no redirect is followed, no proxy is used.
 */
#ifndef SBIN_WEB_H
#define SBIN_WEB_H

#include "base/str.h"

#include <time.h>

#define WEB_MAX_BODY_BYTES	((size_t)256 * 1024)
#define WEB_MAX_HEADER_BYTES	((size_t)32 * 1024)
#define WEB_CONNECT_SECONDS	5L
#define WEB_ANSWER_SECONDS	15L

struct web;

struct web_request {
	const char	*path;		/* below the issuer; from_root: below its host */
	const char	*method;	/* NULL: GET, or POST if there is a body */
	const char	*body;		/* a form; NULL: none */
	const char	*headers[2];	/* whole lines */
	bool		 from_root;
};

struct web_reply {
	long		 status;
	struct str	 headers;	/* as they came, each with its end of line */
	struct str	 body;
	double		 asked_at;	/* own clock, in seconds since 1970 */
	double		 answered_at;
};

/* Prepare to ask the server of an issuer: at url (scheme, host, port) if that is not
 * NULL, but under the issuer's name; and see that it answers at all.  NULL after writing
 * what is wrong to problem[0 .. size-1].  Lives and ends with the arena. */
struct web *web_open(struct arena *arena, struct str issuer, const char *url, char *problem, size_t size);

/* The path of the issuer: empty, or "/auth". */
struct str web_path(const struct web *web);

/* The answer to one request, in the arena.  False if none came: problem says why. */
bool web_ask(struct web *web, const struct web_request *request, struct web_reply *reply,
	char *problem, size_t size);

/* The value of the first header of this name; absent if there is none. */
struct str web_header(const struct web_reply *reply, struct str name);

#endif
