/*
 * NAME
 *	postern -- what an administrator cannot do by SQL
 *
 * DESCRIPTION
 *	A table of commands; each is a file of its own beside this one.  See
 *	postern(8).
 *
 * SECURITY
 *	Runs as the administrator and connects as the owner of the database; it
 *	faces no network.  A private key and a password pass through its memory,
 *	which is neither dumped nor traced, and through nothing else: not argv, not
 *	the environment, not a message.
 */
#include "invocation.h"
#include "check.h"
#include "key.h"
#include "maintain.h"
#include "migrate.h"
#include "passwd.h"

#include "base/memory.h"
#include "base/str.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#define MEMORY_MAX_BYTES	((size_t)32 * 1024 * 1024)
#define HELP_COLUMN		54

/* There are no one-letter options: a kid may begin with '-'. */
enum option_id { OPTION_DATABASE, OPTION_SQL, OPTION_ROLE_PREFIX, OPTION_NO_ROLES,
	OPTION_ACTIVE_FROM, OPTION_FORCE, OPTION_ALLOW_SHORT, OPTION_MAC, OPTION_URL, OPTION_NO_SERVER,
	OPTION_QUIET, OPTION_KNOWN, OPTION_NAMES, OPTION_HELP, OPTION_VERSION, OPTION__COUNT };

#define TAKES(id)	(1U << (id))
#define ALWAYS		(TAKES(OPTION_HELP) | TAKES(OPTION_VERSION))

static const struct option {
	struct str	name;
	bool		has_value;
} options[OPTION__COUNT] = {
	[OPTION_DATABASE] = { STR_INIT("--database"), true },
	[OPTION_SQL] = { STR_INIT("--sql"), true },
	[OPTION_ROLE_PREFIX] = { STR_INIT("--role-prefix"), true },
	[OPTION_NO_ROLES] = { STR_INIT("--no-roles"), false },
	[OPTION_ACTIVE_FROM] = { STR_INIT("--active-from"), true },
	[OPTION_FORCE] = { STR_INIT("--force"), false },
	[OPTION_ALLOW_SHORT] = { STR_INIT("--allow-short"), false },
	[OPTION_MAC] = { STR_INIT("--mac"), false },
	[OPTION_URL] = { STR_INIT("--url"), true },
	[OPTION_NO_SERVER] = { STR_INIT("--no-server"), false },
	[OPTION_QUIET] = { STR_INIT("--quiet"), false },
	[OPTION_KNOWN] = { STR_INIT("--known"), true },
	[OPTION_NAMES] = { STR_INIT("--names"), true },
	[OPTION_HELP] = { STR_INIT("--help"), false },
	[OPTION_VERSION] = { STR_INIT("--version"), false },
};

static const struct command {
	const char	*words[2];
	const char	*arguments;	/* as the usage shows them */
	const char	*help;
	bool		 has_operand;
	unsigned	 takes;		/* options */
	int		(*run)(const struct invocation *invocation);
} commands[] = {
	{ { "migrate" }, "[--sql DIR] [--role-prefix P | --no-roles]",
	  "bring the database to this version", false,
	  TAKES(OPTION_DATABASE) | TAKES(OPTION_SQL) | TAKES(OPTION_ROLE_PREFIX) | TAKES(OPTION_NO_ROLES),
	  migrate },
	{ { "key", "add" }, "[--active-from TIME] [--force] ALG",
	  "make a signing key, print its kid", true,
	  TAKES(OPTION_DATABASE) | TAKES(OPTION_ACTIVE_FROM) | TAKES(OPTION_FORCE), key_add },
	{ { "key", "rotate" }, "--mac", "make a MAC key, print its name", false,
	  TAKES(OPTION_DATABASE) | TAKES(OPTION_MAC), key_rotate },
	{ { "key", "list" }, "", "list the keys", false, TAKES(OPTION_DATABASE), key_list },
	{ { "key", "retire" }, "[--force] KID", "end a key and its tokens", true,
	  TAKES(OPTION_DATABASE) | TAKES(OPTION_FORCE), key_retire },
	{ { "check" }, "[--url URL | --no-server] [--quiet] [--sql DIR]", "say what is wrong, and how to mend it", false,
	  TAKES(OPTION_DATABASE) | TAKES(OPTION_SQL) | TAKES(OPTION_ROLE_PREFIX) | TAKES(OPTION_URL) | TAKES(OPTION_NO_SERVER) |
	  TAKES(OPTION_QUIET), check },
	{ { "maintain" }, "[--quiet]", "take out expired rows", false,
	  TAKES(OPTION_DATABASE) | TAKES(OPTION_QUIET), maintain },
	{ { "passwd" }, "[--allow-short] [--known FILE] [--names WORDS]", "read a password, print its hash", false,
	  TAKES(OPTION_ALLOW_SHORT) | TAKES(OPTION_KNOWN) | TAKES(OPTION_NAMES), passwd },
};

