// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `stressd vm` with a real kernel: a scenario in it that passes, and every way for a guest to die
 * under one, each planted. The kernel is $STRESSD_LAB_KERNEL, or a lab kernel beside the checkout;
 * skipped (77) without one.
 */
#include "vmtest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB    (1 << 20)
#define WRITER "{ \"type\": \"buffered_writer\", \"file\": \"data\" }"
#define SCENARIO                                                                                   \
	"{ \"version\": 1, \"name\": \"guest\", \"description\": \"test\", \"duration\": \"%s\","  \
	" \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\" },"               \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ], \"workers\": [ " WRITER         \
	" %s ] }"

/* Without SysRq in the kernel: a machine that is out of memory, and told to panic then. */
#define PANIC                                                                                      \
	", { \"type\": \"exec\", \"options\": { \"program\": [ \"/bin/sh\", \"-c\","               \
	" \"sleep 1; echo c > /proc/sysrq-trigger; echo 2 > /proc/sys/vm/panic_on_oom;"            \
	" for d in /tmp /dev/shm /run; do dd if=/dev/zero of=$d/fill bs=1M; done; sleep 60\" ] } " \
	"}"

static const char *scenario(const char *duration, const char *more)
{
	static char path[512];
	char text[4096];

	snprintf(text, sizeof(text), SCENARIO, duration, more);
	snprintf(path, sizeof(path), "%s", e2e_path("guest.json"));
	e2e_write(path, text);
	return path;
}

static const char *run_dir(void)
{
	static char dir[512];

	snprintf(dir, sizeof(dir), "%s", e2e_path("run"));
	e2e_remove(dir);
	return dir;
}

static void vm(struct e2e *r, const char *const argv[])
{
	e2e_start(r, argv, NULL);
	e2e_wait(r, LIMIT_S);
}

#define VM(r, dir, ...)                                                                            \
	vm(r, (const char *const[]){ "vm", "--kernel", vm_kernel, "--run-dir", dir, __VA_ARGS__,   \
				     NULL })

static const char *text_at(const json_t *o, const char *a, const char *b)
{
	const char *s =
		json_string_value(json_object_get(b ? json_object_get(o, a) : o, b ? b : a));

	return s ? s : "";
}

static void passes(void **state)
{
	const char *dir = run_dir();
	json_t *result;
	struct e2e r;

	(void)state;
	VM(&r, dir, "--keep", "--disk", "64M:serial=spare", scenario("2s", ""));
	e2e_assert_exit(&r, 0);
	result = e2e_result(dir);
	assert_non_null(result);
	assert_string_equal(text_at(result, "verdict", NULL), "pass");
	assert_string_equal(text_at(result, "run_dir", NULL), dir);
	assert_int_equal(json_array_size(json_object_get(result, "findings")), 0);
	json_decref(result);
	/* All of it came, and nothing else is there. */
	assert_true(e2e_exists(e2e_path("run/kernel.log")));
	assert_true(e2e_exists(e2e_path("run/ops.2.log")));
	assert_true(e2e_exists(e2e_path("run/shadow")));
	assert_non_null(strstr(r.out, "PASS"));
	e2e_free(&r);
}

static void panics(void **state)
{
	const char *dir = run_dir();
	json_t *result, *first;
	struct e2e r;

	(void)state;
	VM(&r, dir, "--accel", "tcg", "--memory", "256M", "--timeout", "120s", "--json",
	   scenario("100s", PANIC));
	e2e_assert_exit(&r, 1);
	/* Until then it said how it went. */
	assert_non_null(strstr(r.out, "{\"type\":\"progress\",\"phase\":\"run\""));
	result = e2e_result(dir);
	assert_non_null(result);
	assert_int_equal(e2e_findings(result, "kernel-crash"), 1);
	first = json_array_get(json_object_get(result, "findings"), 0);
	assert_non_null(strstr(text_at(first, "sentence", NULL), "panic"));
	json_decref(result);
	e2e_free(&r);
	/* All of it is here, and what the files hold is right. */
	E2E(&r, "verify", dir);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
	result = e2e_result(e2e_path("run/verify"));
	assert_non_null(result);
	assert_string_equal(text_at(result, "verdict", NULL), "pass");
	json_decref(result);
	/* The crash itself is not forgotten. */
	result = e2e_result(dir);
	assert_int_equal(e2e_findings(result, "kernel-crash"), 1);
	json_decref(result);
}

static bool is_gone(void *ctx)
{
	return kill(*(pid_t *)ctx, 0) < 0;
}

/* A run that works in a guest, and the process of its QEMU. */
static pid_t start_running(struct e2e *r, const char *dir)
{
	const char *const argv[] = { "vm",  "--kernel",		  vm_kernel, "--accel",
				     "tcg", "--silence",	  "5s",	     "--run-dir",
				     dir,   scenario("100s", ""), NULL };
	pid_t pid;

	e2e_start(r, argv, NULL);
	assert_true(e2e_until(operates, r, 60));
	pid = child_of(r->pid);
	assert_true(pid > 0);
	return pid;
}

