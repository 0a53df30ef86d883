// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel-log reader on made-up input: splats that are split, cut off or mixed, records that
 * were lost, floods, garbage, and limits. Each detector is shown the fault and its absence. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "klog/internal.h"

#define CUT "------------[ cut here ]------------"
#define END "---[ end trace 0000000000000000 ]---"
#define MS  NSEC_PER_MSEC

static struct klog *memory(void)
{
	struct klog *k;

	assert_int_equal(klog_open_memory(&k), 0);
	return k;
}

static void feed(struct klog *k, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		klog_feed(k, lines[i], (i + 1) * MS);
}

#define FEED(k, ...)                                                                               \
	do {                                                                                       \
		static const char *const lines_[] = { __VA_ARGS__ };                               \
		feed(k, lines_, ARRAY_SIZE(lines_));                                               \
	} while (0)

static bool has_line(const struct klog_event *e, const char *text)
{
	for (size_t i = 0; i < e->nlines; i++)
		if (strstr(e->lines[i], text))
			return true;
	return false;
}

/* The record source of a test: strings, with NULL for -EPIPE. */
static struct {
	const char *const *records;
	size_t n, at;
} script;

static ssize_t script_read(struct kmsg_source *source, char *buf, size_t len)
{
	const char *record;

	(void)source;
	if (script.at == script.n)
		return -EAGAIN;
	record = script.records[script.at++];
	if (!record)
		return -EPIPE;
	return snprintf(buf, len, "%s", record);
}

static int run_script(struct klog *k, const char *const *records, size_t n)
{
	int r;

	script.records = records;
	script.n = n;
	script.at = 0;
	k->source.read = script_read;
	r = klog_read(k);
	klog_finish(k);
	return r;
}

#define SCRIPT(k, ...)                                                                             \
	({                                                                                         \
		static const char *const records_[] = { __VA_ARGS__ };                             \
		run_script(k, records_, ARRAY_SIZE(records_));                                     \
	})

static void both_warning_formats(void **state)
{
	struct klog *k = memory();

	(void)state;
	FEED(k, CUT, "WARNING: CPU: 1 PID: 7 at fs/iomap/buffered-io.c:968 f_old+0x12/0x34",
	     "CPU: 1 PID: 7 Comm: kworker/u8:1 Not tainted 6.1.0 #1", END, CUT,
	     "WARNING: fs/iomap/buffered-io.c:1239 at f_new+0x2e1/0x310, CPU#1: kworker/u8:1/4414",
	     "f_new was asked too much", END, CUT, "WARNING: at f_bare+0x1/0x2, CPU#0: a b/5", END);
	assert_int_equal(klog_count(k), 3);
	assert_string_equal(klog_event(k, 0)->title, "WARNING in f_old");
	assert_int_equal(klog_event(k, 0)->pid, 7);
	assert_string_equal(klog_event(k, 0)->comm, "kworker/u8:1");
	assert_string_equal(klog_event(k, 1)->title, "WARNING in f_new");
	assert_int_equal(klog_event(k, 1)->pid, 4414);
	assert_string_equal(klog_event(k, 1)->comm, "kworker/u8:1");
	assert_string_equal(klog_event(k, 2)->title, "WARNING in f_bare");
	assert_string_equal(klog_event(k, 2)->comm, "a b");
	assert_true(klog_event(k, 0)->time_ns == 1 * MS);
	klog_close(k);
}

/* Where the kernel names no function, the title has none either. */
static void btrfs_abort_without_stack(void **state)
{
	struct klog *k = memory();

	(void)state;
	FEED(k, "BTRFS error (device loop0 state A): Transaction aborted (error -5)");
	klog_finish(k);
	assert_int_equal(klog_count(k), 1);
	assert_string_equal(klog_event(k, 0)->title, "BTRFS transaction aborted (error -5)");
	klog_close(k);
}

