/*
 * exchange.c -- one request and its reply; see exchange.h
 */
#include "endpoint/exchange.h"

#include "endpoint/endpoint.h"
#include "http/uri.h"

#include <ctype.h>

#define POLICY_MAX_BYTES	(2 * URI_MAX_BYTES + 512)	/* two origins, and what is always there */

enum error
exchange_fail(struct exchange *x, enum error error, const char *description)
{
	x->description = description;
	return error;
}

enum error
exchange_store_failed(struct exchange *x, enum store_status status)
{
	if (status == STORE_AWAY)
		x->leave = true;
	return exchange_fail(x, ERROR_TEMPORARILY_UNAVAILABLE, "the server is busy: try again");
}

void
exchange_note(struct exchange *x, const char *key, struct str value)
{
	buf_addf(&x->notes, " %s=", key);
	buf_add_log(&x->notes, value);
}

struct str
exchange_parameter(const struct exchange *x, int index)
{
	return x->request.parameter[index];
}

void
exchange_json(struct exchange *x, int status, struct str json)
{
	reply_with(&x->reply, status, "application/json", json);
}

void
exchange_empty(struct exchange *x, int status)
{
	reply_with(&x->reply, status, NULL, STR(""));
}

/* Nothing but our style sheet (by its digest), our form and, perhaps, a logo. */
static struct str
content_security_policy(struct exchange *x, const struct page_policy *policy)
{
	struct buf text = buf_new(x->arena, POLICY_MAX_BYTES);

	buf_addf(&text, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-%s'",
	    template_style_hash(x->templates));
	buf_add(&text, STR("; form-action 'self'"));
	if (!str_is_empty(policy->form_origin)) {
		buf_addc(&text, ' ');
		buf_add(&text, policy->form_origin);
	}
	if (!str_is_empty(policy->image_origin)) {
		buf_add(&text, STR("; img-src "));
		buf_add(&text, policy->image_origin);
	}
	return buf_str(&text);
}

void
exchange_page(struct exchange *x, int status, const char *template, struct page_data *data,
    const struct page_policy *policy)
{
	static const struct page_policy plain;
	struct buf html = buf_new(x->arena, REPLY_MAX_BODY_BYTES);

	page_set(data, "issuer_name", x->issuer == NULL ? STR("Postern") : x->issuer->name);
	page_set(data, "issuer_host", x->issuer == NULL ? STR("") : x->issuer->host);
	if (!template_render(x->templates, template, data, &html))
		x->reply.broken = true;
	reply_header(&x->reply, "Content-Security-Policy",
	    content_security_policy(x, policy == NULL ? &plain : policy));
	reply_header(&x->reply, "Cross-Origin-Opener-Policy", STR("same-origin"));
	reply_with(&x->reply, status, "text/html; charset=utf-8", buf_str(&html));
}

bool
exchange_is_same_origin(const struct exchange *x)
{
	struct str origin = x->request.variable[VARIABLE_ORIGIN];
	struct str site = x->request.variable[VARIABLE_FETCH_SITE];

	if (!str_is_absent(site) && !str_equal(site, STR("same-origin")))
		return false;
	/* Our pages have Referrer-Policy no-referrer, so their forms come with Origin
	 * "null" (Fetch section 3.2).  Another site's could as well, where there is no
	 * Sec-Fetch-Site: there the form's csrf value stands alone. */
	return str_is_absent(origin) || str_equal(origin, STR("null")) || str_equal(origin, x->issuer->origin);
}

void
exchange_fail_json(struct exchange *x, enum error error)
{
	struct buf json = buf_new(x->arena, REPLY_MAX_BODY_BYTES);

	buf_add(&json, STR("{\"error\":"));
	buf_add_json(&json, error_name(error));
	if (x->description != NULL) {
		buf_add(&json, STR(",\"error_description\":"));
		buf_add_json(&json, str_of(x->description));
	}
	buf_addc(&json, '}');
	exchange_json(x, error_status(error), buf_str(&json));
}

/* A 401 names a scheme (RFC 9110 section 15.5.2); ours is Basic (RFC 6749 section 5.2). */
void
exchange_fail_client(struct exchange *x, enum error error)
{
	if (error == ERROR_INVALID_CLIENT)
		reply_header(&x->reply, "WWW-Authenticate", STR("Basic realm=\"token\", charset=\"UTF-8\""));
	exchange_fail_json(x, error);
}

static void
add_attribute(struct buf *challenge, const char *name, struct str value)
{
	if (str_is_empty(value))
		return;
	buf_addf(challenge, ", %s=", name);
	buf_add_json(challenge, value);
}

void
exchange_fail_bearer(struct exchange *x, enum error error)
{
	struct buf challenge = buf_new(x->arena, 1024);

	buf_add(&challenge, STR("Bearer realm="));
	buf_add_json(&challenge, x->issuer == NULL ? STR("Postern") : x->issuer->name);
	/* Without any token there is no error to speak of (section 3.1). */
	if (error != ERROR_MISSING_TOKEN)
		add_attribute(&challenge, "error", error_name(error));
	add_attribute(&challenge, "error_description", str_of(x->description));
	add_attribute(&challenge, "scope", x->request.variable[VARIABLE_REQUIRE_SCOPE]);
	if (error_status(error) < 500)
		reply_header(&x->reply, "WWW-Authenticate", buf_str(&challenge));
	if (error == ERROR_MISSING_TOKEN)
		exchange_empty(x, error_status(error));
	else
		exchange_fail_json(x, error);
}

/* What a person can make of it; the first row that fits. */
static const struct {
	enum error	error;
	const char	*title;
	const char	*hint;
} explanations[] = {
	{ ERROR_NOT_FOUND, "There is nothing here", "Check the address." },
	{ ERROR_TEMPORARILY_UNAVAILABLE, "Not available right now", "Try again in a moment. Nothing has been lost." },
	{ ERROR_SERVER_ERROR, "Something went wrong on our side", "Try again. If it happens again, tell the people who run this service." },
	{ ERROR_REQUEST_IS_OVER, "This request is over", "Go back to the app that you came from and begin again." },
	{ ERROR_NONE, "This request cannot be completed", "Go back to the app that you came from and start again. If it happens again, tell the people who made that app." },
};

/* What was written for a client's log, as a sentence for people. */
static struct str
sentence(struct arena *arena, const char *description)
{
	struct str text = str_of(description);
	struct buf buf = buf_new(arena, text.n + 1);

	if (str_is_empty(text) || text.p[text.n - 1] == '.')
		return text;
	buf_addc(&buf, (char)toupper((unsigned char)*text.p));
	buf_add(&buf, (struct str){ text.p + 1, text.n - 1 });
	buf_addc(&buf, '.');
	return buf_str(&buf);
}

void
exchange_fail_page(struct exchange *x, enum error error)
{
	struct page_data	*data = page_new(x->arena);
	size_t			 i = 0;

	while (explanations[i].error != error && explanations[i].error != ERROR_NONE)
		i++;
	page_set(data, "title", str_of(explanations[i].title));
	page_set(data, "text", sentence(x->arena, x->description));
	page_set(data, "hint", str_of(explanations[i].hint));
	page_set(data, "error_code", error_name(error));
	exchange_page(x, error_status(error), "error.html", data, NULL);
}
