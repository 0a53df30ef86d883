// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disk of scsi_debug and its faults, in guests: built in (the lab kernel), where it takes its
 * size from the command line, and as a module (a distribution's kernel), which is loaded and
 * unloaded. Errors are counted and told; what is somebody else's is left alone. Skipped (77)
 * without a kernel.
 */
#include "vmtest.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DISK_LIMIT_S 280.0

static const char faulty[] =
	"{ \"version\": 1, \"name\": \"%s\", \"description\": \"test\", \"duration\": \"2s\",\n"
	"  \"stop_on\": \"never\",\n"
	"  \"target\": { \"type\": \"scsi_debug\", \"fs\": \"ext4\", \"size\": \"32M\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"2M\", \"layout\": \"written\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"dio_reader\", \"file\": \"data\" },\n"
	"    { \"type\": \"reader\", \"file\": \"data\" },\n"
	"    { \"type\": \"dropcache\", \"options\": { \"scope\": \"file\", \"interval\": "
	"\"5ms\" } },\n"
	"    { \"type\": \"syncer\", \"file\": \"data\" } ],\n"
	"  \"faults\": [ { \"type\": \"%s\", \"after\": \"200ms\", \"options\": { %s } } ] }\n";

/* On an image: there is no SCSI disk, and no module. */
static const char look[] =
	"{ \"version\": 1, \"name\": \"look\", \"description\": \"test\", \"duration\": \"12s\",\n"
	"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"32M\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"reader\", \"file\": \"data\" },\n"
	"    { \"type\": \"exec\", \"options\": { \"timeout\": \"10s\", \"program\":\n"
	"        [\"/bin/sh\", \"-c\", \"while ls /sys/block | grep -q ^sd ||"
	" grep -q ^scsi_debug /proc/modules; do sleep 0.1; done\"] } } ] }\n";

static const char *write_faulty(const char *name, const char *fault, const char *options)
{
	const char *path = e2e_path("%s.json", name);
	char text[2048];

	snprintf(text, sizeof(text), faulty, name, fault, options);
	e2e_write(path, text);
	return path;
}

static const char *write_look(void)
{
	const char *path = e2e_path("look.json");

	e2e_write(path, look);
	return path;
}

static void built_in(void **state)
{
	struct e2e r;

	(void)state;
	vm_boot(&r, vm_kernel, "quiet",
		(const char *const[]){
			write_faulty("medium", "scsi_medium", "\"blocks\": 100"),
			write_faulty("lost", "scsi_nth",
				     "\"answer\": \"lost\", \"every\": 20, \"retries\": 5, "
				     "\"patience\": \"50ms\""),
			write_look(),
			NULL,
		},
		DISK_LIMIT_S);
	vm_assert_faulty(&r, "/1", true);
	vm_assert_faulty(&r, "/2", false);
	json_decref(vm_assert_verdict(&r, "/3", "pass"));
	e2e_free(&r);
}

/* They would fail alike, and their contents are the same bytes. */
static void somebody_elses(void **state)
{
	struct e2e r;

	(void)state;
	vm_boot(&r, vm_kernel, "scsi_debug.add_host=1",
		(const char *const[]){ write_faulty("medium", "scsi_medium", ""), NULL },
		DISK_LIMIT_S);
	json_decref(vm_assert_verdict(&r, "", "skip"));
	if (!strstr(r.out, "scsi_debug has 1 disks already"))
		fail_msg("it is not said why\n%s%s", r.out, r.err);
	e2e_free(&r);
}

static void module(void **state)
{
	glob_t g = { 0 };
	char image[512] = "", modules[600];
	struct e2e r;

	(void)state;
	if (glob("/boot/vmlinuz-*", 0, NULL, &g) == 0)
		snprintf(image, sizeof(image), "%s", g.gl_pathv[g.gl_pathc - 1]);
	globfree(&g);
	snprintf(modules, sizeof(modules), "/lib/modules/%s/modules.dep",
		 image[0] ? image + strlen("/boot/vmlinuz-") : "");
	if (!image[0] || access(modules, R_OK) < 0)
		skip();
	vm_boot(&r, image, "quiet",
		(const char *const[]){
			write_faulty("medium", "scsi_medium", "\"blocks\": 100"),
			write_look(),
			NULL,
		},
		DISK_LIMIT_S);
	vm_assert_faulty(&r, "/1", true);
	json_decref(vm_assert_verdict(&r, "/2", "pass"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in),
		cmocka_unit_test(somebody_elses),
		cmocka_unit_test(module),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
