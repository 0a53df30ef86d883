// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the initramfs to a root that looks like the host's: its files over 9p, read-only, under an
 * overlay in memory that takes whatever is written. Tables of mounts; no scenario.
 */
#include "vm/guest.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PORTS	     "/sys/class/virtio-ports"
#define PORT_WAIT_NS (10 * NSEC_PER_SEC)

struct mount_row {
	const char *source, *target, *type, *data;
	unsigned long flags;
	const char *lacks; /* what the kernel needs for it; NULL: it can be done without */
};

static const struct mount_row devices[] = {
	{ "devtmpfs", "/dev", "devtmpfs", NULL, MS_NOSUID, "CONFIG_DEVTMPFS" },
	{ "proc", "/proc", "proc", NULL, 0, "CONFIG_PROC_FS" },
	{ "sysfs", "/sys", "sysfs", NULL, 0, "CONFIG_SYSFS" },
};

static const struct mount_row root[] = {
	{ "host", "/host", "9p", "trans=virtio,version=9p2000.L,cache=loose,msize=262144",
	  MS_RDONLY, "CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS" },
	{ "tmpfs", "/run", "tmpfs", "mode=755", 0, "CONFIG_TMPFS" },
	{ "scratch", "/scratch", "tmpfs", "size=25%,mode=755", 0, "CONFIG_TMPFS" },
	{ "overlay", "/root", "overlay",
	  "lowerdir=/host,upperdir=/scratch/upper,workdir=/scratch/work", 0, "CONFIG_OVERLAY_FS" },
};

/* In the new root; paths that the host has not are made in the overlay. */
static const struct mount_row inside[] = {
	{ "tmpfs", "/tmp", "tmpfs", "mode=1777", 0, "CONFIG_TMPFS" },
	{ "tmpfs", "/dev/shm", "tmpfs", "mode=1777", 0, NULL },
	{ "devpts", "/dev/pts", "devpts", NULL, 0, NULL },
	{ "debugfs", "/sys/kernel/debug", "debugfs", NULL, 0, NULL },
	{ "cgroup2", "/sys/fs/cgroup", "cgroup2", NULL, 0, NULL },
	{ "configfs", "/sys/kernel/config", "configfs", NULL, 0, NULL },
};

static int mount_rows(const struct mount_row *rows, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct mount_row *m = &rows[i];

		mkdir_p(m->target, 0755);
		if (mount(m->source, m->target, m->type, m->flags, m->data) < 0 && m->lacks &&
		    errno != EBUSY)
			return err_set(e, -errno, "cannot mount %s: %s; the kernel needs %s",
				       m->type, strerror(errno), m->lacks);
	}
	return 0;
}

/* A distribution's kernel has as modules what a lab kernel has built in. */
static int load_modules(struct err *e)
{
	_cleanup_free_ char *list = NULL;
	char *save = NULL;

	if (read_file(GUEST_MODULES, MIB, &list, NULL) < 0)
		return 0;
	for (char *m = strtok_r(list, "\n", &save); m; m = strtok_r(NULL, "\n", &save)) {
		_cleanup_close_ int fd = open(m, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST &&
			       errno != ENODEV))
			return err_set(e, -errno, "cannot load module %s: %s", m, strerror(errno));
	}
	return 0;
}

int guest_devices(struct err *e)
{
	int r = mount_rows(devices, ARRAY_SIZE(devices), e);

	return r < 0 ? r : load_modules(e);
}

/* The device of the port that carries our name, or "". */
static void find_port(char *buf, size_t size)
{
	_cleanup_closedir_ DIR *d = opendir(PORTS);
	char path[600], name[64];

	buf[0] = '\0';
	for (struct dirent *de; d && (de = readdir(d));) {
		if (de->d_name[0] == '.' ||
		    path_set(path, sizeof(path), PORTS "/%s/name", de->d_name) < 0 ||
		    attr_read(path, name, sizeof(name)) < 0 || strcmp(name, VM_PORT) != 0)
			continue;
		path_set(buf, size, "/dev/%s", de->d_name);
		return;
	}
}

