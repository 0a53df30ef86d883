// SPDX-License-Identifier: GPL-2.0-or-later
/* Set-up, the loop, and the end. What the loop waits for are sources, each with a function. */
#include "daemon/internal.h"

#include "base/fsutil.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define BOOT_ID	   "/proc/sys/kernel/random/boot_id"
#define TICK_NS	   NSEC_PER_SEC
#define LEAVE_NS   (10 * NSEC_PER_SEC) /* after the last SIGKILL */
#define EVENTS_MAX 32

int source_add(struct daemon *d, struct source *s, u32 events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, s->fd, &ev) < 0 ? -errno : 0;
}

void source_change(struct daemon *d, struct source *s, u32 events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	epoll_ctl(d->epoll, EPOLL_CTL_MOD, s->fd, &ev);
}

void source_close(struct daemon *d, struct source *s)
{
	if (s->fd < 0)
		return;
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
}

void say(struct daemon *d, const char *fmt, ...)
{
	char text[1400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->say(text);
}

/* The first signal: nothing new, and what runs stops in order. Each further one asks it again. */
static void on_signal(struct daemon *d, struct source *s, u32 events)
{
	struct signalfd_siginfo si;

	(void)events;
	while (read(s->fd, &si, sizeof(si)) == sizeof(si)) {
		if (!d->stopping++) {
			d->stop_ns = now_ns();
			notify_send(&d->notify, "STOPPING=1\nSTATUS=Stopping what runs");
			clients_close(d);
			http_stop(d);
		}
		queue_stop(d);
	}
}

static void tell_status(struct daemon *d)
{
	size_t now[2] = { queue_count(d, JOB_RUNNING), queue_count(d, JOB_QUEUED) };

	if (d->stopping || !memcmp(now, d->told, sizeof(now)))
		return;
	memcpy(d->told, now, sizeof(now));
	notify_send(&d->notify, "STATUS=%zu running, %zu queued", now[0], now[1]);
}

static void on_tick(struct daemon *d, struct source *s, u32 events)
{
	u64 expirations;

	(void)events;
	if (read(s->fd, &expirations, sizeof(expirations)) < 0)
		return;
	clients_tick(d);
	queue_tick(d);
	http_tick(d);
	if (d->stopping && now_ns() - d->stop_ns > d->config->stop_ns && d->import_id)
		child_kill(&d->import_child);
	tell_status(d);
	if (d->notify.watchdog_ns)
		notify_send(&d->notify, "WATCHDOG=1");
}

static int open_loop(struct daemon *d, struct err *e)
{
	u64 watchdog = d->notify.watchdog_ns;
	u64 tick = watchdog ? MAX(MIN(watchdog / 3, TICK_NS), NSEC_PER_MSEC) : TICK_NS;
	struct timespec t = { (time_t)(tick / NSEC_PER_SEC), (long)(tick % NSEC_PER_SEC) };
	struct itimerspec timer = { t, t };
	sigset_t set;
	int r = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->signals = (struct source){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal };
	d->timer = (struct source){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				    on_tick };
	if (d->epoll < 0 || d->signals.fd < 0 || d->timer.fd < 0 ||
	    timerfd_settime(d->timer.fd, 0, &timer, NULL) < 0)
		r = -errno;
	if (r == 0)
		r = source_add(d, &d->signals, EPOLLIN);
	if (r == 0)
		r = source_add(d, &d->timer, EPOLLIN);
	return r < 0 ? err_set(e, r, "cannot make the event loop: %s", strerror(-r)) : 0;
}

/* The listener last: whom it lets in may sit where somebody left in this very round. */
static int pump(struct daemon *d)
{
	struct epoll_event evs[EVENTS_MAX];
	bool arrivals = false;
	int n = epoll_wait(d->epoll, evs, EVENTS_MAX, http_wait_ms(d));

	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n; i++) {
		struct source *s = evs[i].data.ptr;

		if (s == &d->listener)
			arrivals = true;
		else if (s->fd >= 0)
			s->on(d, s, evs[i].events);
	}
	if (arrivals && d->listener.fd >= 0)
		d->listener.on(d, &d->listener, EPOLLIN);
	http_pump(d);
	return 0;
}

/* Whoever cannot even be killed is left to the daemon that comes next. */
static bool may_leave(const struct daemon *d)
{
	return d->stopping && ((!queue_count(d, JOB_RUNNING) && !d->import_id) ||
			       now_ns() - d->stop_ns > d->config->stop_ns + LEAVE_NS);
}

static int take_state(struct daemon *d, const char *state, struct err *e)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	int r = path_set(d->dir, sizeof(d->dir), "%s/daemon", state);

	if (r == 0 && d->config->store)
		r = path_set(d->store, sizeof(d->store), "%s", d->config->store);
	else if (r == 0)
		r = path_set(d->store, sizeof(d->store), "%s/store.db", state);
	for (size_t i = 0; i < 2 && r == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", d->dir, i ? "runs" : "jobs");
		r = mkdir_p(path, 0700);
	}
	if (r < 0)
		return err_set(e, r, "%s/daemon: %s; choose another state directory", state,
			       strerror(-r));
	/* Not flock(2), which a child that was just forked would have as well. */
	snprintf(path, sizeof(path), "%s/lock", d->dir);
	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = d->lock < 0 || fcntl(d->lock, F_SETLK, &whole) < 0 ? -errno : 0;
	if (r == -EAGAIN || r == -EACCES)
		return err_set(e, -EBUSY, "%s: another stressd daemon is at work there", d->dir);
	return r < 0 ? err_set(e, r, "%s: cannot be locked: %s", path, strerror(-r)) : 0;
}

static int serve(struct daemon *d, const char *state, struct err *e)
{
	int r = take_state(d, state, e);

	if (r == 0)
		r = open_loop(d, e);
	/* The queue before the socket: who connects sees all of it. */
	if (r == 0)
		r = queue_load(d, e);
	if (r == 0)
		r = clients_listen(d, e);
	if (r < 0)
		return r;
	notify_send(&d->notify, "READY=1");
	http_tick(d);
	queue_run(d);
	while (r == 0 && !may_leave(d))
		r = pump(d);
	return r < 0 ? err_set(e, r, "the event loop failed: %s", strerror(-r)) : 0;
}

int daemon_run(const struct daemon_config *c, const char *state, daemon_say_fn *say_fn,
	       struct err *e)
{
	struct daemon *d = calloc(1, sizeof(*d));
	const struct group *group = c->group ? getgrnam(c->group) : NULL;
	int r;

	if (!d)
		return err_set(e, -ENOMEM, "out of memory");
	d->config = c;
	d->say = say_fn;
	d->has_group = group;
	d->group = group ? group->gr_gid : 0;
	d->epoll = d->lock = d->listener.fd = d->signals.fd = d->timer.fd = d->importer.fd = -1;
	d->import_child.pidfd = d->import_child.gate = d->import_child.out = -1;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		d->clients[i].source.fd = -1;
	d->told[0] = SIZE_MAX;
	attr_read(BOOT_ID, d->boot, sizeof(d->boot));
	notify_open(&d->notify);
	r = serve(d, state, e);
	http_stop(d);
	clients_close(d);
	queue_free(d);
	child_drop(&d->import_child);
	closep(&d->signals.fd);
	closep(&d->timer.fd);
	closep(&d->epoll);
	closep(&d->lock);
	notify_close(&d->notify);
	free(d);
	return r;
}
