// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The balance of the fault ledger: errors told against errors injected, where one fault is alone
 * and where several may have caused the same error.
 */
#include "shadow_fixture.h"

#include "klog/klog.h"
#include "ops/told.h"
#include "session/faults.h"
#include "session/session.h"

#include <errno.h>
#include <string.h>

/* Two faults: one that counts what it injects, and one that does not. */
enum { COUNTED, UNCOUNTED, FAULTS };

struct balanced {
	struct session s;
	struct scenario sc;
	struct fault_run faults[FAULTS];
	struct actor a;
	char dir[64], path[96];
};

static u64 count;

static u64 injected(const struct fault *f)
{
	(void)f;
	return count;
}

static const struct fault_type types[FAULTS] = {
	[COUNTED] = { .name = "counted", .injected = injected },
	[UNCOUNTED] = { .name = "uncounted" },
};

static void make(struct balanced *t, u64 times)
{
	struct err e;

	memset(t, 0, sizeof(*t));
	count = times;
	snprintf(t->dir, sizeof(t->dir), "/tmp/stressd-test-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof(t->path), "%s/control", t->dir);
	assert_int_equal(run_shared_create(t->path, &t->s.run, &e), 0);
	t->s.sc = &t->sc;
	t->s.faults = t->faults;
	t->s.nfaults = FAULTS;
	t->a.run = t->s.run;
	t->s.run->nfaults = FAULTS;
	for (int i = 0; i < FAULTS; i++) {
		t->faults[i].fault.type = &types[i];
		t->faults[i].shared = &t->s.run->faults[i];
	}
}

/* @fault has been armed; it names @error, and its window ends at @until_ns. */
static void arm(struct balanced *t, int fault, u32 error, u64 until_ns)
{
	struct run_fault *f = t->faults[fault].shared;

	t->faults[fault].armings = 1;
	f->errnos[0] = error;
	atomic_store(&f->first_ns, 1);
	atomic_store(&f->until_ns, until_ns);
}

static bool tell(struct balanced *t, enum op_kind op, int error)
{
	const struct op_record rec = { .op = (u8)op, .start_ns = now_ns() };

	return told_explains(&t->a, NULL, &rec, error);
}

/* Findings of the balance; is a fault left that did nothing? */
static size_t balance(struct balanced *t, bool *ret_idle)
{
	char why[300];
	size_t n;

	ledger_result(&t->s);
	*ret_idle = ledger_idle(&t->s, why, sizeof(why));
	n = t->s.result.nfindings;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(t->s.result.findings[i]->kind, FINDING_UNEXPECTED_ERRNO);
		finding_free(t->s.result.findings[i]);
	}
	free(t->s.result.findings);
	for (size_t i = 0; i < t->s.result.nfaults; i++)
		free(t->s.result.faults[i].told);
	free(t->s.result.faults);
	run_shared_close(t->s.run);
	unlink(t->path);
	rmdir(t->dir);
	return n;
}

