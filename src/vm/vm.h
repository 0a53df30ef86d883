/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios in a kernel that may die: a guest boots it with the host's files, runs them, and sends
 * what happens while it happens. From outside the console is read and the heartbeat watched.
 * Prints nothing; what the runs print goes to the streams that it is given.
 */
#ifndef STRESSD_VM_H
#define STRESSD_VM_H

#include "report/report.h"
#include "vm/qemu.h"

#define VM_SCENARIOS_MAX 64

struct vm_options {
	const char *kernel;
	const char *append; /* further words for its command line, or "" */
	const char
		*run_dir; /* absolute, exists, empty; a scenario's own below it if there are more */
	const char *runner; /* absolute; runs each scenario in place of stressd; NULL: stressd */
	int accel;	    /* enum vm_accel */
	u64 cpus, memory_bytes;
	u64 timeout_ns; /* of all of it; 0: four times the scenarios' durations, and five minutes */
	u64 each_ns;	/* of one scenario, like timeout_ns; 0: as long as all of it lasts */
	u64 silence_ns; /* without a heartbeat: the guest hangs */
	u64 cut_ns;	/* the power is cut so long after the first operation; 0: never */
	const char *output; /* further reports, as report_ask() takes them; NULL: none */
	bool keep;
	bool json;	/* runs print JSON lines, as `stressd run --json` */
	bool no_images; /* images are no evidence: those of findings and crashes are dropped, too */
	struct vm_disk disks[VM_DISKS_MAX];
	size_t ndisks;
	struct scenario *scenarios[VM_SCENARIOS_MAX];
	u64 mutants[VM_SCENARIOS_MAX]; /* fault of a lab kernel that is on meanwhile; 0: none */
	size_t nscenarios;
	/* The guest goes down after a scenario that leaves its kernel in doubt: the rest is not
	 * run. See guest_in_doubt(). */
	bool doubt_ends;
	FILE *out, *err; /* what the guest's runs print */
	/* Scenario @i begins (@status -1), or ended with its results in place; NULL: nobody asks.
	 */
	void (*on_scenario)(void *ctx, size_t i, int status);
	void *ctx;
};

enum vm_end {
	VM_DONE,	/* every scenario ended */
	VM_NO_BOOT,	/* it did not come up */
	VM_MUTE,	/* not a byte: the accelerator does not work */
	VM_CRASH,	/* panic, or it went down without a word */
	VM_HANG,	/* no heartbeat */
	VM_STUCK,	/* a heartbeat; but tasks hang, and the run with them */
	VM_TIMEOUT,	/* alive, and not at the end when the time was over */
	VM_GONE,	/* somebody killed QEMU */
	VM_CUT,		/* we did, as was asked: the power was cut */
	VM_PANIC,	/* its filesystem did, as was asked: errors=panic, with faults */
	VM_INTERRUPTED, /* a signal asked us to stop */
	VM_TROUBLE,	/* the host or the guest's init failed: the text says how */
	VM_ENDS
};

/* Run it all. Returns the exit status: `stressd run`'s, and 75 when somebody killed QEMU; after a
 * power cut, or a panic that was asked for, that of `stressd verify`, which has checked what was
 * left. A line for a person is in @e unless it is "". */
int vm_run(const struct vm_options *o, struct err *e);
/* Where the results of scenario @i go. 0 or -ENAMETOOLONG. */
int vm_scenario_dir(const struct vm_options *o, size_t i, char *buf, size_t size);

#endif
