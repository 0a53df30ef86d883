// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text that ends a run, for somebody tired: the verdict, what was found, what was done, what
 * could not be seen, and where to go on. Foreign text passes through put_wrapped().
 */
#include "klog/klog.h"
#include "report/chars.h"
#include "report/people.h"
#include "report/report.h"
#include "report/text_finding.h"

#include <string.h>

#define FULL_FINDINGS 3	  /* with all their evidence */
#define LINE_FINDINGS 100 /* beyond them, one line each; then only their number */

static const char *const verdict_titles[VERDICTS] = {
	[VERDICT_PASS] = "PASS",   [VERDICT_FAIL] = "FAIL",
	[VERDICT_ERROR] = "ERROR", [VERDICT_INCOMPLETE] = "INCOMPLETE",
	[VERDICT_SKIP] = "SKIP",
};

static const char *plural(u64 n)
{
	return n == 1 ? "" : "s";
}

static void put_verdict(const struct run_result *r, FILE *out, const struct style *st)
{
	const char *colour = r->verdict == VERDICT_PASS	  ? st->good
			     : r->verdict == VERDICT_SKIP ? st->strong
							  : st->bad;
	char found[64] = "", took[PEOPLE_MAX];

	if (r->nfindings)
		snprintf(found, sizeof(found), "%zu finding%s", r->nfindings, plural(r->nfindings));
	else if (r->verdict == VERDICT_PASS)
		snprintf(found, sizeof(found), "nothing found");
	else if (r->ops)
		snprintf(found, sizeof(found), "no finding");
	else
		snprintf(found, sizeof(found), "nothing was run");
	fprintf(out, "%s%s%s  ", colour, verdict_titles[r->verdict], st->off);
	put_text(out, r->sc && r->sc->name ? r->sc->name : "stressd", MEDIUM_TERMINAL);
	fprintf(out, ": %s in %s, seed %llu (exit %d)\n", found,
		people_time(took, (u64)(MAX(r->duration_s, 0.0) * 1e9)),
		(unsigned long long)r->seed, r->exit);
	/* The first finding, mostly, which is told below. */
	if (*r->reason && !(r->nfindings && !strcmp(r->reason, r->findings[0]->sentence)))
		put_wrapped(out, "      ", 6, r->reason);
}

static void put_findings(const struct run_result *r, FILE *out, const struct style *st)
{
	size_t full = MIN(r->nfindings, (size_t)FULL_FINDINGS);
	size_t lines = MIN(r->nfindings - full, (size_t)LINE_FINDINGS);
	size_t left = r->nfindings - full - lines;

	for (size_t i = 0; i < full; i++)
		text_finding(r->findings[i], i + 1, out, st);
	for (size_t i = full; i < full + lines; i++)
		text_finding_line(r->findings[i], i + 1, out, st);
	if (left)
		fprintf(out, "... and %zu more, all of them in result.json\n", left);
	if (r->findings_lost)
		fprintf(out, "%llu sighting%s more did not fit on the board and %s not kept\n",
			(unsigned long long)r->findings_lost, plural(r->findings_lost),
			r->findings_lost == 1 ? "was" : "were");
	if (lines || r->findings_lost)
		fputc('\n', out);
}

/* The command goes out unbroken, to be copied. */
static void put_command(const char *label, const char *command, FILE *out, const struct style *st)
{
	if (!*command)
		return;
	fprintf(out, "%s%s%s ", st->strong, label, st->off);
	put_text(out, command, MEDIUM_TERMINAL);
	fputc('\n', out);
}

static void put_work(const struct run_result *r, FILE *out)
{
	char n[PEOPLE_MAX], rate[PEOPLE_MAX], cells[PEOPLE_MAX], checked[PEOPLE_MAX],
		open[PEOPLE_MAX], line[1024];

	snprintf(line, sizeof(line),
		 "%s operation%s (%s/s); %s cell%s; %s check%s, %s of them left open (too close "
		 "to a write to judge).",
		 people_count(n, r->ops), plural(r->ops), people_rate(rate, r->ops, r->duration_s),
		 people_count(cells, r->cells), plural(r->cells),
		 people_count(checked, r->cells_checked), plural(r->cells_checked),
		 people_count(open, r->cells_open));
	put_wrapped(out, "", 0, line);
	snprintf(line, sizeof(line), "%s%s%s%s%s%s; kernel %s, %s",
		 *r->fs ? r->fs : "no filesystem", *r->device ? " on " : "", r->device,
		 *r->mount_options ? " (" : "", r->mount_options, *r->mount_options ? ")" : "",
		 r->kernel, r->machine);
	put_wrapped(out, "", 0, line);
}

static void put_workers(const struct run_result *r, FILE *out, const struct style *st)
{
	if (!r->nworkers)
		return;
	fprintf(out, "\n%s%-22s %-8s %10s %8s %10s %7s %6s %8s %6s%s\n", st->strong, "worker",
		"state", "operations", "rate/s", "bytes", "failed", "busy", "checked", "open",
		st->off);
	for (size_t i = 0; i < r->nworkers; i++) {
		const struct worker_result *w = &r->workers[i];
		char ops[PEOPLE_MAX], rate[PEOPLE_MAX], bytes[PEOPLE_MAX], failed[PEOPLE_MAX],
			busy[PEOPLE_MAX], checked[PEOPLE_MAX], open[PEOPLE_MAX];

		fprintf(out, "%-22s %s%-8s%s %10s %8s %10s %7s %6s %8s %6s\n", w->name,
			*w->error ? st->bad : "", w->state, *w->error ? st->off : "",
			people_count(ops, w->ops), people_rate(rate, w->ops, r->duration_s),
			people_bytes(bytes, w->bytes), people_count(failed, w->failed),
			people_count(busy, w->busy), people_count(checked, w->cells_checked),
			people_count(open, w->cells_open));
		if (*w->error)
			put_wrapped(out, "    why: ", 9, w->error);
	}
}

