// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill -9 while device-mapper devices and their tables are changed, in a guest, as few machines
 * have device-mapper: the janitor takes all of them away within 2 s, and where it died too the next
 * run does. A program beside the workers does the killing, and another one looks. The kernel is
 * $STRESSD_LAB_KERNEL, or a lab kernel beside the checkout; skipped (77) without one.
 */
#include "vmtest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS_LIMIT_S 300.0

/* Its parent is a worker, whose parent is the coordinator. Killed in the middle of a reload, most
 * of the time, as there is one every few milliseconds; but only with devices and their tables seen.
 */
#define KILLER                                                                                     \
	"until ls /sys/block | grep -q dm-5; do sleep 0.01; done\n"                                \
	"until grep -q dm-table \"$1\"/undo/*.journal; do sleep 0.01; done\n"                      \
	"grep -h . /sys/block/dm-*/dm/name | grep -c '^stressd-' | grep -qx 6 || exit 1\n"         \
	"coordinator=$(cut -d' ' -f4 /proc/$PPID/stat)\n"                                          \
	"kill -STOP $coordinator\n"                                                                \
	"for p in /proc/[0-9]*; do\n"                                                              \
	"  test $2 = both && grep -qsx stressd-janitor $p/comm && kill -9 ${p#/proc/}\n"           \
	"done\n"                                                                                   \
	"kill -9 $coordinator\n"
/* Until there is no layer, no null_blk device of ours, and no loop device but that of the run it is
 * in. An emulated machine that is one of many takes its time; what is not on its way by itself
 * never goes. */
#define LOOKER                                                                                     \
	"until test $(cat /sys/block/dm-*/dm/name 2>/dev/null | wc -l) = 0 &&\n"                   \
	"  test $(ls /sys/block | grep -c '^stressd-') = 0 &&\n"                                   \
	"  test $(cat /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l) = 1\n"               \
	"do sleep 0.1; done\n"

static const char layered[] =
	"{ \"version\": 1, \"name\": \"killed\", \"description\": \"test\", \"duration\": "
	"\"60s\",\n"
	"  \"target\": { \"type\": \"%s\", \"fs\": \"ext4\", \"size\": \"32M\",\n"
	"    \"layers\": [\"log\", \"dust\", \"error\", \"flakey\", \"delay\"] },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"syncer\", \"file\": \"data\" },\n"
	"    { \"type\": \"exec\", \"options\": { \"program\":\n"
	"        [\"/bin/sh\", \"-c\", %s, \"sh\", \"/run/stressd/state\", \"%s\"] } } ],\n"
	"  \"faults\": [ { \"type\": \"dm_delay\", \"for\": \"5ms\", \"every\": \"10ms\" } ] }\n";

static const char plain[] =
	"{ \"version\": 1, \"name\": \"look\", \"description\": \"test\", \"duration\": \"12s\",\n"
	"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"32M\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"reader\", \"file\": \"data\" },\n"
	"    { \"type\": \"exec\", \"options\": { \"program\": [\"/bin/sh\", \"-c\", %s],\n"
	"      \"timeout\": \"10s\" } } ] }\n";

static const char no_quota[] =
	"{ \"version\": 1, \"name\": \"quota\", \"description\": \"test\", \"duration\": \"1s\",\n"
	"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"32M\", \"mkfs\": "
	"[\"-O\", \"quota\"], \"mount\": [%s] "
	"},\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],\n"
	"  \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" } ],\n"
	"  \"faults\": [ { \"type\": \"quota\", \"options\": { \"free\": \"64K\" } } ] }\n";

/* The file is the guest's, too: scripts go within it, as nothing else of this test's directory is
 * seen there. */
static void __attribute__((format(printf, 3, 4)))
write_scenario(char path[300], const char *name, const char *format, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(path, 300, "%s", e2e_path("%s", name));
	e2e_write(path, text);
}

static char *quoted(const char *script)
{
	json_t *string = json_string(script);
	char *text = json_dumps(string, JSON_ENCODE_ANY);

	assert_non_null(text);
	json_decref(string);
	return text;
}

/* A run that was killed writes no result; one whose program did not see four devices does. */
static void killed_in_the_middle(void **state)
{
	char one[300], two[300], look[300], *killer = quoted(KILLER), *looker = quoted(LOOKER);
	struct e2e r;

	(void)state;
	write_scenario(one, "one.json", layered, "image", killer, "coordinator");
	write_scenario(two, "two.json", layered, "null_blk", killer, "both");
	write_scenario(look, "look.json", plain, looker);
	free(killer);
	free(looker);
	e2e_start(&r,
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--accel", "tcg", "--memory",
					 "512M", "--run-dir", e2e_path("run"), one, look, two, look,
					 NULL },
		  NULL);
	e2e_wait(&r, LAYERS_LIMIT_S);
	if (strstr(r.err, "CONFIG_") && r.exit == 4)
		skip();
	json_decref(vm_assert_verdict(&r, "/1", "missing"));
	json_decref(vm_assert_verdict(&r, "/2", "pass"));
	json_decref(vm_assert_verdict(&r, "/3", "missing"));
	json_decref(vm_assert_verdict(&r, "/4", "pass"));
	e2e_free(&r);
}

/* Found late, when the filesystem is there: skipped all the same, and with what to add. With it the
 * same scenario runs. */
static void quota_that_is_not_on(void **state)
{
	char off[300], on[300];
	struct e2e r;

	(void)state;
	write_scenario(off, "off.json", no_quota, "");
	write_scenario(on, "on.json", no_quota, "\"usrquota\"");
	e2e_remove(e2e_path("run"));
	e2e_start(&r,
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--accel", "tcg", "--memory",
					 "512M", "--run-dir", e2e_path("run"), off, on, NULL },
		  NULL);
	e2e_wait(&r, LAYERS_LIMIT_S);
	if (strstr(r.err, "CONFIG_") && r.exit == 4)
		skip();
	json_decref(vm_assert_verdict(&r, "/1", "skip"));
	assert_non_null(strstr(r.out, "without usrquota"));
	json_decref(vm_assert_verdict(&r, "/2", "pass"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_in_the_middle),
		cmocka_unit_test(quota_that_is_not_on),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
