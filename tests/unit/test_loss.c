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
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

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

/* What is said of generation @gen in cell @cell by a read that began at @before; 0: zeros. */
static enum judgement judge_since(struct shadow_fixture *x, u64 cell, u32 gen,
				  struct cell_view before, int *kind)
{
	struct stamp id = { .run = FIX_RUN, .gen = gen, .file = 0, .writer = WRITER, .cell = cell };
	_Alignas(64) u8 bytes[FIX_CELL] = { 0 };
	struct verdict v = { .kind = -1 };
	enum judgement j;

	if (gen)
		stamp_fill(bytes, FIX_CELL, &id);
	j = verify_cell(&x->sh, x->f, cell, bytes, 0, FIX_CELL, before, &v);
	*kind = v.kind;
	return j;
}

static enum judgement judge(struct shadow_fixture *x, u64 cell, u32 gen, int *kind)
{
	return judge_since(x, cell, gen, shadow_view(shadow_cell(&x->sh, x->f, cell)), kind);
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

/* Writeback has the bytes before their writer comes to settle them. */
static void told_while_in_flight(void **state)
{
	struct shadow_fixture x;
	struct cell_view before;

	(void)state;
	fixture_make(&x, false);
	write_cell(&x, 3);
	sync_file(&x);
	assert_int_equal(shadow_begin(&x.sh, x.f, 3, 1, WRITER, CELL_STAMP, 0), 1);
	sync_failed(x.f);
	shadow_settle(&x.sh, x.f, 3, 1, OUTCOME_DONE, false);
	sync_file(&x); /* of the epoch in which it was settled: good, and no help */
	assert_legal(&x, 1);
	assert_legal(&x, 2);
	before = shadow_view(shadow_cell(&x.sh, x.f, 3));
	write_cell(&x, 3); /* begun after it was told */
	sync_file(&x);
	assert_lost(&x, 2);
	assert_legal(&x, 3);
	/* ... but a read that began before may have met the loss. */
	assert_int_equal(judge_since(&x, 3, 1, before, &(int){ 0 }), JUDGED_LEGAL);
	fixture_free(&x);
}

/* A write that failed does not make what was there before a newer one. */
static void a_failed_write_after_a_loss(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	write_cell(&x, 3);
	sync_file(&x);
	write_cell(&x, 3);
	sync_failed(x.f);
	sync_file(&x);
	assert_int_equal(shadow_begin(&x.sh, x.f, 3, 1, WRITER, CELL_STAMP, 0), 1);
	assert_legal(&x, 1); /* not written yet, and lost */
	shadow_settle(&x.sh, x.f, 3, 1, OUTCOME_FAILED, false);
	assert_legal(&x, 1);
	assert_legal(&x, 2);
	assert_int_equal(judge(&x, 3, 3, &(int){ 0 }), JUDGED_WRONG);
	fixture_free(&x);
}

/* Shared cells have no epochs: after a loss any generation is legal, before it none that is old. */
static void shared_cells_after_a_loss(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, true);
	write_cell(&x, 3);
	write_cell(&x, 3);
	assert_lost(&x, 1);
	sync_failed(x.f);
	assert_legal(&x, 1);
	assert_legal(&x, 0);
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
	for (size_t i = 0; i < t->s.result.nfindings; i++)
		finding_free(t->s.result.findings[i]);
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

/* What the place never held is no older state of it, whatever the device did. */
static void exposure_is_no_loss(void **state)
{
	struct judged t;

	(void)state;
	judged_make(&t);
	t.s.run->board[0].kind = FINDING_STALE_EXPOSURE;
	klog_feed(t.s.klog, "XFS (loop3): writeback error on inode 131, offset 4096, sector 8", 1);
	assert_int_equal(judged_kind(&t), FINDING_STALE_EXPOSURE);
	judged_free(&t);
}

/* Is the EIO of an fsync on a file that direct writers share a finding? */
static size_t stale_cache(const char *fs, u64 zone_bytes, const char *line)
{
	struct judged t;
	size_t n;

	judged_make(&t);
	snprintf(t.s.target.fs, sizeof(t.s.target.fs), "%s", fs);
	t.x.f->zone_bytes = zone_bytes;
	t.s.run->board[0].kind = FINDING_UNEXPECTED_ERRNO;
	t.s.run->board[0].has_cell = false;
	t.s.run->board[0].op = OP_FSYNC;
	t.s.run->board[0].result = -EIO;
	if (line)
		klog_feed(t.s.klog, line, 1);
	klog_finish(t.s.klog);
	n = judge_sightings(&t.s);
	judged_free(&t);
	return n;
}

static void a_page_that_a_direct_write_left(void **state)
{
	const char *left = "Page cache invalidation failure on direct I/O.  Possible data "
			   "corruption due to collision with buffered I/O!",
		   *device = "blk_update_request: I/O error, dev loop3, sector 8 op 0x1:(WRITE)";

	(void)state;
	assert_int_equal(stale_cache("xfs", MIB, left), 0);
	assert_int_equal(stale_cache("xfs", MIB, NULL), 1);
	assert_int_equal(stale_cache("btrfs", MIB, NULL), 0);
	assert_int_equal(stale_cache("btrfs", 0, NULL), 1); /* no direct writers */
	assert_int_equal(stale_cache("btrfs", MIB, device), 1);
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
	struct shadow sh;
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
	t->a.sh = &t->sh;
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

/* The window of the fault is over, and still nothing that is dirty gets to the disk. */
static void a_filesystem_that_is_down_keeps_nothing(void **state)
{
	static struct teller t;
	struct run_fault *f = teller_make(&t);
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	t.a.sh = &x.sh;
	write_cell(&x, 3);
	write_cell(&x, 3);
	sync_file(&x);
	risk_begin(&x.sh);
	atomic_store(&f->first_ns, now_ns());
	risk_end(&x.sh);
	write_cell(&x, 3);
	assert_lost(&x, 2);
	assert_true(explains(&t, OP_PWRITE, now_ns(), EROFS));
	assert_legal(&x, 2);
	assert_legal(&x, 3);
	assert_lost(&x, 1); /* the second was synced */
	fixture_free(&x);
}

/* A file in a plain directory, with an actor that has it open. */
struct asker {
	struct shadow_fixture x;
	struct oplog log;
	struct run_shared *run;
	struct actor a;
	struct afile *f;
	char log_path[96], run_path[96];
};

static void asker_make(struct asker *t)
{
	struct err e;

	memset(t, 0, sizeof(*t));
	fixture_make(&t->x, false);
	snprintf(t->log_path, sizeof(t->log_path), "%s/ops", t->x.dir);
	snprintf(t->run_path, sizeof(t->run_path), "%s/run", t->x.dir);
	assert_int_equal(oplog_create(t->log_path, "w.2", 64, &t->log, &e), 0);
	assert_int_equal(run_shared_create(t->run_path, &t->run, &e), 0);
	assert_int_equal(
		actor_init(&t->a, WRITER, &t->x.sh, &t->log, t->run, t->x.dir, "any", 1, &e), 0);
	assert_int_equal(actor_open(&t->a, true, &e), 0);
	t->f = &t->a.files[0];
}

static void asker_free(struct asker *t)
{
	for (u32 i = 0; i < t->a.nfiles; i++)
		unlink(t->a.files[i].path);
	actor_free(&t->a);
	run_shared_close(t->run);
	oplog_close(&t->log);
	unlink(t->log_path);
	unlink(t->run_path);
	fixture_free(&t->x);
}

/* How many sightings a good @op adds, where the kernel logged an error @after_ns past the moment at
 * which the descriptor had asked last. */
static int sync_adds(struct asker *t, enum op_kind op, u64 after_ns)
{
	int before = 0, now = 0;

	/* A past that is long enough, whenever the machine was started. */
	t->f->asked_ns = now_ns() - after_ns - 1;
	atomic_store(&t->f->sf->error_ns, t->f->asked_ns + after_ns);
	for (int i = 0; i < RUN_SIGHTINGS; i++)
		before += atomic_load(&t->run->board[i].state) != 0;
	assert_int_equal(op_sync(&t->a, t->f, op), 0);
	for (int i = 0; i < RUN_SIGHTINGS; i++)
		now += atomic_load(&t->run->board[i].state) != 0;
	return now - before;
}

static void an_open_descriptor_is_owed_the_error(void **state)
{
	struct asker t;

	(void)state;
	asker_make(&t);
	assert_int_equal(op_sync(&t.a, t.f, OP_FSYNC), 0); /* no error known */
	assert_int_equal(sync_adds(&t, OP_FSYNC, 2 * TOLD_SLACK_NS), 1);
	assert_int_equal(t.run->board[0].kind, FINDING_UNREPORTED_LOSS);
	assert_non_null(strstr(t.run->board[0].text, "never told"));
	assert_int_equal(op_sync(&t.a, t.f, OP_FSYNC), 0); /* said once */
	assert_int_equal(atomic_load(&t.run->board[1].state), 0);
	assert_int_equal(sync_adds(&t, OP_FDATASYNC, 2 * TOLD_SLACK_NS), 1);
	assert_int_equal(sync_adds(&t, OP_MSYNC, 2 * TOLD_SLACK_NS), 1);
	/* It may be what the descriptor was told of, or the filesystem's to tell. */
	assert_int_equal(sync_adds(&t, OP_FSYNC, TOLD_SLACK_NS / 2), 0);
	assert_int_equal(sync_adds(&t, OP_SYNCFS, 2 * TOLD_SLACK_NS), 0);
	atomic_store(&t.run->fs_down_ns, 1);
	assert_int_equal(sync_adds(&t, OP_FSYNC, 2 * TOLD_SLACK_NS), 0);
	asker_free(&t);
}

/* In the place of the C library's: what they return, 0: the length. */
static int write_errno, range_errno;

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	(void)fd;
	(void)offset;
	(void)flags;
	errno = write_errno;
	return write_errno ? -1 : (ssize_t)(iov[0].iov_len + iov[n - 1].iov_len);
}

int sync_file_range(int fd, off64_t offset, off64_t len, unsigned int flags)
{
	(void)fd;
	(void)offset;
	(void)len;
	(void)flags;
	errno = range_errno;
	return range_errno ? -1 : 0;
}

static bool loses(struct asker *t, int write_err, int range_err, int rwf)
{
	struct write_op w = { .op = OP_PWRITEV2, .first = 3, .n = 1, .rwf = rwf };

	write_errno = write_err;
	range_errno = range_err;
	atomic_store(&t->f->sf->lost, 0);
	if (range_err)
		op_sync_range(&t->a, t->f, 0, FIX_CELL, 0);
	else
		op_write(&t->a, t->f, &w);
	return atomic_load(&t->f->sf->lost);
}

/* The errors that the mapping kept are not EIO and ENOSPC alone, and nobody is told again. */
static void any_error_of_writeback_is_told(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, ENOMEM, EUCLEAN, EROFS };
	static const int calls[] = { EINTR, EINVAL, EAGAIN, EFAULT, EOPNOTSUPP };
	struct asker t;

