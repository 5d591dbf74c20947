/*
 * jose_jwt.c -- tests of tokens: RFC 7515 appendix A, RFC 7519, RFC 8725, security requirements 4.1
 *               (keys are in jose.c)
 */
#include "base/base64url.h"
#include "base/json.h"
#include "jose/jwt.h"

#include "tap.h"

#include <json.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define COUNT(array)	(sizeof (array) / sizeof (array)[0])
#define HEADER		"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k\"}"
#define PAYLOAD		"{\"sub\":\"alice\"}"

static struct arena	*arena;
static struct jose_key	*keys[JOSE__COUNT];

/* The only key, by whatever kid; it counts how often it is asked. */
struct ring {
	const struct jose_key	*key;
	struct str		 known_kid;	/* absent: any */
	unsigned		 asked;
	struct str		 last_kid;
};

static const struct jose_key *
find_in_ring(void *context, struct str kid)
{
	struct ring *ring = context;

	ring->asked++;
	ring->last_kid = kid;
	if (!str_is_absent(ring->known_kid) && !str_equal(ring->known_kid, kid))
		return NULL;
	return ring->key;
}

static const struct jwt_claims *claims;		/* of the last verify() */
static struct ring		 ring;

static enum jwt_outcome
verify_with(enum jose_algorithm algorithm, struct str token, struct str typ)
{
	ring.key = keys[algorithm];
	ring.asked = 0;
	return jwt_verify(arena, token, typ, find_in_ring, &ring, &claims);
}

static enum jwt_outcome
verify(struct str token)
{
	return verify_with(JOSE_ES256, token, STR("at+jwt"));
}

/* The outcome is "wanted", and there are claims if and only if that is JWT_OK. */
static void
expect(enum jwt_outcome outcome, enum jwt_outcome wanted, const char *name)
{
	ok(outcome == wanted && (claims != NULL) == (wanted == JWT_OK), "%s: %s%s%s", name,
	    jwt_outcome_name(wanted).p, outcome == wanted ? "" : " but was ",
	    outcome == wanted ? "" : jwt_outcome_name(outcome).p);
}

static struct str
join(struct str a, struct str b)
{
	struct buf buf = buf_new(arena, 64 * 1024);

	buf_add(&buf, a);
	buf_addc(&buf, '.');
	buf_add(&buf, b);
	return buf_str(&buf);
}

/* A token of any header and payload, and a really good signature. */
static struct str
forge_with(enum jose_algorithm algorithm, struct str header, struct str payload)
{
	struct jose_signature	signature = { .n = 0 };
	struct str		input = join(base64url_encode(arena, header),
	    base64url_encode(arena, payload));

	jose_key_sign(keys[algorithm], input, &signature);
	return join(input, base64url_encode(arena,
	    (struct str){ (char *)signature.bytes, signature.n }));
}

static struct str
forge(struct str header, struct str payload)
{
	return forge_with(JOSE_ES256, header, payload);
}

static struct str
good_token(void)
{
	return forge(STR(HEADER), STR(PAYLOAD));
}

/* The token with another signature. */
static struct str
resign(struct str token, struct str signature)
{
	struct str	rest = token;
	struct str	header, payload;

	str_cut(&rest, '.', &header);
	str_cut(&rest, '.', &payload);
	return join(str_first(token, header.n + 1 + payload.n), base64url_encode(arena, signature));
}

/* The octets of a token's signature. */
static struct str
signature_of(struct str token)
{
	struct str rest = token, part, bytes = STR_ABSENT;

	while (str_cut(&rest, '.', &part))
		continue;
	base64url_decode(arena, part, &bytes);
	return bytes;
}

