/*
 * fastcgi.c -- fuzz target: whatever octets come through the socket of a worker, what we
 *              see of them is within our limits, and what goes back is one whole reply
 *
 * The input is what a web server, or somebody who can reach the socket, sends: FastCGI
 * records.  libfcgi reads them as in a worker; request.c and form.c read what it gives.
 *
 * libfcgi itself ends the process when the announced lengths are absurd
 * (CVE-2025-23016 and security fixes since) and takes memory for them before an octet is
 * there; workers are made to end so.  Here such input is left out, or nothing else
 * would ever be found.
 */
#include "http/reply.h"
#include "http/request.h"

#include <fcgiapp.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"

#define ARENA_BYTES		((size_t)4 * 1024 * 1024)
#define INPUT_MAX_BYTES		((size_t)64 * 1024)	/* goes into a socket's buffer */
#define LENGTH_MAX		0xffffU
#define HEADER_BYTES		8
#define MAX_REPLY_BYTES		((size_t)1024 * 1024)
#define FCGI_STDOUT		6

static const struct parameter table[] = {
	{ "grant_type", 255, NULL, false }, { "code", 512, form_is_vschar, false },
};

/* libfcgi forgets a few octets when a connection ends in the middle of its parameters. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfcgi.so";
}

static int			listener = -1;
static struct sockaddr_un	address = { .sun_family = AF_UNIX };

/* An abstract socket: nothing in the file system. */
static void
prepare(void)
{
	int n;

	if (listener >= 0)
		return;
	signal(SIGPIPE, SIG_IGN);
	HOLDS(FCGX_Init() == 0);
	n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "postern-fuzz-%ld", (long)getpid());
	HOLDS(n > 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	HOLDS(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 16) == 0);
}

/* Does anything in it look like a length that libfcgi would believe? */
static bool
has_absurd_length(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i++) {
		uint32_t length = (uint32_t)(data[i] & 0x7f) << 24 | (uint32_t)data[i + 1] << 16 | (uint32_t)data[i + 2] << 8 | data[i + 3];

		if (data[i] >= 0x80 && length > LENGTH_MAX)
			return true;
	}
	return false;
}

/* A client that has sent everything and listens. */
static int
send_all(const uint8_t *data, size_t size)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	HOLDS(s >= 0 && connect(s, (struct sockaddr *)&address, sizeof address) == 0);
	HOLDS(size == 0 || send(s, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
	HOLDS(shutdown(s, SHUT_WR) == 0);
	return s;
}

static long
read_body(void *context, char *place, size_t n)
{
	FCGX_Request *request = context;

	return FCGX_GetStr(place, (int)n, request->in);
}

/* What a worker does, without a handler. */
static struct str
answer(struct arena *arena, FCGX_Request *fcgi)
{
	struct request			request = { .fault.parameter = -1 };
	const struct body_source	source = { read_body, fcgi };
	struct reply			reply = reply_new(arena);
	struct str			values[2];
	enum error			error = request_read_variables(arena, &request, fcgi->envp);

	if (error == ERROR_NONE && request.method == METHOD_POST)
		error = request_read_body(arena, &request, &source);
	if (error == ERROR_NONE) {
		HOLDS(request.body.n <= REQUEST_MAX_BODY_BYTES);
		form_parse(arena, request.body, table, 2, values, &request.fault);
		reply_header(&reply, "X-Address", request.variable[VARIABLE_ADDRESS]);
	}
	reply_with(&reply, error == ERROR_NONE ? 200 : error_status(error), "text/plain", request.body);
	return reply_text(&reply, false);
}

/* What the client has received: records, of which those of STDOUT are the reply. */
static void
check_received(struct arena *arena, int s, struct str reply)
{
	char		*octets = arena_alloc(arena, MAX_REPLY_BYTES);
	struct buf	 out = buf_new(arena, MAX_REPLY_BYTES);
	size_t		 n = 0;
	ssize_t		 more;

	while (n < MAX_REPLY_BYTES && (more = recv(s, octets + n, MAX_REPLY_BYTES - n, 0)) > 0)
		n += (size_t)more;
	while (n > 0) {
		size_t length, whole;

		HOLDS(n >= HEADER_BYTES && octets[0] == 1);
		length = (size_t)(uint8_t)octets[4] << 8 | (uint8_t)octets[5];
		whole = HEADER_BYTES + length + (uint8_t)octets[6];
		HOLDS(whole <= n);
		if (octets[1] == FCGI_STDOUT)
			buf_add(&out, (struct str){ octets + HEADER_BYTES, length });
		octets += whole;
		n -= whole;
	}
	HOLDS(str_equal(buf_str(&out), reply));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	*arena;
	FCGX_Request	 request;
	struct str	 reply = STR("");
	int		 s;

	if (size > INPUT_MAX_BYTES || has_absurd_length(data, size))
		return 0;
	prepare();
	arena = fuzz_arena(ARENA_BYTES);
	s = send_all(data, size);
	HOLDS(FCGX_InitRequest(&request, listener, FCGI_FAIL_ACCEPT_ON_INTR) == 0);
	if (FCGX_Accept_r(&request) == 0) {
		reply = answer(arena, &request);
		if (!str_is_absent(reply))
			HOLDS(FCGX_PutStr(reply.p, (int)reply.n, request.out) == (int)reply.n);
		request.keepConnection = 0;
		FCGX_Finish_r(&request);
	}
	FCGX_Free(&request, 1);
	if (!str_is_absent(reply))
		check_received(arena, s, reply);
	close(s);
	arena_reset(arena);
	return 0;
}
