// SPDX-License-Identifier: GPL-2.0-or-later
/* modules.dep: "PATH: PATH PATH...", the right side in the order to be loaded last to first. */
#include "vm/modules.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "vm/guest.h"

#include <string.h>

#define DEP_MAX	    (16 * MIB)
#define UNPACK_NS   (60 * NSEC_PER_SEC)
#define MODULE_MAX  (64 * MIB)
#define MODULES_MAX 64

/* What leads to the host's files and to the results port; and loop, which nobody asks modprobe for.
 */
static const char *const early[] = { "virtio_pci", "virtio_console", "virtio_blk", "9pnet_virtio",
				     "9p",	   "overlay",	     "loop" };

struct order {
	const char *dir;
	struct cpio *c;
	char *list; /* owned: paths in the initramfs, one a line */
	char *done[MODULES_MAX];
	size_t ndone;
};

/* Is @path the module called @name? Both - and _ are written, and suffixes of compression. */
static bool is_module(const char *path, size_t len, const char *name)
{
	const char *base = memrchr(path, '/', len);
	size_t n = strlen(name);

	base = base ? base + 1 : path;
	if ((size_t)(path + len - base) < n + 3)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((base[i] == '-' ? '_' : base[i]) != name[i])
			return false;
	return !strncmp(base + n, ".ko", 3);
}

/* As it is, or unpacked by the program for its suffix: not every kernel can do it itself. */
static int read_module(const char *path, char **ret, size_t *ret_len, struct err *e)
{
	static const char *const packers[][2] = { { ".xz", "xz" },
						  { ".gz", "gzip" },
						  { ".zst", "zstd" } };
	struct proc_result res;
	size_t len = strlen(path);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		size_t n = strlen(packers[i][0]);
		const char *const argv[] = { packers[i][1], "-dc", path, NULL };

		if (len < n || strcmp(path + len - n, packers[i][0]) != 0)
			continue;
		r = proc_run(argv, UNPACK_NS, MODULE_MAX, &res, e);
		if (r < 0)
			return r;
		if (res.exit_code || res.truncated) {
			proc_result_free(&res);
			return err_set(e, -EBADMSG, "%s: %s cannot unpack it", path, argv[0]);
		}
		*ret = res.output;
		*ret_len = res.output_len;
		return 0;
	}
	r = read_file(path, MODULE_MAX, ret, ret_len);
	return r < 0 ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}

static int add_module(struct order *o, const char *path, size_t len, struct err *e)
{
	_cleanup_free_ char *data = NULL, *list = NULL;
	char full[FSUTIL_PATH_MAX], inside[64];
	size_t data_len;
	int r;

	for (size_t i = 0; i < o->ndone; i++)
		if (!strncmp(o->done[i], path, len) && !o->done[i][len])
			return 0;
	if (o->ndone == MODULES_MAX)
		return err_set(e, -E2BIG, "%s: more modules than there is room for", o->dir);
	r = path_set(full, sizeof(full), "%s/%.*s", o->dir, (int)len, path);
	if (r == 0)
		r = read_module(full, &data, &data_len, e);
	if (r < 0)
		return r;
	o->done[o->ndone] = strndup(path, len);
	snprintf(inside, sizeof(inside), "/modules/%zu.ko", o->ndone);
	if (!o->done[o->ndone] || asprintf(&list, "%s%s\n", o->list ? o->list : "", inside) < 0)
		return -ENOMEM;
	o->ndone++;
	cpio_data(o->c, inside, 0644, data, data_len);
	free(o->list);
	o->list = take_ptr(list);
	return 0;
}

/* The line's right side backwards, then its left side. */
static int add_line(struct order *o, const char *line, size_t len, struct err *e)
{
	const char *colon = memchr(line, ':', len), *end = line + len;
	int r = 0;

	while (r == 0 && end > colon + 1) {
		const char *p = memrchr(colon + 1, ' ', (size_t)(end - colon - 1));
		const char *from = p ? p + 1 : colon + 1;

		if (end > from)
			r = add_module(o, from, (size_t)(end - from), e);
		end = p ? p : colon;
	}
	return r < 0 ? r : add_module(o, line, (size_t)(colon - line), e);
}

static int add_named(struct order *o, const char *dep, const char *name, struct err *e)
{
	for (const char *line = dep; *line;) {
		size_t len = strcspn(line, "\n");
		const char *colon = memchr(line, ':', len);

		if (colon && is_module(line, (size_t)(colon - line), name))
			return add_line(o, line, len, e);
		line += len + (line[len] == '\n');
	}
	return 0; /* built in, or the guest will say what it lacks */
}

int modules_add_from(struct cpio *c, const char *dir, struct err *e)
{
	struct order o = { .dir = dir, .c = c };
	_cleanup_free_ char *dep = NULL;
	char path[FSUTIL_PATH_MAX];
	int r = path_set(path, sizeof(path), "%s/modules.dep", dir);

	if (r == 0)
		r = read_file(path, DEP_MAX, &dep, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(e, r, "%s: %s", path, strerror(-r));
	for (size_t i = 0; i < ARRAY_SIZE(early) && r == 0; i++)
		r = add_named(&o, dep, early[i], e);
	if (r == 0 && o.list)
		cpio_data(c, GUEST_MODULES, 0644, o.list, strlen(o.list));
	for (size_t i = 0; i < o.ndone; i++)
		free(o.done[i]);
	free(o.list);
	return r;
}

int modules_add(struct cpio *c, const char *release, struct err *e)
{
	char dir[256];

	if (!release[0] || strchr(release, '/'))
		return 0;
	snprintf(dir, sizeof(dir), "/lib/modules/%s", release);
	return modules_add_from(c, dir, e);
}
