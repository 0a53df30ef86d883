// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event loop, from the start barrier until every worker is gone: one epoll over signals, a
 * tick, the kernel log, the janitor and a pidfd for each worker. Each source has one function.
 */
#include "session/session.h"

#include "base/cleanup.h"
#include "base/step.h"
#include "session/faults.h"
#include "session/replay.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define TICK_NS	    (10 * NSEC_PER_MSEC)
#define LIVE_TICKS  20			 /* the live line: five times a second */
#define WATCH_TICKS 10			 /* hangs: ten times a second */
#define READY_NS    (60 * NSEC_PER_SEC)	 /* all workers must have opened their files by then */
#define STOP_NS	    (120 * NSEC_PER_SEC) /* a worker's last operation may be a long sync */

struct loop {
	struct session *s;
	int epoll, signals, timer;
	u64 ticks;
	u64 ops_before, ops_rate;
};

/* Sources that are no worker, by their epoll data. */
enum source { SRC_SIGNALS, SRC_TIMER, SRC_KLOG, SRC_JANITOR, SRC_FAULTS, SRC_WORKERS };

/* Faults first: who waits for a frozen filesystem sees no flag. */
static void stop_workers(struct session *s)
{
	if (s->stop_ns)
		return;
	s->stop_ns = now_ns();
	faults_stop(s);
	atomic_store(&s->run->stop, 1);
	atomic_store(&s->run->go, 1);
	futex_wake_all(&s->run->go);
	futex_wake_all(&s->run->pause);
	step("stop");
}

static void on_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == sizeof(si)) {
		if (++l->s->stop_signals == 1) {
			live_event(l->s->live, NULL, "stopping; once more to kill the workers");
			stop_workers(l->s);
		} else {
			judge_trouble(l->s, "interrupted twice: the workers were killed");
			crew_kill(l->s, SIGKILL);
		}
	}
}

static u64 total_ops(const struct session *s)
{
	u64 n = 0;

	for (size_t i = 0; i < s->ncrew; i++)
		n += atomic_load(&s->run->slots[s->crew[i].plan.id].ops);
	return n;
}

static u64 total_overlaps(const struct session *s)
{
	u64 n = 0;

	for (u32 i = 0; i < s->run->nraces; i++)
		n += atomic_load(&s->run->races[i].overlaps);
	return n;
}

static void show_live(struct loop *l)
{
	struct session *s = l->s;
	u64 ops = total_ops(s);
	double elapsed = (double)(now_ns() - s->run->start_ns) / 1e9;
	struct live_state st = { .elapsed_s = elapsed,
				 .left_s = (double)s->sc->duration_ns / 1e9 - elapsed,
				 .ops = ops,
				 .ops_per_s = (ops - l->ops_before) * NSEC_PER_SEC /
					      (TICK_NS * LIVE_TICKS),
				 .faults = faults_injected(s),
				 .overlaps = total_overlaps(s),
				 .findings = s->result.nfindings,
				 .klog_events = klog_count_safe(s),
				 .phase = s->phase };

	l->ops_before = ops;
	live_update(s->live, &st);
}

/* Of each race; without races, operations are attempts. */
static bool attempts_made(const struct session *s)
{
	for (u32 i = 0; i < s->run->nraces; i++)
		if (!race_over(&s->run->races[i]))
			return false;
	return s->run->nraces || total_ops(s) >= s->sc->attempts;
}

static bool time_is_up(const struct session *s)
{
	/* The duration is the workers': a slow start must not use it up. */
	if (!atomic_load(&s->run->go))
		return false;
	if (now_ns() - s->run->start_ns >= s->sc->duration_ns)
		return true;
	if (s->sc->stop_on == STOP_HIT && s->result.nfindings)
		return true;
	if (ledger_fs_down(s))
		return true; /* the faults' expected end */
	if (s->sc->stop_on == STOP_ATTEMPTS && attempts_made(s))
		return true;
	/* stressd's own trouble: what still runs is not what the scenario asked for */
	return s->hopeless;
}

static void on_tick(struct loop *l)
{
	struct session *s = l->s;
	u64 expirations;

	if (read(l->timer, &expirations, sizeof(expirations)) < 0)
		return;
	l->ticks++;
	if (atomic_load(&s->run->go) && !s->stop_ns)
		moments_tick(s);
	judge_sightings(s);
	if (l->ticks % LIVE_TICKS == 0)
		show_live(l);
	if (l->ticks % WATCH_TICKS == 0)
		crew_watch(s);
	/* Getting ready does not count: it may take longer than a short run. */
	if (!s->stop_ns && atomic_load(&s->run->go) && time_is_up(s))
		stop_workers(s);
	if (s->stop_ns && now_ns() - s->stop_ns > STOP_NS) {
		judge_trouble(s, "some workers did not stop within %llu s and were killed",
			      STOP_NS / NSEC_PER_SEC);
		crew_kill(s, SIGKILL);
		s->stop_ns = now_ns();
	}
}

