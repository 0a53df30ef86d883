// SPDX-License-Identifier: GPL-2.0-or-later
/* docs/DETECTION.md: the table as it stands in the tree. Says nothing of the machine that would
 * not mean something elsewhere: no paths, no seeds. */
#include "vm/scoreboard.h"

#include "base/units.h"
#include "report/chars.h"
#include "report/people.h"

#include <string.h>

static const char head[] =
	"<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n"
	"# Detection\n\n"
	"Which known faults of the kernel stressd finds, how fast, and that it is silent without\n"
	"them. Written by `stressd vm --scoreboard lab/mutants.json`, not by hand.\n\n";

static const char tail[] =
	"\n## How it is measured\n\n"
	"A *mutant* is a fault that was put into the kernel on purpose and is switched on at run\n"
	"time. It is on for a whole run, from before mkfs to after fsck, and off between runs: a\n"
	"fault may lie in any path, the one that reads for the check as well. Each attempt is a "
	"run\n"
	"of the scenario with a seed of its own that ends at the first finding.\n\n"
	"- *detected*: attempts whose findings have one that is right for this fault. One that "
	"has\n"
	"  but others is a *wrong finding* and does not count.\n"
	"- *time*: from the first operation to the first right finding. When the kernel dies it "
	"is\n"
	"  from the begin of the scenario, set-up included, to the last sign of life. An attempt\n"
	"  without a right finding counts with its limit, and what is behind `>` was not reached.\n"
	"- Where only a crash shows the fault the power is cut, the time is that of the cut, and\n"
	"  `stressd verify` makes the check.\n"
	"- *reached, not detected*: the faulty code ran and nothing was found; *never reached*: "
	"it\n"
	"  did not run; *not exercised*: the scenario's race was never entered; *not detected*: "
	"the\n"
	"  kernel does not count how often the code ran.\n"
	"- The healthy kernel is booted anew and runs every scenario that is in the table, for "
	"three\n"
	"  times the longest time that its detection took and at least ten seconds, unless\n"
	"  `--silence-time` says otherwise, or for some power cuts. Any finding there is a false "
	"alarm.\n";

/* Text in a paragraph or a cell of a table: what Markdown would take for markup is escaped. */
static void put(FILE *out, const char *s)
{
	_cleanup_free_ char *text = text_for(s, MEDIUM_TERMINAL);

	for (const char *p = text ? text : "(no memory)"; *p; p++) {
		if (*p == '<' || *p == '&') {
			fputs(*p == '<' ? "&lt;" : "&amp;", out);
			continue;
		}
		if (strchr("\\`*[]|", *p))
			fputc('\\', out);
		fputc(*p, out);
	}
}

