// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holds by kprobe, on a kernel that has them: a window that is held open shows the fault that was
 * planted there and nothing without it; what cannot be probed is named; kill -9 leaves no probe.
 * The kernel is $STRESSD_LAB_KERNEL, or a lab kernel beside the checkout; 77 without one.
 */
#include "vmtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RACE	      SOURCE_DIR "/configs/races/delalloc-release-warn-probe.json"
#define SEEK	      "mapping_seek_hole_data"
#define PROBE_LIMIT_S 200.0
#define LIST	      "/sys/kernel/debug/kprobes/list"
/* The coordinator is the parent of the parent of a program. */
#define KILLER                                                                                     \
	"grep -q " SEEK " " LIST " && echo planted; kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)"
#define LOOKER "cat " LIST " && ! grep -q " SEEK " " LIST " && echo clean"

/* The shipped scenario with another hold (NULL: without the race), a number of attempts, and a
 * program beside it. */
static const char *variant(const char *name, const char *hold, int attempts, const char *program)
{
	json_t *sc = json_load_file(RACE, 0, NULL), *h = hold ? json_loads(hold, 0, NULL) : NULL;
	json_t *race = json_array_get(json_object_get(sc, "races"), 0);
	char *text;

	assert_non_null(race);
	json_object_update(json_object_get(race, "hold"), h);
	if (!hold) {
		json_object_del(sc, "races");
		json_object_set_new(sc, "duration", json_string("5s"));
	}
	if (attempts)
		json_object_set_new(sc, "stop_on", json_pack("{si}", "attempts", attempts));
	if (program)
		json_array_append_new(json_object_get(sc, "workers"),
				      json_pack("{sss{s[sss]}}", "type", "exec", "options",
						"program", "/bin/sh", "-c", program));
	text = json_dumps(sc, JSON_INDENT(2));
	e2e_write(e2e_path("%s", name), text);
	free(text);
	json_decref(h);
	json_decref(sc);
	return e2e_path("%s", name);
}

static void vm(struct e2e *r, const char *mutant, const char *first, const char *second)
{
	const char *const argv[] = { "vm",	 "--kernel", vm_kernel,	  "--accel",	   "tcg",
				     "--append", mutant,     "--run-dir", e2e_path("run"), "--keep",
				     first,	 second,     NULL };

	e2e_remove(e2e_path("run"));
	e2e_start(r, argv, NULL);
	e2e_wait(r, PROBE_LIMIT_S);
}

static json_int_t of_race(const char *dir, const char *key)
{
	json_t *result = e2e_result(dir);
	json_int_t n = json_integer_value(
		json_object_get(json_array_get(json_object_get(result, "races"), 0), key));

	json_decref(result);
	return n;
}

static void shows_the_planted_fault(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	vm(&r, "stress_mutant=2", RACE, NULL);
	e2e_assert_exit(&r, 1);
	result = e2e_result(e2e_path("run"));
	assert_int_equal(e2e_findings(result, "kernel-warning"), 1);
	assert_int_equal(e2e_findings(result, NULL), 1);
	json_decref(result);
	e2e_free(&r);
}

/* Each attempt is held once, and the healthy kernel has nothing to say. */
static void is_silent_without(void **state)
{
	struct e2e r;

	(void)state;
	vm(&r, "stress_mutant=0", variant("a.json", "{}", 20, NULL), NULL);
	e2e_assert_exit(&r, 0);
	assert_int_equal(of_race(e2e_path("run"), "attempts"), 20);
	assert_in_range(of_race(e2e_path("run"), "held"), 19, 20);
	assert_in_range(of_race(e2e_path("run"), "overlaps"), 1, 20);
	e2e_free(&r);
}

static void what_cannot_be_probed_is_named(void **state)
{
	static const struct {
		const char *hold, *said;
	} rows[] = {
		{ "{ \"function\": \"no_such_function\" }", "no function no_such_function" },
		/* Marked as not for probes: it would hit itself. */
		{ "{ \"function\": \"kprobe_int3_handler\" }",
		  "no kprobe can be set at kprobe_int3" },
		{ "{ \"function\": \"" SEEK "+0xfffff0\", \"return\": false }",
		  "no kprobe can be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct e2e r;

		vm(&r, "stress_mutant=0", variant("a.json", rows[i].hold, 1, NULL), NULL);
		e2e_assert_exit(&r, 4);
		if (!strstr(r.out, rows[i].said))
			fail_msg("row %zu: expected \"%s\" in\n%s", i, rows[i].said, r.out);
		e2e_free(&r);
	}
}

static void has(const char *path, const char *text)
{
	char command[1024];

	snprintf(command, sizeof(command), "grep -q '%s' %s", text, path);
	if (system(command) != 0)
		fail_msg("no \"%s\" in %s", text, path);
}

/* The probe is there while the coordinator is, and not a run later. */
static void goes_with_a_coordinator_that_is_killed(void **state)
{
	const char *first = variant("kill.json", "{}", 0, KILLER);
	struct e2e r;

	(void)state;
	vm(&r, "stress_mutant=0", first, variant("look.json", NULL, 0, LOOKER));
	has(e2e_path("run/1/exec.*.log"), "planted");
	has(e2e_path("run/2/exec.*.log"), "clean");
	assert_false(e2e_exists(e2e_path("run/1/report.txt")));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_planted_fault),
		cmocka_unit_test(is_silent_without),
		cmocka_unit_test(what_cannot_be_probed_is_named),
		cmocka_unit_test(goes_with_a_coordinator_that_is_killed),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
