// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kill sweep (sweep.c) in a guest, as many kernels that people run have few of the faults: for
 * a minute a sample of all changes that runs with faults make, each with something that is done to
 * the run there; after each the machine is as it was within 2 s. With STRESSD_SWEEP=full in the
 * environment all changes of all scenarios of configs/faults: hours in emulation; STRESSD_SWEEP may
 * be other words for sweep.c, too ("sweep.only=quota sweep.how=both"). Then a panic with faults
 * armed: the next boot's `stressd recover` puts back what outlives one. The kernel is
 * $STRESSD_LAB_KERNEL, or a lab kernel beside the checkout; skipped (77) without one.
 */
#include "vmtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_LIMIT_S 300.0
#define FULL_LIMIT_S  36000.0
#define POINTS_MIN    5 /* in the sample, however slow the machine is */

static const char carrier[] =
	"{ \"version\": 1, \"name\": \"sweep\", \"description\": \"test\", \"duration\": \"1s\",\n"
	"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"%s\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],\n"
	"  \"workers\": [ { \"type\": \"reader\", \"file\": \"data\" } ] }\n";

static const char *run_dir(const char *name)
{
	e2e_remove(e2e_path("%s", name));
	return e2e_path("%s", name);
}

/* As `stressd vm` has it for scenarios with such a target, of which the carrier is none. */
#define SCSI_DISKS "scsi_debug.add_host=0 scsi_debug.ndelay=10000 scsi_debug.dev_size_mb=32 "

/* A guest with the sweep in place of stressd, and @asked on its command line. */
static void boot(struct e2e *r, const char *dir, const char *asked, const char *size,
		 double limit_s)
{
	char text[1024], words[512];

	snprintf(words, sizeof(words), SCSI_DISKS "%s", asked);
	snprintf(text, sizeof(text), carrier, size);
	e2e_write(e2e_path("carrier.json"), text);
	e2e_start(r,
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--append", words, "--runner",
					 SWEEP_BIN, "--timeout", "600m", "--run-dir", dir,
					 e2e_path("carrier.json"), NULL },
		  NULL);
	e2e_wait(r, limit_s);
	if (strstr(r->err, "CONFIG_") && r->exit == 4)
		skip();
}

static void sweep(void **state)
{
	const char *asked = getenv("STRESSD_SWEEP"), *line;
	unsigned int points = 0, failed = 0;
	struct e2e r;

	(void)state;
	/* The largest of them all, xfs, decides on the disk. */
	boot(&r, run_dir("run"),
	     !asked		      ? "sweep.seconds=60"
	     : !strcmp(asked, "full") ? "sweep.stride=1"
				      : asked,
	     "384M", asked ? FULL_LIMIT_S : SWEEP_LIMIT_S);
	line = strstr(r.out, "sweep: ");
	if (!line ||
	    sscanf(line, "sweep: %*u scenarios, %u points, %u failed", &points, &failed) != 2)
		fail_msg("the sweep did not come to its end\n%s%s", r.out, r.err);
	fputs(r.out, stdout); /* more than a message of cmocka holds */
	fflush(stdout);
	if (failed || points < POINTS_MIN)
		fail_msg("%u points, %u failed", points, failed);
	e2e_free(&r);
}

static void bad(void **state)
{
	struct e2e r;

	(void)state;
	boot(&r, run_dir("run"), "sweep.bad", "64M", LIMIT_S);
	if (!strstr(r.out, "bad cases: 0 failed"))
		fail_msg("%s%s", r.out, r.err);
	e2e_free(&r);
}

static void panic(void **state)
{
	/* Where the guest of the second boot sees it: memory of the host is not among its files. */
	char base[] = "/var/tmp/stressd-sweep-XXXXXX", first[64], image[128], words[256];
	json_t *result;
	struct e2e r;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(first, sizeof(first), "%s/panic", base);
	snprintf(image, sizeof(image), "%s/stressd-panic.img", first);
	boot(&r, first, "sweep.panic panic=0", "128M", LIMIT_S);
	result = e2e_result(first);
	if (!e2e_exists(image) || e2e_findings(result, "kernel-crash") != 1)
		fail_msg("there was no panic\n%s%s", r.out, r.err);
	json_decref(result);
	e2e_free(&r);
	snprintf(words, sizeof(words), "sweep.after=%s", image);
	boot(&r, run_dir("after"), words, "16M", LIMIT_S);
	e2e_remove(base);
	if (!strstr(r.out, "after a panic: 0 failed"))
		fail_msg("%s%s", r.out, r.err);
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sweep),
		cmocka_unit_test(bad),
		cmocka_unit_test(panic),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
