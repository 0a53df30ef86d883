// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of writes, in a guest: a kernel whose fsync of ext4 commits nothing is caught as of a
 * flush in the middle of the run, though the run itself ends in order; the same kernel with the
 * fault switched off is silent. Then faults and targets that need a kernel with their drivers. The
 * kernel is $STRESSD_LAB_KERNEL, or a lab kernel beside the checkout; skipped (77) without one.
 */
#include "vmtest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char logged[] =
	"{ \"version\": 1, \"name\": \"logged\", \"description\": \"test\", \"duration\": \"2s\",\n"
	"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\",\n"
	"    \"layers\": [\"log\"], \"log_size\": \"64M\", \"log_points\": 6 },\n"
	"  \"files\": [\n"
	"    { \"name\": \"log\", \"size\": \"0\", \"max\": \"4M\", \"layout\": \"empty\" },\n"
	"    { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"hole\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"log\",\n"
	"      \"options\": { \"how\": \"append\", \"pause\": \"1ms\" } },\n"
	"    { \"type\": \"mmap_writer\", \"file\": \"data\",\n"
	"      \"options\": { \"store\": 8, \"fsync\": 5, \"pause\": \"1ms\" } },\n"
	"    { \"type\": \"syncer\", \"options\": { \"interval\": \"5ms\" } } ] }\n";

static const char faulty[] =
	"{ \"version\": 1, \"name\": \"faulty\", \"description\": \"test\", \"duration\": \"2s\",\n"
	"  \"target\": { \"type\": \"null_blk\", \"fs\": \"ext4\", \"size\": \"64M\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"written\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"reader\", \"file\": \"data\", \"options\": { \"how\": \"mixed\" } },\n"
	"    { \"type\": \"syncer\", \"file\": \"data\" } ],\n"
	"  \"faults\": [ %s ] }\n";

static char *scenario(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static char *scenario(const char *name, const char *format, ...)
{
	static char paths[8][300];
	static int n;
	char text[4096], *path = paths[n++ % 8];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(path, 300, "%s", e2e_path("%s", name));
	e2e_write(path, text);
	return path;
}

/* Each row's result.json; skips where the kernel was not built for it. */
static void vm(struct e2e *r, const char *mutant, const char *const files[3])
{
	e2e_remove(e2e_path("run"));
	e2e_start(r,
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--accel", "tcg", "--memory",
					 "1G", "--cpus", "2", "--append", mutant, "--run-dir",
					 e2e_path("run"), files[0], files[1], files[2], NULL },
		  NULL);
	e2e_wait(r, LIMIT_S);
	if (r->exit == 4 && strstr(r->err, "CONFIG_"))
		skip();
}

static json_t *result_of(const struct e2e *r, const char *row)
{
	char dir[512];
	json_t *result;

	snprintf(dir, sizeof(dir), "%s%s", e2e_path("run"), row);
	result = e2e_result(dir);
	if (!result)
		fail_msg("no result of row %s\n%s%s", row, r->out, r->err);
	return result;
}

static void assert_verdict(const struct e2e *r, const char *row, const char *verdict)
{
	json_t *result = result_of(r, row);
	const char *is = json_string_value(json_object_get(result, "verdict"));

	if (!is || strcmp(is, verdict))
		fail_msg("row %s is %s and not %s\n%s%s", row, is, verdict, r->out, r->err);
	json_decref(result);
}

static void silent_without_the_fault(void **state)
{
	struct e2e r;

	(void)state;
	vm(&r, "stress_mutant=0",
	   (const char *const[]){
		   scenario("logged.json", logged),
		   scenario("bad.json", faulty,
			    "{ \"type\": \"bad_blocks\", \"for\": \"200ms\", \"every\": \"600ms\" "
			    "}"),
		   scenario("late.json", faulty,
			    "{ \"type\": \"fail_io_timeout\", \"after\": \"200ms\", \"for\": "
			    "\"1s\", \"options\": { \"times\": 2, \"interval\": 10, \"patience\": "
			    "\"100ms\" } }, { \"type\": \"cpu_hotplug\", \"optional\": true }"),
	   });
	assert_verdict(&r, "/1", "pass");
	assert_non_null(strstr(r.out, "flushes of the log of writes"));
	assert_verdict(&r, "/2", "pass");
	assert_verdict(&r, "/3", "pass");
	e2e_free(&r);
}

static void fsync_that_commits_nothing(void **state)
{
	json_t *result, *first;
	struct e2e r;

	(void)state;
	vm(&r, "stress_mutant=56",
	   (const char *const[]){ scenario("logged.json", logged), NULL, NULL });
	assert_verdict(&r, "", "fail");
	result = result_of(&r, "");
	first = json_array_get(json_object_get(result, "findings"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "kind")), "not-durable");
	assert_non_null(
		strstr(json_string_value(json_object_get(first, "sentence")), "as of flush"));
	json_decref(result);
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_without_the_fault),
		cmocka_unit_test(fsync_that_commits_nothing),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
