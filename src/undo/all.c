// SPDX-License-Identifier: GPL-2.0-or-later
/* Putting everything back: in which order, how often, and what is told of it. */
#include "undo/internal.h"

#include <errno.h>
#include <time.h>

#define PAUSE_NS  (5 * NSEC_PER_MSEC)
#define ROUNDS_NS (2 * NSEC_PER_SEC)

static void say(FILE *out, const struct undo *u, const struct undo_entry *en, int r,
		const char *text)
{
	if (!out)
		return;
	fprintf(out, "%s: %s %s: %s%s%s\n", u->run, en->line.kind,
		en->line.arg[0] ? en->line.arg[0] : "", r < 0 ? "FAILED" : "put back",
		*text ? ": " : "", text);
}

/* One round over all that is not done. With @busy failures are not told of, and those are counted
 * there that somebody still uses: who holds them may be on its way out. */
static int undo_each(struct undo *u, bool first, FILE *out, int *busy, struct err *e)
{
	int failed = 0;

	for (size_t i = u->n; i-- > 0;) {
		struct undo_entry *en = &u->entries[i];
		bool is_first = en->kind >= 0 && undo_kinds[en->kind].when == FIRST;
		struct err one;
		int r;

		if (en->done || is_first != first)
			continue;
		r = undo_one(u, i, &one);
		if (r < 0 && busy) {
			*busy += r == -EBUSY;
			continue;
		}
		say(out, u, en, r, one.text);
		if (r < 0 && !failed++ && !e->text[0])
			*e = one;
	}
	return failed;
}

/* What is busy waits for the rest, and the rest does not wait for it: rounds until all is done or
 * the time is over. The last one says what is left. */
static int undo_rounds(struct undo *u, FILE *out, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	u64 end_ns = now_ns() + ROUNDS_NS;
	int busy = 0;

	do {
		if (busy)
			nanosleep(&pause, NULL);
		busy = 0;
		undo_each(u, true, out, &busy, e);
		undo_each(u, false, out, &busy, e);
	} while (busy && now_ns() < end_ns);
	e->text[0] = '\0';
	return undo_each(u, true, out, NULL, e) + undo_each(u, false, out, NULL, e);
}

int undo_all_to(struct undo *u, FILE *out, struct err *e)
{
	int failed;

	e->text[0] = '\0';
	failed = undo_rounds(u, out, e);
	if (u->damaged) {
		struct err why;

		err_set(&why, 0, "%s: %zu damaged lines; see what they name, then delete the file",
			u->path, u->damaged);
		if (out)
			fprintf(out, "%s\n", why.text);
		if (!e->text[0])
			*e = why;
	}
	return failed + (int)u->damaged;
}

int undo_all(struct undo *u, struct err *e)
{
	return undo_all_to(u, NULL, e);
}
