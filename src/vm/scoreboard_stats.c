// SPDX-License-Identifier: GPL-2.0-or-later
/* From attempts to what stands in the table: medians with their spread, and the exit status. Pure
 * functions; a time that is only known to be long stays told from one that was measured. */
#include "vm/scoreboard.h"

#include "base/units.h"
#include "report/people.h"

#include <string.h>

#define EXIT_FINDING 1
#define EXIT_TROUBLE 3
#define EXIT_SKIP    4

const char *const attempt_names[ATTEMPT_ENDS] = {
	[ATTEMPT_PENDING] = "pending",	   [ATTEMPT_NOT_RUN] = "not-run",
	[ATTEMPT_NEVER] = "never-reached", [ATTEMPT_IDLE] = "not-exercised",
	[ATTEMPT_MISSED] = "not-detected", [ATTEMPT_REACHED] = "reached-not-detected",
	[ATTEMPT_WRONG] = "wrong-finding", [ATTEMPT_DETECTED] = "detected",
	[ATTEMPT_SILENT] = "silent",	   [ATTEMPT_LEFT_OUT] = "left-out",
};

const char *const attempt_titles[ATTEMPT_ENDS] = {
	[ATTEMPT_PENDING] = "pending",	   [ATTEMPT_NOT_RUN] = "did not run",
	[ATTEMPT_NEVER] = "never reached", [ATTEMPT_IDLE] = "not exercised",
	[ATTEMPT_MISSED] = "not detected", [ATTEMPT_REACHED] = "reached, not detected",
	[ATTEMPT_WRONG] = "wrong finding", [ATTEMPT_DETECTED] = "detected",
	[ATTEMPT_SILENT] = "silent",	   [ATTEMPT_LEFT_OUT] = "left out",
};

struct sample {
	u64 ns;
	bool open;
};

/* What is open comes after all that was measured, however late that was. */
static int by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->open != y->open)
		return x->open ? 1 : -1;
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static void summarise(struct trial_stats *s, struct sample *samples)
{
	const struct sample *lo, *hi;

	qsort(samples, s->n, sizeof(*samples), by_time);
	lo = &samples[(s->n - 1) / 2];
	hi = &samples[s->n / 2];
	s->median_ns = lo->ns / 2 + hi->ns / 2 + (lo->ns & hi->ns & 1);
	s->median_open = hi->open;
	s->fastest_ns = samples[0].ns;
	s->slowest_ns = samples[s->n - 1].ns;
	s->slowest_open = samples[s->n - 1].open;
}

struct trial_stats trial_stats(const struct trial *t)
{
	_cleanup_free_ struct sample *samples = calloc(t->n ? t->n : 1, sizeof(*samples));
	struct trial_stats s = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		const struct attempt *a = &t->attempts[i];
		bool found = a->end == ATTEMPT_DETECTED;

		s.ends[a->end]++;
		if (a->end <= ATTEMPT_NOT_RUN)
			continue;
		s.detected += found;
		if (found)
			s.kinds |= 1ULL << a->kind;
		if (samples)
			samples[s.n] = (struct sample){ found ? a->time_ns : t->limit_ns, !found };
		s.n++;
	}
	if (s.n && samples)
		summarise(&s, samples);
	return s;
}

static void add_trial(struct mutant_score *m, const struct trial *t)
{
	m->ntrials++;
	for (size_t i = 0; i < t->n; i++) {
		const struct attempt *a = &t->attempts[i];

		m->n += a->end > ATTEMPT_NOT_RUN;
		m->detected += a->end == ATTEMPT_DETECTED;
		if (a->end > m->end && a->end == ATTEMPT_WRONG)
			m->wrong_kind = a->kind;
		m->end = MAX(m->end, a->end);
	}
}

struct mutant_score *mutant_scores(const struct scoreboard *b, size_t *ret_n)
{
	struct mutant_score *all = calloc(b->nmutated + 1, sizeof(*all)), *m = all;

	*ret_n = 0;
	for (size_t i = 0; all && i < b->nmutated; i++) {
		if (!*ret_n || b->trials[i].mutant != m->mutant) {
			m = &all[(*ret_n)++];
			*m = (struct mutant_score){ .mutant = b->trials[i].mutant,
						    .first = i,
						    .end = ATTEMPT_NOT_RUN,
						    .wrong_kind = -1 };
		}
		add_trial(m, &b->trials[i]);
		m->failed = m->n && !m->detected && !m->mutant->missed;
	}
	return all;
}

static void add_healthy(struct score_sum *s, const struct trial *t)
{
	bool silent = true, alarm = false;

	if (score_worst(t)->end == ATTEMPT_LEFT_OUT)
		return;
	for (size_t i = 0; i < t->n; i++) {
		silent &= t->attempts[i].end == ATTEMPT_SILENT;
		alarm |= t->attempts[i].end == ATTEMPT_WRONG;
	}
	s->healthy++;
	s->silent += silent;
	s->false_alarms += alarm;
}

