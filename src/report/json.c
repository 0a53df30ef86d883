// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * result.json: everything that is known of a run, for programs; schema/result-1.schema.json says
 * what they may rely on. Keys are only ever added within version 1.
 */
#include "base/cleanup.h"
#include "klog/klog.h"
#include "report/bytes.h"
#include "report/chars.h"
#include "report/report.h"

#include <errno.h>
#include <string.h>

#define RESULT_VERSION 1
#define _cleanup_json_ _cleanup_(json_decrefp)

json_t *json_text(const char *s)
{
	_cleanup_free_ char *text = text_for(s, MEDIUM_UTF8);

	return text ? json_string(text) : NULL;
}

/*
 * Lack of memory: json_pack() takes the references behind "o" and is NULL when one of them is, and
 * append() passes a NULL on, so that a result comes whole or not at all. A result that lacks a
 * finding in silence would be worse than none.
 */
static json_t *append(json_t *all, json_t *item)
{
	if (json_array_append_new(all, item) == 0)
		return all;
	json_decref(all);
	return NULL;
}

/* Where there is no such thing, null: an empty name would look like one. */
static json_t *text_or_null(const char *s)
{
	return *s ? json_text(s) : json_null();
}

/* jansson's integers are signed; what does not fit is no number that anybody counted. */
static json_t *number(u64 v)
{
	return json_integer((json_int_t)MIN(v, (u64)INT64_MAX));
}

/* Milliseconds, as the contract has them; a double keeps nanoseconds for a hundred days. */
static json_t *ms(u64 ns)
{
	return json_real((double)ns / 1e6);
}

static json_t *hex(const u8 *p, u64 len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * FINDING_BYTES];

	for (u64 i = 0; i < len; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	return json_stringn(text, 2 * len);
}

static json_t *diff_to_json(const struct finding *f)
{
	struct byte_diff d = byte_diff(f);
	char phrase[160];

	if (!d.differing)
		return json_null();
	byte_diff_phrase(f, phrase, sizeof(phrase));
	return json_pack("{so so so ss}", "differing", number(d.differing), "first",
			 number(d.first), "last", number(d.last), "summary", phrase);
}

static json_t *layers_to_json(const struct finding *f)
{
	json_t *all = json_object();

	/* All of them, read or not: a program need not ask which keys there are. */
	for (int i = 0; i < LAYERS; i++) {
		json_t *layer = json_pack("{ss so}", "state", layer_state_names[f->layers[i].state],
					  "holds", text_or_null(f->layers[i].text));

		if (json_object_set_new(all, sc_layer_names[i], layer) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *operations_to_json(const struct finding *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->nops; i++) {
		const struct finding_op *op = &f->ops[i];

		all = append(all, json_pack("{so so so so}", "actor", json_text(op->actor), "text",
					    json_text(op->text), "start_ms", ms(op->start_ns),
					    "end_ms", op->end_ns ? ms(op->end_ns) : json_null()));
	}
	return all;
}

static json_t *texts_to_json(char *const *texts, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		all = append(all, json_text(texts[i]));
	return all;
}

static json_t *lanes_to_json(const struct timeline *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->nlanes; i++)
		all = append(all, json_text(t->lanes[i]));
	return all;
}

static json_t *lane_ops_to_json(const struct timeline *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->nops; i++) {
		const struct timeline_op *o = &t->ops[i];

		all = append(all,
			     json_pack("{si so ss so so so so so sb sb sb}", "lane", (int)o->lane,
				       "text", json_text(o->text), "role",
				       timeline_role_names[o->role], "effect",
				       json_stringn(&o->effect, 1), "start_ms", ms(o->start_ns),
				       "end_ms", o->end_ns ? ms(o->end_ns) : json_null(), "offset",
				       o->in_file ? number(o->offset) : json_null(), "bytes",
				       o->in_file ? number(o->len) : json_null(), "on_cell",
				       (int)o->on_cell, "on_page", (int)o->on_page, "failed",
				       (int)o->failed));
	}
	return all;
}

