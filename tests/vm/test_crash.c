// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A power cut under a run, and `stressd verify` after it: what was synced is there, and nothing
 * else is asked for; where some of it is taken away before the check, that is found, and where.
 */
#include "vmtest.h"

#include "base/arena.h"
#include "shadow/shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTAIN 50 /* cells that must be durable before the cut */
#define PLANTED 3
#define SCENARIO                                                                                   \
	"{ \"version\": 1, \"name\": \"cut\", \"description\": \"test\", \"duration\": \"100s\","  \
	" \"target\": { \"type\": \"image\", \"fs\": \"%s\", \"size\": \"%s\" },"                  \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"written\" },"         \
	" { \"name\": \"log\", \"size\": \"64K\", \"max\": \"1M\", \"layout\": \"empty\" } ],"     \
	" \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\","                     \
	" \"options\": { \"how\": \"pwritev2\", \"rwf\": [ \"dsync\" ], \"pause\": \"5ms\" } },"   \
	" { \"type\": \"mmap_writer\", \"file\": \"data\", \"options\": { \"pause\": \"2ms\" } }," \
	" { \"type\": \"mixer\", \"file\": \"log\", \"options\": { \"weights\": { \"append\": 4,"  \
	" \"pwrite\": 2, \"truncate\": 1, \"punch\": 1, \"collapse\": 1, \"clone\": 1 } } },"      \
	" { \"type\": \"syncer\", \"options\": { \"ops\": [ \"fsync\", \"fdatasync\", \"msync\","  \
	" \"syncfs\" ] } } ] }"

/* Without barriers ext4 never flushes, and what it syncs stays in the guest's cache of the disk. */
#define APPEND                                                                                     \
	"{ \"version\": 1, \"name\": \"append\", \"description\": \"test\", \"duration\": "        \
	"\"100s\","                                                                                \
	" \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\", \"mount\": [ "   \
	"%s ] },"                                                                                  \
	" \"files\": [ { \"name\": \"log\", \"size\": \"0\", \"max\": \"8M\", \"layout\": "        \
	"\"empty\" } ],"                                                                           \
	" \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"log\","                      \
	" \"options\": { \"how\": \"append\", \"pause\": \"2ms\" } },"                             \
	" { \"type\": \"syncer\", \"options\": { \"interval\": \"10ms\" } } ] }"

/* The memory that the guest shares with `stressd vm`, as that has it open. */
static struct arena *arena_of(pid_t pid)
{
	struct arena *a = NULL;
	char link[64], to[64];

	for (int fd = 3; fd < 64 && !a; fd++) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
		n = readlink(link, to, sizeof(to) - 1);
		if (n <= 0)
			continue;
		to[n] = '\0';
		if (!strncmp(to, "/memfd:arena", 12) && arena_map(link, &a) < 0)
			a = NULL;
	}
	return a;
}

/* A cell that was synced and not touched since, and that held something else before. */
static bool is_certain(const struct shadow_file *f, const struct shadow_cell *c)
{
	u64 settled = atomic_load(&c->settled), flight = atomic_load(&c->flight);

	return shadow_durable(f, shadow_view(c)).exact && CELL_KIND(settled) == CELL_STAMP &&
	       CELL_GEN(settled) > 1 && CELL_GEN(flight) == CELL_GEN(settled) &&
	       !(flight & (CELL_PENDING | CELL_DOUBTS));
}

/* Has the guest synced so often that a part of its files is durable? Looks at a copy: the guest
 * goes on. */
static bool has_synced(void *ctx)
{
	const char *copy = e2e_path("peek");
	struct shadow sh;
	struct err e;
	u32 certain = 0;
	FILE *out;
	void *map;
	u64 len;

	if (arena_find(ctx, "shadow", &map, &len) < 0)
		return false;
	out = fopen(copy, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(map, 1, len, out), len);
	fclose(out);
	if (shadow_open(copy, false, &sh, &e) < 0)
		return false;
	for (u64 i = 0; i < sh.files[0].ncells; i++)
		certain += is_certain(&sh.files[0], shadow_cell(&sh, &sh.files[0], i));
	shadow_close(&sh);
	return certain > CERTAIN;
}

/* A run directory in which the power was cut. */
static void cut(const char *fs, const char *size, const char *dir)
{
	const char *json = e2e_path("cut.json");
	struct arena *a;
	char text[4096];
	struct e2e r;

	snprintf(text, sizeof(text), SCENARIO, fs, size);
	e2e_write(json, text);
	e2e_remove(dir);
	e2e_start(&r,
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--accel", "tcg", "--run-dir",
					 dir, json, NULL },
		  NULL);
	if (!e2e_until(operates, &r, 90)) {
		e2e_wait(&r, 0);
		e2e_assert_exit(&r, 75);
	}
	a = arena_of(r.pid);
	assert_non_null(a);
	assert_true(e2e_until(has_synced, a, 60));
	munmap(a, a->len);
	kill(child_of(r.pid), SIGKILL);
	e2e_wait(&r, LIMIT_S);
	e2e_assert_exit(&r, 75);
	e2e_free(&r);
}

