/*
 * travel.c -- an authorization request on its way; see travel.h
 */
#include "oauth/travel.h"

#define QUERY_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%&="

struct str
travel_query(struct arena *arena, const struct parameter *table, const struct str *values, size_t count)
{
	struct buf query = buf_new(arena, TRAVEL_MAX_BYTES);

	for (size_t i = 0; i < count; i++) {
		if (str_is_absent(values[i]))
			continue;
		if (query.n > 0)
			buf_addc(&query, '&');
		buf_add_url(&query, str_of(table[i].name));
		buf_addc(&query, '=');
		buf_add_url(&query, values[i]);
	}
	return buf_str(&query);
}

bool
travel_is_query(struct str text)
{
	return text.n <= TRAVEL_MAX_BYTES && str_consists_of(text, QUERY_CHARACTERS);
}

void
travel_redirect(struct reply *reply, const struct issuer *issuer, const char *path, struct str query,
    const char *mark, struct str mark_value)
{
	struct buf url = buf_new(reply->arena, REPLY_MAX_HEADER_BYTES);

	buf_add(&url, issuer->url);
	buf_add(&url, str_of(path));
	if (!str_is_empty(query)) {
		buf_addc(&url, '?');
		buf_add(&url, query);
	}
	if (mark != NULL) {
		buf_addc(&url, str_is_empty(query) ? '?' : '&');
		buf_add(&url, str_of(mark));
		buf_addc(&url, '=');
		buf_add_url(&url, mark_value);
	}
	reply_redirect(reply, buf_str(&url));
}
