/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of targets share: a scratch directory in a private mount namespace, options
 * decoded from the target's own table, a target with its journal, and waiting for loop devices
 * to be gone. Each test program includes it once. */
#ifndef STRESSD_TARGET_FIXTURE_H
#define STRESSD_TARGET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/loopdev.h"
#include "base/mounts.h"
#include "base/units.h"
#include "undo/janitor.h"
#include "stamp.h"
#include "target/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DEADLINE_NS (2 * NSEC_PER_SEC)
#define BLOCK	    4096

static char base[256];
static struct err e; /* of the last call */

static int make_base(void **state)
{

	(void)state;
	strcpy(base, "/tmp/stressd-target-XXXXXX");
	if (!mkdtemp(base) || target_private_mounts(&e) < 0)
		return -1;
	return 0;
}

static int drop_base(void **state)
{
	(void)state;
	return rm_rf(base);
}

/* Decode by the type's own table what a scenario would say: "name=value" or the default. */
static void *decode(const struct target_type *type, const char *const values[])
{
	char *block = calloc(1, type->options_size);

	opt_foreach (o, type->options) {
		const char *text = o->def;
		char **list;

		for (size_t i = 0; values && values[i]; i++)
			if (!strncmp(values[i], o->name, strlen(o->name)) &&
			    values[i][strlen(o->name)] == '=')
				text = values[i] + strlen(o->name) + 1;
		switch (o->type) {
		case OPT_BOOL:
			*(bool *)(block + o->offset) = !strcmp(text, "true");
			break;
		case OPT_SIZE:
			assert_int_equal(parse_size(text, (u64 *)(block + o->offset)), 0);
			break;
		case OPT_COUNT:
			assert_int_equal(parse_count(text, (u64 *)(block + o->offset)), 0);
			break;
		case OPT_ENUM:
			for (int i = 0; o->choices[i]; i++)
				if (!strcmp(o->choices[i], text))
					*(int *)(block + o->offset) = i;
			break;
		case OPT_ENUM_SET:
			for (int i = 0; o->choices[i]; i++)
				if (strstr(text, o->choices[i]))
					*(u64 *)(block + o->offset) |= 1ULL << i;
			break;
		case OPT_STRING:
			*(const char **)(block + o->offset) = text;
			break;
		case OPT_STRINGS:
			list = calloc(2, sizeof(*list));
			list[0] = *text ? (char *)text : NULL;
			*(char ***)(block + o->offset) = list;
			break;
		default:
			fail_msg("%s: no such type in targets", o->name);
		}
	}
	return block;
}

static void free_options(const struct target_type *type, void *options)
{
	opt_foreach (o, type->options)
		if (o->type == OPT_STRINGS)
			free(*(char ***)((char *)options + o->offset));
	free(options);
}

struct fixture {
	struct scenario sc;
	struct target t;
	struct undo *u;
	char run_dir[300];
};

static inline void begin(struct fixture *f, const char *run, const char *type,
			 const char *const values[])
{

	*f = (struct fixture){ 0 };
	f->sc.target.type = target_type_by_name(type);
	assert_non_null(f->sc.target.type);
	f->sc.target.options = decode(f->sc.target.type, values);
	snprintf(f->run_dir, sizeof(f->run_dir), "%s/%s", base, run);
	assert_int_equal(mkdir_p(f->run_dir, 0700), 0);
	if (undo_create(base, run, &f->u, &e) < 0)
		fail_msg("%s", e.text);
	target_init(&f->t, &f->sc, f->run_dir, f->u, false);
}

static inline void end(struct fixture *f)
{
	undo_close(f->u);
	free_options(f->sc.target.type, f->sc.target.options);
	assert_int_equal(rm_rf(f->run_dir), 0);
}

#define OK(call)                                                                                   \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ < 0)                                                                        \
			fail_msg("%s: %d: %s", #call, r_, e.text);                                 \
	} while (0)

static bool any_loop_below_base(void)
{
	_cleanup_closedir_ DIR *d = opendir("/sys/block");
	char path[600], file[4096];
	struct dirent *de;

	while ((de = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", de->d_name);
		if (!strncmp(de->d_name, "loop", 4) && attr_read(path, file, sizeof(file)) == 0 &&
		    !strncmp(file, base, strlen(base)))
			return true;
	}
	return false;
}

static inline bool loops_go(void)
{
	u64 end_ns = now_ns() + DEADLINE_NS;

	while (any_loop_below_base() && now_ns() < end_ns)
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	return !any_loop_below_base();
}

#endif
