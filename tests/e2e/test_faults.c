// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults from outside: what every machine can do is done, counted and put back; what this one lacks
 * is said before anything is changed; what must not be touched is refused.
 */
#include "e2e.h"
#include "traces.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_S 2.0
#define IMAGE	   "{'type': 'image', 'fs': 'ext4', 'size': '32M', 'mkfs': ['-b', '4096']}"
#define WRITERS                                                                                    \
	"{'type': 'buffered_writer', 'file': 'data', 'count': 2,"                                  \
	" 'options': {'length': '4K..64K', 'grow': true}},"                                        \
	"{'type': 'syncer', 'file': 'data'}, {'type': 'reader', 'file': 'data'}"

static void run(struct e2e *r, const char *target, const char *workers, const char *faults)
{
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "{'version': 1, 'name': 'faults', 'seed': 7, 'duration': '1s',\n"
			 " 'stop_on': 'never', 'target': %s,\n"
			 " 'files': [{'name': 'data', 'size': '1M', 'max': '48M'}],\n"
			 " 'workers': [%s],\n 'faults': [%s],\n"
			 " 'verify': {'layers': ['cache', 'dropped']},\n"
			 " 'kernel_log': {'fail_at': 'never'}}\n",
			 target, workers, faults);

	assert_in_range(n, 1, sizeof(text) - 1);
	for (char *c = text; (c = strchr(c, '\''));)
		*c = '"';
	e2e_write(e2e_path("faults.json"), text);
	e2e_remove(e2e_path("run"));
	E2E(r, "run", "--quiet", "--run-dir", e2e_path("run"), e2e_path("faults.json"));
	traces_assert_none("after a run with faults", DEADLINE_S);
}

static json_t *fault_of(json_t *result)
{
	return json_array_get(json_object_get(result, "faults"), 0);
}

static json_int_t number(json_t *result, const char *key)
{
	return json_integer_value(json_object_get(fault_of(result), key));
}

static json_int_t told(json_t *result, const char *error)
{
	json_t *one, *all = json_object_get(fault_of(result), "told");
	json_int_t n = 0;
	size_t i;

	json_array_foreach (all, i, one) {
		if (!strcmp(json_string_value(json_object_get(one, "error")), error))
			n += json_integer_value(json_object_get(one, "count"));
	}
	return n;
}

static void no_space(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	run(&r, IMAGE, WRITERS,
	    "{'type': 'enospc', 'after': '100ms', 'for': '300ms', 'every': '400ms',"
	    " 'options': {'free': '0', 'breathe': '10ms'}}");
	e2e_assert_exit(&r, 0);
	result = e2e_result(e2e_path("run"));
	assert_true(number(result, "armed") > 0);
	assert_true(told(result, "ENOSPC") > 0);
	json_decref(result);
	e2e_free(&r);
}

static void frozen(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	run(&r, IMAGE, WRITERS,
	    "{'type': 'freeze', 'after': '100ms', 'for': '200ms', 'every': '300ms'}");
	e2e_assert_exit(&r, 0);
	result = e2e_result(e2e_path("run"));
	assert_true(number(result, "armed") > 0);
	assert_int_equal(number(result, "injected"), number(result, "armed"));
	json_decref(result);
	e2e_free(&r);
}

/* A signal comes while everybody waits for the thaw. */
static bool armed(void *ctx)
{
	const struct e2e *r = ctx;
	char buf[4096] = "";

	return pread(r->err_fd, buf, sizeof(buf) - 1, 0) > 0 && strstr(buf, "freeze armed\n");
}

