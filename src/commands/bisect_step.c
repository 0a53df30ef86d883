// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stressd bisect-step: one step of `git bisect run`. It has three answers and no other: good (0),
 * bad (1), cannot be tested (125). Whatever goes wrong is the third: git-bisect(1) takes any other
 * status for "bad", or ends.
 */
#include "commands/commands.h"

#include "base/stats.h"
#include "commands/search.h"
#include "search/repeat.h"

#include <errno.h>
#include <stdlib.h>

#define GOOD	     0
#define BAD	     1
#define CANNOT	     125
#define DEFAULT_RATE 0.25 /* of hits on a bad kernel, where nobody measured it */
#define BATCH	     16

static const char help[] =
	"usage: stressd bisect-step --kernel IMAGE [OPTIONS] SCENARIO\n"
	"For `git bisect run`: exit status 0, good: enough silent attempts; 1, bad: the finding;\n"
	"125: cannot be tested. What counts is --finding, else the scenario's \"expect\", else "
	"any.\n";

struct step {
	struct search s;
	struct repeat r;
	json_t *scenario;
	char name[65], expect[32];
};

static void on_tick(void *ctx)
{
	struct step *p = ctx;

	search_progress(&p->s, "%.0f s  %llu of %llu silent attempts",
			(double)(now_ns() - p->r.begun_ns) / 1e9, (unsigned long long)p->r.silent,
			(unsigned long long)p->r.times);
}

static void on_attempt(void *ctx, const struct repeat *r, struct try *a)
{
	struct step *p = ctx;

	a->keep = false;
	if (a->end != TRY_SILENT)
		search_say(&p->s, "attempt %llu: %s%s%s: %s\n", (unsigned long long)r->attempts,
			   try_end_names[a->end], *a->kind ? ", " : "", a->kind, a->text);
}

/* As many as were asked for; with --for alone, the time; else what the rate asks for. */
static u64 times_of(const struct search *s)
{
	if (s->times)
		return s->times;
	if (s->for_ns && s->rate <= 0)
		return 0;
	return silent_tries(s->rate > 0 ? s->rate : DEFAULT_RATE, s->confidence);
}

/*
 * Another finding is no answer: "bad" would send the bisection after another bug, and a run that
 * ended early because of it has not shown that the one looked for is gone. It does not count, and
 * when too few attempts are left that do, the kernel cannot be tested.
 */
static int verdict(const struct step *p, int error)
{
	const struct repeat *r = &p->r;

	if (r->hits)
		return BAD;
	if (error < 0 || p->s.runner.signalled || r->refused || r->skipped || r->gave_up)
		return CANNOT;
	if (r->times)
		return r->silent >= r->times ? GOOD : CANNOT;
	return r->silent && !r->unusable && !r->others ? GOOD : CANNOT;
}

static const char *verdict_text(int status)
{
	return status == GOOD ? "good" : status == BAD ? "bad" : "cannot be tested";
}

static void report(struct step *p, int status, const struct err *e)
{
	const struct repeat *r = &p->r;
	char what[400], rate[96];

	search_say(&p->s, "%s: %s: %s, hits %s, %llu other findings, %llu unusable%s%s\n", p->name,
		   verdict_text(status), wanted_text(&p->s.wanted, what, sizeof(what)),
		   search_rate(r->hits, repeat_complete(r), rate, sizeof(rate)),
		   (unsigned long long)r->others, (unsigned long long)(r->unusable + r->skipped),
		   e->text[0] ? "; " : "", e->text);
	search_json(&p->s,
		    json_pack("{ss ss ss sI sI sI sI si}", "type", "result", "scenario", p->name,
			      "verdict", verdict_text(status), "hits", (json_int_t)r->hits,
			      "silent", (json_int_t)r->silent, "others", (json_int_t)r->others,
			      "unusable", (json_int_t)(r->unusable + r->skipped), "exit", status));
}

static int run(struct step *p, const char *path)
{
	struct err e = { "" };
	int r, status;

	p->scenario = search_scenario(&p->s, path, p->name, p->expect, &e);
	r = p->scenario ? 0 : -EINVAL;
	if (r == 0 && *p->expect && !p->s.wanted.kinds)
		r = wanted_parse(p->expect, &p->s.wanted, &e);
	if (r == 0)
		r = search_begin(&p->s, p->name, &e);
	if (r == 0) {
		p->r.runner = &p->s.runner;
		p->r.scenario = p->scenario;
		p->r.seed = p->s.seed;
		p->r.times = times_of(&p->s);
		p->r.hits_wanted = 1;
		p->r.batch = BATCH;
		p->r.tell = on_attempt;
		p->r.ctx = p->s.runner.tick_ctx = p;
		p->s.runner.tick = on_tick;
		r = repeat_run(&p->r, &e);
	}
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	status = verdict(p, r);
	if (p->r.attempts)
		report(p, status, &e);
	return status;
}

int cmd_bisect_step(int argc, char **argv)
{
	struct step *p = calloc(1, sizeof(*p));
	int status;

	if (!p)
		return CANNOT;
	p->s.command = "bisect-step";
	status = search_options(&p->s, FOR_BISECT, help, argc, argv);
	/* --help is nobody's step. */
	if (status == EXIT_FINE) {
		free(p);
		return GOOD;
	}
	if (status < 0 && !p->s.kernel)
		status = usage_error("bisect-step", "expected --kernel IMAGE");
	if (status < 0 && argc - optind != 1)
		status = usage_error("bisect-step", "expected one scenario");
	status = status < 0 ? run(p, argv[optind]) : CANNOT;
	search_end(&p->s);
	json_decref(p->scenario);
	free(p);
	return status;
}
