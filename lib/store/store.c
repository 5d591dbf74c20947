/*
 * store.c -- the connection to PostgreSQL; see store.h
 */
#include "store/store.h"

#include "base/log.h"
#include "base/recent.h"
#include "store/remembered.h"

#include <libpq-fe.h>

#include <assert.h>
#include <endian.h>

/* Types by the OIDs of PostgreSQL's catalog (pg_type.dat); they never change. */
enum { TYPE_AS_NEEDED = 0, TYPE_BOOL = 16, TYPE_BYTEA = 17, TYPE_BIGINT = 20, TYPE_TEXT = 25, TYPE_UUID = 2950 };

struct store {
	PGconn			*connection;
	bool			 prepare;
	bool			 replication_cancelled;
	const struct store_call	*prepared[STORE_MAX_CALLS];
	size_t			 prepared_count;
	struct recent		 answers;	/* struct remembered */
};

/* Either of the two. */
struct store_rows {
	PGresult			*result;
	const struct remembered		*answer;
	long				 stood_at;	/* when the remembered answer was found to stand */
};

/* What a remembered answer rests on goes back as it came, in text: the types are
 * known from the function. */
static const struct store_call still = {
	.name = "still", .sql = "SELECT postern.still($1, $2, $3, $4, $5, $6, $7)"
};
enum { BASIS_COLUMNS = 7, BASIS_UNTIL = 6 };

struct store_value
store_text(struct str text)
{
	return (struct store_value){ .p = text.p, .n = (int)text.n, .type = TYPE_TEXT };
}

struct store_value
store_bytes(const void *bytes, size_t n)
{
	return (struct store_value){ .p = bytes, .n = (int)n, .type = TYPE_BYTEA };
}

struct store_value
store_digest(const struct sha256 *digest)
{
	return store_bytes(digest == NULL ? NULL : digest->bytes, SHA256_BYTES);
}

struct store_value
store_uuid(const unsigned char *sixteen)
{
	return (struct store_value){ .p = (const char *)sixteen, .n = 16, .type = TYPE_UUID };
}

struct store_value
store_handle_id(const struct handle *handle)
{
	return store_uuid(handle == NULL ? NULL : handle->bytes);
}

struct store_value
store_handle_digest(const struct handle *handle)
{
	return store_digest(handle == NULL ? NULL : &handle->digest);
}

/* Small values are carried in the value itself; p is set when it is used, because
 * the value is copied on its way. */
struct store_value
store_bool(bool truth)
{
	return (struct store_value){ .n = 1, .type = TYPE_BOOL, .space = { truth } };
}

struct store_value
store_integer(long number)
{
	struct store_value	value = { .n = 8, .type = TYPE_BIGINT };
	uint64_t		big_endian = htobe64((uint64_t)number);

	memcpy(value.space, &big_endian, sizeof big_endian);
	return value;
}

struct store_value
store_null_integer(void)
{
	return (struct store_value){ .type = TYPE_BIGINT };
}

/* PostgreSQL reports success with a warning when the wait for a synchronous
 * standby was cancelled: then the commit may be lost, and success must not be
 * acknowledged (SEC-DB-03). */
static void
receive_notice(void *context, const PGresult *notice)
{
	struct store	*store = context;
	const char	*state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
	const char	*text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

	if (text != NULL && strstr(text, "synchronous replication") != NULL)
		store->replication_cancelled = true;
	log_event(LOG_LEVEL_WARNING, "PostgreSQL gave a warning, SQLSTATE %s", state == NULL ? "?" : state);
}

struct store *
store_open(const char *conninfo, const char *role, const char *passfile, bool prepare)
{
	/* Later keywords win over what conninfo says (expand_dbname). */
	const char *keywords[] = { "dbname", "user", passfile == NULL ? "application_name" : "passfile",
		"application_name", "connect_timeout", "client_encoding", "target_session_attrs",
		"tcp_user_timeout", "keepalives_idle", NULL };
	const char *values[] = { conninfo, role, passfile == NULL ? role : passfile,
		role, "3", "UTF8", "read-write", "5000", "10", NULL };
	struct store *store = calloc(1, sizeof *store);

	if (store == NULL)
		return NULL;
	store->prepare = prepare;
	store->connection = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(store->connection) != CONNECTION_OK) {
		log_event(LOG_LEVEL_ERROR, "could not connect to the database as role %s: %s", role,
		    PQerrorMessage(store->connection));
		store_close(&store);
		return NULL;
	}
	PQsetNoticeReceiver(store->connection, receive_notice, store);
	return store;
}

void
store_close(struct store **store)
{
	if (*store == NULL)
		return;
	PQfinish((*store)->connection);
	recent_clear(&(*store)->answers);
	free(*store);
	*store = NULL;
}

int
store_descriptor(const struct store *store)
{
	return PQsocket(store->connection);
}

bool
store_is_alive(struct store *store)
{
	return PQconsumeInput(store->connection) == 1 && PQstatus(store->connection) == CONNECTION_OK;
}

static void
release_result(void *result)
{
	PQclear(result);
}

/* The parameters as libpq wants them. */
struct parameters {
	Oid		types[STORE_MAX_VALUES];
	const char	*values[STORE_MAX_VALUES];
	int		lengths[STORE_MAX_VALUES];
	int		formats[STORE_MAX_VALUES];
	int		count;
};

static void
lay_out(struct parameters *out, const struct store_value *values, size_t count)
{
	assert(count <= STORE_MAX_VALUES);
	out->count = (int)count;
	for (size_t i = 0; i < count; i++) {
		bool small = values[i].type == TYPE_BOOL || values[i].type == TYPE_BIGINT;

		out->types[i] = values[i].type;
		out->values[i] = small && values[i].n > 0 ? values[i].space : values[i].p;
		out->lengths[i] = values[i].n;
		out->formats[i] = values[i].type != TYPE_AS_NEEDED;
	}
}

