// SPDX-License-Identifier: GPL-2.0-or-later
/* One loop over the console, the results port, QEMU's own words and its death. */
#include "vm/watch.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "klog/record.h"
#include "vm/guest.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define BOOT_NS	     (120 * NSEC_PER_SEC)
#define DOWN_NS	     (10 * NSEC_PER_SEC) /* to turn off the power after the last word */
#define SYSRQ_NS     (5 * NSEC_PER_SEC)
#define TICK_MS	     100
#define READS_A_TURN 64

static void host_error(struct watch *w, int r, const char *what)
{
	if (w->error)
		return;
	w->error = r;
	snprintf(w->complaint, sizeof(w->complaint), "%s: %s", what, strerror(-r));
}

/* The stacks of blocked tasks: the evidence of a hang. */
static void keep_stuck(struct watch *w)
{
	if (strstr(w->line, "sysrq: Show "))
		w->listing = strstr(w->line, "sysrq: Show Blocked State") != NULL;
	else if (w->listing && w->nstuck < ARRAY_SIZE(w->stuck)) {
		u64 usec;
		char caller[CALLER_MAX];

		w->stuck[w->nstuck] = strdup(console_strip(w->line, &usec, caller));
		w->nstuck += w->stuck[w->nstuck] != NULL;
	}
}

static void console_line(struct watch *w)
{
	const char *said;

	w->line[w->line_len] = '\0';
	w->line_len = 0;
	klog_feed(w->klog, w->line, 0);
	keep_stuck(w);
	/* The kernel names each SysRq that it serves; a tty would but echo the key. At boot it says
	 * of SysRq that it is enabled. */
	w->sysrq_answered |= strstr(w->line, "sysrq: Show ") != NULL;
	said = strstr(w->line, GUEST_COMPLAINS);
	if (said && !w->hello && !w->complaint[0])
		snprintf(w->complaint, sizeof(w->complaint), "%s", said + strlen(GUEST_COMPLAINS));
}

static void on_console(struct watch *w, const char *buf, size_t len)
{
	int r = write_all(w->console_log_fd, buf, len);

	if (r < 0)
		host_error(w, r, "console.log cannot be written");
	w->console_bytes += len;
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n')
			console_line(w);
		else if (buf[i] != '\r' && buf[i] && w->line_len < sizeof(w->line) - 1)
			w->line[w->line_len++] = buf[i];
	}
}

/* A scenario's number comes from the guest: one that we did not give is not taken. */
static bool ours(const struct watch *w, u32 id)
{
	return id < w->o->nscenarios;
}

static void tell(const struct watch *w, u32 id, int status)
{
	if (w->o->on_scenario)
		w->o->on_scenario(w->o->ctx, id, status);
}

static void begin(struct watch *w, const struct frame *f)
{
	if (!ours(w, f->id))
		return;
	arrival_close(&w->arrival);
	w->current = (int)f->id;
	w->arrival.dirfd = w->dir_fds[f->id];
	w->begun_ns = now_ns();
	w->begun_events = klog_count(w->klog);
	w->stuck_ns = 0;
	tell(w, f->id, -1);
}

static void take_file(struct watch *w, const struct frame *f)
{
	int r = w->current < 0 ? -EBADMSG : arrival_take(&w->arrival, f);

	if (r == -EBADMSG)
		host_error(w, r, "the guest sent a file that cannot be");
	else if (r < 0)
		host_error(w, r, "the run directory cannot be written");
}

