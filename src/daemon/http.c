// SPDX-License-Identifier: GPL-2.0-or-later
/* The server's life within the loop: begin, a turn in each round, the end. */
#include "daemon/http.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define RENEW_NS      (200 * NSEC_PER_MSEC) /* between two events of a stream */
#define IDLE_S	      10U		    /* half a request, or an answer that nobody reads */
#define REQUEST_BYTES ((size_t)(32 * KIB))  /* of a connection: its headers, its answer's */

static void put_event(const char *html, size_t len, FILE *out)
{
	fputs("event: page\n", out);
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *end = memchr(html + at, '\n', len - at);

		n = end ? (size_t)(end - html) - at : len - at;
		fprintf(out, "data: %.*s\n", (int)n, html + at);
	}
	fputc('\n', out);
}

static struct copy *make_copy(struct daemon *d, u64 serial)
{
	struct copy *c = calloc(1, sizeof(*c));
	FILE *out = c ? open_memstream(&c->html, &c->html_len) : NULL;
	bool good = out;

	if (out) {
		page_main(d, out);
		good = fclose(out) == 0;
	}
	out = good ? open_memstream(&c->event, &c->event_len) : NULL;
	good = out;
	if (out) {
		put_event(c->html, c->html_len, out);
		good = fclose(out) == 0;
	}
	if (c) {
		c->refs = 1;
		c->serial = serial;
	}
	if (!good && c)
		copy_unref(c);
	return good ? c : NULL;
}

void copy_unref(struct copy *c)
{
	if (--c->refs)
		return;
	free(c->html);
	free(c->event);
	free(c);
}

static void renew(struct http *h)
{
	struct copy *c;

	if (h->copy && !h->stale)
		return;
	c = make_copy(h->daemon, h->copy ? h->copy->serial + 1 : 1);
	h->made_ns = now_ns();
	if (!c)
		return;
	if (h->copy)
		copy_unref(h->copy);
	h->copy = c;
	h->stale = false;
}

struct copy *http_copy(struct http *h)
{
	renew(h);
	if (h->copy)
		h->copy->refs++;
	return h->copy;
}

void page_note(struct daemon *d)
{
	if (d->http)
		d->http->stale = true;
}

/* Its descriptor only wakes the loop: the server has its turn in each round. */
static void on_ready(struct daemon *d, struct source *s, u32 events)
{
	(void)d, (void)s, (void)events;
}

void http_pump(struct daemon *d)
{
	struct http *h = d->http;

	if (!h)
		return;
	if (h->nstreams && now_ns() - h->made_ns >= RENEW_NS)
		renew(h);
	streams_wake(h);
	h->mhd->run(h->server);
}

int http_wait_ms(const struct daemon *d)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* Its own limits of time are seconds: the tick is enough for those. */
	if (d->http && d->http->mhd->get_timeout(d->http->server, &ms) == MHD_YES && !ms)
		return 0;
	return -1;
}

/* On loopback, so that nobody else can connect, whatever the machine's other addresses are. Few may
 * wait to be served: of a crowd that has gone again there is little to go through. */
static int listen_on(u16 port, struct err *e)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	/* Connections of a daemon before us may still be closing. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, HTTP_CLIENTS_MAX) < 0)
		return err_set(e, -errno, "%s", strerror(errno));
	return take_fd(&fd);
}

static int start(struct http *h, struct err *e)
{
	_cleanup_close_ int fd = -1;
	const union MHD_DaemonInfo *info;

	h->mhd = mhd_load(e);
	if (!h->mhd)
		return -ENOENT;
	fd = listen_on((u16)h->daemon->config->page, e);
	if (fd < 0)
		return fd;
	h->server = h->mhd->start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, http_answer, h,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)HTTP_CLIENTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_END);
	if (!h->server)
		return err_set(e, -EIO, "libmicrohttpd does not start");
	take_fd(&fd);
	info = h->mhd->get_daemon_info(h->server, MHD_DAEMON_INFO_EPOLL_FD);
	h->source = (struct source){ info ? info->epoll_fd : -1, on_ready };
	if (source_add(h->daemon, &h->source, EPOLLIN) < 0) {
		h->mhd->stop_daemon(h->server);
		return err_set(e, -EIO, "libmicrohttpd has nothing to wait for");
	}
	return 0;
}

/* What is in the way of it may go, and the queue does not wait for that. */
static void begin(struct daemon *d)
{
	struct http *h = calloc(1, sizeof(*h));
	unsigned int port = (unsigned int)d->config->page;
	struct err e = { "out of memory" };

	if (h) {
		h->daemon = d;
		h->stale = true;
	}
	if (h && start(h, &e) == 0) {
		d->http = h;
		d->http_failed = false;
		say(d, "the status page is at http://127.0.0.1:%u/", port);
		return;
	}
	free(h);
	if (!d->http_failed)
		say(d, "no status page at 127.0.0.1:%u: %s; tried again every second", port,
		    e.text);
	d->http_failed = true;
}

void http_tick(struct daemon *d)
{
	if (!d->config->page || d->stopping)
		return;
	if (!d->http)
		begin(d);
	else if (queue_count(d, JOB_RUNNING))
		d->http->stale = true; /* time goes on */
}

void http_stop(struct daemon *d)
{
	struct http *h = d->http;

	if (!h)
		return;
	/* The library owns the descriptor. */
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, h->source.fd, NULL);
	d->http = NULL;
	/* It must not be stopped while a stream sleeps. */
	h->ending = true;
	streams_wake(h);
	h->mhd->run(h->server);
	h->mhd->stop_daemon(h->server);
	if (h->copy)
		copy_unref(h->copy);
	free(h);
}