static bool
is_prepared(const struct store *store, const struct store_call *call)
{
	for (size_t i = 0; i < store->prepared_count; i++) {
		if (store->prepared[i] == call)
			return true;
	}
	return false;
}

static PGresult *
execute(struct store *store, const struct store_call *call, const struct parameters *in)
{
	PGresult *result;

	if (!store->prepare)
		return PQexecParams(store->connection, call->sql, in->count, in->types, in->values,
		    in->lengths, in->formats, 0);
	if (!is_prepared(store, call)) {
		assert(store->prepared_count < STORE_MAX_CALLS);
		result = PQprepare(store->connection, call->name, call->sql, in->count, in->types);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			return result;
		PQclear(result);
		store->prepared[store->prepared_count++] = call;
	}
	return PQexecPrepared(store->connection, call->name, in->count, in->values, in->lengths,
	    in->formats, 0);
}

static enum store_status
ask(struct store *store, struct arena *arena, const struct store_call *call,
    const struct parameters *in, struct store_rows *out)
{
	const char *state;

	store->replication_cancelled = false;
	out->result = execute(store, call, in);
	if (out->result != NULL)
		arena_bind(arena, out->result, release_result);
	if (PQresultStatus(out->result) == PGRES_TUPLES_OK && !store->replication_cancelled)
		return PQntuples(out->result) > 0 ? STORE_ROWS : STORE_NONE;
	/* The message may quote values: only the SQLSTATE is for the log. */
	state = PQresultErrorField(out->result, PG_DIAG_SQLSTATE);
	log_event(LOG_LEVEL_ERROR, "the database did not answer %s, SQLSTATE %s", call->name,
	    state == NULL ? "none" : state);
	if (PQstatus(store->connection) != CONNECTION_OK || store->replication_cancelled)
		return STORE_AWAY;
	return STORE_BUSY;
}

/* Does what the answer rests on stand as it was?  When that was so; 0: it does not. */
static enum store_status
ask_still(struct store *store, struct arena *arena, const struct remembered *answer, int basis, long *stood_at)
{
	struct store_value	 values[BASIS_COLUMNS];
	const struct store_rows	*rows;
	enum store_status	 status;

	for (int i = 0; i < BASIS_COLUMNS; i++) {
		struct str text = remembered_get(answer, basis + i);

		values[i] = (struct store_value){
			.p = str_is_absent(text) ? NULL : str_z(arena, text), .n = (int)text.n, .type = TYPE_AS_NEEDED
		};
	}
	status = store_call(store, arena, &still, values, BASIS_COLUMNS, &rows);
	*stood_at = status == STORE_ROWS ? store_get_integer(rows, 0, 0) : 0;
	return status;
}

/* The answer from memory, if there is one that stands; else from the database. */
static enum store_status
ask_or_remember(struct store *store, struct arena *arena, const struct store_call *call,
    const struct parameters *in, struct store_rows *out)
{
	struct sha256		 key = remembered_key(arena, call->name, in->values, in->lengths, in->count);
	struct remembered	*answer = recent_find(&store->answers, &key);
	enum store_status	 status;

	if (answer != NULL) {
		status = ask_still(store, arena, answer, call->basis, &out->stood_at);
		if (out->stood_at > 0)
			out->answer = remembered_copy(arena, answer);
		if (out->answer != NULL || status != STORE_ROWS)
			return status;
		recent_forget(&store->answers, &key);
	}
	status = ask(store, arena, call, in, out);
	if (status == STORE_ROWS && PQntuples(out->result) == 1 &&
	    !PQgetisnull(out->result, 0, call->basis + BASIS_UNTIL) &&
	    (answer = remembered_new(out->result)) != NULL)
		recent_keep(&store->answers, &key, answer, remembered_size(answer));
	return status;
}

enum store_status
store_call(struct store *store, struct arena *arena, const struct store_call *call,
    const struct store_value *values, size_t count, const struct store_rows **rows)
{
	struct parameters	 in;
	struct store_rows	*out = arena_alloc(arena, sizeof *out);

	*rows = out;
	lay_out(&in, values, count);
	return call->basis == 0 || !store->prepare ? ask(store, arena, call, &in, out) :
	    ask_or_remember(store, arena, call, &in, out);
}

size_t
store_count(const struct store_rows *rows)
{
	return rows->answer != NULL ? 1 : (size_t)PQntuples(rows->result);
}

struct str
store_get(const struct store_rows *rows, size_t row, int column)
{
	if (rows->answer != NULL)
		return remembered_get(rows->answer, column);
	if (PQgetisnull(rows->result, (int)row, column))
		return STR_ABSENT;
	return (struct str){ PQgetvalue(rows->result, (int)row, column),
		(size_t)PQgetlength(rows->result, (int)row, column) };
}

long
store_get_integer(const struct store_rows *rows, size_t row, int column)
{
	long number = 0;

	str_to_long(store_get(rows, row, column), &number);
	return number;
}

long
store_get_time(const struct store_rows *rows, int column)
{
	return rows->answer != NULL ? rows->stood_at : store_get_integer(rows, 0, column);
}

bool
store_get_bool(const struct store_rows *rows, size_t row, int column)
{
	return str_equal(store_get(rows, row, column), STR("t"));
}

size_t
store_get_outcome(const struct store_rows *rows, int column, const struct str *names, size_t count)
{
	struct str	outcome = store_get(rows, 0, column);
	size_t		i = 0;

	while (i < count && !str_equal(names[i], outcome))
		i++;
	return i;
}
