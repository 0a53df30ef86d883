// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop of attempts and its limits. */
#include "search/repeat.h"

#include "base/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE    2
#define UNUSABLE_MOST 3 /* in a row: it will not get better */
#define TRIES	      3 /* at a batch whose infrastructure fails */

u64 repeat_complete(const struct repeat *r)
{
	return r->hits + r->silent + (r->others_tell ? r->others : 0);
}

double repeat_median_s(const struct repeat *r)
{
	size_t n = MIN(r->hits, (u64)REPEAT_HITS_MAX);
	double *copy = calloc(n + 1, sizeof(*copy)), m;

	if (!copy)
		return 0;
	memcpy(copy, r->hit_s, n * sizeof(*copy));
	m = median(copy, n);
	free(copy);
	return m;
}

/* What finds something else each time would never be enough. */
static bool is_enough(const struct repeat *r)
{
	return (r->hits_wanted && r->hits >= r->hits_wanted) ||
	       (r->times && (repeat_complete(r) >= r->times || r->attempts >= 3 * r->times)) ||
	       r->refused || r->skipped || r->gave_up;
}

static void count(struct repeat *r, const struct try *a)
{
	u64 *const counts[TRY_ENDS] = {
		[TRY_HIT] = &r->hits,	     [TRY_SILENT] = &r->silent,
		[TRY_OTHER] = &r->others,    [TRY_UNUSABLE] = &r->unusable,
		[TRY_SKIPPED] = &r->skipped,
	};

	if (a->end == TRY_HIT) {
		if (r->hits < REPEAT_HITS_MAX)
			r->hit_s[r->hits] = a->hit_s;
		if (!r->hits)
			r->first_hit_s = (double)(now_ns() - r->begun_ns) / 1e9;
	}
	r->attempts++;
	++*counts[a->end];
	r->unusable_in_a_row = a->end == TRY_UNUSABLE ? r->unusable_in_a_row + 1 : 0;
	r->gave_up = r->unusable_in_a_row >= UNUSABLE_MOST;
	r->refused |= a->end == TRY_UNUSABLE && a->exit == EXIT_USAGE;
	if (a->end == TRY_HIT || r->last.end != TRY_HIT)
		r->last = *a;
}

static bool on_done(void *ctx, struct try *a)
{
	struct repeat *r = ctx;

	count(r, a);
	a->keep = r->keep || a->end == TRY_HIT;
	if (r->tell)
		r->tell(r->ctx, r, a);
	return is_enough(r);
}

static size_t plan(struct repeat *r, struct try *a)
{
	u64 n = MIN(r->batch, (size_t)RUNNER_BATCH_MAX);

	if (r->times)
		n = MIN(n, r->times - MIN(repeat_complete(r), r->times));
	for (size_t i = 0; i < n; i++)
		a[i] = (struct try){ .scenario = r->scenario,
				     .seed = try_seed(r->seed, r->attempts + i) };
	return n;
}

int repeat_run(struct repeat *r, struct err *e)
{
	struct try *a = calloc(RUNNER_BATCH_MAX, sizeof(*a));
	int ret = a ? 0 : err_set(e, -ENOMEM, "out of memory");

	r->begun_ns = now_ns();
	for (int failed = 0; ret == 0 && !is_enough(r) && !r->runner->interrupted;) {
		u64 before = r->attempts;

		ret = r->runner->run(r->runner, a, plan(r, a), on_done, r, e);
		failed = r->attempts > before ? 0 : failed + 1;
		if (ret == -EAGAIN && failed < TRIES)
			ret = 0;
		else if (ret == 0 && failed == TRIES && !r->runner->interrupted)
			ret = err_set(e, -EIO, "no attempt came to an end");
	}
	free(a);
	return ret;
}
