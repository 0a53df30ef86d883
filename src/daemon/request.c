// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands as a table: name, who may, keys, function. A request is one object with "command"
 * and the keys of it; the answer is lines, the last of them of type "result" or "error".
 */
#include "daemon/internal.h"

#include "report/report.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

#define ROWS_BYTES MIB /* of answer that is unread: no more rows then */

struct request {
	struct daemon *d;
	struct client *c;
	const json_t *object;
	void *block; /* of the command's options */
	json_t *resolved;
	struct json_at at;
	struct err *e;
};

struct status_request {
	u64 id, limit;
};

static const struct opt_def status_options[] = {
	OPT(struct status_request, id, OPT_COUNT, .def = "", .help = "of one job; default: all"),
	OPT(struct status_request, limit, OPT_COUNT, .def = "20", .max = "1000",
	    .help = "of jobs that have ended, the newest"),
	{ .type = OPT_END },
};

struct cancel_request {
	u64 id;
};

static const struct opt_def cancel_options[] = {
	OPT(struct cancel_request, id, OPT_COUNT, .min = "1", .help = "of the job"),
	{ .type = OPT_END },
};

struct results_request {
	char *scenario, *fingerprint;
	u64 limit;
};

static const struct opt_def results_options[] = {
	OPT(struct results_request, scenario, OPT_STRING, .min = "1", .help = "its name"),
	OPT(struct results_request, fingerprint, OPT_STRING, .pattern = "^[0-9a-f]{16}$",
	    .expects = "16 hexadecimal digits", .help = "of a finding, instead"),
	OPT(struct results_request, limit, OPT_COUNT, .def = "20", .min = "1", .max = "1000",
	    .help = "runs, the newest"),
	{ .type = OPT_END },
};

struct watch_request {
	bool live;
};

static const struct opt_def watch_options[] = {
	OPT(struct watch_request, live, OPT_BOOL, .def = "true",
	    .help = "what goes on within jobs that run, too"),
	{ .type = OPT_END },
};

static void answer(struct request *q, json_t *o)
{
	client_send(q->d, q->c, o);
}

static bool is_full(const struct request *q)
{
	return q->c->out_len - q->c->out_at > ROWS_BYTES;
}

static void answer_job(struct request *q, const char *type, const struct job *j)
{
	answer(q, json_pack("{ss so}", "type", type, "job", job_to_json(j)));
}

static int find(struct request *q, u64 id, struct entry **ret)
{
	*ret = queue_find(q->d, id);
	return *ret ? 0
		    : json_fail(&AT_KEY(&q->at, "id"),
				"there is no job %llu; expected one that `status` lists",
				(unsigned long long)id);
}

static int on_submit(struct request *q)
{
	struct entry *en;
	int r;

	if (q->d->stopping)
		return err_set(q->e, -EAGAIN, "the daemon is stopping; submit it again later");
	if (queue_count(q->d, JOB_QUEUED) >= QUEUED_MAX)
		return err_set(q->e, -EAGAIN, "%d jobs are queued; submit it again later",
			       QUEUED_MAX);
	r = submit_take(q->d, q->c->uid, q->object, q->block, q->resolved, &q->at, &en);
	if (r == 0) {
		answer_job(q, "result", &en->job);
		queue_run(q->d);
	}
	return r;
}

static int on_cancel(struct request *q)
{
	const struct cancel_request *o = q->block;
	struct entry *en;
	int r = find(q, o->id, &en);

	if (r < 0)
		return r;
	if (job_ended(&en->job))
		return json_fail(&AT_KEY(&q->at, "id"),
				 "job %llu is %s; expected one that is queued or running",
				 (unsigned long long)o->id, job_state_names[en->job.state]);
	queue_cancel(q->d, en);
	answer_job(q, "result", &en->job);
	queue_run(q->d);
	return 0;
}

static int on_status(struct request *q)
{
	const struct status_request *o = q->block;
	struct daemon *d = q->d;
	struct entry *en;
	bool truncated = false;
	size_t ended = 0;

	if (o->id) {
		int r = find(q, o->id, &en);

		if (r == 0)
			answer_job(q, "result", &en->job);
		return r;
	}
	for (size_t i = 0; i < d->nentries; i++)
		ended += job_ended(&d->entries[i]->job);
	for (size_t i = 0; i < d->nentries; i++) {
		const struct job *j = &d->entries[i]->job;

		if (!job_ended(j) || ended-- <= o->limit) {
			truncated = is_full(q);
			if (!truncated)
				answer_job(q, "job", j);
		}
	}
	answer(q, json_pack("{ss sb sI sI sI sI sI}", "type", "result", "truncated", truncated,
			    "queued", (json_int_t)queue_count(d, JOB_QUEUED), "running",
			    (json_int_t)queue_count(d, JOB_RUNNING), "vms",
			    (json_int_t)d->config->vms, "cpus", (json_int_t)d->config->cpus,
			    "memory", (json_int_t)d->config->memory_bytes));
	return 0;
}

