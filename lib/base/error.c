/*
 * error.c -- the table of errors; see error.h
 */
#include "base/error.h"

static const struct {
	struct str	name;
	int		status;
	enum log_level	level;
} errors[ERROR__COUNT] = {
	[ERROR_NONE] = { STR_INIT(""), 200, LOG_LEVEL_INFO },
#define ERROR(symbol, name, status, level) [ERROR_##symbol] = { STR_INIT(name), status, level },
#include "base/error.def"
#undef ERROR
};

struct str
error_name(enum error error)
{
	return errors[error].name;
}

int
error_status(enum error error)
{
	return errors[error].status;
}

enum log_level
error_level(enum error error)
{
	return errors[error].level;
}
