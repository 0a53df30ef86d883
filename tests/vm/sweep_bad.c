// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Knobs that are there and cannot be written: /sys read-only, as a container has it, and debugfs,
 * which stays so. A quota on a filesystem that is mounted without, or has none. A disk that is
 * pulled while a fault is armed on it.
 */
#include "sweep_bad.h"
#include "sweep_machine.h"
#include "sweep_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define STATE	 SWEEP_HOME "/state"
#define RUN_DIR	 SWEEP_HOME "/run"
#define SCENARIO SWEEP_HOME "/scenario.json"
#define LIMIT_S	 2.0
#define SKIPPED	 4
#define DRIVER	 "/sys/bus/virtio/drivers/virtio_blk"
#define SERIAL	 "stressd-image"
#define BLOCK	 "/sys/devices/virtual/block"
#define DEBUGFS	 "/sys/kernel/debug"

static const char text[] =
	"{ \"version\": 1, \"name\": \"bad\", \"description\": \"test\", \"duration\": \"1s\","
	" \"stop_on\": \"never\","
	" \"target\": %s,"
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"written\" } ],"
	" \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" } ],"
	" \"faults\": [ { \"type\": \"%s\" } ], \"kernel_log\": { \"fail_at\": \"never\" } }";

#define EXT4	 "{ \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"32M\" }"
#define BTRFS	 "{ \"type\": \"image\", \"fs\": \"btrfs\", \"size\": \"120M\" }"
#define NULL_BLK "{ \"type\": \"null_blk\", \"fs\": \"ext4\", \"size\": \"32M\" }"
#define SCSI	 "{ \"type\": \"scsi_debug\", \"fs\": \"ext4\", \"size\": \"32M\" }"

static const char *const argv[] = { "run", "--quiet", "--run-dir", RUN_DIR, SCENARIO, NULL };

static bool write_scenario(const char *fault, const char *target)
{
	char path[] = SCENARIO;
	FILE *f = shell("rm -rf " SWEEP_HOME " && mkdir -p " SWEEP_HOME) ? fopen(path, "we") : NULL;

	if (!f)
		return false;
	fprintf(f, text, target, fault);
	return fclose(f) == 0;
}

static bool is_clean(const char *what)
{
	double end_s = now_s() + LIMIT_S;
	char why[WHY_MAX] = "";

	while (!machine_is_clean(STATE, why))
		if (now_s() > end_s) {
			printf("FAILED %s: %s\n", what, why);
			return false;
		} else {
			pause_ms(5);
		}
	return true;
}

/* Skipped, and with these words. */
static int must_be_skipped(const char *fault, const char *target, const char *word)
{
	pid_t pid;
	int status = write_scenario(fault, target) ? run_stressd(STATE, "", argv, &pid) : -1;

	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED &&
	    shell("grep -q -e '%s' " SWEEP_OUTPUT, word))
		return !is_clean(fault);
	printf("FAILED %s must be skipped with '%s': status %#x\n", fault, word, status);
	print_output();
	return 1;
}

/* The superblock, which all mounts of debugfs share: it must stay so, too. */
static int read_only_debugfs(void)
{
	static const char is_ro[] = "grep -q ' - debugfs [^ ]* ro' /proc/self/mountinfo";
	int failed;

	if (!shell("mount -o remount,ro " DEBUGFS) || !shell("%s", is_ro))
		return printf("FAILED debugfs cannot be made read-only\n") > 0;
	failed = must_be_skipped("fail_make_request", EXT4, "mounted read-only");
	if (!shell("%s", is_ro))
		failed += printf("FAILED a run made debugfs writable for all\n") > 0;
	if (!shell("mount -o remount,rw " DEBUGFS))
		return printf("FAILED debugfs cannot be made writable\n") > 0;
	return failed;
}

/* Of one mount alone: what others do is their business, and ours is another mount. */
static int read_only_mount(void)
{
	pid_t pid;
	int status = -1;

	if (shell("mount -o remount,bind,ro " DEBUGFS) && write_scenario("failslab", EXT4))
		status = run_stressd(STATE, "", argv, &pid);
	shell("mount -o remount,bind,rw " DEBUGFS);
	if (WIFEXITED(status) && WEXITSTATUS(status) != SKIPPED)
		return !is_clean("a mount of debugfs that is read-only");
	printf("FAILED failslab beside a mount that is read-only: status %#x\n", status);
	print_output();
	return 1;
}

