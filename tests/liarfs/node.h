/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes: the honest half of liarfs. A tree of directories and regular files in memory; each file
 * keeps its bytes in a memfd, which is sparse, so that a hole costs nothing. No FUSE in here,
 * and no lies. The caller holds the filesystem's one lock around every call.
 */
#ifndef LIARFS_NODE_H
#define LIARFS_NODE_H

#include "base/base.h"
#include "preimage.h"

#include <sys/queue.h>
#include <sys/types.h>
#include <sys/stat.h>

struct node {
	LIST_ENTRY(node) sibling;
	LIST_ENTRY(node) every;
	LIST_HEAD(, node) children;
	struct node *parent; /* NULL: the root, or unlinked */
	char *name;
	struct stat attr; /* st_size and st_blocks are filled in by node_stat() */
	u64 size;	  /* the memfd is never shorter; longer only where a lie kept data */
	u64 lookups;	  /* references that the kernel holds */
	int fd;		  /* memfd of a regular file, -1 for a directory */
	struct preimage previous; /* the version before the last write, while a lie needs it */
	struct preimage synced;	  /* what the last good fsync left, while a lie needs it */
};

LIST_HEAD(node_list, node);

struct tree {
	struct node_list every; /* unlinked but open ones too: freed at the end */
	struct node *root;
	u64 last_ino;
};

/* All of these return 0 or -errno unless they say otherwise. */
int tree_init(struct tree *t);
void tree_free(struct tree *t);
/* Make a regular file or a directory, by @mode, in @parent; owned by the tree. */
int node_new(struct tree *t, struct node *parent, const char *name, mode_t mode, struct node **ret);
/* The child, or NULL. */
struct node *node_child(const struct node *parent, const char *name);
/* The node at a path below the root, without leading slash, or NULL. */
struct node *node_find(const struct tree *t, const char *path);
/* Is this the node's path now? "*" is any regular file's. An unlinked file has no path. */
bool node_at_path(const struct node *n, const char *path);
/* Remove from its directory; freed once the kernel has forgotten it too. */
void node_unlink(struct tree *t, struct node *n);
int node_rename(struct tree *t, struct node *n, struct node *parent, const char *name);
void node_forget(struct tree *t, struct node *n, u64 lookups);
void node_stat(const struct node *n, struct stat *ret);
void node_touch(struct node *n);

/* Read up to @len bytes; returns how many lie before the end of the file. */
ssize_t node_read(const struct node *n, void *buf, size_t len, u64 offset);
/* Read @len bytes, zeros past the end of what is stored. */
int node_peek(const struct node *n, void *buf, size_t len, u64 offset);
/* Write all of it and grow the size. */
int node_write(struct node *n, const void *buf, size_t len, u64 offset);
/* Set the size. Growing shows what the memfd holds there: zeros, unless a lie kept data. */
int node_resize(struct node *n, u64 size);
/* Make the stored bytes of a range zeros, and a hole; the size stays. */
int node_punch(struct node *n, u64 offset, u64 end);
/* SEEK_DATA and SEEK_HOLE (lseek(2)); returns the offset or -errno. */
s64 node_seek(const struct node *n, u64 offset, int whence);

#endif
