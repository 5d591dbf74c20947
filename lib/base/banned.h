/*
 * banned.h -- functions that no file of Postern may call
 *
 * Included before everything else (by the compiler's -include).  A call becomes
 * a compile error that names the replacement.  Standard headers are included
 * first, because they may declare the names.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name, instead) name##_is_banned__use_##instead

#undef strcpy
#define strcpy(a, b) BANNED(strcpy, struct_buf)
#undef strcat
#define strcat(a, b) BANNED(strcat, struct_buf)
#undef strncpy
#define strncpy(a, b, n) BANNED(strncpy, struct_buf)
#undef strncat
#define strncat(a, b, n) BANNED(strncat, struct_buf)
#undef sprintf
#define sprintf(...) BANNED(sprintf, snprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf, vsnprintf)
#undef strtok
#define strtok(a, b) BANNED(strtok, str_cut)
#undef atoi
#define atoi(a) BANNED(atoi, str_to_long)
#undef atol
#define atol(a) BANNED(atol, str_to_long)
#undef sscanf
#define sscanf(...) BANNED(sscanf, struct_str)
#undef gets
#define gets(a) BANNED(gets, getline)
#undef system
#define system(a) BANNED(system, nothing)
#undef popen
#define popen(a, b) BANNED(popen, nothing)
#undef alloca
#define alloca(a) BANNED(alloca, arena_alloc)
#undef gmtime
#define gmtime(a) BANNED(gmtime, gmtime_r)
#undef localtime
#define localtime(a) BANNED(localtime, gmtime_r)
#undef rand
#define rand() BANNED(rand, random_bytes)

#endif
