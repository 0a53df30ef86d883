// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU by what it says of itself, memory by what the kernel says. */
#include "vm/host.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "base/units.h"
#include "vm/qemu.h"

#include <jansson.h>
#include <string.h>

#define ASK_NS	   (30 * NSEC_PER_SEC)
#define ANSWER_MAX (16 * KIB)

/* The newest of what vm/qemu.c asks for is "multidevs" of -virtfs: 4.2. (-chardev socket,fd=: 2.12;
 * -accel: 2.9.) */
#define MAJOR_LEAST 4
#define MINOR_LEAST 2

static int check_qemu(struct err *e)
{
	static const char *const argv[] = { QEMU_PROGRAM, "--version", NULL };
	_cleanup_(proc_result_free) struct proc_result res = { 0 };
	int r = proc_run(argv, ASK_NS, ANSWER_MAX, &res, e);
	unsigned int major, minor;
	const char *said;

	if (r == -ENOENT)
		return err_set(e, -EOPNOTSUPP,
			       QEMU_PROGRAM
			       " is not installed; install it: apt-get install " QEMU_PACKAGE);
	if (r < 0)
		return r;
	/* One that says something else is asked to start: it may be new enough. */
	said = strstr(res.output, "version ");
	if (!said || sscanf(said, "version %u.%u", &major, &minor) != 2 || major > MAJOR_LEAST ||
	    (major == MAJOR_LEAST && minor >= MINOR_LEAST))
		return 0;
	return err_set(e, -EOPNOTSUPP,
		       QEMU_PROGRAM " is version %u.%u, and %d.%d is the least that works; install "
				    "a newer one: apt-get install " QEMU_PACKAGE,
		       major, minor, MAJOR_LEAST, MINOR_LEAST);
}

/* "Name:   123 kB" of proc_meminfo(5), in bytes. */
static u64 meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) * KIB : 0;
}

/* A guest uses all that it has for its page cache, and a host that runs out kills it. */
static int check_memory(u64 memory_bytes, struct err *e)
{
	char want[UNITS_MAX], have[UNITS_MAX];
	_cleanup_free_ char *text = NULL;
	u64 bytes;

	if (read_file("/proc/meminfo", MIB, &text, NULL) < 0)
		return 0;
	bytes = meminfo(text, "\nMemAvailable:") + meminfo(text, "\nSwapFree:");
	if (!bytes || bytes >= memory_bytes)
		return 0;
	return err_set(e, -EOPNOTSUPP,
		       "the guest is to have %s of memory, and this machine has %s available; "
		       "free some, or give it less with --memory",
		       format_size(want, memory_bytes), format_size(have, ROUND_DOWN(bytes, MIB)));
}

int host_check(const struct vm_options *o, struct err *e)
{
	int r = check_qemu(e);

	return r < 0 ? r : check_memory(o->memory_bytes, e);
}
