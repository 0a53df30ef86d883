// SPDX-License-Identifier: GPL-2.0-or-later
/* The plan of a batch, and what each attempt says. */
#include "search/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3 /* at a batch whose infrastructure fails */

u64 trial_want_answer(struct trials *ts, struct trial *t)
{
	if (t->answer != SEQUENTIAL_OPEN)
		return 0;
	t->answer = sequential_ask(&ts->test, t->hits, t->attempts);
	if ((t->unusable >= 2 && !t->hits) || t->attempts >= TRIAL_ATTEMPTS_MAX)
		t->answer = SEQUENTIAL_LOST;
	return t->answer == SEQUENTIAL_OPEN ? sequential_plan(&ts->test, t->hits, t->attempts) : 0;
}

u64 trial_want_rate(struct trials *ts, struct trial *t)
{
	if (t->hits >= ts->hits || t->attempts >= ts->attempts || (t->unusable >= 3 && !t->hits))
		return 0;
	/* So many as it will take at the rate that it seems to have. */
	return MIN((u64)((double)(ts->hits - t->hits) / rate_estimate(t->hits, t->attempts)) + 1,
		   ts->attempts - t->attempts);
}

struct batch {
	struct trials *ts;
	struct trial *list;
	struct try a[RUNNER_BATCH_MAX];
	size_t n;
	size_t judged;
};

static void plan(struct batch *b, size_t n)
{
	b->n = b->judged = 0;
	for (size_t i = 0; i < n; i++)
		for (u64 want = b->ts->want(b->ts, &b->list[i]); want && b->n < RUNNER_BATCH_MAX;
		     want--)
			b->a[b->n++] = (struct try){
				.scenario = b->list[i].scenario,
				.seed = try_seed(b->ts->seed, b->ts->seeds_used++),
				.trial = i,
			};
}

/* Those next in line whose trial needs no more. */
static size_t useless(struct batch *b, size_t next)
{
	size_t n = 0;

	while (next + n < b->n && !b->ts->want(b->ts, &b->list[b->a[next + n].trial]))
		n++;
	return n;
}

static void account(struct trial *t, const struct try *a)
{
	t->attempts++;
	if (a->end == TRY_HIT && t->hits < TRIAL_HITS_MAX)
		t->hit_s[t->hits] = a->hit_s;
	t->hits += a->end == TRY_HIT;
	t->skipped += a->end == TRY_SKIPPED;
	t->others += a->end == TRY_OTHER;
	if (a->end == TRY_OTHER)
		snprintf(t->other, sizeof(t->other), "%s", a->kind);
	t->unusable += a->end == TRY_UNUSABLE || a->end == TRY_SKIPPED;
	if (a->end == TRY_HIT || !t->hits)
		snprintf(t->text, sizeof(t->text), "%s", a->text);
}

static bool on_done(void *ctx, struct try *a)
{
	struct batch *b = ctx;
	struct trials *ts = b->ts;
	struct trial *t = &b->list[a->trial];
	size_t next = (size_t)(a - b->a) + 1, skipped;

	b->judged++;
	ts->run++;
	ts->attempt_s += (a->took_s - ts->attempt_s) / (ts->attempt_s > 0 ? 8 : 1);
	if (ts->want(ts, t)) {
		account(t, a);
		if (ts->tell)
			ts->tell(ts->ctx, t, a);
	}
	skipped = useless(b, next);
	return next + skipped == b->n || (double)skipped * ts->attempt_s > ts->runner->restart_s;
}

int trials_run(struct trials *ts, struct trial *list, size_t n, struct err *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	int r = b ? 0 : err_set(e, -ENOMEM, "out of memory");

	for (int failed = 0; r == 0 && failed < TRIES;) {
		b->ts = ts;
		b->list = list;
		plan(b, n);
		if (!b->n)
			break;
		r = ts->runner->run(ts->runner, b->a, b->n, on_done, b, e);
		if (ts->runner->interrupted)
			r = -EINTR;
		failed = b->judged ? 0 : failed + 1;
		if (r == 0 && failed == TRIES)
			r = err_set(e, -EIO, "none of %zu attempts came to an end", b->n);
		else if (r == -EAGAIN && failed < TRIES)
			r = 0;
	}
	free(b);
	return r;
}

void trial_free(struct trial *t)
{
	json_decref(t->form);
	json_decref(t->scenario);
	*t = (struct trial){ 0 };
}
