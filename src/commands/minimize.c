// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd minimize: what goes in, what is said meanwhile, and the smaller scenario as a file. */
#include "commands/commands.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"
#include "base/stats.h"
#include "commands/search.h"
#include "search/minimize.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_ 64 /* of a scenario */

static const char help[] =
	"usage: stressd minimize [OPTIONS] RUNDIR|SCENARIO\n"
	"Take away workers, races, steps, options and sizes for as long as the finding stays, and "
	"write\n"
	"the scenario that is left. Exit status: 0 written, 3 the finding did not come, 4 "
	"skipped.\n";

struct command {
	struct search s;
	struct minimize m;
	char path[PATH_MAX], output[PATH_MAX], name[65], expect[32];
	u64 begun_ns, workers_before;
	struct err written; /* why it could not be */
};

/* What a run that failed was found to do: its first finding. */
static void wanted_of_run(struct command *c, const char *dir)
{
	_cleanup_json_ json_t *result = NULL;
	const json_t *first;
	const char *title;
	char path[PATH_MAX];
	struct err e;

	if (path_set(path, sizeof(path), "%s/result.json", dir) < 0)
		return;
	result = json_load_file(path, 0, NULL);
	first = json_array_get(json_object_get(result, "findings"), 0);
	if (!first ||
	    wanted_parse(json_string_value(json_object_get(first, "kind")), &c->s.wanted, &e))
		return;
	title = json_string_value(json_object_get(first, "title"));
	snprintf(c->s.wanted.title, sizeof(c->s.wanted.title), "%s", title ? title : "");
}

/* --finding, what the run found, what the scenario expects; else what comes first. */
static int load(struct command *c, const char *given, struct err *e)
{
	_cleanup_json_ json_t *checked = NULL;
	struct stat st;
	bool dir = stat(given, &st) == 0 && S_ISDIR(st.st_mode);
	int r = path_set(c->path, sizeof(c->path), dir ? "%s/scenario.json" : "%s", given);

	if (r < 0)
		return err_set(e, -EINVAL, "%s: the path is too long", given);
	if (dir && !c->s.wanted.kinds)
		wanted_of_run(c, given);
	checked = search_scenario(&c->s, c->path, c->name, c->expect, e);
	if (!checked || form_load(c->path, &c->m.form, e) < 0)
		return -EINVAL;
	if (!c->s.wanted.kinds && *c->expect)
		wanted_parse(c->expect, &c->s.wanted, e);
	if (c->s.duration)
		json_object_set_new(c->m.form, "duration", json_string(c->s.duration));
	c->workers_before = json_array_size(json_object_get(c->m.form, "workers"));
	return 0;
}

static int choose_output(struct command *c, struct err *e)
{
	int r = c->s.output ? path_set(c->output, sizeof(c->output), "%s", c->s.output)
			    : path_set(c->output, sizeof(c->output), "%.60s-min.json", c->name);

	if (r < 0)
		return err_set(e, -EINVAL, "--output: the path is too long");
	if (!c->s.output && access(c->output, F_OK) == 0)
		return err_set(e, -EINVAL, "%s is there already; name another one with --output",
			       c->output);
	return 0;
}

/* As text that loads: the same scenario, by another name, and with what it is to find. */
static char *text_of(const struct command *c)
{
	_cleanup_json_ json_t *to = json_copy(c->m.current.scenario);
	const u64 kinds = c->s.wanted.kinds;
	char name[80];

	snprintf(name, sizeof(name), "%.*s-min", NAME_MAX_ - 4, c->name);
	json_object_set_new(to, "name", json_string(name));
	if (kinds && !(kinds & (kinds - 1)))
		json_object_set_new(to, "expect",
				    json_string(finding_infos[__builtin_ctzll(kinds)].name));
	return json_dumps(to, JSON_INDENT(2));
}

/* After each step: whatever happens next, the best so far is on disk. */
static void write_smaller(struct command *c)
{
	_cleanup_free_ char *text = text_of(c);
	_cleanup_free_ char *line = NULL;
	int r = text && asprintf(&line, "%s\n", text) > 0
			? write_file_atomic(c->output, line, strlen(line), 0644)
			: -ENOMEM;

	if (r < 0 && !c->written.text[0])
		err_set(&c->written, r, "%s: cannot be written: %s", c->output, strerror(-r));
}

