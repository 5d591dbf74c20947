/*
 * browser.h -- what a browser keeps for us: two cookies, and forms bound to them
 *
 * The session cookie is a login.  The browser cookie exists before it and only
 * binds the login form to the browser that asked for it (SEC-LOGIN-06).
 *
 * Names: __Host-... for an issuer at the root, __Secure-... with Path below a
 * path, plain ones for http, which is loopback (RFC 6265bis section 4.1.3).
 */
#ifndef OAUTH_BROWSER_H
#define OAUTH_BROWSER_H

#include "base/handle.h"
#include "http/reply.h"
#include "http/request.h"
#include "store/issuer.h"

enum browser_cookie { COOKIE_SESSION, COOKIE_BROWSER };

/* The browser's cookie; false if it has none that is one of ours. */
bool browser_read(struct arena *arena, const struct request *request, const struct issuer *issuer,
    enum browser_cookie which, struct handle *handle);

/* Give the browser a cookie until it is closed, or take it away. */
void browser_set(struct reply *reply, const struct issuer *issuer, enum browser_cookie which,
    const struct handle *handle);
void browser_clear(struct reply *reply, const struct issuer *issuer, enum browser_cookie which);

/* The value of a form's csrf field: what only we and a page of ours in that browser
 * know.  purpose keeps the forms apart. */
struct str browser_form_value(struct arena *arena, const struct handle *handle, const char *purpose);
bool browser_form_is_ours(struct arena *arena, const struct handle *handle, const char *purpose,
    struct str value);

#endif
