// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The faults of a lab kernel, from within the guest: one on for a whole run, set-up and unmount
 * included, and off after it; and whether the kernel is still good for another run.
 */
#include "vm/guest.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "finding.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#define PARAMETER "/sys/module/kernel/parameters/stress_mutant"
#define HITS	  PARAMETER "_hits"

static int choose(u64 id)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	return attr_write(PARAMETER, text);
}

int guest_mutant_on(u64 id, struct err *e)
{
	int r = choose(id);

	return r == 0 ? 0
		      : err_set(e, r,
				"stress_mutant=%llu cannot be set: %s; it takes a kernel of "
				"lab/build-kernel.sh that has this mutant",
				(unsigned long long)id, strerror(-r));
}

/* Read before the fault goes off: a write resets it. */
static json_t *read_hits(void)
{
	char text[32], *end;
	unsigned long long n;

	if (attr_read(HITS, text, sizeof(text)) < 0)
		return json_null();
	n = strtoull(text, &end, 10);
	return *text && !*end ? json_integer((json_int_t)MIN(n, (u64)INT64_MAX)) : json_null();
}

int guest_mutant_off(u64 id, const char *why, int dirfd)
{
	json_t *hits = why ? json_null() : read_hits();
	json_t *o = json_pack("{sI so ss?}", "mutant", (json_int_t)id, "hits", hits, "error", why);
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
	_cleanup_close_ int fd =
		openat(dirfd, GUEST_MUTANT_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = why ? 0 : choose(0);

	json_decref(o);
	if (r < 0 || fd < 0 || !text)
		return r < 0 ? r : fd < 0 ? -errno : -ENOMEM;
	return write_all(fd, text, strlen(text));
}

static bool is_kernels(const char *kind)
{
	int i = kind ? finding_by_name(kind) : -1;

	return i < 0 || i == FINDING_KERNEL_WARNING || i == FINDING_KERNEL_BUG ||
	       i == FINDING_KERNEL_HANG || i == FINDING_KERNEL_CRASH;
}

bool guest_in_doubt(int status, int dirfd)
{
	_cleanup_close_ int fd = openat(dirfd, "result.json", O_RDONLY | O_CLOEXEC);
	json_t *result, *all, *f;
	bool doubt;
	size_t i;

	if (status == 0 || status == 4)
		return false;
	result = status == 1 && fd >= 0 ? json_loadfd(fd, 0, NULL) : NULL;
	all = json_object_get(result, "findings");
	doubt = json_array_size(all) == 0;
	json_array_foreach (all, i, f)
		doubt |= is_kernels(json_string_value(json_object_get(f, "kind")));
	json_decref(result);
	return doubt;
}
