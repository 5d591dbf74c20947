/*
 * database.c -- the administrator's connection to PostgreSQL; see database.h
 */
#include "database.h"

#include "base/str.h"
#include "endpoint/config.h"

#define OLDEST_SERVER		140000	/* functions with SQL bodies */

static void
close_connection(void *connection)
{
	PQfinish(connection);
}

static void
clear_result(void *result)
{
	PQclear(result);
}

/* libpq's messages end with a line feed. */
static struct str
message(PGconn *connection)
{
	struct str text = str_of(PQerrorMessage(connection));

	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	return text;
}

static const char *
conninfo(const struct invocation *invocation, char *problem, size_t size)
{
	const struct config *config;

	if (invocation->database != NULL)
		return invocation->database;
	config = config_read(problem, size);
	if (config != NULL)
		return config->database;
	snprintf(problem + strlen(problem), size - strlen(problem), "; see postern.conf(5), or give --database");
	return NULL;
}

/* 0, or what is wrong with the server. */
static const char *
server_fault(PGconn *connection)
{
	const char *encoding = PQparameterStatus(connection, "server_encoding");

	if (PQserverVersion(connection) < OLDEST_SERVER)
		return "PostgreSQL 14 or later is needed";
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return "the database must have the encoding UTF8: createdb -E UTF8 -T template0";
	return NULL;
}

PGconn *
database_connect(const struct invocation *invocation, int *status, char *problem, size_t size)
{
	/* Later ones win over what the conninfo says. */
	const char	*names[] = { "dbname", "client_encoding", "fallback_application_name", NULL };
	const char	*values[] = { conninfo(invocation, problem, size), "UTF8", "postern", NULL };
	const char	*fault;
	PGconn		*connection;

	*status = EX_CONFIG;
	if (values[0] == NULL)
		return NULL;
	connection = PQconnectdbParams(names, values, 1);
	arena_bind(invocation->arena, connection, close_connection);
	*status = EX_UNAVAILABLE;
	if (PQstatus(connection) != CONNECTION_OK) {
		snprintf(problem, size, "%.*s", STR_ARG(message(connection)));
		return NULL;
	}
	fault = server_fault(connection);
	if (fault != NULL) {
		snprintf(problem, size, "%s", fault);
		*status = EX_CONFIG;
		return NULL;
	}
	*status = EX_OK;
	return connection;
}

PGconn *
database_open(const struct invocation *invocation, int *status)
{
	char	 problem[DATABASE_PROBLEM_BYTES];
	PGconn	*connection = database_connect(invocation, status, problem, sizeof problem);

	if (connection == NULL)
		complain("%s", problem);
	return connection;
}

bool
database_state(const PGresult *result, const char *state)
{
	const char *is = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return is != NULL && strncmp(is, state, strlen(state)) == 0;
}

static void
print_field(const char *name, const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);

	if (text != NULL)
		fprintf(stderr, "  %s: %s\n", name, text);
}

/* What an administrator does about the two usual causes. */
static void
print_advice(const PGresult *result)
{
	if (database_state(result, "42P01") || database_state(result, "3F000"))
		fputs("  hint: has postern migrate been run on this database?\n", stderr);
	else if (database_state(result, "42501"))
		fputs("  hint: connect as the role that owns the database\n", stderr);
}

void
database_complain(const char *what, PGconn *connection, const PGresult *result)
{
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (primary == NULL) {	/* the connection was lost, or there is no memory */
		complain("%s: %.*s", what, STR_ARG(message(connection)));
		return;
	}
	complain("%s: %s", what, primary);
	/* Classes 42 and 2B speak of names only; a detail of 23 or 22 quotes rows. */
	if (database_state(result, "42") || database_state(result, "2B")) {
		print_field("detail", result, PG_DIAG_MESSAGE_DETAIL);
		print_field("context", result, PG_DIAG_CONTEXT);
	}
	print_field("hint", result, PG_DIAG_MESSAGE_HINT);
	print_advice(result);
}

PGresult *
database_run(const struct invocation *invocation, PGconn *connection, const char *what,
    const char *sql, int n, const char *const *values)
{
	PGresult	*result = PQexecParams(connection, sql, n, NULL, values, NULL, NULL, 0);
	ExecStatusType	 status = PQresultStatus(result);

	arena_bind(invocation->arena, result, clear_result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return result;
	database_complain(what, connection, result);
	return NULL;
}
