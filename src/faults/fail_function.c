// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fail_function: a function of the kernel returns an error instead of doing its work, when a worker
 * calls it. Which functions may is the kernel's list, error_injection/list in debugfs: system calls
 * (__x64_sys_pwrite64), allocation, submission, many of btrfs.
 * (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

#include "base/cleanup.h"
#include "base/debugfs.h"
#include "base/fsutil.h"
#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIR	 "fail_function"
#define INJECT	 DIR "/inject"
#define LIST	 "error_injection/list"
#define LIST_MAX (4 * MIB)

static const char *const error_names[] = { "EIO", "ENOMEM", "ENOSPC", NULL };
static const int errnos[] = { EIO, ENOMEM, ENOSPC, 0 };

struct fail_function {
	struct attr_options attr;
	char *function;
	int error;
};

struct fail_function_state {
	struct attr_state attr;
	bool takes_errno; /* others return NULL, or true, and nothing else */
};

static const struct opt_def options[] = {
	ATTR_OPTIONS,
	OPT(struct fail_function, function, OPT_STRING, .required = true, .max = "100",
	    .pattern = "^[A-Za-z_][A-Za-z0-9_.]*$", .expects = "the name of a function",
	    .help = "one of error_injection/list in debugfs"),
	OPT(struct fail_function, error, OPT_ENUM, .def = "EIO", .choices = error_names,
	    .help = "what it returns, if it returns errors"),
	{ 0 },
};

/* The word behind the function in the list, such as ERRNO. 0 or -errno; -ENOENT: not listed. */
static int find_function(const char *function, char type[32])
{
	_cleanup_free_ char *list = NULL;
	char *save = NULL;
	int r = debugfs_read_all(LIST, LIST_MAX, &list);

	if (r < 0)
		return r;
	for (char *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[128];

		if (sscanf(line, "%127s %31s", name, type) == 2 && !strcmp(name, function))
			return 0;
	}
	return -ENOENT;
}

static int probe(const struct fault *f, struct err *e)
{
	FAULT_OPTIONS(fail_function, f);
	FAULT_STATE(fail_function_state, f);
	char now[1024], type[32];
	int r = attr_probe(DIR, "CONFIG_FAIL_FUNCTION", e);

	if (r == 0)
		r = attr_probe_callers(f, DIR, e);
	if (r < 0)
		return r;
	if (debugfs_read(INJECT, now, sizeof(now)) == 0 && now[0])
		return err_set(e, -EBUSY,
			       "fail_function is in use for %.100s; wait for the run that set it, "
			       "or run `stressd recover`",
			       now);
	r = find_function(o->function, type);
	if (r < 0)
		return err_set(e, -EOPNOTSUPP,
			       "%s cannot be made to fail by this kernel (%s); see "
			       "/sys/kernel/debug/" LIST ", and CONFIG_FUNCTION_ERROR_INJECTION",
			       o->function, strerror(-r));
	st->takes_errno = !strncmp(type, "ERRNO", 5);
	return 0;
}

static const struct attr_knob only_workers[] = { { "task-filter", "Y" }, { NULL, "" } };

/* A blank takes all functions out; nobody else had one in. */
static int save(struct fault *f, struct err *e)
{
	int r = fault_save(f, UNDO_KNOB, INJECT, " ", NULL, e);

	return r < 0 ? r : attr_save(f, DIR, only_workers, e);
}

static int write_knob(const char *knob, const char *value, struct err *e)
{
	int r = debugfs_write(knob, value);

	return r < 0 ? err_set(e, r, "cannot write %s to %s in debugfs: %s", value, knob,
			       strerror(-r))
		     : 0;
}

/* The kernel wants it unsigned: -EIO as 0xfffffffffffffffb. */
static int set_error(const struct fault *f, struct err *e)
{
	FAULT_OPTIONS(fail_function, f);
	char knob[160], value[32];

	snprintf(knob, sizeof(knob), DIR "/%.100s/retval", o->function);
	snprintf(value, sizeof(value), "%#llx", (unsigned long long)-(long long)errnos[o->error]);
	return write_knob(knob, value, e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(fail_function, f);
	FAULT_STATE(fail_function_state, f);
	int r = attr_mark_tasks(f, true, e);

	if (r == 0)
		r = write_knob(INJECT, o->function, e);
	if (r == 0 && st->takes_errno)
		r = set_error(f, e);
	return r < 0 ? r : attr_arm(f, DIR, only_workers, e);
}

static int disarm(struct fault *f, struct err *e)
{
	struct err ignored;
	int r = attr_disarm(f, DIR, e), out = write_knob(INJECT, " ", r < 0 ? &ignored : e);

	attr_mark_tasks(f, false, &ignored);
	return r < 0 ? r : out;
}

static bool is_armed(const struct fault *f)
{
	char now[1024];

	(void)f;
	return attr_is_armed(DIR) ||
	       (debugfs_read(INJECT, now, sizeof(now)) == 0 && now[0] != '\0');
}

static u64 injected(const struct fault *f)
{
	return attr_injected(f, DIR);
}

extern const struct fault_type fault_fail_function;
const struct fault_type fault_fail_function = {
	.name = "fail_function",
	.help = "a kernel function returns an error when a worker calls it: CONFIG_FAIL_FUNCTION",
	.options = options,
	.options_size = sizeof(struct fail_function),
	.state_size = sizeof(struct fail_function_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAIL_FUNCTION",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = fault_log_device_errors,
	.log_after = fault_log_data_failed,
	.check = attr_check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = injected,
	.source = "fail_function/times: the kernel counts it down once an error",
};