static json_t *marks_to_json(const struct timeline *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->nmarks; i++) {
		const struct timeline_mark *m = &t->marks[i];

		all = append(all, json_pack("{ss so so so}", "kind", timeline_mark_names[m->kind],
					    "text", json_text(m->text), "start_ms", ms(m->start_ns),
					    "end_ms", m->end_ns ? ms(m->end_ns) : json_null()));
	}
	return all;
}

static json_t *timeline_to_json(const struct timeline *t)
{
	if (!t)
		return json_null();
	return json_pack("{so so so so}", "lanes", lanes_to_json(t), "operations",
			 lane_ops_to_json(t), "marks", marks_to_json(t), "left_out",
			 number(t->left_out));
}

json_t *finding_to_json(const struct finding *f)
{
	bool c = f->has_cell;
	u64 len = byte_diff(f).len;

	return json_pack(
		"{ss so so so so so so so so so so so so so so so so so so so}", "kind",
		finding_infos[f->kind].name, "sentence", json_text(f->sentence), "title",
		text_or_null(f->title), "file", text_or_null(f->file), "cell",
		c ? number(f->cell) : json_null(), "offset", c ? number(f->offset) : json_null(),
		"cell_bytes", c ? number(len) : json_null(), "time_ms", ms(f->time_ns), "writer",
		text_or_null(f->writer), "finder", text_or_null(f->finder), "layers",
		layers_to_json(f), "found_hex", c ? hex(f->found, len) : json_null(),
		"expected_hex", c ? hex(f->expected, len) : json_null(), "diff", diff_to_json(f),
		"operations", operations_to_json(f), "log", texts_to_json(f->log, f->nlog),
		"repeats", number(f->repeats), "expected", text_or_null(f->expected_text), "found",
		text_or_null(f->found_text), "timeline", timeline_to_json(f->timeline));
}

static json_t *workers_to_json(const struct run_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->nworkers; i++) {
		const struct worker_result *w = &r->workers[i];

		all = append(all, json_pack("{so so so so so so so so so so sf}", "name",
					    json_text(w->name), "type", json_text(w->type), "state",
					    json_text(w->state), "error", text_or_null(w->error),
					    "ops", number(w->ops), "bytes", number(w->bytes),
					    "failed", number(w->failed), "busy", number(w->busy),
					    "cells_checked", number(w->cells_checked), "cells_open",
					    number(w->cells_open), "cpu_s", w->cpu_s));
	}
	return all;
}

static json_t *told_to_json(const struct fault_result *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->ntold; i++)
		all = append(all, json_pack("{ss ss so}", "operation", f->told[i].op, "error",
					    f->told[i].error, "count", number(f->told[i].count)));
	return all;
}

static json_t *faults_to_json(const struct run_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->nfaults; i++) {
		const struct fault_result *f = &r->faults[i];

		all = append(all, json_pack("{ss sb so sf so ss so so}", "type", f->type, "dropped",
					    (int)f->dropped, "armed", number(f->armings), "armed_s",
					    f->armed_s, "injected",
					    f->counted ? number(f->injected) : json_null(),
					    "source", f->source, "told", told_to_json(f), "balance",
					    json_text(f->balance)));
	}
	return all;
}

json_t *counts_to_json(const struct run_result *r)
{
	return json_pack("{so so so so so so so}", "ops", number(r->ops), "cells", number(r->cells),
			 "cells_checked", number(r->cells_checked), "cells_open",
			 number(r->cells_open), "findings", number(r->nfindings), "findings_lost",
			 number(r->findings_lost), "workers", workers_to_json(r));
}

