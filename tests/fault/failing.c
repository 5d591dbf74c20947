/*
 * failing.c -- a library for LD_PRELOAD that lets the Nth call fail
 *
 * The test writes into a file of shared memory (FAILING_CONTROL) which calls are meant
 * and which one of them fails; it reads there how many there were and where it failed.
 * Counting begins when the program has accepted its so-many-th connection, so that what
 * fails is part of a request.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAMES = 12, OWN_FRAMES = 3 };

enum { KIND_MEMORY = 1, KIND_INPUT = 2, KIND_OUTPUT = 4 };

/* In the order that tests/lib/failing.py has. */
struct control {
	uint64_t	nth;		/* 0: none fails */
	uint64_t	and_later;	/* those after it fail as well */
	uint64_t	kinds;
	uint64_t	error;		/* errno of input and output; 0: a short count */
	uint64_t	connection;	/* counting begins with this one */
	uint64_t	count;		/* out: calls so far */
	uint64_t	failed;		/* out: how many of them failed */
	char		where[1024];	/* out: who called, the nearest first */
};

static struct control	 nothing;
static struct control	*control = &nothing;
static uint64_t		 connections;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_accept)(int, struct sockaddr *, socklen_t *);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_recv)(int, void *, size_t, int);
static ssize_t (*real_send)(int, const void *, size_t, int);

/* dlsym() may itself ask for memory before it has found malloc. */
static _Alignas(16) char	early[16384];
static size_t			early_used;

static void *
early_zeroed(size_t n)
{
	void *place = early + early_used;

	n = (n + 15) & ~(size_t)15;
	if (n > sizeof early - early_used)
		return NULL;
	early_used += n;
	return place;
}

static int
is_early(const void *place)
{
	return (const char *)place >= early && (const char *)place < early + sizeof early;
}

#define FIND(name)	(*(void **)&real_##name = dlsym(RTLD_NEXT, #name))

static void
find_all(void)
{
	static int begun;

	if (begun)
		return;
	begun = 1;
	FIND(calloc), FIND(malloc), FIND(realloc), FIND(free), FIND(mmap), FIND(accept);
	FIND(read), FIND(write), FIND(recv), FIND(send);
}

__attribute__((constructor))
static void
open_control(void)
{
	const char	*path = getenv("FAILING_CONTROL");
	int		 fd;
	void		*place, *frame;

	find_all();
	backtrace(&frame, 1);		/* loads what it needs, before the sandbox is closed */
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	place = real_mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (place != MAP_FAILED)
		control = place;
	close(fd);
}

/* The frames above this library: object, nearest known name, offset in the object. */
__attribute__((noinline))
static void
note_place(void)
{
	void	*frames[FRAMES];
	int	 depth = backtrace(frames, FRAMES);
	size_t	 n = 0;

	for (int i = OWN_FRAMES; i < depth && n < sizeof control->where; i++) {
		Dl_info		 info;
		const char	*name;

		if (dladdr(frames[i], &info) == 0)
			continue;
		name = strrchr(info.dli_fname, '/');
		n += (size_t)snprintf(control->where + n, sizeof control->where - n, "%s%s:%s+0x%lx", n == 0 ? "" : " < ",
		    name == NULL ? info.dli_fname : name + 1, info.dli_sname == NULL ? "" : info.dli_sname,
		    (unsigned long)((char *)frames[i] - (char *)info.dli_fbase));
	}
}

/* Is this call to fail? */
__attribute__((noinline))
static int
is_due(uint64_t kind)
{
	if ((control->kinds & kind) == 0 || control->nth == 0 || connections < control->connection)
		return 0;
	control->count++;
	if (control->count != control->nth && !(control->and_later != 0 && control->count > control->nth))
		return 0;
	if (control->failed++ == 0)
		note_place();
	return 1;
}

static void *
no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *
malloc(size_t n)
{
	find_all();
	if (real_malloc == NULL)
		return early_zeroed(n);
	return is_due(KIND_MEMORY) ? no_memory() : real_malloc(n);
}

void *
calloc(size_t count, size_t size)
{
	find_all();
	if (real_calloc == NULL)
		return early_zeroed(count * size);
	return is_due(KIND_MEMORY) ? no_memory() : real_calloc(count, size);
}

void *
realloc(void *old, size_t n)
{
	void *place;

	find_all();
	if (is_early(old)) {
		place = malloc(n);
		return place == NULL ? NULL : memcpy(place, old, n);
	}
	return is_due(KIND_MEMORY) ? no_memory() : real_realloc(old, n);
}

void
free(void *place)
{
	if (!is_early(place) && real_free != NULL)
		real_free(place);
}

/* crypt(3) takes its memory so. */
void *
mmap(void *address, size_t n, int protection, int flags, int fd, off_t offset)
{
	find_all();
	if ((flags & MAP_ANONYMOUS) != 0 && is_due(KIND_MEMORY)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return real_mmap(address, n, protection, flags, fd, offset);
}

int
accept(int listener, struct sockaddr *address, socklen_t *n)
{
	int connection;

	find_all();
	connection = real_accept(listener, address, n);
	connections += connection >= 0;
	return connection;
}

/* What a failing input or output gives: -1 and errno, or one octet only.  After an
 * error the connection is gone, as it would be. */
static int
fails(int fd)
{
	if (control->error != 0 && control->error != EINTR)
		shutdown(fd, SHUT_RDWR);
	errno = (int)control->error;
	return control->error != 0;
}

ssize_t
read(int fd, void *place, size_t n)
{
	find_all();
	if (!is_due(KIND_INPUT))
		return real_read(fd, place, n);
	return fails(fd) ? -1 : real_read(fd, place, n > 0);
}

ssize_t
recv(int fd, void *place, size_t n, int flags)
{
	find_all();
	if (!is_due(KIND_INPUT))
		return real_recv(fd, place, n, flags);
	return fails(fd) ? -1 : real_recv(fd, place, n > 0, flags);
}

ssize_t
write(int fd, const void *place, size_t n)
{
	find_all();
	if (fd == STDERR_FILENO || !is_due(KIND_OUTPUT))
		return real_write(fd, place, n);
	return fails(fd) ? -1 : real_write(fd, place, n > 0);
}

ssize_t
send(int fd, const void *place, size_t n, int flags)
{
	find_all();
	if (!is_due(KIND_OUTPUT))
		return real_send(fd, place, n, flags);
	return fails(fd) ? -1 : real_send(fd, place, n > 0, flags);
}
