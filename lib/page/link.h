/*
 * link.h -- which addresses a page may link to, load from or post to
 */
#ifndef PAGE_LINK_H
#define PAGE_LINK_H

#include "base/str.h"

#define LINK_MAX_BYTES	2048

/* May this stand in href, src or action?  True for
 *   - https: with a host and without user information (a name before "@" is
 *     there to be taken for the host),
 *   - http: on the loopback hosts of RFC 8252 section 7.3 and "localhost",
 *   - a path of this site: one "/" first, and no second one behind it.
 * Only the characters of RFC 3986 section 2; so no control character (browsers
 * drop TAB, CR and LF inside a URL), no backslash (they read it as "/") and
 * nothing beyond ASCII.  At most LINK_MAX_BYTES. */
bool link_is_allowed(struct str url);

#endif
