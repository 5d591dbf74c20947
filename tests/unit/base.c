/*
 * base.c -- tests of arena, slices, buffers, base64url, UUIDs, handles and passwords
 */
#include "base/arena.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/handle.h"
#include "base/memory.h"
#include "base/password.h"
#include "base/recent.h"
#include "base/secret.h"
#include "base/uuid.h"

#include "tap.h"

#include <stdalign.h>

#define COUNT(array)	(sizeof (array) / sizeof (array)[0])

static char	released[8];
static size_t	released_count;

static void
note_release(void *object)
{
	if (released_count < sizeof released)
		released[released_count++] = *(const char *)object;
}

/* Whether taking size bytes exhausts the arena. */
static bool
exhausts(struct arena *arena, size_t count, size_t size)
{
	jmp_buf	 place;
	bool	 exhausted = setjmp(place) != 0;

	if (!exhausted) {
		arena_on_exhaustion(arena, &place);
		arena_array(arena, count, size);
	}
	arena_on_exhaustion(arena, NULL);
	return exhausted;
}

static void
test_arena_memory(void)
{
	struct arena	*arena = arena_new(300 * 1024);
	unsigned char	*p = arena_alloc(arena, 3);
	unsigned char	*q = arena_alloc(arena, 100000);
	unsigned	 dirty = 0;

	ok((uintptr_t)p % alignof(max_align_t) == 0 && (uintptr_t)q % alignof(max_align_t) == 0,
	    "arena: memory is aligned");
	for (size_t i = 0; i < 100000; i++)
		dirty += q[i];
	ok(dirty == 0, "arena: memory is zeroed");
	memset(p, 'x', 3);
	arena_reset(arena);
	p = arena_alloc(arena, 3);
	ok(p[0] == 0 && p[1] == 0 && p[2] == 0, "arena: memory is zeroed after a reset");
	arena_free(&arena);
	ok(arena == NULL, "arena: the pointer is gone after arena_free");
	arena_free(&arena);
}

static void
test_arena_limit(void)
{
	struct arena	*arena = arena_new(300 * 1024);
	struct arena	*small = arena_new(100);

	ok(exhausts(arena, 1, 301 * 1024), "arena: more than the limit exhausts it");
	ok(exhausts(arena, SIZE_MAX / 2, 3), "arena: an overflow exhausts it");
	ok(exhausts(arena, 1, SIZE_MAX), "arena: SIZE_MAX exhausts it");
	ok(!exhausts(arena, 1, 60 * 1024) && !exhausts(arena, 1, 60 * 1024) &&
	    !exhausts(arena, 1, 60 * 1024) && !exhausts(arena, 1, 60 * 1024) &&
	    exhausts(arena, 1, 60 * 1024), "arena: the limit counts all blocks");
	arena_reset(arena);
	ok(!exhausts(arena, 1, 200 * 1024), "arena: a reset gives the memory back");
	ok(!exhausts(small, 1, 64) && exhausts(small, 1, 64), "arena: a small limit holds");
	arena_free(&arena);
	arena_free(&small);
}

static void
test_arena_bindings(void)
{
	struct arena *arena = arena_new(1024 * 1024);

	arena_bind(arena, &"a"[0], note_release);
	arena_bind(arena, &"b"[0], note_release);
	ok(released_count == 0, "arena: nothing is released before the reset");
	arena_reset(arena);
	ok(released_count == 2 && released[0] == 'b' && released[1] == 'a',
	    "arena: bound objects are released, newest first");
	arena_reset(arena);
	ok(released_count == 2, "arena: bound objects are released once");
	arena_bind(arena, &"c"[0], note_release);
	arena_free(&arena);
	ok(released_count == 3, "arena: arena_free releases too");
}

static void
test_bind_when_exhausted(void)
{
	struct arena	*arena = arena_new(16);
	jmp_buf		 place;
	bool		 exhausted = setjmp(place) != 0;

	if (!exhausted) {
		released_count = 0;
		arena_on_exhaustion(arena, &place);
		arena_bind(arena, &"d"[0], note_release);
	}
	ok(exhausted && released_count == 1,
	    "arena: an object that cannot be remembered is released at once");
	arena_free(&arena);
}