#define COMMAND_COUNT	(sizeof commands / sizeof *commands)

static void
print_command(FILE *out, const struct command *command)
{
	int n = fprintf(out, "  postern %s%s%s %s", command->words[0], command->words[1] == NULL ? "" : " ",
	    command->words[1] == NULL ? "" : command->words[1], command->arguments);

	if (n >= HELP_COLUMN)
		n = fprintf(out, "\n") - 1;
	fprintf(out, "%*s%s\n", HELP_COLUMN - n, "", command->help);
}

/* Of one command, or (NULL) of all. */
static int
usage(FILE *out, const struct command *only)
{
	fprintf(out, "usage:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (only == NULL || only == &commands[i])
			print_command(out, &commands[i]);
	}
	if (only == NULL || (only->takes & TAKES(OPTION_DATABASE)) != 0) {
		fprintf(out, "all but passwd take --database CONNINFO, else the database of postern.conf;\n"
		    "the user is PGUSER's or your own\n");
	}
	return out == stdout ? EX_OK : EX_USAGE;
}

static const struct command *
find_command(int argc, char **argv)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *const *words = commands[i].words;

		if (argc < 2 || strcmp(argv[1], words[0]) != 0)
			continue;
		if (words[1] == NULL || (argc > 2 && strcmp(argv[2], words[1]) == 0))
			return &commands[i];
	}
	return NULL;
}

static void
take_option(struct invocation *invocation, enum option_id id, const char *value)
{
	switch (id) {
	case OPTION_DATABASE:
		invocation->database = value;
		return;
	case OPTION_SQL:
		invocation->sql = value;
		return;
	case OPTION_ROLE_PREFIX:
		invocation->role_prefix = value;
		return;
	case OPTION_NO_ROLES:
		invocation->no_roles = true;
		return;
	case OPTION_ACTIVE_FROM:
		invocation->active_from = value;
		return;
	case OPTION_FORCE:
		invocation->force = true;
		return;
	case OPTION_ALLOW_SHORT:
		invocation->allow_short = true;
		return;
	case OPTION_MAC:
		invocation->mac = true;
		return;
	case OPTION_URL:
		invocation->url = value;
		return;
	case OPTION_NO_SERVER:
		invocation->no_server = true;
		return;
	case OPTION_QUIET:
		invocation->quiet = true;
		return;
	case OPTION_KNOWN:
		invocation->known = value;
		return;
	case OPTION_NAMES:
		invocation->names = value;
		return;
	case OPTION_HELP:
	case OPTION_VERSION:
	case OPTION__COUNT:
		return;
	}
}

/* The option of this name that the command takes, or OPTION__COUNT. */
static enum option_id
find_option(const struct command *command, struct str name)
{
	for (unsigned id = 0; id < OPTION__COUNT; id++) {
		if (str_equal(name, options[id].name) && ((command->takes | ALWAYS) & TAKES(id)) != 0)
			return (enum option_id)id;
	}
	return OPTION__COUNT;
}

/* "--name value", "--name=value" or "--name" at **word, which is moved to its last
 * word.  The option, or OPTION__COUNT after a message. */
