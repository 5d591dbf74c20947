/*
 * weak.c -- passwords that are tried first; see weak.h
 */
#include "weak.h"

#include "base/memory.h"

#include <ctype.h>
#include <errno.h>

/* The longest line that can be somebody's password, CR, and one more. */
#define LINE_BYTES	(PASSWORD_MAX_TYPED_BYTES + 2)

static bool
is_letter(char c)
{
	return isalpha((unsigned char)c) || (unsigned char)c > 0x7f;
}

static bool
is_word_character(char c)
{
	return is_letter(c) || isdigit((unsigned char)c);
}

/* How many of the last octets are digits and signs, but no more than make no difference. */
static size_t
tail_of(struct str password)
{
	size_t n = 0;

	while (n < WEAK_TAIL_BYTES && n < password.n && !is_letter(password.p[password.n - n - 1]))
		n++;
	return n;
}

/* "abcabcab", and "abc abc": what comes some octets later is the same all along. */
static bool
is_repetition(struct str s)
{
	for (size_t period = 1; 2 * period <= s.n + 1 && period < s.n; period++) {
		if (str_equal_ignoring_case(str_first(s, s.n - period), str_from(s, period)))
			return true;
	}
	return false;
}

static bool
is_repetition_but_for_tail(struct str password)
{
	for (size_t tail = 0; tail <= tail_of(password); tail++) {
		if (is_repetition(str_first(password, password.n - tail)))
			return true;
	}
	return false;
}

/* The same, or neighbours in counting, in the alphabet, or on the keyboard that most lists
 * of passwords were typed on; who comes to the end of a row goes on with the next. */
static bool
are_neighbours(char a, char b)
{
	static const char *const rows[] = { "01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm" };

	a = (char)tolower((unsigned char)a);
	b = (char)tolower((unsigned char)b);
	if (a == b)
		return true;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (const char *p = rows[i]; p[1] != '\0'; p++) {
			if ((p[0] == a && p[1] == b) || (p[0] == b && p[1] == a))
				return true;
		}
	}
	return false;
}

/* Three steps of four go to a neighbour; in a sentence it is one of eight. */
static bool
is_run(struct str s)
{
	size_t steps = 0;

	for (size_t i = 1; i < s.n; i++)
		steps += are_neighbours(s.p[i - 1], s.p[i]);
	return s.n > 1 && 4 * steps >= 3 * (s.n - 1);
}

/* Mark where the word is in the password.  False if nowhere. */
static bool
cover(struct str password, struct str word, bool covered[])
{
	bool found = false;

	for (size_t at = 0; at + word.n <= password.n; at++) {
		if (str_equal_ignoring_case(str_first(str_from(password, at), word.n), word)) {
			memset(covered + at, true, word.n);
			found = true;
		}
	}
	return found;
}

/* Is little left of the password without the words of the names? */
static bool
is_made_of(struct str password, struct str names)
{
	bool	covered[PASSWORD_MAX_BYTES] = { false }, has_name = false;
	size_t	own = 0, end;

	for (size_t start = 0; start < names.n; start = end + 1) {
		for (end = start; end < names.n && is_word_character(names.p[end]); end++)
			continue;
		if (end - start >= WEAK_MIN_NAME_BYTES && cover(password, str_first(str_from(names, start), end - start), covered))
			has_name = true;
	}
	for (size_t i = 0; i < password.n; i++)
		own += !covered[i] && ((unsigned char)password.p[i] & 0xc0) != 0x80;	/* code points */
	return has_name && own < WEAK_MIN_OWN_CHARACTERS;
}

/* Is it the password, or all of it but its tail? */
static bool
is_known(struct str known, struct str password)
{
	return known.n > 0 && known.n <= password.n && password.n - known.n <= tail_of(password) &&
	    str_equal_ignoring_case(known, str_first(password, known.n));
}

/* The next line without its end, in bytes; absent at the end of the file and after an
 * error.  Of one that is longer than any password only the beginning is there, which is
 * too long as well. */
static struct str
next_line(FILE *file, char bytes[LINE_BYTES])
{
	size_t	n = 0;
	int	c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (n < LINE_BYTES)
			bytes[n++] = (char)c;
	}
	if (c == EOF && n == 0)
		return STR_ABSENT;
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	return (struct str){ bytes, n };
}

static bool
is_line_of(FILE *file, struct str password)
{
	struct arena	*arena = arena_new(LINE_BYTES * 64);	/* for one line after the other */
	char		 bytes[LINE_BYTES];
	struct str	 line, normal;
	bool		 found = false;

	if (arena == NULL)
		memory_exhausted();
	while (!found && !str_is_absent(line = next_line(file, bytes))) {
		found = !str_starts_with(line, STR("# ")) && password_normal(arena, line, &normal) == PASSWORD_GOOD &&
		    is_known(normal, password);
		arena_reset(arena);
	}
	arena_free(&arena);
	explicit_bzero(bytes, sizeof bytes);
	return found;
}

static int
no_list(const char *path)
{
	complain("could not read the list of known passwords \"%s\": %s; name another with --known", path, strerror(errno));
	return EX_NOINPUT;
}

static int
look_up(const char *path, struct str password)
{
	FILE	*file = fopen(path, "re");
	bool	 found;

	if (file == NULL)
		return no_list(path);
	found = is_line_of(file, password);
	if (!found && (ferror(file) || !feof(file)))
		return no_list(path);
	fclose(file);
	if (found)
		complain("the password is one of those that are tried first (%s): take several words of your own", path);
	return found ? EX_DATAERR : EX_OK;
}

int
weak_check(const struct invocation *invocation, struct str password)
{
	struct str names = STR("");

	if (invocation->names != NULL &&
	    password_normal(invocation->arena, str_of(invocation->names), &names) != PASSWORD_GOOD) {
		complain("--names must be text in UTF-8, of at most %d bytes", PASSWORD_MAX_BYTES);
		return EX_USAGE;
	}
	if (is_repetition_but_for_tail(password))
		complain("the password is one piece again and again: take several words of your own");
	else if (is_run(password))
		complain("the password is a row of the keyboard, or letters or digits in their order: take several words of your own");
	else if (is_made_of(password, names))
		complain("the password has fewer than %d characters besides the names: take several words of your own", WEAK_MIN_OWN_CHARACTERS);
	else
		return look_up(invocation->known, password);
	return EX_DATAERR;
}
