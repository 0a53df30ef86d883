// SPDX-License-Identifier: GPL-2.0-or-later
/* `stressd caps`: one table of {what, what for, how it is seen, what would bring it}. A probe
 * looks and closes again; it never arms, mounts or loads anything. */
#include "caps.h"
#include "base/cleanup.h"
#include "base/debugfs.h"
#include "base/fsutil.h"
#include "base/nullblk.h"
#include "base/proc.h"
#include "base/scsidebug.h"
#include "race/probe.h"
#include "target/fstype.h"

#include <fcntl.h>
#include <jansson.h>
#include <libaio.h>
#include <liburing.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int capability(const char *name)
{
	cap_flag_value_t v = CAP_CLEAR;
	cap_value_t value;
	cap_t caps;

	if (cap_from_name(name, &value) < 0)
		return -EINVAL;
	caps = cap_get_proc();
	if (!caps)
		return -errno;
	cap_get_flag(caps, value, CAP_EFFECTIVE, &v);
	cap_free(caps);
	return v == CAP_SET ? 0 : -EPERM;
}

static int program(const char *name)
{
	char path[FSUTIL_PATH_MAX];

	return proc_find(name, path, sizeof(path));
}

static int filesystem(const char *name)
{
	struct err e;

	return fstype_in_kernel(name, &e);
}

static int opens(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : 0;
}

static int readable(const char *path)
{
	return opens(path, O_RDONLY);
}

static int writable(const char *path)
{
	return opens(path, O_WRONLY);
}

static int read_write(const char *path)
{
	return opens(path, O_RDWR);
}

static int knob(const char *path)
{
	char value[256];

	return debugfs_read(path, value, sizeof(value));
}

/* Every block device has the knob, or none: any will do. */
static int make_it_fail(const char *attribute)
{
	_cleanup_closedir_ DIR *d = opendir("/sys/block");
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char path[512];

		if (de->d_name[0] != '.' &&
		    path_set(path, sizeof(path), "/sys/block/%s/%s", de->d_name, attribute) == 0)
			return access(path, W_OK) < 0 ? -errno : 0;
	}
	return -ENOENT;
}

static int null_blk(const char *arg)
{
	(void)arg;
	return nullblk_have();
}

static int scsi_debug(const char *arg)
{
	enum scsidebug_state state = scsidebug_state();

	(void)arg;
	return state == SCSIDEBUG_THERE || state == SCSIDEBUG_LOADABLE ? 0 : -ENODEV;
}

/* Full rights, not UFFD_USER_MODE_ONLY: holds want faults inside system calls. (userfaultfd(2)) */
static int userfault(const char *arg)
{
	_cleanup_close_ int fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);

	(void)arg;
	if (fd >= 0)
		return 0;
	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : 0;
}

static int probe_delay(const char *arg)
{
	struct err e;

	(void)arg;
	return probe_possible(&e);
}

static int uring(const char *arg)
{
	struct io_uring ring;
	int r = io_uring_queue_init(2, &ring, 0);

	(void)arg;
	if (r == 0)
		io_uring_queue_exit(&ring);
	return r;
}

static int aio(const char *arg)
{
	io_context_t ctx = 0;
	int r = io_setup(1, &ctx);

	(void)arg;
	if (r == 0)
		io_destroy(ctx);
	return r;
}

static int cgroup2_reclaim(const char *arg)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;

	(void)arg;
	if (access("/sys/fs/cgroup/cgroup.controllers", R_OK) < 0)
		return -errno;
	if (read_file("/sys/fs/cgroup/cgroup.controllers", 4096, &text, NULL) < 0)
		return -EIO;
	for (char *c = strtok_r(text, " \n", &save); c; c = strtok_r(NULL, " \n", &save))
		if (!strcmp(c, "memory"))
			return access("/sys/fs/cgroup/cgroup.procs", W_OK) < 0 ? -errno : 0;
	return -ENOENT;
}

