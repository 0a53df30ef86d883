// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kill sweep, in a guest as its runner (`stressd vm --runner`): for each scenario of
 * configs/faults, cut down, the run is stopped after its change N, for N = 1, 2, 3 ... until none
 * is left, and something is done to it: kill -9; kill -9 of the janitor, too, then `stressd
 * recover`; SIGINT; SIGTERM; a full disk under its run directory and its journal. LIMIT_S later the
 * machine must be as it was (sweep_machine.c).
 *
 * Of the first scenario, and of one that is all layer and no fault, every change of the run is
 * taken; of the others those from the first fault's record to the last fault put back.
 *
 * Words of the kernel's command line: sweep.stride=K takes every Kth change, another K of them for
 * each scenario; sweep.only=NAME,NAME some scenarios; sweep.how=NAME,NAME some of the things that
 * are done; sweep.count only says how many changes there are; sweep.bad what cannot be armed
 * (sweep_bad.h); sweep.seconds=N a sample of all for so long; sweep.panic and sweep.after=IMAGE:
 * see sweep_panic.h. Prints what failed, a table, and "sweep: N points, N failed".
 */
#include "sweep_bad.h"
#include "sweep_machine.h"
#include "sweep_panic.h"
#include "sweep_run.h"
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
#define GOES	    3	/* at a run that was over before its fault was due */
#define FAILED_MAX  8	/* of one thing that is done to one scenario: the rest is the same */
#define CONFIGS	    SOURCE_DIR "/configs/faults"
#define SMALL	    SWEEP_HOME "/small" /* a filesystem of its own, to be filled */
#define STATE	    SMALL "/state"
#define RUN_DIR	    SMALL "/run"
#define FILLER	    SMALL "/filler"
#define SMALL_BYTES "64M"
#define SCENARIO    SWEEP_HOME "/scenario.json"

enum how { KILL, BOTH, INT, TERM, FULL, HOWS };

static const char *const how_names[HOWS] = { "kill", "both", "int", "term", "full" };

struct row {
	unsigned int points, failed, recovers; /* recovers: most that were needed for one */
	double slowest_s, ended_s;	       /* to put back; of the run's own end */
	int slowest_at;
};

static unsigned int stride = 1, nth, points, failed;
static char only[256], only_how[64], after[256];
static double seconds;
static bool panics, bad, counts;

static int run(const char *plan, pid_t *ret_pid)
{
	return run_stressd(
		STATE, plan,
		(const char *const[]){ "run", "--quiet", "--run-dir", RUN_DIR, SCENARIO, NULL },
		ret_pid);
}

/* All that a run writes is in SMALL; programs started for it would cost as much as the run. */
static void clear(void)
{
	umount2(SMALL, MNT_DETACH);
	mkdir(SWEEP_HOME, 0700);
	mkdir(SMALL, 0700);
	if (mount("small", SMALL, "tmpfs", 0, "size=" SMALL_BYTES) < 0)
		printf("%s cannot be made: %s\n", SMALL, strerror(errno));
}

static void __attribute__((format(printf, 2, 3))) fail(struct row *row, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	printf("FAILED ");
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	print_output();
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
	pid_t pid;

	do {
		status = run_stressd(STATE, "", (const char *const[]){ "recover", NULL }, &pid);
		n++;
	} while (status != 0 && now_s() - since_s < LATE_S);
	if (status != 0)
		fail(row, "%s: recover fails", what);
	if (n > row->recovers)
		row->recovers = n;
}

/* Start a run and see it stop at change @n. On a busy machine one can be over before its fault was
 * due, and is incomplete: where the change must come (@must) it has another go. The last wait
 * status. */
static int stop_at(const char *name, int n, bool must, pid_t *ret_pid)
{
	char plan[32];
	int status = 0;

	snprintf(plan, sizeof(plan), "pause:change:%d", n);
	for (int go = 0; go < GOES; go++) {
		clear();
		if (!scenario_cut_down(CONFIGS, name, SCENARIO))
			return 0;
		status = run(plan, ret_pid);
		if (!must || !WIFEXITED(status) || WEXITSTATUS(status) != 3)
			break;
	}
	return status;
}

/* False: there is no change @n any more. */
static bool strike_at(const char *name, enum how how, int n, const char *point, int sure,
		      struct row *row)
{
	char what[200], why[WHY_MAX] = "";
	bool janitor_was_not_up;
	double since_s, took_s;
	pid_t pid;
	int status;

