/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A liarfs for a test: start it on a mount of its own, tell it what to lie, see what it told,
 * and leave nothing behind when the scope ends. For tests of anything that looks for lies.
 */
#ifndef LIARFS_LIAR_CLIENT_H
#define LIARFS_LIAR_CLIENT_H

#include "base/base.h"

#include <sys/types.h>

struct liar {
	pid_t pid;	/* 0: not running */
	char mount[64]; /* absolute path of the mount point */
	char control[80];
};

struct liar_status {
	u64 armed, told, last_offset, last_len_bytes;
	unsigned int held;
	char error[256]; /* why the last command was refused, or "" */
};

/*
 * Start liarfs with @options (NULL-terminated, or NULL) on a new directory, and wait for it to
 * be mounted. It dies with the calling thread. 0 or -errno: -ENODEV when this machine cannot
 * mount FUSE (no /dev/fuse, or no right to it): the test is to be skipped with 77.
 */
int liar_start(struct liar *ret, const char *const *options);
/* Write one command, printf-like. -errno as the server gave it; liar_status() has the text. */
int liar_command(const struct liar *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int liar_status(const struct liar *l, struct liar_status *ret);
/* Wait until @told lies were told, or @held requests are held. -ETIMEDOUT after @timeout_ms. */
int liar_wait_told(const struct liar *l, u64 told, unsigned int timeout_ms);
int liar_wait_held(const struct liar *l, unsigned int held, unsigned int timeout_ms);
/* Stop it, by force after 5 s; unmount, and remove the mount point. May be called twice. */
void liar_stop(struct liar *l);
/* The same; -EPIPE when it did not end well: killed, or a sanitizer complained. */
int liar_finish(struct liar *l);

#define _cleanup_liar_ __attribute__((cleanup(liar_stop)))

#endif
