/*
 * logout.h -- what logout asks the database
 */
#ifndef STORE_LOGOUT_H
#define STORE_LOGOUT_H

#include "store/store.h"

enum logout_outcome { LOGOUT_ENDED, LOGOUT_CONFIRM, LOGOUT_UNREGISTERED_URI, LOGOUT__COUNT };

struct logout {
	const struct handle	*session;	/* the browser's; may be NULL */
	const unsigned char	*hint_session;	/* sid of a verified ID token hint, 16 octets */
	struct str		 client_id;	/* aud of the hint, or what the request says */
	struct str		 uri;		/* post_logout_redirect_uri */
	bool			 confirmed;	/* by the person, on our own page */
};

enum store_status logout_do(struct store *store, struct arena *arena, const struct logout *request,
    enum logout_outcome *outcome, struct str *client_name) MUST_USE;

#endif
