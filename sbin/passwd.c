/*
 * passwd.c -- postern passwd; see passwd.h
 */
#include "passwd.h"

#include "base/password.h"
#include "weak.h"

#include <crypt.h>
#include <errno.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#define METHOD	"$y$"		/* yescrypt, at the cost that libcrypt thinks right */

/* One byte more than is read of a password, so that a longer one is seen. */
struct line {
	char	bytes[PASSWORD_MAX_TYPED_BYTES + 1];
	size_t	n;
};

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	caught = number;
}

/* A line from standard input, without its end.  read(2), because stdio would keep a
 * copy.  False at the end of input, after an error and after a signal. */
static bool
read_line(struct line *line)
{
	char	c = '\0';
	ssize_t	n;

	line->n = 0;
	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (line->n < sizeof line->bytes)
			line->bytes[line->n++] = c;
	}
	explicit_bzero(&c, sizeof c);
	return n == 1 || (n == 0 && line->n > 0);
}

static bool
prompt(const char *text, struct line *line)
{
	bool done;

	fputs(text, stderr);
	fflush(stderr);
	done = read_line(line);
	fputc('\n', stderr);
	return done;
}

static int
read_twice(struct line *line)
{
	struct line	again = { .n = 0 };
	bool		given, same;

	given = prompt("Password: ", line) && prompt("The same again: ", &again);
	same = line->n == again.n && memcmp(line->bytes, again.bytes, line->n) == 0;
	explicit_bzero(&again, sizeof again);
	if (!given)
		complain("no password was given");
	else if (!same)
		complain("these were two different passwords");
	return given && same ? EX_OK : EX_DATAERR;
}

/* With echo off; a signal gets its usual effect once the terminal is as before. */
static int
read_terminal(struct line *line, const struct termios *before)
{
	static const int	 numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	struct sigaction	 old[sizeof numbers / sizeof *numbers];
	const struct sigaction	 action = { .sa_handler = on_signal };	/* read(2) is to end: no SA_RESTART */
	struct termios		 silent = *before;
	int			 status;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaction(numbers[i], &action, &old[i]);
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
		complain("could not switch off the echo of the terminal: %s", strerror(errno));
		return EX_OSERR;
	}
	status = read_twice(line);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaction(numbers[i], &old[i], NULL);
	if (caught != 0) {
		explicit_bzero(line, sizeof *line);
		raise(caught);
	}
	return status;
}

static int
read_password(struct line *line)
{
	struct termios settings;

	if (tcgetattr(STDIN_FILENO, &settings) == 0)
		return read_terminal(line, &settings);
	if (read_line(line))
		return EX_OK;
	complain("no password was given: write it to standard input, as one line");
	return EX_DATAERR;
}

/* C0, DEL, and C1 in UTF-8 (C2 80 .. C2 9F): not typed, but pasted or piped. */
static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
			return true;
	}
	return false;
}

/* Code points: every byte but the continuations. */
static size_t
characters(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return count;
}

/* NULL, or why the password cannot be taken. */
static const char *
fault_of(struct str typed, enum password_fault fault)
{
	static const char *const why[PASSWORD__COUNT] = {
		[PASSWORD_NOT_TEXT] = "the password is not UTF-8: set the locale of the terminal, or convert the input",
		[PASSWORD_UNASSIGNED] = "the password has a character that is not in Unicode yet: leave it out",
		[PASSWORD_TOO_LONG] = "the password is too long: it may have 511 bytes in Unicode Normalization Form C",
	};

	_Static_assert(PASSWORD_MAX_BYTES == 511, "the text says so");
	if (typed.n == 0)
		return "the password is empty";
	if (typed.n > PASSWORD_MAX_TYPED_BYTES)		/* not all of it was kept */
		return why[PASSWORD_TOO_LONG];
	if (typed.p[typed.n - 1] == '\r')
		return "the line ends in CR LF: end it in LF";
	if (memchr(typed.p, '\0', typed.n) != NULL || has_control(typed))
		return "the password has a control character, which no login form can send";
	return why[fault];
}

static int
check_length(struct str password, bool allow_short)
{
	if (characters(password) >= PASSWD_MIN_CHARACTERS)
		return EX_OK;
	if (allow_short) {
		complain("warning: NIST SP 800-63B-4 asks for at least %d characters where the password "
		    "is all that is asked", PASSWD_MIN_CHARACTERS);
		return EX_OK;
	}
	complain("the password has fewer than %d characters, the least by NIST SP 800-63B-4: "
	    "take several words, or give --allow-short", PASSWD_MIN_CHARACTERS);
	return EX_DATAERR;
}

static int
print_hash(struct arena *arena, struct str password)
{
	struct crypt_data	*work = arena_alloc(arena, sizeof *work);
	char			*setting = crypt_gensalt_ra(METHOD, 0, NULL, 0);
	const char		*hash;

	if (setting == NULL) {
		complain("libcrypt cannot make a setting for yescrypt: %s", strerror(errno));
		return EX_SOFTWARE;
	}
	arena_bind(arena, setting, free);
	hash = crypt_r(str_z(arena, password), setting, work);
	if (hash == NULL || hash[0] == '*') {
		complain("libcrypt could not hash the password: %s", strerror(errno));
		return EX_SOFTWARE;
	}
	puts(hash);
	return EX_OK;
}

int
passwd(const struct invocation *invocation)
{
	struct line	*line = arena_alloc(invocation->arena, sizeof *line);	/* wiped with the arena */
	struct str	 typed, normal;
	const char	*why;
	int		 status = read_password(line);

	if (status != EX_OK)
		return status;
	typed = (struct str){ line->bytes, line->n };
	why = fault_of(typed, password_normal(invocation->arena, typed, &normal));
	if (why != NULL) {
		complain("%s", why);
		return EX_DATAERR;
	}
	status = check_length(normal, invocation->allow_short);
	if (status == EX_OK)
		status = weak_check(invocation, normal);
	return status == EX_OK ? print_hash(invocation->arena, normal) : status;
}