/* An arena that has no target of its own, and whoever else is out of memory. */
static void
test_memory(void)
{
	struct arena	*arena = arena_new(16);
	jmp_buf		 place;
	volatile int	 times = 0;

	ok(!memory_has_failed(), "memory: nothing has failed yet");
	if (setjmp(place) < 3) {
		times++;
		memory_on_exhaustion(&place);
		if (times == 1)
			arena_alloc(arena, 17);
		else if (times == 2)
			memory_exhausted();
	}
	memory_on_exhaustion(NULL);
	ok(times == 3, "memory: an exhausted arena and memory_exhausted() go to the same place");
	ok(memory_has_failed(), "memory: a failure is remembered");
	arena_free(&arena);
}

static void
test_str(void)
{
	struct str	rest = STR("a  b");
	struct str	part;
	char		parts[16] = "";
	size_t		n = 0;

	ok(str_is_absent(str_of(NULL)) && str_is_empty(str_of(NULL)), "str: NULL is absent");
	ok(!str_is_absent(STR("")) && str_is_empty(STR("")), "str: empty is not absent");
	ok(str_equal(STR("a\0b"), STR("a\0b")) && !str_equal(STR("a\0b"), STR("a\0c")),
	    "str: equality sees behind a NUL");
	ok(!str_equal(STR("a"), STR("ab")) && !str_equal(STR("ab"), STR("a")),
	    "str: a beginning is not equal");
	ok(str_equal(STR_ABSENT, STR("")), "str: absent has the bytes of empty");
	ok(str_equal_ignoring_case(STR("At+JWT"), STR("aT+jwt")) &&
	    !str_equal_ignoring_case(STR("a"), STR("b")), "str: equality without case");
	ok(str_starts_with(STR("abc"), STR("ab")) && !str_starts_with(STR("a"), STR("ab")) &&
	    !str_starts_with(STR("xbc"), STR("ab")), "str: str_starts_with");
	ok(str_ends_with(STR("abc"), STR("bc")) && !str_ends_with(STR("c"), STR("bc")) &&
	    !str_ends_with(STR("abx"), STR("bc")), "str: str_ends_with");
	ok(str_index(STR("abca"), 'a') == 0 && str_index(STR("abc"), 'c') == 2 &&
	    str_index(STR("abc"), 'x') == -1 && str_index(STR_ABSENT, 'x') == -1,
	    "str: str_index");
	ok(str_consists_of(STR("aba"), "ab") && !str_consists_of(STR("abc"), "ab") &&
	    !str_consists_of(STR("a\0"), "ab") && str_consists_of(STR(""), "ab"),
	    "str: str_consists_of");
	ok(str_equal(str_from(STR("abc"), 1), STR("bc")) && str_is_empty(str_from(STR("abc"), 9)) &&
	    str_is_absent(str_from(STR_ABSENT, 1)), "str: str_from");
	ok(str_equal(str_first(STR("abc"), 2), STR("ab")) &&
	    str_equal(str_first(STR("abc"), 9), STR("abc")), "str: str_first");
	while (str_cut(&rest, ' ', &part)) {
		parts[n++] = part.n == 0 ? '-' : part.p[0];
	}
	ok(strcmp(parts, "a-b") == 0, "str: str_cut gives empty parts too");
	rest = STR("");
	ok(str_cut(&rest, ' ', &part) && str_is_empty(part) && !str_cut(&rest, ' ', &part),
	    "str: an empty text has one empty part");
}

static void
test_words(void)
{
	ok(str_has_word(STR("openid email"), STR("email")) &&
	    str_has_word(STR("openid"), STR("openid")), "str: a word of a list");
	ok(!str_has_word(STR("openid email"), STR("mail")) &&
	    !str_has_word(STR("openid email"), STR("open")), "str: a part of a word is no word");
	ok(!str_has_word(STR("a  b"), STR("")), "str: the empty word is in no list");
	ok(!str_has_word(STR("a b"), STR("a b")), "str: two words are no word");
	ok(!str_has_word(STR_ABSENT, STR("a")), "str: no word in an absent list");
	ok(!str_has_word(STR("OpenID"), STR("openid")), "str: words are case-sensitive");
}

