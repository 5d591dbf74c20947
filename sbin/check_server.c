/*
 * check_server.c -- postern check: what the running web server answers
 *
 * Requests that change nothing, and whose right answers are known.  What a web server
 * does with a request on its way to a program is told by the difference between two
 * answers: with a header and without it.
 */
#include "inspection.h"

#include "base/json.h"
#include "database.h"
#include "web.h"

#include <curl/curl.h>

#define SKEW_WARNING_SECONDS	5.0
#define SKEW_ERROR_SECONDS	60.0
#define PROBLEM_BYTES		DATABASE_PROBLEM_BYTES

/* What an answer is about, for messages. */
static const char *
name_of(struct inspection *inspection, const struct web_request *request)
{
	struct str  base = request->from_root ? STR("") : web_path(inspection->web);
	const char *method = request->method != NULL ? request->method : request->body != NULL ? "POST" : "GET";

	return text(inspection, "%s %.*s%s", method, STR_ARG(base), request->path);
}

/* False after saying that no answer came. */
static bool
ask(struct inspection *inspection, const struct web_request *request, struct web_reply *reply)
{
	char problem[PROBLEM_BYTES];

	if (web_ask(inspection->web, request, reply, problem, sizeof problem))
		return true;
	found(inspection, LEVEL_ERROR, "look into the web server's log", "%s: %s", name_of(inspection, request), problem);
	return false;
}

/* Does the program say the same to both?  What the web server says itself, because there is
 * no program or it does not answer, is found by the check "endpoints". */
static bool
same_answer(const struct web_reply *a, const struct web_reply *b)
{
	return a->status != 404 && a->status < 500 && a->status == b->status && str_equal(a->body, b->body) &&
	    str_equal(web_header(a, STR("WWW-Authenticate")), web_header(b, STR("WWW-Authenticate")));
}

/* --- is the right program at each path? ------------------------------------- */

/* What an endpoint answers to a request without anything in it. */
static const struct probe {
	const char	*program;
	const char	*body;		/* NULL: GET */
	long		 status;
	struct str	 media_type;	/* what it begins with; absent: none */
} probes[] = {
	{ "authorize", NULL, 400, STR_INIT("text/html") },
	{ "login", NULL, 200, STR_INIT("text/html") },
	{ "consent", NULL, 400, STR_INIT("text/html") },
	{ "account", NULL, 303, STR_INIT("") },
	{ "logout", NULL, 200, STR_INIT("text/html") },
	{ "userinfo", NULL, 401, STR_INIT("") },
	{ "token", "grant_type=client_credentials", 401, STR_INIT("application/json") },
	{ "introspect", "token=x", 401, STR_INIT("application/json") },
	{ "revoke", "token=x", 401, STR_INIT("application/json") },
	{ "jwks", NULL, 200, STR_INIT("application/jwk-set+json") },
};

/* Is the reply one that a program of Postern has made? */
static bool
is_ours(const struct web_reply *reply)
{
	return str_equal(web_header(reply, STR("Referrer-Policy")), STR("no-referrer")) &&
	    !str_is_absent(web_header(reply, STR("Content-Security-Policy")));
}

static bool
is_expected(const struct probe *probe, const struct web_reply *reply)
{
	struct str type = web_header(reply, STR("Content-Type"));

	return reply->status == probe->status && str_starts_with(type, probe->media_type);
}

