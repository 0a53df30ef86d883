// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How each kind of entry is put back: one function a row of undo.def. Each looks first whether
 * the change is there at all, and whether the thing is still the one it was: names of devices,
 * processes and mount points are reused. None takes longer than about a second.
 */
#include "undo/undo.h"
#include "base/cleanup.h"
#include "base/debugfs.h"
#include "base/dmdev.h"
#include "base/freeze.h"
#include "base/fsutil.h"
#include "base/loopdev.h"
#include "base/mounts.h"
#include "base/nullblk.h"
#include "base/proc.h"
#include "base/quota.h"
#include "base/scsidebug.h"
#include "base/units.h"

#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PATIENCE_NS (800 * NSEC_PER_MSEC)
#define POLL_NS	    (5 * NSEC_PER_MSEC)

/* "/dev/dm-3" may be shown as "/dev/mapper/NAME", whether or not there is such a node: btrfs does.
 */
static bool is_mapped_name(const char *source, const char *device)
{
	static const char mapper[] = "/dev/mapper/";
	char path[128], name[256];

	return !strncmp(source, mapper, strlen(mapper)) && !strncmp(device, "/dev/dm-", 8) &&
	       path_set(path, sizeof(path), "/sys/block/%s/dm/name", device + 5) == 0 &&
	       attr_read(path, name, sizeof(name)) == 0 && !strcmp(source + strlen(mapper), name);
}

/* The filesystem mounted there is on @device, by whatever name. */
static bool is_mount_of(const struct mount_info *m, const char *device)
{
	struct stat asked, shown;

	if (!strcmp(m->source, device) || is_mapped_name(m->source, device))
		return true;
	if (stat(device, &asked) < 0 || !S_ISBLK(asked.st_mode))
		return false;
	return m->dev == asked.st_rdev || (stat(m->source, &shown) == 0 && S_ISBLK(shown.st_mode) &&
					   shown.st_rdev == asked.st_rdev);
}

int undo_mount(const char *const arg[UNDO_ARGS], struct err *e)
{
	struct mount_info m;
	int r = mount_at(arg[0], &m);

	if (r == -ENOENT || (r == 0 && !is_mount_of(&m, arg[1])))
		return 0;
	if (r == 0)
		r = umount_wait(arg[0], PATIENCE_NS);
	/* Whoever still holds it keeps the filesystem, but not the place in the tree. */
	if (r == -EBUSY)
		r = umount2(arg[0], UMOUNT_NOFOLLOW | MNT_DETACH) < 0
			    ? -errno
			    : err_set(e, 0,
				      "it was busy and is detached; it goes with its last user");
	return r < 0 ? err_set(e, r, "cannot unmount %s: %s", arg[0], strerror(-r)) : 0;
}

int undo_loop(const char *const arg[UNDO_ARGS], struct err *e)
{
	int r = loop_unbind(arg[0], arg[1], PATIENCE_NS);

	if (r == -EBUSY)
		return err_set(e, r,
			       "%s still backs %s: something has it open or mounted; see "
			       "`fuser -vm %s`, then run `stressd recover`",
			       arg[0], arg[1], arg[0]);
	return r < 0 ? err_set(e, r, "%s: %s", arg[0], strerror(-r)) : 0;
}