static void take_text(const struct frame *f, char *buf, size_t size)
{
	size_t len = MIN((size_t)f->len, size - 1);

	memcpy(buf, f->data ? f->data : "", len);
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* Once: a second end would find the next scenario's state. */
static void ended(struct watch *w, const struct frame *f)
{
	int r;

	if (!ours(w, f->id) || (int)f->id != w->current || w->exits[f->id] >= 0)
		return;
	w->exits[f->id] = (int)(f->offset & 0xff);
	r = salvage_ended(&w->salvage, f->id, w->exits[f->id], w->dir_fds[f->id]);
	if (r < 0)
		host_error(w, r, "the state of the run cannot be kept");
	tell(w, f->id, w->exits[f->id]);
}

static void on_frame(void *ctx, const struct frame *f)
{
	struct watch *w = ctx;

	/* Any whole frame is a sign of life. */
	w->beat_ns = now_ns();
	switch (f->type) {
	case FRAME_HELLO:
		w->hello = true;
		w->hello_ns = now_ns();
		take_text(f, w->release, sizeof(w->release));
		break;
	case FRAME_BEGIN:
		begin(w, f);
		break;
	case FRAME_FILE:
	case FRAME_DATA:
	case FRAME_GONE:
		take_file(w, f);
		break;
	case FRAME_OUTPUT:
		fwrite(f->data, 1, f->len, f->id == 1 ? w->o->out : w->o->err);
		break;
	case FRAME_END:
		ended(w, f);
		break;
	case FRAME_DONE:
		w->done = true;
		break;
	case FRAME_FAIL:
		take_text(f, w->complaint, sizeof(w->complaint));
		break;
	}
}

static void on_results(struct watch *w, const char *buf, size_t len)
{
	stream_feed(&w->stream, buf, len, on_frame, w);
}

/* Its first line; "qemu-system-x86_64: " is in it. */
static void on_errors(struct watch *w, const char *buf, size_t len)
{
	if (!w->complaint[0])
		snprintf(w->complaint, sizeof(w->complaint), "%.*s",
			 (int)MIN(strcspn(buf, "\n"), len), buf);
}

/* Bounded, so that a flood from one does not starve the others. False: nothing was there. */
static bool drain(struct watch *w, int fd, void (*fn)(struct watch *, const char *, size_t))
{
	char buf[65536 + 1];
	bool any = false;

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n = read(fd, buf, sizeof(buf) - 1);

		if (n <= 0)
			break;
		buf[n] = '\0';
		fn(w, buf, (size_t)n);
		any = true;
	}
	return any;
}

static bool drain_all(struct watch *w)
{
	bool any = drain(w, w->qemu.console_fd, on_console);

	any |= drain(w, w->qemu.results_fd, on_results);
	any |= drain(w, w->qemu.errors_fd, on_errors);
	return any;
}

/* What the tasks do, while the guest can still say so: all of it, whatever its level. */
static void ask_why(struct watch *w)
{
	for (const char *key = "8wt"; *key; key++) {
		u64 end_ns = now_ns() + SYSRQ_NS;
		struct pollfd p[] = { { .fd = w->qemu.console_fd, .events = POLLIN },
				      { .fd = w->qemu.pidfd, .events = POLLIN } };

		if (!qemu_sysrq(&w->qemu, *key))
			return;
		while (now_ns() < end_ns && !(p[1].revents & POLLIN)) {
			poll(p, 2, TICK_MS);
			drain_all(w);
		}
	}
}

static bool panicked(const struct watch *w)
{
	for (size_t i = 0; i < klog_count(w->klog); i++)
		if (!strcmp(klog_event(w->klog, i)->rule, "panic"))
			return true;
	return false;
}

/* SIGKILL is never QEMU's own doing; of the others it says that it was asked to go. */
static bool killed(const struct watch *w, const siginfo_t *info)
{
	return (info->si_code != CLD_EXITED && info->si_status == SIGKILL) ||
	       strstr(w->complaint, "terminating on signal");
}

/* QEMU is dead: by itself or not? With -no-reboot a panic ends it as a power-off does. */
static int how_it_died(struct watch *w)
{
	siginfo_t info = { 0 };

	while (drain_all(w))
		;
	if (w->line_len)
		console_line(w);
	klog_finish(w->klog);
	waitid(P_PID, (id_t)w->qemu.pid, &info, WEXITED | WNOHANG | WNOWAIT);
	if (w->error)
		return VM_TROUBLE;
	if (w->done)
		return VM_DONE;
	if (killed(w, &info))
		return VM_GONE;
	if (info.si_code != CLD_EXITED || info.si_status != 0)
		return VM_TROUBLE;
	if (!w->hello)
		return VM_NO_BOOT;
	if (panicked(w))
		return VM_CRASH;
	return w->complaint[0] ? VM_TROUBLE : VM_CRASH;
}