static void
explain(struct inspection *inspection, const struct probe *probe, const char *what, const struct web_reply *reply)
{
	const char *program = probe->program;
	struct str  location = web_header(reply, STR("Location"));

	if (reply->status == 503 && is_ours(reply))
		found(inspection, LEVEL_ERROR, "its log says why: the role, pg_hba.conf, its password file, or no issuer",
		    "%s: %s runs but cannot use the database (503)", what, program);
	else if (is_ours(reply) && reply->status == 404)
		found(inspection, LEVEL_ERROR, text(inspection, "run %s at this path", program),
		    "%s: a program of Postern answers there, but not %s", what, program);
	else if (reply->status >= 500)
		found(inspection, LEVEL_ERROR, "start the program, and look into the web server's log",
		    "%s: the web server gets no answer from %s (%ld)", what, program, reply->status);
	else if (reply->status / 100 == 3)
		found(inspection, LEVEL_ERROR, "the issuer's URL must be served as it stands in postern.issuer",
		    "%s: is redirected to %.*s (%ld)", what, STR_ARG(location), reply->status);
	else if (reply->status == 404 || reply->status == 405 || reply->status == 403)
		found(inspection, LEVEL_ERROR, text(inspection, "run %s at this path; conf/ has tested configurations", program),
		    "%s: the web server has no program there (%ld)", what, reply->status);
	else
		found(inspection, LEVEL_ERROR, text(inspection, "run %s at this path, and let the request's body pass", program),
		    "%s: the answer is not %s's (%ld, %.*s)", what, program, reply->status,
		    STR_ARG(web_header(reply, STR("Content-Type"))));
}

static void
check_endpoints(struct inspection *inspection)
{
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
		struct web_request request = { .path = text(inspection, "/%s", probes[i].program), .body = probes[i].body };
		struct web_reply   reply;

		if (ask(inspection, &request, &reply) && !is_expected(&probes[i], &reply))
			explain(inspection, &probes[i], name_of(inspection, &request), &reply);
	}
}

/* --- metadata ---------------------------------------------------------------- */

static void
check_document(struct inspection *inspection, const struct web_request *request)
{
	static const char	 hint[] = "the web server runs metadata at both of its paths; conf/ has tested configurations";
	const char		*what = name_of(inspection, request);
	struct web_reply	 reply;
	struct json_object	*document;
	struct str		 issuer;

	if (!ask(inspection, request, &reply))
		return;
	document = reply.status == 200 ? json_parse(inspection->arena, reply.body) : NULL;
	issuer = json_member_string(document, "issuer");
	if (str_is_absent(issuer))
		found(inspection, LEVEL_ERROR, hint, "%s: there is no metadata (%ld)", what, reply.status);
	else if (!str_equal(issuer, inspection->issuer))
		found(inspection, LEVEL_ERROR, "the web server's programs use another database: see database in their postern.conf",
		    "%s: the issuer is %.*s there, and %.*s in the database", what, STR_ARG(issuer), STR_ARG(inspection->issuer));
}

/* OpenID Connect Discovery section 4 puts its path behind the issuer's, RFC 8414
 * section 3.1 before it; for an issuer without a path it is the same place. */
static void
check_metadata(struct inspection *inspection)
{
	struct str path = web_path(inspection->web);

	check_document(inspection, &(struct web_request){ .path = "/.well-known/openid-configuration" });
	check_document(inspection, &(struct web_request){ .from_root = true,
	    .path = text(inspection, "/.well-known/oauth-authorization-server%.*s", STR_ARG(path)) });
}

/* --- keys --------------------------------------------------------------------- */

static bool
publishes(struct json_object *keys, struct str kid)
{
	for (size_t i = 0; i < json_array_length(keys); i++) {
		if (str_equal(json_member_string(json_element(keys, i), "kid"), kid))
			return true;
	}
	return false;
}

static void
check_published_keys(struct inspection *inspection)
{
	const struct web_request request = { .path = "/jwks" };
	struct web_reply	 reply;
	struct json_object	*keys;
	PGresult		*kids;

	if (!ask(inspection, &request, &reply) || reply.status != 200)
		return;		/* the check "endpoints" tells */
	keys = json_member(json_parse(inspection->arena, reply.body), "keys");
	kids = PQexec(inspection->connection, "SELECT k.kid FROM postern.signing_key k WHERE k.retired_at IS NULL");
	for (int row = 0; row < PQntuples(kids); row++) {
		struct str kid = str_of(PQgetvalue(kids, row, 0));

		if (!publishes(keys, kid))
			found(inspection, LEVEL_ERROR,
			    "the web server's programs use another database, or a cache in front of them is older than five minutes",
			    "the key %.*s is not published", STR_ARG(kid));
	}
	PQclear(kids);
}

