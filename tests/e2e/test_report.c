// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a run leaves for people: of a lie that is told, a page with the timeline of the finding,
 * whose parts and numbers are those of result.json; of a program beside the workers, its output,
 * also of the run of it that failed. tests/unit/check_page.py judges pages.
 */
#include "liar_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CHECK "python3 " SOURCE_DIR "/tests/unit/check_page.py "

/* clang-format off */
#define FILES "[{'name': 'data', 'size': '64K', 'layout': 'written'}]"
#define WORKERS \
	"[{'type': 'mmap_writer', 'file': 'data'," \
	"  'options': {'pause': '500us', 'msync': 10, 'dontneed': 10}}," \
	" {'type': 'reader', 'options': {'length': '4K..16K', 'pause': '200us'}}," \
	" {'type': 'dropcache', 'options': {'interval': '1ms'}}]"
/* clang-format on */

/* Not on a stack: a test that fails leaves by a jump, and its run is ended after it. */
static struct liar_run run;

static int end_run(void **state)
{
	(void)state;
	liar_run_end(&run);
	return 0;
}

static int judge(const char *run_dir)
{
	char command[512];
	int status;

	snprintf(command, sizeof(command), CHECK "%s", run_dir);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t with_role(json_t *ops, const char *role)
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach (ops, i, o)
		n += !strcmp(liar_run_string(o, "role"), role);
	return n;
}

static void page_of_a_lie(void **state)
{
	json_t *f, *ops;

	(void)state;
	liar_run_mount(&run, false);
	liar_run_start(&run, FILES, WORKERS, 1, "15s");
	liar_run_wait_written(&run, "data", 8192, LIAR_RUN_CELL);
	liar_run_lie(&run, "zeros %/data 8192 512 1000 at=write");
	liar_run_wait(&run, E2E_LIMIT);
	e2e_assert_exit(&run.e2e, 1);
	f = liar_run_finding(&run);
	assert_string_equal(liar_run_string(f, "kind"), "zeroed");
	assert_string_equal(liar_run_string(f, "found"), "zeros");
	ops = json_object_get(json_object_get(f, "timeline"), "operations");
	assert_int_equal(with_role(ops, "finder"), 1);
	assert_int_equal(with_role(ops, "write") + with_role(ops, "suspect") > 0, 1);
	assert_int_equal(judge(run.run_dir), 0);
	liar_run_end(&run);
}

static void page_of_silence(void **state)
{
	(void)state;
	liar_run_mount(&run, false);
	liar_run_start(&run, FILES, WORKERS, 1, "500ms");
	liar_run_wait(&run, E2E_LIMIT);
	e2e_assert_exit(&run.e2e, 0);
	assert_int_equal(judge(run.run_dir), 0);
	liar_run_end(&run);
}

static const char failing[] =
	"{\"version\": 1, \"name\": \"failing\", \"duration\": \"1500ms\", \"stop_on\": "
	"\"never\",\n"
	" \"target\": {\"type\": \"directory\", \"path\": \"%s\"},\n"
	" \"files\": [{\"name\": \"data\", \"size\": \"64K\"}],\n"
	" \"workers\": [{\"type\": \"exec\", \"options\": {\"repeat\": true, \"program\":"
	" [\"sh\", \"-c\", \"echo run $$; exit 3\"]}}]}\n";

/* It fails each time that it runs: what the first run of it said must still be there. */
static void outputs_stay(void **state)
{
	const char *dir = e2e_path("plain"), *path = e2e_path("failing.json");
	const char *run_dir = e2e_path("failing");
	json_t *result, *outputs, *o;
	char text[1024];
	size_t i, failed = 0;
	struct e2e r;

	(void)state;
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(text, sizeof(text), failing, dir);
	e2e_write(path, text);
	E2E(&r, "run", "--quiet", "--output", "ktap", "--run-dir", run_dir, path);
	e2e_assert_exit(&r, 1);
	e2e_free(&r);
	result = e2e_result(run_dir);
	outputs = json_object_get(result, "outputs");
	json_array_foreach (outputs, i, o) {
		struct stat st;

		assert_string_equal(liar_run_string(o, "worker"), "exec.0");
		snprintf(text, sizeof(text), "%s/%s", run_dir, liar_run_string(o, "file"));
		assert_int_equal(stat(text, &st), 0);
		assert_int_equal(json_integer_value(json_object_get(o, "bytes")), st.st_size);
		failed += strstr(text, ".failed-") != NULL;
	}
	assert_true(failed > 1);
	o = json_array_get(json_object_get(result, "findings"), 0);
	assert_non_null(strstr(liar_run_string(o, "sentence"), ".failed-1.log"));
	json_decref(result);
	assert_int_equal(judge(run_dir), 0);
	snprintf(text, sizeof(text), "%s/report.ktap", run_dir);
	assert_true(e2e_exists(text));
	e2e_remove(run_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(page_of_a_lie, end_run),
		cmocka_unit_test_teardown(page_of_silence, end_run),
		cmocka_unit_test(outputs_stay),
	};

	if (!liar_run_possible() || system("python3 -c 'import xml.etree' 2>/dev/null") != 0)
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
