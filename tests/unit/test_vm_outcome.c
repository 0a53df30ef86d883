// SPDX-License-Identifier: GPL-2.0-or-later
/* How a guest ended: what was not begun is said, even where a run before had a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vm/outcome.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	int end, exits[3]; /* -1: did not end */
	bool doubt_ends;
	int exit;
	const char *says;
} rows[] = {
	{ VM_DONE, { 0, 0, 0 }, false, 0, "" },
	{ VM_DONE, { 0, 1, 0 }, false, 1, "" },
	{ VM_GONE, { 1, -1, -1 }, false, 1, "scenarios 2 to 3 were not begun: QEMU was killed" },
	{ VM_DONE, { 1, 0, -1 }, false, 1, "scenarios 3 to 3 were not begun: the guest ended" },
	{ VM_DONE, { 1, -1, -1 }, true, 1, "" }, /* as was asked for: the next guest has them */
	{ VM_INTERRUPTED, { 1, -1, -1 }, false, 1, "" },
};

static void what_was_not_begun_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vm_options o = { .nscenarios = 3, .doubt_ends = rows[i].doubt_ends };
		struct watch *w = calloc(1, sizeof(*w));
		struct err e = { "" };

		assert_non_null(w);
		w->o = &o;
		for (int k = 0; k < 3; k++) {
			w->exits[k] = rows[i].exits[k];
			if (w->exits[k] >= 0)
				w->current = k;
		}
		assert_int_equal(outcome_settle(w, rows[i].end, &e), rows[i].exit);
		if (strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0 ||
		    (!*rows[i].says && *e.text))
			fail_msg("row %zu: \"%s\", expected \"%s\"", i, e.text, rows[i].says);
		free(w);
	}
}

/* A guest whose filesystem went down with the machine, as its mount option asks, while @fault made
 * errors: was that asked for? */
static bool asked(const char *fault, const char *mount, const char *line)
{
	char path[] = "/tmp/stressd-test-XXXXXX", text[1024];
	int fd = mkstemp(path), n;
	struct vm_options o = { .nscenarios = 1 };
	struct watch *w = calloc(1, sizeof(*w));
	struct err e = { "" };
	bool r;

	assert_true(fd >= 0 && w);
	n = snprintf(
		text, sizeof(text),
		"{ \"version\": 1, \"name\": \"t\", \"duration\": \"1s\","
		"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\","
		"  \"mount\": [\"%s\"] }, \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],"
		"  \"workers\": [ { \"type\": \"reader\", \"file\": \"data\" } ],"
		"  \"faults\": [ { \"type\": \"%s\" } ] }",
		mount, fault);
	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
	if (scenario_load(path, &o.scenarios[0], &e) < 0)
		fail_msg("%s", e.text);
	unlink(path);
	w->o = &o;
	assert_int_equal(klog_open_memory(&w->klog), 0);
	klog_feed(w->klog, "EXT4-fs error (device loop0): ext4_journal_check_start:61: Detected",
		  1);
	klog_feed(w->klog, line, 2);
	klog_finish(w->klog);
	r = outcome_panic_asked(w);
	klog_close(w->klog);
	scenario_free(o.scenarios[0]);
	free(w);
	return r;
}

static void a_panic_that_was_asked_for(void **state)
{
	const char *forced = "Kernel panic - not syncing: EXT4-fs (device loop0): panic forced "
			     "after error",
		   *other = "Kernel panic - not syncing: Fatal exception";

	(void)state;
	assert_true(asked("fail_make_request", "errors=panic", forced));
	assert_false(asked("fail_make_request", "errors=panic", other));
	assert_false(asked("fail_make_request", "errors=remount-ro", forced));
	assert_false(asked("enospc", "errors=panic", forced)); /* which makes no such errors */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_begun_is_said),
		cmocka_unit_test(a_panic_that_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