/* --- what is lost on the way in ------------------------------------------------ */

static void
check_authorization(struct inspection *inspection)
{
	static const char		 hint[] = "Apache: CGIPassAuth On; else pass it to the programs as HTTP_AUTHORIZATION";
	static const struct {
		const char		*scheme;
		struct web_request	 with, without;
	} cases[] = {
		{ "Bearer", { .path = "/userinfo", .headers = { "Authorization: Bearer postern-check" } }, { .path = "/userinfo" } },
		/* "postern-check:" in base64 */
		{ "Basic", { .path = "/token", .body = "grant_type=client_credentials", .headers = { "Authorization: Basic cG9zdGVybi1jaGVjazo=" } },
		    { .path = "/token", .body = "grant_type=client_credentials" } },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct web_reply with, without;

		if (!ask(inspection, &cases[i].with, &with) || !ask(inspection, &cases[i].without, &without))
			continue;
		if (same_answer(&with, &without))
			found(inspection, LEVEL_ERROR, hint, "%s: the header Authorization (%s) does not reach the program",
			    name_of(inspection, &cases[i].with), cases[i].scheme);
	}
}

/* A repeated parameter is told from none. */
static void
check_query(struct inspection *inspection)
{
	const struct web_request with = { .path = "/authorize?client_id=postern&client_id=check" }, without = { .path = "/authorize" };
	struct web_reply	 one, other;

	if (ask(inspection, &with, &one) && ask(inspection, &without, &other) && same_answer(&one, &other))
		found(inspection, LEVEL_ERROR, "pass the query as QUERY_STRING, and the target of the request as REQUEST_URI",
		    "%s: the query does not reach the program", name_of(inspection, &with));
}

/* --- what is lost on the way out ------------------------------------------------ */

static const struct expected_header {
	struct web_request	request;
	struct str		name;
	const char		*holds;		/* a part of its value */
	bool			 with_tls;	/* only if the issuer is https */
} expected_headers[] = {
	{ { .path = "/login" }, STR_INIT("Content-Security-Policy"), "frame-ancestors 'none'", false },
	{ { .path = "/login" }, STR_INIT("X-Content-Type-Options"), "nosniff", false },
	{ { .path = "/login" }, STR_INIT("X-Frame-Options"), "DENY", false },
	{ { .path = "/login" }, STR_INIT("Referrer-Policy"), "no-referrer", false },
	{ { .path = "/login" }, STR_INIT("Cache-Control"), "no-store", false },
	{ { .path = "/login" }, STR_INIT("Set-Cookie"), "HttpOnly", false },
	{ { .path = "/login" }, STR_INIT("Strict-Transport-Security"), "max-age=", true },
	{ { .path = "/userinfo" }, STR_INIT("WWW-Authenticate"), "Bearer", false },
	{ { .path = "/token", .body = "grant_type=client_credentials" }, STR_INIT("WWW-Authenticate"), "Basic", false },
	{ { .path = "/token", .body = "grant_type=client_credentials" }, STR_INIT("Cache-Control"), "no-store", false },
	{ { .path = "/jwks", .headers = { "Origin: https://app.example" } }, STR_INIT("Access-Control-Allow-Origin"), "*", false },
	{ { .path = "/token", .method = "OPTIONS", .headers = { "Origin: https://app.example", "Access-Control-Request-Method: POST" } },
	  STR_INIT("Access-Control-Allow-Headers"), "Authorization", false },
};

