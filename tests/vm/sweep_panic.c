// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disk of the guest holds two filesystems: one with the state and run directories, one that a
 * directory target fills with a ballast. Both are there again in the next boot, under the same
 * names; what of the first boot was memory is gone.
 */
#include "sweep_panic.h"
#include "sweep_run.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PANIC_S	 60.0 /* until a machine that panics is gone */
#define DISK	 "/dev/disk/by-id/virtio-stressd-image"
#define HOME	 SWEEP_HOME "/home"
#define TARGET	 SWEEP_HOME "/target"
#define STATE	 HOME "/state"
#define SCENARIO HOME "/scenario.json"
#define BALLAST	 TARGET "/*/.stressd-ballast"
#define JOURNALS STATE "/undo/*.journal"
#define MADE	 TARGET "/stressd-*"

static const char scenario[] =
	"{ \"version\": 1, \"name\": \"panic\", \"description\": \"test\", \"seed\": 7,"
	" \"duration\": \"30s\", \"stop_on\": \"never\","
	" \"target\": { \"type\": \"directory\", \"path\": \"" TARGET "\" },"
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],"
	" \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" } ],"
	" \"faults\": ["
	"   { \"type\": \"memory\", \"optional\": true, \"options\": { \"limit\": \"64M\" } },"
	"   { \"type\": \"failslab\", \"optional\": true, \"options\": { \"times\": 1 } },"
	"   { \"type\": \"enospc\", \"after\": \"300ms\", \"options\": { \"free\": \"1M\" } } ],"
	" \"kernel_log\": { \"fail_at\": \"never\" } }";

static size_t count(const char *pattern)
{
	glob_t g = { 0 };
	size_t n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;

	globfree(&g);
	return n;
}

/* The halves of @disk as two filesystems. */
static bool attach(const char *disk)
{
	return shell("mkdir -p " HOME " " TARGET " && mount -o loop,sizelimit=64M %s " HOME
		     " && mount -o loop,offset=64M,sizelimit=64M %s " TARGET,
		     disk, disk);
}

static bool make(void)
{
	return shell("mkdir -p " SWEEP_HOME " && for at in 0 64M; do"
		     " l=$(losetup -f --show -o $at --sizelimit 64M " DISK ") &&"
		     " mkfs.ext4 -q $l && losetup -d $l || exit 1; done") &&
	       attach(DISK) && shell("cat > " SCENARIO " <<'E'\n%s\nE\n", scenario);
}

int panic_armed(void)
{
	const char *const argv[] = { "run", "--quiet", "--run-dir", HOME "/run", SCENARIO, NULL };
	double end_s = now_s() + RUN_S;
	pid_t pid;
	int fd;

	if (!make()) {
		printf("panic: the disk cannot be made\n");
		return 1;
	}
	pid = start_stressd(STATE, "list", argv);
	while (!shell("grep -q 'enospc armed' " SWEEP_OUTPUT) && now_s() < end_s &&
	       waitpid(pid, NULL, WNOHANG) == 0)
		pause_ms(20);
	/* That the kernel had the time to write its metadata is not what is tested. */
	sync();
	printf("panic: %zu ballast, %zu journal; now\n", count(BALLAST), count(JOURNALS));
	fflush(stdout);
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	if (count(BALLAST) == 1 && write(fd, "c", 1) == 1)
		for (end_s = now_s() + PANIC_S; now_s() < end_s;)
			pause_ms(100);
	printf("panic: there was none\n");
	print_output();
	return 1;
}

static int check(const char *what, size_t is, size_t must)
{
	if (is != must)
		printf("FAILED after a panic: %zu %s and not %zu\n", is, what, must);
	return is != must;
}

int recover_after(const char *image)
{
	int failed, status;
	pid_t pid;

	if (!shell("mkdir -p " SWEEP_HOME " && cp %s " SWEEP_HOME "/disk", image) ||
	    !attach(SWEEP_HOME "/disk")) {
		printf("FAILED after a panic: the disk of the first boot cannot be mounted\n");
		return 1;
	}
	failed = check("ballast before", count(BALLAST), 1) +
		 check("journals before", count(JOURNALS), 1);
	status = run_stressd(STATE, "", (const char *const[]){ "recover", NULL }, &pid);
	failed += check("status of recover", (size_t)status, 0) +
		  check("ballast", count(BALLAST), 0) + check("journals", count(JOURNALS), 0) +
		  check("runs whose data is kept", count(MADE), 1);
	print_output();
	shell("umount " TARGET " " HOME);
	printf("after a panic: %d failed\n", failed);
	return failed != 0;
}
