// SPDX-License-Identifier: GPL-2.0-or-later
/* Taint and the re-arming of WARN_ON_ONCE: what the kernel says of itself outside its log.
 * Reads /proc and writes one debugfs file; mounts nothing. */
#include "klog/internal.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Documentation/admin-guide/tainted-kernels.rst */
static const struct {
	char letter;
	const char *text;
} taints[] = {
	{ 'P', "proprietary module" },
	{ 'F', "module force-loaded" },
	{ 'S', "kernel out of specification" },
	{ 'R', "module force-unloaded" },
	{ 'M', "machine check" },
	{ 'B', "bad page" },
	{ 'U', "set by user space" },
	{ 'D', "oops or BUG" },
	{ 'A', "ACPI table overridden" },
	{ 'W', "warning" },
	{ 'C', "staging driver" },
	{ 'I', "firmware workaround" },
	{ 'O', "out-of-tree module" },
	{ 'E', "unsigned module" },
	{ 'L', "soft lockup" },
	{ 'K', "live patched" },
	{ 'X', "set by the distribution" },
	{ 'T', "structure layout randomised" },
	{ 'N', "test module" },
	{ 'J', "fwctl debug write" },
};

s64 klog_taint(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/tainted", "re");
	s64 v;

	if (!f)
		return -errno;
	return fscanf(f, "%" SCNd64, &v) == 1 ? v : -EIO;
}

void klog_taint_text(u64 taint, char *buf, size_t len)
{
	size_t at = 0;

	if (len)
		buf[0] = '\0';
	for (size_t i = 0; i < 64 && at < len; i++) {
		const char *sep = at ? ", " : "";

		if (!(taint >> i & 1))
			continue;
		if (i < ARRAY_SIZE(taints))
			at += (size_t)snprintf(buf + at, len - at, "%s%s (%c)", sep, taints[i].text,
					       taints[i].letter);
		else
			at += (size_t)snprintf(buf + at, len - at, "%sbit %zu", sep, i);
	}
	if (!taint)
		snprintf(buf, len, "not tainted");
}

/* Blanks and backslashes of a path are written as \ooo there. */
static void unescape_octal(char *s)
{
	char *to = s;

	while (*s) {
		unsigned int c;
		int n = 0;

		if (*s == '\\' && sscanf(s, "\\%3o%n", &c, &n) == 1 && n == 4) {
			*to++ = (char)c;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

int find_debugfs(FILE *mountinfo, char *buf, size_t len)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, mountinfo) > 0) {
		char *type = strstr(line, " - ");
		char *save = NULL, *path;

		if (!type || strncmp(type, " - debugfs ", 11))
			continue;
		*type = '\0';
		/* mount id, parent id, device, root, mount point */
		path = strtok_r(line, " ", &save);
		for (int i = 0; i < 4 && path; i++)
			path = strtok_r(NULL, " ", &save);
		if (!path)
			continue;
		unescape_octal(path);
		if ((size_t)snprintf(buf, len, "%s", path) >= len)
			return -ENAMETOOLONG;
		return 0;
	}
	return -ENOENT;
}

int klog_rearm_warn_once(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_close_ int fd = -1;
	char dir[512], path[544];
	int r;

	if (!f)
		return -errno;
	r = find_debugfs(f, dir, sizeof(dir));
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/clear_warn_once", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, "1", 1) == 1 ? 0 : -errno;
}
