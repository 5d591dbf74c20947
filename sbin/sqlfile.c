/*
 * sqlfile.c -- files of SQL; see sqlfile.h
 */
#include "sqlfile.h"

#include "base/buf.h"
#include "base/secret.h"
#include "database.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

#define PLACE_BYTES	(PATH_MAX + 64)
#define NAMES_MAX_BYTES	(SQLFILE_MAX_COUNT * (NAME_MAX + SQLFILE_DIGEST_BYTES + 2))

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *
join(struct arena *arena, const char *directory, const char *name)
{
	size_t	 size = strlen(directory) + strlen(name) + 2;
	char	*path = arena_alloc(arena, size);

	snprintf(path, size, "%s/%s", directory, name);
	return path;
}

/* Visible files that end in .sql; an editor's leavings end otherwise. */
static bool
is_wanted(const char *name)
{
	return name[0] != '.' && str_ends_with(str_of(name), STR(".sql"));
}

bool
sqlfile_list(struct arena *arena, const char *directory, struct sqlfile_list *list)
{
	DIR		*open = opendir(directory);
	struct dirent	*entry;

	if (open == NULL) {
		complain("could not open the directory %s: %s", directory, strerror(errno));
		return false;
	}
	*list = (struct sqlfile_list){ arena_array(arena, SQLFILE_MAX_COUNT, sizeof *list->paths), 0 };
	while ((entry = readdir(open)) != NULL && list->count < SQLFILE_MAX_COUNT) {
		if (is_wanted(entry->d_name))
			list->paths[list->count++] = join(arena, directory, entry->d_name);
	}
	closedir(open);
	if (list->count == SQLFILE_MAX_COUNT) {
		complain("%s: there are %d files or more", directory, SQLFILE_MAX_COUNT);
		return false;
	}
	qsort(list->paths, list->count, sizeof *list->paths, by_bytes);
	return true;
}

const char *
sqlfile_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* The file's text, until the next call; NULL after a message. */
static const char *
read_file(const char *path)
{
	static char	 text[SQLFILE_MAX_BYTES + 1];
	FILE		*file = fopen(path, "re");
	size_t		 n;
	int		 failed;

	if (file == NULL) {
		complain("could not open %s: %s", path, strerror(errno));
		return NULL;
	}
	n = fread(text, 1, sizeof text, file);
	failed = ferror(file);
	fclose(file);
	if (failed || n > SQLFILE_MAX_BYTES || memchr(text, '\0', n) != NULL) {
		complain("%s is not a text of at most %zu bytes", path, SQLFILE_MAX_BYTES);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static void
digest_text(struct str text, char digest[SQLFILE_DIGEST_BYTES])
{
	struct sha256 sum = sha256_of(text);

	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(digest + 2 * i, 3, "%02x", sum.bytes[i]);
}

bool
sqlfile_digest(struct arena *arena, const struct sqlfile_list *list, char digest[SQLFILE_DIGEST_BYTES])
{
	struct buf names = buf_new(arena, NAMES_MAX_BYTES);

	for (size_t i = 0; i < list->count; i++) {
		const char *text = read_file(list->paths[i]);

		if (text == NULL)
			return false;
		digest_text(str_of(text), digest);
		buf_addf(&names, "%s %s\n", digest, sqlfile_name(list->paths[i]));
	}
	digest_text(buf_str(&names), digest);
	return true;
}

/* The line of a character, counted as the server does: from 1, in code points. */
static long
line_of(const char *text, long position)
{
	long line = 1;

	for (long seen = 0; *text != '\0'; text++) {
		seen += ((unsigned char)*text & 0xc0) != 0x80;
		if (seen >= position)
			break;
		line += *text == '\n';
	}
	return line;
}

static void
complain_of_file(const char *path, const char *text, long statement, PGconn *connection, const PGresult *result)
{
	const char	*position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	char		 place[PLACE_BYTES];
	long		 character;

	if (position != NULL && str_to_long(str_of(position), &character))
		snprintf(place, sizeof place, "%s:%ld", path, line_of(text, character));
	else
		snprintf(place, sizeof place, "%s, statement %ld", path, statement);
	database_complain(place, connection, result);
}

enum step
sqlfile_step_of(PGconn *connection, const PGresult *result)
{
	/* Serialization failures and deadlocks; lock_timeout. */
	if (database_state(result, "40") || database_state(result, "55P03"))
		return STEP_BUSY;
	if (PQstatus(connection) != CONNECTION_OK)
		return STEP_LOST;
	return database_state(result, "42501") ? STEP_DENIED : STEP_WRONG;
}

static bool
is_copy(ExecStatusType status)
{
	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* The server's last words are read so that the connection is ready again.  A COPY
 * would wait for us for ever. */
static void
drain(PGconn *connection)
{
	PGresult *result;

	while ((result = PQgetResult(connection)) != NULL) {
		ExecStatusType status = PQresultStatus(result);

		PQclear(result);
		if (is_copy(status))
			return;
	}
}

static enum step
failure(const char *path, const char *text, long statement, bool tentative, PGconn *connection, const PGresult *result)
{
	enum step step = sqlfile_step_of(connection, result);

	if (is_copy(PQresultStatus(result)))
		complain("%s, statement %ld: COPY is for psql: use INSERT", path, statement);
	else if (step != STEP_BUSY && !(step == STEP_WRONG && tentative))
		complain_of_file(path, text, statement, connection, result);
	return step;
}

/* The answers to a whole file, one for each statement. */
static enum step
read_answers(const char *path, const char *text, bool tentative, PGconn *connection)
{
	enum step	 step = STEP_DONE;
	PGresult	*result;

	for (long statement = 1; (result = PQgetResult(connection)) != NULL; statement++) {
		ExecStatusType status = PQresultStatus(result);

		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
			step = failure(path, text, statement, tentative, connection, result);
		PQclear(result);
		if (step != STEP_DONE)
			break;
	}
	drain(connection);
	return step;
}

enum step
sqlfile_run(PGconn *connection, const char *path, bool tentative)
{
	const char	*text = read_file(path);
	enum step	 step;

	if (text == NULL)
		return STEP_UNFIT;
	if (PQsendQuery(connection, text) != 1) {
		complain("%s: could not be sent: %s", path, PQerrorMessage(connection));
		return STEP_LOST;
	}
	step = read_answers(path, text, tentative, connection);
	if (step == STEP_DONE && PQtransactionStatus(connection) != PQTRANS_INTRANS) {
		complain("%s: has ended the transaction: take COMMIT or ROLLBACK out of it, and look at what it has done",
		    path);
		return STEP_WRONG;
	}
	return step;
}