static int on_watch(struct request *q)
{
	const struct watch_request *o = q->block;

	q->c->watching = true;
	q->c->live = o->live;
	answer(q, json_pack("{ss}", "type", "result"));
	return 0;
}

static int on_run(void *ctx, const struct store_run *r)
{
	struct request *q = ctx;

	if (is_full(q))
		return 1;
	answer(q,
	       json_pack("{ss so so so so so so so sI sI sf}", "type", "run", "scenario",
			 json_text(r->scenario), "target", json_text(r->target), "kernel",
			 json_text(*r->label ? r->label : r->release), "night", json_text(r->night),
			 "verdict", json_text(r->verdict), "reason", json_text(r->reason), "dir",
			 json_text(r->dir), "seed", (json_int_t)r->seed, "started",
			 (json_int_t)r->started_s, "duration_s", r->duration_s));
	return 0;
}

static int on_rate(void *ctx, const struct store_rate *r)
{
	struct request *q = ctx;

	if (is_full(q))
		return 1;
	answer(q,
	       json_pack("{ss so sI sI sI sI}", "type", "rate", "scenario", json_text(r->scenario),
			 "hits", (json_int_t)r->hits, "tries", (json_int_t)r->tries, "first",
			 (json_int_t)r->first_s, "last", (json_int_t)r->last_s));
	return 0;
}

/* Readers of the store wait for nobody (its journal is a log), so this needs no process. */
static int on_results(struct request *q)
{
	const struct results_request *o = q->block;
	struct store *s;
	int r = store_open(q->d->store, STORE_READ, &s, q->e);

	if (r < 0)
		return r;
	if (o->fingerprint)
		r = store_runs_of_fingerprint(s, o->fingerprint, o->limit, on_run, q, q->e);
	else if (o->scenario)
		r = store_runs_of_scenario(s, o->scenario, o->limit, on_run, q, q->e);
	else
		r = store_rates_of_scenario(s, "", on_rate, q, q->e);
	store_close(s);
	if (r >= 0)
		answer(q, json_pack("{ss sb}", "type", "result", "truncated", r > 0));
	return MIN(r, 0);
}

static const struct command {
	const char *name;
	bool changes; /* only for who may change things; anyone who can connect may look */
	const struct opt_def *options;
	size_t size;
	int (*fn)(struct request *q);
} commands[] = {
	{ "submit", true, job_options, sizeof(struct job_spec), on_submit },
	{ "cancel", true, cancel_options, sizeof(struct cancel_request), on_cancel },
	{ "status", false, status_options, sizeof(struct status_request), on_status },
	{ "watch", false, watch_options, sizeof(struct watch_request), on_watch },
	{ "results", false, results_options, sizeof(struct results_request), on_results },
};

static int run(struct request *q, const struct command *command)
{
	int r;

	if (command->changes && !q->c->may_change)
		return err_set(q->e, -EPERM,
			       "user %u may not %s; root may, and members of the "
			       "group that the daemon is configured with",
			       (unsigned int)q->c->uid, command->name);
	q->block = calloc(1, command->size + 1);
	if (!q->block)
		return json_fail_memory(&q->at);
	r = option_decode(command->options, "command", q->object, q->block, &q->at, &q->resolved);
	if (r == 0)
		r = command->fn(q);
	option_free(command->options, q->block);
	json_decref(q->resolved);
	free(q->block);
	return r;
}

static int dispatch(struct request *q)
{
	const json_t *name = json_object_get(q->object, "command");
	char shown[JSON_SHOW_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(commands) && json_is_string(name); i++)
		if (!strcmp(commands[i].name, json_string_value(name)))
			return run(q, &commands[i]);
	return json_fail(&AT_KEY(&q->at, "command"),
			 "%s is no command; expected submit, cancel, status, watch or results",
			 name ? json_show(shown, name) : "nothing");
}

void request_handle(struct daemon *d, struct client *c, const char *line, size_t len)
{
	struct err e = { "" };
	struct json_doc doc = { .path = "request", .text = line, .len = len, .e = &e };
	json_error_t error;
	_cleanup_json_ json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	struct request q = { .d = d, .c = c, .object = object, .at = { .doc = &doc }, .e = &e };
	int r = object ? dispatch(&q) : json_fail_syntax(&doc, &error);

	if (r < 0)
		client_refuse(d, c,
			      r == -EINVAL || r == -EPERM || r == -ENOENT ? EXIT_USAGE : EXIT_AGAIN,
			      *e.text ? e.text : strerror(-r));
}
