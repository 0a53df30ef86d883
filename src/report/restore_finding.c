// SPDX-License-Identifier: GPL-2.0-or-later
/* A finding and the timeline around it, as json.c wrote them. */
#include "report/fields.h"
#include "report/restore.h"

#include <stdlib.h>
#include <string.h>

static const struct field finding_fields[] = {
	FIELD(TEXT, struct finding, sentence, "sentence"),
	FIELD(TEXT, struct finding, title, "title"),
	FIELD(TEXT, struct finding, file, "file"),
	FIELD(TEXT, struct finding, writer, "writer"),
	FIELD(TEXT, struct finding, finder, "finder"),
	FIELD(TEXT, struct finding, expected_text, "expected"),
	FIELD(TEXT, struct finding, found_text, "found"),
	FIELD(MS, struct finding, time_ns, "time_ms"),
	FIELD(U64, struct finding, repeats, "repeats"),
	{ 0 },
};

static const struct field cell_fields[] = {
	FIELD(U64, struct finding, cell, "cell"),
	FIELD(U64, struct finding, offset, "offset"),
	FIELD(U64, struct finding, cell_bytes, "cell_bytes"),
	{ 0 },
};

static const struct field layer_fields[] = {
	FIELD(TEXT, struct finding_layer, text, "holds"),
	{ 0 },
};

static const struct field op_fields[] = {
	FIELD(TEXT, struct finding_op, actor, "actor"),
	FIELD(TEXT, struct finding_op, text, "text"),
	FIELD(MS, struct finding_op, start_ns, "start_ms"),
	FIELD_OR_NULL(MS, struct finding_op, end_ns, "end_ms"),
	{ 0 },
};

static const struct field timeline_op_fields[] = {
	FIELD(TEXT, struct timeline_op, text, "text"),
	FIELD(MS, struct timeline_op, start_ns, "start_ms"),
	FIELD_OR_NULL(MS, struct timeline_op, end_ns, "end_ms"),
	FIELD_OR_NULL(U64, struct timeline_op, offset, "offset"),
	FIELD_OR_NULL(U64, struct timeline_op, len, "bytes"),
	FIELD(BOOL, struct timeline_op, on_cell, "on_cell"),
	FIELD(BOOL, struct timeline_op, on_page, "on_page"),
	FIELD(BOOL, struct timeline_op, failed, "failed"),
	{ 0 },
};

static const struct field mark_fields[] = {
	FIELD(TEXT, struct timeline_mark, text, "text"),
	FIELD(MS, struct timeline_mark, start_ns, "start_ms"),
	FIELD_OR_NULL(MS, struct timeline_mark, end_ns, "end_ms"),
	{ 0 },
};

static int restore_op(const struct json_at *at, const json_t *v, void *into)
{
	return fields_read(at, v, op_fields, into);
}

static int restore_line(const struct json_at *at, const json_t *v, void *into)
{
	char **line = into;

	if (!json_is_string(v))
		return json_fail(at, "no string; expected a line of the kernel log");
	*line = strdup(json_string_value(v));
	return *line ? 0 : json_fail_memory(at);
}

static int restore_lane(const struct json_at *at, const json_t *v, void *into)
{
	if (!json_is_string(v))
		return json_fail(at, "no string; expected the name of a process");
	fields_text(into, sizeof(((struct timeline *)0)->lanes[0]), json_string_value(v));
	return 0;
}

static int restore_timeline_op(const struct json_at *at, const json_t *v, void *into)
{
	const json_t *lane = json_object_get(v, "lane");
	const char *effect = json_string_value(json_object_get(v, "effect"));
	struct timeline_op *o = into;
	int role, r = fields_read(at, v, timeline_op_fields, o);

	if (r < 0)
		return r;
	role = fields_name(at, v, "role", timeline_role_names, TIMELINE_ROLES);
	if (role < 0)
		return role;
	if (!json_is_integer(lane) || json_integer_value(lane) < 0 ||
	    json_integer_value(lane) >= TIMELINE_LANES)
		return json_fail(&AT_KEY(at, "lane"), "no lane; expected the index of one");
	/* It becomes a class of the page. */
	if (!effect || strlen(effect) != 1 || *effect < 'A' || *effect > 'Z')
		return json_fail(&AT_KEY(at, "effect"), "no effect; expected a letter");
	o->role = (u8)role;
	o->lane = (u16)json_integer_value(lane);
	o->effect = *effect;
	o->in_file = !json_is_null(json_object_get(v, "offset"));
	return 0;
}

static int restore_mark(const struct json_at *at, const json_t *v, void *into)
{
	struct timeline_mark *m = into;
	int kind, r = fields_read(at, v, mark_fields, m);

	if (r < 0)
		return r;
	kind = fields_name(at, v, "kind", timeline_mark_names, TIMELINE_MARK_KINDS);
	m->kind = (u8)MAX(kind, 0);
	return MIN(kind, 0);
}