static int read_only_knobs(void)
{
	int failed = 0;

	if (!shell("mount --bind " BLOCK " " BLOCK " && mount -o remount,bind,ro " BLOCK))
		return printf("FAILED /sys cannot be made read-only\n") > 0;
	failed += must_be_skipped("fail_make_request", EXT4, "cannot be written");
	if (!shell("umount " BLOCK))
		return printf("FAILED /sys cannot be made writable\n") > 0;
	return failed;
}

/* A run that has the knobs and has not armed anything: another must not take its values for the
 * machine's, though all that it could look at says that nobody uses them. */
static int another_run(void)
{
	static const char *const second[] = { "run",	"--quiet", "--run-dir", SWEEP_HOME "/run2",
					      SCENARIO, NULL };
	pid_t pid = 0, other;
	int status = -1, failed = 0;

	if (write_scenario("fail_make_request", EXT4))
		status = run_stressd(STATE, "pause:change:1", argv, &pid);
	if (!WIFSTOPPED(status))
		return printf("FAILED a run cannot be stopped: %#x\n", status) > 0;
	status = run_stressd(SWEEP_HOME "/state2", "", second, &other);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != SKIPPED ||
	    !shell("grep -q 'another run of stressd' " SWEEP_OUTPUT)) {
		failed =
			printf("FAILED a second run with the same knobs: status %#x\n", status) > 0;
		print_output();
	}
	kill(pid, SIGCONT);
	status = await(pid, RUN_S);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == SKIPPED)
		failed += printf("FAILED the first run beside another: %#x\n", status) > 0;
	return failed + !is_clean("two runs with the same knobs");
}

/* The disk under the loop device goes while its requests fail, and comes back for who is next. */
static int disk_is_pulled(void)
{
	pid_t pid = 0;
	int status = -1, n;

	if (write_scenario("fail_make_request", EXT4))
		status = run_stressd(STATE, "list", argv, &pid);
	/* The number of the last change before "armed", of a run without disturbance. */
	n = 0;
	FILE *f = fopen(SWEEP_OUTPUT, "re");
	char line[300];

	while (f && fgets(line, sizeof(line), f) && !strstr(line, "fail_make_request armed"))
		sscanf(line, "change %d:", &n);
	if (f)
		fclose(f);
	shell("rm -rf " RUN_DIR);
	snprintf(line, sizeof(line), "pause:change:%d", n);
	status = n ? run_stressd(STATE, line, argv, &pid) : -1;
	if (!WIFSTOPPED(status))
		return printf("FAILED a run cannot be stopped while it is armed: %#x\n", status) >
		       0;
	shell("d=$(basename $(realpath /dev/disk/by-id/virtio-" SERIAL ")) &&"
	      " basename $(realpath /sys/block/$d/device) > /tmp/pulled &&"
	      " cat /tmp/pulled > " DRIVER "/unbind");
	kill(pid, SIGCONT);
	status = await(pid, RUN_S);
	/* With the disk or without: what has been changed is as it was. */
	n = !is_clean("a disk that is pulled");
	if (!WIFEXITED(status))
		n += printf("FAILED a run whose disk is pulled does not end: %#x\n", status) > 0;
	shell("cat /tmp/pulled > " DRIVER "/bind; for b in /sys/block/vd*; do"
	      " grep -qx " SERIAL
	      " $b/serial && ln -sf /dev/${b##*/} /dev/disk/by-id/virtio-" SERIAL "; done");
	return n;
}

/* What this kernel is too old for. */
static bool is_older(int major, int minor)
{
	struct utsname u;
	int a = 0, b = 0;

	return uname(&u) == 0 && sscanf(u.release, "%d.%d", &a, &b) == 2 &&
	       (a < major || (a == major && b < minor));
}

static int too_old(void)
{
	int failed = 0;

	if (is_older(6, 4))
		failed += must_be_skipped("requeue", NULL_BLK, "CONFIG_FAULT_INJECTION_CONFIGFS");
	if (is_older(6, 7))
		failed += must_be_skipped("scsi_command", SCSI, "Linux 6.7");
	return failed;
}

int bad_cases(void)
{
	int failed = read_only_knobs() + read_only_debugfs() + read_only_mount();

	failed += must_be_skipped("quota", EXT4, "without usrquota");
	failed += must_be_skipped("quota", BTRFS, "mount option usrquota");
	failed += too_old();
	failed += another_run();
	failed += disk_is_pulled();
	printf("bad cases: %d failed\n", failed);
	return failed;
}
