// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A matrix from outside: killed at any time it goes on where it was, what is finished is not run
 * again, infrastructure that fails is tried again, and each engine leaves the same records.
 */
#include "../fake_image.h"
#include "e2e.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define CELLS 4
#define LIMIT 120.0

static char night[300];

/* Until some operations are done, however busy the machine: where how long it takes does not
 * matter. */
#define SOME "1m"

/* A scenario without rights or devices, and a matrix of it on the kernel that is running. */
static const char *matrix(const char *name, const char *duration, const char *more)
{
	static char path[300];
	char text[2000], dir[300];

	snprintf(dir, sizeof(dir), "%s", e2e_path("files"));
	mkdir(dir, 0700);
	snprintf(
		text, sizeof(text),
		"{ \"version\": 1, \"name\": \"small\", \"kernel_log\": { \"fail_at\": \"never\" },"
		" \"files\": [ { \"name\": \"data\", \"size\": \"256K\" } ],"
		" \"target\": { \"type\": \"directory\", \"path\": \"%s\" },"
		" \"verify\": { \"layers\": [\"cache\"] },%s \"workers\": [ { \"type\":"
		" \"buffered_writer\", \"file\": \"data\" } ] }",
		dir, strcmp(duration, SOME) ? "" : " \"stop_on\": { \"attempts\": 20 },");
	e2e_write(e2e_path("small.json"), text);
	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"name\": \"%s\", \"scenarios\": [ \"small.json\" ],"
		 " \"seeds\": \"1..%d\", \"duration\": \"%s\", %s }",
		 name, CELLS, duration, more);
	snprintf(path, sizeof(path), "%s", e2e_path("%s.json", name));
	e2e_write(path, text);
	snprintf(night, sizeof(night), "%s", e2e_path("night-%s", name));
	return path;
}

#define NATIVE "\"kernels\": [ { \"name\": \"native\" } ]"

/* In how many cells there is a file @name. */
static int count(const char *name)
{
	char path[600];
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/cells", night);
	d = opendir(path);
	for (struct dirent *de; d && (de = readdir(d));) {
		snprintf(path, sizeof(path), "%s/cells/%s/%s", night, de->d_name, name);
		n += de->d_name[0] != '.' && e2e_exists(path);
	}
	if (d)
		closedir(d);
	return n;
}

/* Cells that were begun again though they had a verdict. */
static int repeated(void)
{
	char path[600];
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/cells", night);
	d = opendir(path);
	for (struct dirent *de; d && (de = readdir(d));) {
		json_t *o;

		snprintf(path, sizeof(path), "%s/cells/%s/started-2.json", night, de->d_name);
		if (de->d_name[0] == '.' || !e2e_exists(path))
			continue;
		snprintf(path, sizeof(path), "%s/cells/%s/ended-1.json", night, de->d_name);
		o = json_load_file(path, 0, NULL);
		assert_non_null(o);
		n += strcmp(json_string_value(json_object_get(o, "end")), "interrupted") != 0;
		json_decref(o);
	}
	if (d)
		closedir(d);
	return n;
}

static bool some_started(void *ctx)
{
	return count("started-1.json") >= *(int *)ctx;
}

static json_t *last_line(const struct e2e *r)
{
	const char *end = r->out + strlen(r->out), *line;

	if (end > r->out)
		end--;
	for (line = end; line > r->out && line[-1] != '\n';)
		line--;
	return json_loadb(line, (size_t)(end - line), 0, NULL);
}

static void assert_sum(const struct e2e *r, const char *key, json_int_t expected)
{
	json_t *o = last_line(r);

	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, key)), expected);
	json_decref(o);
}

static void run_to_end(const char *file)
{
	struct e2e r;

	e2e_start(&r, (const char *[]){ "matrix", "--json", "--run-dir", night, file, NULL }, NULL);
	e2e_wait(&r, LIMIT);
	e2e_assert_exit(&r, 0);
	assert_sum(&r, "passed", CELLS);
	assert_sum(&r, "left", 0);
	e2e_free(&r);
}