/* @lost: the first cell that is to be found missing, or -1. Neighbours are one finding. */
static void verify(const char *dir, s64 lost)
{
	json_t *result, *first;
	struct e2e r;

	E2E(&r, "verify", dir);
	e2e_assert_exit(&r, lost >= 0);
	e2e_free(&r);
	result = e2e_result(e2e_path("%s/verify", strrchr(dir, '/') + 1));
	assert_non_null(result);
	assert_int_equal(e2e_findings(result, NULL) > 0, lost >= 0);
	assert_int_equal(e2e_findings(result, NULL), e2e_findings(result, "not-durable"));
	first = json_array_get(json_object_get(result, "findings"), 0);
	if (lost >= 0)
		assert_int_equal(json_integer_value(json_object_get(first, "cell")), lost);
	assert_true(json_integer_value(json_object_get(json_object_get(result, "counts"),
						       "cells_checked")) > 512);
	json_decref(result);
}

static void copy(const char *from, const char *to)
{
	char command[9000];

	e2e_remove(to);
	snprintf(command, sizeof(command), "cp -r %s %s && mv %s/stressd-%s.img %s/stressd-%s.img",
		 from, to, to, strrchr(from, '/') + 1, to, strrchr(to, '/') + 1);
	assert_int_equal(system(command), 0);
}

/* In the image of @dir some cells become what they were before they were last synced. Returns the
 * first. */
