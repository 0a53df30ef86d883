/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run without a coordinator: the workers of a scenario in processes of their own on files in a
 * directory, for a while; then what they saw and what is on disk. For tests of workers; the files
 * lie in STRESSD_TEST_DIR where that is set, so that the same tests run on any filesystem.
 */
#ifndef TESTS_WORKER_HARNESS_H
#define TESTS_WORKER_HARNESS_H

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "scenario/internal.h"
#include "target/target.h"
#include "workers/worker.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <cmocka.h>

#define HARNESS_WORKERS 32
#define HARNESS_RING	(1 << 16)
#define HARNESS_END_NS	(60 * NSEC_PER_SEC) /* a worker that has not ended by then hangs */

struct harness {
	char dir[64], root[512];
	struct scenario *sc;
	struct shadow sh;
	struct run_shared *run;
	struct oplog layout_log;
	struct actor layout;
	struct target target;
	pid_t pids[HARNESS_WORKERS];
	u64 n; /* workers; their ids are 2 .. n + 1 */
};

static inline u16 harness_id(u64 i)
{
	return (u16)(SHADOW_LAYOUT + 1 + i);
}

static inline void harness_path(const struct harness *h, char *buf, size_t size, const char *name)
{
	assert_int_equal(path_set(buf, size, "%s/%s", h->dir, name), 0);
}

/* What the coordinator does for files that several kinds of workers share. */
static inline void harness_share(struct harness *h)
{
	for (size_t i = 0; i < h->sc->nfiles; i++) {
		unsigned int flags = 0;

		for (size_t k = 0; k < h->sc->nworkers; k++)
			if (h->sc->workers[k].file == (int)i)
				flags |= h->sc->workers[k].type->flags;
		h->sh.files[i].reshaped = !!(flags & WORKER_RESHAPES);
		if (flags & WORKER_DIRECT_WRITES && flags & WORKER_DIRTIES)
			h->sh.files[i].zone_bytes = 2 * MIB;
	}
}

static inline void harness_fs(struct harness *h)
{
	static const struct {
		u64 magic;
		const char *name;
	} known[] = { { 0xef53, "ext4" },
		      { 0x58465342, "xfs" },
		      { 0x9123683e, "btrfs" },
		      { 0x01021994, "tmpfs" } };
	struct statfs s;

	assert_int_equal(statfs(h->root, &s), 0);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((u64)s.f_type == known[i].magic)
			snprintf(h->target.fs, sizeof(h->target.fs), "%s", known[i].name);
	snprintf(h->target.root, sizeof(h->target.root), "%s", h->root);
}

