/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rooms of liarfs share: the filesystem with its one lock, and the entry points of
 * ops.c. The lock is held around every use of nodes and lies, and never while the kernel is
 * asked to drop pages: it comes back with their writes before that returns.
 */
#ifndef LIARFS_LIARFS_H
#define LIARFS_LIARFS_H

#include "lie.h"
#include "node.h"

#include <pthread.h>

struct fuse_lowlevel_ops;
struct fuse_session;

struct liarfs {
	pthread_mutex_t lock;
	struct tree tree;
	struct lies lies;
	struct fuse_session *se;
	bool writeback;	 /* ask for the kernel's writeback cache */
	bool invalidate; /* drop the kernel's pages when a lie changed stored data */
};

/* .liar: the control file. In the root, found by name, never listed. */
#define CONTROL_NAME ".liar"

extern const struct fuse_lowlevel_ops liarfs_ops;

static inline void unlockp(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

#define LOCKED(fs)                                                                                 \
	__attribute__((cleanup(unlockp), unused)) pthread_mutex_t *locked_ = &(fs)->lock;          \
	pthread_mutex_lock(locked_)

#endif