static json_t *races_to_json(const struct run_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->nraces; i++) {
		const struct race_result *x = &r->races[i];

		all = append(all,
			     json_pack("{so sb so so so so so so s[ff]}", "name",
				       json_text(x->name), "exercised", x->overlaps > 0, "actors",
				       number(x->actors), "attempts", number(x->attempts),
				       "overlaps", number(x->overlaps), "hits", number(x->hits),
				       "first_hit", number(x->first_hit), "held", number(x->held),
				       "hit_rate_95", x->rate_lo, x->rate_hi));
	}
	return all;
}

static json_t *taint_to_json(u64 taint)
{
	char text[512];

	klog_taint_text(taint, text, sizeof(text));
	return json_pack("{so so}", "value", number(taint), "text", json_text(text));
}

static json_t *kernel_log_to_json(const struct run_result *r)
{
	return json_pack("{sb so so so s{so so}}", "watched", r->klog_watched, "lost",
			 number(r->klog_lost), "events", number(r->klog_events), "allowed",
			 number(r->klog_allowed), "taint", "before", taint_to_json(r->taint_before),
			 "after", taint_to_json(r->taint_after));
}

static json_t *outputs_to_json(const struct run_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->noutputs; i++)
		all = append(all, json_pack("{so so so}", "worker", json_text(r->outputs[i].worker),
					    "file", json_text(r->outputs[i].name), "bytes",
					    number(r->outputs[i].bytes)));
	return all;
}

static json_t *environment_to_json(const struct run_result *r)
{
	return json_pack("{so so ss so so so so so}", "kernel", json_text(r->kernel), "machine",
			 json_text(r->machine), "stressd", STRESSD_VERSION, "fs",
			 text_or_null(r->fs), "mount_options", text_or_null(r->mount_options),
			 "device", text_or_null(r->device), "cpus",
			 r->cpus ? number(r->cpus) : json_null(), "memory_bytes",
			 r->memory_bytes ? number(r->memory_bytes) : json_null());
}

static json_t *findings_to_json(const struct run_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->nfindings; i++)
		all = append(all, finding_to_json(r->findings[i]));
	return all;
}

/* UTC, to the second: "2024-05-01T12:00:00Z" (RFC 3339) */
static json_t *started_to_json(const struct run_result *r)
{
	char text[32];
	struct tm tm;

	if (!gmtime_r(&r->started.tv_sec, &tm))
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

json_t *result_to_json(const struct run_result *r)
{
	char key[17];

	snprintf(key, sizeof(key), "%016llx", (unsigned long long)r->run_key);
	return json_pack(
		"{si so ss si so so so so sf sf sf ss so so so so so so so so so so so so}",
		"version", RESULT_VERSION, "scenario",
		r->sc && r->sc->name ? json_text(r->sc->name) : json_null(), "verdict",
		verdict_names[r->verdict], "exit", r->exit, "reason", text_or_null(r->reason),
		"seed", number(r->seed), "started", started_to_json(r), "expect",
		r->sc && r->sc->expect ? json_text(r->sc->expect) : json_null(), "duration_s",
		r->duration_s, "setup_s", r->setup_s, "verify_s", r->verify_s, "run_key", key,
		"counts", counts_to_json(r), "faults", faults_to_json(r), "expected_end",
		text_or_null(r->expected_end), "races", races_to_json(r), "findings",
		findings_to_json(r), "kernel_log", kernel_log_to_json(r), "environment",
		environment_to_json(r), "dropped", texts_to_json(r->dropped, r->ndropped), "notes",
		texts_to_json(r->notes, r->nnotes), "run_dir", text_or_null(r->run_dir),
		"reproduce", text_or_null(r->reproduce), "outputs", outputs_to_json(r));
}

static int write_json(const struct run_result *r, FILE *out)
{
	_cleanup_json_ json_t *j = result_to_json(r);

	return report_put_json(j, out);
}

const struct report_format report_format_json = {
	.name = "json",
	.help = "everything, for programs",
	.file = "result.json",
	.write = write_json,
};
