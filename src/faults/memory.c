// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory: the workers live in a control group that may use little memory. Beyond memory.high the
 * kernel reclaims from whoever allocates: dirty pages are written back by the writers themselves,
 * clean ones go while they are looked at. Nothing may fail for it, and nobody is killed, as
 * memory.max would have it. (Documentation/admin-guide/cgroup-v2.rst)
 */
#include "faults/fault.h"

#include "base/cgroup.h"
#include "base/claim.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct memory {
	struct range limit;
	u64 reclaim, breathe;
};

struct memory_state {
	char dir[256];
	bool joined;
};

static const struct opt_def options[] = {
	OPT(struct memory, limit, OPT_SIZE_RANGE, .def = "8M..64M", .min = "4M", .max = "1T",
	    .help = "memory.high, drawn anew each time"),
	OPT(struct memory, reclaim, OPT_SIZE, .def = "0", .max = "1G",
	    .help = "bytes to reclaim at each breath besides"),
	OPT(struct memory, breathe, OPT_TIME, .def = "0ms", .max = "1h",
	    .help = "how often the limit is drawn anew; 0ms: never"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct memory *o = block;

	(void)sc;
	(void)f;
	if (o->reclaim && !o->breathe)
		return err_set(e, -EINVAL,
			       "options.reclaim is done at each breath, and options.breathe is "
			       "never; expected a time such as \"100ms\"");
	return 0;
}

static int in_group(const struct fault *f, const char *name, char path[300])
{
	FAULT_STATE(memory_state, f);

	return path_set(path, 300, "%s/%s", st->dir, name);
}

static int write_limit(const struct fault *f, const char *name, const char *value)
{
	char path[300];
	int r = in_group(f, name, path);

	return r < 0 ? r : attr_write(path, value);
}

static bool has_word(const char *path, const char *word)
{
	char text[512], *save = NULL;

	if (attr_read(path, text, sizeof(text)) < 0)
		return false;
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!strcmp(w, word))
			return true;
	return false;
}

/* Who hands the controller down takes it away again at its end, and all groups below lose their
 * limits: nobody else may rely on it until then. */
static int claim_controller(const char *root, bool hands_down, struct err *e)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : claim_take(fd, hands_down);

	if (r == -EBUSY)
		return err_set(e, r,
			       "another run of stressd uses the memory controller of %s, which is "
			       "handed down for one of you only; wait for its end, or hand it down "
			       "for good: echo +memory > %s/cgroup.subtree_control",
			       root, root);
	return r < 0 ? err_set(e, r, "%s: %s", root, strerror(-r)) : 0;
}

static int probe(const struct fault *f, struct err *e)
{
	char root[200], path[256];

	(void)f;
	if (cgroup_root(root, sizeof(root)) < 0)
		return err_set(e, -EOPNOTSUPP,
			       "no cgroup v2 is mounted here; boot a kernel with CONFIG_CGROUPS "
			       "and CONFIG_MEMCG, and systemd.unified_cgroup_hierarchy=1");
	path_set(path, sizeof(path), "%s/cgroup.controllers", root);
	if (!has_word(path, "memory"))
		return err_set(e, -EOPNOTSUPP,
			       "there is no memory controller in %s: boot a kernel with "
			       "CONFIG_MEMCG, and without cgroup_disable=memory",
			       root);
	path_set(path, sizeof(path), "%s/cgroup.subtree_control", root);
	if (access(path, W_OK) < 0 || geteuid() != 0)
		return err_set(e, -EACCES, "%s cannot be written; run as root", path);
	return claim_controller(root, !has_word(path, "memory"), e);
}

/* The controller has to be handed down from the root first, where nobody did that. */
static int hand_down(struct fault *f, const char *root, struct err *e)
{
	char path[256];
	int r = path_set(path, sizeof(path), "%s/cgroup.subtree_control", root);

	if (r < 0 || has_word(path, "memory"))
		return r;
	r = fault_save(f, UNDO_SYSCTL, path, "-memory", NULL, e);
	if (r < 0)
		return r;
	r = attr_write(path, "+memory");
	return r < 0 ? err_set(e, r,
			       "%s: the memory controller cannot be handed down: %s; is this a "
			       "container?",
			       path, strerror(-r))
		     : 0;
}

static int save(struct fault *f, struct err *e)
{
	FAULT_STATE(memory_state, f);
	char root[200];
	int r = cgroup_root(root, sizeof(root));

	if (r == 0)
		r = path_set(st->dir, sizeof(st->dir), "%s/stressd-%d", root, getpid());
	if (r < 0)
		return err_set(e, r, "no cgroup v2 is mounted here");
	r = hand_down(f, root, e);
	if (r == 0)
		r = fault_save(f, UNDO_CGROUP, st->dir, NULL, NULL, e);
	if (r == 0 && mkdir(st->dir, 0700) < 0)
		r = err_set(e, -errno, "%s: %s", st->dir, strerror(errno));
	change("made", st->dir);
	return r;
}

/* Once: whoever they fork is in it, too. One that has ended is no matter. */
static int join(struct fault *f)
{
	FAULT_STATE(memory_state, f);
	int r = 0;

	for (size_t i = 0; i < f->ntasks && !st->joined; i++) {
		char pid[16];
		int one;

		snprintf(pid, sizeof(pid), "%d", f->tasks[i].pid);
		one = write_limit(f, "cgroup.procs", pid);
		if (one < 0 && one != -ESRCH)
			r = one;
	}
	st->joined = r == 0;
	return r;
}

static int draw(struct fault *f)
{
	FAULT_OPTIONS(memory, f);
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)rng_in(&f->rng, o->limit));
	return write_limit(f, "memory.high", text);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_STATE(memory_state, f);
	int r = join(f);

	if (r == 0)
		r = draw(f);
	return r < 0 ? err_set(e, r, "%s: %s", st->dir, strerror(-r)) : 0;
}

/* That less than asked for could be reclaimed is no error. */
static void breathe(struct fault *f)
{
	FAULT_OPTIONS(memory, f);
	char text[24];

	draw(f);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)o->reclaim);
	if (o->reclaim)
		write_limit(f, "memory.reclaim", text);
}

static u64 breathe_ns(const struct fault *f)
{
	FAULT_OPTIONS(memory, f);

	return o->breathe;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_STATE(memory_state, f);
	int r = write_limit(f, "memory.high", "max");

	return r < 0 ? err_set(e, r, "%s/memory.high: %s", st->dir, strerror(-r)) : 0;
}

static bool is_armed(const struct fault *f)
{
	char path[300], now[32];

	return in_group(f, "memory.high", path) == 0 && attr_read(path, now, sizeof(now)) == 0 &&
	       strcmp(now, "max") != 0;
}

extern const struct fault_type fault_memory;
const struct fault_type fault_memory = {
	.name = "memory",
	.help = "the workers' control group may use little memory: CONFIG_MEMCG",
	.options = options,
	.options_size = sizeof(struct memory),
	.state_size = sizeof(struct memory_state),
	.kconfig = "MEMCG",
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.step = breathe,
	.step_ns = breathe_ns,
	.disarm = disarm,
	.is_armed = is_armed,
	.source = "times that the limit was set",
};
