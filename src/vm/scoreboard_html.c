// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scoreboard.html: one page that needs nothing else, for a wide screen and a narrow one, light and
 * dark. Every attempt is a dot on a logarithmic axis of time, open where nothing was found.
 */
#include "vm/scoreboard.h"

#include "base/units.h"
#include "report/chars.h"
#include "report/people.h"

#include <math.h>
#include <string.h>

#define PLOT_W	  220.0
#define PLOT_H	  22U
#define PLOT_PAD  8.0
#define DOT_STEP  9.0
#define PLOT_FROM 1e7 /* ns: the left end of the axis */

static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>stressd: detection</title>\n<style>\n"
	":root { color-scheme: light dark; --ink: #1c2024; --soft: #5b636b; --line: #d9dee3;\n"
	"  --back: #fff; --band: #f5f7f9; --good: #14703c; --bad: #b3261e; --odd: #8a5a00;\n"
	"  --dot: #2866b8 }\n"
	"@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --soft: #9aa3ab;\n"
	"  --line: #363c42; --back: #15181b; --band: #1d2125; --good: #5ec58a; --bad: #f28b82;\n"
	"  --odd: #e0b050; --dot: #79aef2 } }\n"
	"* { box-sizing: border-box }\n"
	"body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 76rem; color: var(--ink);\n"
	"  background: var(--back); font: 15px/1.45 system-ui, sans-serif;\n"
	"  font-variant-numeric: tabular-nums; overflow-wrap: anywhere }\n"
	"h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }\n"
	"p { margin: .25rem 0 } .soft { color: var(--soft) } .good { color: var(--good) }\n"
	".bad { color: var(--bad) } .odd { color: var(--odd) } b { font-weight: 600 }\n"
	".sum { font-size: 1.15rem; margin: 1rem 0 }\n"
	"table { border-collapse: collapse; width: 100% }\n"
	"th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0 }\n"
	"thead th { white-space: nowrap; color: var(--soft); font-weight: 400; font-size: .85rem;\n"
	"  border-bottom: 1px solid var(--line) }\n"
	"tbody { border-bottom: 1px solid var(--line) }\n"
	"tbody th { font-weight: 400; padding-top: .7rem } tbody th .soft { font-size: .9rem }\n"
	"td:first-child { padding-left: 1.5rem; min-width: 12rem } td.n { white-space: nowrap }\n"
	"svg { display: block; width: 220px; max-width: 100%; height: 22px }\n"
	"svg line { stroke: var(--line) } circle { fill: var(--dot); fill-opacity: .65;\n"
	"  stroke: var(--dot) } circle.open { fill: none; stroke: var(--bad) }\n"
	"dt { font-weight: 600; margin-top: .5rem } dd { margin: 0 }\n"
	"@media (max-width: 720px) { thead { display: none }\n"
	"  table, tbody, tr, th, td { display: block } tr { padding-bottom: .5rem }\n"
	"  td, td:first-child { min-width: 0; padding: .1rem 0 .1rem 1rem; display: flex; gap: "
	".75rem }\n"
	"  td.n { white-space: normal } td:empty { display: none }\n"
	"  td[data-is]::before { content: attr(data-is); color: var(--soft); flex: 0 0 5.5rem } }\n"
	"</style>\n";

static const char tail[] =
	"<h2>How to read it</h2>\n"
	"<p>Each dot is an attempt: a run with its own seed until the first finding. An open one\n"
	"made no right finding and stands at the limit. Time is from the first operation to the\n"
	"first right finding; where the kernel dies, from the begin of the scenario to the last\n"
	"sign of life. An attempt without a right finding counts with its limit; what is behind\n"
	"&gt; was not reached.</p>\n"
	"<dl><dt>wrong finding</dt><dd>Something was found, and none of it is what this fault\n"
	"does.</dd><dt>reached, not detected</dt><dd>The faulty code ran, and nothing was\n"
	"found.</dd><dt>never reached</dt><dd>The faulty code did not run.</dd>\n"
	"<dt>not exercised</dt><dd>The scenario's race was never entered.</dd>\n"
	"<dt>not detected</dt><dd>Nothing was found; this kernel does not count how often the\n"
	"code ran.</dd></dl>\n";

static void put(FILE *out, const char *s)
{
	put_text(out, s, MEDIUM_XML);
}