static s64 lose_synced_cells(const char *dir)
{
	struct shadow sh;
	char command[9000], path[4096];
	struct err e;
	s64 first = -1;
	u32 n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/shadow", dir);
	assert_int_equal(shadow_open(path, false, &sh, &e), 0);
	e2e_remove(e2e_path("mnt"));
	assert_int_equal(mkdir(e2e_path("mnt"), 0700), 0);
	snprintf(command, sizeof(command), "mount -o loop %s/stressd-%s.img %s", dir,
		 strrchr(dir, '/') + 1, e2e_path("mnt"));
	assert_int_equal(system(command), 0);
	fd = open(e2e_path("mnt/data"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (u64 i = 0; i < sh.files[0].ncells && n < PLANTED; i++) {
		const struct shadow_cell *c = shadow_cell(&sh, &sh.files[0], i);
		struct stamp was = { .run = sh.run,
				     .gen = CELL_GEN(atomic_load(&c->settled)) - 1,
				     .writer = SHADOW_LAYOUT,
				     .cell = i };
		u8 bytes[512];

		if (!is_certain(&sh.files[0], c))
			continue;
		stamp_fill(bytes, sizeof(bytes), &was);
		assert_int_equal(pwrite(fd, bytes, sizeof(bytes), (off_t)(i * sizeof(bytes))),
				 sizeof(bytes));
		if (!n++)
			first = (s64)i;
	}
	close(fd);
	umount2(e2e_path("mnt"), 0);
	shadow_close(&sh);
	assert_int_equal(n, PLANTED);
	return first;
}

/* Where the disk has no filesystem any more, nothing that was synced is there. */
static void verify_nothing(const char *dir)
{
	char command[9000];
	json_t *result;
	struct e2e r;

	snprintf(command, sizeof(command),
		 "dd if=/dev/zero of=%s/stressd-%s.img bs=1M count=64 conv=notrunc status=none",
		 dir, strrchr(dir, '/') + 1);
	assert_int_equal(system(command), 0);
	E2E(&r, "verify", dir);
	e2e_assert_exit(&r, 1);
	assert_non_null(strstr(r.out, "no ext4 is on the disk"));
	e2e_free(&r);
	result = e2e_result(e2e_path("%s/verify", strrchr(dir, '/') + 1));
	assert_int_equal(e2e_findings(result, "not-durable"), 1);
	json_decref(result);
}

static void a_cut_loses_nothing_that_was_synced(void **state)
{
	char dir[512], lossy[512], gone[512];
	s64 lost;

	(void)state;
	/* e2e_path() forgets its ninth last. */
	snprintf(dir, sizeof(dir), "%s", e2e_path("cut"));
	snprintf(lossy, sizeof(lossy), "%s", e2e_path("lossy"));
	snprintf(gone, sizeof(gone), "%s", e2e_path("gone"));
	cut("ext4", "64M", dir);
	copy(dir, lossy);
	copy(dir, gone);
	lost = lose_synced_cells(lossy);
	verify(dir, -1);
	verify(lossy, lost);
	verify_nothing(gone);
}

static void nor_on_others(void **state)
{
	static const char *const rows[][2] = { { "xfs", "300M" }, { "btrfs", "128M" } };
	char dir[512];

	(void)state;
	snprintf(dir, sizeof(dir), "%s", e2e_path("cut"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cut(rows[i][0], rows[i][1], dir);
		verify(dir, -1);
	}
}

/* stressd vm --cut: both halves in one command, and the exit status is that of the check. */
static void on_purpose(void **state)
{
	static const struct {
		const char *mount;
		int exit;
	} rows[] = { { "", 0 }, { "\"barrier=0\"", 1 } };
	const char *json = e2e_path("append.json");
	char dir[512], text[2048];
	json_t *result, *check;
	struct e2e r;

	(void)state;
	snprintf(dir, sizeof(dir), "%s", e2e_path("purpose"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), APPEND, rows[i].mount);
		e2e_write(json, text);
		e2e_remove(dir);
		e2e_start(&r,
			  (const char *const[]){ "vm", "--kernel", vm_kernel, "--accel", "tcg",
						 "--cut", "2s", "--run-dir", dir, json, NULL },
			  NULL);
		e2e_wait(&r, LIMIT_S);
		e2e_assert_exit(&r, rows[i].exit);
		e2e_free(&r);
		result = e2e_result(e2e_path("purpose"));
		check = e2e_result(e2e_path("purpose/verify"));
		assert_string_equal(json_string_value(json_object_get(result, "verdict")),
				    "incomplete");
		assert_int_equal(e2e_findings(check, "not-durable") > 0, rows[i].exit);
		assert_int_equal(e2e_findings(check, NULL), e2e_findings(check, "not-durable"));
		json_decref(result);
		json_decref(check);
	}
}

/* Requests fail until the filesystem gives up, and with it the machine, as it was told to. */
#define GIVES_UP                                                                                   \
	"{ \"version\": 1, \"name\": \"gives-up\", \"description\": \"test\", \"duration\": "      \
	"\"100s\","                                                                                \
	" \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\", \"mount\": [ "   \
	"\"errors=panic\" ] },"                                                                    \
	" \"files\": [ { \"name\": \"log\", \"size\": \"0\", \"max\": \"8M\", \"layout\": "        \
	"\"empty\" } ],"                                                                           \
	" \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"log\","                      \
	" \"options\": { \"how\": \"append\", \"pause\": \"2ms\" } },"                             \
	" { \"type\": \"syncer\", \"options\": { \"interval\": \"10ms\" } } ],"                    \
	" \"faults\": [ { \"type\": \"fail_make_request\", \"after\": \"2s\","                     \
	" \"options\": { \"interval\": 5, \"times\": 1000 } } ] }"

static void a_panic_that_was_asked_for(void **state)
{
	const char *json = e2e_path("gives-up.json");
	char dir[512];
	json_t *result, *check;
	struct e2e r;

	(void)state;
	snprintf(dir, sizeof(dir), "%s", e2e_path("panic"));
	e2e_write(json, GIVES_UP);
	e2e_start(&r,
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--accel", "tcg", "--run-dir",
					 dir, json, NULL },
		  NULL);
	e2e_wait(&r, LIMIT_S);
	if (r.exit == 4) /* a kernel without CONFIG_FAIL_MAKE_REQUEST */
		skip();
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
	result = e2e_result(e2e_path("panic"));
	check = e2e_result(e2e_path("panic/verify"));
	assert_string_equal(json_string_value(json_object_get(result, "verdict")), "incomplete");
	assert_non_null(strstr(json_string_value(json_object_get(result, "reason")),
			       "took the machine down"));
	assert_string_equal(json_string_value(json_object_get(check, "verdict")), "pass");
	json_decref(result);
	json_decref(check);
}

/* What cannot be checked is not cut. */
static void refused(void **state)
{
	const char *json = e2e_path("append.json"), *plain = e2e_path("plain.json");
	const struct {
		const char *cut, *scenario, *more, *said;
	} rows[] = {
		{ "0", json, NULL, "--cut 0: expected a time like 3s, at least 1s" },
		{ "500ms", json, NULL, "--cut 500ms: expected a time" },
		{ "2s", json, json, "a power cut ends the guest; expected one scenario" },
		{ "2s", plain, NULL, "only an image outlives a power cut" },
	};
	char text[2048];
	struct e2e r;

	(void)state;
	snprintf(text, sizeof(text), APPEND, "");
	e2e_write(json, text);
	e2e_write(plain, "{ \"version\": 1, \"name\": \"plain\", \"target\": { \"type\": "
			 "\"directory\", \"path\": \"/tmp\" }, \"files\": [ { \"name\": \"data\", "
			 "\"size\": \"1M\" } ], \"workers\": [ { \"type\": \"buffered_writer\", "
			 "\"file\": \"data\" } ] }");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		e2e_run(&r,
			(const char *const[]){ "vm", "--kernel", vm_kernel, "--cut", rows[i].cut,
					       rows[i].scenario, rows[i].more, NULL },
			NULL);
		e2e_assert_exit(&r, 2);
		if (!strstr(r.err, rows[i].said))
			fail_msg("row %zu says: %s", i, r.err);
		e2e_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(on_purpose),
		cmocka_unit_test(a_panic_that_was_asked_for),
		cmocka_unit_test(a_cut_loses_nothing_that_was_synced),
		cmocka_unit_test(nor_on_others),
	};

	/* Mounts of this test go with it. */
	if (!can_run_guests() || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
