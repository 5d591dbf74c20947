/*
 * reply.h -- one HTTP reply, complete before its first octet is sent
 *
 * A handler says status, headers and body; the skeleton sends them once.  A
 * header value with a control character is a bug or an attack: the whole reply
 * becomes a 500 (SEC-HTTP-09).
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/buf.h"

#define REPLY_MAX_HEADER_BYTES	16384
#define REPLY_MAX_BODY_BYTES	262144

struct reply {
	struct arena	*arena;
	int		 status;	/* 0: not answered yet */
	struct buf	 headers;
	struct str	 body;
	bool		 broken;
};

/* An empty reply in the arena. */
struct reply reply_new(struct arena *arena);

/* Forget everything, for an error that replaces what was begun. */
void reply_clear(struct reply *reply);

void reply_header(struct reply *reply, const char *name, struct str value);

/* Answer with a body of the given media type; the body must live in the arena. */
void reply_with(struct reply *reply, int status, const char *media_type, struct str body);

/* 303 See Other: the next request is a GET, whatever this one was (RFC 9110
 * section 15.4.4; RFC 9700 section 4.12). */
void reply_redirect(struct reply *reply, struct str location);

/* Everything as CGI wants it: "Status:", headers, an empty line, the body (none
 * if head_only).  Absent if the reply is broken or too large. */
struct str reply_text(const struct reply *reply, bool head_only);

#endif
