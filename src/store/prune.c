// SPDX-License-Identifier: GPL-2.0-or-later
/* Which run directories go: what may, oldest first, until the limits are kept. */
#include "store/prune_walk.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const prune_end_names[PRUNE_ENDS] = {
	[PRUNE_REMOVED] = "removed",	 [PRUNE_WITHIN] = "within-limits",
	[PRUNE_FINDING] = "finding",	 [PRUNE_INCOMPLETE] = "incomplete",
	[PRUNE_NO_RESULT] = "no-result", [PRUNE_NOT_STORED] = "not-stored",
	[PRUNE_KEPT] = "kept",		 [PRUNE_BUSY] = "busy",
	[PRUNE_FAILED] = "failed",
};

struct prune {
	struct store *s;
	const struct prune_limits *limits;
	struct prune_list list;
	prune_fn *fn;
	void *ctx;
	struct prune_sums *sums;
	struct err *e;
};

static bool is_one_of(const char *verdict, const char *a, const char *b)
{
	return !strcmp(verdict, a) || !strcmp(verdict, b);
}

/* Of the row at @stmt. PRUNE_WITHIN: it may go. */
static enum prune_end judge_row(const struct prune_limits *l, struct prune_item *it,
				sqlite3_stmt *stmt)
{
	bool finding = sqlite3_column_int64(stmt, 5);

	it->id = sqlite3_column_int64(stmt, 0);
	snprintf(it->verdict, sizeof(it->verdict), "%s", store_text(stmt, 1));
	if (sqlite3_column_int64(stmt, 2))
		it->ended_s = sqlite3_column_int64(stmt, 2);
	it->marked = sqlite3_column_int64(stmt, 4);
	if (strcmp(store_text(stmt, 3), it->path) != 0 && !it->leftover)
		return PRUNE_NOT_STORED;
	if (finding || !strcmp(it->verdict, "fail"))
		return l->findings ? PRUNE_WITHIN : PRUNE_FINDING;
	if (!is_one_of(it->verdict, "pass", "skip"))
		return l->incomplete ? PRUNE_WITHIN : PRUNE_INCOMPLETE;
	return PRUNE_WITHIN;
}

static int judge(struct prune *p, struct prune_item *it)
{
	sqlite3_stmt *stmt;
	int r = 0;

	if (it->night)
		return 0;
	it->end = !it->has_result ? PRUNE_NO_RESULT : PRUNE_NOT_STORED;
	if (*it->content) {
		stmt = store_bind(p->s, QUERY_RUN_OF_CONTENT, p->e, "s", it->content);
		r = stmt ? store_step(p->s, stmt, p->e) : -EIO;
		if (r > 0) {
			it->end = judge_row(p->limits, it, stmt);
			sqlite3_reset(stmt);
		}
	}
	if (it->has_keep)
		it->end = PRUNE_KEPT;
	else if (it->has_mount)
		it->end = PRUNE_BUSY;
	return MIN(r, 0);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct prune_item *)a)->path, ((const struct prune_item *)b)->path);
}

/* What a killed prune left comes first: it is gone already, as the rows have it. Nights come after
 * their runs. */
static int by_age(const void *a, const void *b)
{
	const struct prune_item *x = a, *y = b;
	int c = y->leftover - x->leftover;

	c = c ? c : x->night - y->night;

	c = c ? c : (x->ended_s > y->ended_s) - (x->ended_s < y->ended_s);
	return c ? c : by_path(a, b);
}

/* Directories that were asked for may lie in one another. */
static void drop_doubles(struct prune_list *list)
{
	size_t n = 0;

	qsort(list->items, list->n, sizeof(*list->items), by_path);
	for (size_t i = 0; i < list->n; i++) {
		if (n && !strcmp(list->items[n - 1].path, list->items[i].path))
			free(list->items[i].path);
		else
			list->items[n++] = list->items[i];
	}
	list->n = n;
}