static void stopped_while_frozen(void **state)
{
	struct e2e r;

	(void)state;
	run(&r, IMAGE, WRITERS, "{'type': 'freeze', 'after': '100ms', 'for': '10s'}");
	e2e_free(&r);
	e2e_remove(e2e_path("run"));
	e2e_start(&r,
		  (const char *const[]){ "run", "--quiet", "--duration", "50s", "--run-dir",
					 e2e_path("run"), e2e_path("faults.json"), NULL },
		  (const char *const[]){ "STRESSD_KILL=list", NULL });
	assert_true(e2e_until(armed, &r, 20));
	kill(r.pid, SIGTERM);
	e2e_wait(&r, 9);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
	traces_assert_none("stopped while frozen", DEADLINE_S);
}

/* No error tags in the kernels that people run. */
static bool has_errortags(void)
{
	return access("/sys/fs/xfs/debug/bug_on_assert", F_OK) == 0;
}

#define XFS	"{'type': 'image', 'fs': 'xfs', 'size': '320M'}"
#define MISSING "{'type': 'xfs_errortag'}"
#define LACK	"CONFIG_XFS_DEBUG"

static void what_is_missing_is_said(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	if (has_errortags())
		skip();
	run(&r, XFS, WRITERS, MISSING);
	e2e_assert_exit(&r, 4);
	assert_non_null(strstr(r.out, LACK));
	e2e_free(&r);
	run(&r, XFS, WRITERS, "{'type': 'xfs_errortag', 'optional': true}");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, LACK));
	result = e2e_result(e2e_path("run"));
	assert_true(json_is_true(json_object_get(fault_of(result), "dropped")));
	json_decref(result);
	e2e_free(&r);
}

#define BTRFS	     "{'type': 'image', 'fs': 'btrfs', 'size': '120M'}"
#define DRIVER(type) "{'type': '" type "', 'fs': 'ext4', 'size': '32M'}"
#define DM(layer)    "{'type': 'image', 'fs': 'ext4', 'size': '32M', 'layers': ['" layer "']}"

