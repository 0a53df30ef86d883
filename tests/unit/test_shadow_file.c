// SPDX-License-Identifier: GPL-2.0-or-later
/* The shadow's file: it comes back as it was left, and no damaged or torn one is taken for whole.
 */
#include "shadow_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define WRITER 2

static void layout_survives(void **state)
{
	struct shadow_fixture x;
	struct shadow again;
	struct err e;

	(void)state;
	_Static_assert(sizeof(struct shadow_cell) == 32, "the cost that DESIGN promises");
	fixture_make(&x, false);
	assert_int_equal(shadow_begin(&x.sh, x.f, 3, 2, WRITER, CELL_STAMP, 0), 2);
	shadow_settle(&x.sh, x.f, 3, 1, OUTCOME_DONE, false);
	assert_int_equal(shadow_open(x.path, false, &again, &e), 0);
	assert_true(again.run == FIX_RUN && again.nfiles == 2);
	assert_string_equal(again.files[0].name, "data");
	assert_string_equal(shadow_writer(&again, WRITER), "w.2");
	assert_string_equal(shadow_writer(&again, 0), "nobody");
	assert_string_equal(shadow_writer(&again, SHADOW_WRITERS), "nobody");
	assert_ptr_equal(shadow_cell(&again, &again.files[1], 0), &again.cells[FIX_CELLS]);

	struct cell_view v = shadow_view(shadow_cell(&again, &again.files[0], 3));

	assert_int_equal(CELL_GEN(v.settled), 1);
	assert_int_equal(CELL_WHO(v.settled), WRITER);
	assert_true(shadow_view(shadow_cell(&again, &again.files[0], 4)).flight & CELL_PENDING);
	/* without write access nothing that a reader does reaches the file */
	shadow_bury(&again, WRITER);
	assert_true(shadow_view(shadow_cell(&x.sh, x.f, 4)).flight & CELL_PENDING);
	shadow_close(&again);
	fixture_free(&x);
}

static void limits_are_refused(void **state)
{
	struct sc_file big = { .name = (char *)"big", .cell_bytes = 64 };
	struct scenario sc = { .files = &big, .nfiles = 1 };
	struct shadow sh;
	struct err e;

	(void)state;
	big.max_bytes = (SHADOW_CELLS_MAX + 1) * 64;
	assert_int_equal(shadow_create("/nonexistent/shadow", &sc, 1, &sh, &e), -EINVAL);
	assert_non_null(strstr(e.text, "larger cells"));
	big.max_bytes = SHADOW_CELLS_MAX * 64;
	assert_int_equal(shadow_create("/nonexistent/shadow", &sc, 1, &sh, &e), -ENOENT);
	sc.nfiles = SC_MAX_FILES + 1;
	assert_int_equal(shadow_create("/nonexistent/shadow", &sc, 1, &sh, &e), -EINVAL);
}

static int open_with(const char *path, off_t at, const void *bytes, size_t len)
{
	struct shadow sh;
	char saved[96];
	struct err e;
	int r, fd = open(path, O_RDWR);

	assert_true(pread(fd, saved, len, at) == (ssize_t)len);
	assert_true(pwrite(fd, bytes, len, at) == (ssize_t)len);
	r = shadow_open(path, false, &sh, &e);
	if (r == 0)
		shadow_close(&sh);
	assert_true(pwrite(fd, saved, len, at) == (ssize_t)len);
	close(fd);
	return r;
}

#define FIELD(x, file, field)                                                                      \
	((char *)&(x).sh.files[file].field - (char *)(x).sh.h), sizeof((x).sh.files[file].field)

static void damage_is_refused(void **state)
{
	static const u8 ones[96] = { [0 ... 95] = 0xff };
	static const u8 zeros[96];
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);

	const struct {
		const char *what;
		long at;
		size_t len;
		const void *bytes;
	} rows[] = {
		{ "magic", 0, 8, zeros },
		{ "run key", 8, 8, zeros },
		{ "length", 16, 8, ones },
		{ "number of files", 24, 4, ones },
		{ "no files", 24, 4, zeros },
		{ "header length", 28, 4, zeros },
		{ "a writer's name without an end", 32 + 32 * 2, 32, ones },
		{ "a name without an end", FIELD(x, 0, name), ones },
		{ "a name that leads elsewhere", FIELD(x, 1, name), "../../../etc/shadow" },
		{ "max_bytes", FIELD(x, 0, max_bytes), ones },
		{ "ncells", FIELD(x, 0, ncells), ones },
		{ "first_cell", FIELD(x, 1, first_cell), zeros },
		{ "cell_bytes", FIELD(x, 0, cell_bytes), zeros },
		{ "cell_shift", FIELD(x, 0, cell_shift), "\x29\0\0" },
		{ "index", FIELD(x, 1, index), zeros },
		{ "size bounds", FIELD(x, 1, size_lo), ones },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 bytes[96] = { 0 };

		if (rows[i].bytes == ones || rows[i].bytes == zeros)
			memcpy(bytes, rows[i].bytes, rows[i].len);
		else
			strncpy((char *)bytes, rows[i].bytes, rows[i].len);
		if (open_with(x.path, rows[i].at, bytes, rows[i].len) != -EBADMSG)
			fail_msg("not refused: %s", rows[i].what);
		/* silence without the damage */
		assert_int_equal(open_with(x.path, rows[i].at, "", 0), 0);
	}
	fixture_free(&x);
}

static void torn_files_are_refused(void **state)
{
	const char garbage[] = "not a shadow";
	struct shadow_fixture x;
	struct shadow sh;
	struct err e;

	(void)state;
	fixture_make(&x, false);
	assert_int_equal(truncate(x.path, (off_t)x.sh.len + 32), 0);
	assert_int_equal(shadow_open(x.path, false, &sh, &e), -EBADMSG);
	for (off_t len = (off_t)x.sh.len - 1; len >= 0; len -= 1 + len / 17) {
		assert_int_equal(truncate(x.path, len), 0);
		assert_int_equal(shadow_open(x.path, false, &sh, &e), -EBADMSG);
	}
	assert_int_equal(open_with(x.path, 0, garbage, 0), -EBADMSG);
	fixture_free(&x);
	assert_int_equal(shadow_open(x.path, false, &sh, &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_survives),
		cmocka_unit_test(limits_are_refused),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(torn_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