	snprintf(what, sizeof(what), "%s, %s at change %d (%.100s)", name, how_names[how], n,
		 point);
	status = stop_at(name, n, n <= sure, &pid);
	if (!WIFSTOPPED(status)) {
		if (n <= sure)
			fail(row, "%s: not reached in %d runs, the last ended with status %#x",
			     what, GOES, status);
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
		fail(row, "%s: after %.1f s: %s; clean after %.1f s", what, LIMIT_S,
		     why[0] ? why : "whoever puts back was still at it", took_s);
	if (how == FULL)
		unlink(FILLER);
	if (how == FULL || took_s > LIMIT_S)
		recover_until(now_s(), row, what);
	if (journals_are_left()) {
		fail(row, "%s: a journal is left", what);
		shell("cat " STATE "/undo/*");
	}
	return true;
}

#define CHANGES_MAX 400

struct list {
	char names[CHANGES_MAX][100];
	int n, first, last; /* of the faults: from the first record to the last thing put back */
	int sure;	    /* the last that every such run has */
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
	status = run("list", &pid);
	f = fopen(SWEEP_OUTPUT, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "change %d: %99[^\n]", &n, step_name) == 2 && n < CHANGES_MAX) {
			l->n = n;
			strcpy(l->names[n], step_name);
		} else if (sscanf(line, "step %*d: %99[^\n]", step_name) == 1) {
			if (!strcmp(step_name, "files laid out"))
				l->first = l->n + 1;
			faults |= strstr(step_name, " armed") != NULL;
			/* What is given back with its filesystem has nothing to put back. */
			if (strstr(step_name, " put back") || strstr(step_name, " disarmed"))
				l->last = l->n;
		}
	}
	if (f)
		fclose(f);
	l->sure = l->last;
	/* A layer is set up with its target; how often a log is replayed depends on the log. */
	if (!faults && status == 0) {
		l->first = 1;
		l->last = l->n;
	}
	if (l->last && (faults || status == 0))
		return true;
	l->last = 0;
	printf("%s: not swept, its run ends with status %#x and %d changes\n", name, status, l->n);
	print_output();
	fflush(stdout);
	return false;
}

/* @whole: set-up and teardown, too, which are the same for all with a fault. */
static void sweep(const char *name, enum how how, const struct list *l, bool whole)
{
	int from = whole ? 1 : l->first;
	struct row row = { 0 };
	double begun_s = now_s();

	for (int n = from + (int)(nth++ % stride); whole || n <= l->last; n += (int)stride)
		if (!strike_at(name, how, n, n <= l->n ? l->names[n] : "?", l->sure, &row) ||
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

/* One point after another, of each scenario in turn and with each thing that is done in turn, for
 * as long as there is time. What comes of it is one line. */
static void sample(char names[][SC_NAME_MAX], size_t n)
{
	struct list *lists = calloc(n + 1, sizeof(*lists));
	struct row row = { 0 };
	double end_s = now_s() + seconds;
	bool known[SCENARIOS_MAX] = { false };

	for (size_t k = 0; lists && n && now_s() < end_s && row.failed < FAILED_MAX; k++) {
		size_t i = k % n, round = k / n;
		struct list *l = &lists[i];
		int at;

		if (!known[i])
			list_changes(names[i], l);
		known[i] = true;
		if (!l->last)
			continue;
		/* Coprime to any number of changes that there is: all are taken in the end. */
		at = l->first + (int)((round * 41 + i * 17) % (size_t)(l->last - l->first + 1));
		strike_at(names[i], (enum how)((i + round) % HOWS), at, l->names[at], l->sure,
			  &row);
	}
	free(lists);
	printf("sample: %u points in %.0f s, slowest %.2f s, recovers %u\n", row.points, seconds,
	       row.slowest_s, row.recovers);
	points = row.points;
	failed = row.failed;
}

/* @names: with commas in between; empty: all. */
static bool is_asked_for(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = names; *p; p += strspn(p, ",")) {
		size_t n = strcspn(p, ",");

		if (n == len && !strncmp(p, name, n))
			return true;
		p += n;
	}
	return !*names;
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
		sscanf(w, "sweep.only=%255s", only);
		sscanf(w, "sweep.how=%63s", only_how);
		sscanf(w, "sweep.seconds=%lf", &seconds);
		sscanf(w, "sweep.after=%255s", after);
		panics |= !strcmp(w, "sweep.panic");
		bad |= !strcmp(w, "sweep.bad");
		counts |= !strcmp(w, "sweep.count");
	}
	stride = stride ? stride : 1;
}

/* What a full sweep comes to: of the first scenario all changes are taken, see sweep(). */
static void count(const char *name, const struct list *l, bool whole)
{
	int n = whole ? l->n : l->last - l->first + 1;

	printf("%-26s %3d changes\n", name, n);
	fflush(stdout);
	points += (unsigned int)n * HOWS;
}

static void sweep_all_ways(const char *name, const struct list *l, bool whole)
{
	for (int how = 0; how < HOWS; how++)
		if (is_asked_for(only_how, how_names[how]))
			sweep(name, how, l, whole);
}

int main(void)
{
	static char names[SCENARIOS_MAX][SC_NAME_MAX];
	static struct list l;
	size_t n = scenario_names(CONFIGS, names), swept = 0;

	read_words();
	if (panics || after[0])
		return panics ? panic_armed() : recover_after(after);
	machine_remember();
	if (bad)
		failed += (unsigned int)bad_cases();
	if (seconds > 0)
		sample(names, n);
	for (size_t i = 0; i < n && !(seconds > 0) && !bad; i++) {
		if (!is_asked_for(only, names[i]) || !list_changes(names[i], &l))
			continue;
		if (counts)
			count(names[i], &l, swept == 0 || !l.sure);
		else
			sweep_all_ways(names[i], &l, swept == 0 || !l.sure);
		swept++;
	}
	clear();
	umount2(SMALL, MNT_DETACH);
	printf("sweep: %zu scenarios, %u points%s, %u failed\n", swept, points,
	       counts ? " to be had" : "", failed);
	return failed || (!points && !bad);
}
