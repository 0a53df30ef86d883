// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bringing a run up and taking it down. Up: probe, run directory, journal, janitor, target, files,
 * workers. Down, from wherever it got to: final check, unmount, fsck, teardown, reports. Nothing
 * of the machine is changed before the journal is on disk and the janitor watches.
 */
#include "session/session.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"
#include "base/state.h"
#include "base/step.h"
#include "base/units.h"
#include "session/faults.h"
#include "session/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>

#define EXIT_USAGE   2
#define EXIT_TROUBLE 3
#define EXIT_SKIP    4

int state_dir(char *buf, size_t len, struct err *e)
{
	const char *set = getenv("STRESSD_STATE_DIR"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int r;

	if (set && set[0] == '/')
		r = path_set(buf, len, "%s", set);
	else if (geteuid() == 0)
		r = path_set(buf, len, "/var/lib/stressd");
	else if (xdg && xdg[0] == '/')
		r = path_set(buf, len, "%s/stressd", xdg);
	else if (home && home[0] == '/')
		r = path_set(buf, len, "%s/.local/state/stressd", home);
	else
		r = -ENOENT;
	if (r == 0)
		r = mkdir_p(buf, 0700);
	if (r < 0)
		return err_set(e, r, "no state directory (%s): set STRESSD_STATE_DIR to one",
			       strerror(-r));
	return 0;
}

static void name_run(struct session *s)
{
	struct tm tm;
	char stamp[32];

	clock_gettime(CLOCK_REALTIME, &s->result.started);
	gmtime_r(&s->result.started.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	snprintf(s->run_name, sizeof(s->run_name), "%.60s-%s-%d", s->sc->name, stamp, getpid());
	for (char *p = s->run_name; *p; p++)
		if (*p == '.')
			*p = '_';
}

static int empty_dir(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	int n = 0;

	if (!d)
		return -errno;
	while (readdir(d))
		n++;
	return n > 2 ? -EEXIST : 0;
}

static int make_run_dir(struct session *s, struct err *e)
{
	char given[PATH_MAX];
	int r;

	if (s->o->run_dir)
		r = path_set(given, sizeof(given), "%s", s->o->run_dir);
	else
		r = path_set(given, sizeof(given), "%s/runs/%s", s->state_dir, s->run_name);
	s->made_run_dir = r == 0 && access(given, F_OK) < 0;
	if (r == 0)
		r = mkdir_p(given, 0700);
	if (r == 0)
		r = empty_dir(given);
	if (r == -EEXIST)
		return err_set(e, -EINVAL, "%s: not empty; name a directory that is new or empty",
			       given);
	if (r < 0)
		return err_set(e, r, "%s: cannot be the run directory: %s", given, strerror(-r));
	char *real = realpath(given, NULL);

	if (!real || path_set(s->run_dir, sizeof(s->run_dir), "%s", real) < 0)
		r = real ? -ENAMETOOLONG : -errno;
	free(real);
	return r < 0 ? err_set(e, r, "%s: %s", given, strerror(-r)) : 0;
}

/* What the workers need; optional ones that this machine lacks are dropped, and it is said. */
static int probe_workers(struct session *s, struct err *e)
{
	struct scenario *sc = s->sc;

	for (size_t i = 0; i < sc->nworkers; i++) {
		struct sc_worker *w = &sc->workers[i];
		int r = w->type->probe ? w->type->probe(w->options, e) : 0;

		if (r == 0)
			continue;
		if (!w->optional) {
			s->culprit = w->pointer;
			return r;
		}
		if (judge_drop(s, w->type->name, e->text) < 0)
			return -ENOMEM;
		w->count = 0;
	}
	return 0;
}

static int probe(struct session *s, struct err *e)
{
	int r;

	target_init(&s->target, s->sc, s->run_dir[0] ? s->run_dir : s->state_dir, NULL,
		    session_may_destroy(s));
	r = s->target.type->probe(&s->target, e);
	if (r == 0)
		r = probe_workers(s, e);
	if (r == 0)
		r = probes_probe(s, e);
	return r < 0 ? r : faults_probe(s, e);
}

static int write_scenario(struct session *s, struct err *e)
{
	char *text = json_dumps(s->sc->resolved, JSON_INDENT(2));
	char path[600];
	int r = text ? path_set(path, sizeof(path), "%s/scenario.json", s->run_dir) : -ENOMEM;

	if (r == 0)
		r = write_file_atomic(path, text, strlen(text), 0600);
	free(text);
	return r < 0 ? err_set(e, r, "scenario.json cannot be written: %s", strerror(-r)) : 0;
}

void session_watch_klog(struct session *s, const char *copy)
{
	struct err e;
	char path[600];

	if (klog_open(s->run_name, &s->klog, &e) < 0) {
		s->klog = NULL;
		judge_note(s, "the kernel log was not watched: %s", e.text);
		return;
	}
	s->result.klog_watched = true;
	for (char **allow = s->sc->kernel_log.allow; allow && *allow; allow++)
		klog_allow(s->klog, *allow);
	snprintf(path, sizeof(path), "%s/%s", s->run_dir, copy);
	if (klog_copy_to(s->klog, path) < 0)
		judge_note(s, "%s could not be written", copy);
	s->result.taint_before = (u64)MAX(klog_taint(), (s64)0);
}

/* In the namespace of the run debugfs may be mounted where it is not: it goes with the run. */
static void rearm_warn_once(struct session *s)
{
	int r = s->klog ? klog_rearm_warn_once() : 0;

	if (r == -ENOENT && geteuid() == 0 && s->target.type->unmount &&
	    mount("debugfs", "/sys/kernel/debug", "debugfs", MS_NOSUID | MS_NODEV, NULL) == 0)
		r = klog_rearm_warn_once();
	if (r < 0)
		judge_note(s,
			   "WARN_ON_ONCE sites were not re-armed, so one that fired since boot "
			   "stays silent: clear_warn_once in debugfs: %s%s",
			   strerror(-r),
			   r == -EPERM ? " (is the kernel locked down? see kernel_lockdown(7))"
				       : "");
}

int session_arm(struct session *s, struct err *e)
{
	int r;

	step("before the journal");
	r = undo_create(s->state_dir, s->run_name, &s->undo, e);
	step("journal made");
	if (r == 0 && geteuid() == 0 && s->target.type->unmount)
		r = target_private_mounts(e);
	if (r == 0)
		r = janitor_start(s->undo, &s->janitor, e);
	if (r < 0)
		return r;
	rearm_warn_once(s);
	s->janitor_up = true;
	step_register("janitor", s->janitor.pid);
	step("janitor started");
	return 0;
}

void session_know_target(struct session *s)
{
	const char *own = s->target.base[0] ? s->target.base : s->target.device;

	snprintf(s->result.fs, sizeof(s->result.fs), "%s", s->target.fs);
	snprintf(s->result.device, sizeof(s->result.device), "%s", s->target.device);
	mount_options(s->target.root, s->result.mount_options, sizeof(s->result.mount_options));
	if (s->klog)
		klog_own_device(s->klog, *own ? own + 5 : "");
}

static int make_target(struct session *s, struct err *e)
{
	int r;

	target_init(&s->target, s->sc, s->run_dir, s->undo, session_may_destroy(s));
	s->target_up = true;
	r = s->target.type->setup(&s->target, e);
	s->lacks = r == -ENOPKG;
	if (r == 0)
		r = place_save(s, e);
	step("target made");
	session_know_target(s);
	return r;
}

static int make_shadow(struct session *s, struct err *e)
{
	char path[600];
	u64 key = 0;
	int r;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return err_set(e, -EIO, "getrandom: %s", strerror(errno));
	key |= 1; /* never 0 */
	s->result.run_key = key;
	snprintf(path, sizeof(path), "%s/shadow", s->run_dir);
	r = shadow_create(path, s->sc, key, &s->shadow, e);
	snprintf(path, sizeof(path), "%s/control", s->run_dir);
	if (r == 0)
		r = run_shared_create(path, &s->run, e);
	if (r == 0)
		s->run->stop_on_hit = s->sc->stop_on == STOP_HIT;
	for (size_t i = 0; i < s->sc->nfiles && r == 0; i++)
		s->result.cells += s->shadow.files[i].ncells;
	return r;
}

/* From here on the files are there, whatever happens: an fsync of a file does not say so.
 * (fsync(2), DESCRIPTION) */
static int sync_names(const struct session *s, struct err *e)
{
	_cleanup_close_ int fd = open(s->target.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* EINVAL: this filesystem has no such promise. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_set(e, -errno, "%s: cannot be synced: %s", s->target.root,
			       strerror(errno));
	return 0;
}

static int make_files(struct session *s, struct err *e)
{
	int r = actor_init(&s->actor, SHADOW_LAYOUT, &s->shadow, &s->log, s->run, s->target.root,
			   s->target.fs, s->sc->seed, e);

	if (r == 0)
		r = actor_open(&s->actor, true, e);
	for (u32 i = 0; i < s->shadow.nfiles && r == 0; i++)
		r = op_layout(&s->actor, &s->actor.files[i], s->sc->files[i].layout,
			      s->sc->files[i].size_bytes, e);
	if (r == 0)
		faults_sync_files(s);
	if (r == 0)
		r = sync_names(s, e);
	/* Workers pause for a remount by closing their files; so must the coordinator. */
	actor_close(&s->actor);
	step("files laid out");
	return r;
}

static int bring_up(struct session *s, struct err *e)
{
	int r = write_scenario(s, e);

	if (r == 0) {
		session_watch_klog(s, "kernel.log");
		r = session_arm(s, e);
	}
	if (r == 0)
		r = place_save(s, e);
	if (r == 0)
		r = make_target(s, e);
	if (r == 0)
		r = make_shadow(s, e);
	if (r == 0)
		r = crew_plan(s, e);
	if (r == 0)
		r = probes_open(s, e);
	if (r == 0)
		r = make_files(s, e);
	if (r == 0)
		r = faults_prepare(s, e);
	if (r == 0)
		r = moments_begin(s, e);
	if (r == 0) {
		history_open(&s->history, s->run_dir);
		r = crew_fork(s, e);
	}
	return r < 0 ? r : probes_plant(s, e);
}

static void run_it(struct session *s)
{
	struct err e = { "" };
	u64 begun = now_ns();

	s->phase = "setup";
	if (bring_up(s, &e) < 0) {
		judge_trouble(s, "%s", e.text);
		crew_kill(s, SIGKILL);
	} else {
		s->result.setup_s = (double)(now_ns() - begun) / 1e9;
		if (coordinate(s, &e) < 0) {
			judge_trouble(s, "%s", e.text);
			crew_kill(s, SIGKILL);
		}
		moments_end(s);
		probes_take_out(s);
		judge_sightings(s);
		judge_klog(s);
		s->result.duration_s = (double)(s->stop_ns - s->run->start_ns) / 1e9;
		begun = now_ns();
		faults_stop(s);
		faults_cut_over(s);
		if (s->sc->verify.final)
			finish_check(s);
		finish_fs(s);
		replay_log(s);
		s->result.verify_s = (double)(now_ns() - begun) / 1e9;
	}
	faults_stop(s);
	faults_unpin(s);
	finish_klog(s);
	finish_put_back(s);
}

/* A scenario that cannot run here: skipped (4), or refused (2). */
static int turn_away(struct session *s, int r, const struct err *e)
{
	bool refused = r == -EINVAL || r == -EPERM;

	if (refused) {
		session_refuse(s, s->culprit, e->text);
		if (s->made_run_dir)
			rmdir(s->run_dir);
		return EXIT_USAGE;
	}
	s->result.verdict = VERDICT_SKIP;
	s->result.exit = EXIT_SKIP;
	snprintf(s->result.reason, sizeof(s->result.reason), "%s", e->text);
	finish_report(s);
	return EXIT_SKIP;
}

/* What the command line says of this run, over what the scenario says of all. */
static int override(struct session *s, struct err *e)
{
	if (s->o->destroy && strcmp(s->sc->target.type->name, "device") != 0)
		return err_set(
			e, -EINVAL,
			"--destroy %s: %s has target \"%s\", which destroys no device; leave "
			"--destroy out, or give it a target \"device\"",
			s->o->destroy, s->sc->path, s->sc->target.type->name);
	if (s->o->duration && (parse_time(s->o->duration, &s->sc->duration_ns) < 0 ||
			       s->sc->duration_ns < NSEC_PER_MSEC))
		return err_set(e, -EINVAL,
			       "--duration %s: not a time of 1ms or more; expected one like 30s",
			       s->o->duration);
	if (s->o->seed && parse_count(s->o->seed, &s->sc->seed) < 0)
		return err_set(e, -EINVAL, "--seed %s: not a number; expected one like 7",
			       s->o->seed);
	if (s->o->seed)
		json_object_set_new(s->sc->resolved, "seed", json_integer((json_int_t)s->sc->seed));
	if (s->o->duration)
		json_object_set_new(s->sc->resolved, "duration", json_string(s->o->duration));
	return 0;
}

void session_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* What dead runs left changed is put back by whoever comes next. */
static void recover_dead(struct session *s)
{
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	int failed = null ? undo_recover(s->state_dir, null) : 0;

	if (failed)
		judge_note(s, "an earlier run left %d things changed: run `stressd recover`",
			   failed);
}

static int session_prepare(struct session *s, struct err *e)
{
	int r = scenario_load(s->o->scenario, &s->sc, e);

	if (r == 0)
		r = override(s, e);
	if (r == 0)
		r = state_dir(s->state_dir, sizeof(s->state_dir), e);
	if (r < 0)
		return r;
	recover_dead(s);
	name_run(s);
	return make_run_dir(s, e);
}

/* In a guest PID 1 says where the memory is that outlives its kernel. */
static int choose_state(struct err *e)
{
	const char *arena = getenv("STRESSD_ARENA");
	int r = arena ? state_use_arena(arena) : 0;

	if (r < 0)
		return err_set(e, r, "STRESSD_ARENA=%s: cannot be used: %s", arena, strerror(-r));
	unsetenv("STRESSD_ARENA"); /* a worker may run a stressd of its own */
	return 0;
}

int session_run(const struct run_options *o)
{
	struct session *s = calloc(1, sizeof(*s));
	struct err e = { "" };
	int r, status;

	if (!s)
		return EXIT_TROUBLE;
	s->o = o;
	s->started_ns = now_ns();
	session_block_signals();
	r = choose_state(&e);
	if (r == 0)
		r = session_prepare(s, &e);
	if (r < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		status = EXIT_USAGE;
	} else {
		session_describe(s);
		s->live = live_open(o->json ? stdout : stderr, o->json, o->quiet);
		r = probe(s, &e);
		if (r < 0) {
			status = turn_away(s, r, &e);
		} else {
			run_it(s);
			judge_result(s);
			finish_report(s);
			finish_remove(s);
			status = s->result.exit;
		}
	}
	session_free(s);
	free(s);
	return status;
}
