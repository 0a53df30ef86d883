/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libmicrohttpd, loaded by the daemon that has a page and by nobody else. Linked, it and the TLS
 * library behind it would be mapped into every run and worker, and copied into the initramfs of
 * every guest: 7 MB that nothing there uses. Its header is needed to build, as those of the others.
 */
#ifndef STRESSD_DAEMON_MHD_H
#define STRESSD_DAEMON_MHD_H

#include "base/base.h"

#include <microhttpd.h>

/* X(name): what is used of it, as MHD_name. */
#define MHD_CALLS(X)                                                                               \
	X(start_daemon)                                                                            \
	X(stop_daemon)                                                                             \
	X(get_daemon_info)                                                                         \
	X(get_timeout)                                                                             \
	X(run)                                                                                     \
	X(get_connection_values)                                                                   \
	X(suspend_connection)                                                                      \
	X(resume_connection)                                                                       \
	X(create_response_from_buffer)                                                             \
	X(create_response_from_fd64)                                                               \
	X(create_response_from_callback)                                                           \
	X(add_response_header)                                                                     \
	X(queue_response)                                                                          \
	X(destroy_response)

struct mhd {
#define X(name) __typeof__(MHD_##name) *name;
	MHD_CALLS(X)
#undef X
};

/* Load it, once. NULL: it cannot be had; the text says why and what would help. */
const struct mhd *mhd_load(struct err *e);

#endif
