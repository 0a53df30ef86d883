/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of the daemon. Whatever the loop waits for is a source: a descriptor and the
 * function for it. A function may close its own source, and no source is opened at the place of
 * another while events are handed out, but by the listener, which comes last.
 */
#ifndef STRESSD_DAEMON_INTERNAL_H
#define STRESSD_DAEMON_INTERNAL_H

#include "daemon/daemon.h"
#include "daemon/job.h"
#include "daemon/notify.h"

#include <limits.h>

#define CLIENTS_MAX  64
#define OUT_MAX	     (4 * MIB) /* that a client may leave unread */
#define QUEUED_MAX   1000
#define JOBS_KEPT    1000 /* that have ended; their files go, their results stay */
#define EXIT_FINDING 1
#define EXIT_USAGE   2
#define EXIT_TROUBLE 3
#define EXIT_AGAIN   75

struct daemon;
struct feed;
struct http;

struct source {
	int fd; /* -1: closed */
	void (*on)(struct daemon *d, struct source *s, u32 events);
};

struct client {
	struct source source; /* first: a source is cast to its owner */
	uid_t uid;
	bool may_change, watching, live;
	bool eof;     /* it will say nothing more */
	bool closing; /* once it has read what is left for it */
	char *in, *out;
	size_t in_len, in_size, out_at, out_len, out_size;
	u64 last_ns; /* it said or read something */
};

/* A job in memory. */
struct entry {
	struct source source; /* the end of its process */
	struct job job;
	struct child child;
	struct feed *feed; /* what it says and said; NULL: nothing is known */
	bool dirty;	   /* the file is behind */
	bool store_tried;  /* and failed: not again by this daemon */
};

struct daemon {
	const struct daemon_config *config;
	daemon_say_fn *say;
	char dir[PATH_MAX / 2]; /* STATE/daemon */
	char store[PATH_MAX], boot[40];
	gid_t group;
	bool has_group;
	struct notify notify;
	int epoll, lock;
	struct source listener, signals, timer, importer;
	bool deaf; /* the listener waits for descriptors to come free */
	struct client clients[CLIENTS_MAX];
	size_t nclients;
	struct entry **entries; /* by id */
	size_t nentries;
	u64 next_id;
	struct child import_child;
	u64 import_id;	   /* of the job; 0: nothing is being stored */
	struct http *http; /* NULL: no page */
	/* That was said. */
	bool store_failed, disk_failed, start_failed, http_failed;
	u64 retry_ns;	/* nothing is started before */
	size_t told[2]; /* to the service manager: running, queued */
	int stopping;	/* signals that came */
	u64 stop_ns;
};

/* daemon.c */
int source_add(struct daemon *d, struct source *s, u32 events);
void source_change(struct daemon *d, struct source *s, u32 events);
void source_close(struct daemon *d, struct source *s);
void say(struct daemon *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* clients.c */
int clients_listen(struct daemon *d, struct err *e);
void clients_close(struct daemon *d);
/* Once a tick: the idle go. */
void clients_tick(struct daemon *d);
/* Queue a line; takes the reference. Who has too much unread is dropped. */
void client_send(struct daemon *d, struct client *c, json_t *o);
/* To all who watch. */
void clients_tell(struct daemon *d, const struct job *j);
/* The same to those who want to know what goes on within a job; takes the reference. */
void clients_show(struct daemon *d, json_t *o);
/* {"type": "error", ...}: the answer to a request that failed. */
void client_refuse(struct daemon *d, struct client *c, int exit, const char *text);

/* request.c: one line of a client. */
void request_handle(struct daemon *d, struct client *c, const char *line, size_t len);

/* submit.c: a new job of what `submit` said; takes what @spec owns. 0 or -errno with a text. */
int submit_take(struct daemon *d, uid_t uid, const json_t *object, struct job_spec *spec,
		json_t *resolved, const struct json_at *root, struct entry **ret);

/* queue.c */
int queue_load(struct daemon *d, struct err *e);
void queue_free(struct daemon *d);
struct entry *queue_find(struct daemon *d, u64 id);
/* A new job, on disk with the text of its scenario (NULL: a matrix). Takes @j. 0 or -errno. */
int queue_add(struct daemon *d, struct job *j, const char *scenario, struct entry **ret,
	      struct err *e);
void queue_cancel(struct daemon *d, struct entry *en);
/* Start what there is room for. */
void queue_run(struct daemon *d);
void queue_tick(struct daemon *d);
/* Ask all that runs to stop, once more. */
void queue_stop(struct daemon *d);
size_t queue_count(const struct daemon *d, enum job_state state);
/* Write the file and tell those who watch. */
void queue_note(struct daemon *d, struct entry *en);

/* http.c: the page, when the configuration has a port for it. */
/* Once a tick: begin, or try again to. */
void http_tick(struct daemon *d);
/* After each round of the loop: what the page's clients sent and are to get. */
void http_pump(struct daemon *d);
/* How long the loop may wait for the page's sake, as epoll_wait(2) takes it. */
int http_wait_ms(const struct daemon *d);
void http_stop(struct daemon *d);
/* Something on it has changed. */
void page_note(struct daemon *d);

/* keep.c: store the next result that is not, if there is one and nothing is being stored. */
void keep_next(struct daemon *d);

#endif
