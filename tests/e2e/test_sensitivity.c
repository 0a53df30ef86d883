// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sensitivity: on a filesystem that tells one kind of lie, that lie is the first finding, under
 * its own name, at its cell, with the writer whose bytes it is about; and with no lie, or with
 * lies about other files, nothing is found. Lies about the contents of files and about results of
 * calls; what the kernel log says is elsewhere.
 *
 * swallow-error: data that is dropped while fsync returns 0 is called what it is, lost-write. From
 * outside that is no different from a page cache that lost the page before writeback, after which
 * fsync returns 0 as well; "unreported-loss" is a writeback error that nobody was told of, and
 * takes someone who knows of the error: an injected fault or a line in the kernel log.
 */
#include "liar_run.h"

#include "stamp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
#define FILE_(name, layout) "{'name': '" name "', 'size': '64K', 'layout': '" layout "'}"
#define DATA "[" FILE_("data", "written") "]"
#define HOLE "[" FILE_("data", "hole") "]"
#define TWIN "[" FILE_("data", "written") "," FILE_("twin", "written") "]"
#define WRITE \
	"{'type': 'buffered_writer', 'file': 'data', 'count': 2," \
	" 'options': {'length': '512..4K', 'pause': '1ms'}},"
#define WRITE_TWIN \
	"{'type': 'buffered_writer', 'file': 'twin', 'options': {'pause': '1ms'}},"
#define STORE \
	"{'type': 'mmap_writer', 'file': 'data'," \
	" 'options': {'pause': '500us', 'msync': 10, 'dontneed': 10}},"
#define SHAPE(weights) \
	"{'type': 'truncator', 'file': 'data', 'options': {'weights': {" weights "}," \
	" 'length': '512..8K', 'interval': '2ms'}},"
#define UNSHARE \
	"{'type': 'steps', 'file': 'data', 'options': {'pause': '2ms'," \
	" 'steps': ['unshare 16K', 'unshare 16K at 32K']}},"
#define READ_CACHE \
	"{'type': 'reader', 'options': {'length': '4K..16K', 'pause': '200us', 'stat': 10}},"
#define READ_DIRECT "{'type': 'dio_reader', 'file': 'data', 'options': {'pause': '1ms'}},"
#define READ READ_CACHE READ_DIRECT
#define READ_BYTES \
	"{'type': 'reader', 'file': 'data', 'count': 2," \
	" 'options': {'unaligned': 100, 'length': '40..400', 'pause': '50us'}},"
#define SYNC "{'type': 'syncer', 'options': {'interval': '5ms'}}"
#define DROP "{'type': 'dropcache', 'options': {'interval': '1ms'}},"

enum scenario { BUFFERED, KEPT, MAPPED, TWO_FILES, PUNCHED, RESIZED, BYTES, PUNCHED_BYTES,
	ALLOCATED, UNSHARED, SCENARIOS };

static const struct {
	const char *name, *files, *workers;
} scenarios[SCENARIOS] = {
	[BUFFERED] = {"buffered", DATA, "[" WRITE READ DROP SYNC "]"},
	/* Nobody but the syncer writes back, so that nobody else is told of an error. */
	[KEPT] = {"never dropped", DATA, "[" WRITE READ_CACHE SYNC "]"},
	[MAPPED] = {"mapped", DATA, "[" STORE READ DROP SYNC "]"},
	[TWO_FILES] = {"two files", TWIN, "[" WRITE READ DROP WRITE_TWIN SYNC "]"},
	[PUNCHED] = {"punched", HOLE, "[" WRITE SHAPE("'punch': 1, 'zero': 1") READ DROP SYNC "]"},
	[RESIZED] = {"resized", HOLE,
		     "[" WRITE SHAPE("'truncate_down': 1, 'truncate_up': 2") READ_CACHE DROP SYNC "]"},
	[BYTES] = {"any bytes", DATA, "[" WRITE READ_BYTES DROP SYNC "]"},
	[PUNCHED_BYTES] = {"any bytes, punched", HOLE,
			   "[" WRITE SHAPE("'punch': 1") READ_BYTES DROP SYNC "]"},
	[ALLOCATED] = {"allocated", DATA, "[" WRITE SHAPE("'allocate': 1") READ DROP SYNC "]"},
	[UNSHARED] = {"unshared", DATA, "[" WRITE UNSHARE READ DROP SYNC "]"},
};

