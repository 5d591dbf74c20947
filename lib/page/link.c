/*
 * link.c -- which addresses a page may name; see link.h
 */
#include "page/link.h"

#define LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

/* RFC 3986 section 2: unreserved, gen-delims, sub-delims, "%". */
static const char url_set[] = LETTERS DIGITS "-._~" ":/?#[]@" "!$&'()*+,;=" "%";
static const char name_set[] = LETTERS DIGITS "-.";
static const char address_set[] = DIGITS "abcdefABCDEF:.";

static const struct str loopback_hosts[] = {
	STR_INIT("localhost"),
	STR_INIT("127.0.0.1"),
	STR_INIT("[::1]"),
};

/* Cut "host" or "[address]" off the front of an authority. */
static bool
cut_host(struct str *authority, struct str *host)
{
	const char	*set = name_set;
	size_t		 n = 0, open = 0;

	if (str_starts_with(*authority, STR("["))) {
		set = address_set;
		open = 1;
	}
	while (open + n < authority->n && strchr(set, authority->p[open + n]) != NULL)
		n++;
	if (n == 0)
		return false;
	if (open == 1 && !str_starts_with(str_from(*authority, n + 1), STR("]")))
		return false;
	*host = str_first(*authority, n + 2 * open);
	*authority = str_from(*authority, n + 2 * open);
	return true;
}

/* Nothing, or ":" and at most five digits (RFC 3986 section 3.2.3). */
static bool
is_port(struct str port)
{
	if (str_is_empty(port))
		return true;
	return port.p[0] == ':' && port.n >= 2 && port.n <= 6 &&
	    str_consists_of(str_from(port, 1), DIGITS);
}

static bool
is_loopback(struct str host)
{
	for (size_t i = 0; i < sizeof loopback_hosts / sizeof *loopback_hosts; i++) {
		if (str_equal_ignoring_case(host, loopback_hosts[i]))
			return true;
	}
	/* Names below localhost are loopback as well (RFC 6761 section 6.3). */
	return str_ends_with(host, STR(".localhost"));
}

/* What follows "https://" or "http://": host, port, then a path, query, fragment
 * or the end. */
static bool
is_place(struct str rest, bool only_loopback)
{
	struct str	authority, host;
	size_t		n = 0;

	while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
		n++;
	authority = str_first(rest, n);
	if (!cut_host(&authority, &host) || !is_port(authority))
		return false;
	return !only_loopback || is_loopback(host);
}

bool
link_is_allowed(struct str url)
{
	static const struct str https = STR_INIT("https://"), http = STR_INIT("http://");

	if (str_is_empty(url) || url.n > LINK_MAX_BYTES || !str_consists_of(url, url_set))
		return false;
	if (url.p[0] == '/')
		return url.n == 1 || url.p[1] != '/';
	if (str_equal_ignoring_case(str_first(url, https.n), https))
		return is_place(str_from(url, https.n), false);
	if (str_equal_ignoring_case(str_first(url, http.n), http))
		return is_place(str_from(url, http.n), true);
	return false;
}
