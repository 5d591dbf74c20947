/*
 * serve.c -- from raw request to sent reply; see serve.h
 */
#include "endpoint/serve.h"

#include "base/memory.h"
#include "http/uri.h"
#include "store/sweep.h"

#define NOTES_MAX_BYTES		1024
#define LASTING_ARENA_BYTES	((size_t)64 * 1024)

/* Sent when there is no memory to build anything else. */
static const char out_of_memory[] =
	"Status: 503\r\n"
	"Content-Type: application/json\r\n"
	"Cache-Control: no-store\r\n"
	"Retry-After: 1\r\n"
	"\r\n"
	"{\"error\":\"temporarily_unavailable\"}";

static const struct {
	const char	*name;
	enum method	method;
} allowed[] = {
	{ "GET", METHOD_GET }, { "HEAD", METHOD_HEAD }, { "POST", METHOD_POST }, { "OPTIONS", METHOD_OPTIONS },
};

void
server_connect(struct server *server)
{
	const struct config	*config = server->config;
	struct buf		 role = buf_new(server->arena, 64), passfile = buf_new(server->arena, 4096);
	enum store_status	 status;

	if (config->role != NULL)
		buf_addf(&role, "%s", config->role);
	else
		buf_addf(&role, "%s%s", config->role_prefix, server->endpoint->name);
	if (config->passfiles != NULL)
		buf_addf(&passfile, "%s/%s.pgpass", config->passfiles, server->endpoint->name);
	server->store = store_open(config->database, str_z(server->arena, buf_str(&role)),
	    config->passfiles == NULL ? NULL : str_z(server->arena, buf_str(&passfile)), config->prepare);
	if (server->store == NULL)
		return;
	if (server->lasting == NULL)
		server->lasting = arena_new(LASTING_ARENA_BYTES);
	status = server->lasting == NULL ? STORE_AWAY :
	    issuer_read(server->store, server->lasting, &server->issuer);
	if (status == STORE_ROWS)
		return;
	if (status == STORE_NONE)
		log_event(LOG_LEVEL_ERROR, "there is no issuer yet: insert one row into postern.issuer");
	store_close(&server->store);
}

/* Methods that the endpoint answers, for the Allow header (RFC 9110 section 10.2.1). */
static struct str
allow(struct exchange *x, unsigned methods)
{
	struct buf text = buf_new(x->arena, 64);

	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		if ((methods & (unsigned)allowed[i].method) == 0)
			continue;
		if (text.n > 0)
			buf_add(&text, STR(", "));
		buf_add(&text, str_of(allowed[i].name));
	}
	return buf_str(&text);
}

/* A CORS preflight carries no credentials and asks only what is allowed (Fetch
 * section 4.8); our answer is the same for every origin. */
static void
answer_preflight(struct exchange *x)
{
	reply_header(&x->reply, "Access-Control-Allow-Methods", allow(x, x->endpoint->methods));
	reply_header(&x->reply, "Access-Control-Allow-Headers", STR("Authorization, Content-Type, DPoP"));
	reply_header(&x->reply, "Access-Control-Max-Age", STR("7200"));
	exchange_empty(x, 204);
}

static bool
serves_path(const struct exchange *x, const struct issuer *issuer)
{
	struct str path = uri_target_path(x->request.variable[VARIABLE_TARGET]);

	if (x->endpoint->serves != NULL)
		return x->endpoint->serves(issuer, path);
	if (x->endpoint->path == NULL)
		return true;
	return str_starts_with(path, issuer->path) &&
	    str_equal(str_from(path, issuer->path.n), str_of(x->endpoint->path));
}

/* The path may refuse a request; it never chooses what happens.  The issuer may
 * have been changed since we read it: before refusing, look again. */