static inline void harness_layout(struct harness *h)
{
	struct err e;
	char path[PATH_MAX];

	harness_path(h, path, sizeof(path), "layout.log");
	assert_int_equal(oplog_create(path, "layout", HARNESS_RING, &h->layout_log, &e), 0);
	assert_int_equal(actor_init(&h->layout, SHADOW_LAYOUT, &h->sh, &h->layout_log, h->run,
				    h->root, h->target.fs, 1, &e),
			 0);
	if (actor_open(&h->layout, true, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < h->sc->nfiles; i++)
		if (op_layout(&h->layout, &h->layout.files[i], h->sc->files[i].layout,
			      h->sc->files[i].size_bytes, &e) < 0)
			fail_msg("%s", e.text);
}

/* Make directories, shadow and files for the scenario @json; nothing runs yet. */
static inline void harness_open(struct harness *h, const char *json)
{
	const char *base = getenv("STRESSD_TEST_DIR");
	static const struct fault_type *const no_faults[] = { NULL };
	const struct scenario_tables tables = { worker_types, no_faults, target_types };
	struct err e;
	char path[PATH_MAX];

	memset(h, 0, sizeof(*h));
	snprintf(h->dir, sizeof(h->dir), "/tmp/stressd-workers.XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	assert_int_equal(
		path_set(h->root, sizeof(h->root), "%s/target.XXXXXX", base ? base : h->dir), 0);
	assert_non_null(mkdtemp(h->root));
	if (scenario_parse_with(&tables, "test", json, strlen(json), &h->sc, &e) < 0)
		fail_msg("%s", e.text);
	harness_path(h, path, sizeof(path), "shadow");
	assert_int_equal(shadow_create(path, h->sc, 0x5eed0000 | (u64)getpid(), &h->sh, &e), 0);
	harness_path(h, path, sizeof(path), "run");
	assert_int_equal(run_shared_create(path, &h->run, &e), 0);
	harness_fs(h);
	harness_share(h);
	harness_layout(h);
}

static inline void harness_fork(struct harness *h, const struct sc_worker *sw, u64 instance)
{
	u16 id = harness_id(h->n);
	struct slot *slot = &h->run->slots[id];
	struct worker_plan plan = { .w = { .type = sw->type,
					   .options = sw->options,
					   .instance = instance,
					   .count = sw->count,
					   .target = &h->target },
				    .id = id,
				    .seed = h->sc->seed,
				    .check = true,
				    .file = sw->file,
				    .sh = &h->sh,
				    .run = h->run,
				    .root = h->root,
				    .fs = h->target.fs };
	struct oplog log;
	struct err e;
	char path[PATH_MAX], name[32];

	assert_in_range(h->n, 0, HARNESS_WORKERS - 1);
	snprintf(plan.w.run_dir, sizeof(plan.w.run_dir), "%s", h->dir);
	snprintf(slot->name, sizeof(slot->name), "%.24s.%u", sw->type->name, (unsigned)instance);
	shadow_set_writer(&h->sh, id, slot->name);
	snprintf(name, sizeof(name), "ops.%u.log", id);
	harness_path(h, path, sizeof(path), name);
	assert_int_equal(oplog_create(path, slot->name, HARNESS_RING, &log, &e), 0);
	oplog_close(&log);
	h->pids[h->n] = fork();
	assert_int_not_equal(h->pids[h->n], -1);
	if (h->pids[h->n] == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		_exit(worker_main(&plan));
	}
	atomic_store(&slot->pid, h->pids[h->n++]);
}

static inline bool harness_all(const struct harness *h, enum slot_state from)
{
	for (u64 i = 0; i < h->n; i++)
		if (atomic_load(&h->run->slots[harness_id(i)].state) < from)
			return false;
	return true;
}

static inline void harness_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
}

/* Start them together, wait until @until says so, stop them, wait for their ends. */
static inline void harness_run(struct harness *h, bool (*until)(struct harness *h, u64 elapsed_ns))
{
	u64 deadline;

	for (size_t i = 0; i < h->sc->nworkers; i++)
		for (u64 k = 0; k < h->sc->workers[i].count; k++)
			harness_fork(h, &h->sc->workers[i], k);
	while (!harness_all(h, SLOT_READY))
		harness_nap();
	h->run->start_ns = now_ns();
	atomic_store(&h->run->go, 1);
	futex_wake_all(&h->run->go);
	while (!until(h, now_ns() - h->run->start_ns))
		harness_nap();
	atomic_store(&h->run->stop, 1);
	deadline = now_ns() + HARNESS_END_NS;
	for (u64 i = 0; i < h->n; i++) {
		int status;

		while (waitpid(h->pids[i], &status, WNOHANG) == 0 && now_ns() < deadline)
			harness_nap();
		if (now_ns() >= deadline) {
			kill(-h->pids[i], SIGKILL);
			waitpid(h->pids[i], &status, 0);
			print_error("%s hangs\n", h->run->slots[harness_id(i)].name);
		} else if (WIFSIGNALED(status)) {
			print_error("%s died of signal %d\n", h->run->slots[harness_id(i)].name,
				    WTERMSIG(status));
		}
	}
}

