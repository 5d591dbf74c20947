/*
 * buf.c -- text under construction; see buf.h
 */
#include "base/buf.h"

#include <stdarg.h>

#define FIRST_ROOM_BYTES	512

static const char hex_digits[] = "0123456789ABCDEF";

struct buf
buf_new(struct arena *arena, size_t max)
{
	return (struct buf){ .arena = arena, .max = max };
}

/* Make place for n more bytes and a NUL. */
static bool
reserve(struct buf *buf, size_t n)
{
	size_t	 room;
	char	*p;

	if (buf->overflowed || n > buf->max - buf->n) {
		buf->overflowed = true;
		return false;
	}
	if (buf->p != NULL && buf->room - buf->n > n)
		return true;
	room = buf->room == 0 ? FIRST_ROOM_BYTES : buf->room;
	while (room - buf->n <= n)
		room *= 2;
	if (room > buf->max + 1)
		room = buf->max + 1;
	p = arena_alloc(buf->arena, room);
	if (buf->n > 0)
		memcpy(p, buf->p, buf->n);
	buf->p = p;
	buf->room = room;
	return true;
}

void
buf_add(struct buf *buf, struct str text)
{
	if (text.n == 0 || !reserve(buf, text.n))
		return;
	memcpy(buf->p + buf->n, text.p, text.n);
	buf->n += text.n;
	buf->p[buf->n] = '\0';
}

void
buf_addc(struct buf *buf, char c)
{
	buf_add(buf, (struct str){ &c, 1 });
}

void
buf_addf(struct buf *buf, const char *format, ...)
{
	va_list	 args;
	size_t	 room;
	int	 n;

	if (!reserve(buf, 0))
		return;
	room = buf->room - buf->n;
	va_start(args, format);
	n = vsnprintf(buf->p + buf->n, room, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < room) {	/* most often there is place already */
		buf->n += (size_t)n;
		return;
	}
	buf->p[buf->n] = '\0';
	if (n < 0 || !reserve(buf, (size_t)n)) {
		buf->overflowed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(buf->p + buf->n, (size_t)n + 1, format, args);
	va_end(args);
	buf->n += (size_t)n;
}

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

void
buf_add_url(struct buf *buf, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_unreserved(c)) {
			buf_addc(buf, (char)c);
			continue;
		}
		buf_addc(buf, '%');
		buf_addc(buf, hex_digits[c >> 4]);
		buf_addc(buf, hex_digits[c & 15]);
	}
}

void
buf_add_html(struct buf *buf, struct str text)
{
	size_t	plain = 0;

	for (size_t i = 0; i < text.n; i++) {
		struct str reference;

		switch (text.p[i]) {
		case '&':
			reference = STR("&amp;");
			break;
		case '<':
			reference = STR("&lt;");
			break;
		case '>':
			reference = STR("&gt;");
			break;
		case '"':
			reference = STR("&quot;");
			break;
		case '\'':
			reference = STR("&#39;");
			break;
		default:
			continue;
		}
		buf_add(buf, (struct str){ text.p + plain, i - plain });
		buf_add(buf, reference);
		plain = i + 1;
	}
	buf_add(buf, str_from(text, plain));
}

/* Both JSON and log values: quotes, backslashes and control characters escaped. */
static void
add_quoted(struct buf *buf, struct str text)
{
	size_t	plain = 0;

	buf_addc(buf, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		buf_add(buf, (struct str){ text.p + plain, i - plain });
		if (c == '"' || c == '\\') {
			buf_addc(buf, '\\');
			buf_addc(buf, (char)c);
		} else {
			buf_add(buf, STR("\\u00"));
			buf_addc(buf, hex_digits[c >> 4]);
			buf_addc(buf, hex_digits[c & 15]);
		}
		plain = i + 1;
	}
	buf_add(buf, str_from(text, plain));
	buf_addc(buf, '"');
}

void
buf_add_json(struct buf *buf, struct str text)
{
	add_quoted(buf, text);
}

void
buf_add_member(struct buf *buf, const char *name, struct str text)
{
	if (str_is_absent(text))
		return;
	buf_add(buf, STR(",\""));
	buf_add(buf, str_of(name));
	buf_add(buf, STR("\":"));
	add_quoted(buf, text);
}

void
buf_add_log(struct buf *buf, struct str text)
{
	add_quoted(buf, text);
}

struct str
buf_str(const struct buf *buf)
{
	if (buf->overflowed)
		return STR_ABSENT;
	if (buf->p == NULL)
		return STR("");
	return (struct str){ buf->p, buf->n };
}
