// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run directories below a directory, by descriptors: each name is opened below the one before it,
 * so that no link and no mount leads out of what was asked for, whoever changes names meanwhile.
 */
#include "store/prune_walk.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEPTH_MAX      8  /* daemon, runs, night, cells, cell, attempt, scenario of a guest */
#define TREE_DEPTH_MAX 64 /* inside of a run directory */

int prune_open(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};
	int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool has(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int add_file(int dirfd, const char *name, XXH3_state_t *hash)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = read_fd(fd, STORE_RESULT_BYTES, &text, &len);
	if (r == 0)
		XXH3_128bits_update(hash, text, len);
	return r;
}

int prune_content(int dirfd, char buf[STORE_CONTENT_MAX])
{
	_cleanup_(content_free) XXH3_state_t *hash = content_new();
	_cleanup_close_ int verify = prune_open(dirfd, "verify");
	int r = hash ? add_file(dirfd, PRUNE_RESULT, hash) : -ENOMEM;

	if (r == 0 && verify >= 0 && has(verify, PRUNE_RESULT))
		r = add_file(verify, PRUNE_RESULT, hash);
	if (r == 0)
		content_name(hash, buf);
	return r;
}

/* Space that goes with the directory @fd, which is closed. What cannot be looked at counts as none:
 * whoever removes it will say so. *ret_mount: something is mounted in it. */
static u64 tree_bytes(int fd, int depth, bool *ret_mount)
{
	_cleanup_closedir_ DIR *d = fdopendir(fd);
	u64 bytes = 0;

	if (!d) {
		close(fd);
		return 0;
	}
	for (struct dirent *de; (de = readdir(d));) {
		struct stat st;
		int below;

		if (!strcmp(de->d_name, "..") ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bytes += (u64)st.st_blocks * 512;
		if (!S_ISDIR(st.st_mode) || !strcmp(de->d_name, ".") || depth == TREE_DEPTH_MAX)
			continue;
		below = prune_open(dirfd(d), de->d_name);
		*ret_mount |= below == -EXDEV;
		if (below >= 0)
			bytes += tree_bytes(below, depth + 1, ret_mount) - (u64)st.st_blocks * 512;
	}
	return bytes;
}

struct walk {
	struct prune_list *list;
	size_t top;
	struct err *e;
};

static int add(struct walk *w, int fd, const char *path, bool kept)
{
	struct prune_item *it = store_one_more(&w->list->items, &w->list->n, sizeof(*it));
	const char *name = strrchr(path, '/') + 1;
	int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat st;

	if (again < 0 || fstat(fd, &st) < 0)
		return err_set(w->e, -errno, "%s: %s", path, strerror(errno));
	if (!it || !(it->path = strdup(path))) {
		close(again);
		return err_set(w->e, -ENOMEM, "out of memory");
	}
	it->top = w->top;
	it->leftover = !strncmp(name, PRUNE_LEFTOVER, strlen(PRUNE_LEFTOVER));
	it->has_result = has(fd, PRUNE_RESULT);
	it->night = !it->has_result && has(fd, PRUNE_NIGHT);
	it->has_keep = kept || has(fd, PRUNE_KEEP);
	it->dev = st.st_dev;
	it->ino = st.st_ino;
	if (it->has_result && prune_content(fd, it->content) < 0)
		it->content[0] = '\0';
	it->bytes = tree_bytes(again, 0, &it->has_mount);
	if (fstatat(fd, PRUNE_RESULT, &st, AT_SYMLINK_NOFOLLOW) == 0)
		it->ended_s = st.st_mtime;
	return 0;
}

static int walk(struct walk *w, int fd, const char *path, int depth, bool kept);

/* What a killed prune left is told by its name, and by what it holds: that goes last. */
static bool is_leftover(int fd, const char *name)
{
	_cleanup_closedir_ DIR *d = NULL;
	int again, n = 0;

	if (strncmp(name, PRUNE_LEFTOVER, strlen(PRUNE_LEFTOVER)) != 0)
		return false;
	if (has(fd, PRUNE_RESULT) || has(fd, PRUNE_NIGHT))
		return true;
	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = again < 0 ? NULL : fdopendir(again);
	while (d && readdir(d))
		n++;
	return d && n == 2;
}

static int walk_child(struct walk *w, int dirfd, const char *dir, const char *name, int depth,
		      bool kept)
{
	_cleanup_close_ int fd = prune_open(dirfd, name);
	char path[PATH_MAX];

	/* No directory, a link, a mount, or gone. */
	if (fd < 0 || path_set(path, sizeof(path), "%s/%s", dir, name) < 0)
		return 0;
	if (is_leftover(fd, name))
		return add(w, fd, path, kept);
	return name[0] == '.' ? 0 : walk(w, fd, path, depth + 1, kept);
}

static int walk(struct walk *w, int fd, const char *path, int depth, bool kept)
{
	_cleanup_closedir_ DIR *d = NULL;
	int again, r = 0;

	/* A cell has a scenario, too; its runs are below it. */
	if (has(fd, PRUNE_RESULT) || (has(fd, "scenario.json") && !has(fd, "cell.json")))
		return add(w, fd, path, kept);
	if (depth > DEPTH_MAX)
		return 0;
	if (has(fd, PRUNE_NIGHT))
		r = add(w, fd, path, kept);
	kept = kept || has(fd, PRUNE_KEEP);
	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = again < 0 ? NULL : fdopendir(again);
	if (!d)
		return err_set(w->e, -errno, "%s: cannot be read: %s", path, strerror(errno));
	for (struct dirent *de; r == 0 && (de = readdir(d));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = walk_child(w, fd, path, de->d_name, depth, kept);
	return r;
}

int prune_walk(const char *top, struct prune_list *list, struct err *e)
{
	_cleanup_close_ int fd = open(top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct walk w = { list, strlen(top), e };

	if (fd < 0)
		return err_set(e, -errno, "%s: cannot be read: %s", top, strerror(errno));
	return walk(&w, fd, top, 0, false);
}

void prune_list_free(struct prune_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct prune_list){ 0 };
}
