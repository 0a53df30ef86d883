// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults that need a kernel newer than the lab's, in a guest: requeue (Linux 6.4), scsi_command
 * (6.7), xfs_delay (6.2). Each is armed and counts what it did, and nothing is found; while one is
 * armed that fails nothing, bytes that nobody wrote are found all the same. The kernel is
 * $STRESSD_NEW_KERNEL, one that lab/build-kernel.sh made of a newer tree; skipped (77) without.
 */
#include "vmtest.h"

#include <stdio.h>
#include <string.h>

#define ROWS_LIMIT_S 540.0

struct row {
	const char *name, *target, *fs, *size, *worker, *fault;
	bool told;
};

/* In a file that no worker writes. */
#define VANDAL                                                                                     \
	", { \"type\": \"exec\", \"after\": \"700ms\", \"options\": { \"program\": [\"/bin/sh\","  \
	" \"-c\", \"printf 'nobody wrote this' | dd of=still bs=1 seek=70000 conv=notrunc\"] } }"

static const struct row rows[] = {
	{ "requeue", "null_blk", "ext4", "64M", "",
	  "{ \"type\": \"requeue\", \"after\": \"200ms\" }", false },
	{ "command", "scsi_debug", "ext4", "32M", "",
	  "{ \"type\": \"scsi_command\", \"after\": \"200ms\" }", true },
	{ "lost", "scsi_debug", "ext4", "32M", "",
	  "{ \"type\": \"scsi_command\", \"after\": \"200ms\", \"options\": { \"answer\": "
	  "\"lost\", "
	  "\"times\": 2, \"retries\": 5, \"patience\": \"50ms\" } }",
	  false },
	{ "delay", "image", "xfs", "320M", "", "{ \"type\": \"xfs_delay\", \"after\": \"200ms\" }",
	  false },
};

#define NROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row planted = { "planted", "null_blk",
				    "ext4",    "64M",
				    VANDAL,    "{ \"type\": \"requeue\", \"after\": \"200ms\" }",
				    false };

static const char *write_row(const struct row *row)
{
	const char *path = e2e_path("%s.json", row->name);
	char text[2048];

	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"name\": \"%s\", \"description\": \"test\", \"duration\": "
		 "\"3s\", \"stop_on\": \"never\",\n"
		 "  \"target\": { \"type\": \"%s\", \"fs\": \"%s\", \"size\": \"%s\" },\n"
		 "  \"files\": [ { \"name\": \"data\", \"size\": \"2M\", \"layout\": \"written\" "
		 "},\n"
		 "    { \"name\": \"still\", \"size\": \"256K\", \"layout\": \"written\" } ],\n"
		 "  \"workers\": [\n"
		 "    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
		 "    { \"type\": \"reader\", \"file\": \"data\" },\n"
		 "    { \"type\": \"reader\", \"file\": \"still\" },\n"
		 "    { \"type\": \"dropcache\", \"options\": { \"scope\": \"file\", \"interval\": "
		 "\"5ms\" } },\n"
		 "    { \"type\": \"syncer\", \"file\": \"data\" }%s ],\n"
		 "  \"faults\": [ %s ] }\n",
		 row->name, row->target, row->fs, row->size, row->worker, row->fault);
	e2e_write(path, text);
	return path;
}

static void silent(void **state)
{
	const char *paths[NROWS + 1] = { NULL };
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < NROWS; i++)
		paths[i] = write_row(&rows[i]);
	vm_boot(&r, vm_kernel, "quiet", paths, ROWS_LIMIT_S);
	for (size_t i = 0; i < NROWS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "/%zu", i + 1);
		vm_assert_faulty(&r, name, rows[i].told);
	}
	e2e_free(&r);
}

/* That a fault is armed which fails nothing explains nothing. */
static void not_blinded(void **state)
{
	json_t *result, *fault;
	struct e2e r;

	(void)state;
	vm_boot(&r, vm_kernel, "quiet", (const char *const[]){ write_row(&planted), NULL },
		ROWS_LIMIT_S);
	result = vm_assert_verdict(&r, "", "fail");
	fault = json_array_get(json_object_get(result, "faults"), 0);
	assert_int_not_equal(json_integer_value(json_object_get(fault, "injected")), 0);
	assert_int_not_equal(json_array_size(json_object_get(result, "findings")), 0);
	json_decref(result);
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent),
		cmocka_unit_test(not_blinded),
	};

	if (!can_run_new_kernel())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
