/*
 * request.h -- one HTTP request as CGI and FastCGI describe it
 *
 * Only the variables below are ever looked at; what names this server (HTTP_HOST,
 * SERVER_NAME, HTTPS, SCRIPT_NAME, PATH_INFO, X-Forwarded-*) or its user
 * (REMOTE_USER) is not among them, because a client can form it.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "http/form.h"

#define REQUEST_MAX_VARIABLES		100
#define REQUEST_MAX_VARIABLE_BYTES	8192
#define REQUEST_MAX_VARIABLES_BYTES	65536	/* all together */
#define REQUEST_MAX_BODY_BYTES		65536

enum variable {
	VARIABLE_METHOD,		/* REQUEST_METHOD */
	VARIABLE_TARGET,		/* REQUEST_URI, raw */
	VARIABLE_QUERY,			/* QUERY_STRING */
	VARIABLE_CONTENT_TYPE,
	VARIABLE_CONTENT_LENGTH,
	VARIABLE_CONTENT_TYPE_HEADER,	/* HTTP_CONTENT_TYPE: nginx takes the first of two for CONTENT_TYPE, */
					/* and only here is to be seen that there were two */
	VARIABLE_AUTHORIZATION,		/* HTTP_AUTHORIZATION, else what Apache's rewriting calls it */
	VARIABLE_COOKIE,
	VARIABLE_ORIGIN,
	VARIABLE_FETCH_SITE,		/* Sec-Fetch-Site */
	VARIABLE_USER_AGENT,
	VARIABLE_PREFLIGHT_METHOD,	/* Access-Control-Request-Method */
	VARIABLE_ADDRESS,		/* REMOTE_ADDR */
	VARIABLE_REQUIRE_AUDIENCE,	/* POSTERN_REQUIRE_AUDIENCE: set by the web server for guard; */
	VARIABLE_REQUIRE_SCOPE,		/* no client header can form a name without HTTP_ */
	VARIABLE__COUNT
};

enum method { METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4, METHOD_OPTIONS = 8, METHOD_OTHER = 16 };

/* Where the body comes from: reads at most n octets, 0 at the end, -1 on failure. */
struct body_source {
	long	(*read)(void *context, char *place, size_t n);
	void	*context;
};

struct request {
	struct str	variable[VARIABLE__COUNT];
	enum method	method;
	struct str	body;
	struct str	parameter[FORM_MAX_PARAMETERS];
	struct form_fault fault;
};

/* Copy the variables that matter into the arena.  Refuses too many, too large,
 * and any of them that comes twice (SEC-HTTP-02, SEC-HTTP-05). */
enum error request_read_variables(struct arena *arena, struct request *request,
    char *const *environment) MUST_USE;

/* Read the body: exactly CONTENT_LENGTH octets, or up to the cap when the server
 * gives no length (absent or -1: Apache CGI and Caddy with chunked). */
enum error request_read_body(struct arena *arena, struct request *request,
    const struct body_source *source) MUST_USE;

/* A variable as text to keep or to show: headers may hold any octets, and what is
 * not UTF-8 counts as not sent. */
struct str request_text(const struct request *request, enum variable which);

/* Does the request announce no body? */
bool request_is_empty(const struct request *request);

/* Is the body application/x-www-form-urlencoded (charset absent or UTF-8)? */
bool request_has_form(const struct request *request);

/* The value of a cookie (RFC 6265 section 5.4); absent if it is missing, quoted,
 * or there twice: then nobody knows which is ours. */
struct str request_cookie(const struct request *request, struct str name);

/* Credentials of the given scheme ("Basic", "Bearer"), the part after it; absent
 * if there are none or of another scheme.  A comma means that the web server has
 * joined two headers: *malformed is set. */
struct str request_credentials(const struct request *request, struct str scheme, bool *malformed);

#endif
