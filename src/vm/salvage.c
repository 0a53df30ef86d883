// SPDX-License-Identifier: GPL-2.0-or-later
/* From memory and a disk without a name to files of a run directory. */
#include "vm/salvage.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/units.h"
#include "oplog.h"
#include "run.h"
#include "shadow/shadow.h"
#include "vm/guest.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define EXIT_FINDING 1
#define COPY	     MIB

static u64 state_bytes(const struct scenario *sc)
{
	u64 writers = 2; /* who lays out, and the checker */
	u64 ring = ROUND_UP(oplog_bytes(OPLOG_SLOTS), ARENA_PAGE);

	for (size_t i = 0; i < sc->nworkers; i++)
		writers += sc->workers[i].count;
	return ARENA_HEAD + ROUND_UP(shadow_bytes(sc), ARENA_PAGE) +
	       ROUND_UP(sizeof(struct run_shared), ARENA_PAGE) + writers * ring;
}

/* The memory of a PCI device is a power of two. */
static u64 power_of_two(u64 n)
{
	u64 p = ARENA_PAGE;

	while (p < n)
		p *= 2;
	return p;
}

static u64 image_bytes(const struct scenario *sc)
{
	json_t *target = json_object_get(sc->resolved, "target");
	const char *type = json_string_value(json_object_get(target, "type"));
	json_t *size = json_object_get(target, "size");
	u64 bytes = (u64)json_integer_value(size);

	if (!type || strcmp(type, "image") != 0)
		return 0;
	if (json_is_string(size) && parse_size(json_string_value(size), &bytes) < 0)
		return 0;
	return bytes;
}

static int open_arena(struct salvage *s, struct err *e)
{
	void *map;

	s->arena_fd = memfd_create("arena", MFD_CLOEXEC);
	if (s->arena_fd < 0 || ftruncate(s->arena_fd, (off_t)s->arena_bytes) < 0)
		return err_set(e, -errno, "no memory to share with the guest: %s", strerror(errno));
	map = mmap(NULL, s->arena_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->arena_fd, 0);
	if (map == MAP_FAILED)
		return err_set(e, -errno, "no memory to share with the guest: %s", strerror(errno));
	s->arena = map;
	arena_format(s->arena, s->arena_bytes);
	return 0;
}

/* Space is taken now: a host that runs full must not look like a disk that fails. */
static int open_disk(struct salvage *s, struct err *e)
{
	const char *dir = s->o->run_dir;
	int r;

	s->disk_fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->disk_fd < 0)
		return err_set(e, -errno, "%s: cannot hold a disk: %s", dir, strerror(errno));
	r = posix_fallocate(s->disk_fd, 0, (off_t)s->disk_bytes);
	if (r)
		return err_set(e, -r, "%s: no room for a disk of %llu MiB: %s", dir,
			       (unsigned long long)(s->disk_bytes / MIB), strerror(r));
	return 0;
}

int salvage_open(struct salvage *s, const struct vm_options *o, struct err *e)
{
	int r;

	*s = (struct salvage){ .o = o, .arena_fd = -1, .disk_fd = -1 };
	for (size_t i = 0; i < o->nscenarios; i++) {
		s->arena_bytes = MAX(s->arena_bytes, state_bytes(o->scenarios[i]));
		s->disk_bytes = MAX(s->disk_bytes, image_bytes(o->scenarios[i]));
	}
	s->arena_bytes = power_of_two(s->arena_bytes);
	r = open_arena(s, e);
	return r < 0 || !s->disk_bytes ? r : open_disk(s, e);
}

void salvage_close(struct salvage *s)
{
	if (s->arena)
		munmap(s->arena, s->arena_bytes);
	closep(&s->arena_fd);
	closep(&s->disk_fd);
}

/* What is zero stays a hole. */
static int write_part(const struct salvage *s, const struct arena_part *p, int dirfd)
{
	_cleanup_close_ int fd =
		openat(dirfd, p->name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	const u8 *from = (const u8 *)s->arena + p->offset;
	static const u8 zeros[ARENA_PAGE];
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && ftruncate(fd, (off_t)p->len) < 0)
		r = -errno;
	for (u64 at = 0; at < p->len && r == 0; at += ARENA_PAGE) {
		size_t n = (size_t)MIN(ARENA_PAGE, p->len - at);

		if (memcmp(from + at, zeros, n) != 0)
			r = pwrite_all(fd, from + at, n, at);
	}
	return r;
}

