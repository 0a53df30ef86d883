// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metrics.prom: a run as metrics in Prometheus's text format, for the textfile collector. All are
 * gauges: the next run of a scenario starts at nothing.
 */
#include "report/chars.h"
#include "report/report.h"

#include <string.h>

/* The value of a label: backslash, quote and line end are escaped, other bytes must be UTF-8. */
static void put_label(FILE *out, const char *name, const char *value)
{
	char *text = text_for(value, MEDIUM_TERMINAL);

	fprintf(out, "%s=\"", name);
	for (const char *c = text ? text : ""; *c; c++) {
		if (*c == '\\' || *c == '"')
			fputc('\\', out);
		fputc(*c, out);
	}
	fputc('"', out);
	free(text);
}

static void put_scenario(const struct run_result *r, FILE *out)
{
	put_label(out, "scenario", r->sc && r->sc->name ? r->sc->name : "stressd");
	fputc(',', out);
	put_label(out, "fs", r->fs);
}

static void put_head(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP stressd_%s %s\n# TYPE stressd_%s gauge\n", name, help, name);
}

static double ops(const struct run_result *r)
{
	return (double)r->ops;
}
static double cells(const struct run_result *r)
{
	return (double)r->cells;
}
static double checks(const struct run_result *r)
{
	return (double)r->cells_checked;
}
static double open_checks(const struct run_result *r)
{
	return (double)r->cells_open;
}
static double lost(const struct run_result *r)
{
	return (double)r->klog_lost;
}
static double events(const struct run_result *r)
{
	return (double)r->klog_events;
}
static double status(const struct run_result *r)
{
	return (double)r->exit;
}
static double started(const struct run_result *r)
{
	return (double)r->started.tv_sec;
}
static double setup(const struct run_result *r)
{
	return r->setup_s;
}
static double duration(const struct run_result *r)
{
	return r->duration_s;
}
static double verify(const struct run_result *r)
{
	return r->verify_s;
}

static const struct {
	const char *name, *help;
	double (*value)(const struct run_result *r);
} metrics[] = {
	{ "run_exit_status", "exit status: 0 nothing found, 1 a finding, see stressd(1)", status },
	{ "run_start_time_seconds", "when the run began, since the epoch", started },
	{ "run_setup_seconds", "time until the first operation", setup },
	{ "run_duration_seconds", "from the first operation to the stop", duration },
	{ "run_verify_seconds", "time of the final check", verify },
	{ "run_operations", "operations of all workers", ops },
	{ "run_cells", "cells under account", cells },
	{ "run_cell_checks", "checks of cells", checks },
	{ "run_cell_checks_open", "checks too close to a write to judge", open_checks },
	{ "run_kernel_log_events", "events of the kernel log that a rule matched", events },
	{ "run_kernel_log_lost_records", "records that were lost before they were read", lost },
};

static void put_metrics(const struct run_result *r, FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		put_head(out, metrics[i].name, metrics[i].help);
		fprintf(out, "stressd_%s{", metrics[i].name);
		put_scenario(r, out);
		fprintf(out, "} %.15g\n", metrics[i].value(r));
	}
}

/* All kinds, so that one that was never found has a value, too. */
static void put_findings(const struct run_result *r, FILE *out)
{
	put_head(out, "run_findings", "findings by kind");
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		size_t n = 0;

		for (size_t i = 0; i < r->nfindings; i++)
			n += r->findings[i]->kind == kind;
		fputs("stressd_run_findings{", out);
		put_scenario(r, out);
		fprintf(out, ",kind=\"%s\"} %zu\n", finding_infos[kind].name, n);
	}
}

static void put_verdicts(const struct run_result *r, FILE *out)
{
	put_head(out, "run_verdict", "1 for the verdict of the run, 0 for the others");
	for (int v = 0; v < VERDICTS; v++) {
		fputs("stressd_run_verdict{", out);
		put_scenario(r, out);
		fprintf(out, ",verdict=\"%s\"} %d\n", verdict_names[v], v == r->verdict);
	}
}

static void put_races(const struct run_result *r, FILE *out)
{
	static const char *const names[] = { "attempts", "overlaps", "hits" };

	if (!r->nraces)
		return;
	put_head(out, "run_race", "attempts of a race, how many overlapped, and hits");
	for (size_t i = 0; i < r->nraces; i++) {
		const struct race_result *x = &r->races[i];
		const u64 values[] = { x->attempts, x->overlaps, x->hits };

		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			fputs("stressd_run_race{", out);
			put_scenario(r, out);
			fputc(',', out);
			put_label(out, "race", x->name);
			fprintf(out, ",of=\"%s\"} %llu\n", names[v], (unsigned long long)values[v]);
		}
	}
}

static int write_prometheus(const struct run_result *r, FILE *out)
{
	put_head(out, "run_info", "what was run, on what");
	fputs("stressd_run_info{", out);
	put_scenario(r, out);
	fputc(',', out);
	put_label(out, "kernel", r->kernel);
	fputc(',', out);
	put_label(out, "machine", r->machine);
	fprintf(out, ",version=\"%s\",seed=\"%llu\"} 1\n", STRESSD_VERSION,
		(unsigned long long)r->seed);
	put_verdicts(r, out);
	put_metrics(r, out);
	put_findings(r, out);
	put_races(r, out);
	return report_flush(out);
}

const struct report_format report_format_prometheus = {
	.name = "prometheus",
	.help = "metrics for the textfile collector",
	.file = "metrics.prom",
	.on_request = true,
	.write = write_prometheus,
};
