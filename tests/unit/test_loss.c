// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loss: what the oracle allows while writeback fails, before and after somebody was told, and what
 * it calls data that is gone though nobody was. Bytes are made as a disk would hold them.
 */
#include "shadow_fixture.h"

#include "klog/klog.h"
#include "ops/told.h"
#include "session/faults.h"
#include "session/session.h"
#include "verify.h"

#include <errno.h>
#include <string.h>

#define WRITER 2

static void write_cell(struct shadow_fixture *x, u64 cell)
{
	assert_int_equal(shadow_begin(&x->sh, x->f, cell, 1, WRITER, CELL_STAMP, 0), 1);
	shadow_settle(&x->sh, x->f, cell, 1, OUTCOME_DONE, false);
}

static void sync_file(struct shadow_fixture *x)
{
	sync_commit(x->f, sync_begin(x->f));
}

/* What is said of generation @gen in cell @cell; 0: zeros. */
static enum judgement judge(struct shadow_fixture *x, u64 cell, u32 gen, int *kind)
{
	struct stamp id = { .run = FIX_RUN, .gen = gen, .file = 0, .writer = WRITER, .cell = cell };
	_Alignas(64) u8 bytes[FIX_CELL] = { 0 };
	struct verdict v = { .kind = -1 };
	enum judgement j;

	if (gen)
		stamp_fill(bytes, FIX_CELL, &id);
	j = verify_cell(&x->sh, x->f, cell, bytes, 0, FIX_CELL,
			shadow_view(shadow_cell(&x->sh, x->f, cell)), &v);
	*kind = v.kind;
	return j;
}

static void assert_legal(struct shadow_fixture *x, u32 gen)
{
	int kind;

	assert_int_equal(judge(x, 3, gen, &kind), JUDGED_LEGAL);
}

static void assert_lost(struct shadow_fixture *x, u32 gen)
{
	int kind;

	assert_int_equal(judge(x, 3, gen, &kind), JUDGED_WRONG);
	assert_int_equal(kind, FINDING_LOST_WRITE);
}

static void untold_is_open_until_a_sync(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	write_cell(&x, 3);
	sync_file(&x);
	write_cell(&x, 3);
	assert_lost(&x, 1); /* no fault: the page cache lost it */
	risk_begin(&x.sh);
	assert_legal(&x, 1); /* nobody has asked yet */
	assert_legal(&x, 2);
	sync_file(&x); /* somebody has, and was told that all is well */
	assert_lost(&x, 1);
	assert_legal(&x, 2);
	write_cell(&x, 3);
	assert_legal(&x, 2);
	assert_lost(&x, 1); /* was overwritten in a durable way */
	risk_end(&x.sh);
	assert_legal(&x, 2); /* written while it could fail */
	write_cell(&x, 3);
	assert_lost(&x, 2); /* written after */
	fixture_free(&x);
}

static void told_is_legal(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	write_cell(&x, 3);
	sync_file(&x);
	write_cell(&x, 3);
	risk_begin(&x.sh);
	sync_failed(x.f);
	risk_end(&x.sh);
	sync_file(&x); /* a good one after it does not bring the data back */
	assert_legal(&x, 1);
	assert_legal(&x, 2);
	assert_int_equal(judge(&x, 3, 0, &(int){ 0 }), JUDGED_WRONG); /* zeros never were */
	fixture_free(&x);
}

/* What was lost and told is not made durable by being overwritten. */
static void lost_twice(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	write_cell(&x, 3);
	sync_file(&x);
	write_cell(&x, 3);
	sync_failed(x.f);
	sync_file(&x);
	write_cell(&x, 3);
	sync_failed(x.f);
	assert_legal(&x, 1);
	assert_legal(&x, 2);
	assert_legal(&x, 3);
	fixture_free(&x);
}

static void sizes_after_a_loss(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	size_begin(x.f, 8 * FIX_CELL);
	size_end(x.f, 8 * FIX_CELL);
	x.f->base_seq = atomic_load(&x.f->size_seq);
	size_after_loss(&x.sh, x.f); /* it never changed: it is known */
	assert_int_equal(size_view(x.f).lo, 8 * FIX_CELL);
	write_cell(&x, 3);
	sync_file(&x);
	size_begin(x.f, 10 * FIX_CELL);
	size_end(x.f, 10 * FIX_CELL);
	size_after_loss(&x.sh, x.f);
	assert_int_equal(size_view(x.f).lo, 4 * FIX_CELL);
	assert_int_equal(size_view(x.f).hi, FIX_CELLS * FIX_CELL);
	assert_int_equal(size_view(x.f).seq & 1, 0);
	fixture_free(&x);
}

/* A run as judge.c knows it, with one sighting of a lost write. */
struct judged {
	struct shadow_fixture x;
	struct session s;
	struct scenario sc;
	char path[128];
};

static void judged_make(struct judged *t)
{
	struct sighting *si;
	struct err e;

	memset(t, 0, sizeof(*t));
	fixture_make(&t->x, false);
	t->s.shadow = t->x.sh;
	t->s.sc = &t->sc;
	t->sc.kernel_log.fail_at = SEV_NEVER;
	snprintf(t->path, sizeof(t->path), "%s/control", t->x.dir);
	assert_int_equal(run_shared_create(t->path, &t->s.run, &e), 0);
	assert_int_equal(klog_open_memory(&t->s.klog), 0);
	si = sighting_take(t->s.run);
	si->kind = FINDING_LOST_WRITE;
	si->has_cell = true;
	si->cell = 3;
	si->op = OP_PREAD;
	si->finder = WRITER;
	sighting_post(t->s.run, si);
}

