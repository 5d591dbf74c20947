/*
 * NAME
 *	ceiling -- the least that a FastCGI program does for a request
 *
 * SYNOPSIS
 *	ceiling PROCESSES CONNINFO [STEP...]
 *
 * DESCRIPTION
 *	What no endpoint behind the same web server can beat: libfcgi's own accept
 *	loop, prepared statements on one connection, OpenSSL, and nothing else.  No
 *	input is checked, nothing is logged, nothing is confined.  PROCESSES serve
 *	the socket on descriptor 0; 0 means this one alone.  For each request the
 *	STEPs are done in their order:
 *
 *	client		read a client
 *	grant		read a grant
 *	introspect	read the client that asks, a grant and its account
 *	userinfo	read a grant and its account
 *	function	the same in a function of the database, as an endpoint's role must
 *	rows		read a grant and all that it rests on, in one SELECT
 *	code		read a session, its consent and the client, insert a code; one
 *			commit; the answer is a redirect with the code
 *	redeem		mark the code of the request redeemed; one commit
 *	rotate		read the client, replace the refresh token of the request by
 *			another one; one commit
 *	sign		one JWT, ES256
 *	claims		answer 300 bytes of JSON, as introspection and userinfo do
 *	body		answer 1.5 kB
 *
 *	Each of the first seven is one statement, every row is found by its primary
 *	key.  It links what an endpoint links, so that it is also the ceiling (the
 *	floor, rather) of memory.
 *
 *	Started without a socket on descriptor 0 it is a CGI program, as an endpoint
 *	is: it connects, does its steps once, without preparing, and ends.
 */
#include <fcgiapp.h>
#include <libpq-fe.h>
#include <openssl/ecdsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTENER	0
#define MAX_STEPS	8
#define MAX_PROCESSES	64
#define ROWS		1000	/* of each table in ceiling.sql */

enum { UUID_BYTES = 36, TOKEN_BYTES = 1024, BODY_BYTES = 1500, SIGNATURE_BYTES = 64 };

enum step {
	STEP_CLIENT, STEP_GRANT, STEP_INTROSPECT, STEP_USERINFO, STEP_FUNCTION, STEP_ROWS, STEP_CODE, STEP_REDEEM,
	STEP_ROTATE, STEP_SIGN, STEP_CLAIMS, STEP_BODY,
	STEP__COUNT
};

static const struct {
	const char	*name;
	const char	*sql;
} steps[STEP__COUNT] = {
	[STEP_CLIENT] = { "client", "SELECT secret, name, grant_types, scope FROM client WHERE client_id = $1" },
	[STEP_GRANT] = { "grant", "SELECT client_id, sub, scope, resource, expires_at FROM authorization_grant WHERE id = $1" },
	[STEP_INTROSPECT] = { "introspect",
	    "SELECT c.secret, g.client_id, g.sub, g.scope, g.resource, g.expires_at, a.login_name"
	    " FROM client c, authorization_grant g JOIN account a ON a.sub = g.sub WHERE c.client_id = $1 AND g.id = $2" },
	[STEP_USERINFO] = { "userinfo",
	    "SELECT g.scope, g.expires_at, a.sub, a.login_name, a.name, a.email"
	    " FROM authorization_grant g JOIN account a ON a.sub = g.sub WHERE g.id = $1" },
	[STEP_FUNCTION] = { "function", "SELECT scope, expires_at, sub, login_name, name, email FROM userinfo($1)" },
	[STEP_ROWS] = { "rows",
	    "SELECT g.scope, g.expires_at, a.sub, a.login_name, a.name, a.email"
	    " FROM authorization_grant g JOIN account a ON a.sub = g.sub JOIN client c ON c.client_id = g.client_id"
	    " JOIN session s ON s.id = g.session_id JOIN consent k ON k.sub = g.sub AND k.client_id = g.client_id"
	    " JOIN resource r ON r.resource = g.resource"
	    " WHERE g.id = $1 AND g.expires_at > now() AND s.expires_at > now() AND k.scope @> g.scope" },
	[STEP_CODE] = { "code",
	    "INSERT INTO authorization_grant (id, client_id, sub, session_id, scope, resource, code_digest, redirect_uri,"
	    " challenge, nonce, auth_time, expires_at)"
	    " SELECT $3, c.client_id, s.sub, s.id, k.scope, 'http://localhost/files', s.secret, c.redirect_uris[1], $4, $5,"
	    " s.auth_time, now() + interval '1 minute'"
	    " FROM session s JOIN consent k ON k.sub = s.sub JOIN client c ON c.client_id = k.client_id"
	    " WHERE s.id = $2 AND c.client_id = $1 RETURNING client_id" },
	[STEP_REDEEM] = { "redeem",
	    "UPDATE authorization_grant SET redeemed_at = now() WHERE id = $1 AND redeemed_at IS NULL"
	    " RETURNING client_id, sub, scope, resource, nonce, auth_time" },
	[STEP_ROTATE] = { "rotate",
	    "UPDATE authorization_grant g SET refresh_token = $4, refreshed_at = now() FROM client c"
	    " WHERE c.client_id = $1 AND g.id = $2 AND g.refresh_token = $3"
	    " RETURNING c.secret, g.client_id, g.sub, g.scope, g.resource, g.auth_time" },
	[STEP_SIGN] = { "sign", NULL },
	[STEP_CLAIMS] = { "claims", NULL },
	[STEP_BODY] = { "body", NULL },
};