static void put_races(const struct run_result *r, FILE *out, const struct style *st)
{
	for (size_t i = 0; i < r->nraces; i++) {
		const struct race_result *x = &r->races[i];
		char n[PEOPLE_MAX], over[PEOPLE_MAX], hits[PEOPLE_MAX], held[PEOPLE_MAX], line[512];
		char first[PEOPLE_MAX + 32] = "";

		if (!i)
			fprintf(out, "\n%sraces%s\n", st->strong, st->off);
		if (x->first_hit)
			snprintf(first, sizeof(first), " (the first in attempt %s)",
				 people_count(n, x->first_hit));
		snprintf(line, sizeof(line),
			 "%s: %u actors; %s attempt%s, %s of them overlapped%s; %s hit%s%s, a rate "
			 "of "
			 "%.3g%% to %.3g%% (95%%); %s fault%s held",
			 x->name, x->actors, people_count(n, x->attempts), plural(x->attempts),
			 people_count(over, x->overlaps), x->overlaps ? "" : ": NOT EXERCISED",
			 people_count(hits, x->hits), plural(x->hits), first, x->rate_lo * 100,
			 x->rate_hi * 100, people_count(held, x->held), plural(x->held));
		put_wrapped(out, "  - ", 4, line);
	}
}

static void put_faults(const struct run_result *r, FILE *out, const struct style *st)
{
	for (size_t i = 0; i < r->nfaults; i++) {
		const struct fault_result *f = &r->faults[i];
		char n[PEOPLE_MAX], armed[PEOPLE_MAX], took[PEOPLE_MAX], line[2048];

		if (!i)
			fprintf(out, "\n%sfaults%s\n", st->strong, st->off);
		if (f->armings)
			snprintf(line, sizeof(line),
				 "%s: armed %s time%s for %s; %s injected (%s); %s", f->type,
				 people_count(armed, f->armings), plural(f->armings),
				 people_time(took, (u64)(f->armed_s * 1e9)),
				 f->counted ? people_count(n, f->injected)
					    : "nobody knows how many",
				 f->source, f->balance);
		else
			snprintf(line, sizeof(line), "%s: %s", f->type, f->balance);
		put_wrapped(out, "  - ", 4, line);
	}
	if (*r->expected_end)
		put_wrapped(out, "  - an expected end: ", 4, r->expected_end);
}

static void put_list(const char *title, char *const *items, size_t n, FILE *out,
		     const struct style *st)
{
	if (!n)
		return;
	fprintf(out, "\n%s%s%s\n", st->strong, title, st->off);
	for (size_t i = 0; i < n; i++)
		put_wrapped(out, "  - ", 4, items[i]);
}

static void put_kernel_log(const struct run_result *r, FILE *out)
{
	char before[256], after[256], line[700];

	fputc('\n', out);
	if (!r->klog_watched)
		fputs("Kernel log: NOT WATCHED; warnings and oopses would have gone unseen\n", out);
	else if (r->klog_lost)
		fprintf(out,
			"Kernel log: INCOMPLETE, %llu record%s lost; %llu event%s, %llu allowed\n",
			(unsigned long long)r->klog_lost, plural(r->klog_lost),
			(unsigned long long)r->klog_events, plural(r->klog_events),
			(unsigned long long)r->klog_allowed);
	else
		fprintf(out, "Kernel log: watched throughout; %llu event%s, %llu allowed%s\n",
			(unsigned long long)r->klog_events, plural(r->klog_events),
			(unsigned long long)r->klog_allowed,
			!r->nfindings && r->klog_events > r->klog_allowed
				? "; the others are notices, not findings"
				: "");
	if (r->taint_before == r->taint_after)
		return;
	klog_taint_text(r->taint_before, before, sizeof(before));
	klog_taint_text(r->taint_after, after, sizeof(after));
	snprintf(line, sizeof(line), "%llu (%s) before, %llu (%s) after",
		 (unsigned long long)r->taint_before, before, (unsigned long long)r->taint_after,
		 after);
	put_wrapped(out, "Kernel taint: ", 14, line);
}

void report_text(const struct run_result *r, FILE *out, bool colour)
{
	const struct style *st = colour ? &style_ansi : &style_plain;

	put_verdict(r, out, st);
	fputc('\n', out);
	put_findings(r, out, st);
	put_command("Reproduce:", r->reproduce, out, st);
	if (*r->reproduce)
		fputc('\n', out);
	put_work(r, out);
	put_workers(r, out, st);
	put_races(r, out, st);
	put_faults(r, out, st);
	put_kernel_log(r, out);
	put_list("Left out, this machine lacks it", r->dropped, r->ndropped, out, st);
	put_list("Notes", r->notes, r->nnotes, out, st);
	fputc('\n', out);
	put_command("Everything is in", r->run_dir, out, st);
}

static int write_text(const struct run_result *r, FILE *out)
{
	report_text(r, out, want_colour(out));
	return report_flush(out);
}

const struct report_format report_format_text = {
	.name = "text",
	.help = "what a run prints on a terminal",
	.file = "report.txt",
	.write = write_text,
};
