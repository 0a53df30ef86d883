// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing a number to add_host makes so many disks, or takes them away again, the last one first.
 */
#include "base/scsidebug.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "base/step.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MODULE	    "scsi_debug"
#define DISKS	    "/sys/bus/pseudo/devices/adapter*/host*/target*/*/block/*"
#define LOAD_NS	    (60 * NSEC_PER_SEC)
#define APPEAR_NS   (10 * NSEC_PER_SEC)
#define POLL_NS	    (5 * NSEC_PER_MSEC)
#define OUTPUT_MAX  (4 * KIB)
#define NUMBER_MAX  32
#define ADDRESS_MAX 64

static bool is_loadable(void)
{
	static const char *const argv[] = { "modprobe", "-n", "-q", MODULE, NULL };
	_cleanup_(proc_result_free) struct proc_result res = { 0 };
	struct err e;

	return proc_run(argv, LOAD_NS, OUTPUT_MAX, &res, &e) == 0 && res.exit_code == 0;
}

enum scsidebug_state scsidebug_state(void)
{
	if (access(SCSIDEBUG_DRIVER, F_OK) == 0)
		return SCSIDEBUG_THERE;
	/* A module has a state; what is built in has none. */
	if (access(SCSIDEBUG_PARAMETERS, F_OK) == 0)
		return SCSIDEBUG_FAILED;
	return is_loadable() ? SCSIDEBUG_LOADABLE : SCSIDEBUG_ABSENT;
}

static int read_number(const char *attr, long *ret)
{
	char path[128], text[NUMBER_MAX];
	int r = path_set(path, sizeof(path), SCSIDEBUG_DRIVER "/%s", attr);

	if (r == 0)
		r = attr_read(path, text, sizeof(text));
	if (r == 0)
		*ret = strtol(text, NULL, 0);
	return r;
}

int scsidebug_hosts(void)
{
	long n = 0;
	int r = read_number("add_host", &n);

	return r < 0 ? r : (int)n;
}

u64 scsidebug_size(void)
{
	long mib = 0;

	return read_number("dev_size_mb", &mib) == 0 && mib > 0 ? (u64)mib * MIB : 0;
}

static int modprobe(const char *const argv[], const char *proof, struct err *e)
{
	_cleanup_(proc_result_free) struct proc_result res = { 0 };
	int r = proc_run(argv, LOAD_NS, OUTPUT_MAX, &res, e);

	change("loaded", argv[1]);
	if (r < 0 || (res.exit_code == 0 && access(proof, F_OK) == 0))
		return r;
	res.output[strcspn(res.output, "\n")] = '\0';
	return err_set(e, -ENODEV, "module %s cannot be loaded: %.300s", argv[1],
		       res.output[0] ? res.output : "see the kernel log");
}

/* Its disk has a driver like any other, which udev would load, and which stays. */
int scsidebug_load(u64 size_mib, struct err *e)
{
	char size[NUMBER_MAX];
	const char *const disk[] = { "modprobe", "sd_mod", NULL };
	const char *const host[] = { "modprobe", MODULE, "add_host=0", "ndelay=10000", size, NULL };
	int r = modprobe(disk, "/sys/bus/scsi/drivers/sd", e);

	snprintf(size, sizeof(size), "dev_size_mb=%llu", (unsigned long long)size_mib);
	return r < 0 ? r : modprobe(host, SCSIDEBUG_DRIVER, e);
}

int scsidebug_unload(void)
{
	if (syscall(SYS_delete_module, MODULE, O_NONBLOCK) == 0) {
		change("unloaded", MODULE);
		return 0;
	}
	return errno == ENOENT ? 0 : errno == EWOULDBLOCK ? -EBUSY : -errno;
}

/* The node of the only disk. -ENOENT: there is none yet. */
static int find_disk(char *node, size_t size)
{
	glob_t g = { 0 };
	int r = glob(DISKS, 0, NULL, &g) == 0 ? 0 : -ENOENT;

	if (r == 0)
		r = path_set(node, size, "/dev/%s", strrchr(g.gl_pathv[0], '/') + 1);
	globfree(&g);
	return r < 0 ? r : access(node, F_OK) < 0 ? -errno : 0;
}

/* It is probed by a work queue. */
static int await_disk(char *node, size_t size)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + APPEAR_NS;
	int r;

	while ((r = find_disk(node, size)) == -ENOENT && now_ns() < end_ns)
		nanosleep(&pause, NULL);
	return r;
}

int scsidebug_add(char *node, size_t size)
{
	int n = scsidebug_hosts(), r;

	if (n)
		return n < 0 ? n : -EBUSY;
	r = attr_write(SCSIDEBUG_DRIVER "/add_host", "1");
	change("made a disk of", MODULE);
	/* It takes the number and not the blame. */
	if (r == 0 && scsidebug_hosts() != 1)
		r = -ENOMEM;
	return r < 0 ? r : await_disk(node, size);
}

/* Mounted anywhere, or below a device of another kind: opened for itself alone it is busy.
 * (open(2), O_EXCL) */
static bool is_in_use(void)
{
	_cleanup_close_ int fd = -1;
	char node[64];

	if (find_disk(node, sizeof(node)) < 0)
		return false;
	fd = open(node, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 && errno == EBUSY;
}

int scsidebug_remove(void)
{
	int n = scsidebug_hosts(), r;

	if (n <= 0)
		return n == -ENOENT ? 0 : n;
	if (n > 1 || is_in_use())
		return -EBUSY;
	r = attr_write(SCSIDEBUG_DRIVER "/add_host", "-1");
	change("took away the disk of", MODULE);
	return r;
}

int scsidebug_address(const char *node, char *buf, size_t size)
{
	const char *name = strrchr(node, '/');
	char path[128], link[FSUTIL_PATH_MAX];
	ssize_t n = -1;

	if (name && path_set(path, sizeof(path), "/sys/block%s/device", name) == 0)
		n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return name ? -errno : -EINVAL;
	link[n] = '\0';
	return path_set(buf, size, "%s", strrchr(link, '/') ? strrchr(link, '/') + 1 : link);
}