/* @dir: the state directory, which caps_report() puts in. */
static int direct_io(const char *dir)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ void *buf = NULL;

	fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (posix_memalign(&buf, 4096, 4096) != 0)
		return -ENOMEM;
	memset(buf, 0, 4096);
	return pwrite_all(fd, buf, 4096, 0);
}

#define ROOT		"run as root"
#define KCONFIG(option) "boot a kernel with " option
#define DEBUGFS		"mount -t debugfs none /sys/kernel/debug, as root"

const struct cap_row cap_rows[] = {
	{ "CAP_SYS_ADMIN", "mounts, loop devices, faults, quotas", ROOT, capability,
	  "cap_sys_admin" },
	{ "CAP_DAC_OVERRIDE", "knobs and journals of any owner", ROOT, capability,
	  "cap_dac_override" },
	{ "CAP_KILL", "stopping workers of any user", ROOT, capability, "cap_kill" },
	{ "CAP_SYS_RESOURCE", "fault injection per process", ROOT, capability, "cap_sys_resource" },
	{ "CAP_SYSLOG", "reading the kernel log", ROOT, capability, "cap_syslog" },
	{ "loop-control", "target image", "modprobe loop, as root", read_write,
	  "/dev/loop-control" },
	{ "mkfs.xfs", "target fs xfs", "install xfsprogs", program, "mkfs.xfs" },
	{ "xfs_repair", "fsck of xfs", "install xfsprogs", program, "xfs_repair" },
	{ "mkfs.ext4", "target fs ext4", "install e2fsprogs", program, "mkfs.ext4" },
	{ "e2fsck", "fsck of ext4", "install e2fsprogs", program, "e2fsck" },
	{ "mkfs.btrfs", "target fs btrfs", "install btrfs-progs", program, "mkfs.btrfs" },
	{ "btrfs", "fsck of btrfs", "install btrfs-progs", program, "btrfs" },
	{ "kernel xfs", "target fs xfs", KCONFIG("CONFIG_XFS_FS"), filesystem, "xfs" },
	{ "kernel ext4", "target fs ext4", KCONFIG("CONFIG_EXT4_FS"), filesystem, "ext4" },
	{ "kernel btrfs", "target fs btrfs", KCONFIG("CONFIG_BTRFS_FS"), filesystem, "btrfs" },
	{ "kernel fuse", "FUSE targets", KCONFIG("CONFIG_FUSE_FS"), read_write, "/dev/fuse" },
	{ "/dev/kmsg", "kernel log findings", "run as root, or set kernel.dmesg_restrict=0",
	  readable, "/dev/kmsg" },
	{ "debugfs", "re-arming of warnings", DEBUGFS, readable, "/sys/kernel/debug/block" },
	{ "clear_warn_once", "seeing WARN_ON_ONCE more than once", DEBUGFS, writable,
	  "/sys/kernel/debug/clear_warn_once" },
	{ "fail_make_request", "fault fail_make_request",
	  KCONFIG("CONFIG_FAIL_MAKE_REQUEST and CONFIG_FAULT_INJECTION_DEBUG_FS"), knob,
	  "fail_make_request/probability" },
	{ "make-it-fail", "choosing the device that fails", KCONFIG("CONFIG_FAIL_MAKE_REQUEST"),
	  make_it_fail, "make-it-fail" },
	{ "failslab", "fault failslab",
	  KCONFIG("CONFIG_FAILSLAB and CONFIG_FAULT_INJECTION_DEBUG_FS"), knob,
	  "failslab/probability" },
	{ "fail_page_alloc", "fault fail_page_alloc",
	  KCONFIG("CONFIG_FAIL_PAGE_ALLOC and CONFIG_FAULT_INJECTION_DEBUG_FS"), knob,
	  "fail_page_alloc/probability" },
	{ "xfs error tags", "faults xfs_errortag and xfs_delay", KCONFIG("CONFIG_XFS_DEBUG"),
	  readable, "/sys/fs/xfs/debug" },
	{ "device-mapper", "faults dm_*", "modprobe dm-mod, as root", read_write,
	  "/dev/mapper/control" },
	{ "null_blk", "target null_blk, faults bad_blocks and requeue",
	  "modprobe null_blk nr_devices=0, as root, or " KCONFIG("CONFIG_BLK_DEV_NULL_BLK"),
	  null_blk, NULL },
	{ "scsi_debug", "target scsi_debug, faults scsi_*", KCONFIG("CONFIG_SCSI_DEBUG"),
	  scsi_debug, NULL },
	{ "userfaultfd", "holds source-fault and dest-fault",
	  "run as root, or set vm.unprivileged_userfaultfd=1", userfault, NULL },
	{ "io_uring", "engine io_uring",
	  "set kernel.io_uring_disabled=0, or " KCONFIG("CONFIG_IO_URING"), uring, NULL },
	{ "libaio", "engine libaio", KCONFIG("CONFIG_AIO") ", or raise fs.aio-max-nr", aio, NULL },
	{ "drop_caches", "worker dropcache, layer dropped", ROOT, writable,
	  "/proc/sys/vm/drop_caches" },
	{ "memory.reclaim", "reclaim pressure in a cgroup",
	  "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), as root", cgroup2_reclaim,
	  NULL },
	{ "O_DIRECT", "layer direct on the state directory",
	  "put the state directory on a disk filesystem", direct_io, NULL },
	{ "quota", "fault quota", KCONFIG("CONFIG_QUOTA"), readable, "/proc/sys/fs/quota" },
	{ "kprobes", "hold probe-delay",
	  "build stressd with libbpf; run as root on two CPUs or more, on Linux 5.17 or later with "
	  "CONFIG_KPROBE_EVENTS and CONFIG_BPF_EVENTS",
	  probe_delay, NULL },
	{ "kvm", "fast `stressd vm`", "modprobe kvm_intel or kvm_amd; enable nesting in a guest",
	  read_write, "/dev/kvm" },
	{ "qemu", "`stressd vm`", "install qemu-system-x86", program, "qemu-system-x86_64" },
	{ "fio", "worker fio", "install fio", program, "fio" },
	{ "stress-ng", "load beside a run", "install stress-ng", program, "stress-ng" },
};
const size_t ncap_rows = ARRAY_SIZE(cap_rows);

