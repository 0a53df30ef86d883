/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scoreboard: does stressd find the faults that it should, how fast, and is it silent without
 * them? A *trial* is one scenario under one mutant, or under none, on one kernel; it is made of
 * *attempts*, each a run with a seed of its own. This header is for scoreboard*.c, the command and
 * the tests.
 *
 *     mutants.json ─ scoreboard.c ─ trials ─ _boot.c ─ vm_run() ─ run directories ─ _judge.c
 *     _text.c _markdown.c _json.c _html.c ◄─ _stats.c ◄──────────── attempts ◄──────┘
 */
#ifndef STRESSD_VM_SCOREBOARD_H
#define STRESSD_VM_SCOREBOARD_H

#include "base/json_at.h"
#include "vm/kconfig.h"
#include "vm/kernel.h"
#include "vm/mutants.h"
#include "vm/vm.h"

#define SCOREBOARD_KERNELS_MAX 16

struct scoreboard_options {
	struct vm_options vm; /* of each boot; its kernel, scenarios and streams are filled in */
	const char *kernels[SCOREBOARD_KERNELS_MAX];
	size_t nkernels;
	const char *mutants; /* file */
	const char *only;    /* "NAME,...", or NULL */
	u64 repeat;	     /* attempts of a trial under a mutant */
	u64 limit_ns;	     /* longest attempt */
	bool fast;	     /* fewer and shorter, where not said otherwise */
	u64 silence_ns; /* of each trial without a mutant; 0: three times the longest detection */
	FILE *out;	/* the table */
	FILE *progress; /* a line for each attempt */
};

/* How an attempt ended. In the order in which a trial is named after the best of them. */
enum attempt_end {
	ATTEMPT_PENDING,  /* not yet */
	ATTEMPT_NOT_RUN,  /* no result: the text says why */
	ATTEMPT_NEVER,	  /* nothing found, and the faulty code was never reached */
	ATTEMPT_IDLE,	  /* nothing found, and a race of the scenario was never entered */
	ATTEMPT_MISSED,	  /* nothing found; the kernel does not say whether it was reached */
	ATTEMPT_REACHED,  /* nothing found, though the faulty code was reached */
	ATTEMPT_WRONG,	  /* only findings of other kinds; without a mutant: any */
	ATTEMPT_DETECTED, /* a right finding */
	ATTEMPT_SILENT,	  /* without a mutant: nothing found, as it should be */
	ATTEMPT_LEFT_OUT, /* without a mutant: not made, by name; the text says why */
	ATTEMPT_ENDS
};
extern const char *const attempt_names[ATTEMPT_ENDS];  /* "not-run", for programs */
extern const char *const attempt_titles[ATTEMPT_ENDS]; /* "did not run", for people */

struct attempt {
	u64 seed;
	int end;	/* enum attempt_end */
	int kind;	/* of the first finding that counts, -1: none */
	u64 time_ns;	/* of it, since the first operation */
	u64 cut_ns;	/* when the power is cut, since the first operation; 0: never */
	s64 hits;	/* of the faulty code; -1: not known */
	char text[512]; /* the finding's sentence, or why there is no result */
	char dir[64];	/* below the run directory; "": none */
};

struct trial {
	const struct mutant *mutant; /* NULL: the healthy kernel */
	size_t scenario;	     /* in the list's own */
	int kernel;		     /* -1: none that was given will do: @why */
	const char *append;	     /* further words for the command line, "" */
	struct range cut;	     /* of its attempts' cuts; hi 0: none */
	u64 limit_ns;		     /* with cuts: that of the latest */
	struct attempt *attempts;
	size_t n;
	char why[256];
};

struct scoreboard_kernel {
	const char *path;
	struct kernel_image image;
	struct kconfig config; /* empty where it does not say */
	bool wanted;	       /* somebody needs something of it */
};

