// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every worker in a process of its own on real files: it does something, ends when it is told to,
 * sees nothing that cannot be, and leaves files that hold what the shadow says.
 */
#include "../worker_harness.h"

#define SCENARIO(files, workers)                                                                   \
	"{\"version\":1,\"name\":\"t\",\"seed\":7,\"duration\":\"1s\","                            \
	"\"target\":{\"type\":\"directory\",\"path\":\"/tmp\"},\"files\":[" files                  \
	"],\"workers\":[" workers "]}"
#define DATA		 "{\"name\":\"data\",\"size\":\"8M\",\"layout\":\"written\"}"
#define HOLES		 "{\"name\":\"data\",\"size\":\"8M\",\"layout\":\"hole\"}"
#define OTHER		 "{\"name\":\"other\",\"size\":\"4M\",\"layout\":\"written\"}"
#define W(type, options) "{\"type\":\"" type "\",\"file\":\"data\",\"options\":{" options "}}"

#define RUN_NS	    (300 * NSEC_PER_MSEC)
#define PATIENCE_NS (20 * NSEC_PER_SEC) /* for a first operation on a slow machine */

/* Long enough, and everybody has done something. STRESSD_TEST_MS stretches it, by hand. */
static bool worked(struct harness *h, u64 elapsed_ns)
{
	const char *ms = getenv("STRESSD_TEST_MS");
	u64 run_ns = ms ? strtoull(ms, NULL, 10) * NSEC_PER_MSEC : RUN_NS;

	if (elapsed_ns < run_ns)
		return false;
	for (u64 i = 0; i < h->n; i++)
		if (!atomic_load(&h->run->slots[harness_id(i)].ops) && elapsed_ns < PATIENCE_NS)
			return false;
	return true;
}

static void check(const char *json)
{
	struct harness h;

	harness_open(&h, json);
	harness_run(&h, worked);
	harness_final(&h);
	/* both, before any of them fails: a dead worker explains much */
	u64 seen = harness_sightings(&h);

	harness_check_slots(&h);
	assert_int_equal(seen, 0);
	harness_close(&h);
}

static void alone(void **state)
{
	check(*state);
}

#define ALONE(name, files, workers)                                                                \
	{                                                                                          \
		name, alone, NULL, NULL, (void *)(uintptr_t)SCENARIO(files, workers)               \
	}

static const struct CMUnitTest tests[] = {
	ALONE("buffered_writer", DATA, W("buffered_writer", "\"how\":\"mixed\",\"grow\":true")),
	ALONE("short_write efault", HOLES, W("short_write", "")),
	ALONE("short_write efault grow", "{\"name\":\"data\",\"size\":\"1M\",\"max\":\"8M\"}",
	      W("short_write", "\"grow\":true,\"length\":\"64..1M\",\"readable\":\"64..64K\"")),
	ALONE("short_write file-limit", DATA, W("short_write", "\"cause\":\"file-limit\"")),
	ALONE("short_write enospc", DATA, W("short_write", "\"cause\":\"enospc\"")),
	ALONE("short_write signal", DATA,
	      W("short_write", "\"cause\":\"signal\",\"length\":\"2M\"")),
	ALONE("mmap_writer", DATA,
	      W("mmap_writer", "\"msync\":1,\"fsync\":1,\"dontneed\":5,\"remap\":5") "," W(
		      "mmap_writer", "\"store\":1") "," W("mmap_writer", "\"store\":\"64K\"")),
	ALONE("mmap_writer restart", HOLES,
	      W("mmap_writer", "\"pattern\":\"sequential\",\"restart\":\"punch\"") "," W(
		      "mmap_writer", "\"pattern\":\"sequential\",\"restart\":\"truncate\"")),
	ALONE("reader", DATA,
	      W("reader", "\"how\":\"mixed\",\"unaligned\":50,\"stat\":10,\"length\":\"1.."
			  "1M\"") "," W("reader", "\"pattern\":\"sequential\"")),
	ALONE("dio_reader", DATA,
	      W("dio_reader", "") "," W("dio_reader", "\"engine\":\"libaio\",\"depth\":8") "," W(
		      "dio_reader", "\"engine\":\"io_uring\",\"depth\":64,\"length\":\"512..1M\"")),
	ALONE("dio_writer", DATA,
	      W("dio_writer", "") "," W("dio_writer", "\"engine\":\"libaio\",\"depth\":8") "," W(
		      "dio_writer", "\"engine\":\"io_uring\",\"depth\":64,\"length\":\"512..1M\"")),
	ALONE("dropcache file", DATA, W("dropcache", "")),
	ALONE("dropcache range", DATA, W("dropcache", "\"scope\":\"range\"")),
	ALONE("dropcache pageout", DATA, W("dropcache", "\"scope\":\"pageout\"")),
	ALONE("syncer", DATA,
	      W("syncer",
		"\"ops\":[\"fsync\",\"fdatasync\",\"sync_file_range\",\"msync\",\"syncfs\"],"
		"\"modes\":[\"write\",\"wait-before\",\"all\"],\"interval\":\"0\"")),
	ALONE("truncator", DATA, W("truncator", "\"interval\":\"0\"")),
	ALONE("cloner", DATA "," OTHER, W("cloner", "\"interval\":\"0\"")),
	ALONE("cloner unshares", DATA "," OTHER,
	      W("cloner", "\"interval\":\"0\",\"weights\":{\"clone\":2,\"unshare\":1}")),
	ALONE("steps unshare", DATA,
	      W("steps", "\"steps\":[\"write 64K\",\"fsync\",\"clone 16K at 32K from 0\","
			 "\"write 4K at 36K\",\"read 64K\",\"unshare 32K\",\"drop\","
			 "\"read 64K\"]")),
	ALONE("mixer", DATA "," OTHER, W("mixer", "")),
	ALONE("two mixers", DATA "," OTHER, W("mixer", "") "," W("mixer", "\"unaligned\":0")),
};

static void all_together(void **state)
{
	(void)state;
	check(SCENARIO(
		DATA "," OTHER,
		W("buffered_writer", "\"how\":\"mixed\",\"grow\":true") "," W("short_write", "") "," W("short_write", "\"cause\":\"file-limit\"") "," W("mmap_writer", "\"dontneed\":5,\"remap\":1") "," W("reader", "\"how\":\"mixed\",\"unaligned\":50,\"stat\":10") "," W(
			"dio_reader",
			"\"engine\":\"io_"
			"uring\",\"depth\":"
			"8") "," W("dio_"
				   "writer",
				   "\"engin"
				   "e\":"
				   "\"libai"
				   "o\","
				   "\"depth"
				   "\":4") "," W("dropcache",
						 "\"interval\":\"1ms\"") "," W("syncer",
									       "") "," W("truncato"
											 "r",
											 "") "," W("cloner",
												   "") "," W("mixer",
													     "")));
}

int main(void)
{
	struct CMUnitTest more[] = { cmocka_unit_test(all_together) };
	const char *filter = getenv("CMOCKA_TEST_FILTER");

	if (filter)
		cmocka_set_test_filter(filter);
	return _cmocka_run_group_tests("workers", tests, ARRAY_SIZE(tests), NULL, NULL) +
	       cmocka_run_group_tests_name("workers together", more, NULL, NULL);
}
