// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files whose cells several writers share: nothing is found on a filesystem that works, however
 * they fall over each other; and data that is far too old, zeros and strange bytes are found, by
 * name, although nobody can say which of the writers came last.
 */
#include "liar_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES "[{'name': 'data', 'size': '64K', 'layout': 'written', 'conflict': true}]"
/* clang-format off */
#define WORKERS \
	"[{'type': 'buffered_writer', 'file': 'data', 'count': 3," \
	"  'options': {'how': 'mixed', 'length': '512..8K', 'pause': '1ms'}}," \
	" {'type': 'mmap_writer', 'file': 'data'," \
	"  'options': {'pause': '1ms', 'msync': 10, 'dontneed': 20}}," \
	" {'type': 'reader', 'count': 2, 'options': {'length': '512..8K', 'pause': '300us'}}," \
	" {'type': 'dio_reader', 'options': {'pause': '1ms'}, 'optional': true}," \
	" {'type': 'dropcache', 'options': {'interval': '1ms'}}," \
	" {'type': 'syncer', 'options': {'interval': '5ms'}}]"
/* clang-format on */

/* Not on a stack: a test that fails leaves by a jump, and its run is ended after it. */
static struct liar_run run;

static int end_run(void **state)
{
	(void)state;
	liar_run_end(&run);
	return 0;
}

static void assert_silence(void)
{
	if (run.e2e.exit)
		print_error("%s\n", liar_run_string(liar_run_finding(&run), "sentence"));
	e2e_assert_exit(&run.e2e, 0);
	assert_non_null(run.result);
	assert_int_equal(e2e_findings(run.result, NULL), 0);
}

static void silence(void **state)
{
	unsigned int seeds = getenv("STRESSD_TEST_FAST") ? 1 : 4;

	(void)state;
	for (unsigned int seed = 1; seed <= seeds; seed++)
		for (int writeback = 0; writeback < 2; writeback++) {

			liar_run_mount(&run, writeback);
			liar_run_start(&run, FILES, WORKERS, seed, "1s");
			liar_run_wait(&run, E2E_LIMIT);
			assert_silence();
			liar_run_end(&run);
		}
}

/* A filesystem of the machine's own, whichever the tests' directory is on. */
static void silence_on_a_plain_directory(void **state)
{

	(void)state;
	snprintf(run.liar.mount, sizeof(run.liar.mount), "%s", e2e_path("plain"));
	assert_int_equal(mkdir(run.liar.mount, 0755), 0);
	liar_run_start(&run, FILES, WORKERS, 1, "1s");
	liar_run_wait(&run, E2E_LIMIT);
	assert_silence();
	liar_run_end(&run);
}

/* What "data" holds now, for later. */
static void keep_copy(void)
{
	static u8 buf[LIAR_RUN_FILE];
	char path[256];
	int in, out;

	snprintf(path, sizeof(path), "%s/%s/data", run.liar.mount, run.dir);
	in = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/long-ago", run.liar.mount);
	out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(in >= 0 && out >= 0);
	assert_int_equal(pread(in, buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(pwrite(out, buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(fsync(out), 0);
	close(in);
	close(out);
}

static const struct row {
	const char *lie, *kind;
} rows[] = {
	{ "other-file %/data 8192 512 1000 other=long-ago", "lost-write" },
	{ "zeros %/data 8192 512 1000", "zeroed" },
	{ "zeros %/data 8192 512 1000 at=write", "zeroed" },
	{ "swap-blocks %/data 8192 512 1000 with=16K at=read", "misplaced" },
};

static void tell(const struct row *row, bool writeback)
{
	json_t *f;

	liar_run_mount(&run, writeback);
	liar_run_start(&run, FILES, WORKERS, 1, "15s");
	keep_copy();
	liar_run_wait_written(&run, "data", 8192, LIAR_RUN_CELL);
	liar_run_wait_written(&run, "data", 16384, LIAR_RUN_CELL);
	liar_run_lie(&run, row->lie);
	liar_run_wait(&run, E2E_LIMIT);
	f = liar_run_finding(&run);
	if (strcmp(liar_run_string(f, "kind"), row->kind))
		print_error("%s, %s: %s\n", row->lie, writeback ? "writeback" : "write through",
			    liar_run_string(f, "sentence"));
	e2e_assert_exit(&run.e2e, 1);
	assert_string_equal(liar_run_string(f, "kind"), row->kind);
	assert_int_equal(json_integer_value(json_object_get(f, "cell")), 8192 / LIAR_RUN_CELL);
	assert_non_null(strstr(liar_run_string(f, "writer"), "_writer."));
	liar_run_end(&run);
}

static void lies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tell(&rows[i], false);
		tell(&rows[i], true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(silence, end_run),
		cmocka_unit_test_teardown(silence_on_a_plain_directory, end_run),
		cmocka_unit_test_teardown(lies, end_run),
	};

	if (!liar_run_possible())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
