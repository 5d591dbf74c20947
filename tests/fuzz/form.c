/*
 * form.c -- fuzz target: a form has the values that a second, naive reader finds, and
 *           what is written from them reads the same
 */
#include "http/form.h"

#include "base/buf.h"
#include "fuzz.h"

#define ARENA_BYTES	((size_t)16 * 1024 * 1024)
#define SHORT_BYTES	8

enum { A, SHORT, WORD, LIST, COUNT };

static const struct parameter table[COUNT] = {
	[A] = { "a", 1024, NULL, false },
	[SHORT] = { "short", SHORT_BYTES, NULL, false },
	[WORD] = { "word", 1024, form_is_vschar, false },
	[LIST] = { "list", 1024, form_is_nqchar_list, true },
};

static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *place = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

	return place == NULL ? -1 : (int)(place - digits);
}

/* Another percent-decoder; -1 for a bad escape. */
static long
decode(struct str text, char *out)
{
	long n = 0;

	while (text.n > 0) {
		char c = text.p[0];

		if (c == '%' && (text.n < 3 || digit(text.p[1]) < 0 || digit(text.p[2]) < 0))
			return -1;
		if (c == '%') {
			c = (char)(digit(text.p[1]) * 16 + digit(text.p[2]));
			text = str_from(text, 2);
		} else if (c == '+') {
			c = ' ';
		}
		out[n++] = c;
		text = str_from(text, 1);
	}
	return n;
}

static void
check_decoder(struct arena *arena, struct str input)
{
	char		*naive = arena_alloc(arena, input.n + 1);
	long		 n = decode(input, naive);
	struct buf	 again = buf_new(arena, 3 * input.n);
	struct str	 value, round;
	bool		 good = form_decode(arena, input, &value);

	if (n >= 0 && str_is_utf8((struct str){ naive, (size_t)n }))
		HOLDS(good && str_equal(value, (struct str){ naive, (size_t)n }));
	else
		HOLDS(!good);
	if (!good)
		return;
	buf_add_url(&again, value);
	HOLDS(form_decode(arena, buf_str(&again), &round) && str_equal(round, value));
}

/* The form of the values. */
static struct str
write(struct arena *arena, const struct str *values)
{
	struct buf text = buf_new(arena, 64 * 1024);

	for (size_t i = 0; i < COUNT; i++) {
		if (str_is_absent(values[i]))
			continue;
		buf_addf(&text, "&%s=", table[i].name);
		buf_add_url(&text, values[i]);
	}
	return buf_str(&text);
}

/* How often a name stands in the part of a form that is looked at. */
static unsigned
occurrences(struct arena *arena, struct str form, const char *wanted)
{
	unsigned	count = 0, pairs = 0;
	struct str	pair, name, value;

	while (pairs < FORM_MAX_PAIRS && str_cut(&form, '&', &pair)) {
		value = pair;
		pairs += pair.n > 0;
		str_cut(&value, '=', &name);
		if (pair.n > 0 && form_decode(arena, name, &name) && str_equal(name, str_of(wanted)))
			count++;
	}
	return count;
}

static void
check_value(struct arena *arena, struct str input, const struct form_fault *fault, size_t i, struct str value)
{
	unsigned count = occurrences(arena, input, table[i].name);

	if (count > 1 && !table[i].list)
		HOLDS(fault->description != NULL && str_is_absent(value));
	if (str_is_absent(value))
		return;
	HOLDS(count >= 1 && value.n > 0 && value.n <= table[i].max_bytes && str_is_utf8(value));
	HOLDS(table[i].valid == NULL || table[i].valid(value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena		*arena = fuzz_arena(ARENA_BYTES);
	struct str		 input = { (const char *)data, size };
	struct str		 values[COUNT], again[COUNT];
	struct form_fault	 fault, second;

	check_decoder(arena, input);
	form_parse(arena, input, table, COUNT, values, &fault);
	HOLDS(fault.parameter >= -1 && fault.parameter < COUNT);
	for (size_t i = 0; i < COUNT; i++)
		check_value(arena, input, &fault, i, values[i]);
	form_parse(arena, write(arena, values), table, COUNT, again, &second);
	HOLDS(second.description == NULL);
	for (size_t i = 0; i < COUNT; i++)
		HOLDS(str_equal(again[i], values[i]) && str_is_absent(again[i]) == str_is_absent(values[i]));
	arena_reset(arena);
	return 0;
}
