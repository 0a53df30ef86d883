// SPDX-License-Identifier: GPL-2.0-or-later
/* Knobs of a fault_attr. The kernel fails nothing while the probability is 0: it is the last to be
 * written when arming, and the first when disarming and when putting back. */
#include "faults/attr.h"

#include "base/debugfs.h"
#include "base/fsutil.h"
#include "base/kallsyms.h"
#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KNOB_MAX 128

/* What the options say, and what makes the log fit: each error would print a stack otherwise. */
static const char *const common[] = { "interval", "space", "verbose", "times" };

static void knob(char buf[KNOB_MAX], const char *dir, const char *name)
{
	snprintf(buf, KNOB_MAX, "%.60s/%.60s", dir, name);
}

static int read_number(const char *dir, const char *name, s64 *ret)
{
	char path[KNOB_MAX], text[64];
	int r;

	knob(path, dir, name);
	r = debugfs_read(path, text, sizeof(text));
	if (r == 0)
		*ret = strtoll(text, NULL, 0);
	return r;
}

static int write_text(const char *dir, const char *name, const char *value, struct err *e)
{
	char path[KNOB_MAX];
	int r;

	knob(path, dir, name);
	r = debugfs_write(path, value);
	return r < 0 ? err_set(e, r, "cannot write %s to %s in debugfs: %s", value, path,
			       strerror(-r))
		     : 0;
}

static int write_number(const char *dir, const char *name, u64 value, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return write_text(dir, name, text, e);
}

int attr_check(const void *options, const struct scenario *sc, const struct sc_fault *f,
	       struct err *e)
{
	const struct attr_options *o = options;

	(void)f;
	for (char **name = o->workers; name && *name; name++)
		if (!scenario_has_worker(sc, *name))
			return err_set(e, -EINVAL,
				       "options.workers names %s, and no worker of the scenario is "
				       "one; expected types of its workers",
				       *name);
	return 0;
}

bool attr_has(const char *dir, const char *name)
{
	char path[KNOB_MAX], text[64];

	knob(path, dir, name);
	return debugfs_read(path, text, sizeof(text)) == 0;
}

int attr_probe(const char *dir, const char *config, struct err *e)
{
	s64 probability = 0;
	int r = read_number(dir, "probability", &probability);

	if (r == -EPERM || r == -EACCES)
		return err_set(e, -EACCES,
			       "%s needs root and a kernel that is not locked down "
			       "(kernel_lockdown(7)): debugfs cannot be read",
			       dir);
	if (r < 0)
		return err_set(e, -EOPNOTSUPP,
			       "there is no %s in debugfs (%s); boot a kernel with "
			       "CONFIG_FAULT_INJECTION, CONFIG_FAULT_INJECTION_DEBUG_FS and %s",
			       dir, strerror(-r), config);
	r = debugfs_claim(dir);
	if (r == -EBUSY)
		return err_set(e, r,
			       "another run of stressd has the knobs of %s, which are one for the "
			       "whole machine; wait for its end",
			       dir);
	if (r < 0)
		return err_set(e, r, "%s in debugfs: %s", dir, strerror(-r));
	if (probability)
		return err_set(e, -EBUSY,
			       "%s is in use: its probability is %lld; wait for the run that set "
			       "it, or run `stressd recover`",
			       dir, (long long)probability);
	return 0;
}

int attr_probe_callers(const struct fault *f, const char *dir, struct err *e)
{
	FAULT_OPTIONS(attr_options, f);

	if ((!o->within && !o->outside) || attr_has(dir, "require-start"))
		return 0;
	return err_set(e, -EOPNOTSUPP,
		       "%s cannot ask who called: there is no %s/require-start in debugfs; boot a "
		       "kernel with CONFIG_FAULT_INJECTION_STACKTRACE_FILTER (on x86-64 since "
		       "Linux 6.2), or leave options.within and options.outside out",
		       dir, dir);
}

/* @range gets the addresses of @function; NULL: none. */
static int find_range(const char *function, struct attr_range *range, struct err *e)
{
	u64 start = 0, end = 0;
	int r = function ? kallsyms_range(function, &start, &end) : 0;

	if (r == -EACCES)
		return err_set(e, r,
			       "/proc/kallsyms shows no addresses; set kernel.kptr_restrict to 1 "
			       "(sysctl(8))");
	if (r < 0)
		return err_set(e, r,
			       "no function %s in /proc/kallsyms: %s; it may be inlined, or of a "
			       "module that is not loaded",
			       function, strerror(-r));
	snprintf(range->start, sizeof(range->start), "%#llx", (unsigned long long)start);
	snprintf(range->end, sizeof(range->end), "%#llx", (unsigned long long)end);
	return 0;
}