static void
check_header(struct inspection *inspection, const struct expected_header *expected)
{
	static const char hint[] = "do not remove or replace it in the web server (proxy_hide_header, Header unset, ...)";
	struct web_reply  reply;
	struct str	  value;

	if (expected->with_tls && !str_starts_with(inspection->issuer, STR("https:")))
		return;
	if (!ask(inspection, &expected->request, &reply) || reply.status == 404 || reply.status >= 500)
		return;		/* the check "endpoints" tells */
	value = web_header(&reply, expected->name);
	if (str_is_absent(value))
		found(inspection, LEVEL_ERROR, hint, "%s: the header %.*s is lost", name_of(inspection, &expected->request), STR_ARG(expected->name));
	else if (strstr(str_z(inspection->arena, value), expected->holds) == NULL)
		found(inspection, LEVEL_ERROR, hint, "%s: the header %.*s is \"%.*s\", not \"%s\"", name_of(inspection, &expected->request),
		    STR_ARG(expected->name), STR_ARG(value), expected->holds);
}

static void
check_headers(struct inspection *inspection)
{
	for (size_t i = 0; i < sizeof expected_headers / sizeof *expected_headers; i++)
		check_header(inspection, &expected_headers[i]);
}

/* --- what must not be there -------------------------------------------------------- */

/* On a shared host the programs and their files may lie below a document root. */
static void
check_exposure(struct inspection *inspection)
{
	static const char *const paths[] = { "/postern.conf", "/token.pgpass", "/.htaccess" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct web_request request = { .path = paths[i] };
		struct web_reply	 reply;

		if (ask(inspection, &request, &reply) && reply.status == 200)
			found(inspection, LEVEL_ERROR, "put the file outside the document root, and change the passwords in it",
			    "%s: the web server gives the file away", name_of(inspection, &request));
	}
}

/* --- clocks ------------------------------------------------------------------------ */

static void
check_skew(struct inspection *inspection, const char *whose, double ahead)
{
	double amount = ahead < 0 ? -ahead : ahead;

	if (amount <= SKEW_WARNING_SECONDS)
		return;
	found(inspection, amount > SKEW_ERROR_SECONDS ? LEVEL_ERROR : LEVEL_WARNING,
	    "synchronise both clocks (NTP); tokens carry the time of the database",
	    "the clock of %s is %.0f seconds %s this machine's", whose, amount, ahead < 0 ? "behind" : "ahead of");
}

static void
check_clocks(struct inspection *inspection)
{
	const struct web_request request = { .path = "/jwks" };
	struct timespec		 before, after;
	struct web_reply	 reply;
	struct str		 date;
	PGresult		*now;

	clock_gettime(CLOCK_REALTIME, &before);
	now = PQexec(inspection->connection, "SELECT extract(epoch FROM clock_timestamp())");
	clock_gettime(CLOCK_REALTIME, &after);
	if (PQntuples(now) == 1)
		check_skew(inspection, "the database", strtod(PQgetvalue(now, 0, 0), NULL) -
		    ((double)before.tv_sec + (double)after.tv_sec + (double)(before.tv_nsec + after.tv_nsec) / 1e9) / 2);
	PQclear(now);

	if (!ask(inspection, &request, &reply))
		return;
	date = web_header(&reply, STR("Date"));
	/* Date has no fraction: half a second is the best guess. */
	if (!str_is_absent(date))
		check_skew(inspection, "the web server", (double)curl_getdate(str_z(inspection->arena, date), NULL) + 0.5 -
		    (reply.asked_at + reply.answered_at) / 2);
}

const struct check server_checks[] = {
	{ "endpoints", "every program answers at its path", check_endpoints, NULL },
	{ "metadata", "the issuer is the one that is served, at both paths", check_metadata, NULL },
	{ "published keys", "all keys are published", check_published_keys, NULL },
	{ "authorization", "the header Authorization reaches the programs", check_authorization, NULL },
	{ "query", "the query reaches the programs", check_query, NULL },
	{ "headers", "no header is lost on the way to the client", check_headers, NULL },
	{ "exposure", "no file with secrets is given away", check_exposure, NULL },
	{ "clocks", "the clocks agree", check_clocks, NULL },
	{ NULL, NULL, NULL, NULL },
};