const struct klog_event *watch_stuck(const struct watch *w)
{
	for (size_t i = w->begun_events; w->current >= 0 && i < klog_count(w->klog); i++) {
		const struct klog_event *ev = klog_event(w->klog, i);

		if ((ev->finding == FINDING_KERNEL_HANG || ev->finding == FINDING_KERNEL_BUG) &&
		    !ev->allowed && ev->severity >= w->o->scenarios[w->current]->kernel_log.fail_at)
			return ev;
	}
	return NULL;
}

/* A run ends by itself when the log has a hang or a task that died in the kernel, unless it waits
 * for what hangs, or for a lock of the dead. One that does not
 * stop at a finding has its time first. */
static bool is_stuck(struct watch *w, u64 now)
{
	const struct scenario *sc;
	u64 rest;

	if (w->current < 0 || w->exits[w->current] >= 0)
		return false;
	if (!w->stuck_ns && watch_stuck(w))
		w->stuck_ns = now;
	sc = w->o->scenarios[w->current];
	rest = sc->stop_on == STOP_HIT ? 0 : w->begun_ns + sc->duration_ns;
	return w->stuck_ns && now > MAX(w->stuck_ns, rest) + w->o->silence_ns;
}

/* What the clock says, or -1: go on. */
static int overdue(struct watch *w, u64 limit_ns, u64 mute_ns)
{
	u64 now = now_ns(), age = now - w->started_ns;

	if (w->error)
		return VM_TROUBLE;
	if (w->done)
		return now > w->beat_ns + DOWN_NS ? VM_DONE : -1;
	if (mute_ns && age > mute_ns && !w->console_bytes && !w->hello)
		return VM_MUTE;
	if (!w->hello)
		return age > MIN(BOOT_NS, limit_ns) ? VM_NO_BOOT : -1;
	if (w->o->cut_ns && w->first_ns && w->exits[w->current] < 0 &&
	    now > w->first_ns + w->o->cut_ns)
		return VM_CUT;
	if (now > w->beat_ns + w->o->silence_ns)
		return VM_HANG;
	if (is_stuck(w, now))
		return VM_STUCK;
	if (w->o->each_ns && w->current >= 0 && w->exits[w->current] < 0 &&
	    now > w->begun_ns + w->o->each_ns)
		return VM_TIMEOUT;
	return age > limit_ns ? VM_TIMEOUT : -1;
}

/* What it took to come to the point: a number to keep small, and a sign for whoever waits. */
static void see_first(struct watch *w)
{
	if (w->first_ns || !w->begun_ns || !salvage_going(&w->salvage))
		return;
	w->first_ns = now_ns();
	fprintf(w->o->err, "stressd: booted in %.1f s, first operation after %.1f s\n",
		(double)(w->hello_ns - w->started_ns) / 1e9,
		(double)(w->first_ns - w->started_ns) / 1e9);
	fflush(w->o->err);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int watch_guest(struct watch *w, u64 limit_ns, u64 mute_ns)
{
	_cleanup_close_ int signals = open_signals();
	struct pollfd p[] = { { .fd = w->qemu.pidfd, .events = POLLIN },
			      { .fd = w->qemu.console_fd, .events = POLLIN },
			      { .fd = w->qemu.results_fd, .events = POLLIN },
			      { .fd = signals, .events = POLLIN } };
	int end = -1;

	w->started_ns = now_ns();
	while (end < 0) {
		poll(p, ARRAY_SIZE(p), TICK_MS);
		drain_all(w);
		see_first(w);
		if (p[0].revents & POLLIN)
			end = how_it_died(w);
		else if (p[3].revents & POLLIN)
			end = VM_INTERRUPTED;
		else
			end = overdue(w, limit_ns, mute_ns);
	}
	if (end == VM_HANG || end == VM_STUCK || end == VM_TIMEOUT)
		ask_why(w);
	if (end == VM_NO_BOOT || end == VM_HANG || end == VM_STUCK || end == VM_TIMEOUT ||
	    end == VM_CUT) {
		if (w->line_len)
			console_line(w);
		klog_finish(w->klog);
	}
	qemu_stop(&w->qemu);
	arrival_close(&w->arrival);
	return end;
}
