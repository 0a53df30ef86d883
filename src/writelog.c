// SPDX-License-Identifier: GPL-2.0-or-later
/* The format: a superblock of one sector, then for each entry a sector that describes it and, but
 * for discards, marks and bare flushes, its data. All numbers are little-endian. */
#include "writelog.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>

#define MAGIC	   0x6a736677736872ULL
#define VERSION	   1ULL
#define SECTOR_MIN 512U
#define SECTOR_MAX 4096U
#define CHUNK	   (1 * MIB)

#define ALL_FLAGS                                                                                  \
	(WRITELOG_FLUSH | WRITELOG_FUA | WRITELOG_DISCARD | WRITELOG_MARK | WRITELOG_METADATA)

struct disk_super {
	u64 magic, version, nentries;
	u32 sector_bytes;
};

struct disk_entry {
	u64 sector, nsectors, flags, data_len;
};

static int damaged(struct err *e, u64 number, const char *what)
{
	return err_set(e, -EBADMSG, "the log of writes is damaged: entry %llu %s",
		       (unsigned long long)number, what);
}

/* All of it or an error; -ENODATA where the log ends. */
static int read_at(int fd, void *buf, size_t len, u64 offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ENODATA;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int writelog_open(int fd, u64 len, u64 device_bytes, struct writelog *ret, struct err *e)
{
	struct disk_super super;
	u32 sector;
	int r = read_at(fd, &super, sizeof(super), 0);

	if (r < 0 && r != -ENODATA)
		return err_set(e, r, "the log of writes cannot be read: %s", strerror(-r));
	if (r < 0 || le64toh(super.magic) != MAGIC)
		return err_set(e, -EBADMSG, "there is no log of writes: nothing was logged");
	sector = le32toh(super.sector_bytes);
	if (le64toh(super.version) != VERSION || sector < SECTOR_MIN || sector > SECTOR_MAX ||
	    sector & (sector - 1))
		return err_set(e, -EBADMSG,
			       "the log of writes has version %llu and sectors of %u bytes; "
			       "expected version %llu",
			       (unsigned long long)le64toh(super.version), sector, VERSION);
	*ret = (struct writelog){ .fd = fd,
				  .len = len,
				  .device_bytes = device_bytes,
				  .sector_bytes = sector,
				  .nentries = le64toh(super.nentries) };
	writelog_rewind(ret);
	return 0;
}

void writelog_rewind(struct writelog *w)
{
	w->next = 0;
	w->at = w->sector_bytes;
}

/* A mark lies in the sector of its entry. */
static int read_mark(const struct writelog *w, u64 len, struct writelog_entry *ret, struct err *e)
{
	size_t kept = (size_t)MIN(len, (u64)WRITELOG_MARK_MAX - 1);

	if (len > w->sector_bytes - sizeof(struct disk_entry))
		return damaged(e, ret->number, "is a mark longer than a sector");
	return read_at(w->fd, ret->mark, kept, w->at + sizeof(struct disk_entry));
}

static int take(const struct writelog *w, const struct disk_entry *d, struct writelog_entry *ret,
		struct err *e)
{
	u64 sector = le64toh(d->sector), n = le64toh(d->nsectors), flags = le64toh(d->flags);
	u64 device = w->device_bytes / w->sector_bytes;

	*ret = (struct writelog_entry){ .number = w->next,
					.flags = flags,
					.data = w->at + w->sector_bytes };
	if (flags & ~(u64)ALL_FLAGS)
		return damaged(e, w->next, "has flags that nobody knows");
	if (flags & WRITELOG_MARK)
		return n ? damaged(e, w->next, "is a mark and a write")
			 : read_mark(w, le64toh(d->data_len), ret, e);
	if (n && (sector > device || n > device - sector))
		return damaged(e, w->next, "is past the end of the device");
	ret->offset = sector * w->sector_bytes;
	ret->len = n * w->sector_bytes;
	return 0;
}

int writelog_next(struct writelog *w, struct writelog_entry *ret, struct err *e)
{
	struct disk_entry d;
	u64 end;
	int r;

	if (w->next == w->nentries)
		return 0;
	r = read_at(w->fd, &d, sizeof(d), w->at);
	if (r == 0)
		r = take(w, &d, ret, e);
	if (r == -EBADMSG)
		return r;
	if (r < 0)
		return err_set(e, r, "the log of writes ends within entry %llu of %llu",
			       (unsigned long long)w->next, (unsigned long long)w->nentries);
	end = ret->data + (writelog_has_data(ret) ? ret->len : 0);
	if (end > w->len)
		return err_set(e, -ENODATA, "the log of writes ends within entry %llu of %llu",
			       (unsigned long long)w->next, (unsigned long long)w->nentries);
	w->next++;
	w->at = end;
	return 1;
}

static int copy(const struct writelog *w, const struct writelog_entry *entry, int to)
{
	_cleanup_free_ u8 *buf = malloc((size_t)MIN(entry->len, CHUNK));
	int r = buf ? 0 : -ENOMEM;

	for (u64 at = 0; at < entry->len && r == 0; at += CHUNK) {
		size_t n = (size_t)MIN(CHUNK, entry->len - at);

		r = read_at(w->fd, buf, n, entry->data + at);
		if (r == 0)
			r = pwrite_all(to, buf, n, entry->offset + at);
	}
	return r;
}

int writelog_apply(const struct writelog *w, const struct writelog_entry *entry, int to,
		   struct err *e)
{
	int r = 0;

	if (writelog_has_data(entry))
		r = copy(w, entry, to);
	else if (entry->len && fallocate(to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 (off_t)entry->offset, (off_t)entry->len) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "entry %llu of the log of writes cannot be replayed: %s",
			       (unsigned long long)entry->number, strerror(-r))
		     : 0;
}
