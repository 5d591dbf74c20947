/*
 * check_files.c -- postern check: postern.conf, password files, templates
 *
 * Who may read a secret, and who may write a file that says where the secrets go.
 */
#include "inspection.h"

#include "page/template.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS_WRITE	(S_IWGRP | S_IWOTH)
#define OTHERS_READ	(S_IRWXG | S_IRWXO)
#define PERMISSIONS	07777u

/* Pages that the endpoints show, and would not start without. */
static const char *const pages[] = {
	"account.html", "consent.html", "error.html", "login.html", "logout.html", "signed_out.html",
};

static bool
look_at(struct inspection *inspection, const char *path, struct stat *status)
{
	if (stat(path, status) == 0)
		return true;
	found(inspection, errno == EACCES ? LEVEL_WARNING : LEVEL_ERROR,
	    errno == EACCES ? "run postern check as a user who may look there" : NULL,
	    "could not look at %s: %s", path, strerror(errno));
	return false;
}

/* Each directory on the way, because who can write one can put another file there. */
static void
check_directories(struct inspection *inspection, const char *path)
{
	size_t		 size = strlen(path) + 1;
	char		*directory = memcpy(arena_alloc(inspection->arena, size), path, size);
	struct stat	 status;
	char		*slash;

	while ((slash = strrchr(directory, '/')) != NULL) {
		*slash = '\0';
		if (!look_at(inspection, *directory == '\0' ? "/" : directory, &status))
			break;
		if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
			found(inspection, LEVEL_ERROR, text(inspection, "chmod o-w %s", directory),
			    "everybody can write the directory %s, and so replace %s", directory, path);
	}
}

/* --- postern.conf ----------------------------------------------------------- */

static bool
has_password(const char *conninfo)
{
	PQconninfoOption	*options = PQconninfoParse(conninfo, NULL);
	bool			 has = false;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		has = has || (o->val != NULL && strcmp(o->keyword, "password") == 0);
	PQconninfoFree(options);
	return has;
}

static void
check_password(struct inspection *inspection, const char *path, const struct stat *status)
{
	if (!has_password(inspection->config->database))
		return;
	if ((status->st_mode & S_IRWXO) != 0)
		found(inspection, LEVEL_ERROR, text(inspection, "chmod o-rwx %s; better, move the password to passfiles", path),
		    "%s holds a password and everybody can read it", path);
	else
		found(inspection, LEVEL_WARNING, "move it to a file of each endpoint's own: passfiles in postern.conf(5)",
		    "%s holds a password, the same for all endpoints", path);
}

static void
check_configuration_file(struct inspection *inspection)
{
	const char	*path = inspection->config->path;
	struct stat	 status;

	if (!look_at(inspection, path, &status))
		return;
	if ((status.st_mode & OTHERS_WRITE) != 0)
		found(inspection, LEVEL_ERROR, text(inspection, "chmod go-w %s", path),
		    "others can write %s (mode %04o), and so choose the database", path, status.st_mode & PERMISSIONS);
	if (status.st_uid != 0 && status.st_uid != geteuid())
		found(inspection, LEVEL_WARNING, text(inspection, "chown root %s", path),
		    "%s belongs to the user %lu: if an endpoint runs as that user, it can choose its database", path,
		    (unsigned long)status.st_uid);
	check_password(inspection, path, &status);
	check_directories(inspection, path);
}

/* --- password files --------------------------------------------------------- */

static void
check_passfile(struct inspection *inspection, const char *path)
{
	struct stat status;

	if (!look_at(inspection, path, &status))
		return;
	if ((status.st_mode & OTHERS_READ) != 0)
		found(inspection, LEVEL_ERROR, text(inspection, "chmod 0400 %s, and change the password if others could read it", path),
		    "%s has mode %04o: others have rights on it, and libpq ignores such a file", path, status.st_mode & PERMISSIONS);
}

static void
check_passfiles(struct inspection *inspection)
{
	const char	*directory = inspection->config->passfiles;
	struct str	 names = STR(ENDPOINTS), name;
	struct stat	 status;

	if (directory == NULL || !look_at(inspection, directory, &status))
		return;
	if ((status.st_mode & OTHERS_WRITE) != 0)
		found(inspection, LEVEL_ERROR, text(inspection, "chmod go-w %s", directory),
		    "others can write the directory %s of the password files", directory);
	while (str_cut(&names, ' ', &name)) {
		const char *path = text(inspection, "%s/%.*s.pgpass", directory, STR_ARG(name));

		if (access(path, F_OK) == 0 || errno != ENOENT)
			check_passfile(inspection, path);
		else
			found(inspection, LEVEL_WARNING, text(inspection, "make %s, or rely on peer authentication and leave out passfiles", path),
			    "there is no password file for %.*s", STR_ARG(name));
	}
	check_directories(inspection, text(inspection, "%s/", directory));
}

static void
check_secrets(struct inspection *inspection)
{
	check_configuration_file(inspection);
	check_passfiles(inspection);
}

/* --- templates -------------------------------------------------------------- */

static void
check_templates(struct inspection *inspection)
{
	const char		*directory = inspection->config->templates;
	char			 problem[TEMPLATE_ERROR_MAX_BYTES];
	struct template_set	*set = template_set_load(directory, pages, sizeof pages / sizeof *pages, problem, sizeof problem);

	if (set == NULL)
		found(inspection, LEVEL_ERROR, "copy what is missing from " TEMPLATES_DIRECTORY, "%s: %s", directory, problem);
	template_set_free(&set);
}

const struct check file_checks[] = {
	{ "secrets", "postern.conf and password files cannot be read or changed by others", check_secrets, NULL },
	{ "templates", "every page is there and can be shown", check_templates, NULL },
	{ NULL, NULL, NULL, NULL },
};
