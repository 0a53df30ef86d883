// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libdevmapper, a task at a time. It prints nothing, and keeps nothing open between two calls: the
 * janitor closes all descriptors that it does not know, and workers inherit none.
 */
#include "base/dmdev.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <fcntl.h>
#include <libdevmapper.h>
#include <string.h>
#include <unistd.h>

#define POLL_NS (10 * NSEC_PER_MSEC)

static void __attribute__((format(printf, 5, 6)))
say_nothing(int level, const char *file, int line, int dm_errno, const char *fmt, ...)
{
	(void)level, (void)file, (void)line, (void)dm_errno, (void)fmt;
}

static void end_task(struct dm_task **t)
{
	if (*t)
		dm_task_destroy(*t);
	dm_lib_release();
}

#define _cleanup_task_ _cleanup_(end_task)

/* A task for device @name, NULL: for none. NULL without memory. */
static struct dm_task *new_task(int type, const char *name)
{
	struct dm_task *t;

	dm_log_with_errno_init(say_nothing);
	dm_udev_set_sync_support(0);
	/* Names are made of plain characters: what is not to be escaped must not be refused. */
	dm_set_name_mangling_mode(DM_STRING_MANGLING_NONE);
	t = dm_task_create(type);
	if (t && name && !dm_task_set_name(t, name)) {
		dm_task_destroy(t);
		return NULL;
	}
	return t;
}

static int run(struct dm_task *t)
{
	if (!t)
		return -ENOMEM;
	if (dm_task_run(t))
		return 0;
	return dm_task_get_errno(t) ? -dm_task_get_errno(t) : -EIO;
}

static bool has_driver(void)
{
	_cleanup_free_ char *misc = NULL;

	return read_file("/proc/misc", MIB, &misc, NULL) == 0 && strstr(misc, " device-mapper\n");
}

int dmdev_have(const char *type)
{
	_cleanup_task_ struct dm_task *t = new_task(DM_DEVICE_GET_TARGET_VERSION, type);
	int r;

	if (geteuid() != 0)
		return -EACCES;
	r = run(t);
	if (r == 0)
		return 0;
	/* The node may be there without the driver. (Documentation/admin-guide/devices.txt) */
	return has_driver() ? -EOPNOTSUPP : -ENODEV;
}

/* Each line of @table into @t. */
static int add_table(struct dm_task *t, const char *table)
{
	_cleanup_free_ char *text = strdup(table);
	char *save = NULL;
	int n = 0;

	if (!t || !text)
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long start, len;
		char type[32];
		int at = 0;

		if (sscanf(line, "%llu %llu %31s %n", &start, &len, type, &at) < 3 || !at)
			return -EINVAL;
		if (!dm_task_add_target(t, start, len, type, line + at))
			return -ENOMEM;
		n++;
	}
	return n ? 0 : -EINVAL;
}

int dmdev_create(const char *name, const char *uuid, const char *table, char node[DMDEV_NODE_MAX])
{
	_cleanup_task_ struct dm_task *t = new_task(DM_DEVICE_CREATE, name);
	struct dm_info info;
	int r = add_table(t, table);

	if (r == 0 && !dm_task_set_uuid(t, uuid))
		r = -EINVAL;
	if (r == 0)
		r = run(t);
	if (r < 0)
		return r;
	change("made", name);
	if (!dm_task_get_info(t, &info) || !info.exists)
		return -ENODEV;
	return path_set(node, DMDEV_NODE_MAX, "/dev/dm-%u", info.minor);
}

bool dmdev_is(const char *name, const char *uuid)
{
	_cleanup_task_ struct dm_task *t = new_task(DM_DEVICE_INFO, name);
	struct dm_info info;
	const char *has;

	if (run(t) < 0 || !dm_task_get_info(t, &info) || !info.exists)
		return false;
	has = dm_task_get_uuid(t);
	return has && !strcmp(has, uuid);
}

static int simple(int type, const char *name, bool skip_lockfs)
{
	_cleanup_task_ struct dm_task *t = new_task(type, name);

	if (t && skip_lockfs && !dm_task_skip_lockfs(t))
		return -ENOMEM;
	return run(t);
}

static int load(const char *name, const char *table)
{
	_cleanup_task_ struct dm_task *t = new_task(DM_DEVICE_RELOAD, name);
	int r = add_table(t, table);

	return r < 0 ? r : run(t);
}

int dmdev_reload(const char *name, const char *table)
{
	int r = load(name, table);

	if (r < 0)
		return r;
	change("loaded a table of", name);
	/* It waits for what is in flight, and a signal breaks that off. (dm_suspend()) */
	do
		r = simple(DM_DEVICE_RESUME, name, true);
	while (r == -EINTR);
	change("swapped the table of", name);
	if (r < 0)
		simple(DM_DEVICE_CLEAR, name, false);
	return r;
}

int dmdev_table(const char *name, bool status, char *buf, size_t size)
{
	_cleanup_task_ struct dm_task *t =
		new_task(status ? DM_DEVICE_STATUS : DM_DEVICE_TABLE, name);
	struct dm_info info;
	size_t n = 0;
	void *next = NULL;
	int r = run(t);

	buf[0] = '\0';
	if (r == 0 && (!dm_task_get_info(t, &info) || !info.exists))
		r = -ENXIO;
	while (r == 0) {
		char *type = NULL, *params = NULL;
		u64 start, len;

		next = dm_get_next_target(t, next, &start, &len, &type, &params);
		if (type)
			n += (size_t)snprintf(buf + n, size - n, "%s%llu %llu %s %s", n ? "\n" : "",
					      (unsigned long long)start, (unsigned long long)len,
					      type, params ? params : "");
		if (n >= size)
			return -EFBIG;
		if (!next)
			break;
	}
	return r;
}

int dmdev_message(const char *name, const char *text)
{
	_cleanup_task_ struct dm_task *t = new_task(DM_DEVICE_TARGET_MSG, name);

	if (t && (!dm_task_set_sector(t, 0) || !dm_task_set_message(t, text)))
		return -ENOMEM;
	int r = run(t);

	change("told", name);
	return r;
}

static int remove_now(const char *name, bool or_when_free)
{
	_cleanup_task_ struct dm_task *t = new_task(DM_DEVICE_REMOVE, name);

	if (t && or_when_free && !dm_task_deferred_remove(t))
		return -ENOMEM;
	int r = run(t);

	change("removed", name);
	return r;
}

int dmdev_remove(const char *name, const char *uuid, u64 limit_ns)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + limit_ns;

	while (dmdev_is(name, uuid)) {
		int r = remove_now(name, false);

		/* From here on the kernel does it by itself, whatever becomes of us. */
		if (r == -EBUSY && remove_now(name, true) < 0)
			return r;
		if (r < 0 && r != -EBUSY)
			return r == -ENXIO ? 0 : r;
		if (r == -EBUSY && now_ns() >= end_ns)
			return dmdev_is(name, uuid) ? -EBUSY : 0;
		if (r == -EBUSY)
			nanosleep(&pause, NULL);
	}
	return 0;
}
