// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * short_write: writes that come up short. The kernel has reserved space and page cache for the
 * whole length by then and must give back what it did not use, without touching what others did
 * there meanwhile. One function per cause.
 */
#include "workers/place.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

struct short_write {
	int cause;
	struct range length, readable;
	bool grow;
	u64 unaligned, pause;
};

enum { CAUSE_EFAULT, CAUSE_FILE_LIMIT, CAUSE_ENOSPC, CAUSE_SIGNAL };
static const char *const causes[] = { "efault", "file-limit", "enospc", "signal", NULL };
static const char *const cause_kconfig[ARRAY_SIZE(causes)] = { [CAUSE_SIGNAL] = "POSIX_TIMERS" };

static const struct opt_def options[] = {
	OPT(struct short_write, cause, OPT_ENUM, .def = "efault", .choices = causes,
	    .kconfig = cause_kconfig,
	    .help = "efault: the source ends in unreadable pages; file-limit: RLIMIT_FSIZE; "
		    "enospc: the filesystem is full (needs something that fills it); signal: "
		    "SIGALRM in the middle, which local filesystems mostly ignore"),
	OPT(struct short_write, length, OPT_SIZE_RANGE, .def = "64K", .min = "64", .max = "2M",
	    .help = "bytes asked of the kernel, rounded up to whole cells"),
	OPT(struct short_write, readable, OPT_SIZE_RANGE, .def = "8K", .min = "64", .max = "2M",
	    .help = "efault: bytes of the source that can be read, rounded up to whole cells"),
	OPT(struct short_write, grow, OPT_BOOL, .def = "false",
	    .help = "write up to the file's maximum, past its end too; always so for enospc"),
	OPT(struct short_write, unaligned, OPT_PERCENT, .def = "0",
	    .help = "percent of writes that start at any cell; the others start at a page"),
	OPT(struct short_write, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two writes"),
	{ 0 },
};

struct state {
	u8 *source; /* ACTOR_BUF bytes that can be read, and as many that cannot */
};

static void on_alarm(int sig)
{
	(void)sig;
}

/* The source is laid so that the last cell that can be read ends where the wall begins. */
static void write_efault(struct worker *w, struct write_op *op, u64 readable)
{
	static const int legal[] = { EFAULT, 0 };
	struct state *s = w->state;
	u64 cell = w->file->sf->cell_bytes;

	op->attempt = op->n * cell;
	op->n = MIN(op->n, readable);
	op->source = s->source + ACTOR_BUF - op->n * cell;
	op->legal = legal;
	op_write(&w->actor, w->file, op);
}

/* The kernel shortens what reaches over the limit; at the limit it says EFBIG. (setrlimit(2)) */
static void write_file_limit(struct worker *w, struct write_op *op, u64 readable)
{
	static const int legal[] = { EFBIG, 0 };
	struct rlimit old, now;
	u64 end = op->first + rng_below(&w->actor.rng, op->n);

	(void)readable;
	if (getrlimit(RLIMIT_FSIZE, &old) < 0)
		return;
	now = old;
	now.rlim_cur = MIN(old.rlim_max, (rlim_t)(end << w->file->sf->cell_shift));
	op->legal = legal;
	if (setrlimit(RLIMIT_FSIZE, &now) == 0)
		op_write(&w->actor, w->file, op);
	setrlimit(RLIMIT_FSIZE, &old);
}

static void write_enospc(struct worker *w, struct write_op *op, u64 readable)
{
	static const int legal[] = { ENOSPC, EDQUOT, 0 };

	(void)readable;
	op->legal = legal;
	op_write(&w->actor, w->file, op);
}

/* One shot, 10 to 500 us from now: the time that a large write takes. */
static void write_signal(struct worker *w, struct write_op *op, u64 readable)
{
	struct itimerval once = { .it_value.tv_usec = 10 + (long)rng_below(&w->actor.rng, 491) };
	const struct itimerval off = { 0 };

	(void)readable;
	setitimer(ITIMER_REAL, &once, NULL);
	op_write(&w->actor, w->file, op);
	setitimer(ITIMER_REAL, &off, NULL);
}

static void (*const cause_functions[])(struct worker *, struct write_op *, u64) = {
	[CAUSE_EFAULT] = write_efault,
	[CAUSE_FILE_LIMIT] = write_file_limit,
	[CAUSE_ENOSPC] = write_enospc,
	[CAUSE_SIGNAL] = write_signal,
};

/* Random cells; from the start of a page, unless a write is to start anywhere. */
static u64 pick(struct worker *w, const struct short_write *o, u64 *first)
{
	struct afile *f = w->file;
	u64 page = MAX(cells_in(f, w->actor.page), 1ULL);
	u64 n = pick_cells(&w->actor, f, cells_drawn(w, f, o->length),
			   o->grow || o->cause == CAUSE_ENOSPC, first);

	if (!n)
		return 0;
	if (!chance(w, o->unaligned))
		*first = ROUND_DOWN(*first, page);
	return clip_zone(f, *first, n, false);
}

static int step(struct worker *w)
{
	OPTIONS(short_write, w);
	struct write_op op = { .op = OP_PWRITE };

	if (o->pause)
		worker_sleep(w, o->pause);
	op.n = pick(w, o, &op.first);
	if (op.n)
		cause_functions[o->cause](w, &op, cells_drawn(w, w->file, o->readable));
	actor_beat(&w->actor);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	struct sigaction sa = { .sa_handler = on_alarm }; /* without SA_RESTART */
	struct state *s = calloc(1, sizeof(*s));

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	s->source = mmap(NULL, 2 * ACTOR_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (s->source == MAP_FAILED || mprotect(s->source + ACTOR_BUF, ACTOR_BUF, PROT_NONE) < 0)
		return err_set(e, -ENOMEM, "no memory for a source buffer");
	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

const struct worker_type worker_short_write = {
	.name = "short_write",
	.help = "buffered writes that come up short: EFAULT, file size limit, ENOSPC, signal",
	.options = options,
	.options_size = sizeof(struct short_write),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_DIRTIES | WORKER_COPIES_IN,
	.start = start,
	.step = step,
};
