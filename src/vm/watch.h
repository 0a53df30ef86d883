/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest from its start to its end, watched from outside. Says how it ended; what that means for
 * a run is said elsewhere.
 */
#ifndef STRESSD_VM_WATCH_H
#define STRESSD_VM_WATCH_H

#include "klog/klog.h"
#include "vm/mirror.h"
#include "vm/salvage.h"
#include "vm/vm.h"

struct watch {
	const struct vm_options *o;
	struct qemu qemu;
	struct stream stream;
	struct arrival arrival;
	struct salvage salvage;
	struct klog *klog; /* of the console */
	int console_log_fd;
	char line[4096]; /* of the console, as far as it came */
	size_t line_len;
	char release[96];     /* of the guest's kernel, "" before HELLO */
	char complaint[1024]; /* of the guest's init, or QEMU, or our own */
	int dir_fds[VM_SCENARIOS_MAX];
	int current;		     /* scenario that runs, -1 before the first */
	int exits[VM_SCENARIOS_MAX]; /* -1: has not ended */
	u64 started_ns, begun_ns, beat_ns;
	u64 hello_ns, first_ns; /* when it had booted, and when workers began; 0: not yet */
	u64 console_bytes;
	size_t begun_events; /* of the console, that were there when the scenario began */
	u64 stuck_ns;	     /* when the console first had a hang of this scenario, 0: none */
	char *stuck[FINDING_LINES]; /* what SysRq w said of blocked tasks; owned */
	size_t nstuck;
	bool listing, hello, done, sysrq_answered;
	int error; /* the host's own, first */
};

/* The first hang or BUG that the console had in this scenario, or NULL. */
const struct klog_event *watch_stuck(const struct watch *w);
/* Watch until it ends; @limit_ns is for all of it, @mute_ns how long not a byte may come (0:
 * for ever). Returns enum vm_end. QEMU is stopped. */
int watch_guest(struct watch *w, u64 limit_ns, u64 mute_ns);

#endif