/* An answer under construction. */
struct answer {
	char	location[512];
	char	body[3 * TOKEN_BYTES];
	size_t	n;
};

static enum step	 wanted[MAX_STEPS];
static size_t		 wanted_count;
static PGconn		*database;
static EVP_PKEY		*key;
static uint32_t		 seed;
static bool		 is_cgi;
static volatile sig_atomic_t stopping;

static _Noreturn void
die(const char *what, const char *why)
{
	fprintf(stderr, "ceiling: %s: %s\n", what, why);
	exit(1);
}

static uint32_t
next_number(void)
{
	/* xorshift: the ids need to differ, not to be unguessable */
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static void
finish(PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		die("query", PQerrorMessage(database));
	PQclear(result);
}

/* One statement, which must find its row. */
static void
run(enum step step, const char *const *values, int count)
{
	PGresult *result = is_cgi ? PQexecParams(database, steps[step].sql, count, NULL, values, NULL, NULL, 0) :
	    PQexecPrepared(database, steps[step].name, count, values, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		die(steps[step].name, "no row was found");
	PQclear(result);
}

static void
connect_database(const char *conninfo)
{
	database = PQconnectdb(conninfo);
	if (PQstatus(database) != CONNECTION_OK)
		die("connect", PQerrorMessage(database));
	for (size_t i = 0; i < wanted_count && !is_cgi; i++) {
		if (steps[wanted[i]].sql != NULL)
			finish(PQprepare(database, steps[wanted[i]].name, steps[wanted[i]].sql, 0, NULL));
	}
}

/* base64url of n bytes at out, with a NUL; how long it is. */
static size_t
encode(char *out, const void *bytes, size_t n)
{
	size_t length = (size_t)EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);

	while (length > 0 && out[length - 1] == '=')
		length--;
	out[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if (out[i] == '+' || out[i] == '/')
			out[i] = out[i] == '+' ? '-' : '_';
	}
	return length;
}

/* The signature of the n bytes at token, as JWS has it (RFC 7518 section 3.4). */
static void
sign(const char *token, size_t n, unsigned char raw[SIGNATURE_BYTES])
{
	unsigned char		 der[80];
	const unsigned char	*place = der;
	size_t			 length = sizeof der;
	EVP_MD_CTX		*context = EVP_MD_CTX_new();
	ECDSA_SIG		*signature;

	if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(context, der, &length, (const unsigned char *)token, n) != 1)
		die("sign", "OpenSSL refused");
	EVP_MD_CTX_free(context);
	signature = d2i_ECDSA_SIG(NULL, &place, (long)length);
	BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, SIGNATURE_BYTES / 2);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + SIGNATURE_BYTES / 2, SIGNATURE_BYTES / 2);
	ECDSA_SIG_free(signature);
}

