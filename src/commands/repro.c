// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd repro, and `stressd run --until-hit`, which is another name of it. */
#include "commands/commands.h"

#include "base/stats.h"
#include "commands/search.h"
#include "search/repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_SKIP 4
#define BATCH	  16 /* attempts in one boot: most of them are not run when one hits */

static const char help[] =
	"usage: stressd repro [OPTIONS] SCENARIO\n"
	"Run a scenario again and again, each time with another seed, until it finds what is "
	"looked\n"
	"for. Exit status: 1 it did, 0 it did not, 3 no attempt came to an end, 4 skipped.\n";

struct repro {
	struct search s;
	struct repeat r;
	json_t *scenario;
	char name[65];
};

static void on_tick(void *ctx)
{
	struct repro *p = ctx;
	const struct repeat *r = &p->r;
	char rate[96];

	search_progress(&p->s, "%.0f s  attempt %llu  hits %s%s",
			(double)(now_ns() - r->begun_ns) / 1e9, (unsigned long long)r->attempts + 1,
			search_rate(r->hits, repeat_complete(r), rate, sizeof(rate)),
			r->unusable ? "  some unusable" : "");
}

static void on_attempt(void *ctx, const struct repeat *r, struct try *a)
{
	struct repro *p = ctx;
	char rate[96];

	if (a->end != TRY_SILENT)
		search_say(&p->s, "attempt %llu: %s%s%s: %s\n", (unsigned long long)r->attempts,
			   try_end_names[a->end], *a->kind ? ", " : "", a->kind, a->text);
	if (a->end == TRY_HIT)
		search_say(&p->s, "  %.2f s into the run; hits %s\n", a->hit_s,
			   search_rate(r->hits, repeat_complete(r), rate, sizeof(rate)));
	search_json(&p->s, json_pack("{ss sI ss sI ss ss sf sf ss}", "type", "attempt", "n",
				     (json_int_t)r->attempts, "end", try_end_names[a->end], "seed",
				     (json_int_t)a->seed, "kind", a->kind, "sentence", a->text,
				     "hit_s", a->end == TRY_HIT ? a->hit_s : 0.0, "took_s",
				     a->took_s, "run_dir", a->keep ? a->dir : ""));
}

/* As a run has them. Attempts that did not come to an end prove nothing. */
static int exit_of(const struct repeat *r)
{
	if (r->hits)
		return EXIT_FINDING;
	if (r->refused)
		return EXIT_USAGE;
	if (r->skipped)
		return EXIT_SKIP;
	return !repeat_complete(r) || r->gave_up ? EXIT_TROUBLE : EXIT_FINE;
}

static void report_text(struct repro *p, int status)
{
	const struct repeat *r = &p->r;
	struct search *s = &p->s;
	char text[400];

	search_say(s, "%s  %s: %s\n",
		   r->hits  ? "HIT"
		   : status ? "NO VERDICT"
			    : "SILENT",
		   p->name, wanted_text(&s->wanted, text, sizeof(text)));
	search_say(s,
		   "  attempts   %llu: %llu hit, %llu silent, %llu other findings, %llu unusable\n",
		   (unsigned long long)r->attempts, (unsigned long long)r->hits,
		   (unsigned long long)r->silent, (unsigned long long)r->others,
		   (unsigned long long)(r->unusable + r->skipped));
	search_say(s, "  hit rate   %s\n",
		   search_rate(r->hits, repeat_complete(r), text, sizeof(text)));
	search_say(s, "  time       %.1f s in all\n", (double)(now_ns() - r->begun_ns) / 1e9);
	if (!r->hits) {
		if (status && *r->last.text)
			search_say(s, "  the last   %s\n", r->last.text);
		return;
	}
	search_say(s, "  first hit  after %.1f s; median of the time in a run %.2f s\n",
		   r->first_hit_s, repeat_median_s(r));
	search_say(s, "  finding    %s: %s\n", r->last.kind, r->last.text);
	search_say(s, "  evidence   %s\n", r->last.dir);
	search_say(s, "  repeat     stressd %s", s->kernel ? "vm" : "run");
	for (size_t i = 0; i < s->runner.nargs; i++)
		search_say(s, strchr(s->runner.args[i], ' ') ? " '%s'" : " %s", s->runner.args[i]);
	search_say(s, " %s\n", r->last.path);
}

static void report_json(struct repro *p, int status)
{
	const struct repeat *r = &p->r;
	double lo, hi;

	rate_interval(r->hits, repeat_complete(r), &lo, &hi);
	search_json(&p->s,
		    json_pack("{ss ss sI sI sI sI sI s[ff] sf sf sf ss si}", "type", "result",
			      "scenario", p->name, "attempts", (json_int_t)r->attempts, "hits",
			      (json_int_t)r->hits, "silent", (json_int_t)r->silent, "others",
			      (json_int_t)r->others, "unusable",
			      (json_int_t)(r->unusable + r->skipped), "hit_rate_95", lo, hi,
			      "median_hit_s", repeat_median_s(r), "first_hit_s", r->first_hit_s,
			      "took_s", (double)(now_ns() - r->begun_ns) / 1e9, "run_dir", p->s.dir,
			      "exit", status));
}

static int run(struct repro *p, const char *path)
{
	struct err e = { "" };
	char expect[32];
	int r, status;

	p->scenario = search_scenario(&p->s, path, p->name, expect, &e);
	r = p->scenario ? search_begin(&p->s, p->name, &e) : -EINVAL;
	if (r == 0) {
		p->r.runner = &p->s.runner;
		p->r.scenario = p->scenario;
		p->r.seed = p->s.seed;
		p->r.times = p->s.times;
		p->r.hits_wanted = p->s.hits;
		p->r.others_tell = true;
		p->r.keep = p->s.keep;
		p->r.batch = p->s.kernel ? BATCH : 1;
		p->r.tell = on_attempt;
		p->r.ctx = p->s.runner.tick_ctx = p;
		p->s.runner.tick = on_tick;
		r = repeat_run(&p->r, &e);
	}
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	status = r < 0 && !p->r.hits ? search_status(r) : exit_of(&p->r);
	if (p->r.attempts) {
		report_text(p, status);
		report_json(p, status);
	}
	return status;
}

int cmd_repro(int argc, char **argv)
{
	struct repro *p = calloc(1, sizeof(*p));
	int status;

	if (!p)
		return EXIT_TROUBLE;
	p->s.command = "repro";
	status = search_options(&p->s, FOR_REPRO, help, argc, argv);
	if (status < 0 && argc - optind != 1)
		status = usage_error("repro", "expected one scenario");
	if (status < 0)
		status = run(p, argv[optind]);
	search_end(&p->s);
	json_decref(p->scenario);
	free(p);
	return status;
}
