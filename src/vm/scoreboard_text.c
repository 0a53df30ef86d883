// SPDX-License-Identifier: GPL-2.0-or-later
/* The table for a terminal: a mutant, below it its scenarios, then the healthy kernel. */
#include "vm/scoreboard.h"

#include "base/units.h"
#include "report/chars.h"
#include "report/people.h"
#include "report/style.h"

#include <string.h>

static const char *colour_of(const struct style *st, int end, bool failed)
{
	return end == ATTEMPT_DETECTED || end == ATTEMPT_SILENT ? st->good
	       : failed						? st->bad
								: st->strong;
}

static void put_time(FILE *out, const struct trial_stats *s)
{
	char median[SCORE_TIME_MAX], range[2 * SCORE_TIME_MAX];

	fprintf(out, "%9s  %-20s", score_time(median, s->median_ns, s->median_open),
		score_range(range, s));
}

static void put_trial(const struct scoreboard *b, const struct trial *t, FILE *out)
{
	struct trial_stats s = trial_stats(t);
	char kinds[256], others[256];

	fprintf(out, "      %-28s", b->list.scenarios[t->scenario]->name);
	if (t->kernel < 0) {
		fprintf(out, " did not run: %s\n", t->why);
		return;
	}
	fprintf(out, " %3zu of %-3zu ", s.detected, s.n);
	if (s.n)
		put_time(out, &s);
	score_kinds(kinds, s.kinds);
	score_others(others, t, &s);
	fprintf(out, " %s%s%s\n", kinds, *kinds && *others ? "; " : "", others);
	for (size_t i = 0; i < t->n; i++)
		if (t->attempts[i].end == ATTEMPT_NOT_RUN || t->attempts[i].end == ATTEMPT_WRONG) {
			put_wrapped(out, "        ", 8, t->attempts[i].text);
			return;
		}
}

static void put_mutant(const struct scoreboard *b, const struct mutant_score *m, FILE *out,
		       const struct style *st)
{
	const char *kind = m->end == ATTEMPT_WRONG ? finding_infos[m->wrong_kind].name : NULL;

	fprintf(out, "%4llu  %s%s%s: %s%s%s%s%s\n", (unsigned long long)m->mutant->id, st->strong,
		m->mutant->name, st->off, colour_of(st, m->end, m->failed), attempt_titles[m->end],
		kind ? ": " : "", kind ? kind : "", st->off);
	if (m->mutant->missed)
		put_wrapped(out,
			    m->detected ? "      listed as missed, and detected: "
					: "      known to be missed: ",
			    6, m->mutant->missed);
	for (size_t i = 0; i < m->ntrials; i++)
		put_trial(b, &b->trials[m->first + i], out);
}

static void put_healthy(const struct scoreboard *b, const struct trial *t, FILE *out,
			const struct style *st)
{
	const struct attempt *a = score_worst(t);
	const char *kind = a->end == ATTEMPT_WRONG ? finding_infos[a->kind].name : NULL;
	char span[2 * SCORE_TIME_MAX];

	fprintf(out, "      %-28s %s%s%s%s%s in %s%s%s\n", b->list.scenarios[t->scenario]->name,
		colour_of(st, a->end, kind), kind ? "false alarm" : attempt_titles[a->end],
		kind ? ": " : "", kind ? kind : "", st->off, score_span(span, t),
		*t->append ? " with " : "", t->append);
	if (a->text[0] && a->end != ATTEMPT_SILENT)
		put_wrapped(out, "        ", 8, a->text);
}

static void put_sum(const struct scoreboard *b, const struct score_sum *s, FILE *out,
		    const struct style *st)
{
	const char *title = s->exit == 0 ? "PASS" : s->exit == 1 ? "FAIL" : "INCOMPLETE";
	char took[PEOPLE_MAX];

	fprintf(out, "\n%s%s%s  %zu of %zu mutants detected", s->exit ? st->bad : st->good, title,
		st->off, s->detected, s->mutants);
	if (s->listed_missed)
		fprintf(out, ", %zu known to be missed", s->listed_missed);
	if (s->failed)
		fprintf(out, ", %zu not detected", s->failed);
	if (s->not_run)
		fprintf(out, ", %zu did not run", s->not_run);
	fprintf(out, "; the healthy kernel silent in %zu of %zu; %u boots, %s (exit %d)\n",
		s->silent, s->healthy, b->boots, people_time(took, (u64)(b->duration_s * 1e9)),
		s->exit);
	fprintf(out, "\nEverything is in %s: DETECTION.md, scoreboard.html, scoreboard.json\n",
		b->o->vm.run_dir);
}

int scoreboard_text(const struct scoreboard *b, FILE *out)
{
	const struct style *st = want_colour(out) ? &style_ansi : &style_plain;
	size_t n;
	_cleanup_free_ struct mutant_score *scores = mutant_scores(b, &n);
	struct score_sum sum;

	if (!scores)
		return -ENOMEM;
	sum = score_sum(b, scores, n);
	fprintf(out, "%s%34s %10s %9s  %-20s %s%s\n", st->faint, "", "detected", "median",
		"fastest to slowest", "as", st->off);
	for (size_t i = 0; i < n; i++)
		put_mutant(b, &scores[i], out, st);
	fprintf(out, "\n%shealthy kernel%s\n", st->strong, st->off);
	for (size_t i = b->nmutated; i < b->n; i++)
		put_healthy(b, &b->trials[i], out, st);
	put_sum(b, &sum, out, st);
	return report_flush(out);
}