static void
make_token(char token[TOKEN_BYTES])
{
	static const char	header[] = "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"ceiling\"}";
	char			claims[400];
	unsigned char		signature[SIGNATURE_BYTES];
	size_t			n;

	snprintf(claims, sizeof claims,
	    "{\"iss\":\"https://as.example\",\"sub\":\"ceiling\",\"aud\":\"https://api.example\",\"client_id\":\"ceiling\","
	    "\"iat\":1795463686,\"exp\":1795464286,\"jti\":\"%08x%08x\",\"scope\":\"files.read\"}", next_number(), next_number());
	n = encode(token, header, sizeof header - 1);
	token[n++] = '.';
	n += encode(token + n, claims, strlen(claims));
	sign(token, n, signature);
	token[n++] = '.';
	encode(token + n, signature, sizeof signature);
}

static void
make_uuid(char out[UUID_BYTES + 1])
{
	uint32_t a = next_number(), b = next_number();

	snprintf(out, UUID_BYTES + 1, "%08x-%04x-4%03x-8%03x-%08x%04x", next_number(), a >> 16, a & 0xfff, b & 0xfff,
	    next_number(), b >> 16);
}

static void
add_member(struct answer *answer, const char *member, const char *value)
{
	answer->n += (size_t)snprintf(answer->body + answer->n, sizeof answer->body - answer->n, "%s\"%s\":\"%s\"",
	    answer->n == 0 ? "{" : ",", member, value);
}

static void
issue_code(const char *client, const char *row, const char *query, struct answer *answer)
{
	char		 code[UUID_BYTES + 1];
	const char	*state = query == NULL ? NULL : strstr(query, "state=");
	const char	*values[] = { client, row, code, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "n-0S6_WzA2Mj" };

	make_uuid(code);
	run(STEP_CODE, values, 5);
	snprintf(answer->location, sizeof answer->location, "http://localhost/callback?code=%s&%.*s", code,
	    state == NULL ? 0 : (int)strcspn(state, "&"), state == NULL ? "" : state);
}

/* The n bytes that follow name in the request's body. */
static void
read_parameter(const char *body, const char *name, char *out, size_t n)
{
	const char *found = strstr(body, name);

	if (found == NULL || strlen(found) < strlen(name) + n)
		die(name, "the request does not have it");
	snprintf(out, n + 1, "%s", found + strlen(name));
}

static void
redeem(const char *body)
{
	char		 code[UUID_BYTES + 1];
	const char	*values[] = { code };

	read_parameter(body, "code=", code, UUID_BYTES);
	run(STEP_REDEEM, values, 1);
}

/* A refresh token is the id of its grant, a full stop and a secret. */
static void
rotate(const char *client, const char *body, struct answer *answer)
{
	char		 token[2 * UUID_BYTES + 2], next[UUID_BYTES + 1], both[2 * UUID_BYTES + 2];
	const char	*values[] = { client, token, token + UUID_BYTES + 1, next };

	read_parameter(body, "refresh_token=", token, sizeof token - 1);
	token[UUID_BYTES] = '\0';
	make_uuid(next);
	run(STEP_ROTATE, values, 4);
	snprintf(both, sizeof both, "%.36s.%.36s", token, next);
	add_member(answer, "refresh_token", both);
}

static void
add_token(struct answer *answer)
{
	char token[TOKEN_BYTES];

	make_token(token);
	add_member(answer, strstr(answer->body, "access_token") == NULL ? "access_token" : "id_token", token);
}

static void
add_claims(struct answer *answer, const char *row)
{
	answer->n = (size_t)snprintf(answer->body, sizeof answer->body,
	    "{\"active\":true,\"iss\":\"https://as.example\",\"client_id\":\"client\",\"sub\":\"%s\",\"username\":\"person\","
	    "\"scope\":\"openid files.read\",\"aud\":\"https://api.example\",\"exp\":1795464286,\"token_type\":\"Bearer\","
	    "\"jti\":\"%08x%08x%08x%08x\"", row, next_number(), next_number(), next_number(), next_number());
}

