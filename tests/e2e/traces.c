// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking for what a run left: through /proc and /sys only. */
#include "traces.h"
#include "e2e.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const sysctls[] = {
	"/proc/sys/vm/dirty_background_ratio",	   "/proc/sys/vm/dirty_ratio",
	"/proc/sys/vm/dirty_expire_centisecs",	   "/proc/sys/vm/dirty_writeback_centisecs",
	"/proc/sys/vm/overcommit_memory",	   "/proc/sys/kernel/panic_on_warn",
	"/proc/sys/kernel/hung_task_timeout_secs", "/proc/sys/kernel/core_pattern",
};

static size_t slurp(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = '\0';
	return n;
}

static bool has_text(const char *buf, size_t len, const char *text)
{
	return memmem(buf, len, text, strlen(text)) != NULL;
}

/* Call @fn with each process directory until it returns true. */
static pid_t each_process(bool (*fn)(pid_t pid, void *ctx), void *ctx)
{
	DIR *d = opendir("/proc");
	pid_t found = 0;

	assert_non_null(d);
	for (struct dirent *de; !found && (de = readdir(d));) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid > 0 && fn(pid, ctx))
			found = pid;
	}
	closedir(d);
	return found;
}

struct list {
	pid_t *pids;
	size_t n, max;
};

static bool is_ours(pid_t pid, void *ctx)
{
	static char buf[65536];
	struct list *l = ctx;
	char path[64], mark[300];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	snprintf(mark, sizeof(mark), "STRESSD_STATE_DIR=%s", e2e_base);
	len = slurp(path, buf, sizeof(buf));
	if (has_text(buf, len, mark) && l->n < l->max)
		l->pids[l->n++] = pid;
	return l->n == l->max;
}

size_t traces_processes(pid_t *pids, size_t max)
{
	struct list l = { .pids = pids, .max = max };

	each_process(is_ours, &l);
	return l.n;
}

static bool has_mount(pid_t pid, void *ctx)
{
	static char buf[262144];
	char path[64];
	size_t len;

	(void)ctx;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	len = slurp(path, buf, sizeof(buf));
	return has_text(buf, len, e2e_base);
}

static bool has_loop(char *why)
{
	DIR *d = opendir("/sys/block");
	char path[400], file[4096];
	bool found = false;

	for (struct dirent *de; d && !found && (de = readdir(d));) {
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", de->d_name);
		found = !strncmp(de->d_name, "loop", 4) &&
			has_text(file, slurp(path, file, sizeof(file)), e2e_base);
		if (found)
			snprintf(why, 256, "%.32s backs %.200s", de->d_name, file);
	}
	if (d)
		closedir(d);
	return found;
}

static bool has_journal(char *why)
{
	DIR *d = opendir(e2e_path("undo"));
	bool found = false;

	for (struct dirent *de; d && !found && (de = readdir(d));) {
		found = de->d_name[0] != '.';
		if (found)
			snprintf(why, 256, "journal %.200s", de->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

static bool has_sysctl(char *why)
{
	static char before[sizeof(sysctls) / sizeof(sysctls[0])][256];
	static bool known;
	char now[256];

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		slurp(sysctls[i], now, sizeof(now));
		if (known && strcmp(now, before[i]) != 0) {
			snprintf(why, 256, "%s was %.60s and is %.60s", sysctls[i], before[i], now);
			return true;
		}
		strcpy(before[i], now);
	}
	known = true;
	return false;
}

/* With what it is doing: one that is on its way out and waits for a disk is another matter than one
 * that nobody told. */
static void say_process(char why[256], pid_t pid)
{
	char path[64], stat[96], stack[128];
	char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	slurp(path, stat, sizeof(stat));
	end = strrchr(stat, ')');
	if (end && strlen(end) > 3)
		end[3] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	slurp(path, stack, sizeof(stack));
	snprintf(why, 256, "process %s, at %s", stat, stack);
}

static bool no_process(void *why)
{
	pid_t pid, p[1];

	pid = traces_processes(p, 1) ? p[0] : 0;
	if (pid)
		say_process(why, pid);
	return !pid;
}

static bool none(void *why)
{
	pid_t pid;

	if (!no_process(why))
		return false;
	pid = each_process(has_mount, NULL);
	if (pid)
		snprintf(why, 256, "a mount in the namespace of process %d", pid);
	return !pid && !has_loop(why) && !has_journal(why) && !has_sysctl(why);
}

bool traces_none(char *why)
{
	return none(why);
}

static void assert_gone(bool (*fn)(void *), const char *what, double limit_s)
{
	char why[256] = "";

	if (!e2e_until(fn, why, limit_s))
		fail_msg("%s: %.1f s later there is still: %s", what, limit_s, why);
}

void traces_assert_none(const char *what, double limit_s)
{
	assert_gone(none, what, limit_s);
}

void traces_assert_no_process(const char *what, double limit_s)
{
	assert_gone(no_process, what, limit_s);
}
