/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log: /dev/kmsg read from a marker on, matched against one table of rules, splats
 * kept whole, titles normalised and deduplicated. Knows nothing of scenarios' files or workers;
 * the coordinator joins an event to an operation by its pid and time.
 */
#ifndef STRESSD_KLOG_H
#define STRESSD_KLOG_H

#include "base/base.h"
#include "finding.h"

struct klog;

struct klog_event {
	int severity;	  /* enum sc_severity */
	int finding;	  /* enum finding_kind that this is when severity reaches fail_at */
	const char *rule; /* name in rules.def */
	char title[160];  /* "WARNING in iomap_write_delalloc_release" */
	u64 time_ns;	  /* CLOCK_MONOTONIC, from the record's stamp */
	int pid;	  /* of the task that the splat names, or -1 */
	char comm[17];
	char **lines; /* the whole splat, owned by the klog */
	size_t nlines;
	u64 repeats;  /* further events with the same title */
	bool allowed; /* an allow pattern covers it, or it is foreign */
	bool foreign; /* it names loop devices, and not the run's own */
};

/*
 * Open /dev/kmsg, write a marker line naming @run and seek behind it. -EACCES/-EPERM without
 * rights (dmesg_restrict), -ENOENT without the device; text in @e. klog_fd() becomes readable
 * when records wait or when a splat has been quiet for long enough to be closed. Events are
 * stamped to milliseconds: printk's clock is set against CLOCK_MONOTONIC by the marker.
 */
int klog_open(const char *run, struct klog **ret, struct err *e);
/* The same machinery over a text stream without a device (console of a VM, samples in tests). */
int klog_open_memory(struct klog **ret);
int klog_fd(const struct klog *k);
/* Events completed from now on that have @substring in any of their lines are allowed. */
void klog_allow(struct klog *k, const char *substring);
/* A set of rules by name (NULL-terminated, kept by the caller) that are allowed in windows of time,
 * by the stamp of an event's first line: none so far. Returns its number or -errno. A window is
 * opened, and later closed; times are CLOCK_MONOTONIC. */
int klog_allow_rules(struct klog *k, const char *const *rules);
void klog_allow_from(struct klog *k, int set, u64 from_ns);
void klog_allow_until(struct klog *k, int set, u64 to_ns);
/* The device of this run ("loop3", or "" for none that is a loop device): events that name other
 * loop devices only are somebody else's, and allowed. Other devices may lie under an image. */
void klog_own_device(struct klog *k, const char *name);
/* Read what is there (a bounded part of a flood; the descriptor stays readable); returns the
 * number of events completed, or -errno: of the device, or once of kernel.log when it cannot
 * be written any more. Events of the same title count as completed, too. */
int klog_read(struct klog *k);
/* Feed one line as /dev/kmsg would give it, without the prefix; a console's prefix
 * ("<4>[   12.345678][  T123] ") is taken off, and its stamp used when @time_ns is 0. */
void klog_feed(struct klog *k, const char *line, u64 time_ns);
/* No more lines will come: close a splat that has no end marker. */
void klog_finish(struct klog *k);
size_t klog_count(const struct klog *k);
const struct klog_event *klog_event(const struct klog *k, size_t i);
/* Records that the ring buffer overwrote before they were read (EPIPE, sequence gaps). */
u64 klog_lost(const struct klog *k);
/* Every line since the marker is copied to @path as it comes ("kernel.log"). */
int klog_copy_to(struct klog *k, const char *path);
/* Lines between two moments (CLOCK_MONOTONIC ns), from a bounded recent window; owned by @k. Their
 * own moments go to @times_ns, unless it is NULL. Returns their number, at most @max. */
size_t klog_lines_between(const struct klog *k, u64 from_ns, u64 to_ns, const char **lines,
			  u64 *times_ns, size_t max);
void klog_close(struct klog *k);

/* /proc/sys/kernel/tainted, or -errno. The names of the set bits go to klog_taint_text(). */
s64 klog_taint(void);
void klog_taint_text(u64 taint, char *buf, size_t len);
/* Re-arm WARN_ON_ONCE through debugfs clear_warn_once; -errno where it is not to be had. */
int klog_rearm_warn_once(void);

/* How many lines belong to what a rule matched; see splat.h for where each ends. */
enum klog_shape { SHAPE_LINE, SHAPE_BLOCK, SHAPE_OOPS };

struct klog_rule {
	const char *name;
	int severity; /* enum sc_severity */
	int finding;  /* enum finding_kind */
	int shape;    /* enum klog_shape */
	const char *pattern, *title, *help;
};
extern const struct klog_rule klog_rules[];
extern const size_t klog_nrules;

#endif
