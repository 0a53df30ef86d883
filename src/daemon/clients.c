// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients: lines in, lines out, each within a limit. Nobody is waited for: who sends half a line is
 * closed when idle, who does not read is dropped, and who is one too many is told so.
 */
#include "daemon/internal.h"

#include "base/fsutil.h"
#include "base/units.h"
#include "report/report.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define READ_BYTES (64 * KIB)
#define GROUPS_MAX 1024
#define ANSWER_MS  10000 /* of a machine with much to do */
#define ACCEPT_MAX 64	 /* a round */

static bool has_left(const struct client *c)
{
	return c->out_at < c->out_len;
}

static void close_client(struct daemon *d, struct client *c)
{
	source_close(d, &c->source);
	free(c->in);
	free(c->out);
	*c = (struct client){ .source.fd = -1 };
	d->nclients--;
}

/* It shall go, and nothing that waits for it matters: its own function closes it next. */
static void drop(struct client *c)
{
	c->closing = true;
	c->out_at = c->out_len = 0;
	shutdown(c->source.fd, SHUT_RDWR);
}

static void flush(struct client *c)
{
	while (has_left(c)) {
		ssize_t n = send(c->source.fd, c->out + c->out_at, c->out_len - c->out_at,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			drop(c);
		if (n <= 0)
			return;
		c->out_at += (size_t)n;
		c->last_ns = now_ns();
	}
	c->out_at = c->out_len = 0;
}

static void attend(struct daemon *d, struct client *c)
{
	u32 events = (c->eof || c->closing ? 0 : (u32)EPOLLIN) | (has_left(c) ? (u32)EPOLLOUT : 0);

	source_change(d, &c->source, events);
}

static bool make_room(struct client *c, size_t len)
{
	char *out;
	size_t size;

	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
		c->out_len -= c->out_at;
		c->out_at = 0;
	}
	size = c->out_len + len;
	if (size > OUT_MAX)
		return false;
	if (size <= c->out_size)
		return true;
	size = MIN(ROUND_UP(2 * size, 4096UL), OUT_MAX);
	out = realloc(c->out, size);
	if (out) {
		c->out = out;
		c->out_size = size;
	}
	return out;
}

void client_send(struct daemon *d, struct client *c, json_t *o)
{
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(o);
	if (c->closing)
		return;
	if (!text || !make_room(c, len + 1)) {
		drop(c);
		return;
	}
	if (!has_left(c))
		c->last_ns = now_ns(); /* from here on it is to read */
	memcpy(c->out + c->out_len, text, len);
	c->out[c->out_len + len] = '\n';
	c->out_len += len + 1;
	flush(c);
	attend(d, c);
}

void client_refuse(struct daemon *d, struct client *c, int exit, const char *text)
{
	client_send(
		d, c,
		json_pack("{ss si so}", "type", "error", "exit", exit, "text", json_text(text)));
}

void clients_tell(struct daemon *d, const struct job *j)
{
	page_note(d);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients[i];

		if (c->source.fd >= 0 && c->watching)
			client_send(d, c,
				    json_pack("{ss so}", "type", "event", "job", job_to_json(j)));
	}
}

void clients_show(struct daemon *d, json_t *o)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients[i];

		if (c->source.fd >= 0 && c->watching && c->live && o)
			client_send(d, c, json_incref(o));
	}
	json_decref(o);
}

/* Whole lines of the buffer, from the first that is not known to be half of one. */
static void take_lines(struct daemon *d, struct client *c, size_t known)
{
	size_t at = 0;
	char *end;

	while (!c->closing && (end = memchr(c->in + known, '\n', c->in_len - known))) {
		size_t len = (size_t)(end - c->in) - at;

		c->last_ns = now_ns();
		if (len > DAEMON_MESSAGE_MAX)
			break;
		request_handle(d, c, c->in + at, len);
		known = at = (size_t)(end - c->in) + 1;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
	if (c->in_len <= DAEMON_MESSAGE_MAX || c->closing)
		return;
	client_refuse(d, c, EXIT_USAGE,
		      "a line of more than 1M; expected shorter ones: name a scenario by its path");
	c->closing = true;
}

static void read_some(struct daemon *d, struct client *c)
{
	size_t known = c->in_len;
	ssize_t n;

	if (c->in_size - c->in_len < READ_BYTES) {
		char *in = realloc(c->in, 2 * c->in_size + READ_BYTES);

		if (!in) {
			drop(c);
			return;
		}
		c->in = in;
		c->in_size = 2 * c->in_size + READ_BYTES;
	}
	n = recv(c->source.fd, c->in + c->in_len, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->eof = true; /* half a line is no request */
		return;
	}
	c->in_len += (size_t)n;
	take_lines(d, c, known);
}

static void on_client(struct daemon *d, struct source *s, u32 events)
{
	struct client *c = (struct client *)s;

	if (!c->eof && !c->closing)
		read_some(d, c);
	flush(c);
	if ((events & (EPOLLHUP | EPOLLERR)) ||
	    ((c->closing || (c->eof && !c->watching)) && !has_left(c)))
		close_client(d, c);
	else
		attend(d, c);
}

/* root, whom we run as, and members of the group, as they were when they connected. */
static bool may_change(const struct daemon *d, int fd, const struct ucred *cred)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (cred->uid == 0 || cred->uid == geteuid())
		return true;
	if (!d->has_group)
		return false;
	if (cred->gid == d->group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == d->group)
			return true;
	return false;
}