static void interleaved_by_caller(void **state)
{
	struct klog *k = memory();

	(void)state;
	FEED(k, "[    1.000001][    T7] " CUT, "[    1.000002][    T8] " CUT,
	     "[    1.000003][    T7] WARNING: CPU: 0 PID: 7 at a.c:1 seven+0x1/0x2",
	     "[    1.000004][    T8] WARNING: CPU: 1 PID: 8 at b.c:1 eight+0x1/0x2",
	     "[    1.000005][    T8] of eight", "[    1.000006][    C1] an interrupt's line",
	     "[    1.000007][    T7] of seven", "[    1.000008][    T7] " END,
	     "[    1.000009][    T8] " END);
	assert_int_equal(klog_count(k), 2);
	assert_string_equal(klog_event(k, 0)->title, "WARNING in seven");
	assert_int_equal(klog_event(k, 0)->nlines, 4);
	assert_true(has_line(klog_event(k, 0), "of seven"));
	assert_false(has_line(klog_event(k, 0), "of eight"));
	assert_int_equal(klog_event(k, 1)->nlines, 4);
	assert_true(has_line(klog_event(k, 1), "of eight"));
	klog_close(k);
}

static void stall_takes_other_cpus(void **state)
{
	struct klog *k = memory();

	(void)state;
	FEED(k, "[    1.000001][    C0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
	     "[    1.000002][    C0] Sending NMI from CPU 0 to CPUs 1:",
	     "[    1.000003][    C1] NMI backtrace for cpu 1",
	     "[    1.000004][    C1] RIP: 0010:busy_function+0x1/0x20",
	     "[    1.000005][    T9] loop0: detected capacity change from 0 to 8");
	klog_finish(k);
	assert_int_equal(klog_count(k), 1);
	assert_string_equal(klog_event(k, 0)->title, "RCU stall in busy_function");
	assert_int_equal(klog_event(k, 0)->nlines, 4);
	klog_close(k);
}

/* A line that is an event of its own does not join the splat, so it cannot excuse it. */
static void allow_does_not_leak(void **state)
{
	struct klog *k = memory();

	(void)state;
	klog_allow(k, "Buffer I/O error on dev");
	klog_allow(k, "");
	FEED(k, CUT, "WARNING: CPU: 0 PID: 7 at a.c:1 seven+0x1/0x2",
	     "Buffer I/O error on dev loop0, logical block 1, async page read", END);
	assert_int_equal(klog_count(k), 2);
	assert_string_equal(klog_event(k, 0)->rule, "buffer-io");
	assert_true(klog_event(k, 0)->allowed);
	assert_string_equal(klog_event(k, 1)->title, "WARNING in seven");
	assert_false(klog_event(k, 1)->allowed);
	klog_close(k);
}

/* One that is not allowed is kept apart from an allowed one of the same title. */
static void allow_is_per_event(void **state)
{
	struct klog *k = memory();

	(void)state;
	klog_allow(k, "dev loop0");
	FEED(k, "Buffer I/O error on dev loop0, logical block 1, async page read",
	     "Buffer I/O error on dev vda, logical block 1, async page read",
	     "Buffer I/O error on dev loop0, logical block 2, async page read", "end");
	assert_int_equal(klog_count(k), 2);
	assert_true(klog_event(k, 0)->allowed && klog_event(k, 0)->repeats == 1);
	assert_true(!klog_event(k, 1)->allowed && klog_event(k, 1)->repeats == 0);
	klog_close(k);
}

static void missing_end(void **state)
{
	struct klog *k = memory();

	(void)state;
	/* A second report starts, */
	FEED(k, CUT, "WARNING: CPU: 0 PID: 7 at a.c:1 seven+0x1/0x2", CUT,
	     "WARNING: CPU: 0 PID: 7 at a.c:1 eight+0x1/0x2", " trace");
	assert_int_equal(klog_count(k), 1);
	/* nothing comes for long, */
	klog_feed(k, "much later", 10 * NSEC_PER_SEC);
	assert_int_equal(klog_count(k), 2);
	assert_false(has_line(klog_event(k, 1), "much later"));
	/* or nothing comes any more. */
	klog_feed(k, "BUG: kernel NULL pointer dereference, address: 0", 11 * NSEC_PER_SEC);
	assert_int_equal(klog_count(k), 2);
	klog_finish(k);
	assert_int_equal(klog_count(k), 3);
	klog_close(k);
}