int undo_dir(const char *const arg[UNDO_ARGS], struct err *e)
{
	if (rmdir(arg[0]) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return err_set(e, 0, "kept: there are files in it");
	return err_set(e, -errno, "cannot remove %s: %s", arg[0], strerror(errno));
}

int undo_image(const char *const arg[UNDO_ARGS], struct err *e)
{
	if (access(arg[0], F_OK) == 0)
		err_set(e, 0, "kept for `stressd verify`; delete it when it has told its story");
	return 0;
}

int undo_sysctl(const char *const arg[UNDO_ARGS], struct err *e)
{
	char now[4096];
	int r;

	if ((strncmp(arg[0], "/proc/sys/", 10) != 0 && strncmp(arg[0], "/sys/", 5) != 0) ||
	    strstr(arg[0], "/../"))
		return err_set(e, -EINVAL, "%s: not a path below /proc/sys or /sys", arg[0]);
	r = attr_read(arg[0], now, sizeof(now));
	/* The knob went with its device or module: nothing is set any more. */
	if (r == -ENOENT || (r == 0 && !strcmp(now, arg[1])))
		return 0;
	r = attr_write(arg[0], arg[1]);
	return r < 0 ? err_set(e, r, "cannot write '%s' to %s: %s", arg[1], arg[0], strerror(-r))
		     : 0;
}

int undo_knob(const char *const arg[UNDO_ARGS], struct err *e)
{
	char now[256];
	int r;

	if (arg[0][0] == '/' || strstr(arg[0], ".."))
		return err_set(e, -EINVAL, "%s: not a path below debugfs", arg[0]);
	r = debugfs_read(arg[0], now, sizeof(now));
	if (r == -ENOENT || (r == 0 && !strcmp(now, arg[1])))
		return 0;
	if (r == 0)
		r = debugfs_write(arg[0], arg[1]);
	return r < 0 ? err_set(e, r, "cannot write '%s' to %s in debugfs: %s", arg[1], arg[0],
			       strerror(-r))
		     : 0;
}

/* Before the processes: who waits for a frozen filesystem does not die. Where the mount is not to
 * be seen from here, the device is, which the frozen filesystem holds. */
int undo_freeze(const char *const arg[UNDO_ARGS], struct err *e)
{
	char dev[LOOP_NAME_MAX];
	const char *device = arg[1];
	struct mount_info m;
	struct stat st;
	int r = mount_at(arg[0], &m);

	if (r == 0)
		r = fs_thaw(arg[0]);
	if (r == 0)
		return 0;
	/* In a guest the image's name leads to a disk, which is below a loop device all the same.
	 */
	if (loop_find_backed(device, dev) == 0)
		device = dev;
	else if (stat(device, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	r = fs_thaw_device(device, arg[2]);
	return r < 0 ? err_set(e, r, "cannot thaw the %s on %s: %s; see `fsfreeze --unfreeze %s`",
			       arg[2], device, strerror(-r), arg[0])
		     : 0;
}

/* Before the processes, too: who waits for a slow device does not die. */
int undo_dm_table(const char *const arg[UNDO_ARGS], struct err *e)
{
	int r = dmdev_is(arg[0], arg[1]) ? dmdev_reload(arg[0], arg[2]) : 0;

	return r < 0 ? err_set(e, r, "cannot give %s its table back: %s; see `dmsetup table %s`",
			       arg[0], strerror(-r), arg[0])
		     : 0;
}

/* Devices above it hold one that is busy: half a second each is as long as all of them may take. */
int undo_dm(const char *const arg[UNDO_ARGS], struct err *e)
{
	int r = dmdev_remove(arg[0], arg[1], PATIENCE_NS / 2);

	if (r == -EBUSY)
		return err_set(e, 0, "it was busy; it goes with its last user");
	return r < 0 ? err_set(e, r, "cannot remove %s: %s", arg[0], strerror(-r)) : 0;
}

/* Only of our name: others may have devices of that driver, too. */
static bool is_our_null_blk(const char *name)
{
	return !strncmp(name, "stressd-", 8) && !strchr(name, '/');
}

int undo_null_blk(const char *const arg[UNDO_ARGS], struct err *e)
{
	int r = is_our_null_blk(arg[0]) ? nullblk_remove(arg[0]) : -EINVAL;

	return r < 0 ? err_set(e, r, "cannot remove null_blk device %s: %s", arg[0], strerror(-r))
		     : 0;
}

int undo_null_blk_attr(const char *const arg[UNDO_ARGS], struct err *e)
{
	int r = is_our_null_blk(arg[0]) && !strstr(arg[1], "..")
			? nullblk_write(arg[0], arg[1], arg[2])
			: -EINVAL;

	if (r == -ENOENT || r == -ENODEV)
		return 0;
	return r < 0 ? err_set(e, r, "cannot write '%s' to %s of %s: %s", arg[2], arg[1], arg[0],
			       strerror(-r))
		     : 0;
}

int undo_bad_blocks(const char *const arg[UNDO_ARGS], struct err *e)
{
	char range[64];
	int r = is_our_null_blk(arg[0]) ? path_set(range, sizeof(range), "-0-%s", arg[1]) : -EINVAL;

	if (r == 0)
		r = nullblk_write(arg[0], "badblocks", range);
	/* The device is gone, and they with it. */
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	return r < 0 ? err_set(e, r, "the bad blocks of %s cannot be made good: %s", arg[0],
			       strerror(-r))
		     : 0;
}

/* There was none before, and nobody else's is taken. A module is let go a moment after its disk. */
int undo_scsi_debug(const char *const arg[UNDO_ARGS], struct err *e)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + PATIENCE_NS;
	int r;

	for (;; nanosleep(&pause, NULL)) {
		r = scsidebug_remove();
		if (r == 0 && !strcmp(arg[0], "module"))
			r = scsidebug_unload();
		if (r != -EBUSY || now_ns() >= end_ns)
			break;
	}
	if (r == -EBUSY)
		return err_set(e, r,
			       "the disk of scsi_debug is in use, or it has more than one; unmount "
			       "it (lsblk -S shows it), then run `stressd recover`");
	return r < 0 ? err_set(e, r, "scsi_debug cannot be put back: %s", strerror(-r)) : 0;
}

int undo_scsi_order(const char *const arg[UNDO_ARGS], struct err *e)
{
	int r = strncmp(arg[0], "scsi_debug/", 11) || strstr(arg[0], "..")
			? -EINVAL
			: debugfs_write(arg[0], arg[1]);

	/* The disk is gone, or the order was never given. */
	if (r == -ENOENT || r == -EINVAL || r == -ENODEV)
		return 0;
	return r < 0 ? err_set(e, r, "cannot write '%s' to %s in debugfs: %s", arg[1], arg[0],
			       strerror(-r))
		     : 0;
}

int undo_quota(const char *const arg[UNDO_ARGS], struct err *e)
{
	unsigned int kind, id;
	unsigned long long hard, soft, grace_s;
	int r;

	if (sscanf(arg[1], "%u %u", &kind, &id) != 2 || kind >= QUOTA_KINDS ||
	    sscanf(arg[2], "%llu %llu %llu", &hard, &soft, &grace_s) != 3)
		return err_set(e, -EINVAL, "'%s' and '%s' are no quota", arg[1], arg[2]);
	r = quota_set(arg[0], kind, id,
		      &(struct quota_limits){ .hard_bytes = hard, .soft_bytes = soft });
	if (r == 0)
		r = quota_set_grace(arg[0], kind, grace_s);
	/* Unmounted, or the device is gone: so are its limits. */
	if (r == -ENODEV || r == -ENOENT || r == -ESRCH || r == -ENOTBLK)
		return 0;
	return r < 0 ? err_set(e, r, "cannot set the limits of %s on %s: %s", arg[1], arg[0],
			       strerror(-r))
		     : 0;
}

int undo_file(const char *const arg[UNDO_ARGS], struct err *e)
{
	if (unlink(arg[0]) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_set(e, -errno, "cannot remove %s: %s", arg[0], strerror(errno));
}

/* Every process of the cgroup at @dir into the one at @to. -errno of the last that would not. */
static int move_all(const char *dir, const char *to)
{
	char from[FSUTIL_PATH_MAX], into[FSUTIL_PATH_MAX];
	_cleanup_free_ char *pids = NULL;
	char *save = NULL;
	int r = path_set(from, sizeof(from), "%s/cgroup.procs", dir);

	if (r == 0)
		r = path_set(into, sizeof(into), "%s/cgroup.procs", to);
	if (r == 0)
		r = read_file(from, MIB, &pids, NULL);
	if (r < 0)
		return r;
	for (char *pid = strtok_r(pids, "\n", &save); pid; pid = strtok_r(NULL, "\n", &save)) {
		int one = attr_write(into, pid);

		if (one < 0 && one != -ESRCH)
			r = one;
	}
	return r;
}

static bool is_cgroup(const char *path)
{
	struct statfs s;

	return statfs(path, &s) == 0 &&
	       (s.f_type == CGROUP2_SUPER_MAGIC || s.f_type == CGROUP_SUPER_MAGIC);
}

int undo_cgroup(const char *const arg[UNDO_ARGS], struct err *e)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + PATIENCE_NS;
	char up[FSUTIL_PATH_MAX];

	if (access(arg[0], F_OK) < 0)
		return 0;
	if (!is_cgroup(arg[0]) || path_set(up, sizeof(up), "%s", arg[0]) < 0)
		return err_set(e, -EINVAL, "%s: not a cgroup", arg[0]);
	for (;;) {
		char *slash = strrchr(up, '/');

		/* A parent that hands controllers down takes no processes; one further up, or
		 * the root, does. (cgroups(7), "no internal processes") */
		if (slash && slash != up) {
			*slash = '\0';
			if (is_cgroup(up))
				move_all(arg[0], up);
		}
		if (rmdir(arg[0]) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY || now_ns() >= end_ns)
			return err_set(e, -errno, "cannot remove cgroup %s: %s", arg[0],
				       strerror(errno));
		nanosleep(&pause, NULL);
	}
}

/*
 * Processes of the group that are not dead yet, and not younger than its leader could be. The
 * number of a group is not given to a new process while it has members (pid_namespaces aside),
 * so a group whose leader has ended is still the one that was recorded.
 */
static int group_alive(pid_t group, u64 start)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	struct dirent *de;
	int n = 0;

	while (proc && (de = readdir(proc))) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10), pgrp;
		u64 ticks;
		char state;

		if (pid <= 0 || proc_stat(pid, &state, &pgrp, &ticks) < 0 || pgrp != group)
			continue;
		/* The leader's number with another start: the group is a stranger's. */
		if (pid == group && ticks != start)
			return 0;
		n += state != 'Z' && state != 'X' && ticks >= start;
	}
	return n;
}

