/*
 * web.c -- the web server, asked as a client would ask it; see web.h
 */
#include "web.h"

#include "base/buf.h"
#include "http/uri.h"

#include <curl/curl.h>

#define URL_MAX_BYTES	2048

struct web {
	struct arena		*arena;
	CURL			*curl;
	struct curl_slist	*connect_to;	/* NULL: where the name says */
	const char		*origin;	/* of every request */
	struct str		 path;
};

static void
close_web(void *object)
{
	struct web *web = object;

	curl_easy_cleanup(web->curl);
	curl_slist_free_all(web->connect_to);
	curl_global_cleanup();
}

/* scheme://host:port from url, with the name from the issuer: what is connected to is
 * one thing, what is asked for another. */
static bool
choose_address(struct web *web, const struct uri *issuer, const char *url)
{
	struct uri	 at;
	struct buf	 origin = buf_new(web->arena, URL_MAX_BYTES), target = buf_new(web->arena, URL_MAX_BYTES);
	struct str	 authority;
	bool		 has_port;

	if (!uri_parse(str_of(url), &at) || (!str_equal(at.scheme, STR("http")) && !str_equal(at.scheme, STR("https"))) ||
	    str_is_empty(at.host) || !(str_is_empty(at.path) || str_equal(at.path, STR("/"))) || !str_is_absent(at.query))
		return false;
	buf_add(&origin, at.scheme);
	buf_add(&origin, str_from(issuer->origin, issuer->scheme.n));
	authority = str_from(at.origin, at.scheme.n + 3);
	has_port = authority.n > at.host.n;
	buf_add(&target, STR("::"));
	buf_add(&target, authority);
	if (!has_port)
		buf_add(&target, str_equal(at.scheme, STR("https")) ? STR(":443") : STR(":80"));
	web->origin = str_z(web->arena, buf_str(&origin));
	web->connect_to = curl_slist_append(NULL, str_z(web->arena, buf_str(&target)));
	return web->connect_to != NULL;
}

struct web *
web_open(struct arena *arena, struct str issuer, const char *url, char *problem, size_t size)
{
	struct web	*web = arena_alloc(arena, sizeof *web);
	struct web_reply reply;
	struct uri	 uri;

	if (!uri_parse(issuer, &uri) || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		snprintf(problem, size, "%.*s is no issuer", STR_ARG(issuer));
		return NULL;
	}
	*web = (struct web){ .arena = arena, .path = uri.path, .origin = str_z(arena, uri.origin) };
	web->curl = curl_easy_init();
	arena_bind(arena, web, close_web);
	if (web->curl == NULL || (url != NULL && !choose_address(web, &uri, url))) {
		snprintf(problem, size, "--url is a scheme, a host and a port: http://127.0.0.1:8080");
		return NULL;
	}
	return web_ask(web, &(struct web_request){ .path = "/jwks" }, &reply, problem, size) ? web : NULL;
}

struct str
web_path(const struct web *web)
{
	return web->path;
}

static size_t
collect(char *data, size_t size, size_t n, void *place)
{
	struct buf *buf = place;

	buf_add(buf, (struct str){ data, size * n });
	return buf->overflowed ? 0 : size * n;	/* 0 ends the transfer with an error */
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
prepare(struct web *web, const struct web_request *request, const char *url, struct buf *headers, struct buf *body)
{
	CURL *curl = web->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, WEB_CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, WEB_ANSWER_SECONDS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "postern-check/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECT_TO, web->connect_to);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, headers);
	if (request->body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	if (request->method != NULL)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

bool
web_ask(struct web *web, const struct web_request *request, struct web_reply *reply, char *problem, size_t size)
{
	char			 said[CURL_ERROR_SIZE] = "";
	struct buf		 url = buf_new(web->arena, URL_MAX_BYTES);
	struct buf		 headers = buf_new(web->arena, WEB_MAX_HEADER_BYTES), body = buf_new(web->arena, WEB_MAX_BODY_BYTES);
	struct str		 base = request->from_root ? STR("") : web->path;
	struct curl_slist	*lines = NULL;
	CURLcode		 code;

	buf_addf(&url, "%s%.*s%s", web->origin, STR_ARG(base), request->path);
	prepare(web, request, str_z(web->arena, buf_str(&url)), &headers, &body);
	for (size_t i = 0; i < sizeof request->headers / sizeof *request->headers && request->headers[i] != NULL; i++)
		lines = curl_slist_append(lines, request->headers[i]);
	curl_easy_setopt(web->curl, CURLOPT_HTTPHEADER, lines);
	curl_easy_setopt(web->curl, CURLOPT_ERRORBUFFER, said);
	*reply = (struct web_reply){ .asked_at = seconds() };
	code = curl_easy_perform(web->curl);
	reply->answered_at = seconds();
	curl_easy_setopt(web->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(lines);
	if (code != CURLE_OK) {
		snprintf(problem, size, "%.*s: %s", STR_ARG(buf_str(&url)), *said == '\0' ? curl_easy_strerror(code) : said);
		return false;
	}
	curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	reply->headers = buf_str(&headers);
	reply->body = buf_str(&body);
	return true;
}

struct str
web_header(const struct web_reply *reply, struct str name)
{
	struct str rest = reply->headers, line;

	while (str_cut(&rest, '\n', &line)) {
		struct str value = line, field;

		if (!str_cut(&value, ':', &field) || str_is_absent(value) || !str_equal_ignoring_case(field, name))
			continue;
		while (value.n > 0 && (value.p[0] == ' ' || value.p[0] == '\t'))
			value = str_from(value, 1);
		while (value.n > 0 && (value.p[value.n - 1] == '\r' || value.p[value.n - 1] == ' '))
			value.n--;
		return value;
	}
	return STR_ABSENT;
}
