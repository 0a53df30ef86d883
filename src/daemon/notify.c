// SPDX-License-Identifier: GPL-2.0-or-later
/* A datagram socket to the service manager. */
#include "daemon/notify.h"

#include "base/cleanup.h"
#include "base/units.h"

#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The watchdog is ours where WATCHDOG_PID says so, or nothing. (sd_watchdog_enabled(3)) */
static u64 watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	u64 us = 0, whose = 0;

	if (!usec || parse_count(usec, &us) < 0 || us > UINT64_MAX / NSEC_PER_USEC)
		return 0;
	if (pid && (parse_count(pid, &whose) < 0 || whose != (u64)getpid()))
		return 0;
	return us * NSEC_PER_USEC;
}

static int connect_to(const char *path)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, path, len);
	if (path[0] == '@') /* abstract, as unix(7) has it */
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -1;
	return take_fd(&fd);
}

void notify_open(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*n = (struct notify){ .fd = path ? connect_to(path) : -1 };
	if (n->fd >= 0)
		n->watchdog_ns = watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_send(const struct notify *n, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (n->fd < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A manager that does not listen is none of our troubles. */
	(void)!send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_close(struct notify *n)
{
	closep(&n->fd);
}