static void
take_step(enum step step, const char *query, const char *body, struct answer *answer)
{
	unsigned	number = next_number() % ROWS;
	char		client[32], row[UUID_BYTES + 1];
	const char	*values[] = { client, row };

	snprintf(client, sizeof client, "client-%u", number);
	snprintf(row, sizeof row, "00000000-0000-4000-8000-%012x", number);
	switch (step) {
	case STEP_CLIENT:
		run(step, values, 1);
		break;
	case STEP_INTROSPECT:
		run(step, values, 2);
		break;
	case STEP_GRANT:
	case STEP_USERINFO:
	case STEP_FUNCTION:
	case STEP_ROWS:
		run(step, values + 1, 1);
		break;
	case STEP_CODE:
		issue_code(client, row, query, answer);
		break;
	case STEP_REDEEM:
		redeem(body);
		break;
	case STEP_ROTATE:
		rotate(client, body, answer);
		break;
	case STEP_SIGN:
		add_token(answer);
		break;
	case STEP_CLAIMS:
		add_claims(answer, row);
		break;
	case STEP_BODY:
		memset(answer->body, 'x', BODY_BYTES);
		answer->n = BODY_BYTES;
		break;
	case STEP__COUNT:
		break;
	}
}

static void
compose(const char *query, const char *body, struct answer *answer)
{
	answer->n = 0;
	answer->body[0] = answer->location[0] = '\0';
	for (size_t i = 0; i < wanted_count; i++)
		take_step(wanted[i], query, body, answer);
	if (answer->body[0] == '{')
		answer->body[answer->n++] = '}';
}

static void
serve_request(FCGX_Request *request)
{
	static struct answer	answer;
	char			body[4096];
	int			n = FCGX_GetStr(body, sizeof body - 1, request->in);

	body[n < 0 ? 0 : n] = '\0';
	compose(FCGX_GetParam("QUERY_STRING", request->envp), body, &answer);
	if (answer.location[0] != '\0')
		FCGX_FPrintF(request->out, "Status: 303\r\nLocation: %s\r\n", answer.location);
	FCGX_FPrintF(request->out, "Content-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n",
	    (int)answer.n);
	FCGX_PutStr(answer.body, (int)answer.n, request->out);
}

/* Plain CGI: one request, without a body. */
static void
serve_once(void)
{
	static struct answer answer;

	compose(getenv("QUERY_STRING"), "", &answer);
	printf("Status: 200\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s", answer.n, (int)answer.n,
	    answer.body);
}

static void
serve(const char *conninfo)
{
	FCGX_Request request;

	seed = (uint32_t)getpid() * 2654435761U | 1;
	connect_database(conninfo);
	if (is_cgi) {
		serve_once();
		return;
	}
	FCGX_InitRequest(&request, LISTENER, FCGI_FAIL_ACCEPT_ON_INTR);
	while (!stopping && FCGX_Accept_r(&request) == 0) {
		serve_request(&request);
		FCGX_Finish_r(&request);
	}
}

static void
stop(int number)
{
	(void)number;
	stopping = 1;
}

static void
handle_stop(void)
{
	struct sigaction action = { .sa_handler = stop };	/* no SA_RESTART: accept() ends */

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void
parse_step(const char *name)
{
	size_t i = 0;

	while (i < STEP__COUNT && strcmp(steps[i].name, name) != 0)
		i++;
	if (i == STEP__COUNT || wanted_count == MAX_STEPS)
		die(name, "there is no such step, or there are too many");
	wanted[wanted_count++] = (enum step)i;
}

static bool
wants(enum step step)
{
	for (size_t i = 0; i < wanted_count; i++) {
		if (wanted[i] == step)
			return true;
	}
	return false;
}

static pid_t
start_worker(const char *conninfo)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	serve(conninfo);
	_exit(0);
}

int
main(int argc, char **argv)
{
	pid_t	workers[MAX_PROCESSES];
	long	count = argc < 3 ? -1 : strtol(argv[1], NULL, 10);

	if (count < 0 || count > MAX_PROCESSES)
		die("usage", "ceiling PROCESSES CONNINFO [STEP...]");
	for (int i = 3; i < argc; i++)
		parse_step(argv[i]);
	is_cgi = FCGX_IsCGI();
	if (FCGX_Init() != 0)
		die("start", "libfcgi refused");
	if (wants(STEP_SIGN))
		key = EVP_EC_gen("P-256");
	handle_stop();
	if (count == 0 || is_cgi) {
		serve(argv[2]);
		return 0;
	}
	for (long i = 0; i < count; i++)
		workers[i] = start_worker(argv[2]);
	while (count > 0 && !stopping)
		pause();
	for (long i = 0; i < count; i++)
		kill(workers[i], SIGTERM);
	while (wait(NULL) > 0)
		continue;
	return 0;
}