/* A finding on the healthy kernel or a fault that went unseen is what counts; then our own
 * trouble, without which nothing is known; then what the kernels lack. */
static int exit_of(const struct scoreboard *b, const struct score_sum *s)
{
	if (s->failed || s->false_alarms)
		return EXIT_FINDING;
	if (b->trouble)
		return b->trouble;
	if (b->interrupted || s->silent < s->healthy)
		return EXIT_TROUBLE;
	return s->not_run ? EXIT_SKIP : 0;
}

struct score_sum score_sum(const struct scoreboard *b, const struct mutant_score *scores, size_t n)
{
	struct score_sum s = { .mutants = n };

	for (size_t i = 0; i < n; i++) {
		const struct mutant_score *m = &scores[i];

		s.detected += m->detected > 0;
		s.not_run += !m->n;
		s.failed += m->failed;
		s.listed_missed += m->n && !m->detected && m->mutant->missed;
	}
	for (size_t i = b->nmutated; i < b->n; i++)
		add_healthy(&s, &b->trials[i]);
	s.exit = exit_of(b, &s);
	return s;
}

const char *score_time(char buf[SCORE_TIME_MAX], u64 ns, bool open)
{
	char text[PEOPLE_MAX];
	double ms = (double)ns / 1e6;

	if (ms < 9.95)
		snprintf(text, sizeof(text), "%.1f ms", ms);
	else if (ms < 999.5)
		snprintf(text, sizeof(text), "%.0f ms", ms);
	else if (ms < 99950)
		snprintf(text, sizeof(text), "%.1f s", ms / 1e3);
	else
		people_time(text, ns);
	snprintf(buf, SCORE_TIME_MAX, "%s%s", open ? "> " : "", text);
	return buf;
}

const char *score_range(char buf[2 * SCORE_TIME_MAX], const struct trial_stats *s)
{
	char lo[SCORE_TIME_MAX], hi[SCORE_TIME_MAX];

	buf[0] = '\0';
	if (s->detected && s->n > 1)
		snprintf(buf, 2 * SCORE_TIME_MAX, "%s to %s", score_time(lo, s->fastest_ns, false),
			 score_time(hi, s->slowest_ns, s->slowest_open));
	return buf;
}

const char *score_span(char buf[2 * SCORE_TIME_MAX], const struct trial *t)
{
	char lo[UNITS_MAX], hi[UNITS_MAX];
	bool range = t->cut.hi > t->cut.lo;

	if (score_worst(t)->end == ATTEMPT_LEFT_OUT)
		snprintf(buf, 2 * SCORE_TIME_MAX, "0s");
	else if (!t->cut.hi)
		return format_time(buf, t->limit_ns);
	else
		snprintf(buf, 2 * SCORE_TIME_MAX, "%zu cuts at %s%s%s", t->n,
			 format_time(lo, t->cut.lo), range ? ".." : "",
			 range ? format_time(hi, t->cut.hi) : "");
	return buf;
}

const struct attempt *score_worst(const struct trial *t)
{
	const struct attempt *worst = &t->attempts[0];

	for (size_t i = 1; i < t->n; i++)
		if (worst->end != ATTEMPT_WRONG && t->attempts[i].end != ATTEMPT_SILENT &&
		    (worst->end == ATTEMPT_SILENT || t->attempts[i].end == ATTEMPT_WRONG))
			worst = &t->attempts[i];
	return worst;
}

const char *score_kinds(char buf[256], u64 kinds)
{
	size_t len = 0;

	buf[0] = '\0';
	for (int i = 0; i < FINDING_KINDS && len < 255; i++)
		if (kinds >> i & 1)
			len += (size_t)snprintf(buf + len, 256 - len, "%s%s", len ? ", " : "",
						finding_infos[i].name);
	return buf;
}

const char *score_others(char buf[256], const struct trial *t, const struct trial_stats *s)
{
	u64 wrong = 0;
	size_t len = 0;
	char kinds[256];

	for (size_t i = 0; i < t->n; i++)
		if (t->attempts[i].end == ATTEMPT_WRONG)
			wrong |= 1ULL << t->attempts[i].kind;
	score_kinds(kinds, wrong);
	buf[0] = '\0';
	for (int i = ATTEMPT_NOT_RUN; i < ATTEMPT_DETECTED && len < 255; i++)
		if (s->ends[i])
			len += (size_t)snprintf(buf + len, 256 - len, "%s%zu %s%s%.100s",
						len ? "; " : "", s->ends[i], attempt_titles[i],
						i == ATTEMPT_WRONG ? ": " : "",
						i == ATTEMPT_WRONG ? kinds : "");
	return buf;
}
