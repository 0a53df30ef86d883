// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schema against the parser: what loads is valid under the schema, and what is wrong in its
 * structure is invalid. An independent implementation judges: check_schema.py, with python3's
 * jsonschema; skipped where that is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "../scenario_sample.h"

#define SKIP  77
#define CHECK "python3 " SOURCE_DIR "/tests/unit/check_schema.py "

static json_t *base;

/* The base with what @patch has in place of its keys; a null takes the key away. */
static json_t *patched(const char *pointer_key, const char *patch)
{
	json_t *doc = json_deep_copy(base), *at = doc;
	_cleanup_json_ json_t *changes = json_loads(patch, 0, NULL);
	const char *key;
	json_t *v;

	assert_non_null(changes);
	if (*pointer_key)
		at = json_object_get(doc, pointer_key);
	/* Of a list, the first. */
	if (json_is_array(at))
		at = json_array_get(at, 0);
	json_object_foreach (changes, key, v)
		if (json_is_null(v))
			json_object_del(at, key);
		else
			json_object_set(at, key, v);
	return doc;
}

static const struct {
	const char *where, *patch;
	bool good;
} rows[] = {
	{ "", "{}", true },
	{ "", "{\"seed\": null, \"stop_on\": null, \"verify\": null, \"faults\": null}", true },
	{ "", "{\"stop_on\": \"never\"}", true },
	{ "", "{\"stop_on\": {\"attempts\": 3}}", true },
	{ "", "{\"target\": {}}", true },
	{ "", "{\"target\": {\"type\": \"directory\", \"path\": \"x\"}}", true },
	{ "", "{\"target\": {\"fs\": \"ext4\", \"size\": 67108864}}", true },
	{ "", "{\"workers\": [{\"type\": \"exec\", \"options\": {\"argv\": [\"a\"]}}]}", true },
	{ "", "{\"workers\": [{\"type\": \"dropper\", \"options\": {}}]}", true },
	{ "",
	  "{\"files\": [{\"name\": \"a\", \"size\": 512}], \"workers\": [{\"type\": \"mixer\"},"
	  "{\"type\": \"mixer\", \"file\": \"a\"}]}",
	  true },
	{ "files", "{\"size\": 1024, \"max\": null, \"cell\": \"1K\"}", true },
	{ "workers", "{\"options\": null}", true },
	{ "workers", "{\"options\": {\"numbers\": 3, \"times\": \"0\", \"set\": []}}", true },
	{ "workers", "{\"options\": {\"weights\": {\"green\": 1}, \"list\": []}}", true },
	{ "kernel_log", "{\"allow\": [], \"fail_at\": \"never\"}", true },
	{ "", "{\"version\": 2}", false },
	{ "", "{\"name\": \"a b\"}", false },
	{ "", "{\"name\": null}", false },
	{ "", "{\"sede\": 1}", false },
	{ "", "{\"seed\": -1}", false },
	{ "", "{\"seed\": 1.5}", false },
	{ "", "{\"duration\": 30}", false },
	{ "", "{\"duration\": \"30\"}", false },
	{ "", "{\"stop_on\": \"miss\"}", false },
	{ "", "{\"stop_on\": {\"attempts\": 0}}", false },
	{ "", "{\"stop_on\": {}}", false },
	{ "", "{\"expect\": \"lost\"}", false },
	{ "", "{\"races\": [{}]}", false },
	{ "", "{\"races\": [{\"name\": \"t\", \"actors\": [\"reader\"]}]}", false },
	{ "", "{\"files\": []}", false },
	{ "", "{\"workers\": []}", false },
	{ "", "{\"workers\": [{\"type\": \"nobody\"}]}", false },
	{ "", "{\"workers\": [{\"type\": \"reader\"}]}", false },
	{ "", "{\"workers\": [{\"type\": \"dropper\", \"file\": \"data\"}]}", false },
	{ "", "{\"workers\": [{\"type\": \"exec\"}]}", false },
	{ "", "{\"workers\": [{\"type\": \"dropper\", \"options\": {\"x\": 1}}]}", false },
	{ "", "{\"target\": {\"type\": \"directory\"}}", false },
	{ "", "{\"target\": {\"path\": \"x\"}}", false },
	{ "", "{\"target\": {\"type\": \"imago\"}}", false },
	{ "files", "{\"name\": \"a/b\"}", false },
	{ "files", "{\"name\": \"..\"}", false },
	{ "files", "{\"name\": \".\"}", false },
	{ "files", "{\"size\": \"16MB\"}", false },
	{ "files", "{\"size\": null}", false },
	{ "files", "{\"cell\": 32}", false },
	{ "files", "{\"layout\": \"holes\"}", false },
	{ "files", "{\"conflict\": 1}", false },
	{ "workers", "{\"count\": 0}", false },
	{ "workers", "{\"count\": 257}", false },
	{ "workers", "{\"options\": {\"number\": 65}}", false },
	{ "workers", "{\"options\": {\"percent\": 101}}", false },
	{ "workers", "{\"options\": {\"numbers\": \"1..\"}}", false },
	{ "workers", "{\"options\": {\"choice\": \"pink\"}}", false },
	{ "workers", "{\"options\": {\"set\": [\"red\", \"red\"]}}", false },
	{ "workers", "{\"options\": {\"weights\": {}}}", false },
	{ "workers", "{\"options\": {\"weights\": {\"pink\": 1}}}", false },
	{ "workers", "{\"options\": {\"text\": \"\"}}", false },
	{ "workers", "{\"options\": {\"text\": \"123456789\"}}", false },
	{ "workers", "{\"options\": {\"depth\": 1}}", false },
	{ "faults", "{\"type\": \"enospc\"}", false },
	{ "faults", "{\"options\": {\"chance\": 1}}", false },
	{ "verify", "{\"layers\": [\"disk\"]}", false },
	{ "verify", "{\"inline\": \"yes\"}", false },
	{ "kernel_log", "{\"allow\": [\"\"]}", false },
	{ "kernel_log", "{\"fail_at\": \"warn\"}", false },
};

