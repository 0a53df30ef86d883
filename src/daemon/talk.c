// SPDX-License-Identifier: GPL-2.0-or-later
/* Connect, send, read a line at a time. */
#include "daemon/talk.h"

#include "base/cleanup.h"
#include "daemon/daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define READ_BYTES (64 * KIB)

static const char *hint(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "; root may connect, and members of the group that the daemon is configured "
		       "with";
	case ENOENT:
	case ECONNREFUSED:
		return "; start it (systemctl start stressd, or stressd daemon), or name its "
		       "socket with --socket";
	}
	return "";
}

int talk_open(struct talk *t, const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*t = (struct talk){ .fd = -1 };
	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, -EINVAL, "%s: too long for a socket", path);
	strcpy(a.sun_path, path);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, -errno, "%s: no daemon: %s%s", path, strerror(errno),
			       hint(errno));
	return 0;
}

int talk_send(struct talk *t, const json_t *request, struct err *e)
{
	_cleanup_free_ char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	text[len++] = '\n'; /* in place of the NUL */
	for (size_t at = 0; at < len;) {
		ssize_t n = send(t->fd, text + at, len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* It says why it closed: that is read next. */
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET
				       ? 0
				       : err_set(e, -errno, "the daemon: %s", strerror(errno));
		at += (size_t)n;
	}
	return 0;
}

static int fill(struct talk *t, struct err *e)
{
	ssize_t n;

	t->len -= t->at;
	if (t->at)
		memmove(t->in, t->in + t->at, t->len);
	t->at = 0;
	if (t->len > 2 * DAEMON_MESSAGE_MAX)
		return err_set(e, -EMSGSIZE, "the daemon sends a line without end");
	if (t->size - t->len < READ_BYTES) {
		char *in = realloc(t->in, 2 * t->size + READ_BYTES);

		if (!in)
			return err_set(e, -ENOMEM, "out of memory");
		t->in = in;
		t->size = 2 * t->size + READ_BYTES;
	}
	do {
		n = recv(t->fd, t->in + t->len, READ_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return err_set(e, -EPIPE, "the daemon closed the connection%s%s", n ? ": " : "",
			       n ? strerror(errno) : "");
	t->len += (size_t)n;
	return 0;
}

int talk_read(struct talk *t, json_t **ret, struct err *e)
{
	char *end = NULL;
	int r = 0;

	while (r == 0 && (t->at == t->len || !(end = memchr(t->in + t->at, '\n', t->len - t->at))))
		r = fill(t, e);
	if (r < 0)
		return r;
	*ret = json_loadb(t->in + t->at, (size_t)(end - t->in) - t->at, 0, NULL);
	t->at = (size_t)(end - t->in) + 1;
	return *ret ? 0 : err_set(e, -EBADMSG, "the daemon sent a line that is no JSON");
}

void talk_close(struct talk *t)
{
	closep(&t->fd);
	free(t->in);
}
