// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kill sweep, in a guest as its runner (`stressd vm --runner`): for each scenario of
 * configs/faults, cut down, the run is stopped after its change N, for N = 1, 2, 3 ... until none
 * is left, and something is done to it: kill -9; kill -9 of the janitor, too, then `stressd
 * recover`; SIGINT; SIGTERM; a full disk under its run directory and its journal. LIMIT_S later the
 * machine must be as it was (sweep_machine.c).
 *
 * Words of the kernel's command line: sweep.stride=K takes every Kth change, another K of them for
 * each scenario; sweep.only=NAME one scenario; sweep.how=NAME one of the things that are done.
 * Prints what failed, a table, and "sweep: N points, N failed".
 */
#include "sweep_machine.h"
#include "sweep_scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S	    2.0 /* to put everything back */
#define LATE_S	    6.0 /* how late it was is worth knowing, too */
#define FAILED_MAX  8	/* of one thing that is done to one scenario: the rest is the same */
#define RUN_S	    90.0
#define CONFIGS	    SOURCE_DIR "/configs/faults"
#define STRESSD	    "/run/stressd/init"
#define HOME	    "/tmp/sweep"
#define SMALL	    HOME "/small" /* a filesystem of its own, to be filled */
#define STATE	    SMALL "/state"
#define RUN_DIR	    SMALL "/run"
#define FILLER	    SMALL "/filler"
#define SMALL_BYTES "64M"
#define SCENARIO    HOME "/scenario.json"
#define OUTPUT	    HOME "/output"

enum how { KILL, BOTH, INT, TERM, FULL, HOWS };

static const char *const how_names[HOWS] = { "kill", "both", "int", "term", "full" };

struct row {
	unsigned int points, failed, recovers; /* recovers: most that were needed for one */
	double slowest_s, ended_s;	       /* to put back; of the run's own end */
	int slowest_at;
};

static unsigned int stride = 1, nth, points, failed;
static char only[64], only_how[16];

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static pid_t start(const char *const argv[], const char *plan)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	unsetenv("STRESSD_ARENA");
	setenv("STRESSD_STATE_DIR", STATE, 1);
	setenv("STRESSD_KILL", plan, 1);
	execv(STRESSD, (char *const *)argv);
	_exit(127);
}

