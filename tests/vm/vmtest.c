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

static bool is_able(bool has_kernel, const char *variable)
{
	if (has_kernel && e2e_privileged() &&
	    system("command -v qemu-system-x86_64 >/dev/null") == 0)
		return true;
	print_message("no such kernel, no QEMU or no root: set %s\n", variable);
	return false;
}

bool can_run_guests(void)
{
	return is_able(find_kernel(), "STRESSD_LAB_KERNEL");
}

bool can_run_new_kernel(void)
{
	const char *given = getenv("STRESSD_NEW_KERNEL");

	snprintf(vm_kernel, sizeof(vm_kernel), "%s", given ? given : "");
	return is_able(vm_kernel[0] != '\0', "STRESSD_NEW_KERNEL");
}

void vm_boot(struct e2e *r, const char *kernel, const char *append, const char *const rows[],
	     double limit_s)
{
	const char *argv[9 + VM_ROWS_MAX + 1] = { "vm",	      "--kernel",  kernel,
						  "--memory", "1G",	   "--append",
						  append,     "--run-dir", e2e_path("run") };

	for (size_t i = 0; rows[i]; i++) {
		assert_true(i < VM_ROWS_MAX);
		argv[9 + i] = rows[i];
	}
	e2e_remove(e2e_path("run"));
	e2e_start(r, argv, NULL);
	e2e_wait(r, limit_s);
	if (r->exit == 4 && strstr(r->err, "CONFIG_"))
		skip();
}

json_t *vm_assert_verdict(const struct e2e *r, const char *row, const char *verdict)
{
	char dir[512];
	json_t *result;
	const char *is;

	snprintf(dir, sizeof(dir), "%s%s", e2e_path("run"), row);
	result = e2e_result(dir);
	is = json_string_value(json_object_get(result, "verdict"));
	if (strcmp(is ? is : "missing", verdict))
		fail_msg("row %s is %s and not %s\n%s%s", row, is ? is : "missing", verdict, r->out,
			 r->err);
	return result;
}

void vm_assert_faulty(const struct e2e *r, const char *row, bool told)
{
	json_t *result = vm_assert_verdict(r, row, "pass");
	json_t *fault = json_array_get(json_object_get(result, "faults"), 0);

	if (json_integer_value(json_object_get(fault, "injected")) == 0 ||
	    (told && json_array_size(json_object_get(fault, "told")) == 0))
		fail_msg("row %s: nothing was injected, or nobody told\n%s", row, r->out);
	json_decref(result);
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
