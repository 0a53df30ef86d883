// SPDX-License-Identifier: GPL-2.0-or-later
/* The run: the reverse of json.c, key by key. Findings are restore_finding.c's. */
#include "report/restore.h"

#include "base/fsutil.h"
#include "report/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_BYTES_MAX (64 * MIB)
#define LIST_MAX	 100000 /* more than any run has of anything */

#define R(kind, name, key)	   FIELD(kind, struct run_result, name, key)
#define R_OR_NULL(kind, name, key) FIELD_OR_NULL(kind, struct run_result, name, key)

static const struct field result_fields[] = {
	R(INT, exit, "exit"),
	R(TEXT, reason, "reason"),
	R(U64, seed, "seed"),
	R(REAL, duration_s, "duration_s"),
	R(REAL, setup_s, "setup_s"),
	R(REAL, verify_s, "verify_s"),
	R(TEXT, expected_end, "expected_end"),
	R(TEXT, run_dir, "run_dir"),
	R(TEXT, reproduce, "reproduce"),
	{ 0 },
};

static const struct field counts_fields[] = {
	R(U64, ops, "ops"),
	R(U64, cells, "cells"),
	R(U64, cells_checked, "cells_checked"),
	R(U64, cells_open, "cells_open"),
	R(U64, findings_lost, "findings_lost"),
	{ 0 },
};

static const struct field kernel_log_fields[] = {
	R(BOOL, klog_watched, "watched"),
	R(U64, klog_lost, "lost"),
	R(U64, klog_events, "events"),
	R(U64, klog_allowed, "allowed"),
	{ 0 },
};

static const struct field environment_fields[] = {
	R(TEXT, kernel, "kernel"),
	R(TEXT, machine, "machine"),
	R(TEXT, fs, "fs"),
	R(TEXT, mount_options, "mount_options"),
	R(TEXT, device, "device"),
	R_OR_NULL(U32, cpus, "cpus"),
	R_OR_NULL(U64, memory_bytes, "memory_bytes"),
	{ 0 },
};

static const struct {
	const char *key; /* NULL: the result itself */
	const struct field *fields;
} parts[] = {
	{ NULL, result_fields },
	{ "counts", counts_fields },
	{ "kernel_log", kernel_log_fields },
	{ "environment", environment_fields },
};

static const struct field worker_fields[] = {
	FIELD(TEXT, struct worker_result, name, "name"),
	FIELD(TEXT, struct worker_result, type, "type"),
	FIELD(TEXT, struct worker_result, state, "state"),
	FIELD(TEXT, struct worker_result, error, "error"),
	FIELD(U64, struct worker_result, ops, "ops"),
	FIELD(U64, struct worker_result, bytes, "bytes"),
	FIELD(U64, struct worker_result, failed, "failed"),
	FIELD(U64, struct worker_result, busy, "busy"),
	FIELD(U64, struct worker_result, cells_checked, "cells_checked"),
	FIELD(U64, struct worker_result, cells_open, "cells_open"),
	FIELD(REAL, struct worker_result, cpu_s, "cpu_s"),
	{ 0 },
};

static const struct field race_fields[] = {
	FIELD(TEXT, struct race_result, name, "name"),
	FIELD(U32, struct race_result, actors, "actors"),
	FIELD(U64, struct race_result, attempts, "attempts"),
	FIELD(U64, struct race_result, overlaps, "overlaps"),
	FIELD(U64, struct race_result, hits, "hits"),
	FIELD(U64, struct race_result, first_hit, "first_hit"),
	FIELD(U64, struct race_result, held, "held"),
	{ 0 },
};

static const struct field fault_fields[] = {
	FIELD(NAME, struct fault_result, type, "type"),
	FIELD(NAME, struct fault_result, source, "source"),
	FIELD(BOOL, struct fault_result, dropped, "dropped"),
	FIELD(U64, struct fault_result, armings, "armed"),
	FIELD(REAL, struct fault_result, armed_s, "armed_s"),
	FIELD_OR_NULL(U64, struct fault_result, injected, "injected"),
	FIELD(TEXT, struct fault_result, balance, "balance"),
	{ 0 },
};