/* Until it stops or ends. The status as of waitpid(2); -1: neither, it was killed for that. */
static int await(pid_t pid, double limit_s)
{
	double end_s = now_s() + limit_s;
	int status;

	while (now_s() < end_s) {
		if (waitpid(pid, &status, WNOHANG | WUNTRACED) == pid)
			return status;
		pause_ms(2);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static int run_stressd(const char *plan, pid_t *ret_pid)
{
	const char *const argv[] = {
		STRESSD, "run", "--quiet", "--run-dir", RUN_DIR, SCENARIO, NULL
	};

	*ret_pid = start(argv, plan);
	return await(*ret_pid, RUN_S);
}

static int recover(void)
{
	const char *const argv[] = { STRESSD, "recover", NULL };

	return await(start(argv, ""), RUN_S);
}

static void remove_tree(const char *path)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf --one-file-system %s", path);
	if (system(command) != 0)
		printf("%s cannot be removed\n", path);
}

static void clear(void)
{
	umount2(SMALL, MNT_DETACH);
	remove_tree(HOME);
	mkdir(HOME, 0700);
	mkdir(SMALL, 0700);
	if (mount("small", SMALL, "tmpfs", 0, "size=" SMALL_BYTES) < 0)
		printf("%s: %s\n", SMALL, strerror(errno));
}

static void __attribute__((format(printf, 2, 3))) fail(struct row *row, const char *format, ...)
{
	char text[1024] = "";
	FILE *f = fopen(OUTPUT, "re");
	va_list ap;

	va_start(ap, format);
	printf("FAILED ");
	vprintf(format, ap);
	va_end(ap);
	if (f) {
		if (fread(text, 1, sizeof(text) - 1, f))
			printf("\n  it said: %s", text);
		fclose(f);
	}
	printf("\n");
	fflush(stdout);
	row->failed++;
}

/* Seconds until the machine is as it was; what there still was at LIMIT_S is in @why. */
static double await_clean(char why[WHY_MAX], double since_s)
{
	char late[WHY_MAX];
	bool in_time = true;
	double s;

	while (!machine_is_clean(STATE, in_time ? why : late)) {
		s = now_s() - since_s;
		if (s > LATE_S)
			return s;
		in_time = s < LIMIT_S;
		pause_ms(5);
	}
	return now_s() - since_s;
}

/* As if the disk were full from here on: some other file has it all. */
static void fill(void)
{
	static char block[1 << 16];
	int fd = open(FILLER, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (size_t size = sizeof(block); fd >= 0 && size; size = size > 1 ? size / 2 : 0)
		while (write(fd, block, size) > 0)
			;
	close(fd);
}

static bool journals_are_left(void)
{
	return access(STATE "/undo", F_OK) == 0 && rmdir(STATE "/undo") < 0;
}

/* Do @how to the stopped run; the time since which it counts. */
static double strike(enum how how, pid_t pid, struct row *row, const char *what)
{
	double begun_s = now_s();
	pid_t janitor;
	int status;

	if (how == BOTH && (janitor = machine_process(STATE, "stressd-janitor")))
		kill(janitor, SIGKILL);
	if (how == KILL || how == BOTH) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return now_s();
	}
	if (how == FULL)
		fill();
	else
		kill(pid, how == INT ? SIGINT : SIGTERM);
	kill(pid, SIGCONT);
	status = await(pid, RUN_S);
	if (now_s() - begun_s > row->ended_s)
		row->ended_s = now_s() - begun_s;
	/* 3: no fault was armed, or there was no room for results. A finding is a false alarm. */
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3 &&
				   WEXITSTATUS(status) != (how == FULL ? 2 : 0)))
		fail(row, "%s: it ended with status %#x", what, status);
	return now_s();
}

/* Who recovers before the workers are dead has to come again; how often is told. */
static void recover_until(double since_s, struct row *row, const char *what)
{
	unsigned int n = 0;
	int status;

	do
		status = recover(), n++;
	while (status != 0 && now_s() - since_s < LATE_S);
	if (status != 0)
		fail(row, "%s: recover fails", what);
	if (n > row->recovers)
		row->recovers = n;
}

/* False: there is no change @n any more. */
static bool strike_at(const char *name, enum how how, int n, const char *point, int last,
		      struct row *row)
{
	char plan[32], what[200], why[WHY_MAX] = "";
	bool janitor_was_not_up;
	double since_s, took_s;
	pid_t pid;
	int status;

	clear();
	if (!scenario_cut_down(CONFIGS, name, SCENARIO))
		return false;
	snprintf(plan, sizeof(plan), "pause:change:%d", n);
	snprintf(what, sizeof(what), "%s, %s at change %d (%.100s)", name, how_names[how], n,
		 point);
	status = run_stressd(plan, &pid);
	if (!WIFSTOPPED(status)) {
		if (n <= last)
			fail(row, "%s: not reached, the run ended with status %#x", what, status);
		return false;
	}
	janitor_was_not_up = how == KILL && !machine_process(STATE, "stressd-janitor");
	since_s = strike(how, pid, row, what);
	/* Before the janitor there is nobody else, either. */
	if (how == BOTH || janitor_was_not_up)
		recover_until(since_s, row, what);
	took_s = await_clean(why, since_s);
	row->points++;
	if (took_s > row->slowest_s) {
		row->slowest_s = took_s;
		row->slowest_at = n;
	}
	if (took_s > LIMIT_S)
		fail(row, "%s: after %.1f s: %s; clean after %.1f s", what, LIMIT_S, why, took_s);
	if (how == FULL)
		unlink(FILLER);
	if (how == FULL || took_s > LIMIT_S)
		recover_until(now_s(), row, what);
	if (journals_are_left())
		fail(row, "%s: a journal is left", what);
	return true;
}

