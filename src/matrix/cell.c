// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One cell, in a process of its own: whoever runs many of them, here, on another node or by hand,
 * runs this. The run itself is one more process, so that nothing that it does reaches the records.
 */
#include "matrix/internal.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"
#include "search/runner.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

#define TICK_MS	      500
#define PAUSE_MIN_S   2
#define PAUSE_MAX_S   60
#define COMMAND_WORDS (RUNNER_ARGS)

struct cell_job {
	const char *dir;
	json_t *cell;
	const char *argv[COMMAND_WORDS + 4];
	char run_dir[PATH_MAX], scenario[PATH_MAX];
	u64 attempts; /* that may end in 75 */
	struct runner r;
};

/* "command" of cell.json, which this program wrote. */
static int load(struct cell_job *j, struct err *e)
{
	char path[PATH_MAX];
	const json_t *command;
	json_error_t why;

	if (path_set(path, sizeof(path), "%s/" CELL_FILE, j->dir) < 0 ||
	    path_set(j->scenario, sizeof(j->scenario), "%s/" CELL_SCENARIO, j->dir) < 0)
		return err_set(e, -ENAMETOOLONG, "%s: the path is too long", j->dir);
	j->cell = json_load_file(path, 0, &why);
	if (!j->cell)
		return err_set(e, -EBADMSG, "%s: no cell of a matrix: %s", path, why.text);
	command = json_object_get(j->cell, "command");
	j->attempts = (u64)json_integer_value(json_object_get(j->cell, "attempts"));
	if (!json_array_size(command) || json_array_size(command) > COMMAND_WORDS || !j->attempts)
		return err_set(e, -EBADMSG, "%s: not what stressd wrote", path);
	for (size_t i = 0; i < json_array_size(command); i++) {
		j->argv[i] = json_string_value(json_array_get(command, i));
		if (!j->argv[i])
			return err_set(e, -EBADMSG, "%s: not what stressd wrote", path);
	}
	return 0;
}

/* What a killed attempt left is no evidence of anything, and may be large. */
static int begin(struct cell_job *j, u64 n, struct err *e)
{
	size_t at = json_array_size(json_object_get(j->cell, "command"));
	int r = path_set(j->run_dir, sizeof(j->run_dir), "%s/attempt-%llu", j->dir,
			 (unsigned long long)n);

	if (r == 0 && n > 1) {
		char before[PATH_MAX], result[PATH_MAX + 16];

		snprintf(before, sizeof(before), "%s/attempt-%llu", j->dir,
			 (unsigned long long)n - 1);
		snprintf(result, sizeof(result), "%s/result.json", before);
		if (access(result, F_OK) < 0)
			rm_rf(before);
	}
	j->argv[at++] = "--run-dir";
	j->argv[at++] = j->run_dir;
	j->argv[at++] = j->scenario;
	j->argv[at] = NULL;
	return r < 0 ? err_set(e, r, "%s: the path is too long", j->dir) : 0;
}

/* A finding counts whoever stopped the run; anything else that was cut short says nothing. A run
 * that a signal ended did not choose to: the infrastructure killed it, the OOM killer perhaps. */
static const char *end_of(const struct runner_child *c)
{
	if (c->exit == EXIT_FINDING)
		return "finished";
	if (c->cut_short)
		return "interrupted";
	return c->exit < 0 || c->exit == EXIT_AGAIN ? "again" : "finished";
}

static int attempt(struct cell_job *j, u64 n, struct err *e)
{
	struct runner_child c;
	char said[512];
	int r = begin(j, n, e);

	if (r == 0)
		r = cell_started(j->dir, n, e);
	if (r == 0)
		r = runner_spawn(j->argv, &c, e);
	if (r < 0)
		return r;
	while (!runner_wait(&j->r, &c, TICK_MS))
		;
	runner_reap(&c, said, sizeof(said));
	return cell_ended(j->dir, n, end_of(&c), c.exit, c.cut_short ? "stopped by a signal" : said,
			  e);
}

/* Infrastructure that failed gets time to recover. False: a signal came. */
static bool pause_for(struct cell_job *j, u64 tries)
{
	struct timespec t = { (time_t)MIN(PAUSE_MIN_S << MIN(tries, 5ULL), PAUSE_MAX_S), 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	j->r.interrupted |= sigtimedwait(&set, NULL, &t) > 0;
	return !j->r.interrupted;
}

static int run(struct cell_job *j, struct cell_outcome *ret, struct err *e)
{
	int r = cell_judge(j->dir, ret, e);

	for (u64 tries = 0; r == 0 && ret->state == CELL_LEFT && tries < j->attempts; tries++) {
		if (j->r.interrupted || (tries && !pause_for(j, tries)))
			break;
		r = attempt(j, ret->n + 1, e);
		if (r == 0)
			r = cell_judge(j->dir, ret, e);
	}
	return r;
}

int cell_run(const char *dir, struct cell_outcome *ret, struct err *e)
{
	struct cell_job *j = calloc(1, sizeof(*j));
	_cleanup_close_ int fd = -1;
	int r;

	if (!j)
		return err_set(e, -ENOMEM, "out of memory");
	j->dir = dir;
	r = load(j, e);
	/* Before signals are blocked: whoever waits for another can be stopped. */
	if (r == 0)
		r = cell_lock(dir, true, &fd, e);
	if (r == 0) {
		runner_init(&j->r);
		r = run(j, ret, e);
	}
	json_decref(j->cell);
	free(j);
	return r;
}