static const struct field told_fields[] = {
	FIELD(NAME, struct told_result, op, "operation"),
	FIELD(NAME, struct told_result, error, "error"),
	FIELD(U64, struct told_result, count, "count"),
	{ 0 },
};

static const struct field output_fields[] = {
	FIELD(TEXT, struct output_file, worker, "worker"),
	FIELD(TEXT, struct output_file, name, "file"),
	FIELD(U64, struct output_file, bytes, "bytes"),
	{ 0 },
};

static int restore_worker(const struct json_at *at, const json_t *v, void *into)
{
	return fields_read(at, v, worker_fields, into);
}

static int restore_told(const struct json_at *at, const json_t *v, void *into)
{
	return fields_read(at, v, told_fields, into);
}

static int restore_output(const struct json_at *at, const json_t *v, void *into)
{
	return fields_read(at, v, output_fields, into);
}

static int restore_race(const struct json_at *at, const json_t *v, void *into)
{
	const json_t *rate = json_object_get(v, "hit_rate_95");
	struct race_result *x = into;
	int r = fields_read(at, v, race_fields, x);

	if (r < 0)
		return r;
	if (json_array_size(rate) != 2 || !json_is_number(json_array_get(rate, 0)) ||
	    !json_is_number(json_array_get(rate, 1)))
		return json_fail(&AT_KEY(at, "hit_rate_95"), "not two numbers; expected the least "
							     "rate and the greatest");
	x->rate_lo = json_number_value(json_array_get(rate, 0));
	x->rate_hi = json_number_value(json_array_get(rate, 1));
	return 0;
}

static int restore_fault(const struct json_at *at, const json_t *v, void *into)
{
	struct fault_result *f = into;
	int r = fields_read(at, v, fault_fields, f);

	f->counted = !json_is_null(json_object_get(v, "injected"));
	return r < 0 ? r
		     : fields_list(at, v, "told", (void **)&f->told, sizeof(*f->told), LIST_MAX,
				   restore_told, &f->ntold);
}

static int restore_text(const struct json_at *at, const json_t *v, void *into)
{
	char **text = into;

	if (!json_is_string(v))
		return json_fail(at, "no string; expected one");
	*text = strdup(json_string_value(v));
	return *text ? 0 : json_fail_memory(at);
}

static int restore_lists(const struct json_at *at, const json_t *o, struct run_result *r)
{
	const struct {
		const char *key;
		void **into;
		size_t size;
		fields_element_fn *fn;
		size_t *n;
	} lists[] = {
		{ "faults", (void **)&r->faults, sizeof(*r->faults), restore_fault, &r->nfaults },
		{ "races", (void **)&r->races, sizeof(*r->races), restore_race, &r->nraces },
		{ "outputs", (void **)&r->outputs, sizeof(*r->outputs), restore_output,
		  &r->noutputs },
		{ "dropped", (void **)&r->dropped, sizeof(*r->dropped), restore_text,
		  &r->ndropped },
		{ "notes", (void **)&r->notes, sizeof(*r->notes), restore_text, &r->nnotes },
		{ "findings", (void **)&r->findings, sizeof(*r->findings), finding_restore,
		  &r->nfindings },
	};
	int ret = fields_list(&AT_KEY(at, "counts"), json_object_get(o, "counts"), "workers",
			      (void **)&r->workers, sizeof(*r->workers), LIST_MAX, restore_worker,
			      &r->nworkers);

	for (size_t i = 0; i < ARRAY_SIZE(lists) && ret == 0; i++)
		ret = fields_list(at, o, lists[i].key, lists[i].into, lists[i].size, LIST_MAX,
				  lists[i].fn, lists[i].n);
	return ret;
}

/* As json.c writes it: UTC, to the second. */
static int restore_started(const struct json_at *at, const json_t *v, struct run_result *r)
{
	const char *text = json_string_value(v), *end;
	struct tm tm = { 0 };

	if (json_is_null(v))
		return 0;
	end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	if (!end || *end)
		return json_fail(at, "not a time; expected one like 2024-05-01T12:00:00Z");
	r->started.tv_sec = timegm(&tm);
	return 0;
}

