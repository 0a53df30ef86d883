/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario: what a run is to do, decoded from JSON and checked whole before anything happens.
 * Strings and option blocks are owned by the struct and freed with it. Sizes are bytes, times
 * nanoseconds. The tables that say which workers, faults and targets exist drive the parser.
 */
#ifndef STRESSD_SCENARIO_H
#define STRESSD_SCENARIO_H

#include "base/base.h"

#include <jansson.h>

struct worker_type;
struct fault_type;
struct target_type;

#define SC_MAX_FILES   64
#define SC_MAX_WORKERS 256 /* processes, after "count" */

enum sc_layout { LAYOUT_HOLE, LAYOUT_WRITTEN, LAYOUT_PREALLOC, LAYOUT_EMPTY };
enum sc_stop { STOP_HIT, STOP_NEVER, STOP_ATTEMPTS };
enum sc_layer { LAYER_CACHE, LAYER_DIRECT, LAYER_DROPPED, LAYER_REMOUNTED, LAYER_DEVICE, LAYERS };
enum sc_severity { SEV_INFO, SEV_NOTICE, SEV_WARNING, SEV_ERROR, SEV_BUG, SEV_NEVER };

extern const char *const sc_layout_names[]; /* "hole", "written", "prealloc", "empty" */
extern const char *const sc_layer_names[]; /* "cache", "direct", "dropped", "remounted", "device" */
extern const char *const sc_hold_names[];  /* "none", "source-fault", ... */
extern const char *const sc_hold_kconfig[];   /* likewise: what a kernel needs for each */
extern const char *const sc_severity_names[]; /* "info" ... "bug", "never" */

struct sc_target {
	const struct target_type *type;
	void *options; /* the type's own struct */
};

struct sc_file {
	char *name;	/* one path component */
	u64 size_bytes; /* what "layout" starts from; files may grow to max_bytes */
	u64 max_bytes;	/* cells exist up to here; default size_bytes */
	u64 cell_bytes; /* 64..4096, power of two */
	int layout;	/* enum sc_layout */
	bool conflict;	/* writers may own the same cell at once */
};

struct sc_worker {
	const struct worker_type *type;
	int file;      /* index into files, -1 for none */
	u64 count;     /* processes */
	bool optional; /* dropped, and said so, where the machine lacks what it needs */
	u64 after_ns;  /* starts so long after the others */
	void *options; /* the type's own struct */
	char pointer[64];
};

struct sc_fault {
	const struct fault_type *type;
	bool optional;
	u64 after_ns, for_ns, every_ns;
	void *options;
	char pointer[64];
};

/* What keeps the window of a race open. */
struct sc_hold {
	int type; /* enum hold_kind */
	/* HOLD_PROBE_DELAY alone; see struct probe_spec */
	char *function;
	bool at_return;
	u64 delay_ns, every;
};

/* A worker, or one process of it, in a race. */
struct sc_actor {
	size_t worker;	     /* index into workers */
	s64 process;	     /* of that worker, -1: all of them */
	struct range offset; /* ns after the release */
	struct sc_hold hold;
	bool loop; /* repeats until those that do not are done */
};

struct sc_race {
	char *name;
	struct sc_actor *actors;
	size_t nactors;
	struct range offset; /* of actors without one, ns */
	u64 hold_limit_ns, window_bytes;
};

struct sc_verify {
	bool inline_; /* readers check what they read */
	bool final;   /* everything is checked after the workers stopped */
	u64 layers;   /* bit enum sc_layer */
	u64 every_ns; /* periodic check of all files; 0: none */
	bool fsck;    /* the filesystem's own checker after unmount */
};

struct sc_kernel_log {
	int fail_at;  /* enum sc_severity: findings from here up */
	char **allow; /* substrings of lines that are expected; NULL-terminated */
};

struct scenario {
	char *path;  /* as given; for messages */
	u64 version; /* of the format: 1 */
	char *name, *description, *reference;
	u64 seed; /* drawn when the scenario has none, and written to the resolved copy */
	u64 duration_ns;
	u64 watchdog_ns; /* longest time without a sign of life of a worker */
	int stop_on;	 /* enum sc_stop */
	u64 attempts;
	char *expect; /* finding that this scenario is written to provoke, or NULL; for the tests */
	struct sc_target target;
	struct sc_file *files;
	size_t nfiles;
	struct sc_worker *workers;
	size_t nworkers;
	struct sc_fault *faults;
	size_t nfaults;
	struct sc_race *races;
	size_t nraces;
	struct sc_verify verify;
	struct sc_kernel_log kernel_log;
	json_t *resolved; /* the scenario with every default filled in: scenario.json */
};

/* Does the worker change file @file in one of the ways of @flags (WORKER_*)? */
bool sc_changes(const struct sc_worker *w, size_t file, unsigned int flags);
/* Direct and cached writers alternate in zones of that many bytes of file @file; 0: they do not. */
u64 sc_zone_bytes(const struct scenario *sc, size_t file);

/*
 * Read and check a scenario. On failure returns -EINVAL (the scenario is wrong) or -errno (the
 * file cannot be read), with one line in @e: "FILE:LINE: POINTER: what is wrong; expected what".
 * On success *ret is owned by the caller.
 */
int scenario_load(const char *path, struct scenario **ret, struct err *e);
/* The same for text that is already in memory; @path is for the messages. */
int scenario_parse(const char *path, const char *text, size_t len, struct scenario **ret,
		   struct err *e);
void scenario_free(struct scenario *sc);
/* Has it a worker of type @type? */
bool scenario_has_worker(const struct scenario *sc, const char *type);

/* The JSON Schema (draft 2020-12) of scenarios, made from the tables. New reference. */
json_t *scenario_schema(void);

#endif
