/*
 * browser.c -- what a browser keeps for us; see browser.h
 */
#include "oauth/browser.h"

#include "base/base64url.h"

#define COOKIE_MAX_BYTES	512

static const char *const names[] = {
	[COOKIE_SESSION] = "postern_session",
	[COOKIE_BROWSER] = "postern_browser",
};

static const char *
prefix(const struct issuer *issuer)
{
	if (!issuer->secure)
		return "";
	return str_is_empty(issuer->path) ? "__Host-" : "__Secure-";
}

bool
browser_read(struct arena *arena, const struct request *request, const struct issuer *issuer,
    enum browser_cookie which, struct handle *handle)
{
	char name[64];

	snprintf(name, sizeof name, "%s%s", prefix(issuer), names[which]);
	return handle_parse(arena, request_cookie(request, str_of(name)), handle);
}

static void
set(struct reply *reply, const struct issuer *issuer, enum browser_cookie which, struct str value,
    const char *attributes)
{
	struct buf cookie = buf_new(reply->arena, COOKIE_MAX_BYTES);

	buf_addf(&cookie, "%s%s=", prefix(issuer), names[which]);
	buf_add(&cookie, value);
	buf_add(&cookie, STR("; Path="));
	buf_add(&cookie, str_is_empty(issuer->path) ? STR("/") : issuer->path);
	buf_addf(&cookie, "; HttpOnly; SameSite=Lax%s%s", issuer->secure ? "; Secure" : "", attributes);
	reply_header(reply, "Set-Cookie", buf_str(&cookie));
}

void
browser_set(struct reply *reply, const struct issuer *issuer, enum browser_cookie which,
    const struct handle *handle)
{
	set(reply, issuer, which, handle_text(reply->arena, handle), "");
}

void
browser_clear(struct reply *reply, const struct issuer *issuer, enum browser_cookie which)
{
	set(reply, issuer, which, STR(""), "; Max-Age=0");
}

struct str
browser_form_value(struct arena *arena, const struct handle *handle, const char *purpose)
{
	struct buf	text = buf_new(arena, 256);
	struct sha256	digest;

	buf_addf(&text, "form %s ", purpose);
	buf_add(&text, (struct str){ (const char *)handle->bytes, HANDLE_BYTES });
	digest = sha256_of(buf_str(&text));
	return base64url_encode(arena, (struct str){ (const char *)digest.bytes, SHA256_BYTES });
}

bool
browser_form_is_ours(struct arena *arena, const struct handle *handle, const char *purpose,
    struct str value)
{
	return secret_equal(value, browser_form_value(arena, handle, purpose));
}
