// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel is looked for once, by whoever asks whether guests can be run. */
#include "vmtest.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BESIDE SOURCE_DIR "/../shared/kernels/bzImage-*"

char vm_kernel[4096];

static bool find_kernel(void)
{
	const char *given = getenv("STRESSD_LAB_KERNEL");
	glob_t g = { 0 };

	if (given)
		snprintf(vm_kernel, sizeof(vm_kernel), "%s", given);
	else if (glob(BESIDE, 0, NULL, &g) == 0)
		snprintf(vm_kernel, sizeof(vm_kernel), "%s", g.gl_pathv[0]);
	globfree(&g);
	return vm_kernel[0] != '\0';
}

bool can_run_guests(void)
{
	if (e2e_privileged() && find_kernel() &&
	    system("command -v qemu-system-x86_64 >/dev/null") == 0)
		return true;
	print_message("no lab kernel, no QEMU or no root: set STRESSD_LAB_KERNEL\n");
	return false;
}

pid_t child_of(pid_t parent)
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

bool operates(void *ctx)
{
	const struct e2e *r = ctx;
	char text[4096] = "";

	return pread(r->err_fd, text, sizeof(text) - 1, 0) > 0 && strstr(text, "first operation");
}
