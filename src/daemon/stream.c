// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Server-sent events (HTML, "Server-sent events"): the whole page each time that it has changed.
 * Nothing is queued for anybody: who reads slowly skips what was in between.
 */
#include "daemon/http.h"

#include <stdlib.h>
#include <string.h>

#define BEAT_NS	    (5 * NSEC_PER_SEC) /* of silence, then a sign of life finds who has gone */
#define BLOCK_BYTES ((size_t)(16 * KIB))

struct stream {
	struct http *http;
	struct MHD_Connection *connection;
	struct copy *copy; /* that is being sent; NULL: a beat, or nothing */
	const char *text;
	size_t at, len;
	u64 serial; /* of the last copy */
	u64 said_ns;
	bool asleep;
};

static const char beat[] = ":\n\n";

/* Something to send, if there is. */
static bool take_next(struct stream *s)
{
	struct copy *c = s->http->copy;
	u64 now = now_ns();

	if (s->copy)
		copy_unref(s->copy);
	s->copy = NULL;
	s->at = s->len = 0;
	if (c && c->serial != s->serial) {
		c->refs++;
		s->copy = c;
		s->serial = c->serial;
		s->text = c->event;
		s->len = c->event_len;
	} else if (now - s->said_ns >= BEAT_NS) {
		s->text = beat;
		s->len = sizeof(beat) - 1;
	}
	if (s->len)
		s->said_ns = now;
	return s->len;
}

static ssize_t on_room(void *ctx, uint64_t pos, char *buf, size_t max)
{
	struct stream *s = ctx;
	size_t n;

	(void)pos;
	if (s->http->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (s->at == s->len && !take_next(s)) {
		s->asleep = true;
		s->http->mhd->suspend_connection(s->connection);
		return 0;
	}
	n = MIN(max, s->len - s->at);
	memcpy(buf, s->text + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static void on_gone(void *ctx)
{
	struct stream *s = ctx;
	struct http *h = s->http;

	for (size_t i = 0; i < h->nstreams; i++)
		if (h->streams[i] == s) {
			h->streams[i] = h->streams[--h->nstreams];
			break;
		}
	if (s->copy)
		copy_unref(s->copy);
	free(s);
}

struct MHD_Response *stream_make(struct http *h, struct MHD_Connection *c)
{
	struct stream *s = h->nstreams < HTTP_STREAMS_MAX ? calloc(1, sizeof(*s)) : NULL;
	struct MHD_Response *r;

	if (!s)
		return NULL;
	s->http = h;
	s->connection = c;
	s->said_ns = now_ns();
	r = h->mhd->create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_room, s,
						  on_gone);
	if (r)
		h->streams[h->nstreams++] = s;
	else
		free(s);
	return r;
}

void streams_wake(struct http *h)
{
	u64 now = now_ns();

	for (size_t i = 0; i < h->nstreams; i++) {
		struct stream *s = h->streams[i];

		if (!s->asleep || (!h->ending && (!h->copy || h->copy->serial == s->serial) &&
				   now - s->said_ns < BEAT_NS))
			continue;
		s->asleep = false;
		h->mhd->resume_connection(s->connection);
	}
}
