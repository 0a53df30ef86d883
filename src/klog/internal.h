/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share, and nobody else includes but their tests.
 *
 *	reader.c  device or test source -> records      window.c  recent lines, kernel.log
 *	record.c  record -> text, caller, stamp         splat.c   lines -> splats
 *	klog.c    the handle: a line's way              titles.c, tasks.c  splat -> name, task
 *	events.c  splat -> deduplicated event           taint.c   the rest of /proc and debugfs
 *	allow.c   what is expected, and when
 */
#ifndef STRESSD_KLOG_INTERNAL_H
#define STRESSD_KLOG_INTERNAL_H

#include "klog/klog.h"
#include "klog/splat.h"
#include "klog/titles.h"

#include <stdio.h>
#include <sys/types.h>

/* CONSOLE_EXT_LOG_MAX is 8 KiB: a smaller buffer makes the kernel return -EINVAL. */
#define RECORD_MAX 16384
/* No kernel message is longer (PRINTKRB_RECORD_MAX); anything beyond is cut off. */
#define TEXT_MAX       1024
#define EVENTS_MAX     256
#define WINDOW_LINES   4096
#define WINDOW_BYTES   (1 * MIB)
#define COPY_BYTES_MAX (256 * MIB)

/* Where records come from. read() returns the length of one whole record, -EAGAIN when there is
 * none, -EPIPE when records were overwritten, or another -errno. */
struct kmsg_source {
	ssize_t (*read)(struct kmsg_source *s, char *buf, size_t len);
	int fd;
};

struct window {
	struct window_line {
		u64 time_ns;
		char *text;
	} lines[WINDOW_LINES];
	size_t first, n, bytes;
};

struct log_copy {
	FILE *f;
	u64 bytes;
	int error; /* -errno not yet told to the caller */
};

/* Rules by name that are allowed in windows of time; the last one may be open. */
struct allow_rules {
	const char *const *rules;
	struct allow_window {
		u64 from_ns, to_ns;
	} * windows;
	size_t nwindows;
};

struct klog {
	struct kmsg_source source;
	int epoll_fd, timer_fd;
	bool calibrated;
	s64 raw_minus_stamp_ns; /* CLOCK_MONOTONIC_RAW minus printk's clock */
	bool have_seq, overrun;
	u64 next_seq, lost;
	struct rules *rules;
	struct task_patterns *tasks;
	struct splats splats;
	struct klog_event **events;
	size_t nevents;
	u64 completed;
	char **allow;
	size_t nallow;
	struct allow_rules *allow_rules;
	size_t nallow_rules;
	char own_device[32]; /* klog_own_device(); only when owns */
	bool owns;
	struct window window;
	struct log_copy copy;
};

/* klog.c: one line from wherever, with its caller ("" for none). */
void klog_line(struct klog *k, const char *caller, const char *text, u64 time_ns);

/* reader.c: read a bounded number of records; 0 or -errno. */
int reader_drain(struct klog *k);
void reader_arm_timer(struct klog *k);

/* allow.c */
bool is_allowed(const struct klog *k, const struct splat *s);
void allow_free(struct klog *k);

/* events.c */
void events_add(void *klog, struct splat *s);
void events_free(struct klog *k);

/* window.c */
void window_add(struct window *w, const char *text, u64 time_ns);
void window_free(struct window *w);
void copy_line(struct log_copy *c, const char *caller, const char *text, u64 time_ns);

/* taint.c: the mount point of debugfs according to @mountinfo (proc_pid_mountinfo(5)); 0,
 * -ENOENT, or -ENAMETOOLONG. */
int find_debugfs(FILE *mountinfo, char *buf, size_t len);

#endif