static int restore_timeline(const struct json_at *at, const json_t *v, struct timeline *t)
{
	static const struct field fields[] = {
		FIELD(U64, struct timeline, left_out, "left_out"),
		{ 0 },
	};
	void *lanes = t->lanes, *ops = t->ops, *marks = t->marks;
	int r = fields_read(at, v, fields, t);

	if (r == 0)
		r = fields_list(at, v, "lanes", &lanes, sizeof(t->lanes[0]), TIMELINE_LANES,
				restore_lane, &t->nlanes);
	if (r == 0)
		r = fields_list(at, v, "operations", &ops, sizeof(t->ops[0]), TIMELINE_OPS,
				restore_timeline_op, &t->nops);
	if (r == 0)
		r = fields_list(at, v, "marks", &marks, sizeof(t->marks[0]), TIMELINE_MARKS,
				restore_mark, &t->nmarks);
	for (size_t i = 0; i < t->nops && r == 0; i++)
		if (t->ops[i].lane >= t->nlanes)
			r = json_fail(&AT_KEY(at, "operations"),
				      "operation %zu is in a lane that "
				      "is not there; expected one that "
				      "is",
				      i);
	return r;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int restore_hex(const struct json_at *up, const json_t *o, const char *key, u8 *bytes,
		       u64 len)
{
	const struct json_at at = AT_KEY(up, key);
	const char *text = json_string_value(json_object_get(o, key));

	if (!text || strlen(text) != 2 * len)
		return json_fail(&at, "not the bytes of a cell; expected %llu hexadecimal digits",
				 2 * (unsigned long long)len);
	for (u64 i = 0; i < len; i++) {
		int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return json_fail(&at, "no hexadecimal digits; expected them alone");
		bytes[i] = (u8)(hi << 4 | lo);
	}
	return 0;
}

static int restore_cell(const struct json_at *at, const json_t *v, struct finding *f)
{
	int r;

	f->has_cell = !json_is_null(json_object_get(v, "cell"));
	if (!f->has_cell)
		return 0;
	r = fields_read(at, v, cell_fields, f);
	if (r == 0 && f->cell_bytes > FINDING_BYTES)
		r = json_fail(&AT_KEY(at, "cell_bytes"), "too many; expected at most %d",
			      FINDING_BYTES);
	if (r == 0)
		r = restore_hex(at, v, "found_hex", f->found, f->cell_bytes);
	return r < 0 ? r : restore_hex(at, v, "expected_hex", f->expected, f->cell_bytes);
}

static int restore_layers(const struct json_at *up, const json_t *o, struct finding *f)
{
	const struct json_at at = AT_KEY(up, "layers");
	const json_t *all = json_object_get(o, "layers");

	for (int i = 0; i < LAYERS; i++) {
		const struct json_at here = AT_KEY(&at, sc_layer_names[i]);
		const json_t *v = json_object_get(all, sc_layer_names[i]);
		int r = fields_read(&here, v, layer_fields, &f->layers[i]);

		if (r == 0)
			r = fields_name(&here, v, "state", layer_state_names, LAYER_STATES);
		if (r < 0)
			return r;
		f->layers[i].state = r;
	}
	return 0;
}

static int restore(const struct json_at *at, const json_t *v, struct finding *f)
{
	const json_t *timeline = json_object_get(v, "timeline");
	const char *names[FINDING_KINDS];
	void *ops = f->ops, *log = f->log;
	int r = fields_read(at, v, finding_fields, f);

	for (int i = 0; i < FINDING_KINDS; i++)
		names[i] = finding_infos[i].name;
	if (r == 0)
		r = f->kind = fields_name(at, v, "kind", names, FINDING_KINDS);
	if (r >= 0)
		r = restore_cell(at, v, f);
	if (r == 0)
		r = restore_layers(at, v, f);
	if (r == 0)
		r = fields_list(at, v, "operations", &ops, sizeof(f->ops[0]), FINDING_OPS,
				restore_op, &f->nops);
	if (r == 0)
		r = fields_list(at, v, "log", &log, sizeof(f->log[0]), FINDING_LINES, restore_line,
				&f->nlog);
	if (r < 0 || json_is_null(timeline))
		return r;
	f->timeline = calloc(1, sizeof(*f->timeline));
	return f->timeline ? restore_timeline(&AT_KEY(at, "timeline"), timeline, f->timeline)
			   : json_fail_memory(at);
}

int finding_restore(const struct json_at *at, const json_t *v, void *into)
{
	struct finding **f = into;

	*f = calloc(1, sizeof(**f));
	return *f ? restore(at, v, *f) : json_fail_memory(at);
}