#define BUF "buffered_writer"
#define MAP "mmap_writer"

/* The kernel's writeback cache trusts its own size, ends no read early, and learns of a failed
 * write at the next sync; all else is found alike. */
static const struct row {
	const char *lie; /* % is the directory of the run */
	enum scenario scenario;
	/* "KIND" or "KIND or KIND" where two of them are true and the first to look decides; NULL:
	 * nothing can be seen with this kind of cache. */
	const char *through, *back;
	/* Writer of the cell, or who got the errno; NULL: anyone, as holes have no writer and the
	 * one is named that is about to fill them. */
	const char *who;
	bool at;	 /* the finding is at the cell that the lie was told of */
} rows[] = {
	{"drop-write %/data 8192 512 1000", BUFFERED, "lost-write", "lost-write", BUF, true},
	{"drop-write %/data 8192 512 1000", MAPPED, "lost-write", "lost-write", MAP, true},
	{"drop-write %/data 8192 512 1000", BYTES, "lost-write", "lost-write", BUF, true},
	{"swallow-error %/data 8192 512 1000", BUFFERED, "lost-write", "lost-write", BUF, true},
	{"old-data %/data 8192 512 1000", BUFFERED, "lost-write", "lost-write", BUF, true},
	{"old-data %/data 8192 512 1000", MAPPED, "lost-write", "lost-write", MAP, true},
	{"zeros %/data 8192 512 1000", BUFFERED, "zeroed", "zeroed", BUF, true},
	{"zeros %/data 8192 512 1000 at=write", MAPPED, "zeroed", "zeroed", MAP, true},
	{"swap-blocks %/data 8192 512 1000 with=16K at=read", BUFFERED, "misplaced", "misplaced", BUF, true},
	{"swap-blocks %/data 8192 512 1000 with=16K at=write", MAPPED, "misplaced", "misplaced", MAP, true},
	{"other-file %/data 8192 512 1000 other=%/twin", TWO_FILES, "foreign", "foreign", BUF ".2", true},
	{"flip-bit %/data 8232 1 1000 bit=3", BUFFERED, "bit-flip", "bit-flip", BUF, true},
	{"flip-bit %/data 8193 1 1000 bit=7 at=write", MAPPED, "bit-flip", "bit-flip", MAP, true},
	{"flip-bit %/data 8500 1 1000", BYTES, "bit-flip", "bit-flip", BUF, true},
	{"tear %/data 8192 512 1000", BUFFERED, "torn", "torn", BUF, true},
	{"tear %/data 8192 512 1000", MAPPED, "torn", "torn", MAP, true},
	{"phantom %/data 8192 512 1000 errno=ENOMEM", BUFFERED, "phantom", NULL, BUF, true},
	{"write-error %/data 8192 512 1000", BUFFERED, "unexpected-errno", NULL, BUF, false},
	{"write-error %/data 8192 512 1000 errno=EAGAIN", BUFFERED, "unexpected-errno", NULL, BUF, false},
	{"write-error %/data 8192 512 1000", KEPT, NULL, "unexpected-errno", "syncer", false},
	{"fsync-error %/data 0 0", KEPT, "unexpected-errno", "unexpected-errno", "syncer", false},
	{"read-error %/data 8192 512 1000", BUFFERED, "read-error", "read-error", NULL, false},
	{"short-read %/data 8192 512 1000", BUFFERED, "size-mismatch or zeroed", "zeroed", NULL, false},
	{"wrong-size %/data 0 0 1000 delta=-4096", BUFFERED, "size-mismatch", NULL, NULL, false},
	{"wrong-size %/data 0 0 1000 delta=1", BUFFERED, "size-mismatch", NULL, NULL, false},
	{"stale %/data 8192 512 1000 byte=0xa5", PUNCHED, "stale-exposure", "stale-exposure", NULL, true},
	{"stale %/data 8192 512 1000 other=before-mkfs", PUNCHED, "stale-exposure", "stale-exposure", NULL, true},
	{"stale %/data 8192 512 1000 other=another-run", PUNCHED, "stale-exposure", "stale-exposure", NULL, true},
	{"other-file %/data 8192 512 1000 other=before-mkfs", BUFFERED, "stale-exposure", "stale-exposure", BUF, true},
	{"resurrect %/data 8192 512 1000", PUNCHED, "resurrected", "resurrected", BUF, true},
	{"resurrect %/data 8192 512 1000", PUNCHED_BYTES, "resurrected", "resurrected", NULL, true},
	{"resurrect %/data 0 0 1000", RESIZED, "resurrected", "resurrected", BUF, false},
	{"lost-truncate %/data 8192 512 1000", PUNCHED, "resurrected", "resurrected", BUF, false},
	{"lost-truncate %/data 0 0 1000", RESIZED, "size-mismatch or resurrected", "resurrected or lost-write", BUF, false},
	{"zeros %/data 8192 512 1000 at=allocate", ALLOCATED, "zeroed", "zeroed", BUF, true},
	{"zeros %/data 8192 512 1000 at=allocate", UNSHARED, "zeroed", "zeroed", BUF, true},
	{"zeros %/data 8192 512 1000 at=beside", UNSHARED, "zeroed", "zeroed", BUF, true},
	{"old-data %/data 8192 512 1000 at=allocate", UNSHARED, "lost-write", "lost-write", BUF, true},
	{"old-data %/data 8192 512 1000 at=beside", UNSHARED, "lost-write", "lost-write", BUF, true},
	{"swap-blocks %/data 8192 512 1000 with=16K at=allocate", UNSHARED, "misplaced", "misplaced", BUF, false},
	{"flip-bit %/data 8232 1 1000 bit=3 at=beside", UNSHARED, "bit-flip", "bit-flip", BUF, true},
};
/* clang-format on */