static enum error
check_path(struct server *server, struct exchange *x)
{
	struct issuer fresh;

	if (serves_path(x, &server->issuer))
		return ERROR_NONE;
	if (issuer_read(x->store, x->arena, &fresh) == STORE_ROWS &&
	    !str_equal(fresh.url, server->issuer.url)) {
		x->leave = true;
		if (serves_path(x, &fresh))
			return exchange_fail(x, ERROR_TEMPORARILY_UNAVAILABLE, "the issuer has changed: try again");
	}
	return exchange_fail(x, ERROR_NOT_FOUND, "this address is not one of this server's");
}

static enum error
read_parameters(struct exchange *x, const struct body_source *source)
{
	const struct endpoint	*endpoint = x->endpoint;
	struct str		 text = x->request.variable[VARIABLE_QUERY];
	enum error		 error;

	if (x->request.method == METHOD_POST && endpoint->optional_body && request_is_empty(&x->request)) {
		text = STR_ABSENT;	/* what a POST says stands in its body, also when there is none */
	} else if (x->request.method == METHOD_POST) {
		if (!request_has_form(&x->request))
			return exchange_fail(x, ERROR_UNSUPPORTED_MEDIA_TYPE, "the body must be application/x-www-form-urlencoded");
		error = request_read_body(x->arena, &x->request, source);
		if (error != ERROR_NONE)
			return exchange_fail(x, error, "the body is not as long as announced, or too long");
		text = x->request.body;
	}
	form_parse(x->arena, text, endpoint->parameters, endpoint->parameter_count,
	    x->request.parameter, &x->request.fault);
	if (x->request.fault.description != NULL && !endpoint->reports_faults)
		return exchange_fail(x, ERROR_INVALID_REQUEST, x->request.fault.description);
	return ERROR_NONE;
}

static enum error
run(struct server *server, struct exchange *x, char *const *environment, const struct body_source *source)
{
	const struct endpoint	*endpoint = x->endpoint;
	enum error		 error;

	error = request_read_variables(x->arena, &x->request, environment);
	if (error != ERROR_NONE)
		return exchange_fail(x, error, "the request has too many, too large or repeated headers");
	/* What others may keep is the same for all, whoever asked first. */
	if (endpoint->cors && (endpoint->cacheable || !str_is_absent(x->request.variable[VARIABLE_ORIGIN]))) {
		reply_header(&x->reply, "Access-Control-Allow-Origin", STR("*"));
		reply_header(&x->reply, "Access-Control-Expose-Headers", STR("WWW-Authenticate"));
	}
	if (endpoint->cors && x->request.method == METHOD_OPTIONS) {
		answer_preflight(x);
		return ERROR_NONE;
	}
	if ((endpoint->methods & (unsigned)x->request.method) == 0) {
		reply_header(&x->reply, "Allow", allow(x, endpoint->methods));
		return exchange_fail(x, ERROR_METHOD_NOT_ALLOWED, "this method is not allowed here");
	}
	if (x->store == NULL)
		return exchange_fail(x, ERROR_TEMPORARILY_UNAVAILABLE, "the server is busy: try again");
	error = check_path(server, x);
	if (error == ERROR_NONE && endpoint->parameters != NULL)
		error = read_parameters(x, source);
	return error == ERROR_NONE ? endpoint->handle(x) : error;
}

/* Headers that every reply has, whatever the handler did. */
static void
add_common_headers(struct exchange *x, enum error error)
{
	bool is_page = x->endpoint->templates != NULL && x->reply.status != 303;

	if (!x->endpoint->cacheable || error != ERROR_NONE)
		reply_header(&x->reply, "Cache-Control", STR("no-store"));
	if (error_status(error) == 503 || error_status(error) == 429)
		reply_header(&x->reply, "Retry-After", STR("1"));
	reply_header(&x->reply, "X-Content-Type-Options", STR("nosniff"));
	reply_header(&x->reply, "X-Frame-Options", STR("DENY"));
	reply_header(&x->reply, "Referrer-Policy", STR("no-referrer"));
	if (!is_page)
		reply_header(&x->reply, "Content-Security-Policy", STR("default-src 'none'; frame-ancestors 'none'"));
	if (x->issuer != NULL && x->issuer->secure)
		reply_header(&x->reply, "Strict-Transport-Security", STR("max-age=31536000"));
}