/* kill -9 before, between and during cells. Whatever had ended by then is run once and no more. */
static void killed_anywhere_it_goes_on(void **state)
{
	(void)state;
	for (int kill_at = 0; kill_at <= CELLS; kill_at++) {
		char name[24];
		const char *file;
		struct e2e r;
		int again;

		snprintf(name, sizeof(name), "kill-%d", kill_at);
		file = matrix(name, "400ms", NATIVE);
		e2e_start(&r,
			  (const char *[]){ "matrix", "--json", "--run-dir", night, file, NULL },
			  NULL);
		if (kill_at)
			assert_true(e2e_until(some_started, &kill_at, LIMIT));
		kill(r.pid, SIGKILL);
		e2e_wait(&r, LIMIT);
		assert_int_equal(r.signal, SIGKILL);
		e2e_free(&r);
		run_to_end(file);
		/* One at most was under way; it is run again unless it came to its end alone. */
		again = count("started-2.json");
		assert_true(again <= 1);
		assert_int_equal(repeated(), 0);
		assert_int_equal(count("started-3.json"), 0);
		run_to_end(file);
		assert_int_equal(count("started-2.json"), again);
		e2e_remove(night);
	}
}

static char *slurp(const char *path)
{
	static char buf[64000];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = '\0';
	if (f)
		fclose(f);
	return buf;
}

static void the_first_signal_lets_cells_end(void **state)
{
	const char *file = matrix("signal", "1s", NATIVE);
	int one = 1;
	struct e2e r;

	(void)state;
	e2e_start(&r, (const char *[]){ "matrix", "--json", "--run-dir", night, file, NULL }, NULL);
	assert_true(e2e_until(some_started, &one, LIMIT));
	kill(r.pid, SIGINT);
	e2e_wait(&r, LIMIT);
	e2e_assert_exit(&r, 3);
	assert_sum(&r, "passed", 1);
	assert_sum(&r, "left", CELLS - 1);
	e2e_free(&r);
	assert_int_equal(count("started-1.json"), 1);
	assert_non_null(strstr(slurp(e2e_path("night-signal/night.html")),
			       "Not over: 3 cells are left to run"));
	run_to_end(file);
	assert_null(strstr(slurp(e2e_path("night-signal/night.html")), "Not over"));
	assert_int_equal(count("started-2.json"), 0);
}

/* A run of ten minutes ends within seconds, and is run again. */
static void stopped_by_the_second_signal(const char *engine)
{
	const char *file = matrix(engine, "10m", NATIVE);
	int one = 1;
	struct e2e r;

	e2e_start(&r,
		  (const char *[]){ "matrix", "--json", "--engine", engine, "--run-dir", night,
				    file, NULL },
		  NULL);
	assert_true(e2e_until(some_started, &one, LIMIT));
	/* Two of one kind may be taken for one: they are told apart by their kind. */
	kill(r.pid, SIGINT);
	kill(r.pid, SIGTERM);
	e2e_wait(&r, LIMIT);
	e2e_assert_exit(&r, 3);
	assert_sum(&r, "left", CELLS);
	e2e_free(&r);
	assert_int_equal(count("started-1.json"), 1);
	assert_int_equal(count("ended-1.json"), 1);
}

/* A parallel that goes when it is told to stop, and leaves the cell that it has just begun. */
static void what_an_engine_leaves_behind_is_stopped(void **state)
{
	const char *file = matrix("left", "10m", NATIVE);
	char path[800], text[600];
	int one = 1;
	struct e2e r;

	(void)state;
	snprintf(text, sizeof(text), "%s", e2e_path("left-bin"));
	mkdir(text, 0700);
	snprintf(path, sizeof(path), "%s/parallel", text);
	e2e_write(path,
		  "#!/bin/sh\ntrap 'exit 1' HUP TERM\nwhile [ \"$1\" != -- ]; do shift; done\n"
		  "# -- exec PROGRAM matrix --cell {} :::: PENDING\n"
		  "\"$3\" \"$4\" \"$5\" \"$(head -n 1 \"$8\")\" &\nwait\n");
	chmod(path, 0700);
	snprintf(path, sizeof(path), "PATH=%s:%s", text, getenv("PATH"));
	e2e_start(&r,
		  (const char *[]){ "matrix", "--json", "--engine", "parallel", "--run-dir", night,
				    file, NULL },
		  (const char *[]){ path, NULL });
	assert_true(e2e_until(some_started, &one, LIMIT));
	kill(r.pid, SIGTERM);
	e2e_wait(&r, LIMIT);
	e2e_assert_exit(&r, 3);
	assert_sum(&r, "left", CELLS);
	e2e_free(&r);
	assert_int_equal(count("ended-1.json"), 1);
}

static void the_second_signal_stops_them(void **state)
{
	(void)state;
	stopped_by_the_second_signal("local");
}

