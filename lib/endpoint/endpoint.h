/*
 * endpoint.h -- the one main() of every program in cgi-bin
 *
 * An endpoint is a table entry and a handler.  endpoint_main() does the rest:
 * configuration, templates, workers, connection, sandbox, accept loop, limits,
 * path and method, parameters, the mapping of errors, the log line.
 */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include "endpoint/exchange.h"

struct endpoint {
	const char		*name;		/* of the program; role = prefix + name */
	const char		*path;		/* below the issuer; NULL: see serves */
	bool			 (*serves)(const struct issuer *issuer, struct str path);
	unsigned		 methods;	/* enum method, or-ed */
	bool			 cors;		/* any origin, without credentials */
	bool			 cacheable;	/* the handler sets Cache-Control */
	bool			 fastcgi_only;
	bool			 optional_body;	/* a POST may come without one */
	bool			 sweeps;	/* takes out expired rows now and then */
	void			 (*prepare)(void); /* before workers are started; NULL: nothing */
	const struct parameter	*parameters;	/* from the body of a POST, else the query */
	size_t			 parameter_count;
	bool			 reports_faults; /* the handler looks at request.fault itself */
	const char *const	*templates;	/* file names, NULL at the end; NULL: no pages */
	enum error		 (*handle)(struct exchange *x);
	void			 (*fail)(struct exchange *x, enum error error);
};

#define METHOD_ANY	(METHOD_GET | METHOD_HEAD | METHOD_POST | METHOD_OPTIONS | METHOD_OTHER)

/* Run the endpoint as CGI or FastCGI, whichever this process was started as. */
int endpoint_main(int argc, char **argv, const struct endpoint *endpoint);

#endif
