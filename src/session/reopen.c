// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `stressd verify`: a run whose coordinator died left shadow, histories and target; here they
 * are taken up again and the check is done that it did not come to. Every lease of the dead is
 * buried first: what they had in flight may have been stored or not. Forks nobody but a janitor.
 */
#include "session/faults.h"
#include "session/session.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE   2
#define EXIT_TROUBLE 3
/* A filesystem of a dead namespace is unmounted by the kernel in its own time. */
#define JANITOR_NS  (2 * NSEC_PER_SEC)
#define PUT_BACK_NS (10 * NSEC_PER_SEC)

static bool has(const struct session *s, const char *name)
{
	char path[600];

	return path_set(path, sizeof(path), "%s/%s", s->run_dir, name) == 0 &&
	       access(path, F_OK) == 0;
}

/* Its scenario and target are read and believed: only from the user whose run it was. */
static int find_run_dir(struct session *s, struct err *e)
{
	const char *given = s->o->run_dir;
	_cleanup_free_ char *real = realpath(given, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return err_set(e, -EINVAL, "%s: %s; expected the run directory of a run that died",
			       given, strerror(errno));
	if (!S_ISDIR(st.st_mode) || path_set(s->run_dir, sizeof(s->run_dir), "%s", real) < 0)
		return err_set(e, -EINVAL, "%s: not a directory; expected a run directory", given);
	if (!has(s, "scenario.json"))
		return err_set(e, -EINVAL,
			       "%s: not a run directory, it has no scenario.json; "
			       "expected one that `stressd run` made",
			       given);
	if (st.st_uid != geteuid())
		return err_set(e, -EINVAL, "%s: belongs to user %u; run verify as that user", given,
			       st.st_uid);
	if (!has(s, "shadow") && has(s, "result.json"))
		return err_set(e, -EINVAL,
			       "%s: this run ended by itself and was verified; see its "
			       "result.json",
			       given);
	return 0;
}

static int load(struct session *s, bool *ret_same_boot, struct err *e)
{
	char path[600];
	int r = find_run_dir(s, e);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/scenario.json", s->run_dir);
	r = scenario_load(path, &s->sc, e);
	if (r < 0)
		return r;
	r = place_load(s, ret_same_boot, e);
	if (r == 0 && guest_look(s))
		return guest_place(s, e);
	return r != -ENOENT ? r
			    : err_set(e, r,
				      "%s: nothing to verify: the run died before it changed "
				      "anything; delete the directory",
				      s->run_dir);
}

/* The journal's lock tells who is alive. What the dead run left in it is put back first. */
static int put_back_dead(struct session *s, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 20 * (long)NSEC_PER_MSEC };
	u64 alive_ns = now_ns() + JANITOR_NS, end_ns = now_ns() + PUT_BACK_NS;
	_cleanup_free_ char *real = realpath(s->state_dir, NULL);
	char path[PATH_MAX];
	struct undo *u;
	int failed, r = path_set(path, sizeof(path), "%s/undo/%s.journal",
				 real ? real : s->state_dir, s->run_name);

	/* Its janitor may be at work just now. */
	while (r == 0 && (r = undo_open(path, &u, e)) == -EAGAIN && now_ns() < alive_ns) {
		nanosleep(&pause, NULL);
		r = 0;
	}
	if (r == -ENOENT || r == -ESTALE)
		return 0;
	if (r == -EAGAIN)
		return err_set(e, r,
			       "%s: this run is alive, or is being verified; wait for its "
			       "end or stop it",
			       s->run_dir);
	if (r < 0)
		return r;
	while ((failed = undo_all(u, e)) > 0 && now_ns() < end_ns)
		nanosleep(&pause, NULL);
	undo_close(u);
	return failed ? -EBUSY : 0;
}

static void bury_all(struct session *s)
{
	for (u16 id = 1; id < SHADOW_WRITERS; id++)
		if (s->run->slots[id].name[0])
			shadow_bury(&s->shadow, id);
}