/* COUNTED names EIO, as is told; beside it is another fault, or none. */
static void told_against_injected(void **state)
{
	static const struct {
		const char *why;
		u64 injected;
		u32 other; /* the errno that the other one names; 0: there is none */
		bool other_armed;
		enum op_kind op;
		size_t findings;
	} rows[] = {
		{ "nothing was injected", 0, 0, false, OP_FSYNC, 1 },
		{ "one was injected", 1, 0, false, OP_FSYNC, 0 },
		{ "another names the error", 0, EIO, true, OP_FSYNC, 0 },
		{ "another names something else", 0, ENOSPC, true, OP_FSYNC, 1 },
		{ "another was never armed", 0, EIO, false, OP_FSYNC, 1 },
		/* what a store without space ends with, too */
		{ "a signal is anybody's", 0, ENOSPC, true, OP_STORE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct balanced t;
		bool idle;
		size_t n;

		make(&t, rows[i].injected);
		if (!rows[i].other)
			t.s.nfaults = t.s.run->nfaults = 1;
		arm(&t, COUNTED, EIO, UINT64_MAX);
		if (rows[i].other)
			arm(&t, UNCOUNTED, rows[i].other, UINT64_MAX);
		t.faults[UNCOUNTED].armings = rows[i].other_armed;
		assert_true(tell(&t, rows[i].op, EIO));
		n = balance(&t, &idle);
		if (n != rows[i].findings)
			fail_msg("%s: %zu findings", rows[i].why, n);
		if (rows[i].injected)
			assert_false(idle);
	}
}

/* The first that names an error is not the one that caused it, if the kernel says that it caused
 * none: no finding, and no exercise of it either. */
static void another_that_names_the_error(void **state)
{
	struct balanced t;
	bool idle;

	(void)state;
	make(&t, 0);
	arm(&t, COUNTED, EIO, UINT64_MAX);
	arm(&t, UNCOUNTED, EIO, UINT64_MAX);
	assert_true(tell(&t, OP_FSYNC, EIO));
	assert_int_equal(told_count(t.faults[COUNTED].shared), 1);
	assert_int_equal(balance(&t, &idle), 0);
	assert_true(idle);
}

static void laid_to_who_is_armed(void **state)
{
	struct balanced t;
	bool idle;

	(void)state;
	make(&t, 1);
	arm(&t, COUNTED, EIO, 1); /* its window is over */
	arm(&t, UNCOUNTED, EIO, UINT64_MAX);
	assert_true(tell(&t, OP_FSYNC, EIO));
	assert_int_equal(told_count(t.faults[COUNTED].shared), 0);
	assert_int_equal(told_count(t.faults[UNCOUNTED].shared), 1);
	atomic_store(&t.faults[UNCOUNTED].shared->until_ns, 1);
	assert_false(tell(&t, OP_PREAD, EIO)); /* waits for nothing */
	assert_true(tell(&t, OP_FSYNC, EIO));  /* of either */
	assert_int_equal(told_count(t.faults[COUNTED].shared), 1);
	assert_int_equal(balance(&t, &idle), 0);
	assert_false(idle);
}

static bool allowed(struct klog *k, const char *line, u64 time_ns)
{
	size_t n = klog_count(k);

	klog_feed(k, line, time_ns);
	klog_finish(k);
	assert_int_equal(klog_count(k), n + 1);
	return klog_event(k, n)->allowed;
}

/* A minute after the errors: what ext4's journal remembers is the fault's, what the device does is
 * not. */
static void what_is_said_later(void **state)
{
	const struct fault_type *t = fault_type_by_name("fail_make_request");
	struct klog *k;

	(void)state;
	assert_int_equal(klog_open_memory(&k), 0);
	klog_allow_from(k, klog_allow_rules(k, t->log_after), NSEC_PER_SEC);
	klog_allow_from(k, klog_allow_rules(k, t->log), NSEC_PER_SEC);
	klog_allow_until(k, 1, 2 * NSEC_PER_SEC);
	assert_false(
		allowed(k, "Buffer I/O error on dev loop3, logical block 5", 60 * NSEC_PER_SEC));
	assert_true(allowed(k, "JBD2: Detected IO errors while flushing file data on loop3-8",
			    60 * NSEC_PER_SEC));
	assert_true(allowed(k,
			    "EXT4-fs warning (device loop3): ext4_clear_journal_err:6350: "
			    "Filesystem error recorded from previous mount: IO failure",
			    60 * NSEC_PER_SEC));
	assert_false(allowed(k,
			     "EXT4-fs warning (device loop3): ext4_end_bio:343: I/O error 10 "
			     "writing to inode 12 starting block 3)",
			     60 * NSEC_PER_SEC));
	klog_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_against_injected),
		cmocka_unit_test(another_that_names_the_error),
		cmocka_unit_test(laid_to_who_is_armed),
		cmocka_unit_test(what_is_said_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
