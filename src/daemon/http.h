/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page over HTTP, on loopback, to read and nothing else. What is on it is page.c's; what may be
 * asked for is a table in route.c; this says who is answered at all, and when. libmicrohttpd does
 * the protocol, without threads: its descriptors are one source of the loop.
 */
#ifndef STRESSD_DAEMON_HTTP_H
#define STRESSD_DAEMON_HTTP_H

#include "daemon/internal.h"
#include "daemon/mhd.h"

#include <stdio.h>

#define HTTP_CLIENTS_MAX 64 /* that are served; more wait until some have gone */
#define HTTP_STREAMS_MAX 32 /* of them, that are told of news */

/* The page as it was at one moment, shared by all who are being sent it. */
struct copy {
	unsigned int refs;
	u64 serial;
	char *html, *event; /* of <main>, and the same as an event for a stream; owned */
	size_t html_len, event_len;
};

struct stream;

struct http {
	struct source source; /* first: the library's epoll */
	struct daemon *daemon;
	const struct mhd *mhd;
	struct MHD_Daemon *server;
	struct copy *copy;
	bool stale; /* there is more to show than the copy does */
	bool ending;
	u64 made_ns;
	struct stream *streams[HTTP_STREAMS_MAX];
	size_t nstreams;
};

/* http.c: the page of now; the caller's own reference. NULL: no memory. */
struct copy *http_copy(struct http *h);
void copy_unref(struct copy *c);

/* stream.c: events for as long as the client stays. NULL: there are too many, or no memory. */
struct MHD_Response *stream_make(struct http *h, struct MHD_Connection *c);
/* Let those write who have something to say. */
void streams_wake(struct http *h);

/* route.c: one request, for libmicrohttpd; @ctx is the struct http. */
enum MHD_Result http_answer(void *ctx, struct MHD_Connection *c, const char *url,
			    const char *method, const char *version, const char *body,
			    size_t *body_len, void **state);

/* page.c: what is between <main> and </main>, and the page around it. */
void page_main(struct daemon *d, FILE *out);
void page_whole(const struct daemon *d, const char *main, size_t len, FILE *out);
/* status.css and status.js. */
extern const char html_status_css[], html_status_js[];

/* page_job.c: one job, as it is queued, runs, or has ended; and a moment. */
void page_time(s64 seconds, FILE *out);
void page_queued(struct daemon *d, const struct entry *en, FILE *out);
void page_running(struct daemon *d, const struct entry *en, FILE *out);
void page_ended(struct daemon *d, const struct entry *en, FILE *out);

#endif
