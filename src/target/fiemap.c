// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file's bytes as the block device has them: where they are by FIEMAP, what they are by
 * O_DIRECT. What FIEMAP cannot place on this device is an error here, never a guess.
 */
#include "target/target.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define SECTOR 512
#define ALIGN  4096
#define BOUNCE MIB

/* No bytes of the file are there: nothing allocated, or reads as zeros. */
#define NO_DATA_FLAGS (FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN)
/* Bytes are there in another shape, or the address is none of a whole sector. ENCODED also covers
 * DATA_ENCRYPTED; INLINE and TAIL come with NOT_ALIGNED. */
#define NO_ADDRESS_FLAGS                                                                           \
	(FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_NOT_ALIGNED |        \
	 FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL)

/* The extent of @fd at @offset: its address there, and how far it goes. */
static int map_one(int fd, u64 offset, u64 len, u64 *ret_physical, u64 *ret_len)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} u = { .map = { .fm_start = offset, .fm_length = len, .fm_extent_count = 1 } };
	const struct fiemap_extent *x = u.map.fm_extents;
	u64 skip;

	/* Without FIEMAP_FLAG_SYNC: flushing would change the state that is looked at. */
	if (ioctl(fd, FS_IOC_FIEMAP, &u.map) < 0)
		return errno == ENOTTY ? -EOPNOTSUPP : -errno;
	if (!u.map.fm_mapped_extents || x->fe_logical > offset)
		return -ENODATA;
	if (x->fe_flags & NO_ADDRESS_FLAGS)
		return -EOPNOTSUPP;
	if (x->fe_flags & NO_DATA_FLAGS)
		return -ENODATA;
	skip = offset - x->fe_logical;
	if (skip >= x->fe_length)
		return -ENODATA;
	*ret_physical = x->fe_physical + skip;
	*ret_len = MIN(len, x->fe_length - skip);
	return *ret_physical % SECTOR ? -EOPNOTSUPP : 0;
}

/* XFS: extents of a realtime file count from the start of another device. (xfsctl(3)) */
static bool on_realtime(int fd)
{
	struct fsxattr x;

	return ioctl(fd, FS_IOC_FSGETXATTR, &x) == 0 && (x.fsx_xflags & FS_XFLAG_REALTIME);
}

/* @dev_fd is O_DIRECT: only whole aligned blocks can be had, so through a bounce buffer. */
static int read_at(int dev_fd, u64 physical, char *buf, size_t len)
{
	_cleanup_free_ char *bounce = NULL;
	void *p;

	if (posix_memalign(&p, ALIGN, BOUNCE) != 0)
		return -ENOMEM;
	bounce = p;
	while (len) {
		u64 from = ROUND_DOWN(physical, ALIGN);
		size_t skip = (size_t)(physical - from);
		size_t want = MIN(ROUND_UP(skip + len, ALIGN), BOUNCE);
		ssize_t n = pread(dev_fd, bounce, want, (off_t)from);
		size_t got;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* An extent past the end of the device: the map and the device disagree. */
		if ((size_t)n <= skip)
			return -ENXIO;
		got = MIN((size_t)n - skip, len);
		memcpy(buf, bounce + skip, got);
		buf += got;
		physical += got;
		len -= got;
	}
	return 0;
}

static bool has_addresses(const struct target *t, int fd)
{
	/* btrfs maps to its own logical address space, over devices and copies. */
	return t->device[0] && strcmp(t->fs, "btrfs") && !on_realtime(fd);
}

int target_map(const struct target *t, int fd, u64 offset, u64 *ret_address)
{
	u64 len;

	return has_addresses(t, fd) ? map_one(fd, offset, SECTOR, ret_address, &len) : -EOPNOTSUPP;
}

ssize_t target_read_device(const struct target *t, int fd, u64 offset, void *buf, size_t len)
{
	_cleanup_close_ int dev_fd = -1;
	size_t done = 0;
	int r = 0;

	if (!len || len % SECTOR || offset % SECTOR)
		return -EINVAL;
	if (!has_addresses(t, fd))
		return -EOPNOTSUPP;
	dev_fd = open(t->device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (dev_fd < 0)
		return -errno;
	while (done < len) {
		u64 physical = 0, n = 0;

		r = map_one(fd, offset + done, len - done, &physical, &n);
		if (r == 0)
			r = read_at(dev_fd, physical, (char *)buf + done, (size_t)n);
		if (r < 0)
			break;
		done += (size_t)n;
	}
	return done ? (ssize_t)done : r;
}