#define CHANGES_MAX 400

struct list {
	char names[CHANGES_MAX][100];
	int n, first, last; /* of the faults: from the first record to the last thing put back */
};

/* An undisturbed run and its changes. False: this kernel cannot do it, which is said. */
static bool list_changes(const char *name, struct list *l)
{
	char line[300], step_name[100];
	bool faults = false;
	int n, status;
	pid_t pid;
	FILE *f;

	*l = (struct list){ .first = 1 };
	clear();
	if (!scenario_cut_down(CONFIGS, name, SCENARIO))
		return false;
	status = run_stressd("list", &pid);
	f = fopen(OUTPUT, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "change %d: %99[^\n]", &n, step_name) == 2 && n < CHANGES_MAX) {
			l->n = n;
			strcpy(l->names[n], step_name);
		} else if (sscanf(line, "step %*d: %99[^\n]", step_name) == 1) {
			if (!strcmp(step_name, "files laid out"))
				l->first = l->n + 1;
			faults |= strstr(step_name, " armed") != NULL;
			if (strstr(step_name, " put back"))
				l->last = l->n;
		}
	}
	if (f)
		fclose(f);
	if (faults && l->last)
		return true;
	printf("%s: not swept, its run ends with status %#x and %d changes\n", name, status, l->n);
	if (f && (f = fopen(OUTPUT, "re"))) {
		while (fgets(line, sizeof(line), f))
			if (strncmp(line, "change", 6) != 0 && strncmp(line, "step", 4) != 0)
				printf("  %s", line);
		fclose(f);
	}
	fflush(stdout);
	return false;
}

/* @whole: set-up and teardown, too, which are the same for all. */
static void sweep(const char *name, enum how how, const struct list *l, bool whole)
{
	int from = whole ? 1 : l->first;
	struct row row = { 0 };
	double begun_s = now_s();

	for (int n = from + (int)(nth++ % stride); whole || n <= l->last; n += (int)stride)
		if (!strike_at(name, how, n, n <= l->n ? l->names[n] : "?", l->last, &row) ||
		    row.failed >= FAILED_MAX)
			break;
	printf("%-26s %-5s %3u points, %u failed, slowest %.2f s (change %d), own end %.1f s, "
	       "recovers %u, %.0f s in all\n",
	       name, how_names[how], row.points, row.failed, row.slowest_s, row.slowest_at,
	       row.ended_s, row.recovers, now_s() - begun_s);
	fflush(stdout);
	points += row.points;
	failed += row.failed;
}

static void read_words(void)
{
	char line[4096] = "", *save = NULL;
	FILE *f = fopen("/proc/cmdline", "re");

	if (!f || !fgets(line, sizeof(line), f))
		return;
	fclose(f);
	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		sscanf(w, "sweep.stride=%u", &stride);
		sscanf(w, "sweep.only=%63s", only);
		sscanf(w, "sweep.how=%15s", only_how);
	}
	stride = stride ? stride : 1;
}

int main(void)
{
	static char names[SCENARIOS_MAX][SC_NAME_MAX];
	static struct list l;
	size_t n = scenario_names(CONFIGS, names), swept = 0;

	read_words();
	machine_remember();
	for (size_t i = 0; i < n; i++) {
		if ((only[0] && strcmp(only, names[i]) != 0) || !list_changes(names[i], &l))
			continue;
		for (int how = 0; how < HOWS; how++)
			if (!only_how[0] || !strcmp(only_how, how_names[how]))
				sweep(names[i], how, &l, swept == 0);
		swept++;
	}
	clear();
	umount2(SMALL, MNT_DETACH);
	printf("sweep: %zu scenarios, %u points, %u failed\n", swept, points, failed);
	return failed || !points;
}
