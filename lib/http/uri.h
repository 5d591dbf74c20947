/*
 * uri.h -- the few URIs that Postern reads: its issuer, redirect URIs, request targets
 *
 * Strict RFC 3986 subset: ASCII without control characters, spaces, quotes,
 * backslashes or user information.  Redirect URIs are compared byte by byte in
 * SQL; nothing here normalises.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "base/str.h"

#define URI_MAX_BYTES	2048

/* Slices of the text that was parsed. */
struct uri {
	struct str	scheme;
	struct str	origin;		/* scheme "://" host [":" port]; empty without authority */
	struct str	host;		/* with brackets for IPv6 */
	struct str	path;		/* may be empty */
	struct str	query;		/* without '?'; absent if there is none */
};

/* An absolute URI without fragment and user information; false if it is not one. */
bool uri_parse(struct str text, struct uri *uri);

/* The path of a request target in origin-form or absolute-form (RFC 9112 section
 * 3.2), raw: nothing is decoded.  Absent if the target is neither. */
struct str uri_target_path(struct str target);

/* The source expression that stands for the URI in a Content-Security-Policy: its
 * origin, or "scheme:" for a private-use scheme.  In the arena. */
struct str uri_source(struct arena *arena, const struct uri *uri);

/* Is the host "localhost", a name below it (RFC 6761), 127.0.0.1 or [::1]? */
bool uri_host_is_loopback(struct str host);

#endif
