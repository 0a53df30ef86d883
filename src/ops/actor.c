// SPDX-License-Identifier: GPL-2.0-or-later
/* Actors: buffers, open files, where to go next, and which errors are legal. */
#include "ops/actor.h"

#include "base/cleanup.h"
#include "ops/sight.h"
#include "ops/told.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

int actor_init(struct actor *a, u16 id, struct shadow *sh, struct oplog *log,
	       struct run_shared *run, const char *root, const char *fs, u64 seed, struct err *e)
{
	size_t views = ACTOR_VIEWS * sizeof(struct cell_view);

	*a = (struct actor){ .id = id,
			     .sh = sh,
			     .log = log,
			     .run = run,
			     .check = true,
			     .page = (u32)sysconf(_SC_PAGESIZE),
			     .nfiles = sh->nfiles };
	a->slot = &run->slots[id];
	a->rng.state = mix64(seed ^ mix64(id));
	snprintf(a->fs, sizeof(a->fs), "%s", fs);
	a->files = calloc(sh->nfiles, sizeof(*a->files));
	a->buf = mmap(NULL, ACTOR_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a->views = mmap(NULL, views, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!a->files || a->buf == MAP_FAILED || a->views == MAP_FAILED)
		return err_set(e, -ENOMEM, "no memory for buffers");
	for (u32 i = 0; i < sh->nfiles; i++) {
		struct afile *f = &a->files[i];

		*f = (struct afile){ .sf = &sh->files[i], .fd = -1, .dfd = -1 };
		f->map_len = ROUND_UP(f->sf->max_bytes, a->page);
		snprintf(f->path, sizeof(f->path), "%s/%s", root, f->sf->name);
	}
	return 0;
}

void actor_free(struct actor *a)
{
	if (a->files)
		actor_close(a);
	free(a->files);
	if (a->buf && a->buf != MAP_FAILED)
		munmap(a->buf, ACTOR_BUF);
	if (a->views && a->views != MAP_FAILED)
		munmap(a->views, ACTOR_VIEWS * sizeof(struct cell_view));
	*a = (struct actor){ 0 };
}

int afile_remap(struct afile *f)
{
	void *map;

	if (!f->map_len)
		return 0;
	/* The new one first: it lies elsewhere, and without memory the old one stays. */
	map = mmap(NULL, f->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	if (f->map)
		munmap(f->map, f->map_len);
	f->map = map;
	return 0;
}

/* The alignment that direct I/O on this file asks for (statx(2), STATX_DIOALIGN, since 6.1), at
 * least the filesystem's block: smaller direct writes are read-modify-write on some. */
static u32 direct_block(int fd)
{
	struct statx sx = { 0 };
	u32 block = 512;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN | STATX_BASIC_STATS, &sx) == 0) {
		if (sx.stx_mask & STATX_DIOALIGN && sx.stx_dio_offset_align)
			block = MAX(block, sx.stx_dio_offset_align);
		block = MAX(block, sx.stx_blksize > 65536 ? 4096U : sx.stx_blksize);
	}
	return block;
}

static int open_one(struct afile *f, bool create, struct err *e)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0);
	int r;

	f->fd = open(f->path, flags, 0600);
	if (f->fd < 0)
		return err_set(e, -errno, "%s: cannot be opened: %s", f->path, strerror(errno));
	f->asked_ns = now_ns();
	f->dfd = open(f->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_DIRECT);
	f->block = direct_block(f->fd);
	r = afile_remap(f);
	if (r < 0)
		return err_set(e, r, "%s: cannot be mapped: %s", f->path, strerror(-r));
	return 0;
}

int actor_open(struct actor *a, bool create, struct err *e)
{
	for (u32 i = 0; i < a->nfiles; i++) {
		int r = open_one(&a->files[i], create, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Some filesystems write back on close, and tell here. (close(2), EIO) */
static void close_told(struct afile *f, int fd)
{
	if (fd >= 0 && close(fd) < 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
		sync_failed(f->sf);
}

void actor_close(struct actor *a)
{
	for (u32 i = 0; i < a->nfiles; i++) {
		struct afile *f = &a->files[i];

		if (f->map)
			munmap(f->map, f->map_len);
		f->map = NULL;
		close_told(f, f->fd);
		close_told(f, f->dfd);
		f->fd = f->dfd = -1;
	}
}

u64 cells_in(const struct afile *f, u64 bytes)
{
	return bytes >> f->sf->cell_shift;
}

u64 clip_zone(const struct afile *f, u64 first, u64 n, bool direct)
{
	u64 zone = cells_in(f, f->sf->zone_bytes);

	if (!zone)
		return n;
	if ((first / zone & 1) != direct)
		return 0;
	return MIN(n, zone - first % zone);
}

u64 pick_cells(struct actor *a, const struct afile *f, u64 n, bool grow, u64 *ret_first)
{
	u64 limit = cells_in(f, grow ? f->sf->max_bytes : size_now(f->sf));

	if (!limit || !n)
		return 0;
	n = MIN(n, limit);
	*ret_first = rng_below(&a->rng, limit - n + 1);
	if (f->sf->zone_bytes) {
		/* Half of the file is for direct writers: step out of their zone at once. */
		u64 zone = cells_in(f, f->sf->zone_bytes);

		if (*ret_first / zone & 1)
			*ret_first -= zone;
		n = clip_zone(f, *ret_first, n, false);
	}
	return n;
}

/* Is the target so full that a failed allocation is no surprise? btrfs may run out of metadata
 * chunks long before. (btrfs(5)) */
static bool nearly_full(const struct actor *a, const struct afile *f)
{
	struct statvfs v;

	if (!strcmp(a->fs, "btrfs") || fstatvfs(f->fd, &v) < 0)
		return true;
	return v.f_bavail * v.f_frsize < MAX(16 * MIB, v.f_blocks * v.f_frsize / 10);
}

bool judge_errno(struct actor *a, struct afile *f, const struct op_record *rec, int err,
		 const int *legal)
{
	bool space = err == ENOSPC || err == EDQUOT;

	atomic_fetch_add_explicit(&a->slot->failed, 1, memory_order_relaxed);
	for (; legal && *legal; legal++)
		if (*legal == err)
			return true;
	if (told_explains(a, f, rec, err))
		return true;
	/* EINTR: a signal; ENOMEM: reclaim beside us. Neither says anything about the data. */
	if (err == EINTR || err == ENOMEM || (space && f && nearly_full(a, f)))
		return true;
	sight_errno(a, f, rec, err);
	return false;
}