/* The workers as the dead run had them, for the counters in the report. */
static int recall_crew(struct session *s, struct err *e)
{
	s->crew = calloc(SHADOW_WRITERS, sizeof(*s->crew));
	if (!s->crew)
		return err_set(e, -ENOMEM, "no memory for the workers");
	for (u16 id = SHADOW_LAYOUT + 1; id < SHADOW_WRITERS; id++) {
		struct slot *slot = &s->run->slots[id];
		struct crew *c = &s->crew[s->ncrew];

		if (!slot->name[0])
			continue;
		s->ncrew++;
		c->pid = c->pidfd = -1;
		c->plan.id = id;
		snprintf(c->name, sizeof(c->name), "%s", slot->name);
		snprintf(c->type, sizeof(c->type), "%.*s", (int)strcspn(slot->name, "."),
			 slot->name);
		if (atomic_load(&slot->state) != SLOT_STOPPED &&
		    atomic_load(&slot->state) != SLOT_FAILED)
			atomic_store(&slot->state, SLOT_DEAD);
	}
	return 0;
}

/* What was seen before the end is on the board still, taken off by the dead coordinator or not;
 * a place is wiped only when it is used again. One that was being filled is lost. */
static void recall_board(struct session *s)
{
	for (size_t i = 0; i < RUN_SIGHTINGS; i++) {
		struct sighting *si = &s->run->board[i];

		atomic_store(&si->state, atomic_load(&si->state) != 1 && si->time_ns ? 2 : 0);
	}
}

static bool latest(void *ctx, const struct deed *d)
{
	u64 *ns = ctx;

	*ns = MAX(*ns, MAX(d->op.start_ns, d->op.end_ns));
	return true;
}

static int recall(struct session *s, bool same_boot, struct err *e)
{
	char path[600];
	u64 died_ns;
	int r;

	snprintf(path, sizeof(path), "%s/shadow", s->run_dir);
	r = shadow_open(path, true, &s->shadow, e);
	snprintf(path, sizeof(path), "%s/control", s->run_dir);
	if (r == 0)
		r = run_shared_open(path, &s->run, e);
	if (r < 0)
		return r;
	if (!atomic_load(&s->run->go))
		return err_set(e, -ENODATA, "the run died before its workers started");
	s->run->stop_on_hit = 0;
	s->result.run_key = s->shadow.run;
	for (u32 i = 0; i < s->shadow.nfiles; i++)
		s->result.cells += s->shadow.files[i].ncells;
	bury_all(s);
	history_open(&s->history, s->run_dir);
	recall_board(s);
	judge_sightings(s);
	died_ns = s->run->start_ns;
	history_each(&s->history, latest, &died_ns);
	s->died_ns = died_ns;
	s->result.duration_s = (double)(died_ns - s->run->start_ns) / 1e9;
	if (s->crashed)
		judge_note(s,
			   "the kernel died under the run after %.3f s; what was not synced may be "
			   "old "
			   "or new",
			   s->result.duration_s);
	else
		judge_note(s,
			   "the run died after %.3f s%s; what its workers had in flight may be old "
			   "or new",
			   s->result.duration_s,
			   same_boot ? "" : " and the machine was booted since");
	return recall_crew(s, e);
}

static int take_up_target(struct session *s, struct err *e)
{
	struct target there = s->target;
	int r = session_arm(s, e);

	if (r < 0)
		return r;
	target_init(&s->target, s->sc, s->run_dir, s->undo, false);
	memcpy(s->target.root, there.root, sizeof(there.root));
	memcpy(s->target.image, there.image, sizeof(there.image));
	memcpy(s->target.fs, there.fs, sizeof(there.fs));
	s->target.prefilled = there.prefilled;
	/* An image comes back on whatever loop device is free. */
	if (!there.image[0])
		memcpy(s->target.device, there.device, sizeof(there.device));
	s->target_up = true;
	r = s->target.type->attach(&s->target, e);
	session_know_target(s);
	return r;
}