static const char *class_of(int end, bool failed)
{
	return end == ATTEMPT_DETECTED || end == ATTEMPT_SILENT ? "good" : failed ? "bad" : "odd";
}

/* Where @ns is on the axis that ends at @to_ns. */
static double place(u64 ns, u64 to_ns)
{
	double from = log10(PLOT_FROM), to = log10(MAX((double)to_ns, PLOT_FROM * 10));
	double x = (log10(MAX((double)ns, PLOT_FROM)) - from) / (to - from);

	return PLOT_PAD + MIN(x, 1.0) * (PLOT_W - 2 * PLOT_PAD);
}

/* Those that found nothing fall together: @nth of them stands three high, then further left. */
static void put_dot(const struct trial *t, const struct attempt *a, size_t nth, FILE *out)
{
	bool found = a->end == ATTEMPT_DETECTED;
	double x = found ? place(a->time_ns, t->limit_ns)
			 : PLOT_W - PLOT_PAD - DOT_STEP * (double)(nth / 3);
	char text[SCORE_TIME_MAX];

	fprintf(out, "<circle%s cx=\"%.1f\" cy=\"%u\" r=\"4\"><title>",
		found ? "" : " class=\"open\"", MAX(x, PLOT_PAD),
		PLOT_H / 2 + 4 * (unsigned int)(nth % 3) - 4);
	put(out, score_time(text, found ? a->time_ns : t->limit_ns, !found));
	fprintf(out, ", %s</title></circle>", attempt_titles[a->end]);
}

static void put_plot(const struct trial *t, FILE *out)
{
	size_t open = 0;

	fprintf(out,
		"<svg viewBox=\"0 0 %.0f %u\" role=\"img\" aria-label=\"time of each attempt\">"
		"<line x1=\"0\" x2=\"%.0f\" y1=\"11\" y2=\"11\"/>",
		PLOT_W, PLOT_H, PLOT_W);
	/* A tick at each power of ten. */
	for (u64 ns = (u64)PLOT_FROM; ns <= t->limit_ns; ns *= 10)
		fprintf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"7\" y2=\"15\"/>",
			place(ns, t->limit_ns), place(ns, t->limit_ns));
	for (size_t i = 0; i < t->n; i++)
		if (t->attempts[i].end > ATTEMPT_NOT_RUN)
			put_dot(t, &t->attempts[i],
				t->attempts[i].end == ATTEMPT_DETECTED ? i : open++, out);
	fputs("</svg>", out);
}

static void put_trial(const struct scoreboard *b, const struct trial *t, FILE *out)
{
	struct trial_stats s = trial_stats(t);
	char median[SCORE_TIME_MAX] = "", range[2 * SCORE_TIME_MAX], kinds[256], others[256];

	fputs("<tr><td>", out);
	put(out, b->list.scenarios[t->scenario]->name);
	if (t->kernel < 0) {
		fputs("</td><td colspan=\"5\" class=\"odd\">did not run: ", out);
		put(out, t->why);
		fputs("</td></tr>\n", out);
		return;
	}
	if (s.n)
		score_time(median, s.median_ns, s.median_open);
	fprintf(out, "</td><td class=\"n\" data-is=\"detected\">%zu of %zu</td>", s.detected, s.n);
	fputs("<td class=\"n\" data-is=\"median\">", out);
	put(out, median);
	fputs("</td><td class=\"n\" data-is=\"spread\">", out);
	put(out, score_range(range, &s));
	fputs("</td><td data-is=\"attempts\">", out);
	if (s.n)
		put_plot(t, out);
	score_others(others, t, &s);
	fputs("</td><td data-is=\"as\"><span>", out);
	put(out, score_kinds(kinds, s.kinds));
	fprintf(out, "%s<span class=\"odd\">", *kinds && *others ? "; " : "");
	put(out, others);
	fputs("</span></span></td></tr>\n", out);
}

static void put_mutant(const struct scoreboard *b, const struct mutant_score *m, FILE *out)
{
	const char *kind = m->end == ATTEMPT_WRONG ? finding_infos[m->wrong_kind].name : NULL;

	fprintf(out, "<tbody><tr><th colspan=\"6\">%llu <b>", (unsigned long long)m->mutant->id);
	put(out, m->mutant->name);
	fprintf(out, "</b> <span class=\"%s\">%s%s%s</span><br><span class=\"soft\">",
		class_of(m->end, m->failed), attempt_titles[m->end], kind ? ": " : "",
		kind ? kind : "");
	put(out, m->mutant->summary);
	fputs("</span>", out);
	if (m->mutant->missed) {
		fprintf(out, "<br><span class=\"odd\">%s: ",
			m->detected ? "listed as missed, and detected" : "known to be missed");
		put(out, m->mutant->missed);
		fputs("</span>", out);
	}
	fputs("</th></tr>\n", out);
	for (size_t i = 0; i < m->ntrials; i++)
		put_trial(b, &b->trials[m->first + i], out);
	fputs("</tbody>\n", out);
}

