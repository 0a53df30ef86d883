/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: a finished run in the forms that people and programs read. One file per format ends in
 * one designated-initialiser struct; reports.def lists them. A report reads a struct run_result
 * and knows nothing of how it came about.
 */
#ifndef STRESSD_REPORT_H
#define STRESSD_REPORT_H

#include "base/base.h"
#include "finding.h"
#include "scenario.h"

#include <stdio.h>
#include <time.h>

enum run_verdict {
	VERDICT_PASS,	    /* exit 0 */
	VERDICT_FAIL,	    /* exit 1: findings */
	VERDICT_ERROR,	    /* exit 2 or 3: stressd or the scenario */
	VERDICT_INCOMPLETE, /* exit 3: ran, but not everything could be seen */
	VERDICT_SKIP,	    /* exit 4: this machine lacks something */
	VERDICTS
};
extern const char *const verdict_names[VERDICTS]; /* "pass", "fail", ... */

struct worker_result {
	char name[32]; /* "mmap_writer.0" */
	char type[32];
	char state[16]; /* slot_state_names[] */
	char error[256];
	u64 ops, bytes, failed, busy, cells_checked, cells_open;
	double cpu_s; /* user and system time of its process */
};

struct race_result {
	char name[68];
	u32 actors;
	u64 attempts, overlaps, hits;
	u64 held;		 /* page faults that were held open */
	u64 first_hit;		 /* the attempt that hit first, from 1; 0: none */
	double rate_lo, rate_hi; /* of hits an attempt, with 95 % confidence */
};

/* Errors of one operation that somebody was told of. */
struct told_result {
	const char *op, *error; /* "fsync", "EIO" */
	u64 count;
};

struct fault_result {
	const char *type, *source; /* of the count, for people */
	bool dropped;
	u64 armings;
	double armed_s;
	bool counted; /* else `injected` is not known */
	u64 injected;
	struct told_result *told;
	size_t ntold;
	char balance[1024]; /* what came of it, in a sentence */
};

/* What a program that ran beside the workers left in the run directory. */
struct output_file {
	char worker[32]; /* "fio.0" */
	char name[64];	 /* in the run directory */
	u64 bytes;
};

struct run_result {
	const struct scenario *sc;
	int verdict; /* enum run_verdict */
	int exit;
	char reason[1024]; /* one sentence: why it is no pass, or what was skipped */
	u64 seed;
	struct timespec started; /* CLOCK_REALTIME */
	double duration_s;	 /* from the first operation to the stop */
	double setup_s, verify_s;
	u64 run_key;
	char run_dir[512];
	char kernel[128]; /* uname: release and version */
	char machine[64];
	u32 cpus;	  /* online; 0: not known, as memory */
	u64 memory_bytes; /* of the machine */
	char fs[16], mount_options[256], device[64];
	struct worker_result *workers;
	size_t nworkers;
	struct race_result *races;
	size_t nraces;
	struct fault_result *faults;
	size_t nfaults;
	struct output_file *outputs;
	size_t noutputs;
	u64 formats;		   /* asked for, as report_ask() gave them */
	char expected_end[256];	   /* faults ended the filesystem, as they may; "" otherwise */
	struct finding **findings; /* worst first is not promised; in order of time */
	size_t nfindings;
	u64 findings_lost; /* sightings that did not fit on the board */
	u64 cells, cells_checked, cells_open, ops;
	char **dropped; /* optional parts that this machine lacks: "dropcache: no cgroup v2" */
	size_t ndropped;
	char **notes; /* what could not be checked, and why; documented errors that were explained
		       */
	size_t nnotes;
	bool klog_watched;
	u64 klog_lost, klog_events, klog_allowed;
	u64 taint_before, taint_after;
	char reproduce[1100]; /* the command that runs this again with the same seed */
};

struct report_format {
	const char *name, *help;
	const char *file; /* in the run directory */
	bool on_request;  /* only for a run that asked for it: --output */
	/* 0 or -errno when @out cannot be written; flushes it. */
	int (*write)(const struct run_result *r, FILE *out);
};
extern const struct report_format *const report_formats[]; /* NULL-terminated */
const struct report_format *report_format_by_name(const char *name);
/* Add the formats of @list, "ktap,kcidb", to a set. -EINVAL: there is none of a name, in @e. */
int report_ask(const char *list, u64 *formats, struct err *e);
struct json_t; /* of jansson */
/* Write @j (which stays the caller's), indented, with the 15 digits that a double keeps: more
 * would show its rounding. 0, or -errno; -ENOMEM, too, for no @j. */
int report_put_json(const struct json_t *j, FILE *out);
/* Flush @out: 0, or -errno if anything that was written to it did not arrive. */
int report_flush(FILE *out);
/* Those that every run has. */
u64 report_usual(void);
/* Write a set of formats into r->run_dir, each whole or not at all. When one fails the others are
 * still written; returns the first failure's -errno, @e names its file. */
int report_write(const struct run_result *r, u64 formats, struct err *e);
/* Those that every run has, and those that this one asked for. */
int report_write_all(const struct run_result *r, struct err *e);

/* The text that ends a run on a terminal: verdict, findings with evidence, how to repeat. */
void report_text(const struct run_result *r, FILE *out, bool colour);

/* The live line: on a terminal one line that is rewritten at each update; elsewhere a line every
 * 10 s; with @json one JSON object a line, every second: {"type": "progress", "event", "finding" or
 * "result", ...}. @quiet: no progress and no events, but with @json all the same the objects. */
struct live_state {
	double elapsed_s, left_s; /* left < 0: not known */
	u64 ops, ops_per_s, faults, overlaps, findings, klog_events;
	const char *phase; /* "setup", "run", "verify", "done" */
};
struct live;
/* NULL: no memory; the others take NULL and do nothing. @out stays the caller's. */
struct live *live_open(FILE *out, bool json, bool quiet);
void live_update(struct live *l, const struct live_state *s);
/* An event worth a line of its own: a finding's sentence as it comes. @finding may be NULL. */
void live_event(struct live *l, const struct finding *finding, const char *text);
/* With --json: the final object with the verdict (@r may be NULL: none). Ends the live line and
 * frees @l. */
void live_close(struct live *l, const struct run_result *r);
/* Whether a line on @out can be rewritten: a terminal that can erase one. */
bool live_rewrites(FILE *out);
/* Whether @out wants colours: a terminal, TERM not dumb, NO_COLOR not set. (no-color.org) */
bool want_colour(FILE *out);

/* JSON of a result, as result.json has it (schema/result-1.schema.json), and of one of its
 * findings. Bytes that are no UTF-8 are written as \xNN. New reference; NULL: no memory. */
json_t *result_to_json(const struct run_result *r);
json_t *finding_to_json(const struct finding *f);
json_t *counts_to_json(const struct run_result *r);
/* A string for JSON from text that may hold any byte. New reference; NULL: no memory. */
json_t *json_text(const char *s);

#endif
