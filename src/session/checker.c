// SPDX-License-Identifier: GPL-2.0-or-later
/* The periodic check: a worker that scenarios do not name but ask for with verify.every. It reads
 * every file through the cache, then directly, beside all the others. */
#include "workers/worker.h"

#define CHUNK (1 * MIB)

extern const struct worker_type worker_checker;

static void sweep(struct worker *w, struct afile *f, enum read_how how)
{
	for (u64 at = 0; at < size_now(f->sf) && !worker_stopping(w); at += CHUNK) {
		/* a pause closes the files: the rest of this sweep is left to the next one */
		if (atomic_load(&w->actor.run->pause) & 1)
			return;
		op_read(&w->actor, f, at, CHUNK, how);
	}
}

static int checker_step(struct worker *w)
{
	const u64 *every_ns = w->options;

	worker_sleep(w, *every_ns);
	for (u32 i = 0; i < w->actor.nfiles; i++) {
		sweep(w, &w->actor.files[i], READ_PREAD);
		if (w->actor.files[i].dfd >= 0)
			sweep(w, &w->actor.files[i], READ_DIRECT);
		op_stat(&w->actor, &w->actor.files[i]);
	}
	return 0;
}

const struct worker_type worker_checker = {
	.name = "checker",
	.help = "reads every file now and then (verify.every)",
	.flags = WORKER_READS_INLINE | WORKER_QUIET,
	.step = checker_step,
};
