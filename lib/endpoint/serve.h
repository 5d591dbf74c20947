/*
 * serve.h -- from raw request to sent reply, for both CGI and FastCGI
 */
#ifndef ENDPOINT_SERVE_H
#define ENDPOINT_SERVE_H

#include "endpoint/config.h"
#include "endpoint/endpoint.h"

/* What a process keeps from request to request. */
struct server {
	const struct endpoint		*endpoint;
	const struct config		*config;
	const struct template_set	*templates;
	struct arena			*arena;		/* of the request */
	struct arena			*lasting;	/* of the process: the issuer */
	struct store			*store;		/* NULL: the database is away */
	struct issuer			 issuer;
	bool				 leave;		/* end after this request */
	unsigned			 until_sweep;	/* requests */
	bool				 answered;	/* a reply has been sent, or its beginning */
};

/* One request in so many is followed by a sweep of so many rows of each table: more than
 * a request leaves behind, and done before anybody would notice. */
#define SERVE_SWEEP_REQUESTS	128
#define SERVE_SWEEP_ROWS	200

/* Connect, and read the issuer.  On failure server->store stays NULL and requests
 * are answered with 503. */
void server_connect(struct server *server);

/* Where the reply goes: writes all n octets or returns false. */
struct reply_sink {
	bool	(*write)(void *context, const char *text, size_t n);
	void	*context;
};

/* Serve one request and write one log line.  The arena is reset afterwards. */
void serve(struct server *server, char *const *environment, const struct body_source *body,
    const struct reply_sink *sink);

/* After a request, when its reply has been sent: sweep if this endpoint does that and it
 * is time. */
void server_sweep(struct server *server);

#endif
