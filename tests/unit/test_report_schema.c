// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Results obey schema/result-1.schema.json, as python3's jsonschema reads it, and the schema
 * refuses what is no result. Skipped (77) where that library is missing.
 */
#include "report_sample.h"

#include "run.h"

#include <sys/wait.h>
#include <unistd.h>

#define CHECK  "python3 " SOURCE_DIR "/tests/unit/check_result.py "
#define SCHEMA SOURCE_DIR "/schema/result-1.schema.json "

/* Takes the reference. */
static int judge(json_t *j)
{
	char path[] = "/tmp/stressd-result-XXXXXX", command[512];
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_non_null(j);
	assert_int_equal(json_dumpfd(j, fd, JSON_REAL_PRECISION(15)), 0);
	close(fd);
	json_decref(j);
	snprintf(command, sizeof(command), CHECK SCHEMA "%s 2>/dev/null", path);
	status = system(command);
	unlink(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void valid(void **state)
{
	struct sample *s = sample_new(2);

	(void)state;
	s->f[1].kind = FINDING_FSCK;
	s->f[1].has_cell = false;
	s->f[1].file[0] = s->f[1].writer[0] = '\0';
	s->f[1].nops = 0;
	assert_int_equal(judge(result_to_json(&s->r)), 0);
	sample_make_evil(s);
	assert_int_equal(judge(result_to_json(&s->r)), 0);
	s->r = (struct run_result){ .verdict = VERDICT_SKIP, .exit = 4 };
	assert_int_equal(judge(result_to_json(&s->r)), 0);
	sample_free(s);
}

/* The schema lists kinds and states again: none of the program's may be missing there. */
static void every_name(void **state)
{
	struct sample *s = sample_new(FINDING_KINDS);

	(void)state;
	for (int i = 0; i < FINDING_KINDS; i++)
		s->f[i].kind = i;
	assert_int_equal(judge(result_to_json(&s->r)), 0);
	for (int i = SLOT_EMPTY; i <= SLOT_DEAD; i++) {
		strcpy(s->workers[0].state, slot_state_names[i]);
		assert_int_equal(judge(result_to_json(&s->r)), 0);
	}
	sample_free(s);
}

static void invalid(void **state)
{
	struct sample *s = sample_new(1);
	json_t *j = result_to_json(&s->r);

	(void)state;
	json_object_set_new(j, "surplus", json_true());
	assert_int_equal(judge(j), 1);
	j = result_to_json(&s->r);
	json_object_del(j, "seed");
	assert_int_equal(judge(j), 1);
	j = result_to_json(&s->r);
	json_object_set_new(json_array_get(json_object_get(j, "findings"), 0), "kind",
			    json_string("gremlin"));
	assert_int_equal(judge(j), 1);
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid),
		cmocka_unit_test(every_name),
		cmocka_unit_test(invalid),
	};

	if (system(CHECK "2>/dev/null") != 0) {
		fputs("python3 with jsonschema is missing\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