static void
test_numbers(void)
{
	static const struct str bad[] = {
		STR_INIT(""), STR_INIT("-1"), STR_INIT("+1"), STR_INIT(" 1"), STR_INIT("1 "),
		STR_INIT("1a"), STR_INIT("0x1"), STR_INIT("1\0"), STR_INIT("1.0"),
		STR_INIT("1000000000000000000"), { NULL, 0 },
	};
	long value = 7;

	ok(str_to_long(STR("0"), &value) && value == 0, "str: 0");
	ok(str_to_long(STR("999999999999999999"), &value) && value == 999999999999999999L,
	    "str: eighteen digits");
	for (size_t i = 0; i < COUNT(bad); i++)
		ok(!str_to_long(bad[i], &value), "str: no number: \"%.*s\"", STR_ARG(bad[i]));
}

static void
test_utf8(void)
{
	static const struct str good[] = {
		STR_INIT(""), STR_INIT("abc"), STR_INIT("\xc2\x80"), STR_INIT("\xdf\xbf"),
		STR_INIT("\xe0\xa0\x80"), STR_INIT("\xed\x9f\xbf"), STR_INIT("\xee\x80\x80"),
		STR_INIT("\xf0\x90\x80\x80"), STR_INIT("\xf4\x8f\xbf\xbf"),
	};
	static const struct str bad[] = {
		STR_INIT("a\0b"), STR_INIT("\x80"), STR_INIT("\xc0\xaf"), STR_INIT("\xc1\xbf"),
		STR_INIT("\xc2"), STR_INIT("\xc2" "a"), STR_INIT("\xe0\x9f\xbf"),
		STR_INIT("\xe2\x82"), STR_INIT("\xed\xa0\x80"), STR_INIT("\xed\xbf\xbf"),
		STR_INIT("\xf0\x8f\xbf\xbf"), STR_INIT("\xf0\x90\x80"),
		STR_INIT("\xf4\x90\x80\x80"), STR_INIT("\xf5\x80\x80\x80"),
		STR_INIT("\xfe"), STR_INIT("\xff"),
	};

	for (size_t i = 0; i < COUNT(good); i++)
		ok(str_is_utf8(good[i]), "utf8: good %zu", i);
	for (size_t i = 0; i < COUNT(bad); i++)
		ok(!str_is_utf8(bad[i]), "utf8: bad %zu", i);
	ok(str_is_ascii(STR("")) && str_is_ascii(STR("~\x7f")) && !str_is_ascii(STR("a\x80")), "str: ASCII or not");
}

static void
test_copies(struct arena *arena)
{
	char		text[] = "abc";
	struct str	copy = str_dup(arena, STR("a\0b"));
	const char	*z = str_z(arena, (struct str){ text, 2 });

	text[0] = 'x';
	ok(str_equal(copy, STR("a\0b")), "str: str_dup copies NUL too");
	ok(strcmp(z, "ab") == 0, "str: str_z ends with NUL and is a copy");
	ok(str_is_absent(str_dup(arena, STR_ABSENT)), "str: a copy of absent is absent");
	ok(*str_z(arena, STR_ABSENT) == '\0', "str: absent is the empty C string");
}

static void
test_buf(struct arena *arena)
{
	struct buf	buf = buf_new(arena, 5000);
	struct buf	small = buf_new(arena, 4);
	struct buf	none = buf_new(arena, 0);

	ok(!str_is_absent(buf_str(&buf)) && str_is_empty(buf_str(&buf)), "buf: new is empty");
	for (unsigned i = 0; i < 500; i++)
		buf_addf(&buf, "%09u,", i);
	ok(buf_str(&buf).n == 5000 && str_ends_with(buf_str(&buf), STR("000000499,")) &&
	    str_starts_with(buf_str(&buf), STR("000000000,")), "buf: grows to its maximum");
	ok(buf_str(&buf).p[5000] == '\0', "buf: ends with NUL");
	buf_addc(&buf, 'x');
	ok(str_is_absent(buf_str(&buf)), "buf: absent after one octet too many");
	buf_add(&small, STR("abcd"));
	ok(str_equal(buf_str(&small), STR("abcd")), "buf: exactly full");
	buf_add(&small, STR("efghij"));
	buf_add(&small, STR(""));
	ok(small.overflowed && str_is_absent(buf_str(&small)), "buf: overflow is sticky");
	buf_add(&none, STR_ABSENT);
	ok(!none.overflowed && str_equal(buf_str(&none), STR("")), "buf: absent adds nothing");
	buf_addf(&none, "%s", "x");
	ok(none.overflowed, "buf: nothing fits into a buffer for nothing");
}

