// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory that the host keeps: a PCI device without a driver, mapped through sysfs. */
#include "vm/guest.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <dirent.h>
#include <string.h>

#define DEVICES "/sys/bus/pci/devices"
/* ivshmem; its memory is BAR 2. (QEMU, docs/specs/ivshmem-spec.txt) */
#define VENDOR	"0x1af4"
#define DEVICE	"0x1110"
#define WAIT_NS (60 * NSEC_PER_SEC)

static bool attr_is(const char *dev, const char *name, const char *value)
{
	char path[600], text[64];

	return path_set(path, sizeof(path), DEVICES "/%s/%s", dev, name) == 0 &&
	       attr_read(path, text, sizeof(text)) == 0 && !strcmp(text, value);
}

/* Of ivshmem devices the one that is formatted as ours. */
int guest_arena(char *buf, size_t size, struct arena **ret, struct err *e)
{
	_cleanup_closedir_ DIR *d = opendir(DEVICES);
	char path[600];
	int r = -ENODEV;

	for (struct dirent *de; d && (de = readdir(d));) {
		if (!attr_is(de->d_name, "vendor", VENDOR) ||
		    !attr_is(de->d_name, "device", DEVICE) ||
		    path_set(path, sizeof(path), DEVICES "/%s/enable", de->d_name) < 0)
			continue;
		attr_write(path, "1");
		r = path_set(buf, size, DEVICES "/%s/resource2", de->d_name);
		if (r == 0)
			r = arena_map(buf, ret);
		if (r == 0)
			return 0;
	}
	return err_set(
		e, r,
		"the memory that is shared with the host cannot be used: %s; the kernel needs "
		"CONFIG_PCI and CONFIG_SYSFS, and must not be locked down",
		strerror(-r));
}

int guest_arena_wait(const struct arena *a, u32 taken, int port)
{
	u64 end_ns = now_ns() + WAIT_NS;
	int r = 0;

	while (r == 0 && atomic_load(&a->taken) < taken) {
		if (now_ns() > end_ns)
			return -ETIMEDOUT;
		nanosleep(&(struct timespec){ .tv_nsec = 20 * (long)NSEC_PER_MSEC }, NULL);
		r = frame_write(port, &(struct frame){ .type = FRAME_BEAT });
	}
	return r;
}
