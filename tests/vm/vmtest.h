/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of guests share: the kernel to boot, and looking at a `stressd vm` that runs. */
#ifndef STRESSD_VMTEST_H
#define STRESSD_VMTEST_H

#include "e2e.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BESIDE	SOURCE_DIR "/../shared/kernels/bzImage-*"
#define LIMIT_S 150.0

static char kernel[4096];

static inline bool find_kernel(void)
{
	const char *given = getenv("STRESSD_LAB_KERNEL");
	glob_t g = { 0 };

	if (given)
		snprintf(kernel, sizeof(kernel), "%s", given);
	else if (glob(BESIDE, 0, NULL, &g) == 0)
		snprintf(kernel, sizeof(kernel), "%s", g.gl_pathv[0]);
	globfree(&g);
	return kernel[0] != '\0';
}

/* Skipped without one of these. */
static inline bool can_run_guests(void)
{
	if (e2e_privileged() && find_kernel() &&
	    system("command -v qemu-system-x86_64 >/dev/null") == 0)
		return true;
	print_message("no lab kernel, no QEMU or no root: set STRESSD_LAB_KERNEL\n");
	return false;
}

/* The QEMU that @parent started; 0: not yet. */
static inline pid_t child_of(pid_t parent)
{
	char path[64];
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid;
}

/* Workers are at work in the guest: `stressd vm` said so. @ctx: struct e2e. */
static inline bool operates(void *ctx)
{
	const struct e2e *r = ctx;
	char text[4096] = "";

	return pread(r->err_fd, text, sizeof(text) - 1, 0) > 0 && strstr(text, "first operation");
}

#endif
