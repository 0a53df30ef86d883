// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and directories: whole or not at all, and removal that stays inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char base[200];
static char path[512];

static const char *at(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static int make_base(void **state)
{
	(void)state;
	strcpy(base, "/tmp/stressd-fsutil-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int drop_base(void **state)
{
	(void)state;
	return rm_rf(base);
}

static void whole_files(void **state)
{
	_cleanup_free_ char *text = NULL, *big = malloc(100000), *back = NULL;
	size_t len;

	(void)state;
	assert_int_equal(write_file_atomic(at("f"), "one", 3, 0640), 0);
	assert_int_equal(write_file_atomic(at("f"), "second\n", 7, 0640), 0);
	assert_int_equal(read_file(at("f"), 7, &text, &len), 0);
	assert_string_equal(text, "second\n");
	assert_int_equal(len, 7);
	assert_int_equal(read_file(at("f"), 6, &back, &len), -EFBIG);
	assert_int_equal(read_file(at("none"), 6, &back, &len), -ENOENT);
	memset(big, 'x', 100000);
	assert_int_equal(write_file_atomic(at("big"), big, 100000, 0600), 0);
	assert_int_equal(read_file(at("big"), MIB, &back, &len), 0);
	assert_int_equal(len, 100000);
	assert_memory_equal(big, back, len);
	/* The old file stays when the new one cannot be. */
	assert_int_equal(mkdir(at("d"), 0700), 0);
	assert_int_equal(write_file_atomic(at("d"), "x", 1, 0600), -EISDIR);
	assert_int_equal(write_file_atomic(at("no/f"), "x", 1, 0600), -ENOENT);
}

static void attributes(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(write_file_atomic(at("a"), "1234567\n", 8, 0600), 0);
	assert_int_equal(attr_read(at("a"), buf, sizeof(buf)), -EFBIG);
	assert_int_equal(write_file_atomic(at("a"), "123\n", 4, 0600), 0);
	assert_int_equal(attr_read(at("a"), buf, sizeof(buf)), 0);
	assert_string_equal(buf, "123");
	assert_int_equal(attr_write(at("none"), "1"), -ENOENT);
	assert_int_equal(access(at("none"), F_OK), -1);
}

static void parents(void **state)
{
	(void)state;
	assert_int_equal(mkdir_p(at("p/q//r/"), 0700), 0);
	assert_int_equal(mkdir_p(at("p/q/r"), 0700), 0);
	assert_int_equal(access(at("p/q/r"), F_OK), 0);
	assert_int_equal(write_file_atomic(at("p/file"), "", 0, 0600), 0);
	assert_int_equal(mkdir_p(at("p/file/x"), 0700), -ENOTDIR);
	assert_int_equal(mkdir_p("", 0700), -ENOENT);
}

static void removal_stays_inside(void **state)
{
	char outside[512], link[512];

	(void)state;
	assert_int_equal(mkdir_p(at("tree/a/b/c"), 0700), 0);
	assert_int_equal(mkdir_p(at("outside"), 0700), 0);
	strcpy(outside, path);
	assert_int_equal(write_file_atomic(at("outside/kept"), "k", 1, 0600), 0);
	strcpy(link, at("tree/a/link"));
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(rm_rf(at("tree")), 0);
	assert_int_equal(access(at("tree"), F_OK), -1);
	assert_int_equal(access(at("outside/kept"), F_OK), 0);
	/* The name itself a link: the link goes. */
	strcpy(link, at("alias"));
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(rm_rf(at("alias")), 0);
	assert_int_equal(access(at("outside/kept"), F_OK), 0);
	assert_int_equal(rm_rf(at("tree")), -ENOENT);
	assert_int_equal(rm_rf("/tmp"), -EINVAL);
	assert_int_equal(rm_rf("relative/path"), -EINVAL);
	assert_int_equal(rm_rf(at("outside/..")), -EINVAL);
}

/* A bind mount of the same filesystem: its device number does not tell. */
static void removal_stops_at_mounts(void **state)
{
	char from[512];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(mkdir_p(at("m/on"), 0700), 0);
	assert_int_equal(mkdir_p(at("origin"), 0700), 0);
	strcpy(from, path);
	assert_int_equal(write_file_atomic(at("origin/kept"), "k", 1, 0600), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(from, at("m/on"), NULL, MS_BIND, NULL) < 0)
			_exit(77);
		_exit(rm_rf(at("m")) == -EXDEV ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(access(at("origin/kept"), F_OK), 0);
	assert_int_equal(rm_rf(at("m")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(attributes),
		cmocka_unit_test(parents),
		cmocka_unit_test(removal_stays_inside),
		cmocka_unit_test(removal_stops_at_mounts),
	};

	return cmocka_run_group_tests(tests, make_base, drop_base);
}
