// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What could be left of a run, each by one look into /proc and /sys. A filesystem that is frozen,
 * or mounted where no process sees it, holds its block device: a loop or device-mapper device that
 * is there at all is one too many.
 */
#include "sweep_machine.h"

#include <ctype.h>
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEBUGFS	  "/sys/kernel/debug/"
#define KNOBS_MAX 512
#define VALUE_MAX 256
#define TEXT_MAX  (1 << 18)
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Settings that a run may change and that must be as they were; directories with all in them. */
static const char *const places[] = {
	DEBUGFS "fail_make_request",
	DEBUGFS "fail_io_timeout",
	DEBUGFS "failslab",
	DEBUGFS "fail_page_alloc",
	DEBUGFS "fail_function",
	"/sys/fs/cgroup/cgroup.subtree_control",
	"/sys/devices/system/cpu/online",
	"/sys/bus/pseudo/drivers/scsi_debug/opts",
	"/sys/bus/pseudo/drivers/scsi_debug/every_nth",
	"/sys/bus/pseudo/drivers/scsi_debug/statistics",
	"/sys/module/scsi_debug/parameters/medium_error_start",
	"/sys/module/scsi_debug/parameters/medium_error_count",
	"/proc/sys/vm/dirty_background_ratio",
	"/proc/sys/vm/dirty_ratio",
	"/proc/sys/vm/dirty_expire_centisecs",
	"/proc/sys/vm/dirty_writeback_centisecs",
	"/proc/sys/kernel/panic_on_warn",
	"/proc/sys/kernel/hung_task_timeout_secs",
};
/* Attributes of every block device, as they are when nobody asked for anything. */
static const struct {
	const char *name, *value;
} block_attrs[] = {
	{ "make-it-fail", "0" },
	{ "io-timeout-fail", "0" },
};
/* Names below a directory that only a run makes. */
static struct {
	const char *dir, *begin;
	size_t before; /* as many as there are without a run: a driver may make some itself */
} made[] = {
	{ "/sys/block", "dm-", 0 },	     { "/sys/block", "nullb", 0 },
	{ "/sys/block", "sd", 0 },	     { "/sys/kernel/config/nullb", "", 0 },
	{ "/sys/fs/cgroup", "stressd-", 0 },
};

static struct {
	char path[VALUE_MAX], value[VALUE_MAX];
} knobs[KNOBS_MAX];
static size_t nknobs;

static size_t slurp(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = '\0';
	return n;
}

static int remember_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type != FTW_F || !(st->st_mode & S_IWUSR) || !(st->st_mode & S_IRUSR) ||
	    nknobs == KNOBS_MAX)
		return 0;
	snprintf(knobs[nknobs].path, VALUE_MAX, "%s", path);
	slurp(path, knobs[nknobs].value, VALUE_MAX);
	nknobs++;
	return 0;
}

static bool is_made(size_t i, const struct dirent *de)
{
	return de->d_name[0] != '.' && !strncmp(de->d_name, made[i].begin, strlen(made[i].begin));
}

/* The last of them is in @last. */
static size_t count_made(size_t i, char last[NAME_MAX + 1])
{
	DIR *d = opendir(made[i].dir);
	size_t n = 0;

	for (struct dirent *de; d && (de = readdir(d));)
		if (is_made(i, de)) {
			n++;
			strcpy(last, de->d_name);
		}
	if (d)
		closedir(d);
	return n;
}

void machine_remember(void)
{
	char last[NAME_MAX + 1];

	nknobs = 0;
	for (size_t i = 0; i < LENGTH(made); i++)
		made[i].before = count_made(i, last);
	for (size_t i = 0; i < LENGTH(places); i++)
		nftw(places[i], remember_one, 8, FTW_PHYS);
}

static bool knob_is_set(char *why)
{
	char now[VALUE_MAX];

	for (size_t i = 0; i < nknobs; i++) {
		slurp(knobs[i].path, now, sizeof(now));
		if (!strcmp(now, knobs[i].value))
			continue;
		snprintf(why, WHY_MAX, "%.100s was %.60s and is %.60s", knobs[i].path,
			 knobs[i].value, now);
		return true;
	}
	return false;
}

