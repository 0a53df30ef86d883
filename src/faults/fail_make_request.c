// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fail_make_request: requests to the target's device end in EIO before the driver sees them. Reads,
 * writes and flushes alike: the kernel draws by bytes and by task, not by direction. "task_filter"
 * keeps to requests that a worker submits itself: direct I/O, reads, and the writeback that it
 * does within fsync or msync. What a kernel thread writes back or logs then passes, though the
 * data is the worker's. (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

#include "base/fsutil.h"

#include <errno.h>
#include <string.h>

#define DIR "fail_make_request"

struct fail_make_request {
	struct attr_options attr;
	bool task_filter;
};

struct fail_make_request_state {
	struct attr_state attr;
	char make_it_fail[128];
};

static const struct opt_def options[] = {
	ATTR_OPTIONS,
	OPT(struct fail_make_request, task_filter, OPT_BOOL, .def = "false",
	    .help = "only what workers submit themselves; writeback by kernel threads escapes"),
	{ 0 },
};

/* Without the filter the kernel asks nobody for a mark. */
static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct fail_make_request *o = block;

	if (o->attr.workers && o->attr.workers[0] && !o->task_filter)
		return err_set(e, -EINVAL,
			       "options.workers says whose requests fail, and options.task_filter "
			       "is off; expected \"task_filter\": true");
	return attr_check(block, sc, f, e);
}

static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	return attr_probe(DIR, "CONFIG_FAIL_MAKE_REQUEST", e);
}

/* The last knob of all is the device's: until it is set the others do nothing to it. */
static const struct attr_knob *knobs(const struct fault *f)
{
	static const struct attr_knob all[] = { { "task-filter", "N" }, { NULL, "" } };
	static const struct attr_knob marked[] = { { "task-filter", "Y" }, { NULL, "" } };
	FAULT_OPTIONS(fail_make_request, f);

	return o->task_filter ? marked : all;
}

static int save(struct fault *f, struct err *e)
{
	FAULT_STATE(fail_make_request_state, f);
	const char *name = strrchr(f->target->device, '/');
	int r;

	if (!name)
		return err_set(e, -ENODEV, "there is no block device under this target");
	/* Of a partition the partition's own: the disk's would hit its neighbours. */
	r = path_set(st->make_it_fail, sizeof(st->make_it_fail), "/sys/class/block%s/make-it-fail",
		     name);
	if (r == 0)
		r = attr_save(f, DIR, knobs(f), e);
	return r < 0 ? r : fault_save_attr(f, st->make_it_fail, e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(fail_make_request, f);
	FAULT_STATE(fail_make_request_state, f);
	int r = o->task_filter ? attr_mark_tasks(f, true, e) : 0;

	if (r == 0)
		r = attr_arm(f, DIR, knobs(f), e);
	if (r < 0)
		return r;
	r = attr_write(st->make_it_fail, "1");
	return r < 0 ? err_set(e, r, "%s: %s", st->make_it_fail, strerror(-r)) : 0;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(fail_make_request, f);
	FAULT_STATE(fail_make_request_state, f);
	struct err ignored;
	int r = attr_write(st->make_it_fail, "0");

	if (r < 0)
		err_set(e, r, "%s: %s", st->make_it_fail, strerror(-r));
	if (o->task_filter)
		attr_mark_tasks(f, false, &ignored);
	return attr_disarm(f, DIR, r < 0 ? &ignored : e) < 0 && r == 0 ? -EIO : r;
}

static bool is_armed(const struct fault *f)
{
	FAULT_STATE(fail_make_request_state, f);
	char on[16] = "0";

	return attr_is_armed(DIR) && attr_read(st->make_it_fail, on, sizeof(on)) == 0 &&
	       strcmp(on, "0") != 0;
}

static u64 injected(const struct fault *f)
{
	return attr_injected(f, DIR);
}

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_fail_make_request;
const struct fault_type fault_fail_make_request = {
	.name = "fail_make_request",
	.help = "requests to the target's device end in EIO: CONFIG_FAIL_MAKE_REQUEST",
	.options = options,
	.options_size = sizeof(struct fail_make_request),
	.state_size = sizeof(struct fail_make_request_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAIL_MAKE_REQUEST",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = fault_log_device_errors,
	.log_after = fault_log_device_failed,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = injected,
	.source = "fail_make_request/times: the kernel counts it down once an error",
};