/* Not on a stack: a test that fails leaves by a jump, and its run is ended after it. */
static struct liar_run run;

static int end_run(void **state)
{
	(void)state;
	liar_run_end(&run);
	return 0;
}

/* Files that no run knows: what a disk held before, and one that nobody looks at. */
static void fill_file(const char *name, void (*fill)(u8 *buf))
{
	static u8 buf[LIAR_RUN_FILE];
	char path[128];
	int fd;

	fill(buf);
	snprintf(path, sizeof(path), "%s/%s", run.liar.mount, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static void fill_prefill(u8 *buf)
{
	prefill_fill(buf, LIAR_RUN_FILE, 1 << 20);
}

static void fill_stamps(u8 *buf)
{
	struct stamp id = { .run = 4711, .gen = 3, .file = 0, .writer = 2 };

	for (; id.cell < LIAR_RUN_FILE / LIAR_RUN_CELL; id.cell++)
		stamp_fill(buf + id.cell * LIAR_RUN_CELL, LIAR_RUN_CELL, &id);
}

static void start(enum scenario scenario, bool writeback, unsigned int seed, const char *duration)
{
	e2e_program = scenario == UNSHARED ? STRESSD_FUSE_UNSHARE_BIN : STRESSD_BIN;
	liar_run_mount(&run, writeback);
	fill_file("before-mkfs", fill_prefill);
	fill_file("another-run", fill_stamps);
	liar_run_start(&run, scenarios[scenario].files, scenarios[scenario].workers, seed,
		       duration);
}

/* NULL when the run found what it must, else what is wrong. */
static const char *wrong(const struct row *row, const char *kinds, const struct liar_status *st)
{
	const json_t *f = liar_run_finding(&run);
	const char *kind = liar_run_string(f, "kind");
	json_t *offset = json_object_get(f, "offset");
	bool has_cell = json_is_integer(offset);
	u64 at = (u64)json_integer_value(offset);
	const char *who = liar_run_string(f, has_cell ? "writer" : "finder");

	if (!st->told)
		return "the lie was not told";
	if (!f)
		return "nothing was found";
	if (!strstr(kinds, kind))
		return "that is another kind";
	if (strcmp(liar_run_string(f, "file"), "data"))
		return "that is another file";
	/* A wrong size may be noticed by anybody. */
	if (row->who && strcmp(kind, "size-mismatch") && strncmp(who, row->who, strlen(row->who)))
		return "that is another writer";
	if (row->at && (!has_cell || st->last_offset < at ||
			st->last_offset + st->last_len_bytes > at + LIAR_RUN_CELL))
		return "that is another cell";
	return run.e2e.exit == 1 ? NULL : "the exit code is not 1";
}

static bool tell(const struct row *row, bool writeback, unsigned int seed)
{
	const char *kind = writeback ? row->back : row->through, *why;
	struct liar_status st;

	if (!kind)
		return true;
	start(row->scenario, writeback, seed, "15s");
	/* So that no byte that the lie is about is of the layout, which no worker wrote. */
	liar_run_wait_written(&run, "data", 8192, 2 * LIAR_RUN_CELL);
	liar_run_wait_written(&run, "data", 16384, LIAR_RUN_CELL);
	if (row->scenario == TWO_FILES)
		liar_run_wait_written(&run, "twin", 8192, LIAR_RUN_CELL);
	liar_run_lie(&run, row->lie);
	liar_run_wait(&run, E2E_LIMIT);
	assert_int_equal(liar_status(&run.liar, &st), 0);
	why = wrong(row, kind, &st);
	if (why)
		print_error("%s, %s, %s: %s\n  expected exit 1 and %s of %s; told %llu, last at "
			    "%llu; exit %d\n  %s: %s\n%s",
			    row->lie, scenarios[row->scenario].name,
			    writeback ? "writeback" : "write through", why, kind,
			    row->who ? row->who : "anyone", (unsigned long long)st.told,
			    (unsigned long long)st.last_offset, run.e2e.exit,
			    liar_run_string(liar_run_finding(&run), "kind"),
			    liar_run_string(liar_run_finding(&run), "sentence"), run.e2e.err);
	liar_run_end(&run);
	return !why;
}

static void tell_all(bool writeback)
{
	size_t failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		failed += !tell(&rows[i], writeback, (unsigned int)i + 1);
	assert_int_equal(failed, 0);
}

static void every_lie_written_through(void **state)
{
	(void)state;
	tell_all(false);
}

static void every_lie_written_back(void **state)
{
	(void)state;
	tell_all(true);
}

static void fill_ones(u8 *buf)
{
	memset(buf, 1, LIAR_RUN_FILE);
}

/* Lies that do not concern the run: of a file that is not of it, and past the end. */
static void lie_elsewhere(void)
{
	liar_run_lie(&run, "flip-bit bystander 0 1 at=write");
	liar_run_lie(&run, "zeros %/data 1M 0 1000");
	liar_run_lie(&run, "drop-write %/data 64K 0 1000");
	liar_run_lie(&run, "zeros %/other 0 0 1000");
	fill_file("bystander", fill_ones);
	assert_int_equal(liar_wait_told(&run.liar, 1, 5000), 0);
}

static void stay_silent(enum scenario scenario, bool writeback, unsigned int seed)
{
	struct liar_status st;

	start(scenario, writeback, seed, "700ms");
	if (seed & 1)
		lie_elsewhere();
	liar_run_wait(&run, E2E_LIMIT);
	assert_int_equal(liar_status(&run.liar, &st), 0);
	assert_int_equal(st.told, seed & 1);
	if (run.e2e.exit)
		print_error("%s, seed %u, %s: %s\n", scenarios[scenario].name, seed,
			    writeback ? "writeback" : "write through",
			    liar_run_string(liar_run_finding(&run), "sentence"));
	e2e_assert_exit(&run.e2e, 0);
	assert_non_null(run.result);
	assert_int_equal(e2e_findings(run.result, NULL), 0);
	liar_run_end(&run);
}

static void silence(void **state)
{
	unsigned int seeds = getenv("STRESSD_TEST_FAST") ? 1 : 2;

	(void)state;
	for (unsigned int seed = 1; seed <= seeds; seed++)
		for (enum scenario s = 0; s < SCENARIOS; s++) {
			stay_silent(s, false, seed);
			stay_silent(s, true, seed);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(silence, end_run),
		cmocka_unit_test_teardown(every_lie_written_through, end_run),
		cmocka_unit_test_teardown(every_lie_written_back, end_run),
	};

	if (!liar_run_possible())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
