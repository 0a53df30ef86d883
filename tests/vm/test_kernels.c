// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same scenario on XFS, ext4 and btrfs passes in one boot of each kind of kernel: the lab's,
 * a distribution's with its modules, and one built from a plain tree. One that is not here is
 * skipped by name; without any the test says 77.
 */
#include "e2e.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 280.0
#define BESIDE	SOURCE_DIR "/../shared/kernels/bzImage-*-lab"
/* The workers of configs/quickstart.json. */
#define SCENARIO                                                                                   \
	"{ \"version\": 1, \"name\": \"%s\", \"description\": \"test\", \"duration\": \"3s\","     \
	" \"target\": { \"type\": \"image\", \"fs\": \"%s\", \"size\": \"320M\" },"                \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"max\": \"2M\","                   \
	"   \"layout\": \"hole\" } ], \"workers\": ["                                              \
	" { \"type\": \"buffered_writer\", \"file\": \"data\", \"count\": 2,"                      \
	"   \"options\": { \"how\": \"mixed\", \"length\": \"512..64K\", \"grow\": true } },"      \
	" { \"type\": \"mmap_writer\", \"file\": \"data\", \"options\": { \"msync\": 1 } },"       \
	" { \"type\": \"reader\", \"file\": \"data\","                                             \
	"   \"options\": { \"how\": \"mixed\", \"length\": \"1..32K\", \"unaligned\": 25 } },"     \
	" { \"type\": \"dio_reader\", \"file\": \"data\" },"                                       \
	" { \"type\": \"dropcache\", \"options\": { \"scope\": \"file\", \"interval\": \"1ms\" } " \
	"},"                                                                                       \
	" { \"type\": \"syncer\", \"file\": \"data\" },"                                           \
	" { \"type\": \"truncator\", \"file\": \"data\" } ] }"

static const char *const filesystems[] = { "xfs", "ext4", "btrfs" };
#define FILESYSTEMS (sizeof(filesystems) / sizeof(filesystems[0]))

enum { LAB, DISTRIBUTION, PLAIN, KERNELS };
static char kernels[KERNELS][512]; /* "": not here */

static void newest(const char *pattern, bool (*fits)(const char *), char *buf, size_t size)
{
	glob_t g = { 0 };

	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			if (!fits || fits(g.gl_pathv[i]))
				snprintf(buf, size, "%s", g.gl_pathv[i]);
	globfree(&g);
}

static bool has_modules(const char *image)
{
	char path[512];

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", strrchr(image, '/') + 9);
	return access(path, R_OK) == 0;
}

static bool find_kernels(void)
{
	const char *lab = getenv("STRESSD_LAB_KERNEL"), *plain = getenv("STRESSD_PLAIN_KERNEL");

	if (lab)
		snprintf(kernels[LAB], sizeof(kernels[LAB]), "%s", lab);
	else
		newest(BESIDE, NULL, kernels[LAB], sizeof(kernels[LAB]));
	newest("/boot/vmlinuz-*", has_modules, kernels[DISTRIBUTION],
	       sizeof(kernels[DISTRIBUTION]));
	if (plain)
		snprintf(kernels[PLAIN], sizeof(kernels[PLAIN]), "%s", plain);
	return kernels[LAB][0] || kernels[DISTRIBUTION][0] || kernels[PLAIN][0];
}

static void assert_passed(size_t i, const char *fs)
{
	json_t *result = e2e_result(e2e_path("run/%zu", i + 1)), *machine;

	assert_non_null(result);
	assert_string_equal(json_string_value(json_object_get(result, "verdict")), "pass");
	assert_int_equal(json_array_size(json_object_get(result, "findings")), 0);
	machine = json_object_get(result, "environment");
	assert_string_equal(json_string_value(json_object_get(machine, "fs")), fs);
	json_decref(result);
}

static void passes(void **state)
{
	const char *kernel = *state;
	char paths[FILESYSTEMS][300], dir[300], text[4096];
	struct e2e r;

	if (!kernel[0])
		skip();
	snprintf(dir, sizeof(dir), "%s", e2e_path("run"));
	e2e_remove(dir);
	for (size_t i = 0; i < FILESYSTEMS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s", e2e_path("%s.json", filesystems[i]));
		snprintf(text, sizeof(text), SCENARIO, filesystems[i], filesystems[i]);
		e2e_write(paths[i], text);
	}
	e2e_start(&r,
		  (const char *const[]){ "vm", "--kernel", kernel, "--run-dir", dir, paths[0],
					 paths[1], paths[2], NULL },
		  NULL);
	e2e_wait(&r, LIMIT_S);
	e2e_assert_exit(&r, 0);
	for (size_t i = 0; i < FILESYSTEMS; i++)
		assert_passed(i, filesystems[i]);
	print_message("%s: %.0f s\n", kernel, r.seconds);
	e2e_free(&r);
}

int main(void)
{
	static const char *const missing[KERNELS] = {
		[LAB] = "no lab kernel: set STRESSD_LAB_KERNEL",
		[DISTRIBUTION] = "no /boot/vmlinuz-* with modules: install linux-image-amd64",
		[PLAIN] = "no kernel of a plain tree: set STRESSD_PLAIN_KERNEL",
	};
	const struct CMUnitTest tests[] = {
		{ "lab_kernel", passes, NULL, NULL, kernels[LAB] },
		{ "distribution_kernel", passes, NULL, NULL, kernels[DISTRIBUTION] },
		{ "plain_kernel", passes, NULL, NULL, kernels[PLAIN] },
	};

	if (!e2e_privileged() || system("command -v qemu-system-x86_64 >/dev/null") != 0) {
		print_message("no QEMU or no root\n");
		return E2E_SKIP;
	}
	if (!find_kernels()) {
		for (int i = 0; i < KERNELS; i++)
			print_message("%s\n", missing[i]);
		return E2E_SKIP;
	}
	for (int i = 0; i < KERNELS; i++)
		if (!kernels[i][0])
			print_message("%s\n", missing[i]);
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