static int restore_run_key(const struct json_at *at, const json_t *v, struct run_result *r)
{
	const char *text = json_string_value(v);

	if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return json_fail(at, "not a key; expected 16 hexadecimal digits");
	r->run_key = strtoull(text, NULL, 16);
	return 0;
}

static int restore_taint(const struct json_at *up, const json_t *o, struct run_result *r)
{
	const struct json_at log = AT_KEY(up, "kernel_log"), at = AT_KEY(&log, "taint");
	const json_t *taint = json_object_get(json_object_get(o, "kernel_log"), "taint");
	static const struct field before[] = { R(U64, taint_before, "value"), { 0 } };
	static const struct field after[] = { R(U64, taint_after, "value"), { 0 } };
	int ret = fields_read(&AT_KEY(&at, "before"), json_object_get(taint, "before"), before, r);

	return ret < 0 ? ret
		       : fields_read(&AT_KEY(&at, "after"), json_object_get(taint, "after"), after,
				     r);
}

static int restore_result(const struct json_at *at, const json_t *o, struct run_result *r)
{
	int ret = json_is_object(o) ? 0 : json_fail(at, "no object; expected a result");

	if (ret == 0 && json_integer_value(json_object_get(o, "version")) != 1)
		return json_fail(&AT_KEY(at, "version"), "another version; expected 1");
	for (size_t i = 0; i < ARRAY_SIZE(parts) && ret == 0; i++)
		ret = parts[i].key
			      ? fields_read(&AT_KEY(at, parts[i].key),
					    json_object_get(o, parts[i].key), parts[i].fields, r)
			      : fields_read(at, o, parts[i].fields, r);
	if (ret == 0)
		ret = r->verdict = fields_name(at, o, "verdict", verdict_names, VERDICTS);
	if (ret >= 0)
		ret = restore_started(&AT_KEY(at, "started"), json_object_get(o, "started"), r);
	if (ret == 0)
		ret = restore_run_key(&AT_KEY(at, "run_key"), json_object_get(o, "run_key"), r);
	if (ret == 0)
		ret = restore_taint(at, o, r);
	return ret < 0 ? ret : restore_lists(at, o, r);
}

int result_restore(const char *path, const struct scenario *sc, struct restored **ret,
		   struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct restored *x = calloc(1, sizeof(*x));
	struct json_doc doc = { .path = path, .e = e };
	json_error_t error;
	int r = x ? read_file(path, RESULT_BYTES_MAX, &text, &doc.len) : -ENOMEM;

	if (r < 0) {
		free(x);
		return json_fail_read(&doc, r, "%s; expected the result of a run", strerror(-r));
	}
	doc.text = text;
	x->doc = json_loadb(text, doc.len, JSON_REJECT_DUPLICATES, &error);
	r = x->doc ? restore_result(&(struct json_at){ .doc = &doc }, x->doc, &x->r)
		   : json_fail_syntax(&doc, &error);
	if (r < 0) {
		restored_free(x);
		return r;
	}
	/* Nobody writes to a scenario's strings. */
	x->bare.name = (char *)json_string_value(json_object_get(x->doc, "scenario"));
	x->bare.expect = (char *)json_string_value(json_object_get(x->doc, "expect"));
	x->r.sc = sc ? sc : &x->bare;
	*ret = x;
	return 0;
}

static void free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

void restored_free(struct restored *x)
{
	struct run_result *r = &x->r;

	for (size_t i = 0; i < r->nfindings; i++)
		if (r->findings[i])
			finding_free(r->findings[i]);
	free(r->findings);
	for (size_t i = 0; i < r->nfaults; i++)
		free(r->faults[i].told);
	free(r->faults);
	free_texts(r->dropped, r->ndropped);
	free_texts(r->notes, r->nnotes);
	free(r->workers);
	free(r->races);
	free(r->outputs);
	json_decref(x->doc);
	free(x);
}
