/*
 * weak.c -- passwords that are tried first; see weak.h
 */
#include "weak.h"

#include <ctype.h>
#include <errno.h>

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

/* "abcabcab": what comes some octets later is the same all along. */
static bool
is_repeated(struct str s)
{
	for (size_t period = 1; period <= s.n / 2; period++) {
		if (memcmp(s.p, s.p + period, s.n - period) == 0)
			return true;
	}
	return false;
}

/* Neighbours on a keyboard, in the alphabet or in counting, whichever comes first. */
static bool
are_neighbours(char a, char b)
{
	static const char *const rows[] = { "01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm" };

	a = (char)tolower((unsigned char)a);
	b = (char)tolower((unsigned char)b);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (const char *p = rows[i]; p[1] != '\0'; p++) {
			if ((p[0] == a && p[1] == b) || (p[0] == b && p[1] == a))
				return true;
		}
	}
	return false;
}

/* Three steps of four go to a neighbour; in a sentence it is one of ten. */
static bool
is_run(struct str s)
{
	size_t steps = 0;

	for (size_t i = 1; i < s.n; i++)
		steps += are_neighbours(s.p[i - 1], s.p[i]);
	return 4 * steps >= 3 * s.n;
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

/* The password without a few digits and signs at its end. */
static struct str
without_tail(struct str password)
{
	size_t n = password.n;

	while (n > 0 && password.n - n < WEAK_TAIL_BYTES && !is_letter(password.p[n - 1]))
		n--;
	return str_first(password, n);
}

static bool
is_line_of(FILE *file, struct str password)
{
	struct str	 core = without_tail(password);
	char		*text = NULL;
	size_t		 room = 0;
	ssize_t		 n;
	bool		 found = false;

	while (!found && (n = getline(&text, &room, file)) > 0) {
		struct str line = { text, (size_t)n };

		while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
			line.n--;
		found = !str_is_empty(line) && !str_starts_with(line, STR("# ")) &&
		    (str_equal_ignoring_case(line, password) || str_equal_ignoring_case(line, core));
	}
	free(text);
	return found;
}

/* EX_OK: it is not there. */
static int
look_up(const char *path, struct str password)
{
	FILE	*file = fopen(path, "re");
	bool	 found, failed;

	if (file == NULL) {
		complain("could not open the list of known passwords \"%s\": %s; name another with --known", path, strerror(errno));
		return EX_NOINPUT;
	}
	found = is_line_of(file, password);
	failed = ferror(file) != 0;
	fclose(file);
	if (found) {
		complain("the password is one of those that are tried first (%s): take several words of your own", path);
		return EX_DATAERR;
	}
	if (failed)
		complain("could not read the list of known passwords \"%s\"", path);
	return failed ? EX_NOINPUT : EX_OK;
}

int
weak_refuse(const struct invocation *invocation, struct str password)
{
	const char *fault = NULL;

	if (is_repeated(password))
		fault = "the password is one piece again and again";
	else if (is_run(password))
		fault = "the password is a row of the keyboard, or letters or digits in their order";
	else if (is_made_of(password, str_of(invocation->names)))
		fault = "the password is little more than a name that belongs to the account";
	if (fault == NULL)
		return look_up(invocation->known, password);
	complain("%s: take several words of your own", fault);
	return EX_DATAERR;
}
