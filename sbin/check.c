/*
 * check.c -- postern check; see check.h and inspection.h
 */
#include "check.h"

#include "base/buf.h"
#include "database.h"
#include "inspection.h"
#include "web.h"

#include <stdarg.h>

#define PROBLEM_BYTES	DATABASE_PROBLEM_BYTES

static const char *const level_names[] = {
	[LEVEL_OK] = "ok", [LEVEL_WARNING] = "warning", [LEVEL_ERROR] = "error",
};

/* One line, whatever a server or a file name put into it. */
static void
print_line(struct inspection *inspection, enum level level, const char *finding, const char *hint)
{
	struct buf line = buf_new(inspection->arena, FINDING_MAX_BYTES);

	buf_addf(&line, "%s: %s: %s", level_names[level], inspection->check, finding);
	if (hint != NULL)
		buf_addf(&line, "; hint: %s", hint);
	for (size_t i = 0; i < line.n; i++) {
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			line.p[i] = ' ';
	}
	if (line.overflowed)
		printf("%s: %s: there is too much to say\n", level_names[level], inspection->check);
	else
		printf("%.*s\n", (int)line.n, line.p);
}

static const char *vtext(struct inspection *inspection, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static const char *
vtext(struct inspection *inspection, const char *format, va_list arguments)
{
	char *out = arena_alloc(inspection->arena, FINDING_MAX_BYTES);

	vsnprintf(out, FINDING_MAX_BYTES, format, arguments);
	return out;
}

const char *
text(struct inspection *inspection, const char *format, ...)
{
	va_list		 arguments;
	const char	*out;

	va_start(arguments, format);
	out = vtext(inspection, format, arguments);
	va_end(arguments);
	return out;
}

void
found(struct inspection *inspection, enum level level, const char *hint, const char *format, ...)
{
	va_list		 arguments;
	const char	*finding;

	va_start(arguments, format);
	finding = vtext(inspection, format, arguments);
	va_end(arguments);
	inspection->count++;
	if (level > inspection->worst)
		inspection->worst = level;
	if (level != LEVEL_OK || !inspection->invocation->quiet)
		print_line(inspection, level, finding, hint);
}

static void
run_checks(struct inspection *inspection, const struct check *checks)
{
	for (; checks->name != NULL; checks++) {
		inspection->check = checks->name;
		inspection->count = 0;
		if (checks->sql != NULL)
			database_check(inspection, checks->sql);
		else
			checks->run(inspection);
		if (inspection->count == 0)
			found(inspection, LEVEL_OK, NULL, "%s", checks->ok);
	}
}

/* What the other checks rest upon.  Each says itself what is wrong, and leaves
 * in the inspection what it has found. */

static void
open_configuration(struct inspection *inspection)
{
	const struct invocation	*invocation = inspection->invocation;
	char			 problem[PROBLEM_BYTES];

	inspection->config = config_read(problem, sizeof problem);
	if (inspection->config == NULL)
		found(inspection, LEVEL_ERROR, "postern.conf.example is one to begin with; see postern.conf(5)", "%s", problem);
	inspection->role_prefix = invocation->role_prefix;
	if (inspection->role_prefix != NULL)
		return;
	if (inspection->config == NULL)
		inspection->role_prefix = "postern_";
	else if (inspection->config->role != NULL)
		inspection->role = inspection->config->role;
	else
		inspection->role_prefix = inspection->config->role_prefix;
}

static void
open_database(struct inspection *inspection)
{
	char	problem[PROBLEM_BYTES];
	int	status;

	inspection->connection = database_connect(inspection->invocation, &status, problem, sizeof problem);
	if (inspection->connection == NULL)
		found(inspection, LEVEL_ERROR, "connect as the owner of the database (PGUSER); see --database", "%s", problem);
}

static const char *
issuer_of(struct inspection *inspection)
{
	PGresult	*result = PQexec(inspection->connection, "SELECT i.url FROM postern.issuer i");
	const char	*url = NULL;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		url = str_z(inspection->arena, str_of(PQgetvalue(result, 0, 0)));
	PQclear(result);
	return url;
}

static void
open_server(struct inspection *inspection)
{
	char problem[PROBLEM_BYTES];

	inspection->issuer = str_of(issuer_of(inspection));
	if (str_is_absent(inspection->issuer)) {
		found(inspection, LEVEL_ERROR, "INSERT INTO postern.issuer (url, name) VALUES ('https://...', '...')",
		    "without an issuer there is no web server to ask");
		return;
	}
	inspection->web = web_open(inspection->arena, inspection->issuer, inspection->invocation->url, problem, sizeof problem);
	if (inspection->web == NULL)
		found(inspection, LEVEL_ERROR, "start the web server; before its name resolves: --url http://127.0.0.1:8080",
		    "%s", problem);
}

static const struct check
    configuration_check[] = { { "configuration", "postern.conf can be read and has no mistake", open_configuration, NULL }, { NULL, NULL, NULL, NULL } },
    database_check_row[] = { { "database", "the database answers", open_database, NULL }, { NULL, NULL, NULL, NULL } },
    server_check_row[] = { { "server", "the web server answers", open_server, NULL }, { NULL, NULL, NULL, NULL } };

int
check(const struct invocation *invocation)
{
	static const int	 statuses[] = {
		[LEVEL_OK] = CHECK_FINE, [LEVEL_WARNING] = CHECK_WARNINGS, [LEVEL_ERROR] = CHECK_ERRORS,
	};
	struct inspection	*inspection = arena_alloc(invocation->arena, sizeof *inspection);

	*inspection = (struct inspection){ .invocation = invocation, .arena = invocation->arena };
	migrate_read_release(invocation, &inspection->release);
	run_checks(inspection, configuration_check);
	if (inspection->config != NULL)
		run_checks(inspection, file_checks);
	else if (invocation->database == NULL)
		return statuses[inspection->worst];	/* which database, it would have said */
	run_checks(inspection, database_check_row);
	if (inspection->connection == NULL)
		return statuses[inspection->worst];
	run_checks(inspection, database_checks);
	if (invocation->no_server)
		return statuses[inspection->worst];
	run_checks(inspection, server_check_row);
	if (inspection->web != NULL)
		run_checks(inspection, server_checks);
	return statuses[inspection->worst];
}