/* Parser and schema are asked about the same documents; a resolved copy is one more good one. */
static void parser_and_schema_agree(void **state)
{
	char path[] = "/tmp/stressd-schema-XXXXXX", command[512];
	_cleanup_json_ json_t *cases = json_array(), *all = NULL;
	int fd, status;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *doc = patched(rows[i].where, rows[i].patch);
		_cleanup_free_ char *text = json_dumps(doc, 0);
		struct scenario *sc = NULL;
		struct err e = { "" };
		int r = scenario_parse_with(&sample_tables, "s", text, strlen(text), &sc, &e);

		if ((r == 0) != rows[i].good)
			fail_msg("the parser: %s: %s", rows[i].patch, r ? e.text : "good");
		json_array_append_new(cases, json_pack("{sO sb ss}", "document", doc, "good",
						       rows[i].good, "patch", rows[i].patch));
		if (sc)
			json_array_append_new(cases,
					      json_pack("{sO sb ss}", "document", sc->resolved,
							"good", 1, "patch", "resolved"));
		scenario_free(sc);
	}
	all = json_pack("{so sO}", "schema", scenario_schema_with(&sample_tables), "cases", cases);
	assert_non_null(all);
	/* Made last and removed before the verdict: a failure leaves no file behind. */
	fd = mkstemp(path);
	assert_true(fd >= 0);
	status = json_dumpfd(all, fd, 0);
	close(fd);
	snprintf(command, sizeof(command), CHECK "%s", path);
	if (status == 0)
		status = system(command);
	unlink(path);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A build without faults has a schema too. */
static void no_types(void **state)
{
	static const struct fault_type *const none[] = { NULL };
	struct scenario_tables tables = sample_tables;
	_cleanup_json_ json_t *schema = NULL;

	(void)state;
	tables.faults = none;
	schema = scenario_schema_with(&tables);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(json_object_get(schema, "properties"), "faults"),
				 "maxItems")),
			 0);
	assert_non_null(json_object_get(schema, "$schema"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parser_and_schema_agree),
		cmocka_unit_test(no_types),
	};
	int status = system(CHECK), r;

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return SKIP;
	base = json_load_file(SOURCE_DIR "/tests/bad-scenarios/base.json", 0, NULL);
	r = base ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	json_decref(base);
	return r;
}
