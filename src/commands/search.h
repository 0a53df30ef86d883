/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What repro, minimize and bisect-step have in common: the options that choose where attempts are
 * made and what counts as a hit, a directory for them, and a line of progress.
 */
#ifndef STRESSD_COMMANDS_SEARCH_H
#define STRESSD_COMMANDS_SEARCH_H

#include "search/runner.h"

#include <getopt.h>
#include <stdio.h>

/* Who takes an option. */
enum search_taker {
	FOR_REPRO = 1 << 0,
	FOR_MINIMIZE = 1 << 1,
	FOR_BISECT = 1 << 2,
};

struct search {
	const char *command; /* "repro" */
	struct runner runner;
	struct wanted wanted;
	const char *kernel, *run_dir, *output, *duration, *seed_text;
	u64 times, hits, for_ns, seed;
	double rate, fraction, confidence; /* 0: not given */
	bool json, quiet, keep;
	char *vm_args[RUNNER_ARGS]; /* owned */
	size_t nvm_args;
	const char *only_native, *only_guest; /* the option that was given, or NULL */
	char dir[400];
	bool made_dir;
	/* The line of progress. */
	FILE *out;
	bool terminal, line_shown;
	u64 line_ns;
};

/* Read the options of @s->command, leaving optind at the arguments. -1: go on; else the exit
 * status. @usage is the first line of --help. */
int search_options(struct search *s, enum search_taker who, const char *usage, int argc,
		   char **argv);
/* Load the scenario: checked, with --duration. The seed is --seed's, its own, or a new one. New
 * reference; NULL with the line in @e. */
json_t *search_scenario(struct search *s, const char *path, char name[65], char expect[32],
			struct err *e);
/* The directory of the attempts, and the runner. 0 or -errno with the line in @e. */
int search_begin(struct search *s, const char *name, struct err *e);
/* Remove what nobody needs any more. */
void search_end(struct search *s);

/* The exit status of a runner's -errno. */
int search_status(int r);

/* On a terminal the one line that is rewritten; elsewhere a line every 10 s. */
void search_progress(struct search *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line that stays. With --json: none. */
void search_say(struct search *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One JSON line, with --json only; takes @o. */
void search_json(struct search *s, json_t *o);
/* "5 of 6, 83 % (44 to 97 %)" */
const char *search_rate(u64 hits, u64 n, char *buf, size_t size);

#endif
