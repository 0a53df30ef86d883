// SPDX-License-Identifier: GPL-2.0-or-later
/* The history: whole, in flight or absent after a kill at any instruction, and never another's. */
#include "stepped.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "oplog.h"

#define SLOTS 8

struct history {
	char dir[64], path[96];
	struct oplog log;
	u64 seen[3]; /* states that a look found: absent, in flight, whole */
};

static void history_make(struct history *h)
{
	struct err e;

	*h = (struct history){ 0 };
	snprintf(h->dir, sizeof(h->dir), "/tmp/stressd-test-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	snprintf(h->path, sizeof(h->path), "%s/ops.log", h->dir);
	assert_int_equal(oplog_create(h->path, "writer.0", SLOTS, &h->log, &e), 0);
}

static void history_free(struct history *h)
{
	oplog_close(&h->log);
	unlink(h->path);
	rmdir(h->dir);
}

/* Operation number @i: every field says so. */
static struct op_record op_number(u64 i)
{
	return (struct op_record){ .op = (u8)(OP_PWRITE + i % 3),
				   .file = (u8)i,
				   .how = (u16)(i * 3),
				   .offset = i * 4096,
				   .len = i * 7 + 1,
				   .arg = ~i,
				   .gen = (u32)i + 1 };
}

/* Record @i is what op_number() made, in whatever state; returns that state. */
static int check_record(const struct oplog *log, u64 i)
{
	struct op_record want = op_number(i), got;
	int r = oplog_read(log, i, &got);

	if (r == -EBADMSG)
		return r;
	assert_int_equal(got.op, want.op);
	assert_int_equal(got.file, want.file);
	assert_int_equal(got.how, want.how);
	assert_true(got.offset == want.offset && got.len == want.len && got.arg == want.arg);
	assert_int_equal(got.gen, want.gen);
	assert_true(got.start_ns != 0);
	if (r == 1) {
		assert_true(got.result == (s64)i * 5 && got.end_ns >= got.start_ns);
	} else {
		assert_int_equal(r, 0);
		assert_true(got.result == 0 && got.end_ns == 0);
	}
	return r;
}

static void do_op(struct oplog *log, u64 i)
{
	struct op_record op = op_number(i);

	oplog_end(oplog_begin(log, &op), (s64)i * 5);
}

static void records_come_back(void **state)
{
	struct history h;
	struct oplog again;
	struct op_record r;
	struct err e;

	(void)state;
	history_make(&h);
	assert_int_equal(oplog_read(&h.log, 0, &r), -EBADMSG);
	for (u64 i = 0; i < 3 * SLOTS + 2; i++) {
		do_op(&h.log, i);
		assert_true(oplog_count(&h.log) == i + 1);
		assert_true(oplog_oldest(&h.log) == (i < SLOTS ? 0 : i + 1 - SLOTS));
	}
	assert_int_equal(oplog_open(h.path, &again, &e), 0);
	assert_string_equal(oplog_name(&again), "writer.0");
	for (u64 i = oplog_oldest(&again); i < oplog_count(&again); i++)
		assert_int_equal(check_record(&again, i), 1);
	/* what the wrap has overwritten is gone, and is not taken for what overwrote it */
	for (u64 i = 0; i < oplog_oldest(&again); i++)
		assert_int_equal(oplog_read(&again, i, &r), -EBADMSG);
	assert_int_equal(oplog_read(&again, oplog_count(&again), &r), -EBADMSG);
	oplog_close(&again);
	/* a worker goes on where its ring ends */
	assert_int_equal(oplog_open_writable(h.path, &again, &e), 0);
	do_op(&again, 3 * SLOTS + 2);
	assert_int_equal(check_record(&h.log, 3 * SLOTS + 2), 1);
	oplog_close(&again);
	history_free(&h);
}

static void every_bit_is_sealed(void **state)
{
	struct history h;
	struct op_record r;
	u8 *bytes;

	(void)state;
	history_make(&h);
	do_op(&h.log, 0);
	bytes = (u8 *)&h.log.ring[0];
	for (size_t bit = 0; bit < sizeof(r) * 8; bit++) {
		int got;

		bytes[bit / 8] ^= (u8)(1 << bit % 8);
		got = oplog_read(&h.log, 0, &r);
		assert_true(got != 1);
		/* what is sealed at the end alone leaves an operation whose end is not known */
		if (got == 0)
			assert_true(r.end_ns == 0 && r.result == 0);
		bytes[bit / 8] ^= (u8)(1 << bit % 8);
	}
	assert_int_equal(check_record(&h.log, 0), 1);
	history_free(&h);
}

/* The ring is full: the record that is stepped through also overwrites an old one. */
static void one_op(void *arg)
{
	do_op(&((struct history *)arg)->log, SLOTS);
}

static void look_at_all(void *arg)
{
	struct history *h = arg;
	u64 count = oplog_count(&h->log);
	struct op_record r;
	int state;

	for (u64 i = 1; i < SLOTS; i++)
		assert_int_equal(check_record(&h->log, i), 1);
	state = check_record(&h->log, SLOTS);
	if (count > SLOTS) {
		assert_true(state >= 0); /* what is counted is there */
		assert_int_equal(oplog_read(&h->log, 0, &r), -EBADMSG);
	} else {
		assert_true(check_record(&h->log, 0) == 1 ||
			    oplog_read(&h->log, 0, &r) == -EBADMSG);
	}
	h->seen[state + 1 < 0 ? 0 : state + 1]++;
}

static void killed_at_every_instruction(void **state)
{
	struct history h;

	(void)state;
	history_make(&h);
	for (u64 i = 0; i < SLOTS; i++)
		do_op(&h.log, i);
	assert_true(each_step(one_op, look_at_all, &h) > 0);
	assert_true(h.seen[0] && h.seen[1] && h.seen[2]);
	history_free(&h);
}

/* Every prefix of the bytes of a record over an old one: the stores a torn page could hold. */
static void torn_at_every_byte(void **state)
{
	struct op_record old, new, r;
	struct history h;

	(void)state;
	history_make(&h);
	for (u64 i = 0; i < SLOTS; i++)
		do_op(&h.log, i);
	old = h.log.ring[0];
	do_op(&h.log, SLOTS);
	new = h.log.ring[0];
	for (size_t n = 0; n <= sizeof(r); n++) {
		memcpy(&h.log.ring[0], &old, sizeof(old));
		memcpy(&h.log.ring[0], &new, n);
		if (n < sizeof(r))
			assert_true(check_record(&h.log, SLOTS) < 1);
		check_record(&h.log, 0); /* whole, in flight or absent; fails on anything else */
	}
	assert_int_equal(check_record(&h.log, SLOTS), 1);
	history_free(&h);
}

static void killed_at_random(void **state)
{
	struct rng rng = { .state = 11 };

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct history h;
		u64 count, until;
		pid_t pid;

		history_make(&h);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			for (u64 i = 0;; i++)
				do_op(&h.log, i);
		until = rng_below(&rng, 5000);
		while (oplog_count(&h.log) < until)
			;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		count = oplog_count(&h.log);
		/* The slot of the next one may be torn: it held the oldest. */
		for (u64 i = oplog_oldest(&h.log); i < count; i++) {
			int r = check_record(&h.log, i);

			if (i + 1 < count && (count < SLOTS || i > oplog_oldest(&h.log)))
				assert_int_equal(r, 1);
		}
		history_free(&h);
	}
}

