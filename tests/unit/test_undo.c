// SPDX-License-Identifier: GPL-2.0-or-later
/* The undo journal: torn at every byte it undoes what it holds, once, and never a stranger's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "undo/janitor.h"
#include "undo/undo.h"
#include "undo/line.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DEADLINE_NS (2 * NSEC_PER_SEC)

static char base[256];

static int make_base(void **state)
{
	(void)state;
	strcpy(base, "/tmp/stressd-undo-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int drop_base(void **state)
{
	(void)state;
	return rm_rf(base);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Poll @path until it is gone or the deadline is over. */
static bool goes(const char *path)
{
	u64 end = now_ns() + DEADLINE_NS;

	while (exists(path) && now_ns() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return !exists(path);
}

static struct undo *create(const char *run)
{
	struct undo *u;
	struct err e;

	if (undo_create(base, run, &u, &e) < 0)
		fail_msg("%s", e.text);
	return u;
}

static void lines_round_trip(void **state)
{
	static const char *const args[][UNDO_ARGS] = {
		{ NULL, NULL, NULL },
		{ "", "-", "=" },
		{ "/a b\nc", "%41\t\x7f", "\xc3\xa9 \x01" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		_cleanup_free_ char *s = undo_line_format('E', 7, "mount", args[i]);
		struct undo_line l;
		size_t len = strlen(s) - 1;

		assert_null(memchr(s, '\n', len));
		assert_int_equal(undo_line_parse(s, len, &l), 0);
		assert_int_equal(l.number, 7);
		for (int k = 0; k < UNDO_ARGS; k++)
			if (args[i][k])
				assert_string_equal(l.arg[k], args[i][k]);
			else
				assert_null(l.arg[k]);
		undo_line_free(&l);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(undo_line_parse(s, cut, &l), -EBADMSG);
		for (size_t bit = 0; bit < len * 8; bit++) {
			s[bit / 8] ^= (char)(1 << bit % 8);
			assert_int_equal(undo_line_parse(s, len, &l), -EBADMSG);
			s[bit / 8] ^= (char)(1 << bit % 8);
		}
	}
}

static void reverse_and_once(void **state)
{
	_cleanup_free_ char *outer = NULL, *inner = NULL;
	struct undo *u = create("order");
	char path[512];
	struct err e;

	(void)state;
	strcpy(path, undo_path(u));
	assert_true(asprintf(&outer, "%s/o r\nd%%er", base) > 0);
	assert_true(asprintf(&inner, "%s/in", outer) > 0);
	assert_int_equal(undo_record(u, UNDO_DIR, outer, NULL, NULL), 0);
	assert_int_equal(mkdir(outer, 0700), 0);
	assert_int_equal(undo_record(u, UNDO_DIR, inner, NULL, NULL), 1);
	assert_int_equal(mkdir(inner, 0700), 0);
	/* Only in reverse can both go. */
	assert_int_equal(undo_all(u, &e), 0);
	assert_false(exists(outer));
	assert_int_equal(undo_pending(u), 0);
	/* Once: what has the name now is another's. */
	assert_int_equal(mkdir(outer, 0700), 0);
	assert_int_equal(undo_all(u, &e), 0);
	assert_true(exists(outer));
	assert_int_equal(rmdir(outer), 0);
	undo_close(u);
	assert_false(exists(path));
}

/* A child that records and makes @n directories, and is killed. */
static void killed_run(const char *run, int n)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct undo *u = create(run);

		for (int i = 0; i < n; i++) {
			char dir[512];

			snprintf(dir, sizeof(dir), "%s/%s-%d", base, run, i);
			if (undo_record(u, UNDO_DIR, dir, NULL, NULL) < 0 || mkdir(dir, 0700) < 0)
				_exit(1);
		}
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &(int){ 0 }, 0), pid);
}

static void torn_at_every_byte(void **state)
{
	enum { N = 3 };
	_cleanup_free_ char *text = NULL, *report = NULL;
	char path[512], dir[512];
	size_t len, ends[N + 1], n = 0, size;

	(void)state;
	killed_run("torn", N);
	snprintf(path, sizeof(path), "%s/undo/torn.journal", base);
	assert_int_equal(read_file(path, MIB, &text, &len), 0);
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n' && n <= N)
			ends[n++] = i + 1;
	assert_int_equal(n, N + 1);
	for (size_t cut = 0; cut <= len; cut++) {
		FILE *f = open_memstream(&report, &size);

		for (int i = 0; i < N; i++) {
			snprintf(dir, sizeof(dir), "%s/torn-%d", base, i);
			mkdir(dir, 0700);
		}
		assert_int_equal(write_file_atomic(path, text, cut, 0600), 0);
		assert_int_equal(undo_recover(base, f), 0);
		for (int i = 0; i < N; i++) {
			snprintf(dir, sizeof(dir), "%s/torn-%d", base, i);
			assert_int_equal(exists(dir), cut < ends[i + 1]);
		}
		assert_false(exists(path));
		fclose(f);
		free(take_ptr(report));
	}
	for (int i = 0; i < N; i++) {
		snprintf(dir, sizeof(dir), "%s/torn-%d", base, i);
		rmdir(dir);
	}
}

