/*
 * error.h -- every way in which a request can fail, as one type
 *
 * Functions that can fail for a reason that a client may hear return enum error;
 * ERROR_NONE is success.  The log may say more than the client hears: log.h.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/str.h"

#define MUST_USE	__attribute__((warn_unused_result))

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

enum error {
	ERROR_NONE,
#define ERROR(symbol, name, status, level) ERROR_##symbol,
#include "base/error.def"
#undef ERROR
	ERROR__COUNT
};

/* The registered name, the HTTP status, the level of the log line. */
struct str	error_name(enum error error);
int		error_status(enum error error);
enum log_level	error_level(enum error error);

#endif
