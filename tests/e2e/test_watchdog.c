// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hang, crash and silence of a worker are told apart: a task that the kernel holds is a finding, a
 * process that was stopped or died is stressd's own trouble; and a run that is only slow is none.
 */
#include "liar_run.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
#define SCENARIO \
	"{'version': 1, 'name': 'watchdog', 'duration': '20s', 'watchdog': '%s'," \
	" 'target': {'type': 'directory', 'path': '%s'}," \
	" 'files': [{'name': 'data', 'size': '64K', 'layout': 'written'}]," \
	" 'workers': [{'type': 'reader', 'file': 'data'}," \
	"             {'type': 'dropcache', 'file': 'data', 'options': {'scope': 'file'}}]," \
	" 'kernel_log': {'fail_at': 'never'}}"
/* clang-format on */

struct run {
	struct e2e e2e;
	char dir[256];
	pid_t reader;
};

static void start(struct run *r, const char *target, const char *watchdog)
{
	char text[2048];
	const char *path = e2e_path("watchdog.json");

	snprintf(r->dir, sizeof(r->dir), "%s", e2e_path("watchdog"));
	e2e_remove(r->dir);
	snprintf(text, sizeof(text), SCENARIO, watchdog, target);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	e2e_write(path, text);
	e2e_start(&r->e2e,
		  (const char *const[]){ "run", "--quiet", "--run-dir", r->dir, path, NULL }, NULL);
}

/* The worker reader.0 of this run, by its name and its ancestor. */
static bool reader_runs(void *ctx)
{
	struct run *r = ctx;
	char path[64], name[32] = "", line[256];
	pid_t parent = 0;
	DIR *proc = opendir("/proc");

	r->reader = 0;
	for (struct dirent *d; (d = readdir(proc)) && !r->reader;) {
		FILE *f;

		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/stat", d->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(line, sizeof(line), f) &&
		    sscanf(line, "%*d (%31[^)]) %*c %d", name, &parent) == 2 &&
		    parent == r->e2e.pid && !strcmp(name, "reader.0"))
			r->reader = (pid_t)atoi(d->d_name);
		fclose(f);
	}
	closedir(proc);
	return r->reader != 0;
}

static void end(struct run *r, int code, const char *kind, const char *words)
{
	json_t *result, *finding;
	const char *text;

	e2e_wait(&r->e2e, E2E_LIMIT);
	e2e_assert_exit(&r->e2e, code);
	result = e2e_result(r->dir);
	assert_non_null(result);
	finding = json_array_get(json_object_get(result, "findings"), 0);
	text = json_string_value(
		json_object_get(finding ? finding : result, finding ? "sentence" : "reason"));
	if (kind)
		assert_string_equal(json_string_value(json_object_get(finding, "kind")), kind);
	else
		assert_null(finding);
	if (words && (!text || !strstr(text, words)))
		fail_msg("expected \"%s\" in: %s", words, text);
	json_decref(result);
	e2e_free(&r->e2e);
}

static const char *plain(void)
{
	const char *path = e2e_path("plain");

	if (!e2e_exists(path))
		assert_int_equal(mkdir(path, 0700), 0);
	return path;
}

static void a_stopped_worker_is_silent(void **state)
{
	struct run r;

	(void)state;
	start(&r, plain(), "500ms");
	assert_true(e2e_until(reader_runs, &r, 10));
	assert_int_equal(kill(r.reader, SIGSTOP), 0);
	end(&r, 3, NULL, "reader.0 has given no sign of life");
}

static void a_crashed_worker_has_crashed(void **state)
{
	struct run r;

	(void)state;
	start(&r, plain(), "10s");
	assert_true(e2e_until(reader_runs, &r, 10));
	assert_int_equal(kill(r.reader, SIGSEGV), 0);
	end(&r, 3, NULL, "reader.0 died: killed by SIGSEGV");
}

static void a_task_that_the_kernel_holds_hangs(void **state)
{
	struct liar_run t = { 0 };
	struct run r;

	(void)state;
	if (!liar_run_possible())
		skip();
	liar_run_mount(&t, false);
	start(&r, t.liar.mount, "1s");
	assert_true(e2e_until(reader_runs, &r, 10));
	/* no answer to reads for seconds: the reader waits for its page, in the kernel */
	assert_int_equal(liar_command(&t.liar, "delay * 0 0 8 ms=4000"), 0);
	assert_int_equal(liar_wait_held(&t.liar, 1, 10000), 0);
	end(&r, 1, "kernel-hang", "hangs in the kernel");
	liar_run_end(&t);
}

static void a_slow_run_is_none_of_these(void **state)
{
	struct run r;

	(void)state;
	start(&r, plain(), "5s");
	assert_true(e2e_until(reader_runs, &r, 10));
	assert_int_equal(kill(r.reader, SIGSTOP), 0);
	/* a second off its processor, as on a machine that is busy with other things */
	usleep(1000 * 1000);
	assert_int_equal(kill(r.reader, SIGCONT), 0);
	assert_int_equal(kill(r.e2e.pid, SIGINT), 0);
	end(&r, 0, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stopped_worker_is_silent),
		cmocka_unit_test(a_crashed_worker_has_crashed),
		cmocka_unit_test(a_task_that_the_kernel_holds_hangs),
		cmocka_unit_test(a_slow_run_is_none_of_these),
	};

	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