/* Here only the engine knows when it starts what: the first signal is passed on to it. */
static void the_second_signal_stops_gnu_parallel(void **state)
{
	struct e2e r;

	(void)state;
	E2E(&r, "matrix", "--engine", "parallel", "--run-dir", e2e_path("probe"),
	    matrix("probe", "1ms", NATIVE));
	if (r.exit == 4) {
		e2e_free(&r);
		skip();
	}
	e2e_free(&r);
	stopped_by_the_second_signal("parallel");
}

static void one_engine_at_a_time(void **state)
{
	const char *file = matrix("lock", "10m", NATIVE);
	int one = 1;
	struct e2e r, other;

	(void)state;
	e2e_start(&r, (const char *[]){ "matrix", "--run-dir", night, file, NULL }, NULL);
	assert_true(e2e_until(some_started, &one, LIMIT));
	E2E(&other, "matrix", "--run-dir", night, file);
	e2e_assert_exit(&other, 3);
	assert_non_null(strstr(other.err, "another stressd matrix"));
	e2e_free(&other);
	kill(r.pid, SIGINT);
	kill(r.pid, SIGTERM);
	e2e_wait(&r, LIMIT);
	e2e_free(&r);
}

static void by_gnu_parallel_it_is_the_same(void **state)
{
	const char *file = matrix("by-parallel", SOME, NATIVE);
	struct e2e r;

	(void)state;
	E2E(&r, "matrix", "--json", "--engine", "parallel", "--run-dir", night, file);
	if (r.exit == 4) {
		e2e_free(&r);
		skip();
	}
	e2e_assert_exit(&r, 0);
	assert_sum(&r, "passed", CELLS);
	e2e_free(&r);
	assert_int_equal(count("ended-1.json"), CELLS);
	run_to_end(file);
	assert_int_equal(count("started-2.json"), 0);
}

/* An sbatch that keeps what it was asked, and runs the script for all but the last task at once, as
 * Slurm would: the last node dies with nothing but its started record. */
static void fake_sbatch(const char *bin)
{
	char path[400], text[2000];

	mkdir(bin, 0700);
	snprintf(path, sizeof(path), "%s/sbatch", bin);
	snprintf(
		text, sizeof(text),
		"#!/bin/sh\n"
		"printf '%%s\\n' \"$@\" >%s/asked\n"
		"cp \"$3\" %s/script\n"
		"export SLURM_ARRAY_TASK_ID\n"
		"for SLURM_ARRAY_TASK_ID in 1 2 3; do sh \"$3\" \"$4\" >/dev/null || exit 1; done\n"
		"cell=$(sed -n 4p %s/pending)\n"
		"echo '{ \"host\": \"node7\", \"boot\": \"gone\", \"kernel\": \"6.1-node\" }' "
		">$cell/started-1.json\n"
		"echo Submitted batch job 42\n",
		bin, bin, night);
	e2e_write(path, text);
	chmod(path, 0700);
}

static void slurm_gets_an_array_that_is_not_requeued(void **state)
{
	const char *file = matrix("slurm", SOME, NATIVE), *text;
	char bin[300], path[800];
	struct e2e r;

	(void)state;
	snprintf(bin, sizeof(bin), "%s", e2e_path("slurm-bin"));
	fake_sbatch(bin);
	snprintf(path, sizeof(path), "PATH=%s:%s", bin, getenv("PATH"));
	e2e_run(&r,
		(const char *[]){ "matrix", "--engine", "slurm", "--jobs", "2", "--run-dir", night,
				  file, NULL },
		(const char *[]){ path, NULL });
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "4 cells submitted: Submitted batch job 42"));
	e2e_free(&r);
	snprintf(path, sizeof(path), "%s/asked", bin);
	assert_non_null(strstr(slurp(path), "--array=1-4%2\n"));
	snprintf(path, sizeof(path), "%s/script", bin);
	text = slurp(path);
	assert_non_null(strstr(text, "#SBATCH --no-requeue\n"));
	assert_non_null(strstr(text, "#SBATCH --signal=B:TERM@60\n"));
	assert_non_null(strstr(text, "#SBATCH --exclusive\n"));
	/* The node that died is a finding, here and in the store. */
	E2E(&r, "matrix", "--list", "--json", "--run-dir", night, file);
	e2e_assert_exit(&r, 1);
	assert_sum(&r, "passed", 3);
	assert_sum(&r, "lost", 1);
	assert_sum(&r, "findings", 1);
	e2e_free(&r);
	assert_non_null(strstr(slurp(e2e_path("night-slurm/night.html")), "<b>kernel-crash</b>"));
	E2E(&r, "history", "--json");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "\"kind\":\"kernel-crash\""));
	assert_non_null(strstr(r.out, "\"last_kernel\":\"6.1-node\""));
	e2e_free(&r);
}