static void
test_round_trip(enum jose_algorithm algorithm)
{
	const char		*name = jose_algorithm_name(algorithm).p;
	struct jwt_builder	 builder = jwt_builder_new(arena);
	struct str		 token;
	struct str		 bytes;
	char			*changed;
	bool			 refused = true;

	jwt_add_string(&builder, STR("sub"), STR("alice"));
	token = jwt_sign(&builder, keys[algorithm], STR("at+jwt"));
	ring.known_kid = jose_key_kid(keys[algorithm]);
	expect(verify_with(algorithm, token, STR("at+jwt")), JWT_OK, name);
	ok(claims != NULL && str_equal(jwt_claim_string(claims, "sub"), STR("alice")),
	    "%s: the claim", name);
	ring.known_kid = STR_ABSENT;
	for (size_t i = 0; i < token.n; i += 7) {
		changed = arena_alloc(arena, token.n);
		memcpy(changed, token.p, token.n);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		refused &= verify_with(algorithm, (struct str){ changed, token.n },
		    STR("at+jwt")) != JWT_OK && claims == NULL;
	}
	ok(refused, "%s: refused when changed anywhere", name);
	for (size_t n = 0; n < token.n; n += 11)
		refused &= verify_with(algorithm, str_first(token, n), STR("at+jwt")) != JWT_OK;
	ok(refused, "%s: refused when cut anywhere", name);
	expect(verify_with(algorithm, resign(token, STR("")), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "SEC-JOSE-01 b: empty signature");
	bytes = signature_of(token);
	expect(verify_with(algorithm, resign(token, str_first(bytes, bytes.n - 1)), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "one octet too short");
	for (unsigned other = 0; other < JOSE__COUNT; other++) {
		if (other != algorithm)
			expect(verify_with((enum jose_algorithm)other, token, STR("at+jwt")),
			    JWT_WRONG_ALGORITHM, "SEC-JOSE-02 b: the key of another algorithm");
	}
}

static void
test_header_order(void)
{
	struct jwt_builder	builder = jwt_builder_new(arena);
	struct str		token = jwt_sign(&builder, keys[JOSE_ES256], STR("at+jwt"));
	struct str		header, expected;
	struct buf		buf = buf_new(arena, 200);

	buf_add(&buf, STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\""));
	buf_add(&buf, jose_key_kid(keys[JOSE_ES256]));
	buf_add(&buf, STR("\"}"));
	expected = buf_str(&buf);
	ok(str_cut(&token, '.', &header) && base64url_decode(arena, header, &header) &&
	    str_equal(header, expected), "the header has alg, typ, kid");
	token = jws_sign(arena, keys[JOSE_ES256], STR_ABSENT, STR("{}"));
	ok(str_cut(&token, '.', &header) && base64url_decode(arena, header, &header) &&
	    str_starts_with(header, STR("{\"alg\":\"ES256\",\"kid\":")), "typ may be left out");
	ok(str_is_absent(jws_sign(arena, keys[JOSE_ES256], STR("at+jwt"), STR_ABSENT)),
	    "nothing is not signed");
}

struct header_sample {
	const char		*name;
	struct str		 header;
	enum jwt_outcome	 outcome;
};

#define REST	",\"typ\":\"at+jwt\",\"kid\":\"k\"}"
#define ES	"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k\""

static const struct header_sample headers[] = {
	{ "plain", STR_INIT(ES "}"), JWT_OK },
	{ "unknown member", STR_INIT(ES ",\"new\":[1,{}]}"), JWT_OK },
	{ "no kid", STR_INIT("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"), JWT_OK },
	{ "SEC-JOSE-01 a: none", STR_INIT("{\"alg\":\"none\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-01 a: None", STR_INIT("{\"alg\":\"None\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-01 a: NONE", STR_INIT("{\"alg\":\"NONE\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-01 a: empty", STR_INIT("{\"alg\":\"\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-01 a: missing", STR_INIT("{\"typ\":\"at+jwt\",\"kid\":\"k\"}"), JWT_MALFORMED },
	{ "SEC-JOSE-01 a: number", STR_INIT("{\"alg\":1" REST), JWT_MALFORMED },
	{ "SEC-JOSE-01 a: array", STR_INIT("{\"alg\":[\"ES256\"]" REST), JWT_MALFORMED },
	{ "SEC-JOSE-01 a: null", STR_INIT("{\"alg\":null" REST), JWT_MALFORMED },
	{ "SEC-JOSE-01 a: es256", STR_INIT("{\"alg\":\"es256\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-02 b: ES256K", STR_INIT("{\"alg\":\"ES256K\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-02 b: ES384", STR_INIT("{\"alg\":\"ES384\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-02 b: EdDSA", STR_INIT("{\"alg\":\"EdDSA\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-02 b: RS256", STR_INIT("{\"alg\":\"RS256\"" REST), JWT_WRONG_ALGORITHM },
	{ "SEC-JOSE-03 b: jku", STR_INIT(ES ",\"jku\":\"https://e.example/k\"}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-03 b: jku null", STR_INIT(ES ",\"jku\":null}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-03 b: x5u", STR_INIT(ES ",\"x5u\":\"https://e.example/k\"}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-03 b: jku escaped", STR_INIT(ES ",\"jk\\u0075\":\"x\"}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-03 c: kid with NUL", STR_INIT("{\"alg\":\"ES256\",\"typ\":\"at+jwt\","
	    "\"kid\":\"k\\u0000x\"}"), JWT_MALFORMED },
	{ "SEC-JOSE-03 c: kid a number", STR_INIT("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":1}"),
	    JWT_MALFORMED },
	{ "SEC-JOSE-03 c: kid null", STR_INIT("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":null}"),
	    JWT_MALFORMED },
	{ "SEC-JOSE-04 a: crit x", STR_INIT(ES ",\"crit\":[\"x\"],\"x\":1}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 a: crit empty", STR_INIT(ES ",\"crit\":[]}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 a: crit string", STR_INIT(ES ",\"crit\":\"exp\"}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 a: crit null", STR_INIT(ES ",\"crit\":null}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 a: crit alg", STR_INIT(ES ",\"crit\":[\"alg\"]}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 a: crit twice x", STR_INIT(ES ",\"crit\":[\"x\",\"x\"],\"x\":1}"),
	    JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 a: crit not there", STR_INIT(ES ",\"crit\":[\"x\"]}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 b: b64 false", STR_INIT(ES ",\"b64\":false}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 b: b64 true", STR_INIT(ES ",\"b64\":true}"), JWT_REFUSED_HEADER },
	{ "SEC-JOSE-04 b: b64 and crit", STR_INIT(ES ",\"b64\":false,\"crit\":[\"b64\"]}"),
	    JWT_REFUSED_HEADER },
	{ "SEC-JOSE-08 a: alg twice", STR_INIT("{\"alg\":\"none\",\"alg\":\"ES256\"" REST),
	    JWT_MALFORMED },
	{ "SEC-JOSE-08 a: alg and \\u0061lg", STR_INIT(ES ",\"\\u0061lg\":\"none\"}"), JWT_MALFORMED },
	{ "SEC-JOSE-08 a: twice, nested", STR_INIT(ES ",\"n\":{\"a\":1,\"a\":2}}"), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: empty header", STR_INIT(""), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: empty object", STR_INIT("{}"), JWT_WRONG_TYPE },
	{ "SEC-JOSE-08 c: array", STR_INIT("[" ES "}]"), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: string", STR_INIT("\"ES256\""), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: null", STR_INIT("null"), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: depth 8", STR_INIT(ES ",\"n\":[[[[[[[1]]]]]]]}"), JWT_OK },
	{ "SEC-JOSE-08 c: depth 9", STR_INIT(ES ",\"n\":[[[[[[[[1]]]]]]]]}"), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: byte order mark", STR_INIT("\xef\xbb\xbf" ES "}"), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: trailing garbage", STR_INIT(ES "}x"), JWT_MALFORMED },
	{ "SEC-JOSE-08 c: trailing NUL", STR_INIT(ES "}\0"), JWT_MALFORMED },
	{ "SEC-JOSE-11: typ number", STR_INIT("{\"alg\":\"ES256\",\"typ\":1}"), JWT_WRONG_TYPE },
	{ "SEC-JOSE-11: typ null", STR_INIT("{\"alg\":\"ES256\",\"typ\":null}"), JWT_WRONG_TYPE },
	{ "SEC-JOSE-11: typ missing", STR_INIT("{\"alg\":\"ES256\"}"), JWT_WRONG_TYPE },
	{ "SEC-JOSE-11: typ empty", STR_INIT("{\"alg\":\"ES256\",\"typ\":\"\"}"), JWT_WRONG_TYPE },
};

static void
test_headers(void)
{
	for (size_t i = 0; i < COUNT(headers); i++) {
		const struct header_sample *sample = &headers[i];

		expect(verify(forge(sample->header, STR(PAYLOAD))), sample->outcome, sample->name);
		ok(sample->outcome == JWT_OK || ring.asked <= 1, "%s: asked for a key at most once",
		    sample->name);
	}
	verify(forge(STR(ES ",\"jku\":\"https://e.example/k\"}"), STR(PAYLOAD)));
	ok(ring.asked == 0, "SEC-JOSE-03 b: no key is looked for");
	verify(forge(STR("{\"alg\":\"none\"" REST), STR(PAYLOAD)));
	ok(ring.asked == 0, "SEC-JOSE-01: no key is looked for");
}

static struct str
with_jwk(const char *member, struct str jwk)
{
	struct buf header = buf_new(arena, 8192);

	buf_addf(&header, "%s,\"%s\":", ES, member);
	buf_add(&header, jwk);
	buf_addc(&header, '}');
	return buf_str(&header);
}

/* A stranger signs and encloses its own key. */
static void
test_embedded_key(void)
{
	struct jose_key	*stranger = jose_key_generate(JOSE_ES256);
	struct jose_key	*ours = keys[JOSE_ES256];
	struct str	 header = with_jwk("jwk", jose_key_public_jwk(arena, stranger));
	struct str	 token;

	keys[JOSE_ES256] = stranger;
	token = forge(header, STR(PAYLOAD));
	keys[JOSE_ES256] = ours;
	expect(verify(token), JWT_BAD_SIGNATURE, "SEC-JOSE-03 a: jwk of a stranger is not used");
	expect(verify(forge(header, STR(PAYLOAD))), JWT_OK, "SEC-JOSE-03 a: jwk is ignored");
	expect(verify(forge(with_jwk("x5c", STR("[\"AA\"]")), STR(PAYLOAD))), JWT_OK,
	    "SEC-JOSE-03 a: x5c is ignored");
	jose_key_free(&stranger);
}

static void
test_kid(void)
{
	static const struct str kids[] = {
		STR_INIT("../../../etc/passwd"), STR_INIT("' OR 1=1 --"), STR_INIT(""),
		STR_INIT("K"), STR_INIT("k "), STR_INIT("retired"),
	};
	struct buf	header;
	char		long_kid[10001] = "";

	ring.known_kid = STR("k");
	for (size_t i = 0; i < COUNT(kids); i++) {
		header = buf_new(arena, 512);
		buf_add(&header, STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":"));
		buf_add_json(&header, kids[i]);
		buf_addc(&header, '}');
		expect(verify(forge(buf_str(&header), STR(PAYLOAD))), JWT_UNKNOWN_KEY,
		    "SEC-JOSE-03 c: unknown kid");
		ok(ring.asked == 1 && str_equal(ring.last_kid, kids[i]),
		    "SEC-JOSE-03 c: the kid is passed as it is");
	}
	expect(verify(forge(STR("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}"), STR(PAYLOAD))),
	    JWT_UNKNOWN_KEY, "SEC-JOSE-03 c: no kid");
	ok(str_is_absent(ring.last_kid), "SEC-JOSE-03 c: no kid is absent");
	memset(long_kid, 'k', sizeof long_kid - 1);
	header = buf_new(arena, 16384);
	buf_addf(&header, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", long_kid);
	expect(verify(forge(buf_str(&header), STR("{}"))), JWT_UNKNOWN_KEY,
	    "SEC-JOSE-03 c: kid of 10,000 octets");
	ok(ring.asked == 0, "SEC-JOSE-03 c: nobody is asked for it");
	ring.known_kid = STR_ABSENT;
}

/* A token with a MAC made with public text as the key. */
static struct str
hmac_token(const char *name, const EVP_MD *md, struct str secret)
{
	struct buf	header = buf_new(arena, 200);
	struct str	input;
	unsigned char	mac[EVP_MAX_MD_SIZE];
	unsigned	n = 0;

	buf_addf(&header, "{\"alg\":\"%s\"" REST, name);
	input = join(base64url_encode(arena, buf_str(&header)),
	    base64url_encode(arena, STR(PAYLOAD)));
	HMAC(md, secret.p, (int)secret.n, (const unsigned char *)input.p, input.n, mac, &n);
	return join(input, base64url_encode(arena, (struct str){ (char *)mac, n }));
}

static EVP_PKEY *
pkey_of(enum jose_algorithm algorithm)
{
	struct str	 pem = jose_key_private_pem(arena, keys[algorithm]);
	BIO		*bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY	*pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return pkey;
}

static void
test_algorithm_confusion(enum jose_algorithm algorithm)
{
	EVP_PKEY	*pkey = pkey_of(algorithm);
	BIO		*pem = BIO_new(BIO_s_mem());
	BIO		*der = BIO_new(BIO_s_mem());
	struct str	 secret[5];
	char		*p;

	PEM_write_bio_PUBKEY(pem, pkey);
	i2d_PUBKEY_bio(der, pkey);
	secret[0].n = (size_t)BIO_get_mem_data(pem, &p);
	secret[0].p = p;
	secret[1] = str_first(secret[0], secret[0].n - 1);
	secret[2].n = (size_t)BIO_get_mem_data(der, &p);
	secret[2].p = p;
	secret[3] = jose_key_public_jwk(arena, keys[algorithm]);
	secret[4] = STR("");
	for (size_t i = 0; i < COUNT(secret); i++) {
		expect(verify_with(algorithm, hmac_token("HS256", EVP_sha256(), secret[i]),
		    STR("at+jwt")), JWT_WRONG_ALGORITHM, "SEC-JOSE-02 a: HS256 with a public key");
		expect(verify_with(algorithm, hmac_token("HS384", EVP_sha384(), secret[i]),
		    STR("at+jwt")), JWT_WRONG_ALGORITHM, "SEC-JOSE-02 a: HS384 with a public key");
		expect(verify_with(algorithm, hmac_token("HS512", EVP_sha512(), secret[i]),
		    STR("at+jwt")), JWT_WRONG_ALGORITHM, "SEC-JOSE-02 a: HS512 with a public key");
		expect(verify_with(algorithm, hmac_token(jose_algorithm_name(algorithm).p,
		    EVP_sha256(), secret[i]), STR("at+jwt")), JWT_BAD_SIGNATURE,
		    "SEC-JOSE-02 a: a MAC under the key's own algorithm");
	}
	BIO_free(pem);
	BIO_free(der);
	EVP_PKEY_free(pkey);
}

/* Two halves of an ES256 signature. */
static struct str
halves(struct str r, struct str s)
{
	struct buf buf = buf_new(arena, 200);

	buf_add(&buf, r);
	buf_add(&buf, s);
	return buf_str(&buf);
}

static struct str
der_of(struct str raw)
{
	ECDSA_SIG	*pair = ECDSA_SIG_new();
	unsigned char	 bytes[80];
	unsigned char	*p = bytes;
	int		 n;

	ECDSA_SIG_set0(pair, BN_bin2bn((const unsigned char *)raw.p, 32, NULL),
	    BN_bin2bn((const unsigned char *)raw.p + 32, 32, NULL));
	n = i2d_ECDSA_SIG(pair, &p);
	ECDSA_SIG_free(pair);
	return str_dup(arena, (struct str){ (char *)bytes, (size_t)n });
}

static struct str
difference(struct str a, struct str b)
{
	BIGNUM		*x = BN_bin2bn((const unsigned char *)a.p, (int)a.n, NULL);
	BIGNUM		*y = BN_bin2bn((const unsigned char *)b.p, (int)b.n, NULL);
	unsigned char	 bytes[32];

	BN_sub(x, x, y);
	BN_bn2binpad(x, bytes, sizeof bytes);
	BN_free(x);
	BN_free(y);
	return str_dup(arena, (struct str){ (char *)bytes, sizeof bytes });
}

static void
test_es256_signatures(void)
{
	struct str token = good_token();
	struct str good = signature_of(token);
	struct str r = str_first(good, 32);
	struct str s = str_from(good, 32);
	struct str zero = STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	struct str order = STR("\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51");
	struct str ones = STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	const struct { const char *name; struct str signature; } bad[] = {
		{ "r = 0", halves(zero, s) },
		{ "s = 0", halves(r, zero) },
		{ "r = s = 0", halves(zero, zero) },
		{ "r = n", halves(order, s) },
		{ "s = n", halves(r, order) },
		{ "r = s = n", halves(order, order) },
		{ "r = 2^256 - 1", halves(ones, s) },
		{ "s = 2^256 - 1", halves(r, ones) },
		{ "r and s exchanged", halves(s, r) },
		{ "DER", der_of(good) },
		{ "63 octets", str_first(good, 63) },
		{ "63 octets, first missing", str_from(good, 1) },
		{ "65 octets, trailing", halves(good, STR("\0")) },
		{ "65 octets, leading", halves(STR("\0"), good) },
		{ "66 octets", halves(halves(STR("\0"), r), halves(STR("\0"), s)) },
		{ "128 octets", halves(good, good) },
		{ "none", STR("") },
	};

	expect(verify(resign(token, good)), JWT_OK, "the same signature");
	for (size_t i = 0; i < COUNT(bad); i++) {
		char name[100];

		snprintf(name, sizeof name, "SEC-JOSE-06 a: %s", bad[i].name);
		expect(verify(resign(token, bad[i].signature)), JWT_BAD_SIGNATURE, name);
	}
	expect(verify(resign(token, halves(r, difference(order, s)))), JWT_OK,
	    "SEC-JOSE-06 b: n - s verifies too: a signature is no replay key");
}

static void
test_ed25519_signatures(void)
{
	/* The group order, least octet first: RFC 8032 section 5.1. */
	static const unsigned char order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
		0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
	};
	struct str	token = forge_with(JOSE_EDDSA,
	    STR("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}"), STR(PAYLOAD));
	struct str	good = signature_of(token);
	unsigned char	changed[64];
	unsigned	carry = 0;

	memcpy(changed, good.p, sizeof changed);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)changed[32 + i] + order[i];
		changed[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	expect(verify_with(JOSE_EDDSA, token, STR("at+jwt")), JWT_OK, "EdDSA");
	expect(verify_with(JOSE_EDDSA, resign(token, (struct str){ (char *)changed, 64 }),
	    STR("at+jwt")), JWT_BAD_SIGNATURE, "SEC-JOSE-06 c: S + L");
	memset(changed, 0, sizeof changed);
	changed[0] = 1;
	expect(verify_with(JOSE_EDDSA, resign(token, (struct str){ (char *)changed, 64 }),
	    STR("at+jwt")), JWT_BAD_SIGNATURE, "SEC-JOSE-06 c: R = identity, S = 0");
	expect(verify_with(JOSE_EDDSA, resign(token, halves(good, STR("\0"))), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "SEC-JOSE-06 c: 65 octets");
}

/* A PS256 token with a salt of another length. */
static struct str
pss_token(int salt_bytes)
{
	EVP_PKEY	*pkey = pkey_of(JOSE_PS256);
	EVP_MD_CTX	*md = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*ctx = NULL;
	unsigned char	 bytes[512];
	size_t		 n = sizeof bytes;
	struct str	 input = join(
	    base64url_encode(arena, STR("{\"alg\":\"PS256\",\"typ\":\"at+jwt\"}")),
	    base64url_encode(arena, STR(PAYLOAD)));

	EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, pkey);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_bytes);
	EVP_DigestSign(md, bytes, &n, (const unsigned char *)input.p, input.n);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(pkey);
	return join(input, base64url_encode(arena, (struct str){ (char *)bytes, n }));
}

static void
test_rsa_signatures(void)
{
	struct str	token = forge_with(JOSE_RS256,
	    STR("{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}"), STR(PAYLOAD));
	struct str	good = signature_of(token);
	char		zeros[256] = { 0 };

	expect(verify_with(JOSE_PS256, pss_token(32), STR("at+jwt")), JWT_OK, "PS256, salt 32");
	expect(verify_with(JOSE_PS256, pss_token(0), STR("at+jwt")), JWT_BAD_SIGNATURE,
	    "SEC-JOSE-06 d: PS256, no salt");
	expect(verify_with(JOSE_PS256, pss_token(20), STR("at+jwt")), JWT_BAD_SIGNATURE,
	    "SEC-JOSE-06 d: PS256, salt of 20 octets");
	expect(verify_with(JOSE_PS256, pss_token(222), STR("at+jwt")), JWT_BAD_SIGNATURE,
	    "SEC-JOSE-06 d: PS256, longest salt");
	expect(verify_with(JOSE_RS256, token, STR("at+jwt")), JWT_OK, "RS256");
	expect(verify_with(JOSE_RS256, resign(token, (struct str){ zeros, 256 }), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "SEC-JOSE-06 d: RS256, 0");
	zeros[255] = 1;
	expect(verify_with(JOSE_RS256, resign(token, (struct str){ zeros, 256 }), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "SEC-JOSE-06 d: RS256, 1");
	expect(verify_with(JOSE_RS256, resign(token, halves(STR("\0"), good)), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "SEC-JOSE-06 d: RS256, a leading zero");
	expect(verify_with(JOSE_PS256, forge_with(JOSE_RS256,
	    STR("{\"alg\":\"PS256\",\"typ\":\"at+jwt\"}"), STR(PAYLOAD)), STR("at+jwt")),
	    JWT_BAD_SIGNATURE, "SEC-JOSE-02 b: a PKCS #1 signature for PS256");
}

/* The token with one part replaced by what "format" makes of it. */
static struct str
with_part(struct str token, unsigned index, const char *format)
{
	struct buf	buf = buf_new(arena, 64 * 1024);
	struct str	rest = token, part;

	for (unsigned i = 0; str_cut(&rest, '.', &part); i++) {
		if (i > 0)
			buf_addc(&buf, '.');
		if (i != index) {
			buf_add(&buf, part);
			continue;
		}
		for (const char *f = format; *f != '\0'; f++) {
			if (*f == '@')
				buf_add(&buf, part);
			else
				buf_addc(&buf, *f);
		}
	}
	return buf_str(&buf);
}

static void
test_base64url(void)
{
	static const char *const formats[] = {
		"@=", "@==", "@ ", " @", "@\n", "@\r\n", "\t@", "@A==", "@+", "@/", "+/+/@",
		"@%3D", "@\x7f", "@\xc3\xa9",
	};
	struct str	token = good_token();
	char		name[100];

	for (unsigned part = 0; part < 3; part++) {
		for (size_t i = 0; i < COUNT(formats); i++) {
			snprintf(name, sizeof name, "SEC-JOSE-08 b: part %u, form %zu", part, i);
			expect(verify(with_part(token, part, formats[i])), JWT_MALFORMED, name);
		}
	}
}

/* Set the highest unused bit at the end of the last part, or of the first. */
static void
test_unused_bits(void)
{
	static const char	 alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct str		 token = good_token();
	struct str		 header = forge(STR(HEADER " "), STR(PAYLOAD));
	size_t			 dot = (size_t)str_index(header, '.');
	char			*copy = arena_alloc(arena, token.n);

	memcpy(copy, token.p, token.n);
	copy[token.n - 1] = alphabet[(strchr(alphabet, copy[token.n - 1]) - alphabet) | 1];
	expect(verify((struct str){ copy, token.n }), JWT_MALFORMED,
	    "SEC-JOSE-08 b: unused bits in the signature");
	if (dot % 4 == 0) {
		header = forge(STR(HEADER "  "), STR(PAYLOAD));
		dot = (size_t)str_index(header, '.');
	}
	expect(verify(header), JWT_OK, "a header with white space");
	copy = arena_alloc(arena, header.n);
	memcpy(copy, header.p, header.n);
	copy[dot - 1] = alphabet[(strchr(alphabet, copy[dot - 1]) - alphabet) | 1];
	expect(verify((struct str){ copy, header.n }), JWT_MALFORMED,
	    "SEC-JOSE-08 b: unused bits in the header");
}

static void
test_shapes(void)
{
	struct str	good = good_token();
	struct str	header, payload, signature, rest = good;
	struct buf	json = buf_new(arena, 2048);

	str_cut(&rest, '.', &header);
	str_cut(&rest, '.', &payload);
	str_cut(&rest, '.', &signature);
	buf_addf(&json, "{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%.*s\"}",
	    STR_ARG(header), STR_ARG(payload), STR_ARG(signature));
	expect(verify(good), JWT_OK, "the good token");
	expect(verify(STR_ABSENT), JWT_MALFORMED, "SEC-JOSE-08 c: absent");
	expect(verify(STR("")), JWT_MALFORMED, "SEC-JOSE-08 c: empty");
	expect(verify(STR("..")), JWT_MALFORMED, "SEC-JOSE-08 c: three empty parts");
	expect(verify(header), JWT_MALFORMED, "SEC-JOSE-08 c: one part");
	expect(verify(join(header, payload)), JWT_MALFORMED, "SEC-JOSE-08 c: two parts");
	expect(verify(join(good, STR(""))), JWT_MALFORMED, "SEC-JOSE-08 c: a dot at the end");
	expect(verify(join(STR(""), good)), JWT_MALFORMED, "SEC-JOSE-08 c: a dot in front");
	expect(verify(join(good, signature)), JWT_MALFORMED, "SEC-JOSE-08 c: four parts");
	expect(verify(join(good, join(payload, signature))), JWT_MALFORMED,
	    "SEC-JOSE-12: five parts");
	expect(verify(buf_str(&json)), JWT_MALFORMED, "SEC-JOSE-08 c: JSON serialisation");
	expect(verify(with_part(good, 1, "")), JWT_BAD_SIGNATURE, "SEC-JOSE-08 c: detached payload");
	expect(verify(with_part(good, 0, "")), JWT_MALFORMED, "SEC-JOSE-08 c: no header");
}

static const struct { const char *name; struct str payload; } payloads[] = {
	{ "08 a: claim twice", STR_INIT("{\"sub\":\"a\",\"sub\":\"b\"}") },
	{ "08 a: claim twice, escaped", STR_INIT("{\"sub\":\"a\",\"s\\u0075b\":\"b\"}") },
	{ "08 a: twice, nested", STR_INIT("{\"cnf\":{\"jkt\":\"a\",\"jkt\":\"b\"}}") },
	{ "08 c: empty", STR_INIT("") },
	{ "08 c: array", STR_INIT("[" PAYLOAD "]") },
	{ "08 c: string", STR_INIT("\"sub\"") },
	{ "08 c: null", STR_INIT("null") },
	{ "08 c: nested JWT", STR_INIT("eyJhbGciOiJFUzI1NiJ9.e30.AA") },
	{ "08 c: depth 9", STR_INIT("{\"a\":[[[[[[[[]]]]]]]]}") },
	{ "08 c: byte order mark", STR_INIT("\xef\xbb\xbf{}") },
	{ "08 c: trailing garbage", STR_INIT("{}{}") },
	{ "08 c: invalid UTF-8", STR_INIT("{\"sub\":\"\xc0\xaf\"}") },
	{ "08 c: \\u0000 in a claim", STR_INIT("{\"sub\":\"alice\\u0000x\"}") },
	{ "08 c: \\u0000 in a name", STR_INIT("{\"sub\\u0000x\":\"alice\"}") },
	{ "05: exp a fraction", STR_INIT("{\"exp\":1.5}") },
	{ "05: exp 1e300", STR_INIT("{\"exp\":1e300}") },
	{ "05: exp NaN", STR_INIT("{\"exp\":NaN}") },
	{ "05: exp 2^63", STR_INIT("{\"exp\":9223372036854775808}") },
	{ "05: exp 2^64", STR_INIT("{\"exp\":18446744073709551616}") },
	{ "05: exp 2^53", STR_INIT("{\"exp\":9007199254740992}") },
};

static void
test_payloads(void)
{
	char name[100];

	for (size_t i = 0; i < COUNT(payloads); i++) {
		snprintf(name, sizeof name, "SEC-JOSE-%s", payloads[i].name);
		expect(verify(forge(STR(HEADER), payloads[i].payload)), JWT_MALFORMED, name);
		expect(verify(resign(forge(STR(HEADER), payloads[i].payload), STR("x"))),
		    JWT_BAD_SIGNATURE, "SEC-JOSE-09 CVE-2026-1529: the signature is looked at first");
	}
}

/* A token of exactly n octets. */
static struct str
token_of_length(size_t n)
{
	for (size_t spaces = 0; spaces < 3; spaces++) {
		struct str header = str_first(STR(HEADER "   "), sizeof HEADER - 1 + spaces);

		for (size_t i = n * 3 / 4 - 200; i < n * 3 / 4; i++) {
			struct buf	 payload = buf_new(arena, 64 * 1024);
			char		*padding = arena_alloc(arena, i);
			struct str	 token;

			memset(padding, ' ', i);
			buf_add(&payload, (struct str){ padding, i });
			buf_add(&payload, STR("{}"));
			if (BASE64URL_LENGTH(header.n) + BASE64URL_LENGTH(i + 2) + 88 != n)
				continue;
			token = forge(header, buf_str(&payload));
			return token.n == n ? token : STR_ABSENT;
		}
	}
	return STR_ABSENT;
}

static void
test_sizes(void)
{
	struct str	 longest = token_of_length(JWT_MAX_BYTES);
	struct str	 too_long = token_of_length(JWT_MAX_BYTES + 1);
	char		*text = arena_alloc(arena, JWT_MAX_BYTES);
	struct jwt_builder builder = jwt_builder_new(arena);

	ok(longest.n == 16384 && too_long.n == 16385, "tokens of 16 KiB and one octet more");
	expect(verify(longest), JWT_OK, "SEC-JOSE-08 c: 16 KiB");
	expect(verify(too_long), JWT_MALFORMED, "SEC-JOSE-08 c: 16 KiB and one octet");
	memset(text, 'a', JWT_MAX_BYTES);
	jwt_add_string(&builder, STR("a"), (struct str){ text, 12000 });
	ok(!str_is_absent(jwt_sign(&builder, keys[JOSE_ES256], STR("at+jwt"))),
	    "12,000 octets can be signed");
	builder = jwt_builder_new(arena);
	jwt_add_string(&builder, STR("a"), (struct str){ text, 12288 });
	ok(str_is_absent(jwt_sign(&builder, keys[JOSE_ES256], STR("at+jwt"))),
	    "12,288 octets become too long a token");
	builder = jwt_builder_new(arena);
	jwt_add_string(&builder, STR("a"), (struct str){ text, JWT_MAX_BYTES });
	ok(str_is_absent(jwt_sign(&builder, keys[JOSE_ES256], STR("at+jwt"))),
	    "a builder that overflowed gives no token");
}

static void
test_types(void)
{
	static const char *const types[] = {
		"at+jwt", "logout+jwt", "dpop+jwt", "client-authentication+jwt",
		"oauth-authz-req+jwt", "JWT",
	};
	struct str	tokens[COUNT(types)];
	unsigned	accepted = 0;
	struct str	none = forge(STR("{\"alg\":\"ES256\"}"), STR(PAYLOAD));

	for (size_t i = 0; i < COUNT(types); i++)
		tokens[i] = jws_sign(arena, keys[JOSE_ES256], str_of(types[i]), STR(PAYLOAD));
	for (size_t i = 0; i < COUNT(types) * COUNT(types); i++) {
		size_t			 consumer = i % COUNT(types), kind = i / COUNT(types);
		enum jwt_outcome	 wanted = consumer == kind ? JWT_OK : JWT_WRONG_TYPE;

		expect(verify_with(JOSE_ES256, tokens[kind], str_of(types[consumer])), wanted,
		    "SEC-JOSE-11: kind and consumer");
		accepted += claims != NULL;
	}
	ok(accepted == COUNT(types), "SEC-JOSE-11: only the diagonal");
	expect(verify_with(JOSE_ES256, none, STR("at+jwt")), JWT_WRONG_TYPE,
	    "SEC-JOSE-11: typ is required");
	expect(verify_with(JOSE_ES256, none, STR("JWT")), JWT_OK, "no typ means JWT");
	expect(verify_with(JOSE_ES256, none, STR_ABSENT), JWT_OK, "no typ for no type");
	expect(verify_with(JOSE_ES256, tokens[5], STR_ABSENT), JWT_OK, "JWT for no type");
	expect(verify_with(JOSE_ES256, tokens[0], STR_ABSENT), JWT_WRONG_TYPE,
	    "SEC-JOSE-11: at+jwt for no type");
	expect(verify_with(JOSE_ES256, none, STR("client-authentication+jwt JWT")), JWT_OK,
	    "one of two types: none");
	expect(verify_with(JOSE_ES256, tokens[3], STR("client-authentication+jwt JWT")), JWT_OK,
	    "one of two types: the first");
	expect(verify_with(JOSE_ES256, tokens[0], STR("client-authentication+jwt JWT")),
	    JWT_WRONG_TYPE, "SEC-JOSE-11: neither of two types");
}

static void
test_type_spelling(void)
{
	static const struct { struct str typ; bool good; } samples[] = {
		{ STR_INIT("AT+JWT"), true }, { STR_INIT("application/at+jwt"), true },
		{ STR_INIT("Application/AT+jwt"), true }, { STR_INIT("at+jwt "), false },
		{ STR_INIT("application/"), false }, { STR_INIT("application/application/at+jwt"), false },
		{ STR_INIT("text/at+jwt"), false }, { STR_INIT("application/x/at+jwt"), false },
		{ STR_INIT("at+jw"), false }, { STR_INIT("at+jwtx"), false },
		{ STR_INIT("at+jwt;x=1"), false }, { STR_INIT("JWT"), false }, { STR_INIT(""), false },
	};

	for (size_t i = 0; i < COUNT(samples); i++)
		expect(verify(jws_sign(arena, keys[JOSE_ES256], samples[i].typ, STR(PAYLOAD))),
		    samples[i].good ? JWT_OK : JWT_WRONG_TYPE, "SEC-JOSE-11: spelling of typ");
}

static void
test_claims(void)
{
	int64_t	i = 7;
	bool	b = false;

	verify(forge(STR(HEADER), STR("{\"s\":\"text\",\"i\":999999999999999,\"zero\":0,\"minus\":-1,"
	    "\"exp\":\"1900000000\",\"b\":true,\"n\":null,\"a\":[1],\"o\":{\"x\":1},"
	    "\"scope\":\"openid files.read\"}")));
	if (!ok(claims != NULL, "claims"))
		return;
	ok(str_equal(jwt_claim_string(claims, "s"), STR("text")), "a string");
	ok(str_is_absent(jwt_claim_string(claims, "i")), "SEC-JOSE-05: an integer is no string");
	ok(str_is_absent(jwt_claim_string(claims, "none")), "SEC-JOSE-05: a missing claim");
	ok(jwt_claim_integer(claims, "i", &i) && i == 999999999999999, "an integer");
	ok(jwt_claim_integer(claims, "zero", &i) && i == 0, "zero");
	ok(!jwt_claim_integer(claims, "minus", &i) && i == 0, "SEC-JOSE-05: negative");
	ok(!jwt_claim_integer(claims, "exp", &i), "SEC-JOSE-05: a string is no integer");
	ok(!jwt_claim_integer(claims, "b", &i), "SEC-JOSE-05: a boolean is no integer");
	ok(!jwt_claim_integer(claims, "a", &i), "SEC-JOSE-05: an array is no integer");
	ok(!jwt_claim_integer(claims, "n", &i), "SEC-JOSE-05: null is no integer");
	ok(!jwt_claim_integer(claims, "none", &i), "SEC-JOSE-05: a missing integer");
	ok(jwt_claim_boolean(claims, "b", &b) && b, "a boolean");
	ok(!jwt_claim_boolean(claims, "s", &b), "SEC-JOSE-05: a string is no boolean");
	ok(jwt_has_claim(claims, "n") && jwt_has_claim(claims, "s") && !jwt_has_claim(claims, "none"), "a claim that is there, null too");
	ok(json_is_object(jwt_claim(claims, "o")) && jwt_claim(claims, "none") == NULL, "an object");
	ok(jwt_has_scope(claims, STR("files.read")) && jwt_has_scope(claims, STR("openid")),
	    "scope");
	ok(!jwt_has_scope(claims, STR("files")) && !jwt_has_scope(claims, STR("")) &&
	    !jwt_has_scope(claims, STR("openid files.read")), "no part of a scope");
}

static const struct { const char *name; struct str payload; bool has, only; } audiences[] = {
	{ "string", STR_INIT("{\"aud\":\"us\"}"), true, true },
	{ "array of one", STR_INIT("{\"aud\":[\"us\"]}"), true, true },
	{ "array with a stranger", STR_INIT("{\"aud\":[\"us\",\"them\"]}"), true, false },
	{ "array with a stranger first", STR_INIT("{\"aud\":[\"them\",\"us\"]}"), true, false },
	{ "array with us twice", STR_INIT("{\"aud\":[\"us\",\"us\"]}"), true, false },
	{ "another", STR_INIT("{\"aud\":\"them\"}"), false, false },
	{ "a list in a string", STR_INIT("{\"aud\":\"us them\"}"), false, false },
	{ "longer", STR_INIT("{\"aud\":\"us/\"}"), false, false },
	{ "capitals", STR_INIT("{\"aud\":\"US\"}"), false, false },
	{ "empty", STR_INIT("{\"aud\":\"\"}"), false, false },
	{ "empty array", STR_INIT("{\"aud\":[]}"), false, false },
	{ "array with a number", STR_INIT("{\"aud\":[\"us\",1]}"), false, false },
	{ "array in an array", STR_INIT("{\"aud\":[[\"us\"]]}"), false, false },
	{ "object", STR_INIT("{\"aud\":{\"us\":\"us\"}}"), false, false },
	{ "null", STR_INIT("{\"aud\":null}"), false, false },
	{ "missing", STR_INIT("{}"), false, false },
};

static void
test_audiences(void)
{
	for (size_t i = 0; i < COUNT(audiences); i++) {
		verify(forge(STR(HEADER), audiences[i].payload));
		ok(claims != NULL && jwt_has_audience(claims, STR("us")) == audiences[i].has,
		    "SEC-JOSE-05: aud: %s", audiences[i].name);
		ok(claims != NULL && jwt_has_only_audience(claims, STR("us")) == audiences[i].only,
		    "SEC-JOSE-05: only aud: %s", audiences[i].name);
		ok(claims != NULL && !jwt_has_audience(claims, STR_ABSENT),
		    "SEC-JOSE-05: nobody is no audience: %s", audiences[i].name);
	}
}

static void
test_builder(void)
{
	struct jwt_builder	builder = jwt_builder_new(arena);
	const struct str	amr[] = { STR("pwd"), STR("o\"tp") };
	struct str		token, header, payload;

	jwt_add_string(&builder, STR("nonce"), STR_ABSENT);
	jwt_add_raw(&builder, STR("cnf"), STR_ABSENT);
	jwt_add_string(&builder, STR("sub"), STR("a\"\\\xc3\xa9"));
	jwt_add_integer(&builder, STR("iat"), 1800000000);
	jwt_add_integer(&builder, STR("low"), -5);
	jwt_add_boolean(&builder, STR("email_verified"), true);
	jwt_add_boolean(&builder, STR("active"), false);
	jwt_add_strings(&builder, STR("amr"), amr, COUNT(amr));
	jwt_add_strings(&builder, STR("empty"), amr, 0);
	jwt_add_raw(&builder, STR("cnf"), STR("{\"jkt\":\"x\"}"));
	jwt_add_string(&builder, STR("blank"), STR(""));
	token = jwt_sign(&builder, keys[JOSE_ES256], STR("at+jwt"));
	expect(verify(token), JWT_OK, "what was built");
	str_cut(&token, '.', &header);
	str_cut(&token, '.', &payload);
	base64url_decode(arena, payload, &payload);
	ok(str_equal(payload, STR("{\"sub\":\"a\\\"\\\\\xc3\xa9\",\"iat\":1800000000,\"low\":-5,"
	    "\"email_verified\":true,\"active\":false,\"amr\":[\"pwd\",\"o\\\"tp\"],"
	    "\"empty\":[],\"cnf\":{\"jkt\":\"x\"},\"blank\":\"\"}")), "the claims as built");
	builder = jwt_builder_new(arena);
	expect(verify(jwt_sign(&builder, keys[JOSE_ES256], STR("at+jwt"))), JWT_OK, "no claims");
}

#define A_PAYLOAD	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A1_SIGNATURE	"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A3_HEADER	"eyJhbGciOiJFUzI1NiJ9"
#define A3_SIGNATURE	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

struct example {
	const char		*name;
	struct str		 token;
	enum jwt_outcome	 outcome;
};

/* All of them with the key of A.3. */
static const struct example examples[] = {
	{ "RFC 7515 A.3: ES256", STR_INIT(A3_HEADER "." A_PAYLOAD "." A3_SIGNATURE), JWT_OK },
	{ "RFC 7515 A.1: HS256", STR_INIT("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." A_PAYLOAD "." A1_SIGNATURE), JWT_WRONG_ALGORITHM },
	{ "RFC 7515 A.4: ES512", STR_INIT("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
	    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2Y"
	    "BJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"), JWT_WRONG_ALGORITHM },
	{ "RFC 7515 A.5, SEC-JOSE-01: unsecured", STR_INIT("eyJhbGciOiJub25lIn0." A_PAYLOAD "."), JWT_WRONG_ALGORITHM },
	{ "RFC 7515 A.6, SEC-JOSE-08: general JSON", STR_INIT("{\"payload\":\"" A_PAYLOAD "\",\"signatures\":[{\"protected\":\"" A3_HEADER
	    "\",\"header\":{\"kid\":\"e9bc097a-ce51-4036-9562-d2ade882db0d\"},\"signature\":\"" A3_SIGNATURE "\"}]}"), JWT_MALFORMED },
	{ "RFC 7515 A.7, SEC-JOSE-08: flattened JSON", STR_INIT("{\"payload\":\"" A_PAYLOAD "\",\"protected\":\"" A3_HEADER "\",\"signature\":\""
	    A3_SIGNATURE "\"}"), JWT_MALFORMED },
	{ "RFC 7515 appendix F, SEC-JOSE-08: detached payload", STR_INIT(A3_HEADER ".." A3_SIGNATURE), JWT_BAD_SIGNATURE },
	{ "RFC 7516 A.1, SEC-JOSE-12: JWE", STR_INIT("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp.48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdvT"),
	    JWT_MALFORMED },
	{ "RFC 7519 6.1, SEC-JOSE-01: unsecured", STR_INIT("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
	    "LmNvbS9pc19yb290Ijp0cnVlfQ."), JWT_WRONG_ALGORITHM },
};

static void
test_examples(void)
{
	struct jose_key	*ours = keys[JOSE_ES256], *theirs;
	struct jose_key	*ed = jose_key_from_public_jwk(STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"));
	int64_t		 exp = 0;

	theirs = jose_key_from_public_jwk(STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"));
	keys[JOSE_ES256] = theirs;
	for (size_t i = 0; i < COUNT(examples); i++)
		expect(verify_with(JOSE_ES256, examples[i].token, STR("JWT")), examples[i].outcome, examples[i].name);
	expect(verify_with(JOSE_ES256, examples[0].token, STR("JWT")), JWT_OK, examples[0].name);
	ok(claims != NULL && jwt_claim_integer(claims, "exp", &exp) && exp == 1300819380 &&
	    str_equal(jwt_claim_string(claims, "iss"), STR("joe")), "RFC 7515 A.3: its claims");
	expect(verify_with(JOSE_ES256, examples[0].token, STR("at+jwt")), JWT_WRONG_TYPE, "SEC-JOSE-11: RFC 7515 A.3 is no access token");
	keys[JOSE_ES256] = ours;
	ours = keys[JOSE_EDDSA];
	keys[JOSE_EDDSA] = ed;
	expect(verify_with(JOSE_EDDSA, STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhi"
	    "jcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"), STR("JWT")), JWT_MALFORMED, "RFC 8037 A.5: well signed, but no claims");
	keys[JOSE_EDDSA] = ours;
	jose_key_free(&theirs);
	jose_key_free(&ed);
}

int
main(void)
{
	arena = arena_new(256 * 1024 * 1024);
	for (unsigned i = 0; i < JOSE__COUNT; i++)
		keys[i] = jose_key_generate((enum jose_algorithm)i);
	for (unsigned i = 0; i < JOSE__COUNT; i++) {
		test_round_trip((enum jose_algorithm)i);
		test_algorithm_confusion((enum jose_algorithm)i);
	}
	test_examples();
	test_header_order();
	test_headers();
	test_embedded_key();
	test_kid();
	test_es256_signatures();
	test_ed25519_signatures();
	test_rsa_signatures();
	test_base64url();
	test_unused_bits();
	test_shapes();
	test_payloads();
	test_sizes();
	test_types();
	test_type_spelling();
	test_claims();
	test_audiences();
	test_builder();
	for (unsigned i = 0; i < JOSE__COUNT; i++)
		jose_key_free(&keys[i]);
	arena_free(&arena);
	return tap_done();
}
