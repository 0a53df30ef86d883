// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cpu_hotplug: CPUs go offline and come back while everything runs. Whatever the kernel keeps for
 * each of them (pages on their way to the LRU, percpu counters of free blocks, queues of requests,
 * workers of work queues) must go elsewhere, and nothing may fail for it. CPU 0 is left alone.
 * (Documentation/core-api/cpu_hotplug.rst)
 */
#include "faults/fault.h"

#include "base/fsutil.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CPUS_MAX 16 /* that may be touched; of more, the first ones */
#define CPU_DIR	 "/sys/devices/system/cpu"
_Static_assert(CPUS_MAX <= FAULT_ENTRIES, "each has an entry in the journal");

struct cpu_hotplug {
	u64 cpus, interval;
};

struct cpu_hotplug_state {
	int cpu[CPUS_MAX]; /* that were online */
	size_t ncpus, next;
	u64 offlined;
};

static const struct opt_def options[] = {
	OPT(struct cpu_hotplug, cpus, OPT_COUNT, .def = "1", .min = "1", .max = "16",
	    .help = "offline at a time; one of those that may go stays in any case, or CPU 0 does"),
	OPT(struct cpu_hotplug, interval, OPT_TIME, .def = "50ms", .min = "1ms", .max = "1h",
	    .help = "how long before others go in their place"),
	{ 0 },
};

static void online_path(char buf[64], int cpu)
{
	snprintf(buf, 64, CPU_DIR "/cpu%d/online", cpu);
}

static bool is_online(int cpu)
{
	char path[64], on[8];

	online_path(path, cpu);
	return attr_read(path, on, sizeof(on)) == 0 && !strcmp(on, "1");
}

/* Those other than CPU 0 that are online and may go. */
static size_t find_cpus(int cpu[CPUS_MAX])
{
	long all = sysconf(_SC_NPROCESSORS_CONF);
	size_t n = 0;

	for (int i = 1; i < all && n < CPUS_MAX; i++)
		if (is_online(i))
			cpu[n++] = i;
	return n;
}

static int probe(const struct fault *f, struct err *e)
{
	int cpu[CPUS_MAX];
	char path[64];

	(void)f;
	if (sysconf(_SC_NPROCESSORS_CONF) < 2)
		return err_set(e, -EOPNOTSUPP, "there is one CPU here; %s",
			       "cpu_hotplug needs two or more (stressd vm --cpus 2)");
	if (!find_cpus(cpu))
		return err_set(e, -EOPNOTSUPP,
			       "no CPU but the first can be taken offline: there is no " CPU_DIR
			       "/cpu1/online; boot a kernel with CONFIG_HOTPLUG_CPU");
	online_path(path, cpu[0]);
	if (geteuid() != 0 || access(path, W_OK) < 0)
		return err_set(e, -EACCES,
			       "%s cannot be written; run as root, and not in a container", path);
	return 0;
}

static int save(struct fault *f, struct err *e)
{
	FAULT_STATE(cpu_hotplug_state, f);
	int r = 0;

	st->ncpus = find_cpus(st->cpu);
	for (size_t i = 0; i < st->ncpus && r == 0; i++) {
		char path[64];

		online_path(path, st->cpu[i]);
		r = fault_save_attr(f, path, e);
	}
	return r;
}

static int set(const struct fault *f, size_t i, bool online)
{
	FAULT_STATE(cpu_hotplug_state, f);
	char path[64];

	online_path(path, st->cpu[i % st->ncpus]);
	return attr_write(path, online ? "1" : "0");
}

/* The next ones in turn; one that does not go just now (EBUSY) may go the next time. */
static int take(struct fault *f)
{
	FAULT_OPTIONS(cpu_hotplug, f);
	FAULT_STATE(cpu_hotplug_state, f);
	int first = 0;

	for (u64 n = MIN(o->cpus, (u64)st->ncpus); n; n--, st->next++) {
		int r = set(f, st->next, false);

		st->offlined += r == 0;
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

static int give_back(struct fault *f)
{
	FAULT_STATE(cpu_hotplug_state, f);
	int first = 0;

	for (size_t i = 0; i < st->ncpus; i++) {
		int r = is_online(st->cpu[i]) ? 0 : set(f, i, true);

		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

static int arm(struct fault *f, struct err *e)
{
	int r = take(f);

	return r < 0 && r != -EBUSY ? err_set(e, r, "no CPU can be taken offline: %s", strerror(-r))
				    : 0;
}

static void others(struct fault *f)
{
	give_back(f);
	take(f);
}

static u64 others_ns(const struct fault *f)
{
	FAULT_OPTIONS(cpu_hotplug, f);

	return o->interval;
}

static int disarm(struct fault *f, struct err *e)
{
	int r = give_back(f);

	return r < 0 ? err_set(e, r, "a CPU cannot be brought online: %s; see " CPU_DIR "/offline",
			       strerror(-r))
		     : 0;
}

static bool is_armed(const struct fault *f)
{
	FAULT_STATE(cpu_hotplug_state, f);

	for (size_t i = 0; i < st->ncpus; i++)
		if (!is_online(st->cpu[i]))
			return true;
	return false;
}

static u64 injected(const struct fault *f)
{
	FAULT_STATE(cpu_hotplug_state, f);

	return st->offlined;
}

extern const struct fault_type fault_cpu_hotplug;
const struct fault_type fault_cpu_hotplug = {
	.name = "cpu_hotplug",
	.help = "CPUs go offline and come back: CONFIG_HOTPLUG_CPU",
	.options = options,
	.options_size = sizeof(struct cpu_hotplug),
	.state_size = sizeof(struct cpu_hotplug_state),
	.kconfig = "HOTPLUG_CPU",
	.probe = probe,
	.save = save,
	.arm = arm,
	.step = others,
	.step_ns = others_ns,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = injected,
	.source = "writes to " CPU_DIR "/cpuN/online that took one away",
};