/* The name arrives in a message of its own, some time after the driver found the device. */
int guest_open_port(int *ret_fd, struct err *e)
{
	u64 end_ns = now_ns() + PORT_WAIT_NS;
	char path[300];

	for (;;) {
		find_port(path, sizeof(path));
		if (path[0]) {
			*ret_fd = open(path, O_RDWR | O_CLOEXEC);
			if (*ret_fd >= 0)
				return 0;
		}
		if (now_ns() > end_ns)
			return err_set(e, -ENODEV,
				       "no results port; the kernel needs CONFIG_VIRTIO_PCI and "
				       "CONFIG_VIRTIO_CONSOLE");
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
}

static void loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd >= 0)
		ioctl(fd, SIOCSIFFLAGS, &ifr);
}

/* As udev would: a scenario names its disk by what does not change. */
static void name_disks(void)
{
	_cleanup_closedir_ DIR *d = opendir("/sys/block");
	char path[600], serial[64], disk[300];

	mkdir_p("/dev/disk/by-id", 0755);
	for (struct dirent *de; d && (de = readdir(d));) {
		if (path_set(path, sizeof(path), "/sys/block/%s/serial", de->d_name) < 0 ||
		    attr_read(path, serial, sizeof(serial)) < 0 || !serial[0] ||
		    strchr(serial, '/') ||
		    path_set(path, sizeof(path), "/dev/disk/by-id/virtio-%s", serial) < 0 ||
		    path_set(disk, sizeof(disk), "/dev/%s", de->d_name) < 0)
			continue;
		if (symlink(disk, path) < 0)
			continue;
	}
}

/* The initramfs cannot be pivoted away from: the new root is moved over it. (switch_root(8)) */
static int enter(struct err *e)
{
	static const char *const moved[] = { "/dev", "/proc", "/sys", "/run" };
	char to[64];

	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		snprintf(to, sizeof(to), "/root%s", moved[i]);
		mkdir_p(to, 0755);
		if (mount(moved[i], to, NULL, MS_MOVE, NULL) < 0)
			return err_set(e, -errno, "cannot move %s: %s", moved[i], strerror(errno));
	}
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return err_set(e, -errno, "cannot enter the new root: %s", strerror(errno));
	return 0;
}

int guest_copy(const char *from, const char *to, mode_t mode, struct err *e)
{
	_cleanup_free_ char *data = NULL, *dir = strdup(to);
	size_t len = 0;
	int r = dir ? read_file(from, GIB, &data, &len) : -ENOMEM;

	if (r == 0) {
		*strrchr(dir, '/') = '\0';
		r = dir[0] ? mkdir_p(dir, 0755) : 0;
	}
	if (r == 0) {
		_cleanup_close_ int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

		r = fd < 0 ? -errno : write_all(fd, data, len);
	}
	return r < 0 ? err_set(e, r, "cannot make %s in the guest: %s", to, strerror(-r)) : 0;
}

/* What the initramfs has for later, into memory that goes along. */
static int stash(struct err *e)
{
	char from[64], to[128];
	int r = guest_copy(GUEST_PROGRAM, GUEST_HOME GUEST_PROGRAM, 0755, e);

	if (r == 0)
		r = guest_copy(GUEST_PLAN, GUEST_HOME GUEST_PLAN, 0644, e);
	for (u32 i = 0; r == 0; i++) {
		snprintf(from, sizeof(from), GUEST_SCENARIO, i);
		snprintf(to, sizeof(to), GUEST_HOME GUEST_SCENARIO, i);
		if (access(from, F_OK) < 0)
			break;
		r = guest_copy(from, to, 0644, e);
	}
	return r;
}

int guest_root(struct err *e)
{
	int r = mkdir_p("/scratch", 0755);

	if (r == 0)
		r = mount_rows(root, ARRAY_SIZE(root) - 1, e);
	if (r == 0) {
		mkdir_p("/scratch/upper", 0755);
		mkdir_p("/scratch/work", 0755);
		r = mount_rows(root + ARRAY_SIZE(root) - 1, 1, e);
	}
	if (r == 0)
		r = stash(e);
	if (r == 0)
		r = enter(e);
	if (r == 0)
		r = mount_rows(inside, ARRAY_SIZE(inside), e);
	if (r < 0)
		return r;
	loopback_up();
	name_disks();
	return 0;
}