	(void)state;
	asker_make(&t);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		assert_true(loses(&t, errors[i], 0, RWF_DSYNC));
		assert_true(loses(&t, 0, errors[i], 0));
		assert_false(loses(&t, errors[i], 0, 0)); /* it waits for nothing */
	}
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_false(told_loss(calls[i]));
		assert_false(loses(&t, 0, calls[i], 0));
	}
	assert_false(loses(&t, 0, 0, RWF_DSYNC));
	asker_free(&t);
}

/* A line of the log, around the inode of the file or of its neighbour; is it taken for the file's?
 */
static const struct log_line {
	const char *before, *after;
	int neighbour;
	bool taken;
} log_lines[] = {
	{ "loop3: writeback error on inode ", ", offset 0, sector 8", 0, true },
	{ "EXT4-fs warning (device loop3): ext4_end_bio:343: I/O error 10 writing to inode ",
	  " starting block 3)", 0, true },
	{ "loop3: writeback error on inode ", ", offset 0, sector 8", 1, false },
	{ "loop33: writeback error on inode ", ", offset 0, sector 8", 0, false },
	{ "EXT4-fs (loop3): inode ", " is of no interest", 0, false },
};

static void errors_that_the_log_names(void **state)
{
	int pins[] = { -1, -1 };
	struct judged t;
	struct stat st;

	(void)state;
	judged_make(&t);
	pins[0] = open(t.x.path, O_PATH | O_CLOEXEC);
	assert_int_equal(fstat(pins[0], &st), 0);
	t.s.fault_pins = pins;
	snprintf(t.s.target.device, sizeof(t.s.target.device), "/dev/loop3");
	for (size_t i = 0; i < ARRAY_SIZE(log_lines); i++) {
		const struct log_line *l = &log_lines[i];
		char line[200];

		snprintf(line, sizeof(line), "%s%llu%s", l->before,
			 (unsigned long long)st.st_ino + (unsigned long long)l->neighbour,
			 l->after);
		atomic_store(&t.x.f->error_ns, 0);
		t.s.owed_read_ns = now_ns();
		klog_feed(t.s.klog, line, now_ns());
		owed_read(&t.s);
		assert_int_equal(atomic_load(&t.x.f->error_ns) != 0, l->taken);
		assert_int_equal(atomic_load(&t.x.other->error_ns), 0);
		klog_close(t.s.klog);
		assert_int_equal(klog_open_memory(&t.s.klog), 0);
	}
	t.s.fault_pins = NULL;
	close(pins[0]);
	judged_kind(&t);
	judged_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untold_is_open_until_a_sync),
		cmocka_unit_test(told_is_legal),
		cmocka_unit_test(lost_twice),
		cmocka_unit_test(told_while_in_flight),
		cmocka_unit_test(a_failed_write_after_a_loss),
		cmocka_unit_test(shared_cells_after_a_loss),
		cmocka_unit_test(sizes_after_a_loss),
		cmocka_unit_test(without_an_error_it_is_lost),
		cmocka_unit_test(an_error_in_the_log),
		cmocka_unit_test(exposure_is_no_loss),
		cmocka_unit_test(a_page_that_a_direct_write_left),
		cmocka_unit_test(somebody_elses_error),
		cmocka_unit_test(after_the_filesystem_went_down),
		cmocka_unit_test(errors_are_explained_in_their_window),
		cmocka_unit_test(a_filesystem_that_is_down_explains_all),
		cmocka_unit_test(a_filesystem_that_is_down_keeps_nothing),
		cmocka_unit_test(an_open_descriptor_is_owed_the_error),
		cmocka_unit_test(any_error_of_writeback_is_told),
		cmocka_unit_test(errors_that_the_log_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