static void damage_is_refused(void **state)
{
	static const size_t fields[] = { 0, 8 }; /* magic, slots */
	struct history h;
	struct oplog log;
	struct err e;
	u8 *bytes;

	(void)state;
	history_make(&h);
	bytes = (u8 *)h.log.h;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		bytes[fields[i]] ^= 0x10;
		assert_int_equal(oplog_open(h.path, &log, &e), -EBADMSG);
		bytes[fields[i]] ^= 0x10;
		assert_int_equal(oplog_open(h.path, &log, &e), 0);
		oplog_close(&log);
	}
	for (off_t len = 4096 + SLOTS * 64 - 64; len >= 0; len -= 64) {
		assert_int_equal(truncate(h.path, len), 0);
		assert_int_equal(oplog_open(h.path, &log, &e), -EBADMSG);
	}
	assert_int_equal(oplog_create(h.path, "x", SLOTS, &log, &e), -EEXIST);
	history_free(&h);
	assert_int_equal(oplog_create(h.path, "x", 12, &log, &e), -EINVAL);
	assert_int_equal(oplog_create(h.path, "x", 0, &log, &e), -EINVAL);
	assert_int_equal(oplog_open(h.path, &log, &e), -ENOENT);
}

static void operations_in_words(void **state)
{
	static const struct {
		struct op_record r;
		const char *text;
	} rows[] = {
		{ { .op = OP_PWRITE, .offset = 8192, .len = 4096, .result = 4096, .end_ns = 1 },
		  "pwrite(4096 bytes at 8192) = 4096" },
		{ { .op = OP_PWRITE, .len = 4096, .result = -ENOSPC, .end_ns = 1 },
		  "pwrite(4096 bytes at 0) = ENOSPC" },
		{ { .op = OP_DIRECT_AIO_READ, .offset = 512, .len = 512 },
		  "direct libaio read(512 bytes at 512), in flight" },
		{ { .op = OP_TRUNCATE, .offset = 77, .end_ns = 1 }, "ftruncate(to 77) = 0" },
		{ { .op = OP_CLONE, .offset = 1024, .len = 512, .arg = 4096, .end_ns = 1 },
		  "clone range(512 bytes from 4096 to 1024) = 0" },
		{ { .op = OP_UNSHARE,
		    .offset = 4096,
		    .len = 512,
		    .result = -EOPNOTSUPP,
		    .end_ns = 1 },
		  "unshare range(512 bytes at 4096) = EOPNOTSUPP" },
		{ { .op = OP_FSYNC, .end_ns = 1, .result = -EIO }, "fsync = EIO" },
		{ { .op = OP_FSYNC, .end_ns = 1, .result = -529 }, "fsync = -529" },
		{ { .op = OP_FSYNC, .end_ns = 1, .result = INT64_MIN },
		  "fsync = -9223372036854775808" },
		{ { .op = 255, .end_ns = 1 }, "nothing = 0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[160];

		op_describe(&rows[i].r, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
		op_describe(&rows[i].r, text, 4);
		assert_int_equal(strlen(text), 3);
	}
	for (int op = 1; op < OP_KINDS; op++)
		assert_non_null(strchr("WZMRSCA", op_infos[op].effect));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_back),
		cmocka_unit_test(every_bit_is_sealed),
		cmocka_unit_test(killed_at_every_instruction),
		cmocka_unit_test(torn_at_every_byte),
		cmocka_unit_test(killed_at_random),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(operations_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
