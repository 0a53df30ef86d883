// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Misuse: each wrong command line, scenario, target and place for results has its exact exit code
 * and one line that says where the fault is and what is expected; and leaves nothing behind.
 */
#include "e2e.h"
#include "traces.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

/* The target is on line 3, its members from line 4. */
static const char text[] =
	"{ \"version\": 1, \"name\": \"bad\", \"duration\": \"100ms\",\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"64K\" } ],\n"
	"  \"target\": {\n%s\n"
	"  },\n"
	"  \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" } ] }\n";

static void write_scenario(const char *target)
{
	char full[8192];

	snprintf(full, sizeof(full), text, target);
	e2e_write(e2e_path("bad.json"), full);
}

static void write_target(const char *type, const char *key, const char *value)
{
	char target[5000];

	snprintf(target, sizeof(target), "    \"type\": \"%s\",\n    \"%s\": \"%s\"", type, key,
		 value);
	write_scenario(target);
}

static size_t lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	if (!d)
		return 0;
	for (struct dirent *de; (de = readdir(d));)
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Refused: 2, nothing on stdout, one line on stderr that begins and goes on as told, no trace. */
static void assert_refused(const struct e2e *r, const char *begin, const char *has)
{
	e2e_assert_exit(r, 2);
	assert_string_equal(r->out, "");
	if (lines(r->err) != 1 || strncmp(r->err, begin, strlen(begin)) || !strstr(r->err, has))
		fail_msg("expected one line '%s...%s...', got\n%s", begin, has, r->err);
	assert_int_equal(entries(e2e_path("runs")), 0);
	traces_assert_none(begin, 2);
}

static void refused(const char *const argv[], const char *begin, const char *has)
{
	struct e2e r;

	e2e_run(&r, argv, NULL);
	assert_refused(&r, begin, has);
	e2e_free(&r);
}

/* The scenario of write_scenario(), refused at @pointer on line @line. */
static void scenario_refused(const char *destroy, int line, const char *pointer, const char *has)
{
	char begin[4200];

	snprintf(begin, sizeof(begin), "stressd: %s:%d: %s: ", e2e_path("bad.json"), line, pointer);
	if (destroy)
		refused((const char *const[]){ "run", "--destroy", destroy, e2e_path("bad.json"),
					       NULL },
			begin, has);
	else
		refused((const char *const[]){ "run", e2e_path("bad.json"), NULL }, begin, has);
}

