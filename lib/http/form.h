/*
 * form.h -- parameters: application/x-www-form-urlencoded by table
 *
 * Each endpoint has a table of the parameters that it knows.  The parser decodes
 * once, enforces UTF-8 without NUL, length and uniqueness, and hands out values
 * by index.  An empty value is the same as none; an unknown name is ignored
 * (RFC 6749 sections 3.1 and 3.2).
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "base/error.h"

#define FORM_MAX_PAIRS		100
#define FORM_MAX_PARAMETERS	32	/* in one endpoint's table */

struct parameter {
	const char	*name;
	size_t		 max_bytes;		/* after decoding */
	bool		 (*valid)(struct str value);	/* NULL: any text */
	bool		 list;			/* may be repeated (tick boxes of our own pages): */
						/* the values are joined by spaces */
};

/* What is wrong with a form: which parameter (-1: the form itself) and why, as
 * constant text fit for error_description. */
struct form_fault {
	int		 parameter;
	const char	*description;	/* NULL: nothing is wrong */
};

/* Decode text into values[0 .. count-1], in the arena; absent parameters are
 * absent slices.  Parsing goes on after a fault, so that an endpoint may look at
 * what is good (authorize: the redirect URI); *fault tells the first one, and a
 * parameter that is wrong anywhere, or there twice, is absent. */
void form_parse(struct arena *arena, struct str text, const struct parameter *table,
    size_t count, struct str *values, struct form_fault *fault);

/* Percent-decoding with '+' as space (the form's rules); false for a bad escape,
 * NUL or bad UTF-8. */
bool form_decode(struct arena *arena, struct str text, struct str *value);

/* Validators: one character class each, cited where they are used. */
bool form_is_vschar(struct str value);		/* RFC 6749 appendix A: %x20-7E */
bool form_is_nqchar_list(struct str value);	/* RFC 6749 section 3.3: scope */
bool form_is_line(struct str value);		/* what a person types into one line: no controls */

#endif