static void put_conditions(const struct scoreboard *b, FILE *out)
{
	static const char *const accels[] = {
		[ACCEL_AUTO] = "KVM or emulation", [ACCEL_KVM] = "KVM", [ACCEL_TCG] = "emulation"
	};
	char date[16] = "", memory[UNITS_MAX], limit[UNITS_MAX];
	struct tm tm;

	if (gmtime_r(&b->started.tv_sec, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	fprintf(out, "%s, stressd " STRESSD_VERSION ", QEMU (%s, %llu CPUs, %s), Linux ", date,
		accels[b->o->vm.accel], (unsigned long long)b->o->vm.cpus,
		format_size(memory, b->o->vm.memory_bytes));
	for (size_t i = 0; i < b->o->nkernels; i++) {
		fputs(i ? ", " : "", out);
		put(out, b->kernels[i].image.release);
	}
	fprintf(out, "; %llu attempt%s of at most %s each.\n\n", (unsigned long long)b->o->repeat,
		b->o->repeat == 1 ? "" : "s", format_time(limit, b->o->limit_ns));
}

static void put_sum(const struct scoreboard *b, const struct score_sum *s, FILE *out)
{
	fprintf(out, "**%zu of %zu mutants detected", s->detected, s->mutants);
	if (s->listed_missed)
		fprintf(out, "; %zu known to be missed", s->listed_missed);
	if (s->failed)
		fprintf(out, "; %zu not detected", s->failed);
	if (s->not_run)
		fprintf(out, "; %zu did not run", s->not_run);
	fprintf(out, ". The healthy kernel was silent in %zu of %zu runs.**%s\n\n", s->silent,
		s->healthy, b->interrupted ? " Interrupted: not all of it was run." : "");
}

static void put_trial(const struct scoreboard *b, const struct trial *t, const char *mutant,
		      FILE *out)
{
	struct trial_stats s = trial_stats(t);
	char median[SCORE_TIME_MAX] = "", range[2 * SCORE_TIME_MAX], kinds[256], others[256];

	if (s.n)
		score_time(median, s.median_ns, s.median_open);
	score_kinds(kinds, s.kinds);
	if (t->kernel < 0)
		snprintf(others, sizeof(others), "did not run: %.230s", t->why);
	else
		score_others(others, t, &s);
	fprintf(out, "| %s | `%s` | %zu of %zu | %s | %s | ", mutant,
		b->list.scenarios[t->scenario]->name, s.detected, s.n, median,
		score_range(range, &s));
	fprintf(out, "%s%s", kinds, *kinds && *others ? "; " : "");
	put(out, others);
	fputs(" |\n", out);
}

static void put_mutants(const struct scoreboard *b, const struct mutant_score *scores, size_t n,
			FILE *out)
{
	fputs("| mutant | scenario | detected | median | fastest to slowest | as |\n"
	      "| --- | --- | --- | --- | --- | --- |\n",
	      out);
	for (size_t i = 0; i < n; i++) {
		const struct mutant_score *m = &scores[i];
		char name[100];

		snprintf(name, sizeof(name), "%llu `%s`", (unsigned long long)m->mutant->id,
			 m->mutant->name);
		for (size_t k = 0; k < m->ntrials; k++)
			put_trial(b, &b->trials[m->first + k], k ? "" : name, out);
	}
	fputs("\n## The faults\n\n", out);
	for (size_t i = 0; i < n; i++) {
		const struct mutant *m = scores[i].mutant;
		char kinds[256];

		fprintf(out, "- `%s` (%s): ", m->name, score_kinds(kinds, m->kinds));
		put(out, m->summary);
		if (m->missed) {
			fputs(scores[i].detected ? " *Listed as missed:* " : " *Not detected:* ",
			      out);
			put(out, m->missed);
		}
		fputc('\n', out);
	}
}

static void put_healthy(const struct scoreboard *b, FILE *out)
{
	fputs("\n## Without a fault\n\n| scenario | time | found |\n| --- | --- | --- |\n", out);
	for (size_t i = b->nmutated; i < b->n; i++) {
		const struct trial *t = &b->trials[i];
		const struct attempt *a = score_worst(t);
		char span[2 * SCORE_TIME_MAX];

		fprintf(out, "| `%s` | %s | ", b->list.scenarios[t->scenario]->name,
			score_span(span, t));
		if (a->end == ATTEMPT_WRONG) {
			fprintf(out, "false alarm: %s: ", finding_infos[a->kind].name);
			put(out, a->text);
		} else {
			fputs(a->end == ATTEMPT_SILENT ? "nothing" : attempt_titles[a->end], out);
			fputs(a->end == ATTEMPT_LEFT_OUT ? ": " : "", out);
			put(out, a->end == ATTEMPT_LEFT_OUT ? a->text : "");
		}
		fputs(" |\n", out);
	}
}

int scoreboard_markdown(const struct scoreboard *b, FILE *out)
{
	size_t n;
	_cleanup_free_ struct mutant_score *scores = mutant_scores(b, &n);
	struct score_sum sum;

	if (!scores)
		return -ENOMEM;
	sum = score_sum(b, scores, n);
	fputs(head, out);
	put_conditions(b, out);
	put_sum(b, &sum, out);
	put_mutants(b, scores, n, out);
	put_healthy(b, out);
	fputs(tail, out);
	return report_flush(out);
}
