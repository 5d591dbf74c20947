/*
 * issuer.c -- who this authorization server is; see issuer.h
 */
#include "store/issuer.h"

#include "base/buf.h"
#include "http/uri.h"

enum { COLUMN_URL, COLUMN_NAME };

static const struct store_call read_issuer = {
	.name = "issuer", .sql = "SELECT url, name FROM postern.issuer_identity()"
};

enum store_status
issuer_read(struct store *store, struct arena *arena, struct issuer *issuer)
{
	const struct store_rows	*rows;
	enum store_status	 status;
	struct uri		 uri;

	status = store_call(store, arena, &read_issuer, NULL, 0, &rows);
	if (status != STORE_ROWS)
		return status;
	*issuer = (struct issuer){
		.url = str_dup(arena, store_get(rows, 0, COLUMN_URL)),
		.name = str_dup(arena, store_get(rows, 0, COLUMN_NAME)),
	};
	if (!uri_parse(issuer->url, &uri))
		return STORE_NONE;
	issuer->origin = uri.origin;
	issuer->host = uri.host;
	issuer->path = uri.path;
	issuer->secure = str_equal(uri.scheme, STR("https"));
	return STORE_ROWS;
}

struct str
issuer_endpoint(struct arena *arena, const struct issuer *issuer, const char *path)
{
	struct buf url = buf_new(arena, URI_MAX_BYTES);

	buf_add(&url, issuer->url);
	buf_add(&url, str_of(path));
	return buf_str(&url);
}