static int look(const struct cap_row *row, const char *state_dir)
{
	return row->probe(row->probe == direct_io ? state_dir : row->arg);
}

static int report_json(FILE *out, const char *state_dir)
{
	json_t *list = json_array();
	int missing = 0, r;

	for (size_t i = 0; i < ncap_rows; i++) {
		const struct cap_row *row = &cap_rows[i];
		bool there = look(row, state_dir) == 0;

		missing += !there;
		json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "name", row->name,
						      "available", there, "purpose", row->purpose,
						      "cure", there ? "" : row->cure));
	}
	r = json_dumpf(list, out, JSON_INDENT(2));
	json_decref(list);
	fputc('\n', out);
	return r < 0 ? -EIO : missing;
}

int caps_report(FILE *out, const char *state_dir, bool json)
{
	int name_width = 0, purpose_width = 0, missing = 0;

	if (json)
		return report_json(out, state_dir);
	for (size_t i = 0; i < ncap_rows; i++) {
		name_width = MAX(name_width, (int)strlen(cap_rows[i].name));
		purpose_width = MAX(purpose_width, (int)strlen(cap_rows[i].purpose));
	}
	for (size_t i = 0; i < ncap_rows; i++) {
		const struct cap_row *row = &cap_rows[i];
		int r = look(row, state_dir);

		missing += r < 0;
		if (r == 0)
			fprintf(out, "yes  %-*s  %s\n", name_width, row->name, row->purpose);
		else
			fprintf(out, "no   %-*s  %-*s  %s (%s)\n", name_width, row->name,
				purpose_width, row->purpose, row->cure, strerror(-r));
	}
	return ferror(out) ? -EIO : missing;
}
