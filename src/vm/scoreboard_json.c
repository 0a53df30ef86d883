// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scoreboard.json: everything, for programs. Keys are only ever added within version 1. A value
 * that is not known, or that there is none of, is null.
 */
#include "vm/scoreboard.h"

#define SCOREBOARD_VERSION 1

/* As in report/json.c: whole or not at all. */
static json_t *append(json_t *all, json_t *item)
{
	if (json_array_append_new(all, item) == 0)
		return all;
	json_decref(all);
	return NULL;
}

static json_t *number(u64 v)
{
	return json_integer((json_int_t)MIN(v, (u64)INT64_MAX));
}

static json_t *ms(u64 ns)
{
	return json_real((double)ns / 1e6);
}

static json_t *text_or_null(const char *s)
{
	return s && *s ? json_text(s) : json_null();
}

static json_t *strings(char *const *list)
{
	json_t *all = json_array();

	for (; *list; list++)
		all = append(all, json_text(*list));
	return all;
}

static json_t *kinds_to_json(u64 kinds)
{
	json_t *all = json_array();

	for (int i = 0; i < FINDING_KINDS; i++)
		if (kinds >> i & 1)
			all = append(all, json_string(finding_infos[i].name));
	return all;
}

static json_t *attempt_to_json(const struct attempt *a)
{
	bool found = a->end == ATTEMPT_DETECTED || a->end == ATTEMPT_WRONG;

	return json_pack("{so ss so so so so so so}", "seed", number(a->seed), "outcome",
			 attempt_names[a->end], "finding",
			 found ? json_string(finding_infos[a->kind].name) : json_null(), "time_ms",
			 found ? ms(a->time_ns) : json_null(), "hits",
			 a->hits < 0 ? json_null() : number((u64)a->hits), "text",
			 text_or_null(a->text), "run_dir", text_or_null(a->dir), "cut_ms",
			 a->cut_ns ? ms(a->cut_ns) : json_null());
}

static json_t *attempts_to_json(const struct trial *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->n; i++)
		all = append(all, attempt_to_json(&t->attempts[i]));
	return all;
}

/* "open": the value is the limit of attempts that found nothing; the time is longer. */
static json_t *time_to_json(u64 ns, bool open)
{
	return json_pack("{so sb}", "ms", ms(ns), "open", open);
}

static json_t *trial_to_json(const struct scoreboard *b, const struct trial *t)
{
	struct trial_stats s = trial_stats(t);

	return json_pack("{so so so so so so so so so so so so}", "scenario",
			 json_text(b->list.scenarios[t->scenario]->name), "kernel",
			 t->kernel < 0 ? json_null() : json_integer(t->kernel), "append",
			 text_or_null(t->append), "reason", text_or_null(t->why), "limit_ms",
			 ms(t->limit_ns), "attempts", attempts_to_json(t), "counted", number(s.n),
			 "detected", number(s.detected), "as", kinds_to_json(s.kinds), "median",
			 s.n ? time_to_json(s.median_ns, s.median_open) : json_null(), "fastest",
			 s.n ? time_to_json(s.fastest_ns, !s.detected) : json_null(), "slowest",
			 s.n ? time_to_json(s.slowest_ns, s.slowest_open) : json_null());
}

static json_t *trials_to_json(const struct scoreboard *b, size_t first, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		all = append(all, trial_to_json(b, &b->trials[first + i]));
	return all;
}

static json_t *mutants_to_json(const struct scoreboard *b, const struct mutant_score *scores,
			       size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct mutant_score *s = &scores[i];
		const struct mutant *m = s->mutant;

		all = append(all,
			     json_pack("{so so so so ss ss so so so so sb}", "id", number(m->id),
				       "name", json_text(m->name), "summary", json_text(m->summary),
				       "findings", strings(m->findings), "boot",
				       m->boot == MUTANT_OWN ? "own" : "shared", "outcome",
				       attempt_names[s->end], "missed", text_or_null(m->missed),
				       "counted", number(s->n), "detected", number(s->detected),
				       "trials", trials_to_json(b, s->first, s->ntrials), "failed",
				       s->failed));
	}
	return all;
}

static json_t *kernels_to_json(const struct scoreboard *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->o->nkernels; i++)
		all = append(all, json_pack("{so so}", "path", json_text(b->kernels[i].path),
					    "release", text_or_null(b->kernels[i].image.release)));
	return all;
}

static json_t *started_to_json(const struct scoreboard *b)
{
	char text[32];
	struct tm tm;

	if (!gmtime_r(&b->started.tv_sec, &tm))
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_t *sum_to_json(const struct score_sum *s)
{
	return json_pack("{so so so so so so so so}", "mutants", number(s->mutants), "detected",
			 number(s->detected), "failed", number(s->failed), "known_missed",
			 number(s->listed_missed), "not_run", number(s->not_run), "healthy",
			 number(s->healthy), "silent", number(s->silent), "false_alarms",
			 number(s->false_alarms));
}

int scoreboard_json(const struct scoreboard *b, FILE *out)
{
	size_t n;
	_cleanup_free_ struct mutant_score *scores = mutant_scores(b, &n);
	struct score_sum sum = scores ? score_sum(b, scores, n) : (struct score_sum){ 0 };
	_cleanup_json_ json_t *o =
		!scores ? NULL
			: json_pack("{si si so sf sb so ss so so so so so so}", "version",
				    SCOREBOARD_VERSION, "exit", sum.exit, "started",
				    started_to_json(b), "duration_s", b->duration_s, "interrupted",
				    b->interrupted, "sum", sum_to_json(&sum), "stressd",
				    STRESSD_VERSION, "kernels", kernels_to_json(b), "cpus",
				    number(b->o->vm.cpus), "memory_bytes",
				    number(b->o->vm.memory_bytes), "boots", number(b->boots),
				    "mutants", mutants_to_json(b, scores, n), "healthy",
				    trials_to_json(b, b->nmutated, b->n - b->nmutated));

	return report_put_json(o, out);
}
