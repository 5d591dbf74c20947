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
 *	select	one SELECT by primary key
 *	code	read a session and insert a code: one statement, one commit;
 *		the answer is a redirect with the code
 *	redeem	mark the code of the request redeemed: one statement, one commit
 *	sign	one JWT, ES256
 *	body	answer 1.5 kB
 *
 *	It links what an endpoint links, so that it is also the ceiling (the floor,
 *	rather) of memory.
 */
#include <fcgiapp.h>
#include <libpq-fe.h>
#include <openssl/ecdsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTENER	0
#define MAX_STEPS	8
#define MAX_PROCESSES	64
#define ROWS		1000	/* of client and session in ceiling.sql */

enum { CODE_BYTES = 32, TOKEN_BYTES = 1024, BODY_BYTES = 1500, SIGNATURE_BYTES = 64 };

enum step { STEP_SELECT, STEP_CODE, STEP_REDEEM, STEP_SIGN, STEP_BODY, STEP__COUNT };

static const struct {
	const char	*name;
	const char	*sql;
} steps[STEP__COUNT] = {
	[STEP_SELECT] = { "select", "SELECT secret, data FROM client WHERE id = $1" },
	[STEP_CODE] = { "code",
	    "INSERT INTO code (id, client, sub, scope, challenge, nonce, expires_at)"
	    " SELECT $2, s.client, s.sub, s.scope, $3, $4, now() + interval '1 minute' FROM session s WHERE s.id = $1"
	    " RETURNING client" },
	[STEP_REDEEM] = { "redeem",
	    "UPDATE code SET redeemed_at = now() WHERE id = $1 AND redeemed_at IS NULL RETURNING client, sub, scope, nonce" },
	[STEP_SIGN] = { "sign", NULL },
	[STEP_BODY] = { "body", NULL },
};

static enum step	 wanted[MAX_STEPS];
static size_t		 wanted_count;
static PGconn		*database;
static EVP_PKEY		*key;
static uint32_t		 seed;
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

static void
run(enum step step, const char *const *values, int count)
{
	finish(PQexecPrepared(database, steps[step].name, count, values, NULL, NULL, 0));
}

static void
connect_database(const char *conninfo)
{
	database = PQconnectdb(conninfo);
	if (PQstatus(database) != CONNECTION_OK)
		die("connect", PQerrorMessage(database));
	for (size_t i = 0; i < wanted_count; i++) {
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
redirect(FCGX_Request *request, const char *row)
{
	char		 code[CODE_BYTES + 1];
	const char	*query = FCGX_GetParam("QUERY_STRING", request->envp);
	const char	*state = query == NULL ? NULL : strstr(query, "state=");
	const char	*values[] = { row, code, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "n-0S6_WzA2Mj" };

	snprintf(code, sizeof code, "%08x%08x%08x%08x", (unsigned)getpid(), next_number(), next_number(), next_number());
	run(STEP_CODE, values, 4);
	FCGX_FPrintF(request->out, "Status: 303\r\nLocation: http://localhost/callback?code=%s&", code);
	FCGX_PutStr(state == NULL ? "" : state, state == NULL ? 0 : (int)strcspn(state, "&"), request->out);
	FCGX_PutS("\r\nContent-Length: 0\r\n\r\n", request->out);
}

static void
redeem(FCGX_Request *request)
{
	char		 body[2048], *code;
	int		 n = FCGX_GetStr(body, sizeof body - 1, request->in);
	const char	*values[1];

	body[n < 0 ? 0 : n] = '\0';
	code = strstr(body, "code=");
	if (code == NULL || strlen(code) < 5 + CODE_BYTES)
		die("redeem", "the request has no code");
	code[5 + CODE_BYTES] = '\0';
	values[0] = code + 5;
	run(STEP_REDEEM, values, 1);
}

static void
answer(FCGX_Request *request)
{
	char		 row[16], body[2 * TOKEN_BYTES + 64] = "", token[TOKEN_BYTES];
	const char	*values[] = { row };
	size_t		 n = 0;

	snprintf(row, sizeof row, "%u", next_number() % ROWS);
	for (size_t i = 0; i < wanted_count; i++) {
		switch (wanted[i]) {
		case STEP_SELECT:
			run(STEP_SELECT, values, 1);
			break;
		case STEP_CODE:
			redirect(request, row);
			return;
		case STEP_REDEEM:
			redeem(request);
			break;
		case STEP_SIGN:
			make_token(token);
			n += (size_t)snprintf(body + n, sizeof body - n, "%s\":\"%s\"", n == 0 ? "{\"access_token" : ",\"id_token", token);
			break;
		case STEP_BODY:
			memset(body, 'x', BODY_BYTES);
			n = BODY_BYTES;
			break;
		case STEP__COUNT:
			return;
		}
	}
	if (body[0] == '{')
		body[n++] = '}';
	FCGX_FPrintF(request->out, "Content-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n", (int)n);
	FCGX_PutStr(body, (int)n, request->out);
}

static void
serve(const char *conninfo)
{
	FCGX_Request request;

	seed = (uint32_t)getpid() * 2654435761U | 1;
	connect_database(conninfo);
	FCGX_InitRequest(&request, LISTENER, FCGI_FAIL_ACCEPT_ON_INTR);
	while (!stopping && FCGX_Accept_r(&request) == 0) {
		answer(&request);
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
	key = EVP_EC_gen("P-256");
	if (key == NULL || FCGX_Init() != 0)
		die("start", "OpenSSL or libfcgi refused");
	handle_stop();
	if (count == 0)
		serve(argv[2]);
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
