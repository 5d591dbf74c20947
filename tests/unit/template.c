/*
 * template.c -- tests of lib/page: what does not load, what is shown, links
 *
 * Each case writes t.html (and, where it says so, another file) into a directory
 * of its own below the current one, and loads it like a program would.
 */
#include "page/link.h"
#include "page/template.h"
#include "page/vocabulary.h"
#include "tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_BYTES	((size_t)32 * 1024 * 1024)
#define PAGE_BYTES	((size_t)256 * 1024)
#define COUNT(array)	(sizeof(array) / sizeof *(array))

#define HEAD	"<!doctype html><html><head><title>t</title></head><body>\n"
#define FOOT	"\n</body></html>\n"

static char		 directory[] = "template-test-XXXXXX";
static char		 error[TEMPLATE_ERROR_MAX_BYTES];
static struct arena	*arena;

/* text for a line of TAP, in one of a few buffers that are used in turn */
static const char *
line(const char *text)
{
	static char	 lines[4][100];
	static size_t	 turn;
	char		*to = lines[turn++ % COUNT(lines)];

	snprintf(to, sizeof lines[0], "%s", text);
	for (size_t i = 0; to[i] != '\0'; i++) {
		if ((unsigned char)to[i] < 0x20 || (unsigned char)to[i] > 0x7e)
			to[i] = '.';
	}
	return to;
}

static void
write_bytes(const char *name, const char *text, size_t n)
{
	char	 path[256];
	FILE	*file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(text, 1, n, file) != n || fclose(file) != 0) {
		printf("Bail out! could not write %s\n", path);
		exit(1);
	}
}

static void
write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static void
remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	unlink(path);
}

static struct template_set *
load_file(const char *name)
{
	error[0] = '\0';
	return template_set_load(directory, &name, 1, error, sizeof error);
}

static struct template_set *
load_whole(const char *text)
{
	write_file("t.html", text);
	return load_file("t.html");
}

/* fragment begins in line 2 */
static struct template_set *
load_fragment(const char *fragment)
{
	struct buf text = buf_new(arena, PAGE_BYTES);

	buf_add(&text, STR(HEAD));
	buf_add(&text, str_of(fragment));
	buf_add(&text, STR(FOOT));
	return load_whole(str_z(arena, buf_str(&text)));
}

/* What fragment becomes, or "absent". */
static struct str
show(const char *fragment, const struct page_data *data)
{
	struct template_set	*set = load_fragment(fragment);
	struct buf		 out = buf_new(arena, PAGE_BYTES);
	struct str		 text;

	if (set == NULL)
		return STR_ABSENT;
	if (!template_render(set, "t.html", data, &out)) {
		template_set_free(&set);
		return STR_ABSENT;
	}
	text = buf_str(&out);
	template_set_free(&set);
	text = str_from(text, sizeof HEAD - 1);
	return str_first(text, text.n - (sizeof FOOT - 1));
}

static void
shows(const char *fragment, const struct page_data *data, const char *expected)
{
	struct str text = show(fragment, data);

	if (!ok(str_equal(text, str_of(expected)) && !str_is_absent(text), "shows: %s", line(fragment)))
		printf("# got \"%.*s\" %s\n", STR_ARG(text), error);
}

/* What does not load, and why. */