int undo_process(const char *const arg[UNDO_ARGS], struct err *e)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + PATIENCE_NS, group, start;

	if (parse_count(arg[0], &group) < 0 || parse_count(arg[1], &start) < 0 || group < 2 ||
	    group > INT32_MAX)
		return err_set(e, -EINVAL, "'%s' is no process group", arg[0]);
	if ((pid_t)group == getpgrp())
		return err_set(e, -EINVAL, "process group %s is our own", arg[0]);
	while (group_alive((pid_t)group, start)) {
		if (kill(-(pid_t)group, SIGKILL) < 0 && errno != ESRCH)
			return err_set(e, -errno, "cannot kill process group %s: %s", arg[0],
				       strerror(errno));
		if (now_ns() >= end_ns)
			return err_set(e, -EBUSY,
				       "process group %s does not die: see "
				       "/proc/%s/stack",
				       arg[0], arg[0]);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int undo_record_process(struct undo *u, int pid)
{
	char group[16], start[24];
	u64 ticks;
	int r = proc_start_time(pid, &ticks);

	if (r < 0)
		return r;
	snprintf(group, sizeof(group), "%d", pid);
	snprintf(start, sizeof(start), "%llu", (unsigned long long)ticks);
	return undo_record(u, UNDO_PROCESS, group, start, NULL);
}

int undo_record_sysctl(struct undo *u, const char *path)
{
	char value[4096];
	int r = attr_read(path, value, sizeof(value));

	return r < 0 ? r : undo_record(u, UNDO_SYSCTL, path, value, NULL);
}