/* A QEMU that is killed each time: 75, as often as there are attempts, and again another day. */
static void infrastructure_that_fails_is_tried_again(void **state)
{
	const char *file =
		matrix("again", "400ms",
		       "\"attempts\": 2, \"kernels\": [ { \"name\": \"fake\", \"image\": "
		       "\"bzImage\" } ], \"guest\": { \"accel\": \"tcg\" }");
	char bin[300], qemu[400], path[800];
	struct e2e r;

	(void)state;
	fake_image(e2e_path("bzImage"), NULL, FAKE_GZIP);
	snprintf(bin, sizeof(bin), "%s", e2e_path("qemu-bin"));
	mkdir(bin, 0700);
	snprintf(qemu, sizeof(qemu), "%s/qemu-system-x86_64", bin);
	e2e_write(qemu, "#!/bin/sh\nkill -9 $$\n");
	chmod(qemu, 0700);
	snprintf(path, sizeof(path), "PATH=%s:%s", bin, getenv("PATH"));
	e2e_start(&r,
		  (const char *[]){ "matrix", "--json", "--jobs", "4", "--cpus", "8", "--memory",
				    "64G", "--run-dir", night, file, NULL },
		  (const char *[]){ path, NULL });
	e2e_wait(&r, LIMIT);
	e2e_assert_exit(&r, 3);
	assert_sum(&r, "left", CELLS);
	e2e_free(&r);
	assert_int_equal(count("ended-2.json"), CELLS);
	assert_int_equal(count("started-3.json"), 0);
}

static void a_store_that_cannot_be_had_costs_no_result(void **state)
{
	const char *file = matrix("nostore", SOME, NATIVE);
	struct e2e r;

	(void)state;
	E2E(&r, "matrix", "--json", "--store", "/nonexistent/store.db", "--run-dir", night, file);
	e2e_assert_exit(&r, 0);
	assert_sum(&r, "passed", CELLS);
	assert_non_null(strstr(r.err, "results are complete, and not in the store: "));
	assert_non_null(strstr(r.err, "--store"));
	e2e_free(&r);
	assert_false(e2e_exists(e2e_path("night-nostore/night.html")));
	E2E(&r, "compare", "--json", night, night);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
}

/* The page of a night, against the last one; what is called anew keeps its name. */
static void a_night_ends_with_its_page(void **state)
{
	static const char *const names[] = { "one", "two", "again" };
	const char *page, *store;
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *file = matrix(i ? "page2" : "page1", "400ms", NATIVE);

		store = e2e_path("page.db");
		E2E(&r, "matrix", "--night", names[i], "--store", store, "--run-dir", night, file);
		e2e_assert_exit(&r, 0);
		assert_non_null(strstr(r.out, "night.html"));
		e2e_free(&r);
		page = slurp(e2e_path("night-page%d/night.html", i ? 2 : 1));
		assert_non_null(strstr(
			page,
			"Nothing was found: of 4 runs in 1 field of the matrix, 1 field passed."));
		assert_non_null(strstr(page, "<a href=\"cells/"));
		assert_true(!strstr(page, "compared with one") == !i);
		assert_true(!strstr(page, "failed in 0 of 1 nights before") == !i);
		assert_null(strstr(page, "again"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_anywhere_it_goes_on),
		cmocka_unit_test(the_first_signal_lets_cells_end),
		cmocka_unit_test(the_second_signal_stops_them),
		cmocka_unit_test(what_an_engine_leaves_behind_is_stopped),
		cmocka_unit_test(the_second_signal_stops_gnu_parallel),
		cmocka_unit_test(one_engine_at_a_time),
		cmocka_unit_test(by_gnu_parallel_it_is_the_same),
		cmocka_unit_test(slurm_gets_an_array_that_is_not_requeued),
		cmocka_unit_test(infrastructure_that_fails_is_tried_again),
		cmocka_unit_test(a_store_that_cannot_be_had_costs_no_result),
		cmocka_unit_test(a_night_ends_with_its_page),
	};

	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
