/*
 * buf.h -- text under construction, with a maximum
 *
 * A buffer grows in an arena up to the maximum that was named when it was made.
 * Failure is sticky: what does not fit marks the buffer as overflowed, later
 * additions do nothing, and the caller asks once at the end.
 *
 * The function is named after the context that the text goes into; there is no
 * way to add text to HTML, JSON or a URL without saying so.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	struct arena	*arena;
	char		*p;
	size_t		 n;
	size_t		 room;
	size_t		 max;
	bool		 overflowed;
};

/* An empty buffer for at most max bytes; its text lives as long as the arena's
 * present contents. */
struct buf buf_new(struct arena *arena, size_t max);

/* As it is. */
void buf_add(struct buf *buf, struct str text);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Everything but unreserved characters of RFC 3986 as %XX. */
void buf_add_url(struct buf *buf, struct str text);

/* "&<>\"'" as character references: for text and double-quoted attributes. */
void buf_add_html(struct buf *buf, struct str text);

/* A JSON string with its quotes (RFC 8259 section 7); text must be UTF-8. */
void buf_add_json(struct buf *buf, struct str text);

/* A member of a JSON object behind others: ,"name":"text".  Nothing if text is absent.
 * name is written as it is. */
void buf_add_member(struct buf *buf, const char *name, struct str text);

/* A quoted value for a logfmt line: control characters and quotes escaped. */
void buf_add_log(struct buf *buf, struct str text);

/* What was built, NUL-terminated; "absent" if it overflowed. */
struct str buf_str(const struct buf *buf);

#endif