static void
test_escaping(struct arena *arena)
{
	struct buf	url = buf_new(arena, 100), html = buf_new(arena, 100);
	struct buf	json = buf_new(arena, 100), log = buf_new(arena, 100);

	buf_add_url(&url, STR("aZ9-._~ &+/%\xc3\xa9\0"));
	ok(str_equal(buf_str(&url), STR("aZ9-._~%20%26%2B%2F%25%C3%A9%00")), "buf: url");
	buf_add_html(&html, STR("a<b>&\"c'd"));
	ok(str_equal(buf_str(&html), STR("a&lt;b&gt;&amp;&quot;c&#39;d")), "buf: html");
	buf_add_json(&json, STR("a\"b\\c\n\x01/\xc3\xa9"));
	ok(str_equal(buf_str(&json), STR("\"a\\\"b\\\\c\\u000A\\u0001/\xc3\xa9\"")), "buf: json");
	buf_add_log(&log, STR("a\r\nlevel=error \"x\" \x1b[1m"));
	ok(str_equal(buf_str(&log),
	    STR("\"a\\u000D\\u000Alevel=error \\\"x\\\" \\u001B[1m\"")), "buf: log");
}

static void
test_base64url(struct arena *arena)
{
	static const struct { struct str bytes, text; } pairs[] = {	/* RFC 4648 section 10 */
		{ STR_INIT(""), STR_INIT("") },
		{ STR_INIT("f"), STR_INIT("Zg") },
		{ STR_INIT("fo"), STR_INIT("Zm8") },
		{ STR_INIT("foo"), STR_INIT("Zm9v") },
		{ STR_INIT("foob"), STR_INIT("Zm9vYg") },
		{ STR_INIT("fooba"), STR_INIT("Zm9vYmE") },
		{ STR_INIT("foobar"), STR_INIT("Zm9vYmFy") },
		{ STR_INIT("\x03\xec\xff\xe0\xc1"), STR_INIT("A-z_4ME") }, /* RFC 7515 appendix C */
	};
	static const struct { const char *name; struct str text; } bad[] = {
		{ "length 1", STR_INIT("Z") },
		{ "length 1, all bits zero", STR_INIT("A") },
		{ "length 1 mod 4, all bits zero", STR_INIT("Zm9vA") },
		{ "length 1 mod 4", STR_INIT("Zm9vZ") },
		{ "padding", STR_INIT("Zg==") },
		{ "padding", STR_INIT("Zm8=") },
		{ "plus", STR_INIT("A+z_") },
		{ "solidus", STR_INIT("A-z/") },
		{ "space", STR_INIT("Zm 9") },
		{ "leading space", STR_INIT(" Zm9") },
		{ "newline at the end", STR_INIT("Zm9\n") },
		{ "NUL", STR_INIT("Zm\0v") },
		{ "an octet above 127", STR_INIT("Zm\xff" "v") },
		{ "full stop", STR_INIT("Zm9.") },
		{ "unused bits, four", STR_INIT("Zh") },
		{ "unused bits, four, highest", STR_INIT("Zo") },
		{ "unused bits, two", STR_INIT("Zm9") },
		{ "unused bits, two, highest", STR_INIT("Zm-") },
	};
	struct str bytes;

	for (size_t i = 0; i < COUNT(pairs); i++) {
		ok(str_equal(base64url_encode(arena, pairs[i].bytes), pairs[i].text) &&
		    pairs[i].text.n == BASE64URL_LENGTH(pairs[i].bytes.n),
		    "base64url: encodes %s", pairs[i].text.p);
		ok(base64url_decode(arena, pairs[i].text, &bytes) &&
		    str_equal(bytes, pairs[i].bytes), "base64url: decodes %s", pairs[i].text.p);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		ok(!base64url_decode(arena, bad[i].text, &bytes),
		    "SEC-JOSE-08 b: base64url refuses %s", bad[i].name);
}

/* Of all texts of two and three characters exactly those that the encoder makes. */
static void
test_base64url_is_canonical(struct arena *arena)
{
	unsigned	two = 0, three = 0;
	struct str	bytes;

	for (unsigned i = 0; i < 65536; i++) {
		char text[3] = { (char)(i >> 8), (char)(i & 255), 'E' };

		two += base64url_decode(arena, (struct str){ text, 2 }, &bytes);
		three += base64url_decode(arena, (struct str){ text, 3 }, &bytes);
		if (i % 256 == 0)
			arena_reset(arena);
	}
	ok(two == 256, "base64url: 256 texts of length 2, one for each octet");
	ok(three == 64 * 64, "base64url: one text of length 3 for each beginning");
}

static void
test_secret(void)
{
	struct sha256	digest = sha256_of(STR("abc"));
	unsigned char	a[16] = { 0 }, b[16] = { 0 };

	ok(memcmp(digest.bytes, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8) == 0, "secret: SHA-256");
	ok(secret_equal(STR("abc"), STR("abc")) && !secret_equal(STR("abc"), STR("abd")) &&
	    !secret_equal(STR("abc"), STR("ab")), "secret: comparison");
	random_bytes(a, sizeof a);
	random_bytes(b, sizeof b);
	ok(memcmp(a, b, sizeof a) != 0, "secret: random bytes differ");
}

static void
test_uuid(struct arena *arena)
{
	static const char *const bad[] = {
		"", "0", "00010203-0405-4607-8809-0a0b0c0d0e0", "00010203-0405-4607-8809-0a0b0c0d0e0f0",
		"00010203-0405-4607-8809-0A0b0c0d0e0f", "00010203-0405-4607-8809-0a0b0c0d0e0g",
		"0001020300405-4607-8809-0a0b0c0d0e0f", "00010203-0405-4607-88090-a0b0c0d0e0f",
		"000102030405460788090a0b0c0d0e0f----", "{0010203-0405-4607-8809-0a0b0c0d0e0}",
	};
	unsigned char	a[UUID_BYTES], b[UUID_BYTES];
	bool		same = true, version_4 = true;

	for (unsigned i = 0; i < 100; i++) {
		uuid_new(a);
		version_4 = version_4 && a[6] >> 4 == 4 && a[8] >> 6 == 2;
		same = same && uuid_parse(uuid_text(arena, a), b) && memcmp(a, b, sizeof a) == 0;
	}
	ok(version_4, "uuid: new ones are of version 4");
	ok(same, "uuid: a text is read as it was written");
	uuid_new(b);
	ok(memcmp(a, b, sizeof a) != 0, "uuid: new ones differ");
	ok(uuid_parse(STR("00010203-0405-4607-8809-0a0b0c0d0e0f"), a) &&
	    str_equal(uuid_text(arena, a), STR("00010203-0405-4607-8809-0a0b0c0d0e0f")), "uuid: text");
	for (size_t i = 0; i < COUNT(bad); i++)
		ok(!uuid_parse(str_of(bad[i]), a), "uuid: \"%s\" is none", bad[i]);
}

/* Where the id is known before, the rest is as random as ever. */
static void
test_handle(struct arena *arena)
{
	struct handle	a, b;
	unsigned char	id[HANDLE_ID_BYTES];
	unsigned	equal = 0;

	uuid_new(id);
	handle_new_with_id(&a, id);
	handle_new_with_id(&b, id);
	ok(memcmp(a.bytes, id, sizeof id) == 0 && memcmp(b.bytes, id, sizeof id) == 0, "handle: has the id that it is given");
	for (size_t i = HANDLE_ID_BYTES; i < HANDLE_BYTES; i++)
		equal += a.bytes[i] == b.bytes[i];
	ok(equal < 8, "handle: the secret of two with one id is not the same");
	ok(memcmp(&a.digest, &b.digest, sizeof a.digest) != 0, "handle: nor is the digest");
	ok(handle_parse(arena, handle_text(arena, &a), &b) && memcmp(&a, &b, sizeof a) == 0, "handle: a text is read as it was written");
	handle_new(&b);
	ok(memcmp(a.bytes, b.bytes, HANDLE_ID_BYTES) != 0 && b.bytes[6] >> 4 == 4, "handle: a new one has an id of its own");
}

/* A digest of the first set, and where its octets differ. */
static struct sha256
digest_number(unsigned char number)
{
	return (struct sha256){ { 0, number } };
}

static const char *
found(struct recent *table, unsigned char number)
{
	struct sha256	 digest = digest_number(number);
	const char	*text = recent_find(table, &digest);

	return text == NULL ? "nothing" : text;
}

static void
keep(struct recent *table, unsigned char number, const char *text)
{
	struct sha256 digest = digest_number(number);

	recent_keep(table, &digest, strdup(text), strlen(text) + 1);
}

static void
test_recent(void)
{
	static struct recent	table;
	struct sha256		other_set = { { 1, 7 } };

	ok(strcmp(found(&table, 7), "nothing") == 0, "recent: nothing in an empty table");
	keep(&table, 7, "seven");
	ok(strcmp(found(&table, 7), "seven") == 0, "recent: found again");
	ok(recent_find(&table, &other_set) == NULL, "recent: every octet of the digest counts, the first too");
	ok(strcmp(found(&table, 8), "nothing") == 0, "recent: and the last of two");
	keep(&table, 7, "another");
	ok(strcmp(found(&table, 7), "another") == 0, "recent: the newer under a digest replaces the older");
	for (unsigned char i = 10; i < 10 + RECENT_WAYS - 1; i++)
		keep(&table, i, "more");
	ok(strcmp(found(&table, 7), "another") == 0, "recent: a full set has forgotten nothing");
	keep(&table, 99, "one too many");
	ok(strcmp(found(&table, 10), "nothing") == 0, "recent: what was not asked for the longest makes room");
	ok(strcmp(found(&table, 7), "another") == 0 && strcmp(found(&table, 99), "one too many") == 0,
	    "recent: and nothing else does");
	other_set = digest_number(99);
	recent_forget(&table, &other_set);
	ok(strcmp(found(&table, 99), "nothing") == 0 && strcmp(found(&table, 7), "another") == 0, "recent: one is forgotten");
	keep(&table, 98, "into its place");
	ok(strcmp(found(&table, 7), "another") == 0, "recent: and its place is taken first");
	recent_clear(&table);
	ok(strcmp(found(&table, 98), "nothing") == 0, "recent: cleared");
	keep(&table, 99, "anew");
	ok(strcmp(found(&table, 99), "anew") == 0, "recent: and used again");
	recent_clear(&table);
}

/* Vectors of Unicode Standard Annex #15 and its NormalizationTest.txt. */
static void
test_password(struct arena *arena)
{
	static const struct {
		const char	*name, *typed, *normal;
	} row[] = {
		{ "ASCII is as it was", "correct horse", "correct horse" },
		{ "nothing at all", "", "" },
		{ "e and an acute accent", "caf\x65\xcc\x81", "caf\xc3\xa9" },
		{ "e with an acute accent", "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "the Angstrom sign is the letter", "\xe2\x84\xab", "\xc3\x85" },
		{ "two accents in the other order", "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87" },
		{ "one of two accents is taken in", "d\xcc\x87\xcc\xa3", "\xe1\xb8\x8d\xcc\x87" },
		{ "Hangul in three parts", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c" },
		{ "excluded from composition", "\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc" },
		{ "a ligature stays one: it is Form C, not KC", "\xef\xac\x81", "\xef\xac\x81" },
		{ "a wide letter stays wide", "\xef\xbc\xa1", "\xef\xbc\xa1" },
		{ "an accent with nothing before it", "\xcc\x81x", "\xcc\x81x" },
		{ "U+11A7 ends no syllable", "\xea\xb0\x80\xe1\x86\xa7", "\xea\xb0\x80\xe1\x86\xa7" },
		{ "and parts what is beside it", "e\xcc\x81\xe1\x86\xa7\xcc\x81" "e\xcc\x81\xe1\x86\xa7", "\xc3\xa9\xe1\x86\xa7\xcc\x81\xc3\xa9\xe1\x86\xa7" },
		{ "a character for private use", "\xee\x80\x80", "\xee\x80\x80" },
		{ "an unassigned code point", "\xf3\xa0\x82\x80", NULL },
		{ "a noncharacter", "\xef\xbf\xbe", NULL },
		{ "not UTF-8", "caf\xe9", NULL },
		{ "half a code point at the end", "caf\xc3", NULL },
		{ "a surrogate", "\xed\xa0\x80", NULL },
	};
	char		 text[PASSWORD_MAX_TYPED_BYTES + 1];
	struct str	 normal;

	for (size_t i = 0; i < COUNT(row); i++) {
		password_normal(arena, str_of(row[i].typed), &normal);
		ok(row[i].normal == NULL ? str_is_absent(normal) : str_equal(normal, str_of(row[i].normal)),
		    "password: SEC-PWD-02 %s", row[i].name);
	}
	ok(password_normal(arena, (struct str){ "a\0b", 3 }, &normal) == PASSWORD_NOT_TEXT, "password: SEC-PWD-02 a NUL");
	ok(password_normal(arena, STR("\xf3\xa0\x82\x80"), &normal) == PASSWORD_UNASSIGNED, "password: SEC-PWD-02 unassigned is a fault of its own");

	memset(text, 'x', sizeof text);
	ok(password_normal(arena, (struct str){ text, PASSWORD_MAX_BYTES }, &normal) == PASSWORD_GOOD && normal.n == PASSWORD_MAX_BYTES &&
	    password_normal(arena, (struct str){ text, PASSWORD_MAX_BYTES + 1 }, &normal) == PASSWORD_TOO_LONG, "password: SEC-PWD-02 nothing is cut");
	for (size_t i = 0; i + 3 <= sizeof text; i += 3)
		memcpy(text + i, "e\xcc\x81", 3);
	ok(password_normal(arena, (struct str){ text, 3 * 255 }, &normal) == PASSWORD_GOOD && normal.n == 510 &&
	    password_normal(arena, (struct str){ text, 3 * 256 }, &normal) == PASSWORD_TOO_LONG, "password: SEC-PWD-02 what counts is the length after it");
	for (size_t i = 0; i + 6 <= sizeof text; i += 6)
		memcpy(text + i, "\xce\xb9\xcc\x88\xcc\x81", 6);	/* three letters that become one */
	ok(password_normal(arena, (struct str){ text, 6 * 255 }, &normal) == PASSWORD_GOOD && normal.n == 510,
	    "password: SEC-PWD-02 one that becomes a third");
	ok(password_normal(arena, (struct str){ text, sizeof text }, &normal) == PASSWORD_TOO_LONG, "password: SEC-PWD-02 more than is read");
	for (size_t i = 0; i + 2 <= sizeof text; i += 2)
		memcpy(text + i, "\xcd\x84", 2);	/* each becomes two */
	ok(password_normal(arena, (struct str){ text, 2 * 127 }, &normal) == PASSWORD_GOOD && normal.n == 508 &&
	    password_normal(arena, (struct str){ text, 2 * 128 }, &normal) == PASSWORD_TOO_LONG, "password: SEC-PWD-02 one that grows");
}

int
main(void)
{
	struct arena *arena = arena_new(1024 * 1024);

	test_arena_memory();
	test_arena_limit();
	test_arena_bindings();
	test_bind_when_exhausted();
	test_memory();
	test_str();
	test_words();
	test_numbers();
	test_utf8();
	test_copies(arena);
	test_buf(arena);
	test_escaping(arena);
	test_base64url(arena);
	test_base64url_is_canonical(arena);
	test_secret();
	test_uuid(arena);
	test_handle(arena);
	test_password(arena);
	test_recent();
	arena_free(&arena);
	return tap_done();
}
