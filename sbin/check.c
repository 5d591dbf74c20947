/*
 * check.c -- postern check; see check.h and inspection.h
 */
#include "check.h"

#include "database.h"
#include "inspection.h"
#include "web.h"

#define PROBLEM_BYTES	DATABASE_PROBLEM_BYTES

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