static inline void harness_show(const struct harness *h, const struct sighting *s)
{
	const char *file = s->file < h->sc->nfiles ? h->sc->files[s->file].name : "";

	print_error("%s by %s: %s %s(%llu at %llu)=%lld cell %llu [%llu,%llu) %s | size %llu..%llu "
		    "settled %llx flight %llx origin %llx | cache %d %s | direct %d %s | %s\n",
		    finding_infos[s->kind].name, shadow_writer(&h->sh, s->finder), file,
		    op_infos[s->op].name, (unsigned long long)s->len, (unsigned long long)s->offset,
		    (long long)s->result, (unsigned long long)s->cell, (unsigned long long)s->from,
		    (unsigned long long)s->to, s->verdict.what, (unsigned long long)s->size_lo,
		    (unsigned long long)s->size_hi, (unsigned long long)s->view.settled,
		    (unsigned long long)s->view.flight, (unsigned long long)s->view.origin,
		    s->layers[0].state, s->layers[0].text, s->layers[1].state, s->layers[1].text,
		    s->text);
	if (s->verdict.has_id)
		print_error("  found: file %u cell %llu generation %u\n", s->verdict.id.file,
			    (unsigned long long)s->verdict.id.cell, s->verdict.id.gen);
}

/* A direct read that met a delayed allocation: the coordinator explains it (session/judge.c). */
static inline bool harness_documented(const struct sighting *s)
{
	return s->kind == FINDING_READ_ERROR && s->result == -EIO &&
	       (s->op == OP_DIRECT_PREAD || s->op == OP_DIRECT_AIO_READ ||
		s->op == OP_DIRECT_URING_READ);
}

/* Number of things that cannot be, each shown. */
static inline u64 harness_sightings(const struct harness *h)
{
	u64 n = 0;

	for (size_t i = 0; i < RUN_SIGHTINGS; i++)
		if (atomic_load(&h->run->board[i].state) == 2 &&
		    !harness_documented(&h->run->board[i])) {
			harness_show(h, &h->run->board[i]);
			n++;
		}
	return n + atomic_load(&h->run->sightings_lost);
}

/* Read every byte that there is, through the cache and past it. */
static inline void harness_final(struct harness *h)
{
	for (u32 i = 0; i < h->layout.nfiles; i++) {
		struct afile *f = &h->layout.files[i];
		u64 size = size_now(f->sf);

		op_stat(&h->layout, f);
		for (u64 at = 0; at < size; at += MIB)
			op_read(&h->layout, f, at, MIN(MIB, size - at), READ_PREAD);
		for (u64 at = 0; f->dfd >= 0 && at < size; at += MIB)
			op_read(&h->layout, f, at,
				MIN(MIB, (f->sf->ncells << f->sf->cell_shift) - at), READ_DIRECT);
	}
}

static inline void harness_check_slots(const struct harness *h)
{
	u64 bad = 0;

	for (u64 i = 0; i < h->n; i++) {
		const struct slot *s = &h->run->slots[harness_id(i)];

		print_message("  %-20s %s ops %llu bytes %llu failed %llu busy %llu cells %llu "
			      "open %llu %s\n",
			      s->name, slot_state_names[s->state], (unsigned long long)s->ops,
			      (unsigned long long)s->bytes, (unsigned long long)s->failed,
			      (unsigned long long)s->busy, (unsigned long long)s->cells_checked,
			      (unsigned long long)s->cells_open, s->error);
		bad += s->state != SLOT_STOPPED || s->ops == 0;
	}
	assert_int_equal(bad, 0);
}

static inline void harness_close(struct harness *h)
{
	actor_free(&h->layout);
	oplog_close(&h->layout_log);
	shadow_close(&h->sh);
	run_shared_close(h->run);
	scenario_free(h->sc);
	assert_int_equal(rm_rf(h->root), 0);
	assert_int_equal(rm_rf(h->dir), 0);
}

#endif
