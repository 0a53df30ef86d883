// SPDX-License-Identifier: GPL-2.0-or-later
/* Attempts on this machine: one `stressd run` each. */
#include "search/runner.h"

#include "base/fsutil.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 200

static void arguments(const struct runner *r, const struct try *a, const char **argv)
{
	int n = 0;

	argv[n++] = "run";
	argv[n++] = "--quiet";
	argv[n++] = "--run-dir";
	argv[n++] = a->dir;
	for (size_t i = 0; i < r->nargs; i++)
		argv[n++] = r->args[i];
	argv[n++] = a->path;
	argv[n] = NULL;
}

/* Cut short it is no attempt, unless it had found something by then. */
static void judge(struct runner *r, struct try *a, const struct runner_child *c, const char *said)
{
	char none[600];

	try_judge(a, r->wanted, c->exit);
	if (path_set(none, sizeof(none), "%s/result.json", a->dir) == 0 && access(none, F_OK) < 0)
		snprintf(a->text, sizeof(a->text), "%s", said);
	if (c->cut_short && a->end != TRY_HIT)
		a->end = TRY_NOT_RUN;
}

static int run_one(struct runner *r, struct try *a, struct err *e)
{
	const char *argv[RUNNER_ARGS + 8];
	struct runner_child c;
	u64 begun_ns = now_ns();
	char said[512];
	int ret = runner_write(r, a, e);

	if (ret < 0)
		return ret;
	arguments(r, a, argv);
	ret = runner_spawn(argv, &c, e);
	if (ret < 0)
		return ret;
	while (!runner_wait(r, &c, TICK_MS))
		;
	runner_reap(&c, said, sizeof(said));
	judge(r, a, &c, said);
	a->took_s = (double)(now_ns() - begun_ns) / 1e9;
	return 0;
}

int runner_native(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		  struct err *e)
{
	bool enough = false;
	int ret = 0;

	r->batches++;
	for (size_t i = 0; i < n && ret == 0 && !enough && !r->interrupted; i++) {
		ret = run_one(r, &a[i], e);
		if (ret == 0 && a[i].end != TRY_NOT_RUN)
			enough = done(ctx, &a[i]);
		if (!a[i].keep) {
			rm_rf(a[i].dir);
			unlink(a[i].path);
		}
	}
	return ret;
}
