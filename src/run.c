// SPDX-License-Identifier: GPL-2.0-or-later
/* The shared block of a run: mapping, board, futexes, pauses. */
#include "run.h"

#include "base/state.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define RUN_MAGIC 0x316e757264737273ULL

const char *const slot_state_names[] = { "empty",  "starting", "ready",	 "running",
					 "paused", "stopped",  "failed", "dead" };

int run_shared_create(const char *path, struct run_shared **ret, struct err *e)
{
	void *map;
	int r = state_create(path, sizeof(**ret), &map);

	if (r < 0)
		return err_set(e, r, "%s: cannot be made: %s", path, strerror(-r));
	*ret = map;
	(*ret)->magic = RUN_MAGIC;
	(*ret)->len = sizeof(**ret);
	return 0;
}

int run_shared_open(const char *path, struct run_shared **ret, struct err *e)
{
	const struct run_shared *run;
	size_t len;
	void *map;
	int r = state_open(path, STATE_COPY, &map, &len);

	if (r < 0)
		return err_set(e, r, "%s: cannot be opened: %s", path, strerror(-r));
	run = map;
	if (len != sizeof(*run) || run->magic != RUN_MAGIC || run->len != sizeof(*run)) {
		state_close(map, len);
		return err_set(e, -EBADMSG, "%s: not the control block of a run", path);
	}
	*ret = map;
	return 0;
}

void run_shared_close(struct run_shared *r)
{
	if (r)
		state_close(r, sizeof(*r));
}

struct sighting *sighting_take(struct run_shared *r)
{
	for (size_t i = 0; i < RUN_SIGHTINGS; i++) {
		u32 free_state = 0;

		if (atomic_compare_exchange_strong(&r->board[i].state, &free_state, 1)) {
			/* all but the state, which others look at */
			memset((char *)&r->board[i] + sizeof(r->board[i].state), 0,
			       sizeof(r->board[i]) - sizeof(r->board[i].state));
			return &r->board[i];
		}
	}
	atomic_fetch_add(&r->sightings_lost, 1);
	return NULL;
}

void sighting_post(struct run_shared *r, struct sighting *s)
{
	atomic_fetch_add_explicit(&r->slots[s->finder % SHADOW_WRITERS].sightings, 1,
				  memory_order_relaxed);
	atomic_store_explicit(&s->state, 2, memory_order_release);
	/* Not left to the coordinator: what comes after the first hit only blurs the evidence. An
	 * error may still be explained; wrong bytes cannot. */
	if (r->stop_on_hit && s->kind != FINDING_READ_ERROR && s->kind != FINDING_UNEXPECTED_ERRNO)
		atomic_store(&r->stop, 1);
}

static const struct slot *not_paused(const struct run_shared *r, u16 who, u32 pause)
{
	for (u16 i = 1; i < SHADOW_WRITERS; i++) {
		const struct slot *s = &r->slots[i];
		u32 state = atomic_load(&s->state);

		/* Files are open from STARTING on: who is released a moment after the pause was
		 * asked for must be seen to close them too. */
		if (i != who && state >= SLOT_STARTING && state <= SLOT_PAUSED &&
		    atomic_load(&s->pause_seen) != pause)
			return s;
	}
	return NULL;
}

int run_pause(struct run_shared *r, u16 who, u64 timeout_ns, struct err *e)
{
	u64 deadline = now_ns() + timeout_ns;
	const struct slot *s;
	u32 none = 0, pause;

	if (!atomic_compare_exchange_strong(&r->pauser, &none, who))
		return err_set(e, -EBUSY, "another pause is under way");
	pause = atomic_fetch_add(&r->pause, 1) + 1;
	while ((s = not_paused(r, who, pause))) {
		if (run_stopping(r) || now_ns() >= deadline) {
			run_resume(r);
			if (run_stopping(r))
				return err_set(e, -ETIMEDOUT, "the run ended before the pause");
			return err_set(e, -ETIMEDOUT, "%s did not pause within %llu ms", s->name,
				       (unsigned long long)(timeout_ns / NSEC_PER_MSEC));
		}
		/* polls a condition; pauses are rare and last long */
		nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 }, NULL);
	}
	return 0;
}

/* Also for one that died on its way into a pause or out of it: the count is even then, and one more
 * would hold everybody for ever. Nobody but the pauser changes it. */
void run_resume(struct run_shared *r)
{
	if (atomic_load(&r->pause) & 1)
		atomic_fetch_add(&r->pause, 1);
	atomic_store(&r->pauser, 0);
	futex_wake_all(&r->pause);
}
