// SPDX-License-Identifier: GPL-2.0-or-later
/* A free loop device is not reserved: record, try, and with another when somebody was faster. */
#include "target/loop.h"

#include "base/cleanup.h"

#include <string.h>

#define BIND_TRIES 64
#define UNBIND_NS  (2 * NSEC_PER_SEC)

int target_loop_bind(struct undo *u, const char *backing, int fd, u64 len, bool direct,
		     struct target_loop *l, struct err *e)
{
	char dev[LOOP_NAME_MAX];
	int r = -EBUSY;

	for (int i = 0; i < BIND_TRIES && r == -EBUSY; i++) {
		r = loop_find_free(dev);
		if (r == 0)
			r = undo_record(u, UNDO_LOOP, dev, backing, NULL);
		if (r < 0)
			break;
		l->undo = r;
		r = loop_bind(dev, fd, len, direct, &l->fd);
		if (r < 0 && undo_forget(u, l->undo) < 0)
			break;
	}
	if (r < 0)
		return err_set(e, r, "cannot set up a loop device for %s: %s", backing,
			       strerror(-r));
	memcpy(l->device, dev, sizeof(dev));
	return 0;
}

int target_loop_release(struct undo *u, const char *backing, struct target_loop *l, struct err *e)
{
	int r;

	closep(&l->fd);
	l->fd = -1;
	if (!l->device[0])
		return 0;
	r = loop_unbind(l->device, backing, UNBIND_NS);
	if (r == 0)
		r = undo_forget(u, l->undo);
	if (r < 0)
		return err_set(e, r, "%s: cannot free it: %s", l->device, strerror(-r));
	l->device[0] = '\0';
	return 0;
}
