/*
 * vocabulary.h -- the names that the shipped pages know
 *
 * The one place that says what a page can show.  A template that uses another
 * name does not load, so that a misspelt name is an error with its line and not
 * an empty place on the page.
 */
#ifndef PAGE_VOCABULARY_H
#define PAGE_VOCABULARY_H

#include "base/str.h"

/* Do we know this template file?  Names are checked only for those we do. */
bool vocabulary_covers(struct str file);

/* May this template file use name?  file must be covered. */
bool vocabulary_has(struct str file, struct str name);

#endif