static void on_janitor(struct loop *l)
{
	judge_trouble(l->s, "the janitor died: nobody would put things back after us");
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->s->janitor.pidfd, NULL);
	stop_workers(l->s);
}

static void on_event(struct loop *l, u64 data)
{
	switch (data) {
	case SRC_SIGNALS:
		on_signals(l);
		return;
	case SRC_TIMER:
		on_tick(l);
		return;
	case SRC_KLOG:
		judge_klog(l->s);
		return;
	case SRC_JANITOR:
		on_janitor(l);
		return;
	case SRC_FAULTS:
		faults_due(l->s);
		return;
	default:
		judge_sightings(l->s);
		crew_reap(l->s, &l->s->crew[data - SRC_WORKERS]);
	}
}

static int add(struct loop *l, int fd, u64 data)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = data };

	return fd < 0 ? 0 : epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int open_sources(struct loop *l, struct err *e)
{
	struct itimerspec tick = { { 0, (long)TICK_NS }, { 0, (long)TICK_NS } };
	struct session *s = l->s;
	sigset_t set;
	int r = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->signals < 0 || l->timer < 0 ||
	    timerfd_settime(l->timer, 0, &tick, NULL) < 0)
		return err_set(e, -errno, "cannot make the event loop: %s", strerror(errno));
	r = add(l, l->signals, SRC_SIGNALS);
	if (r == 0)
		r = add(l, l->timer, SRC_TIMER);
	if (r == 0 && s->klog)
		r = add(l, klog_fd(s->klog), SRC_KLOG);
	if (r == 0)
		r = add(l, s->janitor.pidfd, SRC_JANITOR);
	if (r == 0)
		r = add(l, faults_fd(s), SRC_FAULTS);
	for (size_t i = 0; i < s->ncrew && r == 0; i++)
		r = add(l, s->crew[i].pidfd, SRC_WORKERS + i);
	return r < 0 ? err_set(e, r, "epoll: %s", strerror(-r)) : 0;
}

/* A tick at most; then one more look at who is ready. */
static int pump(struct loop *l)
{
	struct epoll_event evs[16];
	int n = epoll_wait(l->epoll, evs, ARRAY_SIZE(evs), 1000);

	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n; i++)
		on_event(l, evs[i].data.u64);
	return 0;
}

static bool all_ready(const struct session *s)
{
	for (size_t i = 0; i < s->ncrew; i++)
		if (atomic_load(&s->run->slots[s->crew[i].plan.id].state) == SLOT_STARTING)
			return false;
	return true;
}

static void closep3(struct loop *l)
{
	closep(&l->epoll);
	closep(&l->signals);
	closep(&l->timer);
}

int coordinate(struct session *s, struct err *e)
{
	_cleanup_(closep3) struct loop l = { .s = s, .epoll = -1, .signals = -1, .timer = -1 };
	u64 deadline = now_ns() + READY_NS;
	int r = open_sources(&l, e);

	s->run->start_ns = now_ns(); /* so that times before the barrier are small, not huge */
	while (r == 0 && !all_ready(s) && s->alive && !s->stop_ns) {
		if (now_ns() > deadline)
			return err_set(e, -ETIMEDOUT, "the workers did not get ready in %llu s",
				       READY_NS / NSEC_PER_SEC);
		r = pump(&l);
		if (s->hopeless)
			stop_workers(s);
	}
	step("barrier");
	s->phase = "run";
	s->run->start_ns = now_ns();
	if (s->stop_ns)
		s->stop_ns = s->run->start_ns; /* stopped before the start: it ran for no time */
	atomic_store(&s->run->go, 1);
	futex_wake_all(&s->run->go);
	step("started");
	if (r == 0 && !s->stop_ns)
		r = faults_start(s, e);
	if (r < 0)
		return r;
	while (r == 0 && s->alive)
		r = pump(&l);
	if (!s->stop_ns)
		s->stop_ns = now_ns(); /* all workers had finished what they had to do */
	return r < 0 ? err_set(e, r, "the event loop failed: %s", strerror(-r)) : 0;
}