static void put_healthy(const struct scoreboard *b, const struct trial *t, FILE *out)
{
	const struct attempt *a = score_worst(t);
	bool alarm = a->end == ATTEMPT_WRONG;
	char span[2 * SCORE_TIME_MAX];

	fputs("<tr><td>", out);
	put(out, b->list.scenarios[t->scenario]->name);
	fprintf(out,
		"</td><td class=\"n\" data-is=\"for\">%s</td><td data-is=\"found\">"
		"<span><span class=\"%s\">%s%s</span>",
		score_span(span, t), class_of(a->end, alarm),
		alarm ? "false alarm: " : attempt_titles[a->end],
		alarm ? finding_infos[a->kind].name : "");
	if (a->text[0] && a->end != ATTEMPT_SILENT) {
		fputs("<br><span class=\"soft\">", out);
		put(out, a->text);
		fputs("</span>", out);
	}
	fputs("</span></td></tr>\n", out);
}

static void put_head(const struct scoreboard *b, const struct score_sum *s, FILE *out)
{
	char date[32] = "", limit[UNITS_MAX], took[PEOPLE_MAX], memory[UNITS_MAX];
	struct tm tm;

	if (gmtime_r(&b->started.tv_sec, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
	fprintf(out,
		"%s<h1>Detection</h1>\n<p class=\"soft\">%s, stressd " STRESSD_VERSION ", Linux ",
		head, date);
	for (size_t i = 0; i < b->o->nkernels; i++) {
		fputs(i ? ", " : "", out);
		put(out, b->kernels[i].image.release);
	}
	fprintf(out,
		"; guests of %llu CPUs and %s; %llu attempts of at most %s; %u boots in %s"
		"</p>\n<p class=\"sum\"><b class=\"%s\">%zu of %zu mutants detected</b>",
		(unsigned long long)b->o->vm.cpus, format_size(memory, b->o->vm.memory_bytes),
		(unsigned long long)b->o->repeat, format_time(limit, b->o->limit_ns), b->boots,
		people_time(took, (u64)(b->duration_s * 1e9)), s->failed ? "bad" : "good",
		s->detected, s->mutants);
	if (s->failed)
		fprintf(out, ", %zu not detected", s->failed);
	if (s->listed_missed)
		fprintf(out, ", %zu known to be missed", s->listed_missed);
	if (s->not_run)
		fprintf(out, ", %zu did not run", s->not_run);
	fprintf(out, "; <b class=\"%s\">silent in %zu of %zu runs</b> without a fault</p>\n",
		s->false_alarms		 ? "bad"
		: s->silent < s->healthy ? "odd"
					 : "good",
		s->silent, s->healthy);
	if (b->interrupted)
		fputs("<p class=\"odd\">Interrupted: not all of it was run.</p>\n", out);
}

int scoreboard_html(const struct scoreboard *b, FILE *out)
{
	size_t n;
	_cleanup_free_ struct mutant_score *scores = mutant_scores(b, &n);
	struct score_sum sum;

	if (!scores)
		return -ENOMEM;
	sum = score_sum(b, scores, n);
	put_head(b, &sum, out);
	fputs("<table><thead><tr><th>scenario</th><th>detected</th><th>median</th>"
	      "<th>fastest to slowest</th><th>attempts, from 10 ms to the limit</th>"
	      "<th>found as</th></tr></thead>\n",
	      out);
	for (size_t i = 0; i < n; i++)
		put_mutant(b, &scores[i], out);
	fputs("</table>\n<h2>Without a fault</h2>\n<table><thead><tr><th>scenario</th><th>for</th>"
	      "<th>found</th></tr></thead>\n<tbody>\n",
	      out);
	for (size_t i = b->nmutated; i < b->n; i++)
		put_healthy(b, &b->trials[i], out);
	fprintf(out, "</tbody></table>\n%s</html>\n", tail);
	return report_flush(out);
}
