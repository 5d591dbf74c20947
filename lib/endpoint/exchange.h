/*
 * exchange.h -- one request and its reply, as a handler sees them
 */
#ifndef ENDPOINT_EXCHANGE_H
#define ENDPOINT_EXCHANGE_H

#include "http/reply.h"
#include "http/request.h"
#include "page/template.h"
#include "store/issuer.h"

#define EXCHANGE_ARENA_BYTES	((size_t)2 * 1024 * 1024)

struct endpoint;

struct exchange {
	const struct endpoint		*endpoint;
	struct arena			*arena;		/* ends with the exchange */
	struct store			*store;		/* NULL: the database is away */
	const struct issuer		*issuer;	/* NULL: the database is away */
	const struct template_set	*templates;
	struct request			 request;
	struct reply			 reply;
	const char			*description;	/* for error_description; constant */
	struct buf			 notes;		/* key=value for the log line */
	bool				 leave;		/* the worker ends after this reply */
};

/* Remember why, and return the error.  description is constant text without
 * '"' and '\' (RFC 6749 section 5.2); NULL leaves it out. */
enum error exchange_fail(struct exchange *x, enum error error, const char *description) MUST_USE;

/* The same for a call to the store that gave no answer. */
enum error exchange_store_failed(struct exchange *x, enum store_status status) MUST_USE;

/* Add key=value to the log line of this exchange.  Never a secret. */
void exchange_note(struct exchange *x, const char *key, struct str value);

/* A value of the parameter table. */
struct str exchange_parameter(const struct exchange *x, int index);

/* Answer with JSON text, or with nothing but a status. */
void exchange_json(struct exchange *x, int status, struct str json);
void exchange_empty(struct exchange *x, int status);

/* What a page needs beyond its text: where its form may lead (an origin besides
 * ourselves: browsers apply form-action to the redirect that follows a POST), and
 * where its image comes from.  Absent: nowhere. */
struct page_policy {
	struct str	form_origin;
	struct str	image_origin;
};

/* Answer with a page.  Adds the data that every page has. */
void exchange_page(struct exchange *x, int status, const char *template,
    struct page_data *data, const struct page_policy *policy);

/* Is this POST sent by one of our own pages?  By Origin and Sec-Fetch-Site, as far
 * as the browser sends them (SEC-LOGIN-06); the form's csrf value is checked apart. */
bool exchange_is_same_origin(const struct exchange *x);

/* How an endpoint's errors look. */
void exchange_fail_json(struct exchange *x, enum error error);		/* RFC 6749 section 5.2 */
void exchange_fail_client(struct exchange *x, enum error error);	/* the same; 401 names Basic */
void exchange_fail_bearer(struct exchange *x, enum error error);	/* RFC 6750 section 3 */
void exchange_fail_page(struct exchange *x, enum error error);

#endif
