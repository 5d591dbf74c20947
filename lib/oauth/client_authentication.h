/*
 * client_authentication.h -- who a client says it is, and how it proves it
 *
 * Reads the request only; whether the proof is right is decided in SQL, together
 * with what the client asks for (RFC 6749 section 2.3, RFC 9700 section 2.5).
 */
#ifndef OAUTH_CLIENT_AUTHENTICATION_H
#define OAUTH_CLIENT_AUTHENTICATION_H

#include "http/request.h"
#include "oauth/supported.h"
#include "store/token.h"

#define CLIENT_ID_MAX_BYTES	255
#define CLIENT_SECRET_MAX_BYTES	1024

struct client_authentication {
	struct client_proof	proof;		/* points into this struct */
	struct sha256		secret;
	bool			used_basic;	/* a failure must name the Basic scheme */
};

/* What the body says of the client. */
struct client_parameters {
	struct str	id;		/* client_id */
	struct str	secret;		/* client_secret */
	struct str	assertion;	/* client_assertion (RFC 7521 section 4.2): not offered, */
					/* and so refused instead of ignored */
};

/* What the request brings: HTTP Basic (form-encoded inside), client_id and
 * client_secret in the body, or client_id alone.  More than one method, or none,
 * is an error (SEC-CLI-03); *description says which, as constant text. */
enum error client_authentication_read(struct arena *arena, const struct request *request,
    const struct client_parameters *parameters, struct client_authentication *out,
    const char **description) MUST_USE;

#endif