static void
log_exchange(const struct exchange *x, enum error error, const struct timespec *began)
{
	struct timespec	 now;
	struct buf	 line = buf_new(x->arena, NOTES_MAX_BYTES + 512);
	long		 microseconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	microseconds = (now.tv_sec - began->tv_sec) * 1000000 + (now.tv_nsec - began->tv_nsec) / 1000;
	buf_addf(&line, "status=%d us=%ld", x->reply.status, microseconds);
	/* A challenge for credentials has no name (RFC 6750 section 3.1). */
	if (!str_is_empty(error_name(error))) {
		buf_add(&line, STR(" error="));
		buf_add_log(&line, error_name(error));
	}
	if (x->description != NULL) {
		buf_add(&line, STR(" detail="));
		buf_add_log(&line, str_of(x->description));
	}
	buf_add(&line, buf_str(&x->notes));
	log_line(error_level(error), buf_str(&line));
}

static void
answer(struct server *server, char *const *environment, const struct body_source *source,
    const struct reply_sink *sink)
{
	struct timespec	 began;
	enum error	 error;
	struct str	 text;
	struct exchange	*x = arena_alloc(server->arena, sizeof *x);

	clock_gettime(CLOCK_MONOTONIC, &began);
	*x = (struct exchange){
		.endpoint = server->endpoint,
		.arena = server->arena,
		.store = server->store,
		.issuer = server->store == NULL ? NULL : &server->issuer,
		.templates = server->templates,
		.reply = reply_new(server->arena),
		.notes = buf_new(server->arena, NOTES_MAX_BYTES),
	};
	error = run(server, x, environment, source);
	if (error != ERROR_NONE)
		server->endpoint->fail(x, error);
	add_common_headers(x, error);
	text = reply_text(&x->reply, x->request.method == METHOD_HEAD);
	if (str_is_absent(text)) {
		error = exchange_fail(x, ERROR_SERVER_ERROR, "a reply could not be built");
		reply_clear(&x->reply);
		server->endpoint->fail(x, error);
		add_common_headers(x, error);
		text = reply_text(&x->reply, x->request.method == METHOD_HEAD);
	}
	if (memory_has_failed())
		memory_exhausted();
	server->answered = true;
	if (!sink->write(sink->context, text.p, text.n))
		exchange_note(x, "reply", STR("not sent"));
	log_exchange(x, error, &began);
	server->leave |= x->leave;
}

void
serve(struct server *server, char *const *environment, const struct body_source *source,
    const struct reply_sink *sink)
{
	jmp_buf exhausted;

	server->answered = false;
	if (setjmp(exhausted) == 0) {
		memory_on_exhaustion(&exhausted);
		answer(server, environment, source, sink);
	} else {
		server->leave = true;
		if (!server->answered)
			sink->write(sink->context, out_of_memory, sizeof out_of_memory - 1);
		log_event(LOG_LEVEL_ERROR, "out of memory: this worker ends");
	}
	memory_on_exhaustion(NULL);
	arena_reset(server->arena);
}

/* Whatever becomes of it, the next one does it again. */
void
server_sweep(struct server *server)
{
	jmp_buf exhausted;

	if (!server->endpoint->sweeps || server->store == NULL || server->leave)
		return;
	if (server->until_sweep-- > 0)
		return;
	server->until_sweep = SERVE_SWEEP_REQUESTS - 1;
	if (setjmp(exhausted) == 0) {
		memory_on_exhaustion(&exhausted);
		server->leave = sweep_expired(server->store, server->arena, SERVE_SWEEP_ROWS) == STORE_AWAY;
	} else {
		server->leave = true;
		log_event(LOG_LEVEL_ERROR, "out of memory: this worker ends");
	}
	memory_on_exhaustion(NULL);
	arena_reset(server->arena);
}
