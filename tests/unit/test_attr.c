// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The knobs of a fault_attr, in a directory that stands for debugfs: what is written when it is
 * armed, that all of it is put back as it was, and that two runs do not have them at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/claim.h"
#include "base/debugfs.h"
#include "base/fsutil.h"
#include "base/kallsyms.h"
#include "faults/attr.h"
#include "undo/janitor.h"
#include "undo/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DIR "fail_make_request"

static char root[64];
static struct err e;

/* In the place of base/debugfs.c. */
static const char *path_of(const char *knob)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", root, knob);
	return path;
}

int debugfs_read(const char *knob, char *buf, size_t size)
{
	return attr_read(path_of(knob), buf, size);
}

int debugfs_read_all(const char *knob, size_t max_bytes, char **ret)
{
	return read_file(path_of(knob), max_bytes, ret, NULL);
}

int debugfs_may_write(const char *knob)
{
	return access(path_of(knob), W_OK) < 0 ? -errno : 0;
}

int debugfs_write(const char *knob, const char *value)
{
	return write_file_atomic(path_of(knob), value, strlen(value), 0600);
}

int debugfs_claim(const char *dir)
{
	int fd = open(path_of(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : claim_take(fd, true);
}

/* As somebody else left them: none is what the kernel begins with. */
static const struct {
	const char *name, *value;
	bool filter; /* of CONFIG_FAULT_INJECTION_STACKTRACE_FILTER */
} knobs[] = {
	{ "probability", "0", false },
	{ "interval", "7", false },
	{ "times", "3", false },
	{ "space", "11", false },
	{ "verbose", "2", false },
	{ "task-filter", "N", false },
	{ "require-start", "0x10", true },
	{ "require-end", "0x20", true },
	{ "reject-start", "0x30", true },
	{ "reject-end", "0x40", true },
	{ "stacktrace-depth", "16", true },
};

static void make(bool filter)
{
	snprintf(root, sizeof(root), "/tmp/stressd-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(mkdir(path_of(DIR), 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		char name[80];

		snprintf(name, sizeof(name), DIR "/%s", knobs[i].name);
		if (filter || !knobs[i].filter)
			assert_int_equal(debugfs_write(name, knobs[i].value), 0);
	}
}

static void assert_knob(const char *name, const char *value)
{
	char knob[80], now[64];

	snprintf(knob, sizeof(knob), DIR "/%s", name);
	assert_int_equal(debugfs_read(knob, now, sizeof(now)), 0);
	assert_string_equal(now, value);
}

static void assert_as_it_was(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++)
		assert_knob(knobs[i].name, knobs[i].value);
}

static void destroy(void)
{
	char command[100];

	claim_drop();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

/* A function of this kernel, and where it ends. */
static bool any_function(char name[100], u64 *ret_start, u64 *ret_end)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	char line[300], type;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %c %99s", &type, name) == 2 && type == 'T' &&
		    !strpbrk(name, ".$") && kallsyms_range(name, ret_start, ret_end) == 0)
			return true;
	return false;
}

static const struct attr_knob extra[] = { { "task-filter", "Y" }, { NULL, "" } };
static const struct fault_type type = { .name = DIR };

static void all_is_put_back(void **state)
{
	char name[100] = "", start[24], end[24];
	struct attr_options o = { .probability = 40, .interval = 5, .times = 60, .depth = 8 };
	struct attr_state st = { 0 };
	struct fault f = { .type = &type, .options = &o, .state = &st };
	u64 from = 0, to = 0;

	(void)state;
	make(true);
	if (any_function(name, &from, &to))
		o.within = name;
	snprintf(start, sizeof(start), "%#llx", (unsigned long long)from);
	snprintf(end, sizeof(end), "%#llx", (unsigned long long)to);
	assert_int_equal(undo_create(root, "attr", &f.undo, &e), 0);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), 0);
	assert_int_equal(attr_probe_callers(&f, DIR, &e), 0);
	assert_int_equal(attr_save(&f, DIR, extra, &e), 0);
	assert_as_it_was(); /* written down, and not changed */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(attr_arm(&f, DIR, extra, &e), 0);
		assert_knob("probability", "40");
		assert_knob("interval", "5");
		assert_knob("times", "60");
		assert_knob("space", "0");
		assert_knob("verbose", "0");
		assert_knob("task-filter", "Y");
		assert_knob("require-start", o.within ? start : "0x10");
		assert_knob("require-end", o.within ? end : "0x20");
		assert_knob("stacktrace-depth", o.within ? "8" : "16");
		assert_knob("reject-start", "0x30"); /* not asked for, not touched */
		assert_true(attr_is_armed(DIR));
		assert_int_equal(debugfs_write(DIR "/times", "55"), 0); /* the kernel counts */
		assert_int_equal(attr_injected(&f, DIR), 5 * (i + 1));
		assert_int_equal(attr_disarm(&f, DIR, &e), 0);
		assert_false(attr_is_armed(DIR));
	}
	assert_int_equal(attr_injected(&f, DIR), 10);
	assert_int_equal(fault_put_back(&f, &e), 0);
	assert_as_it_was();
	assert_int_equal(undo_pending(f.undo), 0);
	undo_close(f.undo);
	destroy();
}