#define CALLER_KNOBS 5

/* The knobs that ask who called, and what they are given. Returns how many: 0 where the options
 * ask nothing. */
static size_t caller_knobs(const struct fault *f, struct attr_knob k[CALLER_KNOBS])
{
	FAULT_OPTIONS(attr_options, f);
	FAULT_STATE(attr_state, f);
	size_t n = 0;

	if (o->within) {
		k[n].name = "require-start";
		strcpy(k[n++].value, st->within.start);
		k[n].name = "require-end";
		strcpy(k[n++].value, st->within.end);
	}
	if (o->outside) {
		k[n].name = "reject-start";
		strcpy(k[n++].value, st->outside.start);
		k[n].name = "reject-end";
		strcpy(k[n++].value, st->outside.end);
	}
	if (n) {
		k[n].name = "stacktrace-depth";
		snprintf(k[n++].value, sizeof(k->value), "%llu", (unsigned long long)o->depth);
	}
	return n;
}

static int save_one(struct fault *f, const char *dir, const char *name, struct err *e)
{
	char path[KNOB_MAX];

	knob(path, dir, name);
	return fault_save_knob(f, path, e);
}

int attr_save(struct fault *f, const char *dir, const struct attr_knob *extra, struct err *e)
{
	FAULT_OPTIONS(attr_options, f);
	FAULT_STATE(attr_state, f);
	struct attr_knob callers[CALLER_KNOBS];
	int r = find_range(o->within, &st->within, e);
	size_t n;

	if (r == 0)
		r = find_range(o->outside, &st->outside, e);
	for (size_t i = 0; i < ARRAY_SIZE(common) && r == 0; i++)
		r = save_one(f, dir, common[i], e);
	for (; extra && extra->name && r == 0; extra++)
		r = save_one(f, dir, extra->name, e);
	n = caller_knobs(f, callers);
	for (size_t i = 0; i < n && r == 0; i++)
		r = save_one(f, dir, callers[i].name, e);
	return r < 0 ? r : save_one(f, dir, "probability", e);
}

int attr_arm(struct fault *f, const char *dir, const struct attr_knob *extra, struct err *e)
{
	FAULT_OPTIONS(attr_options, f);
	FAULT_STATE(attr_state, f);
	const u64 values[ARRAY_SIZE(common)] = { o->interval, o->space, 0, o->times };
	struct attr_knob callers[CALLER_KNOBS];
	size_t n = caller_knobs(f, callers);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(common) && r == 0; i++)
		r = write_number(dir, common[i], values[i], e);
	for (; extra && extra->name && r == 0; extra++)
		r = write_text(dir, extra->name, extra->value, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = write_text(dir, callers[i].name, callers[i].value, e);
	st->set = r == 0;
	return r < 0 ? r : write_number(dir, "probability", o->probability, e);
}

/* Errors since the last arming. */
static u64 used(const struct fault *f, const char *dir)
{
	FAULT_OPTIONS(attr_options, f);
	FAULT_STATE(attr_state, f);
	s64 left = 0;

	if (!st->set || read_number(dir, "times", &left) < 0)
		return 0;
	return o->times - MIN((u64)MAX(left, (s64)0), o->times);
}

int attr_disarm(struct fault *f, const char *dir, struct err *e)
{
	FAULT_STATE(attr_state, f);
	int r = write_number(dir, "probability", 0, e);

	st->injected += used(f, dir);
	st->set = false;
	return r;
}

bool attr_is_armed(const char *dir)
{
	s64 probability = 0, times = 0;

	return read_number(dir, "probability", &probability) == 0 && probability &&
	       read_number(dir, "times", &times) == 0 && times;
}

u64 attr_injected(const struct fault *f, const char *dir)
{
	FAULT_STATE(attr_state, f);

	return st->injected + used(f, dir);
}

static bool is_named(const struct attr_options *o, const char *type)
{
	return !o->workers || !o->workers[0] ||
	       option_choice((const char *const *)o->workers, type) >= 0;
}

int attr_mark_tasks(const struct fault *f, bool on, struct err *e)
{
	FAULT_OPTIONS(attr_options, f);

	for (size_t i = 0; i < f->ntasks; i++) {
		char path[64];
		int r;

		if (!is_named(o, f->tasks[i].type))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/make-it-fail", f->tasks[i].pid);
		r = attr_write(path, on ? "1" : "0");
		/* One that has ended needs no mark. */
		if (r < 0 && access("/proc/self/make-it-fail", F_OK) < 0)
			return err_set(e, r, "%s: %s; CONFIG_FAULT_INJECTION is needed", path,
				       strerror(-r));
	}
	return 0;
}
