/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scoreboard that nobody ran, with every way for an attempt to end, for the tests of its sums
 * and of its tables.
 */
#ifndef STRESSD_TEST_SCOREBOARD_SAMPLE_H
#define STRESSD_TEST_SCOREBOARD_SAMPLE_H

#include "vm/scoreboard.h"

#include <string.h>

#define SAMPLE_HOSTILE "<script>alert(\"1\")</script> a | b & `c`"
#define SAMPLE_S       NSEC_PER_SEC
#define SAMPLE_BIT(k)  (1ULL << FINDING_##k)

struct sample {
	struct scoreboard_options o;
	struct scoreboard b;
	struct mutant mutants[6];
	struct scenario scenarios[4];
	struct scenario *list[4];
	struct trial trials[16];
	struct attempt attempts[64];
	size_t nattempts;
};

/* One more trial; its attempts are added behind it. */
static inline struct trial *sample_trial(struct sample *s, const struct mutant *m, size_t scenario,
					 u64 limit_ns)
{
	struct trial *t = &s->trials[s->b.n++];

	*t = (struct trial){ .mutant = m,
			     .scenario = scenario,
			     .append = "",
			     .limit_ns = limit_ns,
			     .attempts = &s->attempts[s->nattempts] };
	s->b.nmutated += m != NULL;
	return t;
}

static inline struct attempt *sample_attempt(struct sample *s, struct trial *t, int end, int kind,
					     u64 ms)
{
	struct attempt *a = &s->attempts[s->nattempts++];

	*a = (struct attempt){ .seed = s->nattempts,
			       .end = end,
			       .kind = kind,
			       .time_ns = ms * NSEC_PER_MSEC,
			       .hits = end == ATTEMPT_NEVER    ? 0
				       : end == ATTEMPT_MISSED ? -1
							       : 7 };
	snprintf(a->dir, sizeof(a->dir), "boot.1/%zu", s->nattempts);
	t->n++;
	return a;
}

static inline void sample_mutants(struct sample *s)
{
	static char *zeroed[] = { "zeroed", NULL }, *lost[] = { "lost-write", "zeroed", NULL },
		    *hang[] = { "kernel-hang", NULL }, *warning[] = { "kernel-warning", NULL };
	static const struct mutant mutants[] = {
		{ .id = 1,
		  .name = "drops-cache",
		  .summary = "What mmap stored is gone.",
		  .findings = zeroed,
		  .kinds = SAMPLE_BIT(ZEROED) },
		{ .id = 2,
		  .name = "warns",
		  .summary = SAMPLE_HOSTILE,
		  .findings = warning,
		  .kinds = SAMPLE_BIT(KERNEL_WARNING) },
		{ .id = 3,
		  .name = "loses",
		  .summary = "The data is lost.",
		  .findings = lost,
		  .kinds = SAMPLE_BIT(LOST_WRITE) | SAMPLE_BIT(ZEROED) },
		{ .id = 4,
		  .name = "deadlocks",
		  .summary = "Two locks, two orders.",
		  .findings = hang,
		  .boot = MUTANT_OWN,
		  .append = "quiet",
		  .kinds = SAMPLE_BIT(KERNEL_HANG) },
		{ .id = 5,
		  .name = "known",
		  .summary = "Nobody can see it.",
		  .findings = lost,
		  .missed = "needs a power failure " SAMPLE_HOSTILE,
		  .kinds = SAMPLE_BIT(LOST_WRITE) },
	};
	static char *names[] = { "short-write", "uptodate-bits-aimed", "release", "stale" };

	memcpy(s->mutants, mutants, sizeof(mutants));
	for (size_t i = 0; i < 4; i++) {
		s->scenarios[i].name = names[i];
		s->list[i] = &s->scenarios[i];
	}
}

/* Not yet counted: mutant 2 was missed, so it fails. */
static inline void sample_make(struct sample *s)
{
	const u64 limit_ns = 60 * SAMPLE_S;
	struct attempt *a;
	struct trial *t;

	*s = (struct sample){ .o = { .vm = { .run_dir = "/results",
					     .append = "",
					     .cpus = 2,
					     .memory_bytes = 2 * GIB,
					     .accel = ACCEL_TCG },
				     .kernels = { "lab/bzImage" },
				     .nkernels = 1,
				     .repeat = 5,
				     .limit_ns = limit_ns } };
	sample_mutants(s);
	s->b = (struct scoreboard){
		.o = &s->o, .trials = s->trials, .duration_s = 754, .boots = 9
	};
	s->b.list = (struct mutant_list){
		.mutants = s->mutants, .n = 5, .scenarios = s->list, .nscenarios = 4
	};
	s->b.started.tv_sec = 1700000000;
	s->b.kernels[0].path = "lab/bzImage";
	snprintf(s->b.kernels[0].image.release, sizeof(s->b.kernels[0].image.release),
		 "6.1.0-<lab>");
	t = sample_trial(s, &s->mutants[0], 0, limit_ns);
	for (u64 i = 0; i < 5; i++)
		sample_attempt(s, t, ATTEMPT_DETECTED, FINDING_ZEROED, 90 + 40 * i * i);
	t = sample_trial(s, &s->mutants[1], 2, limit_ns);
	sample_attempt(s, t, ATTEMPT_REACHED, -1, 0);
	sample_attempt(s, t, ATTEMPT_REACHED, -1, 0);
	sample_attempt(s, t, ATTEMPT_NEVER, -1, 0);
	sample_attempt(s, t, ATTEMPT_IDLE, -1, 0);
	a = sample_attempt(s, t, ATTEMPT_WRONG, FINDING_LOST_WRITE, 1500);
	snprintf(a->text, sizeof(a->text), "data cell 3 is gone " SAMPLE_HOSTILE);
	t = sample_trial(s, &s->mutants[2], 3, limit_ns);
	sample_attempt(s, t, ATTEMPT_DETECTED, FINDING_LOST_WRITE, 12000);
	sample_attempt(s, t, ATTEMPT_DETECTED, FINDING_ZEROED, 800);
	sample_attempt(s, t, ATTEMPT_MISSED, -1, 0);
	sample_trial(s, &s->mutants[3], 0, limit_ns)->kernel = -1;
	snprintf(s->trials[3].why, sizeof(s->trials[3].why), "no kernel given has CONFIG_LOCKDEP");
	t = sample_trial(s, &s->mutants[4], 1, limit_ns);
	sample_attempt(s, t, ATTEMPT_REACHED, -1, 0);
	for (size_t i = 0; i < 3; i++)
		sample_attempt(s, sample_trial(s, NULL, i, 10 * SAMPLE_S), ATTEMPT_SILENT, -1, 0);
	t = sample_trial(s, NULL, 3, 6 * SAMPLE_S);
	t->cut = (struct range){ 2 * SAMPLE_S, 6 * SAMPLE_S };
	for (u64 i = 0; i < 3; i++)
		sample_attempt(s, t, ATTEMPT_SILENT, -1, 0)->cut_ns = (2 + i) * SAMPLE_S;
	a = sample_attempt(s, sample_trial(s, NULL, 1, 10 * SAMPLE_S), ATTEMPT_LEFT_OUT, -1, 0);
	snprintf(a->text, sizeof(a->text), "finds what any kernel has " SAMPLE_HOSTILE);
}

#endif
