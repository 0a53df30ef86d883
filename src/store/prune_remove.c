// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One run directory goes: what is above it is locked, it is looked at once more, its row says that
 * it is gone, it gets a name that nothing reads, and then it is emptied, the result last. Killed
 * anywhere, it is whole, or has that name.
 */
#include "store/prune_walk.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define CHAIN_MAX 12

/* Descriptors of the directories from what was asked for down to the run, and of their locks: all
 * are held to the end. */
struct chain {
	int fds[2 * CHAIN_MAX];
	size_t n;
	int parent, run; /* of these */
	char name[NAME_MAX + 1];
};

static void chain_close(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		close(c->fds[i]);
}

/* Nobody imports or compares what is below (import.c), and no engine is at work in a night or a
 * cell: these have a file for it. */
static int hold(struct chain *c, int fd)
{
	int lock;

	if (c->n + 2 > ARRAY_SIZE(c->fds)) {
		close(fd);
		return -ELOOP;
	}
	c->fds[c->n++] = fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	lock = openat(fd, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (lock < 0)
		return errno == ENOENT ? 0 : -errno;
	c->fds[c->n++] = lock;
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int step_into(struct chain *c, const char *name, size_t len)
{
	int r;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(c->name, name, len);
	c->name[len] = '\0';
	c->parent = c->run;
	c->run = prune_open(c->parent, c->name);
	r = c->run < 0 ? c->run : hold(c, c->run);
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EXDEV ? -ESTALE : r;
}

/* From what was asked for, or from the directory that holds it if it is the run itself. */
static int chain_open(struct chain *c, const struct prune_item *it)
{
	size_t from = it->path[it->top] ? it->top : (size_t)(strrchr(it->path, '/') - it->path);
	char base[PATH_MAX];
	const char *at = it->path + from;
	int r = path_set(base, sizeof(base), "%.*s", (int)from, it->path);

	c->run = r < 0 ? -1
		       : open(from ? base : "/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->run < 0)
		return r < 0 ? r : -errno;
	/* What holds what was asked for is somebody else's. */
	if (it->path[it->top])
		r = hold(c, c->run);
	else
		c->fds[c->n++] = c->run;
	while (r == 0 && *at) {
		size_t len = strcspn(++at, "/");

		r = step_into(c, at, len);
		at += len;
	}
	return r;
}

static int check(struct store *s, const struct chain *c, const struct prune_item *it, struct err *e)
{
	char content[STORE_CONTENT_MAX];
	struct stat st;

	if (fstat(c->run, &st) < 0)
		return -errno;
	if (st.st_dev != it->dev || st.st_ino != it->ino)
		return -ESTALE;
	if (it->leftover)
		return 0;
	if (it->night) {
		int over = prune_night_is_over(s, c->run, e);

		return over > 0 ? 0 : over < 0 ? over : -ESTALE;
	}
	if (faccessat(c->run, PRUNE_KEEP, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    prune_content(c->run, content) < 0 || strcmp(content, it->content) != 0)
		return -ESTALE;
	return 0;
}

/* All but the file @last, which says what this is until there is nothing else. */
static int empty(int run, const char *last)
{
	_cleanup_closedir_ DIR *d = NULL;
	int again = openat(run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	d = again < 0 ? NULL : fdopendir(again);
	if (!d)
		return -errno;
	for (struct dirent *de; r == 0 && (de = readdir(d));)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0 &&
		    strcmp(de->d_name, last) != 0) {
			r = rm_rf_at(run, de->d_name);
			step("prune: a part of it is gone");
		}
	return r;
}

static int take_away(const struct chain *c, const struct prune_item *it)
{
	char gone[sizeof(PRUNE_LEFTOVER) + NAME_MAX];
	const char *last = it->night ? PRUNE_NIGHT : PRUNE_RESULT;
	struct stat st;
	int r;

	snprintf(gone, sizeof(gone), "%s%s", it->leftover ? "" : PRUNE_LEFTOVER, c->name);
	if (strlen(gone) > NAME_MAX)
		return -ENAMETOOLONG;
	if (!it->leftover && renameat2(c->parent, c->name, c->parent, gone, RENAME_NOREPLACE) < 0)
		return -errno;
	step("prune: it has another name");
	/* Somebody may have put another one at its place since it was opened. */
	if (fstatat(c->parent, gone, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != it->ino ||
	    st.st_dev != it->dev) {
		if (!it->leftover)
			renameat2(c->parent, gone, c->parent, c->name, RENAME_NOREPLACE);
		return -ESTALE;
	}
	r = empty(c->run, last);
	if (r < 0)
		return r;
	if (unlinkat(c->run, last, 0) < 0 && errno != ENOENT)
		return -errno;
	step("prune: it is empty");
	return unlinkat(c->parent, gone, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int prune_remove(struct store *s, const struct prune_item *item, bool dry_run, struct err *e)
{
	_cleanup_(chain_close) struct chain c = { .run = -1, .parent = -1 };
	int r = chain_open(&c, item);

	if (r == 0)
		r = check(s, &c, item, e);
	if (r == 0 && dry_run)
		return 0;
	step("prune: it is locked");
	if (r == 0 && item->id) {
		r = store_run_query(s, QUERY_SET_REMOVED, e, "ii", item->id, (s64)time(NULL));
		if (r < 0)
			return r;
	}
	step("prune: its row says so");
	if (r == 0)
		r = take_away(&c, item);
	/* Still there, under its name: so the row is wrong. */
	if (r < 0 && item->id && !item->leftover && c.parent >= 0 &&
	    faccessat(c.parent, c.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		store_run_query(s, QUERY_SET_REMOVED, e, "ii", item->id, (s64)0);
	return r < 0 ? err_set(e, r, "%s", strerror(-r)) : 0;
}
