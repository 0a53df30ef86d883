// SPDX-License-Identifier: GPL-2.0-or-later
/* The prefill pattern over a whole device or image, so that stale blocks that a filesystem
 * exposes are recognised. Large aligned writes past the page cache where that is possible. */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "stamp.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define CHUNK (4 * MIB)
#define ALIGN 4096
#define LINE  64 /* of the pattern */

int disk_prefill(int fd, u64 len, struct err *e)
{
	_cleanup_free_ void *buf = NULL;
	int flags = fcntl(fd, F_GETFL), r = 0;
	bool direct = flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0;

	if (posix_memalign(&buf, ALIGN, CHUNK) != 0)
		return err_set(e, -ENOMEM, "prefill: out of memory");
	for (u64 at = 0; at < len && r == 0;) {
		size_t n = (size_t)MIN(CHUNK, len - at);

		/* The last piece of an odd length does not fit direct I/O. */
		if (direct && n % ALIGN) {
			fcntl(fd, F_SETFL, flags);
			direct = false;
		}
		prefill_fill(buf, ROUND_UP(n, LINE), at);
		r = pwrite_all(fd, buf, n, at);
		if (r == -EINVAL && direct) {
			fcntl(fd, F_SETFL, flags);
			direct = false;
			r = 0;
			continue;
		}
		at += n;
	}
	if (direct)
		fcntl(fd, F_SETFL, flags);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "prefill: %s", strerror(-r)) : 0;
}

int disk_prefill_device(struct target *t, struct err *e)
{
	/* O_EXCL: fails while anything in the kernel uses the device. (open(2)) */
	_cleanup_close_ int fd = open(t->device, O_RDWR | O_EXCL | O_CLOEXEC);
	u64 bytes;
	int r;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return err_set(e, -errno, "%s: %s", t->device, strerror(errno));
	r = disk_prefill(fd, bytes, e);
	t->prefilled = r == 0;
	return r;
}