/* Parts that lie over each other would fill the host's disk with the same bytes. */
static int take_state(struct salvage *s, int dirfd)
{
	u64 sum = 0;
	int r = 0;

	for (u32 i = 0; i < ARENA_PARTS && r == 0; i++) {
		struct arena_part p;

		r = arena_part(s->arena, s->arena_bytes, i, &p);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		sum += p.len;
		if (r == 0)
			r = sum > s->arena_bytes ? -EBADMSG : write_part(s, &p, dirfd);
	}
	return r;
}

static int image_name(const struct salvage *s, size_t i, char *buf, size_t size)
{
	const char *run = strrchr(s->o->run_dir, '/');

	/* As target/image.c calls it, by the last component of the scenario's own run directory. */
	if (s->o->nscenarios > 1)
		return path_set(buf, size, "stressd-%zu.img", i + 1);
	return path_set(buf, size, "stressd-%s.img", run ? run + 1 : "run");
}

/* No scenario will use the disk again: it becomes this file. */
static int name_image(struct salvage *s, size_t i, int dirfd)
{
	char from[64], name[300];
	int r = image_name(s, i, name, sizeof(name));

	if (r < 0)
		return r;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", s->disk_fd);
	if (ftruncate(s->disk_fd, (off_t)image_bytes(s->o->scenarios[i])) < 0)
		return -errno;
	unlinkat(dirfd, name, 0); /* a guest may have sent one */
	return linkat(AT_FDCWD, from, dirfd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int copy_image(struct salvage *s, size_t i, int dirfd)
{
	u64 left = image_bytes(s->o->scenarios[i]);
	_cleanup_close_ int fd = -1;
	char name[300];
	off_t at = 0;
	int r = image_name(s, i, name, sizeof(name));

	if (r < 0)
		return r;
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (left) {
		ssize_t n = copy_file_range(s->disk_fd, &at, fd, NULL, MIN(left, COPY), 0);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= (u64)n;
	}
	return 0;
}

/* Zeros, and all of it allocated, as before the first scenario. */
static int renew(int fd, u64 from, u64 len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)len) <
			       0
		       ? -errno
		       : 0;
}

static int renew_all(struct salvage *s, u32 taken)
{
	int r = renew(s->arena_fd, ARENA_HEAD, s->arena_bytes - ARENA_HEAD);

	if (r == 0 && s->disk_fd >= 0) {
		r = renew(s->disk_fd, 0, s->disk_bytes);
		if (r == 0)
			r = -posix_fallocate(s->disk_fd, 0, (off_t)s->disk_bytes);
	}
	atomic_store(&s->arena->nparts, 0);
	atomic_store(&s->arena->taken, taken);
	return r;
}

/* Last, and never by the guest: see good_name(). */
static int write_note(const struct salvage *s, const char *end, int dirfd)
{
	json_t *note = json_pack("{s:i, s:s, s:s, s:s}", "version", 1, "end", end, "kernel",
				 s->o->kernel, "release", s->release);
	_cleanup_free_ char *text = note ? json_dumps(note, JSON_INDENT(2)) : NULL;
	_cleanup_close_ int fd = openat(
		dirfd, GUEST_NOTE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	json_decref(note);
	if (fd < 0)
		return -errno;
	return text ? write_all(fd, text, strlen(text)) : -ENOMEM;
}

int salvage_ended(struct salvage *s, size_t i, int exit, int dirfd)
{
	bool last = i + 1 == s->o->nscenarios;
	bool evidence = exit == EXIT_FINDING || (s->o->keep && exit == 0);
	int r = take_state(s, dirfd);

	if (r == 0)
		r = write_note(s, GUEST_DONE, dirfd);
	if (r == 0 && evidence && !s->o->no_images && image_bytes(s->o->scenarios[i]))
		r = last ? name_image(s, i, dirfd) : copy_image(s, i, dirfd);
	if (r == 0 && !last)
		r = renew_all(s, (u32)i + 1);
	return r;
}

int salvage_died(struct salvage *s, size_t i, const char *end, int dirfd)
{
	int r = take_state(s, dirfd);

	if (r == 0)
		r = write_note(s, end, dirfd);
	if (r == 0 && !s->o->no_images && image_bytes(s->o->scenarios[i]))
		r = name_image(s, i, dirfd);
	return r;
}

bool salvage_going(const struct salvage *s)
{
	const struct run_shared *run;
	struct arena_part p;

	for (u32 i = 0; i < ARENA_PARTS; i++) {
		if (arena_part(s->arena, s->arena_bytes, i, &p) < 0 || strcmp(p.name, "control") ||
		    p.len < sizeof(*run))
			continue;
		run = (const struct run_shared *)((const char *)s->arena + p.offset);
		return atomic_load(&run->go) != 0;
	}
	return false;
}