static size_t workers_of(const struct minimize *m)
{
	return json_array_size(json_object_get(m->current.scenario, "workers"));
}

static double elapsed_s(const struct command *c)
{
	return (double)(now_ns() - c->begun_ns) / 1e9;
}

static void on_tick(void *ctx)
{
	struct command *c = ctx;
	const struct minimize *m = &c->m;

	search_progress(&c->s, "%.0f s  %s  %zu of %llu workers  %llu candidates  %llu attempts",
			elapsed_s(c), m->row ? m->row : "", workers_of(m),
			(unsigned long long)c->workers_before, (unsigned long long)m->candidates,
			(unsigned long long)m->trials.run);
}

static const char *answer_of(const struct minimize *m)
{
	const struct trial *t = m->trial;

	if (t->answer == SEQUENTIAL_KEPT)
		return "can go";
	if (t->unusable && !t->hits)
		return "cannot go: it does not run without";
	return m->together > 1 ? "cannot all go" : "is needed";
}

static void say_measured(struct command *c)
{
	const struct minimize *m = &c->m;
	char what[400], rate[96];
	double p = minimize_rate(m);

	search_say(&c->s, "looking for %s\n", wanted_text(&c->s.wanted, what, sizeof(what)));
	search_say(&c->s, "as given: hits %s, after %.2f s (median)\n",
		   search_rate(m->first_hits, m->first_n, rate, sizeof(rate)), m->first_median_s);
	search_say(&c->s,
		   "a part is needed when the rate without it is below %.0f %%, which %llu "
		   "silent attempts in a row mean\n",
		   100 * p * m->fraction, (unsigned long long)silent_tries(p, m->confidence));
}

static void on_event(void *ctx, const struct minimize *m, enum minimize_event event)
{
	struct command *c = ctx;
	char rate[96];

	switch (event) {
	case MINIMIZE_ATTEMPT:
		on_tick(c);
		break;
	case MINIMIZE_MEASURED:
		say_measured(c);
		break;
	case MINIMIZE_TRIAL:
		search_say(&c->s, "%6.0f s  %s: %s; hits %s\n", elapsed_s(c), m->what, answer_of(m),
			   search_rate(m->trial->hits, m->trial->attempts, rate, sizeof(rate)));
		search_json(&c->s,
			    json_pack("{ss ss ss sb sI sI sf}", "type", "trial", "reduction",
				      m->row, "what", m->what, "gone",
				      m->trial->answer == SEQUENTIAL_KEPT, "hits",
				      (json_int_t)m->trial->hits, "attempts",
				      (json_int_t)m->trial->attempts, "elapsed_s", elapsed_s(c)));
		break;
	case MINIMIZE_SMALLER:
		write_smaller(c);
		break;
	case MINIMIZE_SURE:
		break;
	}
}

static void table(struct command *c, bool gone)
{
	const struct minimize *m = &c->m;
	bool any = false;

	for (size_t i = 0; i < m->nparts; i++) {
		const struct part *p = &m->parts[i];
		char rate[96];

		if (gone ? !p->gone : !minimize_stayed(m, p))
			continue;
		if (!any)
			search_say(&c->s, gone ? "went:\n" : "mattered:\n");
		any = true;
		search_rate(p->hits, p->attempts, rate, sizeof(rate));
		if (p->gone && p->with)
			search_say(&c->s, "  %-50s without it and %zu others: %s\n", p->what,
				   p->with, rate);
		else
			search_say(&c->s, "  %-50s without it: %s%s%s\n", p->what, rate,
				   *p->text ? "; " : "", p->text);
	}
}

