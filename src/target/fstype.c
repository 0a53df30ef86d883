// SPDX-License-Identifier: GPL-2.0-or-later
/* mkfs and fsck as a table, and the two functions that run a row of it. */
#include "target/fstype.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"

#include <string.h>
#include <sys/utsname.h>

#define MKFS_LIMIT_NS	(300 * NSEC_PER_SEC)
#define FSCK_LIMIT_NS	(1800 * NSEC_PER_SEC)
#define MKFS_OUTPUT_MAX (4 * KIB)
#define FSCK_OUTPUT_MAX (256 * KIB)
#define EXTRA_ARGS_MAX	64

const char *const fstype_names[] = { "xfs", "ext4", "btrfs", NULL };
const char *const fstype_kconfig[] = {
	"XFS_FS ?XFS_DEBUG|XFS_WARN",
	"EXT4_FS",
	"BTRFS_FS ?BTRFS_ASSERT",
};
_Static_assert(ARRAY_SIZE(fstype_kconfig) == FSTYPES, "what each filesystem needs");

/*
 * -K keeps blocks in all three. (For mke2fs the newer writing is "-E nodiscard", but its last -E
 * wins, so that one of the user's would drop it.) Least sizes: mkfs.xfs(8) refuses below 300 MB,
 * mkfs.btrfs(8) below 109 MB; ext4 has no journal in less than some MB.
 */
const struct fstype_info fstype_infos[FSTYPES] = {
	[FSTYPE_XFS] = { .size_min_bytes = 300 * MIB,
			 .package = "xfsprogs",
			 .mkfs = { "mkfs.xfs", "-f", "-q", "-K" },
			 /* xfs_repair(8): with -n it returns 1 for corruption and 0 for none. */
			 .fsck = { "xfs_repair", "-n" },
			 .fsck_failed = ~1 },
	[FSTYPE_EXT4] = { .size_min_bytes = 16 * MIB,
			  .package = "e2fsprogs",
			  .mkfs = { "mkfs.ext4", "-F", "-q", "-K" },
			  /* e2fsck(8): 8 operational error, 16 usage, 32 cancelled, 128 library. */
			  .fsck = { "e2fsck", "-f", "-n" },
			  .fsck_failed = 8 | 16 | 32 | 128 },
	[FSTYPE_BTRFS] = { .size_min_bytes = 114 * MIB,
			   .package = "btrfs-progs",
			   .mkfs = { "mkfs.btrfs", "-f", "-q", "-K" },
			   /* btrfs-check(8): zero or not; errors of its own look like findings. */
			   .fsck = { "btrfs", "check", "--readonly" },
			   .fsck_failed = 0 },
};
_Static_assert(ARRAY_SIZE(fstype_names) == FSTYPES + 1, "a name for every filesystem");

int fstype_by_name(const char *name)
{
	for (int i = 0; i < FSTYPES; i++)
		if (!strcmp(fstype_names[i], name))
			return i;
	return -1;
}

/* Lines of /proc/filesystems are "nodev\tNAME" or "\tNAME". */
static bool listed(const char *name)
{
	_cleanup_free_ char *text = NULL;
	char line[64];

	return path_set(line, sizeof(line), "\t%s\n", name) == 0 &&
	       read_file("/proc/filesystems", MIB, &text, NULL) == 0 && strstr(text, line);
}

static bool has_module(const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[512], module[64];
	struct utsname u;

	return uname(&u) == 0 &&
	       path_set(path, sizeof(path), "/lib/modules/%s/modules.dep", u.release) == 0 &&
	       path_set(module, sizeof(module), "/%s.ko", name) == 0 &&
	       read_file(path, 16 * MIB, &text, NULL) == 0 && strstr(text, module);
}

int fstype_in_kernel(const char *name, struct err *e)
{
	if (listed(name) || has_module(name))
		return 0;
	return err_set(e, -ENODEV,
		       "this kernel has no %s; boot one that has it, or choose another "
		       "target.fs",
		       name);
}

int fstype_probe(int fs, struct err *e)
{
	const struct fstype_info *info = &fstype_infos[fs];
	char path[FSUTIL_PATH_MAX];
	int r = fstype_in_kernel(fstype_names[fs], e);

	if (r < 0)
		return r;
	if (proc_find(info->mkfs[0], path, sizeof(path)) < 0)
		return err_set(e, -ENOENT, "%s is missing; install %s", info->mkfs[0],
			       info->package);
	if (proc_find(info->fsck[0], path, sizeof(path)) < 0)
		return err_set(e, -ENOENT, "%s is missing; install %s", info->fsck[0],
			       info->package);
	return 0;
}

/* base + extra + dev in @argv; -E2BIG. */
static int build_argv(const char *argv[], size_t size, const char *const base[],
		      char *const extra[], const char *dev)
{
	size_t n = 0;

	for (size_t i = 0; i < FSTYPE_ARGS && base[i]; i++)
		argv[n++] = base[i];
	for (size_t i = 0; extra && extra[i]; i++) {
		if (n + 2 >= size)
			return -E2BIG;
		argv[n++] = extra[i];
	}
	argv[n++] = dev;
	argv[n] = NULL;
	return 0;
}

static void trim(char *s)
{
	size_t len = strlen(s);

	while (len && strchr("\n\t ", s[len - 1]))
		s[--len] = '\0';
}

int fstype_make(int fs, const char *dev, char *const extra[], struct err *e)
{
	const struct fstype_info *info = &fstype_infos[fs];
	const char *argv[FSTYPE_ARGS + EXTRA_ARGS_MAX + 2];
	_cleanup_(proc_result_free) struct proc_result res = { 0 };
	int r = build_argv(argv, ARRAY_SIZE(argv), info->mkfs, extra, dev);

	if (r < 0)
		return err_set(e, -EINVAL, "target.mkfs: more than %d arguments", EXTRA_ARGS_MAX);
	r = proc_run(argv, MKFS_LIMIT_NS, MKFS_OUTPUT_MAX, &res, e);
	if (r < 0)
		return r;
	if (res.exit_code == 0)
		return 0;
	trim(res.output);
	if (res.timed_out)
		return err_set(e, -ETIMEDOUT, "%s did not end; is %s slow or stuck?", argv[0], dev);
	return err_set(e, -EINVAL, "%s failed (%s %d): %.600s", argv[0],
		       res.signal ? "signal" : "exit", res.signal ? res.signal : res.exit_code,
		       res.output);
}

int fstype_check(int fs, const char *dev, char **ret_text, struct err *e)
{
	const struct fstype_info *info = &fstype_infos[fs];
	const char *argv[FSTYPE_ARGS + 2];
	_cleanup_(proc_result_free) struct proc_result res = { 0 };
	int r = build_argv(argv, ARRAY_SIZE(argv), info->fsck, NULL, dev);

	*ret_text = NULL;
	if (r == 0)
		r = proc_run(argv, FSCK_LIMIT_NS, FSCK_OUTPUT_MAX, &res, e);
	if (r < 0)
		return r;
	if (res.timed_out)
		return err_set(e, -ETIMEDOUT, "%s did not end within half an hour", argv[0]);
	trim(res.output);
	if (res.signal || (res.exit_code & info->fsck_failed))
		return err_set(e, -EIO, "%s could not check %s (%s %d): %.600s", argv[0], dev,
			       res.signal ? "signal" : "exit",
			       res.signal ? res.signal : res.exit_code, res.output);
	*ret_text = take_ptr(res.output);
	return res.exit_code != 0;
}