static int collect(struct prune *p, char *const *dirs, size_t ndirs)
{
	int r = 0;

	for (size_t i = 0; i < ndirs && r == 0; i++) {
		_cleanup_free_ char *real = realpath(dirs[i], NULL);

		if (!real)
			return err_set(p->e, -errno, "%s: cannot be read: %s", dirs[i],
				       strerror(errno));
		if (!strcmp(real, "/"))
			return err_set(p->e, -EINVAL,
				       "%s: is all there is; name directories that hold runs",
				       dirs[i]);
		r = prune_walk(real, &p->list, p->e);
	}
	if (r < 0 || !p->list.n)
		return r;
	drop_doubles(&p->list);
	for (size_t i = 0; i < p->list.n && r == 0; i++)
		r = judge(p, &p->list.items[i]);
	qsort(p->list.items, p->list.n, sizeof(*p->list.items), by_age);
	return r;
}

static void count(struct prune *p, const struct prune_item *it, const char *text)
{
	p->sums->runs[it->end]++;
	p->sums->bytes[it->end] += it->bytes;
	if (p->fn)
		p->fn(p->ctx, &(struct prune_run){ .dir = it->path,
						   .verdict = it->verdict,
						   .text = text,
						   .ended_s = it->ended_s,
						   .bytes = it->bytes,
						   .end = it->end });
}

static void remove_one(struct prune *p, struct prune_item *it, u64 *total)
{
	struct err why = { "" };
	int r = prune_remove(p->s, it, p->limits->dry_run, &why);

	if (it->night) {
		p->sums->nights += r == 0;
		return;
	}

	it->end = r == 0 ? PRUNE_REMOVED : r == -EBUSY ? PRUNE_BUSY : PRUNE_FAILED;
	if (r == 0)
		*total -= it->bytes;
	count(p, it, r == -ESTALE ? "it changed meanwhile" : r < 0 ? why.text : "");
}

/* Its row says that it is gone, and here it is: brought back, or never taken. */
static int unmark(struct prune *p, struct prune_item *it)
{
	if (!it->marked || p->limits->dry_run || it->end == PRUNE_NOT_STORED)
		return 0;
	return store_run_query(p->s, QUERY_SET_REMOVED, p->e, "ii", it->id, (s64)0);
}

/* @total: of all run directories that are there now. */
static bool shall_go(const struct prune_limits *l, const struct prune_item *it, u64 total)
{
	bool old = l->older_than_s >= 0 && it->ended_s <= (s64)time(NULL) - l->older_than_s;

	if (it->leftover)
		return true;
	return it->end == PRUNE_WITHIN && (old || (l->larger_than && total > l->larger_than));
}

static int choose(struct prune *p)
{
	const struct prune_limits *l = p->limits;
	u64 total = 0;
	int r = 0;

	for (size_t i = 0; i < p->list.n; i++)
		total += p->list.items[i].night ? 0 : p->list.items[i].bytes;
	for (size_t i = 0; i < p->list.n && r == 0; i++) {
		struct prune_item *it = &p->list.items[i];

		/* Whether a night may go shows when its runs are gone. */
		if (it->night ? it->leftover || (!l->dry_run && !it->has_keep)
			      : shall_go(l, it, total)) {
			remove_one(p, it, &total);
		} else if (!it->night) {
			r = unmark(p, it);
			count(p, it, "");
		}
	}
	p->sums->too_large = l->larger_than && total > l->larger_than;
	return r;
}

int store_prune(struct store *s, char *const *dirs, size_t ndirs, const struct prune_limits *limits,
		prune_fn *fn, void *ctx, struct prune_sums *ret, struct err *e)
{
	struct prune p = { s, limits, { 0 }, fn, ctx, ret, e };
	int r = collect(&p, dirs, ndirs);

	*ret = (struct prune_sums){ 0 };
	/* Rows can be made again from directories, which is why NORMAL does elsewhere; not from
	 * these. */
	if (r == 0 && !limits->dry_run)
		r = store_exec(s, "PRAGMA synchronous = FULL", e);
	if (r == 0)
		r = choose(&p);
	prune_list_free(&p.list);
	return r;
}