static void panic_is_its_own(void **state)
{
	struct klog *k = memory();

	(void)state;
	FEED(k, CUT, "WARNING: CPU: 0 PID: 7 at a.c:1 seven+0x1/0x2",
	     "Call Trace:", " eight+0x1/0x2",
	     "Kernel panic - not syncing: kernel: panic_on_warn set ...",
	     "Call Trace:", " panic+0x1/0x2", "---[ end Kernel panic - not syncing: kernel ]---");
	assert_int_equal(klog_count(k), 2);
	assert_string_equal(klog_event(k, 0)->title, "WARNING in seven");
	assert_int_equal(klog_event(k, 1)->finding, FINDING_KERNEL_CRASH);
	klog_close(k);
}

static void deduplicated(void **state)
{
	struct klog *k = memory();

	(void)state;
	for (int i = 0; i < 100000; i++)
		klog_feed(k, "XFS (loop0): writeback error on inode 131, offset 0, sector 8",
			  (u64)i * MS);
	klog_finish(k);
	assert_int_equal(klog_count(k), 1);
	assert_true(klog_event(k, 0)->repeats == 99999);
	klog_close(k);
}

static void bounded(void **state)
{
	struct klog *k = memory();
	char line[128];
	const struct klog_event *last;

	(void)state;
	klog_feed(k, CUT, 1);
	klog_feed(k, "WARNING: CPU: 0 PID: 7 at a.c:1 seven+0x1/0x2", 1);
	for (int i = 0; i < 3000; i++)
		klog_feed(k, " a frame", 1);
	klog_feed(k, END, 1);
	assert_true(klog_event(k, 0)->nlines == SPLAT_LINES_MAX + 1);
	assert_string_equal(klog_event(k, 0)->lines[SPLAT_LINES_MAX], "... 2603 lines left out");

	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "EXT4-fs error (device loop0): f%d:1: x", i);
		klog_feed(k, line, 2);
	}
	klog_feed(k, "Kernel panic - not syncing: x", 3);
	klog_finish(k);
	assert_int_equal(klog_count(k), EVENTS_MAX);
	last = klog_event(k, EVENTS_MAX - 1);
	assert_non_null(strstr(last->title, "further kernel events"));
	assert_true(last->repeats == 1 + 1000 + 1 - EVENTS_MAX);
	assert_int_equal(last->severity, SEV_BUG);
	klog_close(k);
}

static void huge_line(void **state)
{
	struct klog *k = memory();
	_cleanup_free_ char *line = malloc(MIB + 1);
	const char *out[2];

	(void)state;
	assert_non_null(line);
	memset(line, 'A', MIB);
	line[MIB] = '\0';
	klog_feed(k, line, 1);
	memcpy(line, "BUG: KASAN: use-after-free in ", 30);
	klog_feed(k, line, 2);
	klog_finish(k);
	assert_int_equal(klog_lines_between(k, 1, 1, out, NULL, 2), 1);
	assert_int_equal(strlen(out[0]), TEXT_MAX);
	assert_int_equal(klog_count(k), 1);
	klog_close(k);
}

static void garbage(void **state)
{
	struct klog *k = memory();
	char line[300];
	struct rng rng = { 1 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t n = rng_below(&rng, sizeof(line));

		for (size_t c = 0; c < n; c++)
			line[c] = (char)rng_in(&rng, (struct range){ 1, 255 });
		line[n ? n - 1 : 0] = '\0';
		klog_feed(k, line, (u64)i);
	}
	klog_finish(k);
	assert_int_equal(klog_count(k), 0);
	klog_close(k);
}

