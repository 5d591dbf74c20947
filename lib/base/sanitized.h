/*
 * sanitized.h -- is this a build that looks for bugs?
 *
 * SANITIZED is 1 when AddressSanitizer is compiled in (configure --enable-sanitizers).
 * It comes from the compiler itself and from nowhere else, so that what is not
 * instrumented cannot be treated as if it were.
 */
#ifndef BASE_SANITIZED_H
#define BASE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)		/* gcc */
#define SANITIZED	1
#elif defined(__has_feature)			/* clang */
#if __has_feature(address_sanitizer)
#define SANITIZED	1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED	0
#endif

#if SANITIZED
#include <sanitizer/asan_interface.h>
#define MEMORY_FORBID(place, n)	ASAN_POISON_MEMORY_REGION(place, n)
#define MEMORY_ALLOW(place, n)	ASAN_UNPOISON_MEMORY_REGION(place, n)
#else
#define MEMORY_FORBID(place, n)	((void)(place), (void)(n))
#define MEMORY_ALLOW(place, n)	((void)(place), (void)(n))
#endif

#endif
