// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes: the tree and the bytes, always true. pread and pwrite on a memfd are the whole data
 * path; anything that is to come out false is made so by the caller.
 */
#include "node.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

static void node_free(struct node *n)
{
	LIST_REMOVE(n, every);
	preimage_free(&n->previous);
	preimage_free(&n->synced);
	closep(&n->fd);
	free(n->name);
	free(n);
}

static void node_free_if_unused(struct tree *t, struct node *n)
{
	if (n != t->root && !n->parent && !n->lookups)
		node_free(n);
}

static void node_freep(struct node **n)
{
	if (*n)
		node_free(*n);
}

void node_touch(struct node *n)
{
	clock_gettime(CLOCK_REALTIME, &n->attr.st_mtim);
	n->attr.st_ctim = n->attr.st_mtim;
}

/* Inode numbers fall along the list: readdir uses them as positions. */
static void attach(struct node *n, struct node *parent)
{
	struct node *before = NULL, *c;

	LIST_FOREACH(c, &parent->children, sibling)
	{
		if (c->attr.st_ino < n->attr.st_ino)
			break;
		before = c;
	}
	if (before)
		LIST_INSERT_AFTER(before, n, sibling);
	else
		LIST_INSERT_HEAD(&parent->children, n, sibling);
	n->parent = parent;
	parent->attr.st_nlink += S_ISDIR(n->attr.st_mode);
	node_touch(parent);
}

int node_new(struct tree *t, struct node *parent, const char *name, mode_t mode, struct node **ret)
{
	_cleanup_(node_freep) struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	LIST_INSERT_HEAD(&t->every, n, every);
	n->fd = -1;
	preimage_init(&n->previous);
	preimage_init(&n->synced);
	LIST_INIT(&n->children);
	n->attr.st_ino = ++t->last_ino;
	n->attr.st_mode = mode;
	n->attr.st_nlink = S_ISDIR(mode) ? 2 : 1;
	n->attr.st_blksize = 4096;
	node_touch(n);
	n->attr.st_atim = n->attr.st_mtim;
	n->name = strdup(name);
	if (!n->name)
		return -ENOMEM;
	if (S_ISREG(mode)) {
		n->fd = memfd_create("liarfs", MFD_CLOEXEC);
		if (n->fd < 0)
			return -errno;
	}
	if (parent)
		attach(n, parent);
	*ret = take_ptr(n);
	return 0;
}

int tree_init(struct tree *t)
{
	*t = (struct tree){ 0 };
	LIST_INIT(&t->every);
	return node_new(t, NULL, "", S_IFDIR | 0755, &t->root);
}

void tree_free(struct tree *t)
{
	while (!LIST_EMPTY(&t->every))
		node_free(LIST_FIRST(&t->every));
}

struct node *node_child(const struct node *parent, const char *name)
{
	struct node *n;

	LIST_FOREACH(n, &parent->children, sibling)
	if (strcmp(n->name, name) == 0)
		return n;
	return NULL;
}

struct node *node_find(const struct tree *t, const char *path)
{
	struct node *n;

	LIST_FOREACH(n, &t->every, every)
	if (n->parent && node_at_path(n, path))
		return n;
	return NULL;
}

bool node_at_path(const struct node *n, const char *path)
{
	size_t len = strlen(path);

	if (strcmp(path, "*") == 0)
		return S_ISREG(n->attr.st_mode);
	/* Compared from the leaf up: each name must end where the one below it began. */
	for (; n->parent; n = n->parent) {
		size_t name_len = strlen(n->name);

		if (name_len > len || memcmp(path + len - name_len, n->name, name_len) != 0)
			return false;
		len -= name_len;
		if (len == 0)
			return !n->parent->parent && !n->parent->name[0];
		if (path[--len] != '/')
			return false;
	}
	return false;
}

static void detach(struct node *n)
{
	LIST_REMOVE(n, sibling);
	n->parent->attr.st_nlink -= S_ISDIR(n->attr.st_mode);
	node_touch(n->parent);
	n->parent = NULL;
}

void node_unlink(struct tree *t, struct node *n)
{
	detach(n);
	n->attr.st_nlink = 0;
	node_free_if_unused(t, n);
}

int node_rename(struct tree *t, struct node *n, struct node *parent, const char *name)
{
	struct node *target = node_child(parent, name);
	char *copy;

	if (target == n)
		return 0;
	/* That both are of one type is seen to by the kernel's VFS. */
	if (target && !LIST_EMPTY(&target->children))
		return -ENOTEMPTY;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	if (target)
		node_unlink(t, target);
	detach(n);
	free(n->name);
	n->name = copy;
	attach(n, parent);
	return 0;
}

void node_forget(struct tree *t, struct node *n, u64 lookups)
{
	n->lookups -= MIN(n->lookups, lookups);
	node_free_if_unused(t, n);
}

void node_stat(const struct node *n, struct stat *ret)
{
	struct stat stored;

	*ret = n->attr;
	ret->st_size = (off_t)n->size;
	if (n->fd >= 0 && fstat(n->fd, &stored) == 0)
		ret->st_blocks = stored.st_blocks;
}

int node_peek(const struct node *n, void *buf, size_t len, u64 offset)
{
	size_t done = 0;

	/* Past the end of the memfd pread returns 0: the rest is a hole. */
	while (done < len) {
		ssize_t r = pread(n->fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	memset((char *)buf + done, 0, len - done);
	return 0;
}

ssize_t node_read(const struct node *n, void *buf, size_t len, u64 offset)
{
	int ret;

	if (offset >= n->size)
		return 0;
	len = (size_t)MIN((u64)len, n->size - offset);
	ret = node_peek(n, buf, len, offset);
	return ret ? ret : (ssize_t)len;
}

int node_write(struct node *n, const void *buf, size_t len, u64 offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t r =
			pwrite(n->fd, (const char *)buf + done, len - done, (off_t)(offset + done));

		if (r < 0)
			return -errno;
		done += (size_t)r;
	}
	n->size = MAX(n->size, offset + len);
	node_touch(n);
	return 0;
}

int node_resize(struct node *n, u64 size)
{
	struct stat stored;

	if (fstat(n->fd, &stored) < 0)
		return -errno;
	/* A smaller size cuts. A larger one must leave alone what a lie kept past the end. */
	if ((size < n->size || (u64)stored.st_size < size) && ftruncate(n->fd, (off_t)size) < 0)
		return -errno;
	n->size = size;
	node_touch(n);
	return 0;
}

int node_punch(struct node *n, u64 offset, u64 end)
{
	if (offset >= end)
		return 0;
	node_touch(n);
	return fallocate(n->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			 (off_t)(end - offset)) < 0
		       ? -errno
		       : 0;
}

s64 node_seek(const struct node *n, u64 offset, int whence)
{
	off_t found;

	if (offset >= n->size)
		return -ENXIO;
	found = lseek(n->fd, (off_t)offset, whence);
	if (found < 0)
		return -errno;
	if ((u64)found < n->size)
		return found;
	return whence == SEEK_HOLE ? (s64)n->size : -ENXIO;
}
