// SPDX-License-Identifier: GPL-2.0-or-later
/* Holds: the name of one, or an object with the options of its type, against the worker it is for.
 */
#include "scenario/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a hold needs of a worker, and the keys that are its own. */
static const struct {
	unsigned int copies;
	const char *direction;
	bool probes;
} kinds[] = {
	[HOLD_NONE] = { 0, NULL, false },
	[HOLD_SOURCE_FAULT] = { WORKER_COPIES_IN, "from", false },
	[HOLD_DEST_FAULT] = { WORKER_COPIES_OUT, "to", false },
	[HOLD_PROBE_DELAY] = { 0, NULL, true },
};

static int check_copies(const struct sc_worker *w, const struct sc_hold *h,
			const struct json_at *at)
{
	unsigned int has = w->type->copies ? w->type->copies(w->options) : w->type->flags;

	if (!kinds[h->type].copies || has & kinds[h->type].copies)
		return 0;
	return json_fail(at,
			 "%s is a hold on %s, which has the kernel copy nothing %s a buffer; "
			 "expected \"none\", or a worker that does",
			 sc_hold_names[h->type], w->type->name, kinds[h->type].direction);
}

/* "function" and the others say something to a probe alone, which cannot do without the first. */
static int check_keys(const json_t *object, const struct sc_hold *h, const struct json_at *at)
{
	if (kinds[h->type].probes && !h->function)
		return json_fail(at,
				 "%s is without \"function\"; expected the name of a kernel "
				 "function, as in /proc/kallsyms",
				 sc_hold_names[h->type]);
	if (h->at_return && h->function && strchr(h->function, '+')) {
		struct json_at there = AT_KEY(at, "function");

		return json_fail(&there,
				 "%s has an offset, and a function returns as a whole; "
				 "expected its name alone",
				 h->function);
	}
	if (kinds[h->type].probes)
		return 0;
	opt_foreach (o, sc_hold_options)
		if (strcmp(o->name, "type") && json_object_get(object, o->name)) {
			struct json_at there = AT_KEY(at, o->name);

			return json_fail(&there,
					 "only probe-delay has that; expected \"type\" alone");
		}
	return 0;
}

/* A name that needs no keys stands for an object with that type. */
static json_t *as_object(const json_t *v, const struct json_at *at)
{
	int type = json_is_string(v) ? option_choice(sc_hold_names, json_string_value(v)) : -1;
	char shown[JSON_SHOW_MAX];

	if (json_is_object(v))
		return json_incref((json_t *)v);
	if (type < 0 || kinds[type].probes) {
		json_fail(at,
			  "%s is no hold by itself; expected \"none\", \"source-fault\", "
			  "\"dest-fault\" or { \"type\": \"probe-delay\", \"function\": NAME }",
			  json_show(shown, v));
		return NULL;
	}
	return json_pack("{ss}", "type", sc_hold_names[type]);
}

int sc_decode_hold(const struct sc_worker *w, const json_t *v, const struct json_at *at,
		   struct sc_hold *h)
{
	_cleanup_json_ json_t *object = as_object(v, at);
	int r = object ? option_decode(sc_hold_options, NULL, object, h, at, NULL) : -EINVAL;

	if (r == 0)
		r = check_keys(object, h, at);
	return r < 0 ? r : check_copies(w, h, at);
}

/* The name of a hold without options, or all of it. */
json_t *sc_hold_schema(void)
{
	_cleanup_json_ json_t *names = json_array(), *object = option_schema(sc_hold_options);

	for (int i = 0; names && sc_hold_names[i]; i++)
		if (!kinds[i].probes && json_array_append_new(names, json_string(sc_hold_names[i])))
			return NULL;
	return json_pack("{s[{sO}O]}", "oneOf", "enum", names, object);
}