/* Whatever this kernel lacks: skipped, by its name, and no trace. What it has is not tried here. */
static void each_lack_has_its_name(void **state)
{
	static const struct {
		const char *target, *fault, *lack;
	} rows[] = {
		{ IMAGE, "{'type': 'fail_make_request'}", "CONFIG_FAIL_MAKE_REQUEST" },
		{ IMAGE, "{'type': 'failslab'}", "CONFIG_FAILSLAB" },
		{ IMAGE, "{'type': 'fail_page_alloc'}", "CONFIG_FAIL_PAGE_ALLOC" },
		{ IMAGE, "{'type': 'fail_function', 'options': {'function': 'should_failslab'}}",
		  "CONFIG_FAIL_FUNCTION" },
		{ XFS, "{'type': 'xfs_errortag'}", "CONFIG_XFS_DEBUG" },
		{ IMAGE, "{'type': 'quota'}", "quota" },
		{ BTRFS, "{'type': 'quota'}", "mount option usrquota" },
		{ DRIVER("null_blk"), "{'type': 'bad_blocks'}", "CONFIG_BLK_DEV_NULL_BLK" },
		{ DRIVER("null_blk"), "{'type': 'requeue'}", "CONFIG_" },
		{ DRIVER("scsi_debug"), "{'type': 'scsi_medium'}", "CONFIG_SCSI_DEBUG" },
		{ DRIVER("scsi_debug"), "{'type': 'scsi_nth'}", "CONFIG_SCSI_DEBUG" },
		{ DM("error"), "{'type': 'dm_error'}", "CONFIG_BLK_DEV_DM" },
		{ DM("flakey"), "{'type': 'dm_flakey'}", "CONFIG_DM_FLAKEY" },
		{ DM("flakey"), "{'type': 'power_cut'}", "CONFIG_DM_FLAKEY" },
		{ DM("delay"), "{'type': 'dm_delay'}", "CONFIG_DM_DELAY" },
		{ DM("dust"), "{'type': 'dm_dust'}", "CONFIG_DM_DUST" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *result;
		struct e2e r;

		run(&r, rows[i].target, WRITERS, rows[i].fault);
		if (r.exit != 4 && r.exit != 0 && r.exit != 3 && r.exit != 1)
			fail_msg("%s: exit %d\n%s%s", rows[i].fault, r.exit, r.out, r.err);
		if (r.exit == 4 && !strstr(r.out, rows[i].lack))
			fail_msg("%s: it does not name %s\n%s", rows[i].fault, rows[i].lack, r.out);
		result = e2e_result(e2e_path("run"));
		assert_string_equal(json_string_value(json_object_get(result, "verdict")),
				    r.exit == 4	  ? "skip"
				    : r.exit == 0 ? "pass"
				    : r.exit == 1 ? "fail"
						  : "incomplete");
		json_decref(result);
		e2e_free(&r);
	}
}

static void refused(const char *target, const char *workers, const char *faults, const char *why)
{
	struct e2e r;

	run(&r, target, workers, faults);
	e2e_assert_exit(&r, 2);
	if (!strstr(r.err, why))
		fail_msg("%s\nsays: %s\nnot: %s", faults, r.err, why);
	e2e_free(&r);
}

static void what_must_not_be_touched(void **state)
{
	char dir[400];

	(void)state;
	/* the filesystem that the state is on */
	mkdir(e2e_path("dir"), 0700);
	snprintf(dir, sizeof(dir), "{'type': 'directory', 'path': '%s'}", e2e_path("dir"));
	refused(dir, WRITERS, "{'type': 'enospc'}", "which a fault must not touch");
	refused(dir, WRITERS, "{'type': 'freeze', 'for': '1s'}", "stressd mounted");
	refused(IMAGE, WRITERS, "{'type': 'freeze'}", "would last to the end");
	refused(IMAGE, WRITERS, "{'type': 'freeze', 'for': '31s'}", "watchdog");
	refused(IMAGE, WRITERS, "{'type': 'enospc'}, {'type': 'enospc'}", "each fault once");
	refused(IMAGE, WRITERS,
		"{'type': 'fail_make_request', 'options': {'task_filter': true, 'workers': "
		"['buffered_writer', 'dio_reader']}}",
		"no worker of the scenario is one");
	refused(IMAGE, WRITERS,
		"{'type': 'fail_make_request', 'options': {'workers': ['buffered_writer']}}",
		"task_filter is off");
	refused(IMAGE, WRITERS, "{'type': 'memory', 'options': {'reclaim': '1M'}}", "breathe");
	refused(IMAGE, WRITERS, "{'type': 'quota', 'options': {'grace': '2s'}}", "options.soft");
	refused(IMAGE, WRITERS, "{'type': 'quota', 'options': {'soft': '1M', 'grace': '1500ms'}}",
		"whole ones");
	refused(DM("flakey"), WRITERS, "{'type': 'dm_flakey'}, {'type': 'power_cut'}",
		"one fault of a layer");
	refused(DM("delay"), WRITERS, "{'type': 'dm_delay', 'options': {'write': '100us'}}",
		"the delay of writes");
	refused("{'type': 'image', 'fs': 'ext4', 'size': '32M', 'mount': ['errors=panic']}",
		WRITERS, "{'type': 'enospc'}", "takes down the machine");
	refused(IMAGE, WRITERS ", {'type': 'remount'}", "{'type': 'fail_make_request'}",
		"which unmounts");
}

/* Nothing was failed: the run says nothing of the kernel. */
static void never_armed_is_no_pass(void **state)
{
	struct e2e r;

	(void)state;
	run(&r, IMAGE, WRITERS, "{'type': 'freeze', 'after': '1h', 'for': '1s'}");
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.out, "not-exercised: fault freeze"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_space),
		cmocka_unit_test(frozen),
		cmocka_unit_test(stopped_while_frozen),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(each_lack_has_its_name),
		cmocka_unit_test(what_must_not_be_touched),
		cmocka_unit_test(never_armed_is_no_pass),
	};

	if (!e2e_privileged())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
