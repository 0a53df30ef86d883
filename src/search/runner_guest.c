// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attempts in guests: one `stressd vm` for a batch. Their run directories come back while they
 * run, so each is judged as soon as its result is whole; the guest is stopped when that is enough.
 */
#include "search/runner.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"

#include <string.h>

#define TICK_MS	     100
#define EXIT_USAGE   2
#define EXIT_TROUBLE 3
#define EXIT_SKIP    4
#define EXIT_GONE    75

struct boot {
	struct runner *r;
	struct try *a;
	size_t n, next; /* the first that has no verdict yet */
	char dir[400];
	u64 begun_ns, next_ns; /* of the boot; when the attempt that is next began */
	runner_done_fn *done;
	void *ctx;
	bool stopping, enough;
};

static bool has(const struct try *a, const char *name)
{
	char path[600];

	return path_set(path, sizeof(path), "%s/%s", a->dir, name) == 0 && access(path, F_OK) == 0;
}

/* It arrives in pieces: a result is there when it is whole. */
static bool has_result(const struct try *a)
{
	_cleanup_json_ json_t *result = NULL;
	char path[600];

	if (path_set(path, sizeof(path), "%s/result.json", a->dir) == 0)
		result = json_load_file(path, 0, NULL);
	return result;
}

static bool begun(const struct try *a)
{
	return has(a, "scenario.json") || has(a, "result.json");
}

static void take(struct boot *b)
{
	struct try *a = &b->a[b->next++];
	u64 now = now_ns();

	try_judge(a, b->r->wanted, EXIT_TROUBLE);
	a->took_s = (double)(now - b->next_ns) / 1e9;
	b->next_ns = now;
	b->enough |= b->done(b->ctx, a);
	/* What runs in it from here on would say more about this finding than about itself. */
	b->stopping |= b->enough || a->sick;
}

/* One that was refused or died has no result, and the next one begins all the same. */
static void look(struct boot *b)
{
	while (!b->stopping && b->next < b->n) {
		bool over = has_result(&b->a[b->next]);

		for (size_t i = b->next + 1; i < b->n && !over; i++)
			over = begun(&b->a[i]);
		if (!b->next && !b->next_ns && (over || begun(&b->a[0]))) {
			b->next_ns = now_ns();
			b->r->restart_s = (double)(b->next_ns - b->begun_ns) / 1e9;
		}
		if (!over)
			return;
		take(b);
	}
}

static int spawn(struct boot *b, struct runner_child *c, struct err *e)
{
	const char *argv[RUNNER_ARGS + RUNNER_BATCH_MAX + 8];
	int n = 0;

	argv[n++] = "vm";
	argv[n++] = "--run-dir";
	argv[n++] = b->dir;
	for (size_t i = 0; i < b->r->nargs; i++)
		argv[n++] = b->r->args[i];
	for (size_t i = 0; i < b->n; i++)
		argv[n++] = b->a[i].path;
	argv[n] = NULL;
	return runner_spawn(argv, c, e);
}

static int prepare(struct boot *b, struct err *e)
{
	int ret = path_set(b->dir, sizeof(b->dir), "%s/boot-%llu", b->r->dir,
			   (unsigned long long)++b->r->batches);

	for (size_t i = 0; i < b->n && ret == 0; i++) {
		ret = runner_write(b->r, &b->a[i], e);
		if (ret < 0)
			return ret;
		/* As `stressd vm` numbers them. */
		ret = path_set(b->a[i].dir, sizeof(b->a[i].dir), b->n > 1 ? "%s/%zu" : "%s", b->dir,
			       i + 1);
	}
	return ret < 0 ? err_set(e, ret, "%s: the path is too long", b->r->dir) : 0;
}

static void clean(struct boot *b)
{
	bool kept = false;

	for (size_t i = 0; i < b->n; i++) {
		kept |= b->a[i].keep;
		if (b->a[i].keep)
			continue;
		unlink(b->a[i].path);
		if (b->n > 1)
			rm_rf(b->a[i].dir);
	}
	if (!kept)
		rm_rf(b->dir);
}

/* What the end of the guest means for those that have no verdict. */
static int settle(struct boot *b, const struct runner_child *c, const char *said, struct err *e)
{
	if (c->cut_short)
		return 0;
	if (b->next)
		return 0;
	switch (c->exit) {
	case EXIT_USAGE:
		return err_set(e, -EINVAL, "%s", said);
	case EXIT_SKIP:
		return err_set(e, -ENOENT, "%s", said);
	case EXIT_GONE:
		return err_set(e, -EAGAIN, "%s", said);
	default:
		return err_set(e, -EIO, "%s", said);
	}
}

int runner_guest(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		 struct err *e)
{
	struct boot b = { .r = r, .a = a, .n = n, .done = done, .ctx = ctx, .begun_ns = now_ns() };
	struct runner_child c;
	char said[512];
	int ret = prepare(&b, e);

	if (ret == 0)
		ret = spawn(&b, &c, e);
	if (ret < 0) {
		clean(&b);
		return ret;
	}
	while (!runner_wait(r, &c, TICK_MS)) {
		if (!c.asked)
			look(&b);
		if (b.stopping && !c.asked)
			runner_ask_to_stop(&c);
	}
	/* The last of them, and those that the host made of the guest's end. */
	if (!c.asked)
		look(&b);
	runner_reap(&c, said, sizeof(said));
	ret = settle(&b, &c, said, e);
	clean(&b);
	return ret;
}
