// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A log of writes that is in another order than the device was written: which cells that concerns,
 * until when, and that nothing else is forgiven for it.
 */
#include "shadow_fixture.h"

#include "session/replay_order.h"
#include "shadow/moment.h"
#include "verify.h"

#include <string.h>
#include <sys/mman.h>

#define WRITER 2
#define SLOTS  8 /* cells that the device has room for */
#define CELL   4

struct replayed {
	int log, image;
	u64 entries;
	struct replay_order order;
};

static struct replayed begin(void)
{
	struct replayed r = { .log = memfd_create("log", MFD_CLOEXEC),
			      .image = memfd_create("image", MFD_CLOEXEC) };

	assert_true(r.log >= 0 && r.image >= 0);
	assert_int_equal(ftruncate(r.image, SLOTS * FIX_CELL), 0);
	return r;
}

static void end(struct replayed *r)
{
	order_free(&r->order);
	close(r->log);
	close(r->image);
}

static void put(struct replayed *r, u64 slot, const u8 *bytes, size_t len, u64 flags)
{
	struct writelog log = { .fd = r->log };
	struct writelog_entry entry = { .number = r->entries,
					.flags = flags,
					.offset = slot * FIX_CELL,
					.len = len,
					.data = r->entries++ * SLOTS * FIX_CELL };

	assert_int_equal(pwrite(r->log, bytes, len, (off_t)entry.data), len);
	assert_int_equal(order_look(&r->order, FIX_RUN, &log, &entry, r->image), 0);
	if (writelog_has_data(&entry))
		assert_int_equal(pwrite(r->image, bytes, len, (off_t)entry.offset), len);
}

static void stamp(u8 *dst, u64 run, u16 file, u64 cell, u32 gen)
{
	stamp_fill(dst, FIX_CELL,
		   &(struct stamp){
			   .run = run, .file = file, .cell = cell, .gen = gen, .writer = WRITER });
}

/* Writes, one an entry: slot, file, cell, generation, run (x: another); z zeros, d a discard. */
static void orders(void **state)
{
	static const struct {
		const char *why, *writes;
		size_t now, seen;
	} rows[] = {
		{ "in order", "0041 0042 0043", 0, 0 },
		{ "the same again", "0042 0042", 0, 0 },
		{ "older behind newer", "0042 0041", 1, 1 },
		{ "twice", "0043 0042 0041", 2, 2 },
		{ "until it is written again", "0042 0041 0043", 0, 1 },
		{ "wherever that is", "0042 0041 3043", 0, 1 },
		{ "the newer one again", "0042 0041 0042", 0, 1 },
		{ "another cell is written", "0042 0041 1053", 1, 1 },
		{ "older of another place", "0042 1041", 0, 0 },
		{ "older of another cell", "0042 0051", 0, 0 },
		{ "older of another file", "0042 0141", 0, 0 },
		{ "another run's", "0042x 0041", 0, 0 },
		{ "another run's now", "0042 0041x", 0, 0 },
		{ "zeros between", "0042 0z 0041", 0, 0 },
		{ "a discard is no write", "0042 0d 0041", 1, 1 },
		{ "two cells", "0042 1052 0041 1051", 2, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct replayed r = begin();

		for (const char *w = rows[i].writes; *w; w += strspn(w, " ")) {
			size_t len = strcspn(w, " ");
			u8 bytes[FIX_CELL] = { 0 };

			if (w[1] != 'z' && w[1] != 'd')
				stamp(bytes, FIX_RUN + (len > 4), (u16)(w[1] - '0'),
				      (u64)(w[2] - '0'), (u32)(w[3] - '0'));
			put(&r, (u64)(w[0] - '0'), bytes, sizeof(bytes),
			    w[1] == 'd' ? WRITELOG_DISCARD : 0);
			w += len;
		}
		if (r.order.n != rows[i].now || r.order.seen != rows[i].seen)
			fail_msg("%s (%s): %zu of %zu", rows[i].why, rows[i].writes, r.order.n,
				 r.order.seen);
		end(&r);
	}
}

/* Several cells in one write, and a header that a write cut off. */
static void large_writes(void **state)
{
	struct replayed r = begin();
	u8 bytes[SLOTS * FIX_CELL];

	(void)state;
	for (u64 i = 0; i < SLOTS; i++)
		stamp(bytes + i * FIX_CELL, FIX_RUN, 0, i, 7);
	put(&r, 0, bytes, sizeof(bytes), 0);
	for (u64 i = 2; i < SLOTS; i++)
		stamp(bytes + i * FIX_CELL, FIX_RUN, 0, i, 6);
	put(&r, 1, bytes + FIX_CELL, sizeof(bytes) - FIX_CELL, WRITELOG_FUA);
	assert_int_equal(r.order.n, SLOTS - 2);
	for (u64 i = 0; i < SLOTS - 2; i++) {
		assert_int_equal(r.order.swapped[i].cell, i + 2);
		assert_int_equal(r.order.swapped[i].gen, 6);
	}
	end(&r);
}

static enum judgement judge(const struct shadow *then, u64 cell, u32 gen)
{
	u8 bytes[FIX_CELL];
	struct verdict v;

	stamp(bytes, FIX_RUN, 0, cell, gen);
	return verify_cell(then, &then->files[0], cell, bytes, 0, FIX_CELL,
			   shadow_view_begun(then, &then->files[0], cell), &v);
}

/* Three generations of two cells, synced: the third is claimed, unless the log swapped it. */
static void forgiven(void **state)
{
	struct swapped one = { .cell = CELL, .gen = 2, .file = 0 }, none = { .file = 99 };
	struct replay_order order = { .swapped = &one, .n = 1 };
	struct replay_order strange = { .swapped = &none, .n = 1 };
	struct shadow_fixture x;
	struct shadow_moment m;
	struct shadow then;

	(void)state;
	fixture_make(&x, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(shadow_begin(&x.sh, x.f, CELL, 2, WRITER, CELL_STAMP, 0), 2);
		shadow_settle(&x.sh, x.f, CELL, 2, OUTCOME_DONE, false);
	}
	sync_commit(x.f, sync_begin(x.f));
	assert_int_equal(moment_before(&x.sh, &m), 0);
	moment_after(&x.sh, &m);
	assert_int_equal(moment_shadow(&x.sh, &m, &m, &then), 0);
	order_forgive(&strange, &then);
	assert_int_equal(judge(&then, CELL, 3), JUDGED_LEGAL);
	assert_int_equal(judge(&then, CELL, 2), JUDGED_WRONG);
	order_forgive(&order, &then);
	assert_int_equal(judge(&then, CELL, 3), JUDGED_LEGAL);
	assert_int_equal(judge(&then, CELL, 2), JUDGED_LEGAL);
	assert_int_equal(judge(&then, CELL, 1), JUDGED_WRONG);
	assert_int_equal(judge(&then, CELL, 4), JUDGED_WRONG);
	assert_int_equal(judge(&then, CELL + 1, 2), JUDGED_WRONG);
	moment_shadow_free(&then);
	moment_free(&m);
	fixture_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(large_writes),
		cmocka_unit_test(forgiven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