struct scoreboard {
	const struct scoreboard_options *o;
	struct mutant_list list;
	struct scoreboard_kernel kernels[SCOREBOARD_KERNELS_MAX];
	struct trial *trials; /* those under mutants, then the healthy ones */
	size_t n, nmutated;
	struct timespec started; /* CLOCK_REALTIME */
	double duration_s;
	unsigned int boots, barren; /* barren: boots without a result, in a row */
	int trouble;		    /* exit status of the first boot that did not do its work */
	bool interrupted;
	u64 done, planned; /* attempts */
};

/* Times of a trial's attempts. One that was missed counts as the limit, and is *open*: the time
 * that it would have taken is at least that. Attempts without a result do not count. */
struct trial_stats {
	size_t n, detected;
	size_t ends[ATTEMPT_ENDS];
	u64 kinds; /* bit enum finding_kind: under which it was detected */
	u64 median_ns, fastest_ns, slowest_ns;
	bool median_open, slowest_open; /* fastest_ns is of detections; without one all are open */
};

/* What the trials of one mutant come to. */
struct mutant_score {
	const struct mutant *mutant;
	size_t first, ntrials; /* its trials: neighbours */
	size_t n, detected;    /* attempts */
	int end;	       /* enum attempt_end, the best of them */
	int wrong_kind;	       /* with ATTEMPT_WRONG */
	bool failed;	       /* was not detected, and not listed as missed */
};

/* What all of it comes to. */
struct score_sum {
	size_t mutants, detected, listed_missed, failed, not_run;
	size_t healthy, silent, false_alarms; /* trials */
	int exit;
};

/* All of it: read, run, judge, write. Returns the exit status; what went wrong before anything
 * was run is in @e. @o->vm.run_dir is absolute, there and empty. */
int scoreboard_run(const struct scoreboard_options *o, struct err *e);

/* scoreboard_boot.c: run what is pending of the trials [@first, @end), in as many boots as it
 * takes. Trouble is recorded in the attempts and in b->trouble. */
void scoreboard_boots(struct scoreboard *b, size_t first, size_t end, FILE *log);

/* scoreboard_judge.c: what the results in @dir (absolute) say of an attempt; ATTEMPT_NOT_RUN where
 * there is no result, with the text where that is known. */
void scoreboard_judge(const struct trial *t, const char *dir, struct attempt *a);

/* scoreboard_stats.c */
struct trial_stats trial_stats(const struct trial *t);
/* Owned by the caller; NULL: no memory. */
struct mutant_score *mutant_scores(const struct scoreboard *b, size_t *ret_n);
struct score_sum score_sum(const struct scoreboard *b, const struct mutant_score *scores, size_t n);
/* "163 ms", "> 60 s" in @buf, which is returned. */
#define SCORE_TIME_MAX 48
const char *score_time(char buf[SCORE_TIME_MAX], u64 ns, bool open);
/* "100 ms to > 60 s"; "" where there is no attempt to speak of. */
const char *score_range(char buf[2 * SCORE_TIME_MAX], const struct trial_stats *s);
/* "10s", "3 cuts at 2s..6s": how long, or how often, a trial without a mutant was silent. */
const char *score_span(char buf[2 * SCORE_TIME_MAX], const struct trial *t);
/* The attempt by which a trial without a mutant is told: one that was not silent, a false alarm
 * before all. */
const struct attempt *score_worst(const struct trial *t);
/* "zeroed, lost-write": the kinds in @kinds. */
const char *score_kinds(char buf[256], u64 kinds);
/* "2 reached, not detected; 1 not exercised": the attempts of a trial that were no detection. */
const char *score_others(char buf[256], const struct trial *t, const struct trial_stats *s);

/* Writers. Each flushes @out: 0 or -errno. */
int scoreboard_text(const struct scoreboard *b, FILE *out);
int scoreboard_markdown(const struct scoreboard *b, FILE *out);
int scoreboard_json(const struct scoreboard *b, FILE *out);
int scoreboard_html(const struct scoreboard *b, FILE *out);

#endif