static void killed_from_outside(void **state)
{
	const char *dir = run_dir();
	json_t *result;
	struct e2e r;

	(void)state;
	kill(start_running(&r, dir), SIGKILL);
	e2e_wait(&r, LIMIT_S);
	e2e_assert_exit(&r, 75);
	result = e2e_result(dir);
	assert_non_null(result);
	assert_int_equal(e2e_findings(result, NULL), 0);
	json_decref(result);
	e2e_free(&r);
}

/* Stopped, it neither beats nor answers. */
static void falls_silent(void **state)
{
	const char *dir = run_dir();
	json_t *result;
	struct e2e r;

	(void)state;
	kill(start_running(&r, dir), SIGSTOP);
	e2e_wait(&r, LIMIT_S);
	e2e_assert_exit(&r, 1);
	result = e2e_result(dir);
	assert_non_null(result);
	assert_int_equal(e2e_findings(result, "kernel-hang"), 1);
	json_decref(result);
	e2e_free(&r);
}

static void dies_with_us(void **state)
{
	struct e2e r;
	pid_t pid = start_running(&r, run_dir());

	(void)state;
	kill(r.pid, SIGKILL);
	e2e_wait(&r, LIMIT_S);
	assert_true(e2e_until(is_gone, &pid, 10));
	e2e_free(&r);
}

/* A kernel that lacks something: taken from the one that has it. */
static void cannot_boot(void **state)
{
	static const struct {
		const char *append, *said;
	} rows[] = {
		{ "initcall_blacklist=init_v9fs", "CONFIG_9P_FS" },
		{ "initcall_blacklist=virtio_console_init", "CONFIG_VIRTIO_CONSOLE" },
		{ "rdinit=/nothing", "did not boot: kernel panic" },
	};
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *dir = run_dir();

		VM(&r, dir, "--accel", "tcg", "--append", rows[i].append, scenario("2s", ""));
		e2e_assert_exit(&r, 3);
		assert_non_null(strstr(r.err, rows[i].said));
		assert_ptr_equal(strchr(r.err, '\n') + 1, r.err + strlen(r.err));
		assert_false(e2e_exists(e2e_path("run/result.json")));
		e2e_free(&r);
	}
}

static void bad_input(void **state)
{
	const char *path = scenario("2s", "");
	char cut[512];
	const struct {
		const char *option, *value, *kernel;
		int exit;
		const char *said;
	} rows[] = {
		{ "--cpus", "2", "/nonexistent", 2, "No such file" },
		{ "--cpus", "2", path, 2, "not a bootable kernel" },
		{ "--cpus", "2", cut, 2, "cut short" },
		{ "--cpus", "0", vm_kernel, 2, "--cpus 0" },
		{ "--disk", "1G:name=x", vm_kernel, 2, "serial=NAME" },
		{ "--accel", "fast", vm_kernel, 2, "auto, kvm or tcg" },
		{ "--disk", "4000T", vm_kernel, 3, "no room for a disk" },
		{ "--memory", "4000T", vm_kernel, 4, "--memory" },
	};
	char command[9000];
	struct e2e r;

	(void)state;
	snprintf(cut, sizeof(cut), "%s", e2e_path("cut"));
	snprintf(command, sizeof(command), "head -c 100000 %s > %s", vm_kernel, cut);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *dir = run_dir();

		vm(&r, (const char *const[]){ "vm", "--kernel", rows[i].kernel, rows[i].option,
					      rows[i].value, "--run-dir", dir, path, NULL });
		e2e_assert_exit(&r, rows[i].exit);
		if (!strstr(r.err, rows[i].said))
			fail_msg("row %zu says: %s", i, r.err);
		assert_ptr_equal(strchr(r.err, '\n') + 1, r.err + strlen(r.err));
		assert_false(e2e_exists(dir));
		e2e_free(&r);
	}
}

/* The host's disk is full before the image is on it, or runs full under the results: ours to say,
 * and no finding. */
static void host_runs_full(void **state)
{
	static const struct {
		const char *size, *said;
	} rows[] = {
		{ "size=512k", "no room for a disk" },
		{ "size=66m,nr_inodes=5", "the run directory cannot be written" },
	};
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *dir = run_dir();

		assert_int_equal(mkdir(dir, 0700), 0);
		assert_int_equal(mount("small", dir, "tmpfs", 0, rows[i].size), 0);
		VM(&r, dir, "--accel", "tcg", "--keep", scenario("2s", ""));
		umount2(dir, MNT_DETACH);
		e2e_assert_exit(&r, 3);
		if (!strstr(r.err, rows[i].said) || !strstr(r.err, "No space left"))
			fail_msg("row %zu says: %s", i, r.err);
		e2e_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_input),	cmocka_unit_test(passes),
		cmocka_unit_test(panics),	cmocka_unit_test(killed_from_outside),
		cmocka_unit_test(falls_silent), cmocka_unit_test(dies_with_us),
		cmocka_unit_test(cannot_boot),	cmocka_unit_test(host_runs_full),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