static void command_lines(void **state)
{
	static const struct {
		const char *argv[6], *begin, *has;
	} rows[] = {
		{ { "frobnicate" }, "stressd: frobnicate: ", "no such command" },
		{ { "run" }, "stressd run: ", "expected one scenario" },
		{ { "run", "a", "b" }, "stressd run: ", "expected one scenario" },
		{ { "run", "--bogus", "a" }, "stressd run: ", "--bogus" },
		{ { "run", "--run-dir" }, "stressd run: ", "requires an argument" },
		{ { "run", "/nonexistent.json" }, "stressd: /nonexistent.json:1: ", "readable" },
		{ { "run", "/tmp" }, "stressd: /tmp:1: ", "expected a readable scenario" },
		{ { "check" }, "stressd check: ", "at least one scenario" },
		{ { "verify" }, "stressd verify: ", "expected one run directory" },
		{ { "verify", "--bogus", "a" }, "stressd verify: ", "--bogus" },
		{ { "verify", "/nonexistent" },
		  "stressd: /nonexistent: ",
		  "expected the run directory" },
		{ { "verify", "/dev/null" }, "stressd: /dev/null: ", "not a directory" },
		{ { "verify", "/tmp" }, "stressd: /tmp: ", "not a run directory" },
		{ { "recover", "x" }, "stressd recover: ", "unexpected argument" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		refused(rows[i].argv, rows[i].begin, rows[i].has);
}

static void options(void **state)
{
	(void)state;
	write_target("directory", "path", e2e_path("dir"));
	refused((const char *const[]){ "run", "--seed", "x", e2e_path("bad.json"), NULL },
		"stressd: --seed x: ", "expected");
	refused((const char *const[]){ "run", "--duration", "soon", e2e_path("bad.json"), NULL },
		"stressd: --duration soon: ", "expected");
}

static void directories(void **state)
{
	static const struct {
		const char *path, *has;
	} rows[] = {
		{ "/", "shared by the whole machine" },
		{ "/tmp", "shared by the whole machine" },
		{ "/home", "shared by the whole machine" },
		{ "/etc", "belongs to the system" },
		{ "/usr/share", "belongs to the system" },
		{ "/proc/self", "symbolic link" },
		{ "/sys/kernel", "belongs to the system" },
		{ "/dev/null", "name a directory" },
		{ "/nonexistent", "make the directory first" },
		{ "link", "is a symbolic link" },
		{ "link/below", "is a symbolic link" },
		{ "file", "name a directory" },
		{ "missing", "make the directory first" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *path = rows[i].path;

		write_target("directory", "path", path[0] == '/' ? path : e2e_path("%s", path));
		scenario_refused(NULL, 5, "/target/path", rows[i].has);
	}
	write_target("image", "where", "/etc");
	scenario_refused(NULL, 5, "/target/where", "belongs to the system");
	write_target("image", "size", "5000000001");
	scenario_refused(NULL, 5, "/target/size", "multiple of 4K");
	write_scenario("    \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\",\n"
		       "    \"mount\": [\"bind\"]");
	scenario_refused(NULL, 5, "/target/mount", "cannot be used");
}

/* The output of @command, without its newline. */
static void ask(char *buf, size_t len, const char *command)
{
	FILE *f = popen(command, "re");

	assert_non_null(f);
	if (!fgets(buf, (int)len, f))
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	pclose(f);
}

/* A loop device of the test's own, so that nothing is lost should a refusal be broken. */
static void devices(void **state)
{
	char image[64] = "/tmp/stressd-e2e-device-XXXXXX", command[512], dev[64],
	     mnt[] = "/tmp/stressd-e2e-mount-XXXXXX";
	int fd = mkstemp(image);

	(void)state;
	if (!e2e_privileged())
		skip();
	assert_true(fd >= 0 && ftruncate(fd, 64 << 20) == 0 && mkdtemp(mnt));
	close(fd);
	snprintf(command, sizeof(command), "losetup --find --show %s", image);
	ask(dev, sizeof(dev), command);
	assert_int_equal(strncmp(dev, "/dev/loop", 9), 0);
	write_target("device", "path", dev);
	scenario_refused(NULL, 5, "/target/path", "add --destroy /dev/loop");
	scenario_refused("/dev/null", 5, "/target/path", "add --destroy /dev/loop");
	snprintf(command, sizeof(command), "mkfs.ext4 -q %s && mount %s %s", dev, dev, mnt);
	assert_int_equal(system(command), 0);
	scenario_refused(dev, 5, "/target/path", "mounted");
	snprintf(command, sizeof(command), "umount %s && losetup -d %s", mnt, dev);
	assert_int_equal(system(command), 0);
	write_target("device", "path", image);
	scenario_refused(image, 5, "/target/path", "no block device");
	write_target("device", "path", "/nonexistent");
	scenario_refused("/nonexistent", 5, "/target/path", "/nonexistent");
	unlink(image);
	rmdir(mnt);
}

static void run_dirs(void **state)
{
	(void)state;
	write_target("directory", "path", e2e_path("dir"));
	refused((const char *const[]){ "run", "--run-dir", e2e_path("full"), e2e_path("bad.json"),
				       NULL },
		"stressd: ", "new or empty");
	assert_int_equal(entries(e2e_path("full")), 1);
	refused((const char *const[]){ "run", "--run-dir", e2e_path("file"), e2e_path("bad.json"),
				       NULL },
		"stressd: ", "cannot be the run directory");
	refused((const char *const[]){ "run", "--run-dir", "/proc/stressd", e2e_path("bad.json"),
				       NULL },
		"stressd: /proc/stressd: ", "cannot be the run directory");
}

/* What a refusal made goes with it; what was there before stays. */
static void run_dir_of_a_refusal(void **state)
{
	(void)state;
	write_target("directory", "path", "/etc");
	refused((const char *const[]){ "run", "--run-dir", e2e_path("fresh"), e2e_path("bad.json"),
				       NULL },
		"stressd: ", "belongs to the system");
	assert_false(e2e_exists(e2e_path("fresh")));
	refused((const char *const[]){ "run", "--run-dir", e2e_path("dir"), e2e_path("bad.json"),
				       NULL },
		"stressd: ", "belongs to the system");
	assert_true(e2e_exists(e2e_path("dir")));
}

static void image_too_large(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	if (!e2e_privileged())
		skip();
	write_target("image", "size", "4096G");
	E2E(&r, "run", "--quiet", "--run-dir", e2e_path("skip"), e2e_path("bad.json"));
	e2e_assert_exit(&r, 4);
	assert_string_equal(r.err, "");
	assert_non_null(strstr(r.out, "make room"));
	result = e2e_result(e2e_path("skip"));
	assert_string_equal(json_string_value(json_object_get(result, "verdict")), "skip");
	json_decref(result);
	e2e_free(&r);
	traces_assert_none("skipped", 2);
}

/* The report is wrapped to lines; a message is looked for in words. */
static void unwrap(char *s)
{
	char *to = s, before = '\0';

	for (; *s; s++) {
		char c = *s == '\n' ? ' ' : *s;

		if (c != ' ' || before != ' ')
			*to++ = c;
		before = c;
	}
	*to = '\0';
}

/* From a disk that holds nothing to one that is large enough: trouble that says so, never a
 * signal, and the target's directory is as empty as it was. */
static void full_disk(void **state)
{
	char place[] = "/tmp/stressd-e2e-full-XXXXXX", env[128], size[64];
	bool ran = false;

	(void)state;
	if (!e2e_privileged() || unshare(CLONE_NEWNS) < 0)
		skip();
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_non_null(mkdtemp(place));
	write_target("directory", "path", e2e_path("dir"));
	snprintf(env, sizeof(env), "STRESSD_STATE_DIR=%s", place);
	for (unsigned int kib = 16; !ran && kib <= 64 << 10; kib += kib / 2) {
		struct e2e r;

		snprintf(size, sizeof(size), "size=%uk", kib);
		assert_int_equal(mount("tmpfs", place, "tmpfs", 0, size), 0);
		e2e_run(&r, (const char *const[]){ "run", "--quiet", e2e_path("bad.json"), NULL },
			(const char *const[]){ env, NULL });
		ran = r.exit == 0;
		unwrap(r.out);
		if (!ran &&
		    (r.exit != 3 || (!strstr(r.out, "No space") && !strstr(r.err, "No space"))))
			fail_msg("%s: exit %d, signal %d\n%s%s", size, r.exit, r.signal, r.out,
				 r.err);
		e2e_free(&r);
		assert_int_equal(entries(e2e_path("dir")), 0);
		assert_int_equal(umount(place), 0);
		traces_assert_none(size, 2);
	}
	assert_true(ran);
	rmdir(place);
}

static int setup(void **state)
{
	if (e2e_setup(state) < 0 || mkdir(e2e_path("dir"), 0700) < 0 ||
	    mkdir(e2e_path("full"), 0700) < 0 || symlink("dir", e2e_path("link")) < 0)
		return -1;
	e2e_write(e2e_path("file"), "");
	e2e_write(e2e_path("full/something"), "");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),   cmocka_unit_test(options),
		cmocka_unit_test(directories),	   cmocka_unit_test(devices),
		cmocka_unit_test(run_dirs),	   cmocka_unit_test(run_dir_of_a_refusal),
		cmocka_unit_test(image_too_large), cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, setup, e2e_teardown);
}
