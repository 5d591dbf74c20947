/*
 * replay.c -- runs a fuzz target on its corpus, without a fuzzer and with any compiler
 *
 * usage: tests/fuzz/TARGET [FILE]...
 *
 * Without a file: those of tests/fuzz/corpus/TARGET.  Each is run whole, cut off behind
 * every octet, and with every octet changed; so the seeds reach their neighbours too.
 * Prints the Test Anything Protocol; a target that finds something aborts.
 */
#include "fuzz.h"

#include <dirent.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>

#define SEED_MAX_BYTES		((size_t)256 * 1024)
#define NEIGHBOURS_MAX_BYTES	((size_t)1024)	/* of a longer seed only the beginning is varied */

/* A copy of its own, so that a sanitizer sees the first octet behind it. */
static void
run(const unsigned char *text, size_t n, size_t flip)
{
	unsigned char *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	if (n > 0)
		memcpy(copy, text, n);
	if (flip < n)
		copy[flip] ^= (unsigned char)(1U << flip % 8);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void
run_neighbours(const unsigned char *text, size_t n)
{
	size_t limit = n < NEIGHBOURS_MAX_BYTES ? n : NEIGHBOURS_MAX_BYTES;

	run(text, n, n);
	for (size_t i = 0; i < limit; i++) {
		run(text, i, i);
		run(text, n, i);
	}
}

static bool
replay(const char *path)
{
	static unsigned char	 text[SEED_MAX_BYTES];
	FILE			*file = fopen(path, "rb");
	size_t			 n;

	if (file == NULL) {
		perror(path);
		return false;
	}
	n = fread(text, 1, sizeof text, file);
	fclose(file);
	run_neighbours(text, n);
	return true;
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
replay_corpus(const char *target)
{
	char		  directory[4096], path[sizeof directory + 256];
	const char	 *source = getenv("POSTERN_SOURCE");
	struct dirent	**seeds;
	int		  count, failed = 0;

	snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/%s", source == NULL ? "." : source, target);
	count = scandir(directory, &seeds, is_seed, alphasort);
	if (count <= 0) {
		printf("1..1\nnot ok 1 - %s: there are no seeds in %s\n", target, directory);
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		/* Told before it runs: what aborts has a name. */
		printf("# %s/%s\n", target, seeds[i]->d_name);
		fflush(stdout);
		snprintf(path, sizeof path, "%s/%s", directory, seeds[i]->d_name);
		failed += !replay(path);
		printf("%s %d - %s: %s\n", failed > 0 ? "not ok" : "ok", i + 1, target, seeds[i]->d_name);
		free(seeds[i]);
	}
	free(seeds);
	return failed > 0;
}

int
main(int argc, char **argv)
{
	bool done = true;

	if (argc == 1)
		return replay_corpus(basename(argv[0]));
	for (int i = 1; i < argc; i++)
		done = replay(argv[i]) && done;
	return done ? 0 : 1;
}
