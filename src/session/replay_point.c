// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One point of the log: the device as it was then, as after a crash. It is judged by what judges
 * runs whose kernel died (guest.c), with a shadow of that moment in place of the one that the run
 * ended with.
 */
#include "session/replay.h"

#include "session/faults.h"
#include "session/session.h"

#include <string.h>

/* What of a session is another's while a point is checked. */
struct aside {
	struct target target;
	struct shadow shadow;
	u64 died_ns;
	char device[sizeof(((struct session *)0)->result.device)];
};

static void aim_actor(struct session *s)
{
	for (u32 i = 0; i < s->actor.nfiles; i++)
		s->actor.files[i].sf = &s->shadow.files[i];
}

static int put_aside(struct session *s, struct aside *a, const struct shadow_moment *from,
		     const struct shadow_moment *to, const struct replay_order *order)
{
	struct shadow then;
	int r = moment_shadow(&s->shadow, from, to, &then);

	if (r < 0)
		return r;
	order_forgive(order, &then);
	a->target = s->target;
	a->shadow = s->shadow;
	a->died_ns = s->died_ns;
	memcpy(a->device, s->result.device, sizeof(a->device));
	s->shadow = then;
	s->died_ns = to->after_ns;
	aim_actor(s);
	return 0;
}

static void put_back(struct session *s, const struct aside *a)
{
	moment_shadow_free(&s->shadow);
	s->target = a->target;
	s->shadow = a->shadow;
	s->died_ns = a->died_ns;
	memcpy(s->result.device, a->device, sizeof(a->device));
	aim_actor(s);
}

static void on_progress(void *ctx)
{
	judge_sightings(ctx);
	judge_klog(ctx);
}

/* All of every file, from the device: nothing else has been read from it yet. */
static void read_all(struct session *s)
{
	struct check c = { .actor = &s->actor,
			   .target = &s->target,
			   .layers = 1ULL << LAYER_CACHE,
			   .progress = on_progress,
			   .ctx = s };
	struct err e = { "" };

	if (actor_open(&s->actor, false, &e) < 0 || check_all(&c, &e) < 0)
		judge_trouble(s, "the log of writes: %s", e.text);
	judge_sightings(s);
	actor_close(&s->actor);
	s->result.cells_checked += c.cells;
	s->result.cells_open += c.open;
}

static void recover(struct session *s)
{
	struct err e = { "" };
	int r = s->target.type->attach(&s->target, &e);

	session_know_target(s);
	if (r < 0 && !crashed_fs(s, r))
		judge_trouble(s, "the log of writes: %s", e.text);
	if (r < 0)
		return;
	if (crashed_files(s) == 0)
		read_all(s);
	finish_fs(s);
}

static void say_when(struct session *s, size_t first, const char *when)
{
	for (size_t i = first; i < s->result.nfindings; i++) {
		char *text = s->result.findings[i]->sentence;
		size_t len = strlen(text);

		snprintf(text + len, sizeof(s->result.findings[i]->sentence) - len, " (%s)", when);
	}
}

void replay_check(struct session *s, const char *image, const struct shadow_moment *from,
		  const struct shadow_moment *to, const struct replay_order *order,
		  const char *when)
{
	size_t before = s->result.nfindings;
	struct err e = { "" };
	struct aside a;

	if (put_aside(s, &a, from, to, order) < 0) {
		judge_trouble(s, "the log of writes: no memory");
		return;
	}
	target_init(&s->target, s->sc, s->run_dir, s->undo, false);
	s->target.type = target_type_by_name("image");
	snprintf(s->target.image, sizeof(s->target.image), "%s", image);
	recover(s);
	say_when(s, before, when);
	if (s->target.type->teardown(&s->target, s->result.nfindings > before, &e) < 0)
		judge_trouble(s, "the log of writes: %s", e.text);
	put_back(s, &a);
}
