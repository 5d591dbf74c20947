/*
 * uri.c -- the few URIs that Postern reads; see uri.h
 */
#include "http/uri.h"

#include "base/buf.h"

#define ALPHA	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT	"0123456789"
#define PCHAR	ALPHA DIGIT "-._~%!$&'()*+,;=:@"

/* The part of *rest before the first of the characters in stops. */
static struct str
until(struct str *rest, const char *stops)
{
	struct str	part = *rest;
	size_t		count = strlen(stops);		/* strchr() would find a NUL as well */

	for (part.n = 0; part.n < rest->n; part.n++) {
		if (memchr(stops, rest->p[part.n], count) != NULL)
			break;
	}
	*rest = str_from(*rest, part.n);
	return part;
}

static bool
is_port(struct str text)
{
	long port;

	return text.n <= 5 && str_to_long(text, &port) && port >= 1 && port <= 65535;
}

/* host [":" port], no user information. */
static bool
parse_authority(struct str authority, struct str *host)
{
	struct str rest = authority;

	if (str_starts_with(rest, STR("["))) {
		*host = until(&rest, "]");
		if (!str_consists_of(str_from(*host, 1), DIGIT "abcdefABCDEF:") || rest.n == 0)
			return false;
		host->n++;
		rest = str_from(rest, 1);
	} else {
		*host = until(&rest, ":");
		if (host->n == 0 || !str_consists_of(*host, ALPHA DIGIT "-._"))
			return false;
	}
	if (rest.n == 0)
		return true;
	return rest.p[0] == ':' && is_port(str_from(rest, 1));
}

bool
uri_parse(struct str text, struct uri *uri)
{
	struct str rest = text, authority;

	*uri = (struct uri){ .origin = STR(""), .host = STR("") };
	uri->scheme = until(&rest, ":");
	if (uri->scheme.n == 0 || rest.n == 0 || !str_consists_of(uri->scheme, ALPHA DIGIT "+-.") ||
	    !str_consists_of(str_first(uri->scheme, 1), ALPHA))
		return false;
	rest = str_from(rest, 1);
	if (str_starts_with(rest, STR("//"))) {
		rest = str_from(rest, 2);
		authority = until(&rest, "/?");
		if (!parse_authority(authority, &uri->host))
			return false;
		uri->origin = (struct str){ text.p, (size_t)(authority.p + authority.n - text.p) };
	}
	uri->path = until(&rest, "?");
	if (!str_consists_of(uri->path, PCHAR "/"))
		return false;
	if (rest.n == 0)
		return true;
	uri->query = str_from(rest, 1);
	return str_consists_of(uri->query, PCHAR "/?");
}

struct str
uri_target_path(struct str target)
{
	struct str rest = target;

	if (str_starts_with(rest, STR("http://")) || str_starts_with(rest, STR("https://"))) {
		rest = str_from(rest, (size_t)str_index(rest, ':') + 3);
		until(&rest, "/?");
	}
	if (!str_starts_with(rest, STR("/")))
		return STR_ABSENT;
	return until(&rest, "?");
}

struct str
uri_source(struct arena *arena, const struct uri *uri)
{
	struct buf source = buf_new(arena, URI_MAX_BYTES);

	if (!str_is_empty(uri->origin))
		return uri->origin;
	buf_add(&source, uri->scheme);
	buf_addc(&source, ':');
	return buf_str(&source);
}

bool
uri_host_is_loopback(struct str host)
{
	return str_equal(host, STR("localhost")) || str_ends_with(host, STR(".localhost")) ||
	    str_equal(host, STR("127.0.0.1")) || str_equal(host, STR("[::1]"));
}
