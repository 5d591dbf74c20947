/*
 * reply.c -- one HTTP reply; see reply.h
 */
#include "http/reply.h"

struct reply
reply_new(struct arena *arena)
{
	return (struct reply){ .arena = arena, .headers = buf_new(arena, REPLY_MAX_HEADER_BYTES) };
}

void
reply_clear(struct reply *reply)
{
	*reply = reply_new(reply->arena);
}

void
reply_header(struct reply *reply, const char *name, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
			reply->broken = true;
	}
	buf_add(&reply->headers, str_of(name));
	buf_add(&reply->headers, STR(": "));
	buf_add(&reply->headers, value);
	buf_add(&reply->headers, STR("\r\n"));
}

void
reply_with(struct reply *reply, int status, const char *media_type, struct str body)
{
	reply->status = status;
	reply->body = body;
	if (str_is_absent(body))
		reply->broken = true;
	if (media_type != NULL)
		reply_header(reply, "Content-Type", str_of(media_type));
}

void
reply_redirect(struct reply *reply, struct str location)
{
	if (str_is_absent(location))
		reply->broken = true;
	reply_header(reply, "Location", location);
	reply_with(reply, 303, NULL, STR(""));
}

struct str
reply_text(const struct reply *reply, bool head_only)
{
	struct buf text = buf_new(reply->arena, REPLY_MAX_HEADER_BYTES + REPLY_MAX_BODY_BYTES);

	if (reply->broken || reply->headers.overflowed || reply->status == 0)
		return STR_ABSENT;
	buf_addf(&text, "Status: %d\r\n", reply->status);
	buf_add(&text, buf_str(&reply->headers));
	/* 204 has no body and so no length (RFC 9110 section 8.6). */
	if (reply->status != 204)
		buf_addf(&text, "Content-Length: %zu\r\n", reply->body.n);
	buf_add(&text, STR("\r\n"));
	if (!head_only)
		buf_add(&text, reply->body);
	return buf_str(&text);
}
