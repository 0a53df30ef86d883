/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of the socket: a request, and the lines of its answer. For commands. */
#ifndef STRESSD_DAEMON_TALK_H
#define STRESSD_DAEMON_TALK_H

#include "base/base.h"

#include <jansson.h>

struct talk {
	int fd;
	char *in;
	size_t len, size, at;
};

/* Connect to the daemon at @socket. 0, or -errno with what to do. talk_close() after both. */
int talk_open(struct talk *t, const char *socket, struct err *e);
int talk_send(struct talk *t, const json_t *request, struct err *e);
/* Wait for a line. 0 with a new reference; -EPIPE: the daemon closed the connection. */
int talk_read(struct talk *t, json_t **ret, struct err *e);
void talk_close(struct talk *t);

#endif