/* Damage before good lines is no torn tail: the rest is undone, and somebody has to look. */
static void damage_is_said(void **state)
{
	_cleanup_free_ char *text = NULL, *report = NULL;
	char path[512], first[512], last[512];
	size_t len, size;
	FILE *f = open_memstream(&report, &size);
	char *line;

	(void)state;
	killed_run("hurt", 2);
	snprintf(path, sizeof(path), "%s/undo/hurt.journal", base);
	snprintf(first, sizeof(first), "%s/hurt-0", base);
	snprintf(last, sizeof(last), "%s/hurt-1", base);
	assert_int_equal(read_file(path, MIB, &text, &len), 0);
	line = strchr(text, '\n');
	line[1] ^= 1; /* the first entry: the second is still undone */
	assert_int_equal(write_file_atomic(path, text, len, 0600), 0);
	assert_int_equal(undo_recover(base, f), 1);
	fflush(f);
	assert_non_null(strstr(report, "damaged"));
	assert_true(exists(path));
	assert_true(exists(first));
	assert_false(exists(last));
	fclose(f);
	unlink(path);
	rmdir(first);
	rmdir(last);
}

/* One dead, one alive in another process, one of our own: only the first is touched. */
static void three_journals(void **state)
{
	_cleanup_free_ char *report = NULL;
	struct undo *own = create("own");
	int up[2], down[2];
	char dir[512], byte;
	size_t size;
	FILE *f = open_memstream(&report, &size);
	struct err e;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	snprintf(dir, sizeof(dir), "%s/alive", base);
	pid = fork();
	if (pid == 0) {
		struct undo *u = create("alive");
		bool ok = undo_record(u, UNDO_DIR, dir, NULL, NULL) == 0 && !mkdir(dir, 0700);

		if (write(up[1], "x", 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(1);
		ok = ok && undo_all(u, &e) == 0;
		undo_close(u);
		_exit(!ok);
	}
	killed_run("dead", 1);
	assert_int_equal(read(up[0], &byte, 1), 1);
	assert_int_equal(undo_record(own, UNDO_DIR, base, NULL, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(undo_recover(base, f), 0);
	fflush(f);
	assert_non_null(strstr(report, "dead: dir"));
	assert_true(exists(dir));
	assert_true(exists(undo_path(own)));
	assert_int_equal(write(down[1], "x", 1), 1);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(undo_forget(own, 0), 0);
	undo_close(own);
	fclose(f);
	for (int i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	return pid;
}

static void kills_only_the_one_it_was(void **state)
{
	struct undo *u = create("kill");
	pid_t pid = sleeper();
	char group[16];
	int status;
	struct err e;

	(void)state;
	snprintf(group, sizeof(group), "%d", pid);
	assert_int_equal(undo_record(u, UNDO_PROCESS, group, "1", NULL), 0);
	assert_int_equal(undo_all(u, &e), 0);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(undo_record_process(u, pid), 1);
	assert_int_equal(undo_all(u, &e), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	undo_close(u);
}

static void sysctl_goes_back(void **state)
{
	static const char knob[] = "/proc/sys/vm/stat_interval";
	char before[32], after[32];
	struct undo *u;
	struct err e;

	(void)state;
	if (access(knob, W_OK) < 0)
		skip();
	u = create("sysctl");
	assert_int_equal(attr_read(knob, before, sizeof(before)), 0);
	assert_int_equal(undo_record_sysctl(u, knob), 0);
	assert_int_equal(attr_write(knob, strcmp(before, "7") ? "7" : "8"), 0);
	assert_int_equal(undo_all(u, &e), 0);
	assert_int_equal(attr_read(knob, after, sizeof(after)), 0);
	assert_string_equal(before, after);
	assert_int_equal(undo_record(u, UNDO_SYSCTL, "/etc/passwd", "x", NULL), 1);
	assert_int_equal(undo_all(u, &e), 1);
	assert_non_null(strstr(e.text, "/etc/passwd"));
	assert_int_equal(undo_forget(u, 1), 0);
	undo_close(u);
}

static void reboot_undoes_the_volatile(void **state)
{
	_cleanup_free_ char *head =
		undo_line_format('H', 1, "journal", (const char *[]){ "old", "other-boot", NULL });
	_cleanup_free_ char *all = NULL, *report = NULL;
	char path[512], group[16];
	pid_t pid = sleeper();
	size_t size;
	FILE *f = open_memstream(&report, &size);
	int status;

	(void)state;
	snprintf(group, sizeof(group), "%d", pid);
	struct undo *u = create("probe");
	assert_int_equal(undo_record_process(u, pid), 0);
	_cleanup_free_ char *text = NULL;
	size_t len;
	assert_int_equal(read_file(undo_path(u), MIB, &text, &len), 0);
	assert_int_equal(undo_forget(u, 0), 0);
	undo_close(u);
	/* The true record of a living process, under the header of another boot. */
	assert_true(asprintf(&all, "%s%s", head, strchr(text, '\n') + 1) > 0);
	snprintf(path, sizeof(path), "%s/undo/old.journal", base);
	assert_int_equal(write_file_atomic(path, all, strlen(all), 0600), 0);
	assert_int_equal(undo_recover(base, f), 0);
	fclose(f);
	assert_non_null(strstr(report, "reboot"));
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* A coordinator with a janitor and one worker in a group of its own. It dies by SIGKILL; with
 * @janitor_too the janitor dies before it. Their pids come back through shared memory. */
static void fake_coordinator(bool janitor_too, int fd)
{
	struct undo *u = create("gone");
	struct janitor j;
	struct err e;
	char dir[512];
	pid_t pids[2];

	snprintf(dir, sizeof(dir), "%s/gone-dir", base);
	if (janitor_start(u, &j, &e) < 0)
		_exit(1);
	pids[0] = j.pid;
	pids[1] = sleeper();
	if (undo_record_process(u, pids[1]) < 0 || undo_record(u, UNDO_DIR, dir, NULL, NULL) < 0 ||
	    mkdir(dir, 0700) < 0 || write(fd, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	if (janitor_too) {
		kill(j.pid, SIGKILL);
		waitpid(j.pid, NULL, 0);
	}
	kill(getpid(), SIGKILL);
}

static bool process_gone(pid_t pid)
{
	char path[64], text[512];
	u64 end = now_ns() + DEADLINE_NS;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (now_ns() < end) {
		if (attr_read(path, text, sizeof(text)) < 0 || strstr(text, ") Z "))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return false;
}

static void coordinator_dies(bool janitor_too)
{
	char dir[512], journal[512];
	pid_t pids[2];
	int fds[2], status;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s/gone-dir", base);
	snprintf(journal, sizeof(journal), "%s/undo/gone.journal", base);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		fake_coordinator(janitor_too, fds[1]);
	assert_int_equal(read(fds[0], pids, sizeof(pids)), sizeof(pids));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	if (janitor_too) {
		_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");

		assert_true(exists(dir));
		assert_int_equal(undo_recover(base, null), 0);
	}
	assert_true(goes(journal));
	assert_false(exists(dir));
	assert_true(process_gone(pids[1]));
	assert_true(process_gone(pids[0]));
	close(fds[0]);
	close(fds[1]);
}

static void janitor_cleans(void **state)
{
	(void)state;
	coordinator_dies(false);
}

static void recover_cleans_without_janitor(void **state)
{
	(void)state;
	coordinator_dies(true);
}

static void janitor_leaves_when_told(void **state)
{
	struct undo *u = create("calm");
	char dir[512], name[64], path[64];
	struct janitor j;
	struct err e;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/calm-dir", base);
	assert_int_equal(janitor_start(u, &j, &e), 0);
	assert_int_equal(undo_record(u, UNDO_DIR, dir, NULL, NULL), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(path, sizeof(path), "/proc/%d/comm", j.pid);
	do
		assert_int_equal(attr_read(path, name, sizeof(name)), 0);
	while (strcmp(name, "stressd-janitor") != 0);
	kill(j.pid, SIGTERM);
	kill(j.pid, SIGINT);
	assert_int_equal(janitor_stop(&j), 0);
	assert_true(exists(dir));
	assert_int_equal(undo_all(u, &e), 0);
	undo_close(u);
	assert_false(exists(dir));
}

static void only_the_owner_writes(void **state)
{
	struct undo *u = create("mine");
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int r = undo_record(u, UNDO_DIR, "/nowhere", NULL, NULL);

		undo_close(u);
		_exit(r == -EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(exists(undo_path(u)));
	undo_close(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_round_trip),
		cmocka_unit_test(reverse_and_once),
		cmocka_unit_test(torn_at_every_byte),
		cmocka_unit_test(damage_is_said),
		cmocka_unit_test(three_journals),
		cmocka_unit_test(kills_only_the_one_it_was),
		cmocka_unit_test(sysctl_goes_back),
		cmocka_unit_test(reboot_undoes_the_volatile),
		cmocka_unit_test(janitor_cleans),
		cmocka_unit_test(recover_cleans_without_janitor),
		cmocka_unit_test(janitor_leaves_when_told),
		cmocka_unit_test(only_the_owner_writes),
	};

	return cmocka_run_group_tests(tests, make_base, drop_base);
}