static const struct refusal {
	const char	*fragment;
	const char	*message;
} refusals[] = {
	/* elements */
	{ "<script>x</script>", "2: element <script> is not allowed in a template" },
	{ "\n\n<script src=\"/x\"></script>", "4: element <script> is not allowed in a template" },
	{ "<SCRIPT>x</SCRIPT>", "2: write the names of elements in lower case" },
	{ "<sCRIPT>x</sCRIPT>", "2: write the names of elements in lower case" },
	{ "<p><svg></svg></p>", "2: element <svg> is not allowed in a template" },
	{ "<math></math>", "2: element <math> is not allowed in a template" },
	{ "<textarea>{{x}}</textarea>", "2: element <textarea> is not allowed in a template" },
	{ "<iframe src=\"/\"></iframe>", "2: element <iframe> is not allowed in a template" },
	{ "<object></object>", "2: element <object> is not allowed in a template" },
	{ "<embed>", "2: element <embed> is not allowed in a template" },
	{ "<link rel=\"stylesheet\">", "2: element <link> is not allowed in a template" },
	{ "<base href=\"/\">", "2: element <base> is not allowed in a template" },
	{ "<noscript></noscript>", "2: element <noscript> is not allowed in a template" },
	{ "<template></template>", "2: element <template> is not allowed in a template" },
	{ "<xmp>{{x}}</xmp>", "2: element <xmp> is not allowed in a template" },
	{ "<plaintext>", "2: element <plaintext> is not allowed in a template" },
	{ "<table></table>", "2: element <table> is not allowed in a template" },
	{ "<custom-element></custom-element>", "2: element <custom> is not allowed in a template" },
	{ "<abcdefghijklmnopqrstuvwxyz>", "2: the name that begins with \"abcdefghijklmnopqrstuvwx\" is too long" },
	{ "<style>{{style}}</style>", "2: element <style> is not allowed inside <body>" },
	{ "<meta charset=\"utf-8\">", "2: element <meta> is not allowed inside <body>" },
	{ "<html></html>", "2: element <html> is not allowed inside <body>" },
	{ "<br/>", "2: write <br> without a slash at its end" },
	{ "<br />", "2: write <br> without a slash at its end" },
	{ "<>", "2: write &lt; for a single <" },
	{ "<p>1 < 2</p>", "2: write &lt; for a single <" },
	{ "<?php ?>", "2: write &lt; for a single <" },
	{ "<![CDATA[x]]>", "2: <! is not allowed here: comments are written {{! ... }}" },
	{ "<!-- {{x}} -->", "2: <! is not allowed here: comments are written {{! ... }}" },
	{ "<!-- plain -->", "2: <! is not allowed here: comments are written {{! ... }}" },
	/* structure that a browser would repair */
	{ "<p>", "3: </body> does not fit: we are inside <p>" },
	{ "</p>", "2: </p> does not fit: we are inside <body>" },
	{ "<p><div></div></p>", "2: element <div> is not allowed inside <p>" },
	{ "<p><em></p></em>", "2: </p> does not fit: we are inside <em>" },
	{ "<ul>text</ul>", "2: text is not allowed inside <ul>" },
	{ "<ul>{{x}}</ul>", "2: a placeholder is not allowed inside <ul>" },
	{ "<ul><p></p></ul>", "2: element <p> is not allowed inside <ul>" },
	{ "<li></li>", "2: element <li> is not allowed inside <body>" },
	{ "<br></br>", "2: </br> does not fit: we are inside <body>" },
	{ "</p {{x}}>", "2: unexpected character in the tag </p>" },
	{ "<a href=\"/a\"><a href=\"/b\"></a></a>", "2: element <a> is not allowed inside another one" },
	{ "<form method=\"post\"><div><form method=\"post\">", "2: element <form> is not allowed inside another one" },
	/* attributes */
	{ "<p onclick=\"x\"></p>", "2: attribute onclick is not allowed on <p>" },
	{ "<p onclick=\"{{x}}\"></p>", "2: attribute onclick is not allowed on <p>" },
	{ "<p onClick=\"x\"></p>", "2: write the names of attributes in lower case" },
	{ "<p ONCLICK=\"x\"></p>", "2: write the names of attributes in lower case" },
	{ "<p\n  onmouseover=\"x\"></p>", "3: attribute onmouseover is not allowed on <p>" },
	{ "<p style=\"color: red\"></p>", "2: attribute style is not allowed on <p>" },
	{ "<p style=\"{{x}}\"></p>", "2: attribute style is not allowed on <p>" },
	{ "<img alt=\"\" srcset=\"/x\">", "2: attribute srcset is not allowed on <img>" },
	{ "<p href=\"/\"></p>", "2: attribute href is not allowed on <p>" },
	{ "<p src=\"/\"></p>", "2: attribute src is not allowed on <p>" },
	{ "<button type=\"submit\" formaction=\"/\"></button>", "2: attribute formaction is not allowed on <button>" },
	{ "<p xmlns=\"x\"></p>", "2: attribute xmlns is not allowed on <p>" },
	{ "<p title={{x}}></p>", "2: put the value of title in double quotes" },
	{ "<p title=x></p>", "2: put the value of title in double quotes" },
	{ "<p title='{{x}}'></p>", "2: put the value of title in double quotes" },
	{ "<p title= \"x\"></p>", "2: put the value of title in double quotes" },
	{ "<p title =\"x\"></p>", "2: attribute title needs a value: title=\"...\"" },
	{ "<p title></p>", "2: attribute title needs a value: title=\"...\"" },
	{ "<p hidden=\"x\"></p>", "2: attribute hidden takes no value" },
	{ "<p title=\"a\"lang=\"b\"></p>", "2: unexpected character in the tag <p>" },
	{ "<p title=\"a\"{{x}}></p>", "2: a placeholder is not allowed inside a tag" },
	{ "<p =\"x\"></p>", "2: unexpected character in the tag <p>" },
	{ "<p \"x\"></p>", "2: unexpected character in the tag <p>" },
	{ "<p title=\"<\"></p>", "2: write &lt; for a single <" },
	{ "<p title=\"a & b\"></p>", "2: write &amp; for a single &" },
	{ "<p class=\"{{x}}\"></p>", "2: attribute class takes no placeholder" },
	{ "<input type=\"{{x}}\">", "2: attribute type takes no placeholder" },
	{ "<input type=\"text\" name=\"{{x}}\">", "2: attribute name takes no placeholder" },
	{ "<input name=\"x\">", "2: element <input> needs the attribute type, outside of any section" },
	{ "<img src=\"/x\">", "2: element <img> needs the attribute alt, outside of any section" },
	/* forms always post */
	{ "<form action=\"/x\"></form>", "2: element <form> needs the attribute method, outside of any section" },
	{ "<form method=\"get\"></form>", "2: write method=\"post\"" },
	{ "<form method=\"{{x}}\"></form>", "2: attribute method takes no placeholder" },
	{ "<form {{#x}}method=\"post\" {{/x}}></form>", "2: element <form> needs the attribute method, outside of any section" },
	{ "<form method=\"{{#x}}post{{/x}}\"></form>", "2: a section is only allowed" },
	/* links */
	{ "<a href=\"{{x}}\"></a>", "2: write {{url:...}} as the whole value of href" },
	{ "<img alt=\"\" src=\"{{x}}\">", "2: write {{url:...}} as the whole value of src" },
	{ "<form method=\"post\" action=\"{{x}}\"></form>", "2: write {{url:...}} as the whole value of action" },
	{ "<a href=\"/a?b={{x}}\"></a>", "2: write {{url:...}} as the whole value of href" },
	{ "<a href=\"/a/{{url:x}}\"></a>", "2: {{url:...}} must be the whole value of href" },
	{ "<a href=\"https://{{url:x}}\"></a>", "2: {{url:...}} must be the whole value of href" },
	{ "<a href=\" {{url:x}}\"></a>", "2: {{url:...}} must be the whole value of href" },
	{ "<a href=\"{{url:x}}?a=b\"></a>", "2: {{url:...}} must be the whole value of href" },
	{ "<a href=\"{{url:x}}{{url:y}}\"></a>", "2: {{url:...}} must be the whole value of href" },
	{ "<a href=\"{{url:x}}{{y}}\"></a>", "2: {{url:...}} must be the whole value of href" },
	{ "<a href=\"{{#x}}{{url:x}}{{/x}}\"></a>", "2: a section is only allowed" },
	{ "<a href={{url:x}}></a>", "2: put the value of href in double quotes" },
	{ "<a href='{{url:x}}'></a>", "2: put the value of href in double quotes" },
	{ "<p title=\"{{url:x}}\"></p>", "2: attribute title takes no {{url:...}}" },
	{ "<p>{{url:x}}</p>", "2: {{url:...}} is only allowed as the value of href, src or action" },
	{ "<a href=\"javascript:alert(1)\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"data:text/html,x\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"//evil.example/\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"http://evil.example/\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"#\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"login\"></a>", "2: the link in href is not allowed" },
	{ "<a href=\"/&#47;evil.example\"></a>", "2: the link in href is too long or holds a &" },
	/* places for placeholders */
	{ "<{{x}}></p>", "2: a placeholder is not allowed inside a tag" },
	{ "<p{{x}}></p>", "2: a placeholder is not allowed inside a tag" },
	{ "<p {{x}}></p>", "2: a placeholder is not allowed inside a tag" },
	{ "<p {{x}}=\"y\"></p>", "2: a placeholder is not allowed inside a tag" },
	{ "<p title{{x}}=\"y\"></p>", "2: a placeholder is not allowed inside a tag" },
	{ "</{{x}}>", "2: a placeholder is not allowed inside a tag" },
	{ "<p>&{{x}};</p>", "2: write &amp; for a single &" },
	{ "<p>&#x{{x}};</p>", "2: write &amp; for a single &" },
	{ "<p title=\"&{{x}}\"></p>", "2: write &amp; for a single &" },
	{ "<p>a & b</p>", "2: write &amp; for a single &" },
	{ "<p>{{style}}</p>", "2: {{style}} is only allowed as the whole content of <style>" },
	{ "<p title=\"{{style}}\"></p>", "2: {{style}} is only allowed as the whole content of <style>" },
	/* tags of the template */
	{ "<p>{{{x}}}</p>", "2: {{{ and {{& are not allowed: every value is escaped, write {{name}}" },
	{ "<p>{{&x}}</p>", "2: {{{ and {{& are not allowed: every value is escaped, write {{name}}" },
	{ "<p>{{=<% %>=}}</p>", "2: \"=<% %>=\" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{}}</p>", "2: \"\" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{ x }}</p>", "2: \" x \" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{X}}</p>", "2: \"X\" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{a.b}}</p>", "2: \"a.b\" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{a\nb}}</p>", "2: \"a b\" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{html:x}}</p>", "2: \"html:x\" is not a name: use lower-case letters, digits and _" },
	{ "<p>{{aaaaaaaaaabbbbbbbbbbccccccccccddd}}</p>", "2: \"aaaaaaaaaabbbbbbbbbbccccccccccddd\" is not a name" },
	{ "<p>{{#url:}}</p>", "2: \"\" is not a name" },
	{ "<p>{{x</p>", "2: {{ without }}" },
	{ "<p>\n{{", "3: {{ without }}" },
	/* sections */
	{ "{{#x}}", "3: </body> closes an element from outside of the section" },
	{ "\n{{#x}}\n{{^y}}\n{{/y}}", "6: </body> closes an element from outside of the section" },
	{ "{{/x}}", "2: {{/x}} closes no section" },
	{ "{{#x}}\n{{#y}}{{/x}}{{/y}}", "3: {{/x}} does not fit: the open section is y, from line 3" },
	{ "{{#url:x}}{{/x}}", "2: {{/x}} does not fit: the open section is url:x, from line 2" },
	{ "{{#x}}<p>{{/x}}</p>", "2: a section must end where it began" },
	{ "<p>{{#x}}</p>{{/x}}", "2: </p> closes an element from outside of the section" },
	{ "<p>{{#x}}</p><p>{{/x}}</p>", "2: </p> closes an element from outside of the section" },
	{ "<p title=\"{{#x}}\">{{/x}}</p>", "2: a section must end where it began" },
	{ "<p title=\"{{#x}}\" lang=\"{{/x}}\"></p>", "2: a section must end where it began" },
	{ "<p {{#x}}title=\"{{/x}}\"></p>", "2: a section must end where it began" },
	{ "<p {{#x}}></p><p {{/x}}></p>", "2: a section must end where it began" },
	{ "<p {{#x}}title=\"y\"{{/x}}></p>", "2: a section must end where it began" },
	{ "<p {{#x}}title{{/x}}=\"y\"></p>", "2: a section must end where it began" },
	{ "<p{{#x}} hidden{{/x}}></p>", "2: a section is only allowed" },
	{ "<{{#x}}p{{/x}}></p>", "2: a section is only allowed" },
	{ "<p>{{#x}}&{{/x}}amp;</p>", "2: a section must end where it began" },
	{ "<p>&{{#x}}amp;{{/x}}</p>", "2: a section is only allowed" },
	{ "<p>{{#x}}<{{/x}}b></p>", "2: a section must end where it began" },
	/* partials */
	{ "{{>missing.html}}", "missing.html: could not open the file: No such file or directory" },
	{ "{{>../secret.html}}", "2: {{>...}} needs the name of a file in the same directory that ends in .html" },
	{ "{{>/etc/secret.html}}", "2: {{>...}} needs the name of a file in the same directory that ends in .html" },
	{ "{{>.hidden.html}}", "2: {{>...}} needs the name of a file in the same directory that ends in .html" },
	{ "{{>style.css}}", "2: {{>...}} needs the name of a file in the same directory that ends in .html" },
	{ "{{>}}", "2: {{>...}} needs the name of a file in the same directory that ends in .html" },
	{ "{{>bad.html}}", "bad.html:3: element <script> is not allowed in a template" },
	{ "{{>loop.html}}", "loop.html:1: more than 4 files inside each other, or 32 in all" },
	{ "{{>open.html}}", "open.html:2: section x is not closed in this file" },
	{ "{{#x}}{{>close.html}}", "close.html:1: {{/x}} closes no section" },
	{ "<p title=\"{{>text.html}}>", "text.html:1: write &lt; for a single <" },
	/* bytes */
	{ "<p>\x01</p>", "2: control character 0x01" },
	{ "\n<p>\xff</p>", "3: the text is not valid UTF-8" },
	{ "<p>\xc0\xbc</p>", "2: the text is not valid UTF-8" },
};

/* The whole file, not a fragment. */
static const struct refusal whole_refusals[] = {
	{ "", "t.html: the page ends inside a tag" },
	{ "{{x}}", "t.html:1: begin the page with <!doctype html>" },
	{ "<html></html>", "t.html:1: begin the page with <!doctype html>" },
	{ "<!doctype html>", "t.html: the page is empty" },
	{ "<!doctype html>\n{{#x}}{{/x}}", "t.html:2: a section is only allowed" },
	{ "<!doctype html>\ntext", "t.html:2: text is not allowed outside <html>" },
	{ "<!doctype html>{{x}}", "t.html:1: a placeholder is not allowed outside <html>" },
	{ "<!doctype html><html>", "t.html: the page ends inside <html>" },
	{ "<!doctype html><html><body title=\"", "t.html: the page ends inside <html>" },
	{ "<!doctype html><p></p>", "t.html:1: element <p> is not allowed outside <html>" },
	{ "<!doctype html><html><head>x", "t.html:1: text is not allowed inside <head>" },
	{ "<!doctype html><html><head>{{x}}", "t.html:1: a placeholder is not allowed inside <head>" },
	{ "<!doctype html><html><head><title><b>", "t.html:1: element <b> is not allowed in a template" },
	{ "<!doctype html><html><head><title><em>", "t.html:1: element <em> is not allowed inside <title>" },
	{ "<!doctype html><html><head><meta http-equiv=\"refresh\">", "t.html:1: attribute http-equiv is not allowed on <meta>" },
	{ "<!doctype html><html><head><meta content=\"{{x}}\">", "t.html:1: attribute content takes no placeholder" },
	{ "<!doctype html><html><head><style>{{x}}", "t.html:1: only {{style}} is allowed inside <style>" },
	{ "<!doctype html><html><head><style>p{}", "t.html:1: only {{style}} is allowed inside <style>" },
	{ "<!doctype html><html><head><style>\n{{style}}", "t.html:1: only {{style}} is allowed inside <style>" },
	{ "<!doctype html><html><head><style></style>", "t.html:1: only {{style}} is allowed inside <style>" },
	{ "<!doctype html><html><head><style>{{style}} ", "t.html:1: only {{style}} is allowed inside <style>" },
	{ "<!doctype html><html><head><style>{{style}}{{style}}", "t.html:1: {{style}} is only allowed as the whole content of <style>" },
	{ "<!doctype html><html><head><style>{{style}}{{x}}", "t.html:1: only {{style}} is allowed inside <style>" },
	{ "<!doctype html><html><head><style>{{style}}<b>", "t.html:1: element <b> is not allowed in a template" },
	{ "<!doctype html><html><head><style>{{style}}<title>", "t.html:1: element <title> is not allowed inside <style>" },
	{ "<!doctype html><html><head><style media=\"all\">", "t.html:1: attribute media is not allowed on <style>" },
	{ "<!doctype html><html><head><style>{{#x}}{{style}}{{/x}}", "t.html:1: a section is only allowed" },
};

static void
write_partials(void)
{
	write_file("bad.html", "<p>a</p>\n\n<script>");
	write_file("loop.html", "{{>loop.html}}");
	write_file("open.html", "\n{{#x}}");
	write_file("close.html", "{{/x}}");
	write_file("text.html", "<p>{{x}}</p>");
	write_file("value.html", "{{x}}");
}

/* Not loaded, and the message begins as expected? */
static void
is_refused(struct template_set *set, const char *prefix, const struct refusal *refusal)
{
	char expected[TEMPLATE_ERROR_MAX_BYTES];

	snprintf(expected, sizeof expected, "%s%s", prefix, refusal->message);
	if (!ok(set == NULL && str_starts_with(str_of(error), str_of(expected)),
	    "refused: %s (%s)", line(refusal->fragment), line(refusal->message)))
		printf("# got \"%s\"\n", error);
	template_set_free(&set);
}

static void
test_refusals(void)
{
	for (size_t i = 0; i < COUNT(refusals); i++) {
		char first = refusals[i].message[0];

		is_refused(load_fragment(refusals[i].fragment),
		    first >= '0' && first <= '9' ? "t.html:" : "", &refusals[i]);
		arena_reset(arena);
	}
	for (size_t i = 0; i < COUNT(whole_refusals); i++)
		is_refused(load_whole(whole_refusals[i].fragment), "", &whole_refusals[i]);
}

/* text, n times */
static const char *
repeat(const char *before, const char *text, size_t n, const char *after)
{
	struct buf all = buf_new(arena, PAGE_BYTES);

	buf_add(&all, str_of(before));
	while (n-- > 0)
		buf_add(&all, str_of(text));
	buf_add(&all, str_of(after));
	return str_z(arena, buf_str(&all));
}

/* Each limit: its last good value loads, one more does not. */
static void
test_limits(void)
{
	static const struct {
		const char	*what, *before, *text, *middle, *after_each, *message;
		size_t		 most;
	} limits[] = {
		{ "elements", "", "<div>", "", "</div>", "more than 32 elements inside each other", 30 },
		{ "sections", "", "{{#x}}", "", "{{/x}}", "more than 16 sections inside each other", 16 },
		{ "partials", "", "{{>text.html}}", "", "", "more than 4 files inside each other, or 32 in all", 32 },
		{ "nodes", "", "{{x}}", "", "", "the page has more than 2048 pieces", 2046 },
		{ "bytes", "", "x", "", "", "the file has more than 65536 bytes", 65536 - sizeof HEAD - sizeof FOOT + 2 },
		{ "reference", "&", "a", ";", "", "write &amp;", 32 },
		{ "link", "<a href=\"/", "a", "\"></a>", "", "the link in href is too long", 511 },
	};

	for (size_t i = 0; i < COUNT(limits); i++) {
		for (size_t more = 0; more < 2; more++) {
			size_t			 n = limits[i].most + more;
			const char		*end = repeat(limits[i].middle, limits[i].after_each, n, "");
			struct template_set	*set = load_fragment(repeat(limits[i].before, limits[i].text, n, end));

			ok((set != NULL) == (more == 0) && (more == 0 || strstr(error, limits[i].message) != NULL),
			    "limit: %zu %s %s", n, limits[i].what, error);
			template_set_free(&set);
			arena_reset(arena);
		}
	}
}

/* Files. */

static void
test_files(void)
{
	static const char *const bad_names[] = {
		"", ".", "..", "../t.html", "/t.html", "a/t.html", ".t.html", "T.html", "t html",
	};
	struct template_set	*set;
	char			 path[256];
	const char		*two[] = { "t.html", "bad.html" };

	for (size_t i = 0; i < COUNT(bad_names); i++) {
		set = load_file(bad_names[i]);
		ok(set == NULL && strstr(error, "is not the name of a template file") != NULL,
		    "refused file name \"%s\"", bad_names[i]);
		template_set_free(&set);
	}
	snprintf(path, sizeof path, "%s/directory.html", directory);
	mkdir(path, 0700);
	ok(load_file("directory.html") == NULL && strstr(error, "could not read the file") != NULL, "a directory is no file");
	rmdir(path);
	snprintf(path, sizeof path, "%s/fifo.html", directory);
	ok(mkfifo(path, 0600) == 0 && load_file("fifo.html") == NULL &&
	    strstr(error, "could not read the file") != NULL, "a pipe is no file and does not block");
	unlink(path);
	set = load_whole(HEAD FOOT);
	template_set_free(&set);
	ok(template_set_load(directory, two, 2, error, sizeof error) == NULL && strcmp(error,
	    "bad.html:1: begin the page with <!doctype html>") == 0, "one bad page refuses the set");
	write_bytes("t.html", HEAD "\0" FOOT, sizeof HEAD + sizeof FOOT);
	ok(load_file("t.html") == NULL && strstr(error, "t.html:2: the text is not valid UTF-8") != NULL, "NUL is refused");
	ok(template_set_load(directory, two, 1, path, 8) == NULL && strcmp(path, "t.html:") == 0, "the message is cut to its room");
}

static void
test_style(void)
{
	static const struct {
		const char	*css, *message;
	} sheets[] = {
		{ "p{}\n</style>", "style.css:2: < is not allowed" },
		{ "/* <!-- */", "style.css:1: < is not allowed" },
		{ "@import 'x';", "style.css:1: @import and url()" },
		{ "\n\np{background:URL(x)}", "style.css:3: @import and url()" },
		{ "p\xff{}", "style.css:1: the text is not valid UTF-8" },
	};
	static const char	 page[] = "<!doctype html><html><head><style>{{style}}</style></head></html>";
	struct page_data	*data = page_new(arena);
	struct template_set	*set;
	struct buf		 out = buf_new(arena, PAGE_BYTES);

	for (size_t i = 0; i < COUNT(sheets); i++) {
		write_file("style.css", sheets[i].css);
		set = load_whole(page);
		ok(set == NULL && str_starts_with(str_of(error), str_of(sheets[i].message)), "refused style: %s", error);
		template_set_free(&set);
	}
	remove_file("style.css");
	ok(load_whole(page) == NULL && strstr(error, "style.css: could not open") != NULL, "no style sheet");
	/* the hash is that of "p{}\n", as printf 'p{}\n' | openssl dgst -sha256 -binary | base64 */
	write_file("style.css", "\xef\xbb\xbfp{}\r\n");
	page_set(data, "style", STR("evil"));
	set = load_whole(page);
	ok(set != NULL && template_render(set, "t.html", data, &out) && str_equal(buf_str(&out),
	    STR("<!doctype html><html><head><style>p{}\n</style></head></html>")),
	    "the style sheet stands as it is, without BOM and CR, and data cannot replace it");
	ok(set != NULL && strcmp(template_style_hash(set), "ENciTu8dY6ZA4nEGXBqyKSkyCEnyvmHRBTrJoNuRdwE=") == 0,
	    "its hash is that of what stands there");
	template_set_free(&set);
	write_file("style.css", "p { color: red; }\n");
}

/* What is shown. */

static struct page_data *
sample(void)
{
	struct page_data *data = page_new(arena), *item, *inner;

	page_set(data, "text", STR("outside"));
	page_set(data, "empty", STR(""));
	page_set(data, "absent", STR_ABSENT);
	page_set_flag(data, "yes", true);
	page_set_flag(data, "no", false);
	page_set(data, "link", STR("https://a.example/?b=1&c=2"));
	page_set(data, "bad_link", STR("javascript:alert(1)"));
	item = page_add_item(data, "list");
	page_set(item, "name", STR("one"));
	page_set(item, "text", STR("inside"));
	page_set_flag(item, "flagged", true);
	inner = page_add_item(item, "inner");
	page_set(inner, "letter", STR("a"));
	inner = page_add_item(item, "inner");
	page_set(inner, "letter", STR("b"));
	item = page_add_item(data, "list");
	page_set(item, "name", STR("two"));
	item = page_add_item(data, "list");
	page_set(item, "name", STR("three"));
	page_set(item, "text", STR_ABSENT);
	page_set(item, "link", STR("/three"));
	return data;
}

static const struct showing {
	const char	*fragment;
	const char	*expected;
} showings[] = {
	{ "<p>{{text}}</p>", "<p>outside</p>" },
	{ "<p>{{unknown}}{{empty}}{{absent}}{{yes}}{{list}}</p>", "<p></p>" },
	{ "<p>{{! a comment\n <script> }}x</p>", "<p>x</p>" },
	{ "<p>{{!}}}x</p>", "<p>}x</p>" },
	{ "<p>} }} { &amp; &#169; > ' \"</p>", "<p>} }} { &amp; &#169; > ' \"</p>" },
	{ "<p>ä€😀</p>", "<p>ä€😀</p>" },
	{ "{{#text}}[{{text}}]{{/text}}", "[outside]" },
	{ "{{#yes}}[{{text}}]{{/yes}}{{?yes}}!{{/yes}}", "[outside]!" },
	{ "{{#no}}x{{/no}}{{?no}}x{{/no}}{{^no}}y{{/no}}", "y" },
	{ "{{#empty}}x{{/empty}}{{#absent}}x{{/absent}}{{#unknown}}x{{/unknown}}", "" },
	{ "{{^empty}}x{{/empty}}{{^absent}}y{{/absent}}{{^unknown}}z{{/unknown}}", "xyz" },
	{ "{{^text}}x{{/text}}{{^yes}}x{{/yes}}{{^list}}x{{/list}}", "" },
	{ "{{#list}}{{name}}:{{text}} {{/list}}", "one:inside two:outside three: " },
	{ "{{?list}}<ul>{{#list}}<li>{{name}}</li>{{/list}}</ul>{{/list}}",
	    "<ul><li>one</li><li>two</li><li>three</li></ul>" },
	{ "{{#list}}{{name}}({{#inner}}{{letter}}{{name}}{{text}};{{/inner}}) {{/list}}",
	    "one(aoneinside;boneinside;) two() three() " },
	{ "{{#list}}{{#flagged}}{{name}}{{/flagged}}{{^flagged}}-{{/flagged}}{{/list}}", "one--" },
	{ "{{#list}}{{#list}}{{name}} {{/list}}{{/list}}",
	    "one two three one two three one two three " },
	{ "{{#unknown}}{{#list}}{{name}}{{/list}}{{/unknown}}.", "." },
	{ "{{#yes}}{{#no}}x{{/no}}y{{/yes}}z", "yz" },
	{ "<p class=\"a{{#yes}} b{{/yes}}{{#no}} c{{/no}}\"></p>", "<p class=\"a b\"></p>" },
	{ "<p {{#yes}}hidden {{/yes}}{{#no}}title=\"{{text}}\" {{/no}}lang=\"en\"></p>",
	    "<p hidden lang=\"en\"></p>" },
	{ "<p title=\"{{text}}, {{#list}}{{name}} {{/list}}\"></p>", "<p title=\"outside, one two three \"></p>" },
	{ "<a href=\"{{url:link}}\">{{link}}</a>",
	    "<a href=\"https://a.example/?b=1&amp;c=2\">https://a.example/?b=1&amp;c=2</a>" },
	{ "<a href=\"{{url:bad_link}}\">x</a>", "<a href=\"\">x</a>" },
	{ "<a href=\"{{url:unknown}}\">x</a>", "<a href=\"\">x</a>" },
	{ "<a href=\"{{url:list}}\">x</a>", "<a href=\"\">x</a>" },
	{ "{{#url:link}}x{{/url:link}}{{?url:link}}y{{/url:link}}{{^url:link}}z{{/url:link}}", "xy" },
	{ "{{#url:bad_link}}x{{/url:bad_link}}{{^url:bad_link}}y{{/url:bad_link}}", "y" },
	{ "{{#url:text}}x{{/url:text}}{{#url:list}}x{{/url:list}}{{#url:yes}}x{{/url:yes}}{{#url:unknown}}x{{/url:unknown}}", "" },
	{ "{{#list}}<a href=\"{{url:link}}\"></a>{{/list}}",
	    "<a href=\"https://a.example/?b=1&amp;c=2\"></a><a href=\"https://a.example/?b=1&amp;c=2\"></a><a href=\"/three\"></a>" },
	{ "<a href=\"#main\"></a><a href=\"mailto:help@example.org\"></a><a href=\"/a\"></a>",
	    "<a href=\"#main\"></a><a href=\"mailto:help@example.org\"></a><a href=\"/a\"></a>" },
	{ "<div>{{>text.html}}{{>text.html}}</div>", "<div><p></p><p></p></div>" },
	{ "<p title=\"{{>value.html}}\"></p>", "<p title=\"\"></p>" },
	{ "{{#yes}}{{>text.html}}{{/yes}}", "<p></p>" },
	{ "<dl><div><dt>a</dt><dd>b</dd></div></dl>", "<dl><div><dt>a</dt><dd>b</dd></div></dl>" },
	{ "<p aria-label=\"{{text}}\" data-x=\"{{text}}\"></p>", "<p aria-label=\"outside\" data-x=\"outside\"></p>" },
};

static void
test_showings(void)
{
	for (size_t i = 0; i < COUNT(showings); i++) {
		shows(showings[i].fragment, sample(), showings[i].expected);
		arena_reset(arena);
	}
}

static void
test_data(void)
{
	struct page_data	*data = page_new(arena);
	struct template_set	*set;
	struct buf		 out = buf_new(arena, PAGE_BYTES), small = buf_new(arena, 20);

	page_set(data, "x", STR("first"));
	page_set(data, "x", STR("second"));
	shows("{{x}}", data, "second");
	page_set_flag(data, "x", true);
	shows("{{#x}}[{{x}}]{{/x}}", data, "[]");
	page_set(page_add_item(data, "x"), "y", STR("item"));
	shows("{{#x}}[{{y}}]{{/x}}", data, "[item]");
	page_set(data, "x", STR("text"));
	shows("{{#x}}[{{x}}{{y}}]{{/x}}", data, "[text]");
	set = load_fragment("{{x}}");
	ok(set != NULL && !template_render(set, "other.html", data, &out), "an unknown page is not rendered");
	ok(set != NULL && !template_render(set, "t.html", data, &small), "a page that does not fit is not rendered");
	template_set_free(&set);
	ok(set == NULL, "freed");
	template_set_free(&set);
}

/* Values that try to leave their place (SEC-WEB-02). */

static const char *const payloads[] = {
	"<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
	"\"><script>alert(1)</script>", "'><script>alert(1)</script>", "\" onmouseover=\"alert(1)",
	"' onmouseover='alert(1)", "\" autofocus onfocus=alert(1) x=\"", "\"", "'", "<", ">", "&", "\"\"", "=", "`",
	"</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "</textarea><svg onload=alert(1)>",
	"<!--", "-->", "--!><script>", "<![CDATA[", "]]>", "<?xml", "&lt;script&gt;", "&#60;script&#62;", "&quot;",
	"&#x22; onclick=alert(1)", "&amp;lt;", "{{text}}", "{{{text}}}", "{{#list}}", "{{>text.html}}", "{{style}}",
	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,<b>",
	"//evil.example", "/\\evil.example", "\\\\evil.example", "https://a.example/\" onclick=\"x", "https://a.example/'x",
	"https://a.example/<script>", "/\"><script>", "/'x'", "\u202eevil", "\xef\xbc\x9cscript\xef\xbc\x9e", "a\r\nSet-Cookie: x=y",
	"\xc0\xbcscript", "\xff", " ", "\f<", "\v\"",
};

/* In text, or in a value that holds text: the value itself comes back. */
static const char *const text_contexts[][2] = {
	{ "<p>", "</p>" },
	{ "<p title=\"", "\"></p>" },
	{ "<input type=\"hidden\" name=\"csrf\" value=\"", "\">" },
	{ "<img alt=\"", "\">" },
	{ "<p aria-label=\"Disconnect ", "!\"></p>" },
	{ "<p lang=\"en\" data-x=\"a", "b\" id=\"c\"></p>" },
	{ "<h1><bdi>", "</bdi> asks</h1>" },
	{ "<button type=\"submit\" name=\"a\" value=\"", "\">b</button>" },
	{ "<label for=\"", "\"></label>" },
	{ "<time datetime=\"", "\"></time>" },
};

static const char *const link_contexts[][2] = {
	{ "<a href=\"", "\">x</a>" },
	{ "<img alt=\"\" src=\"", "\">" },
	{ "<form method=\"post\" action=\"", "\"></form>" },
};

/* What a browser makes of character references; absent if text holds a character
 * that could end its place, or a reference that we do not write. */
static struct str
unescape(struct str text)
{
	static const struct { struct str reference; char c; } references[] = {
		{ STR_INIT("&amp;"), '&' }, { STR_INIT("&lt;"), '<' }, { STR_INIT("&gt;"), '>' },
		{ STR_INIT("&quot;"), '"' }, { STR_INIT("&#39;"), '\'' },
	};
	struct buf out = buf_new(arena, PAGE_BYTES);

	buf_add(&out, STR(""));
	while (text.n > 0) {
		size_t i = 0, skip = 1;
		char c = text.p[0];

		if (strchr("<>\"'", c) != NULL)
			return STR_ABSENT;
		while (c == '&' && i < COUNT(references) && !str_starts_with(text, references[i].reference))
			i++;
		if (i == COUNT(references))
			return STR_ABSENT;
		if (c == '&') {
			c = references[i].c;
			skip = references[i].reference.n;
		}
		buf_addc(&out, c);
		text = str_from(text, skip);
	}
	return buf_str(&out);
}

/* What stands between before and after; absent if they are not there. */
static struct str
middle(struct str text, const char *before, const char *after)
{
	struct str a = str_of(before), b = str_of(after);

	if (text.n < a.n + b.n || !str_starts_with(text, a) || !str_ends_with(text, b))
		return STR_ABSENT;
	return str_first(str_from(text, a.n), text.n - a.n - b.n);
}

static void
test_payload(const char *const context[2], bool link, const char *payload)
{
	struct page_data	*data = page_new(arena);
	struct buf		 fragment = buf_new(arena, PAGE_BYTES);
	struct str		 text, value = str_of(payload);

	page_set(data, "x", value);
	buf_addf(&fragment, "%s{{%sx}}%s", context[0], link ? "url:" : "", context[1]);
	text = middle(show(buf_str(&fragment).p, data), context[0], context[1]);
	if (link && !link_is_allowed(value))
		value = STR("");
	ok(!str_is_absent(text) && !str_is_absent(unescape(text)) && str_equal(unescape(text), value),
	    "stays in its place: %s in %s...%s", line(payload), line(context[0]), line(context[1]));
	arena_reset(arena);
}

static void
test_payloads(void)
{
	for (size_t p = 0; p < COUNT(payloads); p++) {
		for (size_t c = 0; c < COUNT(text_contexts); c++)
			test_payload(text_contexts[c], false, payloads[p]);
		for (size_t c = 0; c < COUNT(link_contexts); c++)
			test_payload(link_contexts[c], true, payloads[p]);
	}
}

/* Links. */

static const struct link {
	const char	*url;
	bool		 allowed;
} links[] = {
	{ "https://a.example", true },
	{ "https://a.example/", true },
	{ "HTTPS://A.EXAMPLE/", true },
	{ "hTTps://a.example:8443/b/c?d=e&f=%20#g", true },
	{ "https://xn--bcher-kva.example/?q=a@b", true },
	{ "https://192.0.2.1/", true },
	{ "https://[2001:db8::1]:443/", true },
	{ "https://a.example?x", true },
	{ "https://a.example#x", true },
	{ "http://127.0.0.1", true },
	{ "http://127.0.0.1:8080/cb", true },
	{ "http://[::1]:8080/", true },
	{ "http://localhost/", true },
	{ "http://noteapp.localhost:8080/logo.svg", true },
	{ "http://LOCALHOST:3000/", true },
	{ "HTTP://localhost", true },
	{ "/", true },
	{ "/login", true },
	{ "/auth/login?a=b#c", true },
	{ "/a//b", true },
	{ "/.//a", true },
	{ "", false },
	{ " ", false },
	{ "javascript:alert(1)", false },
	{ "JavaScript:alert(1)", false },
	{ "JAVASCRIPT://https://a.example/%0aalert(1)", false },
	{ " javascript:alert(1)", false },
	{ "\tjavascript:alert(1)", false },
	{ "java\nscript:alert(1)", false },
	{ "\x01javascript:alert(1)", false },
	{ "javascript&colon;alert(1)", false },
	{ "data:text/html,<script>alert(1)</script>", false },
	{ "DATA:,x", false },
	{ "vbscript:x", false },
	{ "blob:https://a.example/x", false },
	{ "file:///x", false },
	{ "filesystem:https://a.example/", false },
	{ "about:blank", false },
	{ "view-source:https://a.example/", false },
	{ "mailto:a@a.example", false },
	{ "com.example.app:/callback", false },
	{ "ftp://a.example/", false },
	{ "ws://a.example/", false },
	{ "//evil.example", false },
	{ "///evil.example", false },
	{ "/\\evil.example", false },
	{ "\\\\evil.example", false },
	{ "\\/evil.example", false },
	{ "/\t/evil.example", false },
	{ "/\n/evil.example", false },
	{ "/\r/evil.example", false },
	{ "\t//evil.example", false },
	{ "/a\\b", false },
	{ "/a b", false },
	{ "/a\x7f", false },
	{ "/a\"b", false },
	{ "/a<b", false },
	{ "/a>b", false },
	{ "/a`b", false },
	{ "/a^b", false },
	{ "/a{b}", false },
	{ "/a|b", false },
	{ "/\xc3\xa4", false },
	{ "/\xff", false },
	{ "login", false },
	{ "./login", false },
	{ "?a=b", false },
	{ "#a", false },
	{ "https:", false },
	{ "https:/a.example/", false },
	{ "https:a.example", false },
	{ "https://", false },
	{ "https:///", false },
	{ "https:///evil.example/", false },
	{ "https://?a", false },
	{ "https://:443/", false },
	{ "https://a.example@evil.example/", false },
	{ "https://a.example:pass@evil.example/", false },
	{ "https://@evil.example/", false },
	{ "https://a.example\\@evil.example/", false },
	{ "https://a.example%2eevil.example/", false },
	{ "https://a_b.example/", false },
	{ "https://b\xc3\xbc" "cher.example/", false },
	{ "https://\xe3\x80\x82.example/", false },
	{ "https://a.example:/", false },
	{ "https://a.example:x/", false },
	{ "https://a.example:123456/", false },
	{ "https://[::1/", false },
	{ "https://[]/", false },
	{ "https://[::1]x/", false },
	{ "https://[a.example]/", false },
	{ "https://a.example /", false },
	{ "https://a.example/\n", false },
	{ "http://evil.example/", false },
	{ "http://127.0.0.1.evil.example/", false },
	{ "http://localhost.evil.example/", false },
	{ "http://evillocalhost/", false },
	{ "http://localhost@evil.example/", false },
	{ "http://evil.example#localhost", false },
	{ "http://evil.example/localhost", false },
	{ "http://127.0.0.1@evil.example/", false },
	{ "http://127.1/", false },
	{ "http://0x7f.1/", false },
	{ "http://[::]/", false },
	{ "http://", false },
	{ "http:/localhost/", false },
	{ "http:localhost", false },
};

static void
test_links(void)
{
	struct str	longest = str_of(repeat("/", "a", LINK_MAX_BYTES - 1, ""));
	struct str	longer = str_of(repeat("/", "a", LINK_MAX_BYTES, ""));

	for (size_t i = 0; i < COUNT(links); i++)
		ok(link_is_allowed(str_of(links[i].url)) == links[i].allowed,
		    "link is %s: %s", links[i].allowed ? "allowed" : "refused", line(links[i].url));
	ok(!link_is_allowed((struct str){ "/\0/evil.example", 15 }), "NUL in a link");
	ok(!link_is_allowed((struct str){ "/a\0", 3 }), "NUL behind a link");
	ok(!link_is_allowed(STR_ABSENT), "no link");
	ok(link_is_allowed(longest) && !link_is_allowed(longer), "the longest link");
}

/* The shipped pages. */

static void
test_shipped(void)
{
	const char	*source = getenv("srcdir");
	char		 path[4096];

	snprintf(path, sizeof path, "%s/templates", source == NULL ? "." : source);
	error[0] = '\0';
	ok(template_check(path, error, sizeof error), "the shipped pages load %s", error);
	ok(vocabulary_covers(STR("login.html")) && !vocabulary_covers(STR("t.html")) && !vocabulary_covers(STR("")),
	    "their names are known");
	ok(vocabulary_has(STR("login.html"), STR("username")) && vocabulary_has(STR("error.html"), STR("issuer_name")) &&
	    !vocabulary_has(STR("error.html"), STR("username")) && !vocabulary_has(STR("login.html"), STR("csrf request")),
	    "for each page");
	ok(!vocabulary_has(STR("account.html"), STR("logo_uri")) && !vocabulary_has(STR("account.html"), STR("no_apps")) &&
	    vocabulary_has(STR("account.html"), STR("next_key")), "and no page has a name that nothing ever sets");
	write_file("login.html", HEAD "<p>\n{{usrname}}</p>" FOOT);
	ok(load_file("login.html") == NULL &&
	    strcmp(error, "login.html:3: the page login.html has no value called usrname") == 0, "a misspelt name does not load");
	write_file("login.html", HEAD "\n{{>value.html}}" FOOT);
	ok(load_file("login.html") == NULL &&
	    strcmp(error, "value.html:1: the page login.html has no value called x") == 0, "not in a partial either");
	write_file("login.html", HEAD "{{#usrname}}{{/usrname}}" FOOT);
	ok(load_file("login.html") == NULL, "nor as a section");
}

static void
test_check(void)
{
	static const char *const files[] = {
		"bad.html", "loop.html", "open.html", "close.html", "text.html", "value.html", "login.html",
	};

	ok(!template_check(directory, error, sizeof error) && strstr(error, "bad.html:1:") == error, "check finds a bad page");
	for (size_t i = 0; i < COUNT(files); i++)
		remove_file(files[i]);
	write_file("_partial.html", "<script>");
	write_file("t.html", HEAD FOOT);
	ok(template_check(directory, error, sizeof error), "check takes no partial for a page");
	write_file("t.html", HEAD "{{>_partial.html}}" FOOT);
	ok(!template_check(directory, error, sizeof error) && strcmp(error,
	    "_partial.html:1: element <script> is not allowed in a template") == 0, "but looks into it");
	remove_file("_partial.html");
	remove_file("t.html");
	ok(!template_check(directory, error, sizeof error) && strstr(error, "has no page") != NULL, "check needs a page");
	remove_file("style.css");
	rmdir(directory);
	ok(!template_check(directory, error, sizeof error) && strstr(error, "could not read the directory") != NULL,
	    "check needs a directory");
}

int
main(void)
{
	arena = arena_new(ARENA_BYTES);
	if (arena == NULL || mkdtemp(directory) == NULL) {
		printf("Bail out! could not make a directory: %s\n", strerror(errno));
		return 1;
	}
	write_file("style.css", "p { color: red; }\n");
	write_partials();
	test_refusals();
	test_limits();
	test_files();
	test_style();
	test_showings();
	test_data();
	arena_reset(arena);
	test_payloads();
	test_links();
	test_shipped();
	test_check();
	arena_free(&arena);
	return tap_done();
}
