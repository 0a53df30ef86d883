// SPDX-License-Identifier: GPL-2.0-or-later
/* Attributes of the driver and of its disk. The disk is the run's own and goes with it; the driver
 * may have been there before. */
#include "faults/scsi.h"

#include "base/fsutil.h"
#include "base/scsidebug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTS	 SCSIDEBUG_DRIVER "/opts"
#define ATTR_MAX 128

const char scsi_counted[] = "counters of the disk";

const int scsi_errnos[] = { EIO, ENODATA, ETIMEDOUT, EILSEQ, ENOSPC, 0 };

int scsi_check(const void *options, const struct scenario *sc, const struct sc_fault *f,
	       struct err *e)
{
	(void)options;
	if (strcmp(sc->target.type->name, "scsi_debug"))
		return err_set(e, -EINVAL,
			       "it is told to the driver scsi_debug; expected /target/type "
			       "scsi_debug");
	for (size_t i = 0; i < sc->nfaults; i++)
		if (&sc->faults[i] != f && f->type->kind == scsi_counted &&
		    sc->faults[i].type->kind == scsi_counted)
			return err_set(e, -EINVAL,
				       "errors of %s and %s are in one counter of the disk; "
				       "expected only one of them",
				       sc->faults[i].type->name, f->type->name);
	return 0;
}

int scsi_probe(const struct fault *f, struct err *e)
{
	(void)f;
	(void)e;
	return 0;
}

static int write_attr(const char *path, const char *text, struct err *e)
{
	int r = attr_write(path, text);

	return r < 0 ? err_set(e, r, "cannot write %s to %s: %s", text, path, strerror(-r)) : 0;
}

int scsi_save_opts(struct fault *f, struct err *e)
{
	return fault_save_attr(f, OPTS, e);
}

static int read_opts(unsigned int *ret)
{
	char text[32];
	int r = attr_read(OPTS, text, sizeof(text));

	if (r == 0)
		*ret = (unsigned int)strtoul(text, NULL, 0);
	return r;
}

int scsi_opts(unsigned int bits, bool on, struct err *e)
{
	unsigned int now = 0;
	char text[32];
	int r = read_opts(&now);

	if (r < 0)
		return err_set(e, r, "%s: %s", OPTS, strerror(-r));
	snprintf(text, sizeof(text), "0x%x", on ? now | bits : now & ~bits);
	return write_attr(OPTS, text, e);
}

bool scsi_has_opts(unsigned int bits)
{
	unsigned int now;

	return read_opts(&now) == 0 && now & bits;
}

static int retries_path(const struct fault *f, char path[ATTR_MAX])
{
	char address[64];
	int r = scsidebug_address(f->target->base, address, sizeof(address));

	return r < 0 ? r : path_set(path, ATTR_MAX, "/sys/class/scsi_disk/%s/max_retries", address);
}

static int timeout_path(const struct fault *f, char path[ATTR_MAX])
{
	return path_set(path, ATTR_MAX, "/sys/block%s/queue/io_timeout",
			strrchr(f->target->base, '/'));
}

int scsi_save_patience(struct fault *f, struct err *e)
{
	char path[ATTR_MAX];
	int r = retries_path(f, path);

	if (r < 0)
		return err_set(e, r, "%s is no SCSI disk: %s", f->target->base, strerror(-r));
	r = fault_save_attr(f, path, e);
	if (r == 0 && (r = timeout_path(f, path)) == 0)
		r = fault_save_attr(f, path, e);
	return r;
}

int scsi_set_patience(const struct fault *f, u64 retries, u64 patience_ns, struct err *e)
{
	char path[ATTR_MAX], text[24];
	int r = retries_path(f, path);

	snprintf(text, sizeof(text), "%llu", (unsigned long long)retries);
	if (r == 0)
		r = write_attr(path, text, e);
	if (r == 0)
		r = timeout_path(f, path);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(patience_ns / NSEC_PER_MSEC));
	return r < 0 ? r : write_attr(path, text, e);
}

static int read_counter(const struct scsi_state *st, u64 *ret)
{
	char text[32];
	int r = attr_read(st->counter, text, sizeof(text));

	if (r == 0)
		*ret = strtoull(text, NULL, 0);
	return r;
}

int scsi_count(struct fault *f, const char *counter, struct err *e)
{
	FAULT_STATE(scsi_state, f);
	int r = path_set(st->counter, sizeof(st->counter), "/sys/block%s/device/%s",
			 strrchr(f->target->base, '/'), counter);

	if (r == 0)
		r = read_counter(st, &st->before);
	return r < 0 ? err_set(e, -EOPNOTSUPP,
			       "this kernel does not count what fails (%s: %s); boot Linux 6.1 or "
			       "later; nothing was armed",
			       st->counter, strerror(-r))
		     : 0;
}

/* What is in flight when it is disarmed fails later; once the disk is gone, the last word counts.
 */
u64 scsi_injected(const struct fault *f)
{
	FAULT_STATE(scsi_state, f);
	u64 now;

	if (read_counter(st, &now) == 0)
		st->injected = now - st->before;
	return st->injected;
}