static void report_text(struct command *c, bool all)
{
	const struct minimize *m = &c->m;
	char rate[96];

	table(c, true);
	table(c, false);
	search_say(&c->s, "as given    hits %s, after %.2f s (median)\n",
		   search_rate(m->first_hits, m->first_n, rate, sizeof(rate)), m->first_median_s);
	if (m->last_n)
		search_say(&c->s, "as written  hits %s, after %.2f s (median)%s\n",
			   search_rate(m->last_hits, m->last_n, rate, sizeof(rate)),
			   m->last_median_s,
			   m->fell ? "\nWARNING: it hits less often than was asked for: see "
				     "--keep-rate"
				   : "");
	else
		search_say(&c->s,
			   "as written  hits %s when its last part went; there was no time "
			   "to measure it anew\n",
			   search_rate(m->current.hits, m->current.attempts, rate, sizeof(rate)));
	search_say(&c->s,
		   "%s  %zu of %llu workers, in %.0f s: %llu candidates, %llu attempts%s%s\n",
		   c->output, workers_of(m), (unsigned long long)c->workers_before, elapsed_s(c),
		   (unsigned long long)m->candidates, (unsigned long long)m->trials.run,
		   c->s.kernel ? ", in guests" : "",
		   all ? "" : "; stopped before everything was tried");
}

static void report_json(struct command *c, bool all, int status)
{
	const struct minimize *m = &c->m;
	json_t *parts = json_array();

	for (size_t i = 0; i < m->nparts; i++) {
		const struct part *p = &m->parts[i];

		if (p->gone || minimize_stayed(m, p))
			json_array_append_new(parts,
					      json_pack("{ss ss sb sI sI sI ss}", "what", p->what,
							"reduction", p->reduction, "gone", p->gone,
							"with", (json_int_t)p->with, "hits",
							(json_int_t)p->hits, "attempts",
							(json_int_t)p->attempts, "text", p->text));
	}
	search_json(&c->s,
		    json_pack("{ss ss ss sb s{sI sI sf} s{sI sI sf} sb sI sI sf so si}", "type",
			      "result", "scenario", c->name, "output", c->output, "complete", all,
			      "given", "hits", (json_int_t)m->first_hits, "attempts",
			      (json_int_t)m->first_n, "median_hit_s", m->first_median_s, "written",
			      "hits", (json_int_t)m->last_hits, "attempts", (json_int_t)m->last_n,
			      "median_hit_s", m->last_median_s, "fell", m->fell, "workers",
			      (json_int_t)workers_of(m), "candidates", (json_int_t)m->candidates,
			      "took_s", elapsed_s(c), "parts", parts, "exit", status));
}

/* Without anything measured there is nothing to write; otherwise the best so far is there. */
static int settle(struct command *c, int r, const struct err *e)
{
	int status = search_status(r);
	bool measured = c->m.current.scenario && c->m.first_hits;

	if (r < 0 && r != -EINTR)
		fprintf(stderr, "stressd: %s\n", e->text);
	if (c->written.text[0])
		fprintf(stderr, "stressd: %s\n", c->written.text);
	if (!measured) {
		if (r == -EINTR)
			fprintf(stderr, "stressd: stopped before the finding came once\n");
		return status;
	}
	status = (r == 0 || r == -EINTR) && !c->written.text[0] ? EXIT_FINE : EXIT_TROUBLE;
	report_text(c, r == 0);
	report_json(c, r == 0, status);
	return status;
}

static int run(struct command *c, const char *given)
{
	struct err e = { "" };
	int r;

	c->begun_ns = now_ns();
	r = load(c, given, &e);
	if (r == 0)
		r = choose_output(c, &e);
	if (r == 0)
		r = search_begin(&c->s, c->name, &e);
	if (r == 0) {
		c->m.runner = &c->s.runner;
		c->m.wanted = &c->s.wanted;
		c->m.seed = c->s.seed;
		c->m.fraction = c->s.fraction;
		c->m.confidence = c->s.confidence;
		c->m.tell = on_event;
		c->m.ctx = c->s.runner.tick_ctx = c;
		c->s.runner.tick = on_tick;
		r = minimize(&c->m, &e);
	}
	return settle(c, r, &e);
}

int cmd_minimize(int argc, char **argv)
{
	struct command *c = calloc(1, sizeof(*c));
	int status;

	if (!c)
		return EXIT_TROUBLE;
	c->s.command = "minimize";
	status = search_options(&c->s, FOR_MINIMIZE, help, argc, argv);
	if (status < 0 && argc - optind != 1)
		status = usage_error("minimize", "expected one run directory or one scenario");
	if (status < 0)
		status = run(c, argv[optind]);
	search_end(&c->s);
	minimize_free(&c->m);
	free(c);
	return status;
}
