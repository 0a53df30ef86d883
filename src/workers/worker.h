/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one header a worker includes. A worker is one file: an option struct and its table, a
 * step function that does one operation, and one designated-initialiser struct at the end;
 * workers.def gets one line. The framework (worker.c) forks, drops capabilities, opens files,
 * beats the heart, pauses and stops; the operations (ops/) keep the shadow. No worker includes
 * anything of the coordinator.
 */
#ifndef STRESSD_WORKER_H
#define STRESSD_WORKER_H

#include "base/base.h"
#include "base/option.h"

#include <sys/capability.h>

struct worker;
struct err;

#define WORKER_CAPS_MAX 4

enum worker_flags {
	WORKER_NEEDS_FILE = 1 << 0,    /* "file" must name a file of the scenario */
	WORKER_STAMPS = 1 << 1,	       /* writes stamps: may run on a "conflict" file */
	WORKER_RESHAPES = 1 << 2,      /* changes size or moves content: not on a "conflict" file */
	WORKER_DIRECT_WRITES = 1 << 3, /* writes past the page cache: gets zones of its own */
	WORKER_QUIET = 1 << 4,	       /* has no operations on files: no heartbeat from steps */
	WORKER_HOLDS_FILES = 1 << 5,   /* a child keeps files open: cannot be paused to unmount */
	WORKER_UNMOUNTS = 1 << 6,      /* unmounts the target: not beside WORKER_HOLDS_FILES */
	WORKER_NEEDS_MOUNT = 1 << 7,   /* needs a target that stressd itself mounted */
	WORKER_MAPS = 1 << 8,	       /* stores through mmap */
	WORKER_READS_INLINE = 1 << 9,  /* checks what it reads */
	WORKER_DIRTIES = 1 << 10,      /* writes through the page cache (buffered or mmap) */
	WORKER_WHOLE_FS =
		1 << 11, /* works on all files when "file" is absent: "file" is optional */
};

struct worker_type {
	const char *name, *help;
	const struct opt_def *options;
	size_t options_size;
	unsigned int flags;
	cap_value_t caps[WORKER_CAPS_MAX]; /* what it keeps; all others are dropped */
	size_t ncaps;
	/* What of this machine does it need? 0, or -errno with the lack and its cure in @e. */
	int (*probe)(const void *options, struct err *e);
	/* Once in the worker's process, after the files are open. 0 or -errno with text in @e. */
	int (*start)(struct worker *w, struct err *e);
	/* One operation. 0, or -errno when the worker itself cannot go on (not when the operation
	 * failed: that is judged by the operation). */
	int (*step)(struct worker *w);
	/* Before files are closed for a pause and after they are open again. Optional. */
	void (*release)(struct worker *w);
	/* The end. Optional. */
	void (*stop)(struct worker *w);
};

extern const struct worker_type *const worker_types[]; /* NULL-terminated, workers.def order */
const struct worker_type *worker_type_by_name(const char *name);

#endif
