// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader on this machine's /dev/kmsg. Lines written there by a test carry a facility other
 * than the kernel's, so that they must be copied and must not become events. Skipped where the
 * log may not be read and written.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "klog/internal.h"

#define SPLAT "WARNING: CPU: 0 PID: 7 at test.c:1 written_by_a_test+0x1/0x2"

/* Without the newline printk keeps the record open for a continuation, and hidden. */
static void say(const char *text)
{
	_cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void reads_from_the_marker(void **state)
{
	struct klog *k;
	struct err e;
	struct pollfd p = { .events = POLLIN };
	const char *lines[64];
	u64 before, after;
	size_t n;
	bool seen = false;

	(void)state;
	say("stressd test: before the marker\n");
	assert_int_equal(klog_open("test", &k, &e), 0);
	assert_true(k->calibrated);
	before = now_ns();
	say("<4>" SPLAT "\n");
	after = now_ns();
	p.fd = klog_fd(k);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(klog_read(k) >= 0);
	klog_finish(k);

	/* Other programs may write too; the stamp is as good as promised, or this finds nothing. */
	n = klog_lines_between(k, before - 20 * NSEC_PER_MSEC, after + 20 * NSEC_PER_MSEC, lines,
			       NULL, ARRAY_SIZE(lines));
	for (size_t i = 0; i < n; i++) {
		assert_null(strstr(lines[i], "before the marker"));
		seen |= !strcmp(lines[i], SPLAT);
	}
	assert_true(seen);
	for (size_t i = 0; i < klog_count(k); i++)
		assert_null(strstr(klog_event(k, i)->title, "written_by_a_test"));
	assert_true(klog_lost(k) == 0);
	klog_close(k);
}

/* An open splat closes itself: the descriptor wakes its reader when the time has come. */
static void timer_closes_a_splat(void **state)
{
	struct klog *k;
	struct err e;
	struct pollfd p = { .events = POLLIN };

	(void)state;
	assert_int_equal(klog_open("test", &k, &e), 0);
	klog_line(k, "T7", "EXT4-fs error (device loop0): f:1: x", now_ns());
	assert_true(klog_read(k) >= 0);
	p.fd = klog_fd(k);
	for (int i = 0; i < 100 && klog_count(k) == 0; i++) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_true(klog_read(k) >= 0);
	}
	assert_int_equal(klog_count(k), 1);
	klog_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_from_the_marker),
		cmocka_unit_test(timer_closes_a_splat),
	};
	_cleanup_close_ int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		perror("skipped: /dev/kmsg");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