static enum option_id
read_option(const struct command *command, char ***word, struct invocation *invocation)
{
	struct str	 rest = str_of(**word), name;
	enum option_id	 id;
	const char	*value = NULL;

	str_cut(&rest, '=', &name);
	id = find_option(command, name);
	if (id == OPTION__COUNT) {
		/* Only the name: a value may hold a password. */
		complain("%.*s is no option of this command", STR_ARG(name));
		return id;
	}
	if (options[id].has_value)
		value = str_is_absent(rest) ? *++*word : rest.p;
	if (options[id].has_value ? value == NULL : !str_is_absent(rest)) {
		complain("%.*s takes %s value", STR_ARG(name), options[id].has_value ? "a" : "no");
		return OPTION__COUNT;
	}
	take_option(invocation, id, value);
	return id;
}

static const char *
arguments_fault(const struct command *command, const struct invocation *invocation, int operands)
{
	if (operands > (command->has_operand ? 1 : 0))
		return "there are too many arguments";
	if (command->has_operand && operands == 0)
		return "an argument is missing";
	if (invocation->no_roles && invocation->role_prefix != NULL)
		return "--no-roles and --role-prefix exclude each other";
	if (invocation->no_server && invocation->url != NULL)
		return "--no-server and --url exclude each other";
	return NULL;
}

/* The words after the command; EX_OK, or the status to end with.  *only is --help or
 * --version if that is what is wanted, else unchanged. */
static int
read_arguments(const struct command *command, char **word, struct invocation *invocation, enum option_id *only)
{
	bool		 only_operands = false;
	int		 operands = 0;
	const char	*fault;

	for (; *word != NULL; word++) {
		enum option_id id;

		if (only_operands || !str_starts_with(str_of(*word), STR("--"))) {
			invocation->operand = *word;
			operands++;
			continue;
		}
		only_operands = strcmp(*word, "--") == 0;
		if (only_operands)
			continue;
		id = read_option(command, &word, invocation);
		if (id == OPTION__COUNT)
			return EX_USAGE;
		if ((ALWAYS & TAKES(id)) != 0)
			*only = id;
	}
	fault = *only != OPTION__COUNT ? NULL : arguments_fault(command, invocation, operands);
	if (fault != NULL)
		complain("%s", fault);
	return fault == NULL ? EX_OK : EX_USAGE;
}

static int
run(const struct command *command, struct invocation *invocation)
{
	jmp_buf	exhausted;
	int	status;

	invocation->arena = arena_new(MEMORY_MAX_BYTES);
	if (invocation->arena == NULL || setjmp(exhausted) != 0) {
		complain("out of memory");
		return EX_SOFTWARE;
	}
	memory_on_exhaustion(&exhausted);
	status = command->run(invocation);
	arena_free(&invocation->arena);
	/* A kid or hash that nobody could read must not count as success. */
	if (fflush(stdout) != 0 && status == EX_OK) {
		complain("could not write to standard output");
		return EX_IOERR;
	}
	return status;
}

static int
print_version(void)
{
	return puts("postern " PACKAGE_VERSION) < 0 || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
}

static bool
is_first_word(const char *word)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].words[0], word) == 0)
			return true;
	}
	return false;
}

/* Without a command, or with half of one. */
static int
no_command(int argc, char **argv)
{
	const char *last = argv[argc - 1];

	if (argc == 2 && strcmp(last, "--version") == 0)
		return print_version();
	if (argc > 1 && argc < 4 && strcmp(last, "--help") == 0)
		return usage(stdout, NULL);
	/* No other word: one may be a secret. */
	if (argc > 1)
		complain(is_first_word(argv[1]) ? "a word is missing or unknown after \"%s\"" : "there is no command \"%s\"", argv[1]);
	return usage(stderr, NULL);
}

int
main(int argc, char **argv)
{
	static const struct rlimit	 none = { 0, 0 };
	static struct invocation	 invocation = { .sql = SQL_DIRECTORY, .known = KNOWN_PASSWORDS };
	const struct command		*command = find_command(argc, argv);
	enum option_id			 only = OPTION__COUNT;
	int				 status;

	if (command == NULL)
		return no_command(argc, argv);

	/* Keys and passwords: no core file, no debugger of the same user (SEC-KEY-03). */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);

	status = read_arguments(command, argv + (command->words[1] == NULL ? 2 : 3), &invocation, &only);
	if (status != EX_OK)
		return usage(stderr, command);
	if (only == OPTION_VERSION)
		return print_version();
	if (only == OPTION_HELP)
		return usage(stdout, command);
	return run(command, &invocation);
}
