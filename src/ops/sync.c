// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Syncs and caches. A sync that returns 0 makes durable what was settled before it started; the
 * epoch is taken before the call for that reason. None of these may change a byte.
 */
#include "ops/actor.h"
#include "ops/told.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int call_sync(struct afile *f, enum op_kind op)
{
	switch (op) {
	case OP_FDATASYNC:
		return fdatasync(f->fd);
	case OP_MSYNC:
		return msync(f->map, f->map_len, MS_SYNC);
	case OP_SYNCFS:
		return syncfs(f->fd);
	default:
		return fsync(f->fd);
	}
}

static void tell_failed(struct actor *a, struct afile *f, const struct op_record *rec, int err,
			u32 from, u32 to)
{
	bool loss = told_loss(err);

	for (u32 i = from; loss && i < to; i++)
		sync_failed(&a->sh->files[i]);
	/* The error that syncfs tells of is the superblock's: each file's is still to be told. */
	if (loss && rec->op != OP_SYNCFS)
		told_now(f);
	judge_errno(a, f, rec, err, NULL);
}

int op_sync(struct actor *a, struct afile *f, enum op_kind op)
{
	bool all = op == OP_SYNCFS;
	u32 from = all ? 0 : f->sf->index, to = all ? a->nfiles : f->sf->index + 1;
	u32 epochs[SC_MAX_FILES];
	struct op_record *rec;
	u64 owed = all ? 0 : told_owed(f);
	int r;

	for (u32 i = from; i < to; i++)
		epochs[i] = sync_begin(&a->sh->files[i]);
	rec = oplog_begin(a->log, &(struct op_record){ .op = (u8)op, .file = (u8)f->sf->index });
	actor_quiet(a, true);
	r = call_sync(f, op) < 0 ? -errno : 0;
	actor_quiet(a, false);
	oplog_end(rec, r);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	/* After a crash it is what survived that is synced, and not what had been written. */
	if (r == 0)
		for (u32 i = from; !a->sh->crashed && i < to && told_durable(a); i++)
			sync_commit(&a->sh->files[i], epochs[i]);
	else
		tell_failed(a, f, rec, -r, from, to);
	if (r == 0)
		told_nothing(a, f, rec, owed);
	return r;
}

int op_sync_range(struct actor *a, struct afile *f, u64 offset, u64 len, unsigned int flags)
{
	struct op_record *rec = oplog_begin(a->log, &(struct op_record){ .op = OP_SYNC_RANGE,
									 .file = (u8)f->sf->index,
									 .offset = offset,
									 .len = len,
									 .arg = flags });
	int r = sync_file_range(f->fd, (off_t)offset, (off_t)len, flags) < 0 ? -errno : 0;

	oplog_end(rec, r);
	actor_beat(a);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (r < 0) {
		static const int legal[] = { ESPIPE, EOPNOTSUPP, 0 };

		/* Where it waits it asks as fsync does, and no descriptor that is opened later is
		 * told again. (mm/filemap.c, file_fdatawait_range()) */
		if (told_loss(-r)) {
			sync_failed(f->sf);
			told_now(f);
		}
		judge_errno(a, f, rec, -r, legal);
	}
	return r;
}

static int call_cache(struct afile *f, enum op_kind op, u64 offset, u64 len)
{
	switch (op) {
	case OP_MADVISE_DONTNEED:
		return madvise(f->map + offset, len, MADV_DONTNEED) < 0 ? -errno : 0;
	case OP_MADVISE_PAGEOUT:
		return madvise(f->map + offset, len, MADV_PAGEOUT) < 0 ? -errno : 0;
	case OP_REMAP:
		return afile_remap(f);
	case OP_FADVISE_RANDOM:
		return -posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM);
	default:
		return -posix_fadvise(f->fd, (off_t)offset, (off_t)len, POSIX_FADV_DONTNEED);
	}
}

int op_cache(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len)
{
	struct op_record *rec;
	int r;

	if (op != OP_FADVISE_DONTNEED && op != OP_FADVISE_RANDOM) {
		offset = ROUND_DOWN(offset, a->page);
		len = MIN(len, f->map_len - MIN(offset, f->map_len));
		if (!len)
			return 0;
	}
	rec = oplog_begin(a->log, &(struct op_record){ .op = (u8)op,
						       .file = (u8)f->sf->index,
						       .offset = offset,
						       .len = len });
	r = call_cache(f, op, offset, len);
	oplog_end(rec, r);
	actor_beat(a);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (r < 0) {
		static const int legal[] = { EINVAL, EAGAIN, 0 };

		judge_errno(a, f, rec, -r, legal);
	}
	return r;
}

int op_drop_caches(struct actor *a, int mode)
{
	struct op_record *rec =
		oplog_begin(a->log, &(struct op_record){ .op = OP_DROP_CACHES, .arg = (u64)mode });
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC), r = 0;
	char text = (char)('0' + mode);

	actor_quiet(a, true);
	if (fd < 0 || write(fd, &text, 1) != 1)
		r = -errno;
	if (fd >= 0)
		close(fd);
	actor_quiet(a, false);
	oplog_end(rec, r);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	return r;
}