static void callers_are_not_asked_in_vain(void **state)
{
	struct attr_options o = { .outside = (char *)"vfs_read" };
	struct attr_state st = { 0 };
	struct fault f = { .type = &type, .options = &o, .state = &st };

	(void)state;
	make(false);
	assert_int_equal(attr_probe_callers(&f, DIR, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "CONFIG_FAULT_INJECTION_STACKTRACE_FILTER"));
	o.outside = (char *)"no_such_function_anywhere";
	assert_true(attr_save(&f, DIR, extra, &e) < 0);
	assert_int_equal(f.nentries, 0);
	o.outside = NULL;
	assert_int_equal(attr_probe_callers(&f, DIR, &e), 0);
	destroy();
}

static void where_functions_are(void **state)
{
	static const char text[] = "ffffffff81000400 T second\n"
				   "ffffffff81000100 T first\n"
				   "ffffffff81000180 t first.cold\n"
				   "ffffffff81000300 d data\n"
				   "0000000000000000 T hidden\n"
				   "ffffffffc0000010 t modular\t[xfs]\n";
	const char *path;
	u64 start, end;

	(void)state;
	make(false);
	path = path_of("symbols");
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
	assert_int_equal(kallsyms_range_in(path, "first", &start, &end), 0);
	assert_true(start == 0xffffffff81000100 && end == 0xffffffff81000180);
	assert_int_equal(kallsyms_range_in(path, "second", &start, &end), 0);
	assert_true(start == 0xffffffff81000400 && end == 0xffffffffc0000010);
	assert_int_equal(kallsyms_range_in(path, "modular", &start, &end), 0);
	assert_true(end == UINT64_MAX);
	assert_int_equal(kallsyms_range_in(path, "data", &start, &end), -ENOENT);
	assert_int_equal(kallsyms_range_in(path, "firs", &start, &end), -ENOENT);
	assert_int_equal(kallsyms_range_in(path, "hidden", &start, &end), -EACCES);
	destroy();
}

/* Between two armings the probability is 0, and all else is not as it was. */
static void another_run_waits(void **state)
{
	pid_t child;

	(void)state;
	make(false);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), 0);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), -EBUSY);
	assert_non_null(strstr(e.text, "another run"));
	/* ... and while somebody is left who may have to put back. */
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	claim_drop();
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), -EBUSY);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), 0);
	destroy();
}

static void the_janitor_keeps_them(void **state)
{
	struct janitor j;
	struct undo *u;

	(void)state;
	make(false);
	assert_int_equal(undo_create(root, "attr", &u, &e), 0);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), 0);
	assert_int_equal(janitor_start(u, &j, &e), 0);
	claim_drop();
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), -EBUSY);
	assert_int_equal(janitor_stop(&j), 0);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), 0);
	undo_close(u);
	destroy();
}

static void somebody_elses_knobs(void **state)
{
	(void)state;
	make(false);
	assert_int_equal(debugfs_write(DIR "/probability", "5"), 0);
	assert_int_equal(attr_probe(DIR, "CONFIG", &e), -EBUSY);
	assert_non_null(strstr(e.text, "in use"));
	destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_put_back),
		cmocka_unit_test(callers_are_not_asked_in_vain),
		cmocka_unit_test(where_functions_are),
		cmocka_unit_test(another_run_waits),
		cmocka_unit_test(the_janitor_keeps_them),
		cmocka_unit_test(somebody_elses_knobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