static int judged_kind(struct judged *t)
{
	assert_int_equal(judge_sightings(&t->s), 1);
	klog_finish(t->s.klog);
	judge_klog(&t->s);
	ledger_name_loss(&t->s, t->s.result.findings[0]);
	return t->s.result.findings[0]->kind;
}

static void judged_free(struct judged *t)
{
	finding_free(t->s.result.findings[0]);
	free(t->s.result.findings);
	klog_close(t->s.klog);
	run_shared_close(t->s.run);
	unlink(t->path);
	fixture_free(&t->x);
}

static void without_an_error_it_is_lost(void **state)
{
	struct judged t;

	(void)state;
	judged_make(&t);
	klog_feed(t.s.klog, "XFS (loop3): Mounting V5 Filesystem", 1);
	assert_int_equal(judged_kind(&t), FINDING_LOST_WRITE);
	judged_free(&t);
}

static void an_error_in_the_log(void **state)
{
	struct judged t;

	(void)state;
	judged_make(&t);
	klog_feed(t.s.klog, "XFS (loop3): writeback error on inode 131, offset 4096, sector 8", 1);
	assert_int_equal(judged_kind(&t), FINDING_UNREPORTED_LOSS);
	assert_non_null(strstr(t.s.result.findings[0]->sentence, "writeback error on inode 131"));
	assert_non_null(strstr(t.s.result.findings[0]->sentence, "no descriptor was told"));
	judged_free(&t);
}

static void somebody_elses_error(void **state)
{
	struct judged t;

	(void)state;
	judged_make(&t);
	klog_own_device(t.s.klog, "loop5");
	klog_feed(t.s.klog, "XFS (loop3): writeback error on inode 131, offset 4096, sector 8", 1);
	assert_int_equal(judged_kind(&t), FINDING_LOST_WRITE);
	judged_free(&t);
}

static void after_the_filesystem_went_down(void **state)
{
	struct judged t;

	(void)state;
	judged_make(&t);
	atomic_store(&t.s.run->fs_down_ns, 1);
	assert_int_equal(judged_kind(&t), FINDING_NOT_DURABLE);
	judged_free(&t);
}

/* Errors and faults: an actor without files is enough. */
struct teller {
	struct run_shared run;
	struct actor a;
};

static bool explains(struct teller *t, enum op_kind op, u64 start_ns, int err)
{
	const struct op_record rec = { .op = (u8)op, .start_ns = start_ns };

	return told_explains(&t->a, NULL, &rec, err);
}

static struct run_fault *teller_make(struct teller *t)
{
	struct run_fault *f = &t->run.faults[0];

	memset(t, 0, sizeof(*t));
	t->a.run = &t->run;
	t->run.nfaults = 1;
	f->errnos[0] = EIO;
	f->ends_fs = true;
	return f;
}

static void errors_are_explained_in_their_window(void **state)
{
	static struct teller t;
	struct run_fault *f = teller_make(&t);
	u64 now = now_ns();

	(void)state;
	assert_false(explains(&t, OP_PREAD, now, EIO)); /* never armed */
	atomic_store(&f->first_ns, now);
	atomic_store(&f->until_ns, UINT64_MAX);
	assert_true(explains(&t, OP_PREAD, now, EIO));
	assert_true(explains(&t, OP_STORE, now, ENOSPC)); /* SIGBUS names no error */
	assert_false(explains(&t, OP_PWRITE, now, ENOSPC));
	atomic_store(&f->until_ns, now + 1);
	assert_true(explains(&t, OP_PREAD, now + 1, EIO));
	assert_false(explains(&t, OP_PREAD, now + 2, EIO));
	/* writeback's error waits for who asks */
	assert_true(explains(&t, OP_FSYNC, now + 2, EIO));
	assert_true(explains(&t, OP_DIRECT_PREAD, now + 2, EIO));
	assert_int_equal(told_count(f), 5);
	assert_int_equal(told_by_sync(f), 1);
}

static void a_filesystem_that_is_down_explains_all(void **state)
{
	static struct teller t;
	struct run_fault *f = teller_make(&t);
	u64 now = now_ns();

	(void)state;
	assert_false(explains(&t, OP_PWRITE, now, EROFS));
	assert_int_equal(t.run.fs_down_ns, 0);
	atomic_store(&f->first_ns, now);
	assert_true(explains(&t, OP_PWRITE, now + 5, EROFS));
	assert_true(t.run.fs_down_ns > 0);
	assert_int_equal(t.run.fs_down_errno, EROFS);
	assert_true(explains(&t, OP_PREAD, now + 9, EIO));
	f->ends_fs = false;
	assert_false(explains(&t, OP_PREAD, now + 9, EIO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untold_is_open_until_a_sync),
		cmocka_unit_test(told_is_legal),
		cmocka_unit_test(lost_twice),
		cmocka_unit_test(sizes_after_a_loss),
		cmocka_unit_test(without_an_error_it_is_lost),
		cmocka_unit_test(an_error_in_the_log),
		cmocka_unit_test(somebody_elses_error),
		cmocka_unit_test(after_the_filesystem_went_down),
		cmocka_unit_test(errors_are_explained_in_their_window),
		cmocka_unit_test(a_filesystem_that_is_down_explains_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
