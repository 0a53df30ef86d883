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
#include "ops/actor.h"
#include "race/probe.h"

#include <sys/capability.h>

struct sc_file;
struct target;
struct worker;

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
	WORKER_WHOLE_FS = 1 << 11,     /* "file" is optional: without it all files are meant */
	WORKER_ACROSS = 1 << 12,       /* moves content to and from other files, too */
	WORKER_COPIES_IN = 1 << 13,    /* the kernel copies from its buffers: can be held there */
	WORKER_COPIES_OUT = 1 << 14,   /* the kernel copies to its buffers: likewise */
};

struct worker_type {
	const char *name, *help;
	const struct opt_def *options;
	size_t options_size;
	unsigned int flags;
	cap_value_t caps[WORKER_CAPS_MAX]; /* what it keeps; all others are dropped */
	size_t ncaps;
	const char *kconfig; /* that its kernel must have, as in vm/needs.h; NULL: nothing more */
	/* What the option table cannot say, with the scenario's file of the worker or NULL. 0, or
	 * -EINVAL with "what is wrong; expected what" in @e. Optional. */
	int (*check)(const void *options, const struct sc_file *file, struct err *e);
	/* WORKER_COPIES_* where that depends on the options; NULL: the flags say it. */
	unsigned int (*copies)(const void *options);
	/* What of this machine does it need? 0, or -errno with the lack and its cure in @e. */
	int (*probe)(const void *options, struct err *e);
	/* Once in the worker's process, after the files are open. 0 or -errno with text in @e. */
	int (*start)(struct worker *w, struct err *e);
	/* One operation. 0, or -errno when the worker itself cannot go on (not when the operation
	 * failed: that is judged by the operation); text then in w->err. */
	int (*step)(struct worker *w);
	/* In a race: before all line up for a step / after all have done theirs. Optional; a step
	 * outside of races brings both itself. */
	void (*prepare)(struct worker *w);
	void (*conclude)(struct worker *w);
	/* Before files are closed for a pause / after they are open again. Optional. */
	void (*release)(struct worker *w);
	int (*resume)(struct worker *w, struct err *e);
	/* The end. Optional. */
	void (*stop)(struct worker *w);
};

extern const struct worker_type *const worker_types[]; /* NULL-terminated, workers.def order */
const struct worker_type *worker_type_by_name(const char *name);

/* A worker at work, in its own process. */
struct worker {
	struct actor actor;
	const struct worker_type *type;
	const void *options;	   /* decoded by the type's table */
	struct afile *file;	   /* of the scenario's "file", or NULL */
	u64 instance, count;	   /* which of "count" processes it is */
	void *state;		   /* the worker's own; allocated by start */
	struct target *target;	   /* for workers with WORKER_NEEDS_MOUNT */
	struct race *race;	   /* that it is an actor of, or NULL */
	u32 party;		   /* its number there */
	u64 attempt;		   /* of the race; see race_place() */
	struct probe_word *probes; /* of all writers, by id; NULL: nobody has one */
	char run_dir[512];	   /* where a worker may leave outputs */
	struct err err;
};

#define OPTIONS(type, w) const struct type *o = (w)->options

/* Hold the worker back for @ns without losing its heartbeat, its pause or its stop. */
void worker_sleep(struct worker *w, u64 ns);
/* The file of this step: the scenario's, or a random one where "file" is absent. */
struct afile *worker_file(struct worker *w);
/* True once the run is to end: for workers with loops of their own. */
bool worker_stopping(const struct worker *w);

/* Everything that the coordinator hands to a new process. */
struct worker_plan {
	struct worker w;
	u16 id;
	u64 seed, after_ns;
	bool check;
	int hold;	   /* enum hold_kind, with a race */
	u64 hold_limit_ns; /* longest time of one */
	int file;	   /* index, or -1 */
	struct shadow *sh;
	struct run_shared *run;
	const char *root, *fs;
};
/* The life of a worker process; returns its exit status: 0 stopped as told, 1 failed by itself
 * (slot->error says why), 2 could not start. */
int worker_main(struct worker_plan *plan);

#endif
