// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/kmsg: the marker that a run starts with, records in sequence, and the count of those that
 * were overwritten before they were read. Sources: Documentation/ABI/testing/dev-kmsg and
 * devkmsg_read() in kernel/printk/printk.c.
 *
 * Sequence numbers: devkmsg_read() gives every record of the ring in turn and filters nothing;
 * where the next one is gone it returns -EPIPE once and goes on with the oldest there is. So
 * a step in the numbers is exactly the number of records lost.
 */
#include "klog/internal.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* So much of a flood is read at a time; then the caller's other descriptors have a turn. */
#define RECORDS_PER_READ 4096
#define MARKER_TRIES	 100000

static ssize_t device_read(struct kmsg_source *s, char *buf, size_t len)
{
	ssize_t n;

	do
		n = read(s->fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static u64 raw_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

/*
 * printk stamps with local_clock(), which NTP does not slew, as it does not CLOCK_MONOTONIC_RAW:
 * the two drift apart by parts in a million, some milliseconds an hour. So the marker gives the
 * offset to RAW, and a record's age, which is short, carries over to CLOCK_MONOTONIC. A record
 * from the future shows drift, and corrects it.
 */
static u64 stamp_to_ns(struct klog *k, u64 usec)
{
	s64 age;

	if (!k->calibrated || usec > INT64_MAX / NSEC_PER_USEC)
		return usec * NSEC_PER_USEC;
	age = (s64)raw_ns() - (s64)(usec * NSEC_PER_USEC) - k->raw_minus_stamp_ns;
	if (age < 0) {
		k->raw_minus_stamp_ns += age;
		age = 0;
	}
	return now_ns() - (u64)age;
}

static void account_seq(struct klog *k, u64 seq)
{
	u64 gap = k->have_seq && seq > k->next_seq ? seq - k->next_seq : 0;
	char note[80];

	if (k->overrun && !gap)
		gap = 1;
	k->overrun = false;
	k->have_seq = true;
	k->next_seq = seq + 1;
	if (!gap)
		return;
	k->lost += gap;
	snprintf(note, sizeof(note), "stressd: %llu records of the kernel log were lost here",
		 (unsigned long long)gap);
	copy_line(&k->copy, "", note, now_ns());
	window_add(&k->window, note, now_ns());
}

static void take_record(struct klog *k, const struct kmsg_record *r)
{
	u64 time_ns = stamp_to_ns(k, r->usec);
	char *rest = r->text, *line;

	/* A message may hold newlines; each of its lines is matched on its own. */
	while ((line = strsep(&rest, "\n"))) {
		if (r->facility == FACILITY_KERN) {
			klog_line(k, r->caller, line, time_ns);
		} else {
			/* Written by a program: kept, but it cannot pose as the kernel. */
			copy_line(&k->copy, "user", line, time_ns);
			window_add(&k->window, line, time_ns);
		}
	}
}

int reader_drain(struct klog *k)
{
	char buf[RECORD_MAX + 1];

	for (int i = 0; i < RECORDS_PER_READ; i++) {
		ssize_t n = k->source.read(&k->source, buf, RECORD_MAX);
		struct kmsg_record r;

		if (n == -EPIPE) {
			k->overrun = true;
			continue;
		}
		if (n == -EAGAIN || n == 0)
			return 0;
		if (n < 0)
			return (int)n;
		if (kmsg_parse(buf, (size_t)n, &r) == 0) {
			account_seq(k, r.seq);
			take_record(k, &r);
		} else {
			k->lost++; /* read, and not understood: as good as not read */
		}
	}
	return 0;
}

void reader_arm_timer(struct klog *k)
{
	u64 at = splats_deadline_ns(&k->splats);
	struct itimerspec ts = { 0 };
	u64 ticks;

	if (k->timer_fd < 0)
		return;
	if (at) {
		at += NSEC_PER_MSEC; /* splats expire after their deadline, not at it */
		ts.it_value.tv_sec = (time_t)(at / NSEC_PER_SEC);
		ts.it_value.tv_nsec = (long)(at % NSEC_PER_SEC);
	}
	/* Setting a timer also takes back that it fired; the read is for kernels before that. */
	if (read(k->timer_fd, &ticks, sizeof(ticks)) < 0)
		ticks = 0;
	timerfd_settime(k->timer_fd, TFD_TIMER_ABSTIME, &ts, NULL);
}

/* Read forward to the record that holds @marker; its stamp against the time of its writing sets
 * the clocks. False when it is not there. */
static bool find_marker(struct klog *k, const char *marker, u64 written_raw_ns)
{
	char buf[RECORD_MAX + 1];

	for (int i = 0; i < MARKER_TRIES; i++) {
		ssize_t n = k->source.read(&k->source, buf, RECORD_MAX);
		struct kmsg_record r;

		if (n == -EPIPE)
			continue;
		if (n <= 0)
			return false;
		if (kmsg_parse(buf, (size_t)n, &r) < 0 || !strstr(r.text, marker))
			continue;
		k->raw_minus_stamp_ns = (s64)written_raw_ns - (s64)(r.usec * NSEC_PER_USEC);
		k->calibrated = true;
		k->have_seq = true;
		k->next_seq = r.seq + 1;
		return true;
	}
	return false;
}

/*
 * SEEK_END first, the marker then: other lines may come in between, and are passed over. With
 * printk.devkmsg=ratelimit a write can be dropped without an error, and a reader may lack the
 * right to write; the run then starts at the end of the log as it is, and with clocks not set,
 * but by the boot time that both count from.
 */
static void write_marker(struct klog *k, const char *run)
{
	char line[256], marker[64];
	u64 before, after;
	ssize_t n;

	snprintf(marker, sizeof(marker), "marker %d.%llx", (int)getpid(),
		 (unsigned long long)mix64(now_ns()));
	snprintf(line, sizeof(line), "<6>stressd: run %.128s starts, %s\n", run, marker);
	lseek(k->source.fd, 0, SEEK_END);
	before = raw_ns();
	n = write(k->source.fd, line, strlen(line));
	after = raw_ns();
	if (n < 0 || !find_marker(k, marker, before + (after - before) / 2))
		lseek(k->source.fd, 0, SEEK_END);
}

static int open_device(struct err *e)
{
	int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == EPERM || errno == EACCES)
		return err_set(e, -errno,
			       "cannot read /dev/kmsg: %s; run as root or with CAP_SYSLOG, and see "
			       "that kernel.printk_devkmsg is not \"off\"",
			       strerror(errno));
	return err_set(e, -errno, "cannot open /dev/kmsg: %s; the kernel needs CONFIG_PRINTK%s",
		       strerror(errno), errno == ENOENT ? ", a container the device" : "");
}

static int watch(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int klog_open(const char *run, struct klog **ret, struct err *e)
{
	_cleanup_close_ int fd = open_device(e);
	struct klog *k;
	int r;

	if (fd < 0)
		return fd;
	r = klog_open_memory(&k);
	if (r < 0)
		return err_set(e, r, "cannot prepare the kernel log rules: %s", strerror(-r));
	k->source = (struct kmsg_source){ .read = device_read, .fd = take_fd(&fd) };
	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	r = k->epoll_fd < 0 || k->timer_fd < 0 ? -errno : watch(k->epoll_fd, k->source.fd);
	if (r == 0)
		r = watch(k->epoll_fd, k->timer_fd);
	if (r < 0) {
		klog_close(k);
		return err_set(e, r, "cannot watch /dev/kmsg: %s", strerror(-r));
	}
	write_marker(k, run);
	*ret = k;
	return 0;
}
