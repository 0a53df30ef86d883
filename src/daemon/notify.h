/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service manager is told: the datagrams of sd_notify(3), whose protocol is stable and is
 * meant to be spoken without the library. Without a manager all of it does nothing.
 */
#ifndef STRESSD_DAEMON_NOTIFY_H
#define STRESSD_DAEMON_NOTIFY_H

#include "base/base.h"

struct notify {
	int fd;		 /* -1: nobody wants to know */
	u64 watchdog_ns; /* 0: no watchdog */
};

/* Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and remove them, so that no child speaks for
 * us. An address that cannot be used is one that is not there. */
void notify_open(struct notify *n);
/* "READY=1", "STATUS=...": newline-separated assignments. Never waits. */
void notify_send(const struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void notify_close(struct notify *n);

#endif
