/*
 * user_agent.c -- a browser's name for people; see user_agent.h
 */
#include "oauth/user_agent.h"

/* The first row that fits: Edge and Opera also say Chrome, everything says Safari. */
static const struct {
	struct str	mark;
	struct str	name;
} browsers[] = {
	{ STR_INIT("Edg/"), STR_INIT("Edge") },
	{ STR_INIT("OPR/"), STR_INIT("Opera") },
	{ STR_INIT("Firefox/"), STR_INIT("Firefox") },
	{ STR_INIT("FxiOS/"), STR_INIT("Firefox") },
	{ STR_INIT("Chrome/"), STR_INIT("Chrome or Chromium") },
	{ STR_INIT("CriOS/"), STR_INIT("Chrome") },
	{ STR_INIT("Safari/"), STR_INIT("Safari") },
};

static bool
contains(struct str text, struct str part)
{
	return part.n <= text.n && memmem(text.p, text.n, part.p, part.n) != NULL;
}

struct str
user_agent_name(struct str header)
{
	for (size_t i = 0; i < sizeof browsers / sizeof *browsers; i++) {
		if (contains(header, browsers[i].mark))
			return browsers[i].name;
	}
	return STR("Unknown browser");
}