static void window(void **state)
{
	struct klog *k = memory();
	const char *lines[WINDOW_LINES];

	(void)state;
	for (u64 i = 1; i <= 3 * WINDOW_LINES; i++)
		klog_feed(k, "a line", i);
	assert_int_equal(klog_lines_between(k, 0, ~0ULL, lines, NULL, WINDOW_LINES), WINDOW_LINES);
	assert_int_equal(klog_lines_between(k, 1, 2 * WINDOW_LINES, lines, NULL, WINDOW_LINES), 0);
	assert_int_equal(klog_lines_between(k, 3 * WINDOW_LINES - 4, ~0ULL, lines, NULL, 3), 3);
	klog_close(k);
}

static void lost_records(void **state)
{
	struct klog *k = memory();

	(void)state;
	assert_int_equal(SCRIPT(k, "6,10,1000,-;a", "6,11,1001,-;b"), 0);
	assert_true(klog_lost(k) == 0);
	SCRIPT(k, NULL, "6,20,1002,-;c"); /* 12 to 19 */
	assert_true(klog_lost(k) == 8);
	SCRIPT(k, "6,23,1003,-;d"); /* a gap alone counts as well */
	assert_true(klog_lost(k) == 10);
	SCRIPT(k, NULL); /* how many, no record has said yet */
	assert_true(klog_lost(k) == 11);
	SCRIPT(k, "6,26,1004,-;e");
	assert_true(klog_lost(k) == 12);
	SCRIPT(k, "not a record");
	assert_true(klog_lost(k) == 13);
	klog_close(k);
}

/* User space writes with a facility of its own: a program cannot fake a kernel event. */
static void user_records(void **state)
{
	struct klog *k = memory();
	const char *lines[4];

	(void)state;
	assert_int_equal(SCRIPT(k, "12,1,1000,-;kernel BUG at fs/super.c:1!"), 0);
	assert_int_equal(klog_count(k), 0);
	assert_int_equal(klog_lines_between(k, 0, ~0ULL, lines, NULL, 4), 1);
	SCRIPT(k, "4,2,1001,-;kernel BUG at fs/super.c:1!");
	assert_int_equal(klog_count(k), 1);
	klog_close(k);
}

static void splat_in_records(void **state)
{
	struct klog *k = memory();

	(void)state;
	assert_int_equal(SCRIPT(k, "4,1,1000,-,caller=T7;" CUT,
				"4,2,1001,-,caller=T8;WARNING: CPU: 0 PID: 8 at x.c:1 no+0x1/0x2",
				"4,3,1002,-,caller=T7;WARNING: CPU: 0 PID: 7 at x.c:1 yes+0x1/0x2\n"
				" SUBSYSTEM=block\n DEVICE=b7:0\n",
				"4,4,1003,c,caller=T7;" END),
			 2); /* the other is old, by the clock */
	assert_int_equal(klog_count(k), 2);
	assert_string_equal(klog_event(k, 0)->title, "WARNING in yes");
	assert_int_equal(klog_event(k, 0)->nlines, 3);
	assert_false(has_line(klog_event(k, 0), "SUBSYSTEM"));
	assert_true(klog_event(k, 0)->time_ns == 1000000);
	klog_close(k);
}

static void records(void **state)
{
	static const char *const bad[] = { "",	      ";",	   "6",
					   "6,1,2,-", "x,1,2,-;a", "6;a",
					   "6,1;a",   ",,,;a",	   "6,1,99999999999999999999,-;a",
					   "6 ,1,2;a" };
	struct kmsg_record r;
	char buf[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(buf, bad[i]);
		assert_int_equal(kmsg_parse(buf, strlen(buf), &r), -EINVAL);
	}
	strcpy(buf, "30,339,5140900,-,caller=T123,new=1;a\\x20b\\x5cx41\\x0ac\\x00\\x4\n K=v\n");
	assert_int_equal(kmsg_parse(buf, strlen(buf), &r), 0);
	assert_int_equal(r.facility, 3);
	assert_int_equal(r.level, 6);
	assert_true(r.seq == 339 && r.usec == 5140900);
	assert_string_equal(r.caller, "T123");
	assert_string_equal(r.text, "a b\\x41\nc?\\x4");
}