static int open_actor(struct session *s, struct err *e)
{
	char path[600];
	int r;

	snprintf(path, sizeof(path), "%s/ops.%u.log", s->run_dir, SHADOW_LAYOUT);
	r = oplog_open_writable(path, &s->log, e);
	if (r == 0)
		r = actor_init(&s->actor, SHADOW_LAYOUT, &s->shadow, &s->log, s->run,
			       s->target.root, s->target.fs, s->sc->seed, e);
	return r;
}

/* Nothing that anybody could look at: what there is goes, unless it was asked to stay. */
static void nothing_to_verify(struct session *s, const struct err *e)
{
	struct err ignored = { "" };

	judge_trouble(s, "nothing to verify: %s", e->text);
	s->target.device[0] = '\0'; /* it was put back with the journal */
	if (!s->o->keep && s->target.type->teardown(&s->target, false, &ignored) < 0)
		judge_note(s, "%s", ignored.text);
}

/* Nothing is armed any more; what a mount says of errors that were is theirs. */
static void allow_what_is_left(struct session *s)
{
	for (size_t i = 0; s->klog && i < s->sc->nfaults; i++) {
		const char *const *rules = s->sc->faults[i].type->log_after;
		int set = rules ? klog_allow_rules(s->klog, rules) : -1;

		if (set >= 0)
			klog_allow_from(s->klog, set, 0);
	}
}

static void verify(struct session *s)
{
	struct err e = { "" };
	u64 begun = now_ns();
	bool lost = false; /* files that cannot be opened for that */
	int r;

	session_watch_klog(s, "verify.log");
	allow_what_is_left(s);
	r = take_up_target(s, &e);
	if (r < 0 && s->crashed && crashed_fs(s, r))
		r = 0, lost = true;
	else if (r == 0 && s->crashed && crashed_files(s) < 0)
		lost = true;
	else if (r == 0)
		r = open_actor(s, &e);
	if (r < 0) {
		judge_trouble(s, "%s", e.text);
	} else {
		if (!lost)
			finish_check(s);
		finish_fs(s);
	}
	s->result.verify_s = (double)(now_ns() - begun) / 1e9;
	s->keep_target = s->hopeless;
	finish_klog(s);
	finish_put_back(s);
}

static int verify_run(struct session *s, bool same_boot)
{
	struct err e = { "" };
	int r = put_back_dead(s, &e);

	if (r == -EAGAIN) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return EXIT_USAGE;
	}
	if (r == 0 && !has(s, "shadow"))
		r = err_set(&e, -ENODATA, "the run died before its files were laid out");
	if (r == 0)
		r = recall(s, same_boot, &e);
	if (r == -ENODATA)
		nothing_to_verify(s, &e);
	else if (r < 0)
		judge_trouble(s, "%s", e.text);
	else
		verify(s);
	judge_result(s);
	finish_report(s);
	finish_remove(s);
	return s->result.exit;
}

int session_verify(const struct run_options *o)
{
	struct session *s = calloc(1, sizeof(*s));
	bool same_boot = false;
	struct err e = { "" };
	int r, status;

	if (!s)
		return EXIT_TROUBLE;
	s->o = o;
	s->started_ns = now_ns();
	clock_gettime(CLOCK_REALTIME, &s->result.started);
	session_block_signals();
	r = load(s, &same_boot, &e);
	if (r < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		status = r == -EINVAL ? EXIT_USAGE : EXIT_TROUBLE;
	} else {
		session_describe(s);
		if (s->guest)
			guest_describe(s);
		s->live = live_open(o->json ? stdout : stderr, o->json, o->quiet);
		status = verify_run(s, same_boot);
	}
	session_free(s);
	free(s);
	return status;
}
