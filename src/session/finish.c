// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The second half of a run, from wherever the first got to: final check, unmount, fsck, putting
 * back, reports. Serves a run whose workers have stopped and `stressd verify` alike; starts
 * nothing and forks nobody.
 */
#include "session/session.h"

#include "base/cleanup.h"
#include "base/state.h"
#include "base/step.h"
#include "session/account.h"
#include "session/faults.h"
#include "session/replay.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define EXIT_TROUBLE 3

static void on_progress(void *ctx)
{
	struct session *s = ctx;
	/* The times of a dead run may be of another clock. */
	u64 begun_ns = s->died_ns ? s->started_ns : s->run->start_ns;
	struct live_state st = { .elapsed_s = (double)(now_ns() - begun_ns) / 1e9,
				 .left_s = -1,
				 .findings = s->result.nfindings,
				 .phase = "verify" };

	judge_sightings(s);
	judge_klog(s);
	live_update(s->live, &st);
}

/* A filesystem that a fault ended must come back when it is mounted again. */
static void check_failed(struct session *s, const struct err *e)
{
	if (ledger_down_now(s) && s->target.type->remount_cycle && !s->target.mounted)
		judge_add(s, account_plain(FINDING_FSCK, "verify", now_ns() - s->run->start_ns,
					   "%s went down under a fault and cannot be mounted "
					   "again: %.300s",
					   s->target.fs, e->text));
	else
		judge_trouble(s, "final check: %s", e->text);
}

/* The final check. It comes after a short sync, so that what writeback still has to say is said. */
void finish_check(struct session *s)
{
	struct check c = { .actor = &s->actor,
			   .target = &s->target,
			   .layers = s->sc->verify.layers,
			   .progress = on_progress,
			   .ctx = s };
	struct err e = { "" };

	s->phase = "verify";
	if (!ledger_down_now(s) && actor_open(&s->actor, false, &e) < 0) {
		judge_trouble(s, "final check: %s", e.text);
		return;
	}
	ledger_settle(s);
	if (ledger_down_now(s))
		check_after_down(&c);
	if (check_all(&c, &e) < 0)
		check_failed(s, &e);
	for (size_t i = 0; i < s->result.nfindings; i++)
		check_layers_of(&c, s->result.findings[i]);
	for (int i = 0; i < LAYERS; i++)
		if (c.notes[i][0])
			judge_note(s, "layer %s was not checked: %s", sc_layer_names[i],
				   c.notes[i]);
	s->result.cells_checked += c.cells;
	s->result.cells_open += c.open;
	judge_sightings(s);
	actor_close(&s->actor);
	step("checked");
}

void finish_fs(struct session *s)
{
	_cleanup_free_ char *text = NULL;
	struct finding *f;
	struct err e = { "" };
	int r;

	faults_unpin(s);
	if (!s->target.mounted || !s->sc->verify.fsck)
		return;
	if (s->target.type->unmount(&s->target, &e) < 0) {
		judge_trouble(s, "%s", e.text);
		return;
	}
	step("unmounted");
	r = target_fsck(&s->target, &text, &e);
	if (r < 0)
		judge_trouble(s, "fsck: %s", e.text);
	if (r != 1)
		return;
	f = account_plain(FINDING_FSCK, "fsck", now_ns() - s->run->start_ns,
			  "the checker of %s complains about the filesystem after a clean unmount",
			  s->target.fs);
	for (char *line = strtok(text, "\n"); f && line && f->nlog < FINDING_LINES;
	     line = strtok(NULL, "\n"))
		f->log[f->nlog++] = strdup(line);
	judge_add(s, f);
}

/* A taint that no line of the log accounts for: a report that no rule knows. Bits of what warns or
 * dies; modules and firmware taint by themselves. (Documentation/admin-guide/tainted-kernels.rst)
 */
static void check_taint(struct session *s)
{
	const u64 telling = 1ULL << 5 | 1ULL << 7 | 1ULL << 9 | 1ULL << 14;
	u64 new = s->result.taint_after & ~s->result.taint_before &telling;
	char text[128];

	for (size_t i = 0; new &&i < klog_count(s->klog); i++)
		if (klog_event(s->klog, i)->severity >= SEV_WARNING)
			new = 0;
	if (!new)
		return;
	klog_taint_text(new, text, sizeof(text));
	judge_add(s,
		  account_plain(FINDING_KERNEL_WARNING, "kernel-log",
				s->run ? now_ns() - s->run->start_ns : 0,
				"the kernel is tainted since this run (%s), and no line that was "
				"seen in its log says why",
				text));
}

void finish_klog(struct session *s)
{
	if (!s->klog)
		return;
	judge_klog(s);
	klog_finish(s->klog);
	judge_klog(s);
	s->result.taint_after = (u64)MAX(klog_taint(), (s64)0);
	check_taint(s);
}

