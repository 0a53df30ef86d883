// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Planting kprobes through perf events, and the words that they share with processes. A perf event
 * and its kprobe live as long as the descriptor. (perf_event_open(2))
 */
#include "race/probe.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PMU	    "/sys/bus/event_source/devices/kprobe/"
#define SYMBOL_MOST 128

/* "function+0x40" in its two parts. */
static int split(const char *text, char name[SYMBOL_MOST], u64 *ret_offset)
{
	size_t n = strcspn(text, "+");

	if (n >= SYMBOL_MOST)
		return -ENAMETOOLONG;
	memcpy(name, text, n);
	name[n] = '\0';
	*ret_offset = text[n] ? strtoull(text + n + 1, NULL, 16) : 0;
	return 0;
}

/* A line of kallsyms is "address type name" and, for a module, "[module]". Text has type t or T.
 * 1: it is there; 0: it is not, and @near (a copy that the compiler made under another name) says
 * what may stand for it. */
static int find_function(const char *name, char near[SYMBOL_MOST])
{
	_cleanup_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], type, found[SYMBOL_MOST];
	size_t len = strlen(name);

	near[0] = '\0';
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %c %127s", &type, found) != 2 || (type != 't' && type != 'T'))
			continue;
		if (!strcmp(found, name))
			return 1;
		if (!strncmp(found, name, len) && found[len] == '.')
			snprintf(near, SYMBOL_MOST, "%s", found);
	}
	return 0;
}

/* The number behind @prefix in a file of the kprobe PMU. */
static int pmu_number(const char *file, const char *prefix, u32 *ret)
{
	char path[128], text[64];
	int r = path_set(path, sizeof(path), PMU "%s", file);

	if (r == 0)
		r = attr_read(path, text, sizeof(text));
	if (r < 0)
		return r;
	if (strncmp(text, prefix, strlen(prefix)))
		return -EBADMSG;
	*ret = (u32)strtoul(text + strlen(prefix), NULL, 10);
	return 0;
}

/* A perf event of the kprobe, off. */
static int open_event(const struct probe_spec *spec, const char *name, u64 offset)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	u32 type, bit = 0;
	int fd = pmu_number("type", "", &type);

	if (fd == 0 && spec->at_return)
		fd = pmu_number("format/retprobe", "config:", &bit);
	if (fd < 0)
		return fd;
	attr.type = type;
	attr.config = spec->at_return ? 1ULL << bit : 0;
	attr.kprobe_func = (u64)(uintptr_t)name;
	attr.probe_offset = offset;
	attr.disabled = 1;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int fail_event(const struct probe_spec *spec, const char *name, int r, struct err *e)
{
	char near[SYMBOL_MOST];
	int there = r == -ENOENT || r == -EINVAL ? find_function(name, near) : 1;

	if (there == 0)
		return err_set(e, -ENODEV,
			       "the kernel has no function %s (it may be inlined): %s%s%s", name,
			       near[0] ? "there is " : "look into /proc/kallsyms", near,
			       near[0] ? ", name that" : "");
	return err_set(e, -ENODEV, "no kprobe can be set at %s%s: %s; look for another function",
		       spec->function, spec->at_return ? ", on return" : "",
		       r == -EILSEQ   ? "that is inside of an instruction"
		       : r == -EINVAL ? "it is marked as not for probing, or too short"
				      : strerror(-r));
}

static int open_probe(const struct probe_spec *spec, struct err *e)
{
	char name[SYMBOL_MOST];
	u64 offset;
	int fd = split(spec->function, name, &offset);

	if (fd == 0)
		fd = open_event(spec, name, offset);
	return fd < 0 ? fail_event(spec, name, fd, e) : fd;
}

int probe_possible(struct err *e)
{
	int map = probe_map(sizeof(struct probe_word), e);

	if (map < 0)
		return map;
	close(map);
	if (access(PMU "type", R_OK) < 0)
		return err_set(e, -EOPNOTSUPP,
			       "no kprobes here: boot a kernel with CONFIG_KPROBE_EVENTS");
	/* It spins with preemption off: nobody else would run meanwhile. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return err_set(e, -EOPNOTSUPP,
			       "a delay by kprobe needs two CPUs: the others run on the second");
	return 0;
}

int probe_check(const struct probe_spec *spec, struct err *e)
{
	_cleanup_close_ int event = -1, map = -1, program = -1;
	int r = probe_possible(e);

	if (r < 0)
		return r;
	event = open_probe(spec, e);
	if (event < 0)
		return event;
	map = probe_map(sizeof(struct probe_word), e);
	program = map < 0 ? map : probe_program(map, 0, getpid(), spec, e);
	return program < 0 ? program : 0;
}

int probe_board_open(struct probe_board *b, u32 n, struct err *e)
{
	size_t bytes = n * sizeof(*b->words);
	void *at;

	*b = (struct probe_board){ .map = -1 };
	b->fds = calloc(n * 2ULL, sizeof(*b->fds));
	b->map = b->fds ? probe_map((u32)bytes, e) : err_set(e, -ENOMEM, "no memory for probes");
	if (b->map < 0)
		return b->map;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b->map, 0);
	if (at == MAP_FAILED)
		return err_set(e, -errno, "the map of probes cannot be mapped: %s",
			       strerror(errno));
	b->words = at;
	b->nwords = n;
	return 0;
}

int probe_plant(struct probe_board *b, u32 i, pid_t pid, const struct probe_spec *spec,
		struct err *e)
{
	_cleanup_close_ int event = open_probe(spec, e), program = -1;

	if (event < 0)
		return event;
	program = probe_program(b->map, i * (u32)sizeof(*b->words), pid, spec, e);
	if (program < 0)
		return program;
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program) < 0 ||
	    ioctl(event, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return err_set(e, -errno, "the probe at %s cannot be set: %s", spec->function,
			       strerror(errno));
	b->fds[b->nfds++] = take_fd(&event);
	b->fds[b->nfds++] = take_fd(&program);
	return 0;
}

void probe_board_close(struct probe_board *b)
{
	if (!b->fds)
		return;
	for (u32 i = 0; i < b->nfds; i++)
		close(b->fds[i]);
	free(b->fds);
	if (b->words)
		munmap(b->words, b->nwords * sizeof(*b->words));
	if (b->map >= 0)
		close(b->map);
	*b = (struct probe_board){ .map = -1 };
}

void probe_enable(struct probe_word *w, bool on)
{
	if (!w)
		return;
	atomic_store(&w->calls, 0);
	atomic_store(&w->on, on);
}

u64 probe_held(const struct probe_word *w)
{
	return w ? atomic_load(&w->held) : 0;
}
