// SPDX-License-Identifier: GPL-2.0-or-later
/* The mixer can be repeated: from its seed, and from the history of a former run. */
#include "../worker_harness.h"

#define HEAD                                                                                       \
	"{\"version\":1,\"name\":\"t\",\"seed\":%d,\"duration\":\"1s\","                           \
	"\"target\":{\"type\":\"directory\",\"path\":\"/tmp\"},\"files\":["                        \
	"{\"name\":\"data\",\"size\":\"1M\",\"max\":\"4M\",\"layout\":\"written\"},"               \
	"{\"name\":\"other\",\"size\":\"1M\",\"layout\":\"written\"}],"                            \
	"\"workers\":[{\"type\":\"mixer\",\"file\":\"data\",\"options\":{%s}}]}"
#define ENOUGH 200 /* operations */

static bool enough(struct harness *h, u64 elapsed_ns)
{
	return atomic_load(&h->run->slots[harness_id(0)].ops) >= ENOUGH ||
	       elapsed_ns > HARNESS_END_NS;
}

static void run(struct harness *h, int seed, const char *options)
{
	char json[4096];

	snprintf(json, sizeof(json), HEAD, seed, options);
	harness_open(h, json);
	harness_run(h, enough);
	/* What it sees is test_workers' business: a kernel that fails there is repeated here. */
	harness_sightings(h);
	harness_check_slots(h);
}

static void open_log(const struct harness *h, struct oplog *log)
{
	char path[PATH_MAX];
	struct err e;

	harness_path(h, path, sizeof(path), "ops.2.log");
	assert_int_equal(oplog_open(path, log, &e), 0);
}

static bool same(const struct op_record *a, const struct op_record *b)
{
	return a->op == b->op && a->file == b->file && a->how == b->how && a->arg == b->arg &&
	       a->offset == b->offset && a->len == b->len && a->result == b->result &&
	       a->gen == b->gen;
}

/* Number of records from the first that two histories have in common; *ret_all: that both have. */
static u64 common(const struct harness *a, const struct harness *b, u64 *ret_all)
{
	struct oplog la, lb;
	u64 n = 0;

	open_log(a, &la);
	open_log(b, &lb);
	assert_int_equal(oplog_oldest(&la), 0);
	assert_int_equal(oplog_oldest(&lb), 0);
	*ret_all = MIN(oplog_count(&la), oplog_count(&lb));
	for (; n < *ret_all; n++) {
		struct op_record ra, rb;
		char ta[200], tb[200];

		assert_int_equal(oplog_read(&la, n, &ra), 1);
		assert_int_equal(oplog_read(&lb, n, &rb), 1);
		if (same(&ra, &rb))
			continue;
		op_describe(&ra, ta, sizeof(ta));
		op_describe(&rb, tb, sizeof(tb));
		print_message("  record %llu: %s / %s\n", (unsigned long long)n, ta, tb);
		break;
	}
	oplog_close(&la);
	oplog_close(&lb);
	return n;
}

static void same_seed_same_operations(void **state)
{
	struct harness a, b;
	u64 all, n;

	(void)state;
	run(&a, 11, "");
	run(&b, 11, "");
	n = common(&a, &b, &all);
	assert_int_equal(n, all);
	assert_true(all >= ENOUGH);
	harness_close(&a);
	harness_close(&b);
}

static void other_seed_other_operations(void **state)
{
	struct harness a, b;
	u64 all, n;

	(void)state;
	run(&a, 11, "");
	run(&b, 12, "");
	n = common(&a, &b, &all);
	assert_true(n < all);
	harness_close(&a);
	harness_close(&b);
}

static void replay_repeats_the_history(void **state)
{
	struct harness a, b;
	char options[PATH_MAX];
	u64 all, n;

	(void)state;
	run(&a, 13, "");
	snprintf(options, sizeof(options), "\"replay\":\"%s/ops.2.log\"", a.dir);
	/* another seed: what is repeated comes from the history alone */
	run(&b, 99, options);
	n = common(&a, &b, &all);
	assert_int_equal(n, all);
	assert_true(all >= ENOUGH);
	harness_close(&a);
	harness_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_operations),
		cmocka_unit_test(other_seed_other_operations),
		cmocka_unit_test(replay_repeats_the_history),
	};

	return cmocka_run_group_tests_name("mixer", tests, NULL, NULL);
}