static void take_in(struct daemon *d, int fd)
{
	static const char full[] = "{\"type\":\"error\",\"exit\":75,\"text\":\"64 clients are "
				   "connected; try again when some have gone\"}\n";
	struct client *c = d->clients;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	_Static_assert(CLIENTS_MAX == 64, "the text says how many");
	while (c < d->clients + CLIENTS_MAX && c->source.fd >= 0)
		c++;
	if (c == d->clients + CLIENTS_MAX) {
		(void)!send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		return;
	}
	*c = (struct client){ .source = { fd, on_client }, .last_ns = now_ns() };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
	    source_add(d, &c->source, EPOLLIN) < 0) {
		c->source.fd = -1;
		close(fd);
		return;
	}
	c->uid = cred.uid;
	c->may_change = may_change(d, fd, &cred);
	d->nclients++;
}

static void on_arrival(struct daemon *d, struct source *s, u32 events)
{
	(void)events;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			take_in(d, fd);
			continue;
		}
		/* Without a descriptor for them they would wake us for ever. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			d->deaf = true;
			source_change(d, s, 0);
		}
		return;
	}
}

void clients_tick(struct daemon *d)
{
	u64 now = now_ns();

	if (d->deaf && d->listener.fd >= 0)
		source_change(d, &d->listener, EPOLLIN);
	d->deaf = false;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients[i];
		char limit[UNITS_MAX], text[100];

		if (c->source.fd < 0 || (c->watching && !has_left(c)) ||
		    now - c->last_ns < d->config->idle_ns)
			continue;
		if (has_left(c)) {
			drop(c);
			continue;
		}
		snprintf(text, sizeof(text), "silent for %s; connect again",
			 format_time(limit, d->config->idle_ns));
		client_refuse(d, c, EXIT_AGAIN, text);
		shutdown(c->source.fd, SHUT_RDWR);
	}
}

/* A daemon answers whatever it is asked. A child that a killed one had just forked has the socket
 * until it is given the processor again, and hangs up. Who does neither is taken for a daemon. */
static bool hangs_up(int fd)
{
	static const char question[] = "{\"command\":\"status\"}\n";
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char answer;

	if (send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) < 0)
		return errno == EPIPE || errno == ECONNRESET;
	return poll(&p, 1, ANSWER_MS) == 1 && recv(fd, &answer, 1, 0) <= 0;
}

/* What is there and nobody listens on is of a daemon that was killed. */
static int remove_stale(const struct sockaddr_un *a, struct err *e)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (lstat(a->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, -EEXIST,
			       "%s: there is something that is no socket; remove it or "
			       "configure another path",
			       a->sun_path);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ? !hangs_up(fd)
								     : errno == EAGAIN)
		return err_set(e, -EBUSY,
			       "%s: another daemon listens there; stop it or configure "
			       "another path",
			       a->sun_path);
	return unlink(a->sun_path) < 0 ? -errno : 0;
}

static int open_listener(struct daemon *d, const struct sockaddr_un *a, int *ret_fd)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before;
	int r;

	if (fd < 0)
		return -errno;
	before = umask(0117);
	r = bind(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 ? -errno : 0;
	umask(before);
	/* Nobody can connect before listen(2), whosever it is by then. */
	if (r == 0 && d->has_group && chown(a->sun_path, (uid_t)-1, d->group) < 0)
		r = -errno;
	if (r == 0 && listen(fd, SOMAXCONN) < 0)
		r = -errno;
	*ret_fd = r < 0 ? -1 : take_fd(&fd);
	return r;
}

int clients_listen(struct daemon *d, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[sizeof(a.sun_path)];
	int r;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", d->config->socket);
	snprintf(dir, sizeof(dir), "%s", a.sun_path);
	*strrchr(dir, '/') = '\0';
	e->text[0] = '\0';
	r = *dir ? mkdir_p(dir, 0755) : 0;
	if (r == 0)
		r = remove_stale(&a, e);
	if (r == 0)
		r = open_listener(d, &a, &d->listener.fd);
	if (r == 0) {
		d->listener.on = on_arrival;
		r = source_add(d, &d->listener, EPOLLIN);
	}
	return r < 0 && !*e->text
		       ? err_set(e, r, "%s: cannot listen there: %s", a.sun_path, strerror(-r))
		       : r;
}

void clients_close(struct daemon *d)
{
	if (d->listener.fd >= 0)
		unlink(d->config->socket);
	source_close(d, &d->listener);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (d->clients[i].source.fd >= 0)
			close_client(d, &d->clients[i]);
}
