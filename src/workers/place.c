// SPDX-License-Identifier: GPL-2.0-or-later
/* Places for the next operation, and the draws that workers share. See place.h. */
#include "workers/place.h"

#include <errno.h>
#include <string.h>

const char *const pattern_names[] = { "random", "sequential", NULL };

void place_start(struct place *p, const struct worker *w, const struct afile *f)
{
	p->next = w->count ? size_now(f->sf) / w->count * w->instance : 0;
}

/* Within @pages of the latest store, which may have been anywhere by now: a hint. */
static u64 near_hot(struct worker *w, const struct afile *f, u64 pages, u64 size)
{
	u64 hot = atomic_load_explicit(&f->sf->hot, memory_order_relaxed);
	u64 reach = pages * w->actor.page;
	u64 lo = hot > reach ? hot - reach : 0;
	u64 hi = MIN(hot + reach, size - 1);

	return hi > lo ? lo + rng_below(&w->actor.rng, hi - lo + 1) : hi;
}

static u64 in_sequence(struct place *p, u64 size, u64 len)
{
	u64 at = p->next < size ? p->next : 0;

	p->next = at + len;
	return at;
}

void place_next(struct place *p, struct worker *w, const struct afile *f, enum pattern pattern,
		u64 near, u64 unit, u64 len, u64 *ret_offset, u64 *ret_len)
{
	u64 size = size_now(f->sf), limit = f->sf->ncells << f->sf->cell_shift, at;

	*ret_offset = *ret_len = 0;
	if (!size)
		return;
	if (near)
		at = near_hot(w, f, near, size);
	else if (pattern == PATTERN_SEQUENTIAL)
		at = in_sequence(p, size, len);
	else
		at = rng_below(&w->actor.rng, size);
	*ret_offset = ROUND_DOWN(at, unit);
	*ret_len = ROUND_DOWN(MIN(ROUND_UP(len, unit), limit - *ret_offset), unit);
}

u64 cells_drawn(struct worker *w, const struct afile *f, struct range range)
{
	u64 cell = f->sf->cell_bytes;

	return MIN(ROUND_UP(MAX(rng_in(&w->actor.rng, range), 1ULL), cell), ACTOR_BUF) / cell;
}

bool chance(struct worker *w, u64 percent)
{
	return percent && rng_below(&w->actor.rng, 100) < percent;
}

#define GIVE_UP_AFTER 3 /* refusals in a row */

void menu_init(struct menu *m, const u64 *weights, size_t n)
{
	*m = (struct menu){ .n = MIN(n, (size_t)MENU_MAX) };
	memcpy(m->weights, weights, m->n * sizeof(*weights));
}

size_t menu_draw(const struct menu *m, struct worker *w)
{
	u64 sum = 0, at;
	size_t i;

	for (i = 0; i < m->n; i++)
		sum += m->weights[i];
	if (!sum)
		return m->n;
	at = rng_below(&w->actor.rng, sum);
	for (i = 0; at >= m->weights[i]; i++)
		at -= m->weights[i];
	return i;
}

void menu_note(struct menu *m, size_t i, s64 result)
{
	/* ioctls that a filesystem does not know are ENOTTY; the call itself may be ENOSYS. */
	if (result != -EOPNOTSUPP && result != -ENOTTY && result != -ENOSYS)
		m->refused[i] = 0;
	else if (++m->refused[i] == GIVE_UP_AFTER)
		m->weights[i] = 0;
}