static bool something_is_made(char *why)
{
	char last[NAME_MAX + 1];

	for (size_t i = 0; i < LENGTH(made); i++)
		if (count_made(i, last) > made[i].before) {
			snprintf(why, WHY_MAX, "%s/%.100s is there", made[i].dir, last);
			return true;
		}
	return false;
}

static bool device_is_changed(const char *name, char *why)
{
	char path[VALUE_MAX + 64], now[VALUE_MAX];

	snprintf(path, sizeof(path), "/sys/block/%.100s/loop/backing_file", name);
	if (slurp(path, now, sizeof(now))) {
		snprintf(why, WHY_MAX, "%.32s is attached to %.100s", name, now);
		return true;
	}
	for (size_t i = 0; i < LENGTH(block_attrs); i++) {
		snprintf(path, sizeof(path), "/sys/block/%.100s/%s", name, block_attrs[i].name);
		if (slurp(path, now, sizeof(now)) &&
		    strncmp(now, block_attrs[i].value, strlen(block_attrs[i].value)) != 0) {
			snprintf(why, WHY_MAX, "%.200s is %.32s", path, now);
			return true;
		}
	}
	return false;
}

static bool block_is_changed(char *why)
{
	DIR *d = opendir("/sys/block");
	bool found = false;

	for (struct dirent *de; d && !found && (de = readdir(d));)
		found = de->d_name[0] != '.' && device_is_changed(de->d_name, why);
	if (d)
		closedir(d);
	return found;
}

/* Call @fn for every process until it says yes; returns who that was. */
static pid_t each_process(bool (*fn)(pid_t pid, void *ctx), void *ctx)
{
	DIR *d = opendir("/proc");
	pid_t found = 0;

	for (struct dirent *de; d && !found && (de = readdir(d));) {
		pid_t pid = isdigit(de->d_name[0]) ? atoi(de->d_name) : 0;

		if (pid && fn(pid, ctx))
			found = pid;
	}
	if (d)
		closedir(d);
	return found;
}

struct wanted {
	const char *state, *comm;
};

static bool is_wanted(pid_t pid, void *ctx)
{
	const struct wanted *w = ctx;
	static char text[TEXT_MAX];
	char path[64], mark[200];
	size_t n;

	snprintf(mark, sizeof(mark), "STRESSD_STATE_DIR=%s", w->state);
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	n = slurp(path, text, sizeof(text));
	if (!memmem(text, n, mark, strlen(mark) + 1))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	slurp(path, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	return !w->comm || !strcmp(text, w->comm);
}

pid_t machine_process(const char *state, const char *comm)
{
	return each_process(is_wanted, &(struct wanted){ state, comm });
}

/* A filesystem of a block device, in the mount namespace of whoever: a guest has no other. */
static bool has_mount(pid_t pid, void *ctx)
{
	static char text[TEXT_MAX];
	char path[64], *dev;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	slurp(path, text, sizeof(text));
	for (dev = text; (dev = strstr(dev, " /dev/")); dev++)
		if (!strncmp(dev, " /dev/loop", 10) || !strncmp(dev, " /dev/dm-", 9) ||
		    !strncmp(dev, " /dev/mapper/", 13) || !strncmp(dev, " /dev/vd", 8)) {
			snprintf(ctx, WHY_MAX, "process %d has a mount of %.40s", pid, dev + 1);
			return true;
		}
	return false;
}

bool machine_is_clean(const char *state, char why[WHY_MAX])
{
	pid_t pid;

	if (knob_is_set(why) || something_is_made(why) || block_is_changed(why) ||
	    each_process(has_mount, why))
		return false;
	pid = machine_process(state, NULL);
	if (pid)
		snprintf(why, WHY_MAX, "process %d lives", pid);
	return !pid;
}
