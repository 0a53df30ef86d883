// SPDX-License-Identifier: GPL-2.0-or-later
/* Who keeps a mount busy, as far as /proc shows: open files, working and root directories,
 * running programs, mappings. For error texts only; nothing is decided by it. */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define HOLDERS_MAX 4

struct search {
	dev_t dev, super; /* as stat(2) says of files there; as the mount table and maps say */
	char *buf;
	size_t size;
	int found;
};

static void add(struct search *s, const char *pid, const char *how)
{
	char path[300], comm[64] = "?", link[FSUTIL_PATH_MAX] = "";
	size_t len = strlen(s->buf);

	if (path_set(path, sizeof(path), "/proc/%s/comm", pid) == 0)
		attr_read(path, comm, sizeof(comm));
	if (path_set(path, sizeof(path), "/proc/%s/%s", pid, how) == 0 &&
	    readlink(path, link, sizeof(link) - 1) < 0)
		link[0] = '\0';
	if (s->found++ < HOLDERS_MAX)
		snprintf(s->buf + len, s->size - len, "%s%s (pid %s, %s%s%.100s)", len ? ", " : "",
			 comm, pid, how, *link ? " " : "", link);
}

static bool on_it(const struct search *s, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_dev == s->dev || st.st_dev == s->super);
}

static bool look_fds(struct search *s, const char *pid)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[600], how[300];
	struct dirent *de;

	if (path_set(path, sizeof(path), "/proc/%s/fd", pid) < 0)
		return false;
	d = opendir(path);
	while (d && (de = readdir(d))) {
		if (de->d_name[0] == '.' ||
		    path_set(path, sizeof(path), "/proc/%s/fd/%s", pid, de->d_name) < 0)
			continue;
		if (!on_it(s, path))
			continue;
		snprintf(how, sizeof(how), "fd/%s", de->d_name);
		add(s, pid, how);
		return true;
	}
	return false;
}

static bool look_maps(struct search *s, const char *pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[300], line[FSUTIL_PATH_MAX + 128];

	if (path_set(path, sizeof(path), "/proc/%s/maps", pid) < 0)
		return false;
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned int ma, mi;

		if (sscanf(line, "%*s %*s %*s %x:%x", &ma, &mi) == 2 &&
		    makedev(ma, mi) == s->super) {
			add(s, pid, "maps");
			return true;
		}
	}
	return false;
}

static void look(struct search *s, const char *pid)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (path_set(path, sizeof(path), "/proc/%s/%s", pid, links[i]) == 0 &&
		    on_it(s, path)) {
			add(s, pid, links[i]);
			return;
		}
	if (!look_fds(s, pid))
		look_maps(s, pid);
}

void disk_holders(const char *mountpoint, char *buf, size_t size)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	struct search s = { .buf = buf, .size = size };
	struct mount_info m;
	struct dirent *de;
	struct stat st;

	buf[0] = '\0';
	if (proc && stat(mountpoint, &st) == 0 && mount_at(mountpoint, &m) == 0) {
		s.dev = st.st_dev;
		s.super = m.dev;
		while ((de = readdir(proc)))
			if (strspn(de->d_name, "0123456789") == strlen(de->d_name))
				look(&s, de->d_name);
	}
	if (!s.found)
		snprintf(buf, size, "nobody that /proc shows");
}