static void console(void **state)
{
	char caller[CALLER_MAX] = "";
	u64 usec = 0;

	(void)state;
	assert_string_equal(console_strip("<4>[   12.345678][  T123] x", &usec, caller), "x");
	assert_true(usec == 12345678);
	assert_string_equal(caller, "T123");
	assert_string_equal(console_strip("[<ffffffff81000000>] f+0x1/0x2", &usec, caller),
			    "[<ffffffff81000000>] f+0x1/0x2");
	assert_string_equal(console_strip("[    1.000000] [ BUG: x ]", &usec, caller),
			    "[ BUG: x ]");
	assert_string_equal(console_strip("", &usec, caller), "");
}

static void copied(void **state)
{
	char dir[] = "/tmp/klog.XXXXXX", path[64], text[256] = "";
	struct klog *k = memory();
	_cleanup_fclose_ FILE *f = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/kernel.log", dir);
	assert_int_equal(klog_copy_to(k, path), 0);
	klog_feed(k, "[    1.500000][    T7] one", 0);
	SCRIPT(k, "12,1,2000000,-;two", NULL, "6,5,2000001,-;three");
	f = fopen(path, "re"); /* before the close: it must be there already */
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	assert_non_null(strstr(text, "[    1.500000][T7] one\n[    2.000000][user] two\n"));
	assert_non_null(strstr(text, "3 records of the kernel log were lost here\n"));
	unlink(path);
	/* A copy that cannot go on is told once, and the reading goes on. */
	assert_int_equal(klog_copy_to(k, "/dev/full"), 0);
	assert_int_equal(SCRIPT(k, "6,6,2000002,-;four"), -ENOSPC);
	assert_int_equal(SCRIPT(k, "6,7,2000003,-;five"), 0);
	klog_close(k);
	rmdir(dir);
}

/* Two runs beside each other on one machine: each answers for its own device only. */
static void other_loop_devices_are_foreign(void **state)
{
	static const char theirs[] =
		"EXT4-fs error (device loop4): ext4_lookup:1855: inode #2: bad";
	static const char ours[] = "EXT4-fs error (device loop3): ext4_lookup:1855: inode #2: bad";
	static const char disk[] = "I/O error, dev vda, sector 8 op 0x0:(READ) flags 0x0";
	struct klog *k;

	(void)state;
	assert_int_equal(klog_open_memory(&k), 0);
	klog_own_device(k, "loop3");
	klog_feed(k, theirs, 1);
	klog_feed(k, ours, 2);
	klog_feed(k, disk, 3);
	klog_finish(k);
	assert_int_equal(klog_count(k), 3);
	assert_true(klog_event(k, 0)->foreign && klog_event(k, 0)->allowed);
	assert_false(klog_event(k, 1)->foreign || klog_event(k, 1)->allowed);
	assert_false(klog_event(k, 2)->foreign || klog_event(k, 2)->allowed);
	klog_close(k);
	/* without a device of one's own to go by, everything counts */
	assert_int_equal(klog_open_memory(&k), 0);
	klog_feed(k, theirs, 1);
	klog_finish(k);
	assert_false(klog_event(k, 0)->foreign || klog_event(k, 0)->allowed);
	klog_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_warning_formats),
		cmocka_unit_test(btrfs_abort_without_stack),
		cmocka_unit_test(interleaved_by_caller),
		cmocka_unit_test(stall_takes_other_cpus),
		cmocka_unit_test(allow_does_not_leak),
		cmocka_unit_test(allow_is_per_event),
		cmocka_unit_test(missing_end),
		cmocka_unit_test(panic_is_its_own),
		cmocka_unit_test(deduplicated),
		cmocka_unit_test(bounded),
		cmocka_unit_test(huge_line),
		cmocka_unit_test(garbage),
		cmocka_unit_test(window),
		cmocka_unit_test(lost_records),
		cmocka_unit_test(user_records),
		cmocka_unit_test(splat_in_records),
		cmocka_unit_test(records),
		cmocka_unit_test(console),
		cmocka_unit_test(copied),
		cmocka_unit_test(other_loop_devices_are_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
