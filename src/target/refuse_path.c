// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which directories a run may put its files in. The rule: nothing that the system is made of, at
 * any depth; not the shared roots (/tmp, /home, ...) themselves, but what is below them; no
 * symbolic link anywhere, so that the path says where it leads; a filesystem that keeps files.
 */
#include "target/target.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/* hier(7): what the machine boots and runs from, or where the kernel shows itself. */
static const char *const system_trees[] = {
	"/bin",	  "/boot",   "/dev",  "/efi", "/etc",  "/lib", "/lib32",
	"/lib64", "/libx32", "/proc", "/sys", "/sbin", "/usr", "/lost+found",
};

/* Shared by many: themselves refused, a directory below them is somebody's to choose. */
static const char *const shared_roots[] = {
	"/",	"/home", "/media", "/mnt",     "/opt",	   "/root",	 "/run",
	"/srv", "/tmp",	 "/var",   "/var/lib", "/var/tmp", "/var/cache", "/dev/shm",
};

static const struct {
	unsigned int magic;
	const char *name;
} pseudo[] = {
	{ PROC_SUPER_MAGIC, "proc" },
	{ SYSFS_MAGIC, "sysfs" },
	{ CGROUP_SUPER_MAGIC, "cgroup" },
	{ CGROUP2_SUPER_MAGIC, "cgroup2" },
	{ DEVPTS_SUPER_MAGIC, "devpts" },
	{ DEBUGFS_MAGIC, "debugfs" },
	{ TRACEFS_MAGIC, "tracefs" },
	{ SECURITYFS_MAGIC, "securityfs" },
	{ SELINUX_MAGIC, "selinuxfs" },
	{ BPF_FS_MAGIC, "bpf" },
	{ 0x62656570, "configfs" },
	{ EFIVARFS_MAGIC, "efivarfs" },
	{ PSTOREFS_MAGIC, "pstore" },
	{ HUGETLBFS_MAGIC, "hugetlbfs" },
	{ BINFMTFS_MAGIC, "binfmt_misc" },
	{ AUTOFS_SUPER_MAGIC, "autofs" },
	{ NSFS_MAGIC, "nsfs" },
	{ 0x19800202, "mqueue" },
	{ RDTGROUP_SUPER_MAGIC, "resctrl" },
};

static bool below(const char *path, const char *tree)
{
	size_t len = strlen(tree);

	return !strncmp(path, tree, len) && (!path[len] || path[len] == '/');
}

static int check_place(const char *path, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared_roots); i++)
		if (!strcmp(path, shared_roots[i]))
			return err_set(e, -EPERM,
				       "%s is shared by the whole machine; make a "
				       "directory below it and name that",
				       path);
	if (below(path, "/dev/shm"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(system_trees); i++)
		if (below(path, system_trees[i]))
			return err_set(e, -EPERM,
				       "%s belongs to the system (%s); choose a directory "
				       "made for tests",
				       path, system_trees[i]);
	return 0;
}

static int check_fs(int fd, const char *path, struct err *e)
{
	struct statvfs v;
	struct statfs s;

	if (fstatfs(fd, &s) < 0 || fstatvfs(fd, &v) < 0)
		return err_set(e, -EINVAL, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(pseudo); i++)
		if ((unsigned int)s.f_type == pseudo[i].magic)
			return err_set(e, -EINVAL,
				       "%s is on %s, which keeps no files; choose a "
				       "directory on a disk or tmpfs",
				       path, pseudo[i].name);
	if (v.f_flag & ST_RDONLY)
		return err_set(e, -EINVAL,
			       "%s is on a read-only filesystem; remount it read-write "
			       "or choose another directory",
			       path);
	return 0;
}

/* The first component of @path that is a symbolic link, and where it leads. */
static int name_link(const char *path, struct err *e)
{
	char part[PATH_MAX], to[PATH_MAX];

	for (const char *p = path; *p;) {
		const char *end = p + strspn(p, "/");
		ssize_t n;

		end += strcspn(end, "/");
		if (path_set(part, sizeof(part), "%.*s", (int)(end - path), path) < 0)
			break;
		n = readlink(part, to, sizeof(to) - 1);
		if (n >= 0) {
			to[n] = '\0';
			return err_set(e, -EINVAL,
				       "%s: %s is a symbolic link (to %s); give the "
				       "path without links",
				       path, part, to);
		}
		p = end;
	}
	return err_set(e, -EINVAL, "%s: a symbolic link in it changed just now", path);
}

int target_open_path(const char *path, int *ret_fd, struct err *e)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	char link[64], real[PATH_MAX];
	int r;

	if (fd < 0 && errno == ELOOP)
		return name_link(path, e);
	if (fd < 0)
		return err_set(e, -EINVAL, "%s: %s%s", path, strerror(errno),
			       errno == ENOENT	  ? "; make the directory first"
			       : errno == ENOTDIR ? "; name a directory"
						  : "");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (!realpath(link, real))
		return err_set(e, -EINVAL, "%s: %s", path, strerror(errno));
	r = check_place(real, e);
	if (r == 0)
		r = check_fs(fd, real, e);
	if (r == 0 && faccessat(AT_FDCWD, link, W_OK | X_OK, AT_EACCESS) < 0)
		r = err_set(e, -EPERM,
			    "%s: no right to write there: chown it to the user who runs "
			    "stressd, or choose another",
			    real);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

int target_refuse_path(const char *path, struct err *e)
{
	_cleanup_close_ int fd = -1;

	return target_open_path(path, &fd, e);
}
