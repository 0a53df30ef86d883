/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds: a page of the buffer of a read or write is taken away, so that the kernel faults on it in
 * the middle of its copy, and given back when somebody says so. By userfaultfd(2); the handler is a
 * thread of the same process. Knows buffers; nothing of races, which only ask and are asked.
 */
#ifndef STRESSD_HOLD_H
#define STRESSD_HOLD_H

#include "base/base.h"

/* The last is no business of this file: the coordinator plants a probe. (probe.h) */
enum hold_kind { HOLD_NONE, HOLD_SOURCE_FAULT, HOLD_DEST_FAULT, HOLD_PROBE_DELAY };

struct hold;

/*
 * @over is asked, in the handler's thread, whether the fault may end; after @limit_ns it does
 * anyhow. Needs CAP_SYS_PTRACE, or vm.unprivileged_userfaultfd, or the right to open
 * /dev/userfaultfd: open it before rights are dropped. 0, or -errno with the cure in @e.
 */
int hold_open(enum hold_kind kind, bool (*over)(void *), void *arg, u64 limit_ns, struct hold **ret,
	      struct err *e);
/* Holds are armed from now on, or no more: the buffers of operations outside stay alone. */
void hold_enable(struct hold *h, bool on);
/* Faults that were held so far. */
u64 hold_count(const struct hold *h);

/*
 * Around the system call, by the operation: take the last page of @buf away, if @h (may be NULL)
 * is enabled for this kind and holds nothing yet. @buf is private anonymous memory; its bytes come
 * back by themselves. True: disarm it, once the kernel is done with the buffer. A submission of
 * many may block in between, and goes on when the handler says so.
 */
bool hold_arm(struct hold *h, enum hold_kind kind, u8 *buf, u64 len);
/* The same for direct I/O, which looks up an extent, pins its pages, and goes to the next: the
 * first page, so that what comes behind it is not looked up yet. */
bool hold_arm_direct(struct hold *h, enum hold_kind kind, u8 *buf, u64 len);
void hold_disarm(struct hold *h);

#endif