void finish_put_back(struct session *s)
{
	struct err e = { "" };

	if (s->target_up &&
	    s->target.type->teardown(&s->target,
				     s->o->keep || s->keep_target || s->result.nfindings, &e) < 0)
		judge_trouble(s, "%s", e.text);
	step("target gone");
	if (s->undo && undo_all(s->undo, &e) > 0)
		judge_trouble(s, "not everything was put back: %s; run `stressd recover`", e.text);
	step("journal empty");
	if (s->janitor_up)
		janitor_stop(&s->janitor);
	if (s->undo)
		undo_close(s->undo);
	step("janitor gone");
}

void session_describe(struct session *s)
{
	struct run_result *r = &s->result;
	struct utsname u;

	r->sc = s->sc;
	r->seed = s->sc->seed;
	snprintf(r->run_dir, sizeof(r->run_dir), "%s", s->run_dir);
	if (uname(&u) == 0) {
		snprintf(r->kernel, sizeof(r->kernel), "%.60s %.60s", u.release, u.version);
		snprintf(r->machine, sizeof(r->machine), "%.60s", u.machine);
	}
	r->cpus = (u32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 0L);
	r->memory_bytes = (u64)MAX(sysconf(_SC_PHYS_PAGES), 0L) * (u64)sysconf(_SC_PAGESIZE);
	r->formats = s->o->formats;
	snprintf(r->reproduce, sizeof(r->reproduce), "stressd run --seed %llu %s",
		 (unsigned long long)r->seed, s->sc->path);
}

/* "fio.3.json" of the process with id 3 of a worker "fio". */
static const struct crew *crew_of_output(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->ncrew; i++) {
		char prefix[64];
		int n = snprintf(prefix, sizeof(prefix), "%s.%u.", s->crew[i].type,
				 s->crew[i].plan.id);

		if (!strncmp(name, prefix, (size_t)n))
			return &s->crew[i];
	}
	return NULL;
}

/* What programs printed and wrote stays beside the results. */
static void list_outputs(struct session *s)
{
	_cleanup_closedir_ DIR *d = opendir(s->run_dir);
	struct run_result *r = &s->result;
	struct dirent *de;

	while (d && (de = readdir(d))) {
		const struct crew *c = crew_of_output(s, de->d_name);
		struct output_file *grown, *o;
		struct stat st;

		if (!c || strlen(de->d_name) >= sizeof(o->name) ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		grown = reallocarray(r->outputs, r->noutputs + 1, sizeof(*grown));
		if (!grown)
			return;
		r->outputs = grown;
		o = &grown[r->noutputs++];
		snprintf(o->worker, sizeof(o->worker), "%s", c->name);
		memcpy(o->name, de->d_name, strlen(de->d_name) + 1); /* fits, see above */
		o->bytes = (u64)st.st_size;
	}
}

void finish_report(struct session *s)
{
	struct err e = { "" };

	list_outputs(s);

	live_close(s->live, &s->result);
	s->live = NULL;
	if (s->run_dir[0] && report_write_all(&s->result, &e) < 0) {
		fprintf(stderr, "stressd: the reports could not be written: %s\n", e.text);
		if (s->result.exit == 0)
			s->result.exit = EXIT_TROUBLE;
	}
	if (!s->o->json)
		report_text(&s->result, stdout, want_colour(stdout));
}

void finish_remove(struct session *s)
{
	/* A run that passed needs no shadow nor histories any more; a failed one keeps its
	 * evidence. */
	static const char *const names[] = { "shadow", "control" };
	char path[600];

	if (s->result.exit != 0 || s->o->keep || s->guest)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->run_dir, names[i]);
		state_remove(path);
	}
	for (u16 id = 1; id < SHADOW_WRITERS; id++) {
		snprintf(path, sizeof(path), "%s/ops.%u.log", s->run_dir, id);
		state_remove(path);
	}
}

void session_free(struct session *s)
{
	struct run_result *r = &s->result;

	live_close(s->live, NULL); /* of a run that was refused */
	actor_free(&s->actor);
	history_close(&s->history);
	oplog_close(&s->log);
	klog_close(s->klog);
	shadow_close(&s->shadow);
	run_shared_close(s->run);
	free(s->crew);
	for (size_t i = 0; i < r->nfindings; i++)
		finding_free(r->findings[i]);
	free(r->findings);
	for (size_t i = 0; i < r->nnotes; i++)
		free(r->notes[i]);
	free(r->notes);
	for (size_t i = 0; i < r->ndropped; i++)
		free(r->dropped[i]);
	free(r->dropped);
	for (size_t i = 0; i < r->nfaults; i++)
		free(r->faults[i].told);
	free(r->faults);
	faults_free(s);
	moments_free(s);
	free(r->workers);
	free(r->outputs);
	free(r->races);
	scenario_free(s->sc);
}
