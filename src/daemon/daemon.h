/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: takes jobs from a Unix socket, keeps them on disk, runs them as processes of their
 * own, as many at a time as fit, and has their results stored. One thread, one epoll loop; it never
 * waits for a client, a job or the store. stressd-daemon(8) has the protocol.
 *
 *   config.c   the configuration file      daemon.c   set-up, the loop, the end
 *   clients.c  lines in, lines out         request.c  the table of commands
 *   submit.c   a submission, checked       job.c      a job and its file
 *   queue.c    which job runs when         attempt.c  how it is run, what its end means
 *   child.c    a process of ours           keep.c     results into the store
 *   notify.c   sd_notify(3)                talk.c     the other end of the socket
 *   feed.c     what jobs say as they run   page*.c    the status page
 *   http.c     its server                  route.c    who is answered, and what
 *   stream.c   news as they come           mhd.c      libmicrohttpd
 */
#ifndef STRESSD_DAEMON_H
#define STRESSD_DAEMON_H

#include "base/base.h"

#define DAEMON_CONFIG	   "/etc/stressd/daemon.json"
#define DAEMON_SOCKET	   "/run/stressd/socket"
#define DAEMON_MESSAGE_MAX MIB /* a line, either way, without its newline */

struct daemon_config {
	u64 version;
	char *socket, *group, *store; /* group, store NULL: none, the state directory's */
	u64 vms, cpus, memory_bytes;  /* what jobs may use together */
	u64 retry_ns; /* before a job whose infrastructure failed is tried again, the first time */
	u64 idle_ns;  /* a client that says nothing for so long is closed */
	u64 stop_ns;  /* from asking a run to stop to killing it */
	u64 page;     /* TCP port of the page; 0: none */
};

/* Read and check @path; NULL: DAEMON_CONFIG, and defaults where there is none. On failure -EINVAL
 * or -errno with "FILE:LINE: POINTER: what is wrong; expected what". daemon_config_free() after
 * both. */
int daemon_config_load(const char *path, struct daemon_config *ret, struct err *e);
void daemon_config_free(struct daemon_config *c);

/* A line for the log, without newline. */
typedef void daemon_say_fn(const char *text);

/* Run until SIGTERM or SIGINT, with all state below @state. 0; -EBUSY: another daemon has the state
 * directory or the socket; or -errno. */
int daemon_run(const struct daemon_config *c, const char *state, daemon_say_fn *say, struct err *e);

#endif
