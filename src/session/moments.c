// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moments of a run that are marked in its log of writes. The mark is put by the coordinator, as a
 * message to device-mapper takes rights that no worker has; whatever sync returned before is in the
 * moment, and what it made durable is in the log before the mark once all that was in flight has
 * ended. Moments are as many as their memory allows: when there is no more room every other one
 * goes, and they come half as often, so that they are evenly spread over a run of any length.
 */
#include "session/replay.h"

#include "session/session.h"
#include "target/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_NS      (20 * NSEC_PER_MSEC) /* between two, at first */
#define A_POINT	      4			   /* moments for each flush that is to be checked */
#define MEMORY_MAX    (64 * MIB)
#define KEPT_AT_LEAST 4

static int put(struct session *s)
{
	struct moments *m = s->moments;
	struct marked *at = &m->kept[m->n];
	char text[64];
	int r = moment_before(&s->shadow, &at->at);

	if (r < 0)
		return r;
	r = layers_drain(&s->target);
	at->mark = m->marks++;
	snprintf(text, sizeof(text), "mark " MOMENT_MARK "%llu", (unsigned long long)at->mark);
	if (r == 0)
		r = dmdev_message(s->target.layers[DM_LAYER_LOG].name, text);
	if (r < 0) {
		moment_free(&at->at);
		return r;
	}
	moment_after(&s->shadow, &at->at);
	m->n++;
	return 0;
}

int moments_begin(struct session *s, struct err *e)
{
	const struct disk_options *o = s->sc->target.options;
	struct moments *m;
	int r = -ENOMEM;

	if (!layers_wanted(s->sc, DM_LAYER_LOG))
		return 0;
	m = s->moments = calloc(1, sizeof(*m));
	if (m) {
		u64 fit = MEMORY_MAX / moment_bytes(&s->shadow);

		m->max = (size_t)MAX(MIN(o->log_points * A_POINT, fit), (u64)KEPT_AT_LEAST);
		m->every_ns = FIRST_NS;
		m->kept = calloc(m->max + 1, sizeof(*m->kept)); /* and the last one */
		r = m->kept ? put(s) : -ENOMEM;
	}
	return r < 0 ? err_set(e, r, "the log of writes cannot be marked: %s", strerror(-r)) : 0;
}

static void thin_out(struct moments *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (i % 2)
			moment_free(&m->kept[i].at);
		else
			m->kept[n++] = m->kept[i];
	}
	m->n = n;
	m->every_ns *= 2;
}

static void put_or_say(struct session *s)
{
	int r = put(s);

	if (r < 0)
		judge_trouble(s, "the log of writes cannot be marked: %s", strerror(-r));
	s->moments->over |= r < 0;
}

void moments_tick(struct session *s)
{
	struct moments *m = s->moments;

	if (!m || m->over || now_ns() < m->due_ns)
		return;
	if (m->n == m->max)
		thin_out(m);
	put_or_say(s);
	m->due_ns = now_ns() + m->every_ns;
}

void moments_end(struct session *s)
{
	if (!s->moments || s->moments->over)
		return;
	put_or_say(s);
	s->moments->over = true;
}

void moments_free(struct session *s)
{
	for (size_t i = 0; s->moments && i < s->moments->n; i++)
		moment_free(&s->moments->kept[i].at);
	if (s->moments)
		free(s->moments->kept);
	free(s->moments);
	s->moments = NULL;
}
