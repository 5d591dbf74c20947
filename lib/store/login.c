/*
 * login.c -- what login asks the database; see login.h
 */
#include "store/login.h"

static const struct str outcomes[LOGIN__COUNT] = {
	[LOGIN_OK] = STR_INIT("ok"),
	[LOGIN_WRONG] = STR_INIT("wrong"),
	[LOGIN_THROTTLED] = STR_INIT("throttled"),
};

static const struct store_call begin = {
	.name = "login_begin", .sql = "SELECT outcome, setting, wait_seconds FROM postern.login_begin($1, $2)"
};
enum { BEGIN_OUTCOME, BEGIN_SETTING, BEGIN_WAIT_SECONDS };

static const struct store_call finish = {
	.name = "login_finish", .sql = "SELECT outcome, sub FROM postern.login_finish($1, $2, $3, $4, $5, $6, $7, $8, $9)"
};
enum { FINISH_OUTCOME, FINISH_SUB };

static const struct store_call client = {
	.name = "login_client", .sql = "SELECT client_name, redirect_uri FROM postern.login_client($1, $2)"
};

enum store_status
login_begin(struct store *store, struct arena *arena, struct str login_name, struct str address,
    struct login_attempt *attempt)
{
	const struct store_value values[] = { store_text(login_name), store_text(address) };
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &begin, values, 2, &rows);

	if (status == STORE_ROWS)
		*attempt = (struct login_attempt){
			.outcome = (enum login_outcome)store_get_outcome(rows, BEGIN_OUTCOME, outcomes, LOGIN__COUNT),
			.setting = store_get(rows, 0, BEGIN_SETTING),
			.wait_seconds = store_get_integer(rows, 0, BEGIN_WAIT_SECONDS),
		};
	return status;
}

enum store_status
login_finish(struct store *store, struct arena *arena, struct str login_name, struct str address,
    struct str hash, const struct handle *session, const struct handle *old, struct str query,
    struct str user_agent, struct login_result *result)
{
	const struct sha256	 login_for = sha256_of(query);
	const struct store_value values[] = {
		store_text(login_name),
		store_text(address),
		store_text(hash),
		store_handle_id(session),
		store_handle_digest(session),
		store_handle_id(old),
		store_handle_digest(old),
		store_digest(&login_for),
		store_text(user_agent),
	};
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &finish, values,
	    sizeof values / sizeof *values, &rows);

	if (status == STORE_ROWS)
		*result = (struct login_result){
			.outcome = (enum login_outcome)store_get_outcome(rows, FINISH_OUTCOME, outcomes, LOGIN__COUNT),
			.sub = store_get(rows, 0, FINISH_SUB),
		};
	return status;
}

enum store_status
login_client(struct store *store, struct arena *arena, struct str client_id, struct str redirect_uri,
    struct str *client_name, struct str *answer_uri)
{
	const struct store_value values[] = { store_text(client_id), store_text(redirect_uri) };
	const struct store_rows	*rows;
	enum store_status	 status = store_call(store, arena, &client, values, 2, &rows);

	*client_name = *answer_uri = STR_ABSENT;
	if (status != STORE_ROWS)
		return status;
	*client_name = store_get(rows, 0, 0);
	*answer_uri = store_get(rows, 0, 1);
	return status;
}
