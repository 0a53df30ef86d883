// SPDX-License-Identifier: GPL-2.0-or-later
/* What a run did and where: counts, workers, races, faults, notes, surroundings. */
#include "base/cleanup.h"
#include "klog/klog.h"
#include "report/html.h"
#include "report/people.h"

#include <string.h>

static void put_count(FILE *out, const char *key, u64 n)
{
	char text[PEOPLE_MAX];

	html_number(out, key, n, people_count(text, n));
}

static void cell(FILE *out, const char *key, size_t i, const char *field, u64 n)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.%zu.%s", key, i, field);
	fputs("<td class=\"n\">", out);
	put_count(out, path, n);
	fputs("</td>", out);
}

static void put_workers(const struct run_result *r, FILE *out)
{
	static const char key[] = "counts.workers";

	if (!r->nworkers)
		return;
	fputs("<h3>Workers</h3>\n<div class=\"scroll\"><table>\n<thead><tr><th>worker</th>"
	      "<th>state</th><th class=\"n\">operations</th><th class=\"n\">bytes</th>"
	      "<th class=\"n\">failed</th><th class=\"n\">busy</th><th class=\"n\">checked</th>"
	      "<th class=\"n\">open</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < r->nworkers; i++) {
		const struct worker_result *w = &r->workers[i];
		char bytes[PEOPLE_MAX];

		fputs("<tr><td>", out);
		html_text(out, w->name);
		fprintf(out, "</td><td%s>", *w->error ? " class=\"wrong\"" : "");
		html_text(out, w->state);
		if (*w->error) {
			fputs(": ", out);
			html_text(out, w->error);
		}
		fputs("</td>", out);
		cell(out, key, i, "ops", w->ops);
		fprintf(out, "<td class=\"n\">%s</td>", people_bytes(bytes, w->bytes));
		cell(out, key, i, "failed", w->failed);
		cell(out, key, i, "busy", w->busy);
		cell(out, key, i, "cells_checked", w->cells_checked);
		cell(out, key, i, "cells_open", w->cells_open);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

static void put_races(const struct run_result *r, FILE *out)
{
	if (!r->nraces)
		return;
	fputs("<h3>Races</h3>\n<div class=\"scroll\"><table>\n<thead><tr><th>race</th>"
	      "<th class=\"n\">attempts</th><th class=\"n\">overlapped</th><th "
	      "class=\"n\">hits</th><th>rate of hits, 95 %</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < r->nraces; i++) {
		const struct race_result *x = &r->races[i];

		fputs("<tr><td>", out);
		html_text(out, x->name);
		fprintf(out, "%s</td>", x->overlaps ? "" : " <b class=\"wrong\">not exercised</b>");
		cell(out, "races", i, "attempts", x->attempts);
		cell(out, "races", i, "overlaps", x->overlaps);
		cell(out, "races", i, "hits", x->hits);
		fprintf(out, "<td>%.3g %% to %.3g %%</td></tr>\n", x->rate_lo * 100,
			x->rate_hi * 100);
	}
	fputs("</tbody></table></div>\n", out);
}

static void put_faults(const struct run_result *r, FILE *out)
{
	if (!r->nfaults)
		return;
	fputs("<h3>Faults</h3>\n<ul>\n", out);
	for (size_t i = 0; i < r->nfaults; i++) {
		const struct fault_result *f = &r->faults[i];
		char key[64];

		fputs("<li><b>", out);
		html_text(out, f->type);
		fputs("</b>: ", out);
		if (f->armings) {
			snprintf(key, sizeof(key), "faults.%zu.armed", i);
			fputs("armed ", out);
			put_count(out, key, f->armings);
			fputs(" times, injected ", out);
			snprintf(key, sizeof(key), "faults.%zu.injected", i);
			if (f->counted)
				put_count(out, key, f->injected);
			else
				fputs("nobody knows how many", out);
			fputs("; ", out);
		}
		html_text(out, f->balance);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
	if (!*r->expected_end)
		return;
	fputs("<p>An expected end: ", out);
	html_text(out, r->expected_end);
	fputs("</p>\n", out);
}

static void put_list(const char *title, char *const *items, size_t n, FILE *out)
{
	if (!n)
		return;
	fprintf(out, "<h3>%s</h3>\n<ul>\n", title);
	for (size_t i = 0; i < n; i++) {
		fputs("<li>", out);
		html_text(out, items[i]);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void put_outputs(const struct run_result *r, FILE *out)
{
	if (!r->noutputs)
		return;
	fputs("<h3>Programs that ran beside the workers</h3>\n<ul>\n", out);
	for (size_t i = 0; i < r->noutputs; i++) {
		const struct output_file *o = &r->outputs[i];
		char bytes[PEOPLE_MAX];

		fputs("<li>", out);
		html_text(out, o->worker);
		fputs(": <a href=\"", out);
		html_text(out, o->name);
		fputs("\">", out);
		html_text(out, o->name);
		fprintf(out, "</a>, %s</li>\n", people_bytes(bytes, o->bytes));
	}
	fputs("</ul>\n", out);
}

static void put_kernel_log(const struct run_result *r, FILE *out)
{
	fputs("<li>Kernel log: ", out);
	if (!r->klog_watched) {
		fputs("<b class=\"wrong\">not watched</b>; warnings and oopses would have gone "
		      "unseen</li>\n",
		      out);
		return;
	}
	fputs(r->klog_lost ? "<b class=\"wrong\">incomplete</b>, " : "watched throughout; ", out);
	if (r->klog_lost) {
		put_count(out, "kernel_log.lost", r->klog_lost);
		fputs(" records lost; ", out);
	}
	put_count(out, "kernel_log.events", r->klog_events);
	fputs(" events, ", out);
	put_count(out, "kernel_log.allowed", r->klog_allowed);
	fputs(" of them allowed</li>\n", out);
}

void html_work(const struct run_result *r, FILE *out)
{
	fputs("<section class=\"work\">\n<h2>What was exercised</h2>\n<ul>\n<li>", out);
	put_count(out, "counts.ops", r->ops);
	fputs(" operations on ", out);
	put_count(out, "counts.cells", r->cells);
	fputs(" cells</li>\n<li>", out);
	put_count(out, "counts.cells_checked", r->cells_checked);
	fputs(" checks of cells; ", out);
	put_count(out, "counts.cells_open", r->cells_open);
	fputs(" left open, too close to a write to judge</li>\n", out);
	put_kernel_log(r, out);
	fputs("</ul>\n", out);
	put_workers(r, out);
	put_races(r, out);
	put_faults(r, out);
	put_outputs(r, out);
	put_list("Left out: this machine lacks it", r->dropped, r->ndropped, out);
	put_list("Notes", r->notes, r->nnotes, out);
	fputs("</section>\n", out);
}

static void put_row(FILE *out, const char *name, const char *value)
{
	if (!*value)
		return;
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_text(out, value);
	fputs("</dd></div>\n", out);
}

/* The target as the scenario has it: type, size, options of mkfs and mount. */
static char *target_text(const struct run_result *r)
{
	return r->sc && r->sc->resolved
		       ? json_dumps(json_object_get(r->sc->resolved, "target"), JSON_ENCODE_ANY)
		       : NULL;
}

static void put_taint(const struct run_result *r, FILE *out)
{
	char before[256], after[256], text[600];

	klog_taint_text(r->taint_before, before, sizeof(before));
	klog_taint_text(r->taint_after, after, sizeof(after));
	if (r->taint_before == r->taint_after)
		snprintf(text, sizeof(text), "%llu%s%s", (unsigned long long)r->taint_after,
			 *after ? ": " : "", after);
	else
		snprintf(text, sizeof(text), "%llu (%s) before, %llu (%s) after",
			 (unsigned long long)r->taint_before, before,
			 (unsigned long long)r->taint_after, after);
	put_row(out, "taint", text);
}

void html_environment(const struct run_result *r, FILE *out)
{
	_cleanup_free_ char *target = target_text(r);
	char text[128], memory[PEOPLE_MAX];

	fputs("<section>\n<h2>Environment</h2>\n<dl class=\"facts\">\n", out);
	put_row(out, "kernel", r->kernel);
	snprintf(text, sizeof(text), "%s%s", r->machine, *r->machine ? "" : "not known");
	if (r->cpus && strlen(text) < 64)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %u CPUs, %s", r->cpus,
			 people_bytes(memory, r->memory_bytes));
	put_row(out, "machine", text);
	put_row(out, "filesystem", r->fs);
	put_row(out, "mounted with", r->mount_options);
	put_row(out, "device", r->device);
	put_row(out, "target", target ? target : "");
	put_taint(r, out);
	put_row(out, "stressd", STRESSD_VERSION);
	put_row(out, "run directory", r->run_dir);
	fputs("</dl>\n</section>\n", out);
}
