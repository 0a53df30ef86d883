// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines that were just read: the last few thousand in memory, all of them in kernel.log. */
#include "klog/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void drop_first(struct window *w)
{
	struct window_line *l = &w->lines[w->first];

	w->bytes -= strlen(l->text) + 1;
	free(l->text);
	l->text = NULL;
	w->first = (w->first + 1) % WINDOW_LINES;
	w->n--;
}

void window_add(struct window *w, const char *text, u64 time_ns)
{
	size_t size = strlen(text) + 1;
	char *copy = strdup(text);

	if (!copy)
		return;
	while (w->n == WINDOW_LINES || (w->n && w->bytes + size > WINDOW_BYTES))
		drop_first(w);
	w->lines[(w->first + w->n++) % WINDOW_LINES] = (struct window_line){ time_ns, copy };
	w->bytes += size;
}

void window_free(struct window *w)
{
	while (w->n)
		drop_first(w);
}

size_t klog_lines_between(const struct klog *k, u64 from_ns, u64 to_ns, const char **lines,
			  u64 *times_ns, size_t max)
{
	const struct window *w = &k->window;
	size_t n = 0;

	for (size_t i = 0; i < w->n && n < max; i++) {
		const struct window_line *l = &w->lines[(w->first + i) % WINDOW_LINES];

		if (l->time_ns < from_ns || l->time_ns > to_ns)
			continue;
		if (times_ns)
			times_ns[n] = l->time_ns;
		lines[n++] = l->text;
	}
	return n;
}

int klog_copy_to(struct klog *k, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	/* A line that is not on its way to disk is not there when the machine dies of it. */
	setvbuf(f, NULL, _IOLBF, 4096);
	if (k->copy.f)
		fclose(k->copy.f);
	k->copy = (struct log_copy){ .f = f };
	return 0;
}

static void stop_copy(struct log_copy *c, int error)
{
	c->error = error;
	fclose(c->f);
	c->f = NULL;
}

void copy_line(struct log_copy *c, const char *caller, const char *text, u64 time_ns)
{
	u64 usec = time_ns / NSEC_PER_USEC;
	int n;

	if (!c->f)
		return;
	if (c->bytes > COPY_BYTES_MAX) {
		stop_copy(c, -EFBIG);
		return;
	}
	n = fprintf(c->f, "[%5" PRIu64 ".%06" PRIu64 "]%s%s%s %s\n", usec / 1000000, usec % 1000000,
		    *caller ? "[" : "", caller, *caller ? "]" : "", text);
	if (n < 0)
		stop_copy(c, -errno);
	else
		c->bytes += (u64)n;
}
