// SPDX-License-Identifier: GPL-2.0-or-later
/* The handle, and the way of a line: into kernel.log, the window, and the open splats. */
#include "klog/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int klog_open_memory(struct klog **ret)
{
	struct klog *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->source.fd = k->epoll_fd = k->timer_fd = -1;
	r = rules_new(&k->rules);
	if (r == 0)
		r = task_patterns_new(&k->tasks);
	if (r < 0) {
		klog_close(k);
		return r;
	}
	k->splats = (struct splats){ .rules = k->rules, .done = events_add, .ctx = k };
	*ret = k;
	return 0;
}

int klog_fd(const struct klog *k)
{
	return k->epoll_fd;
}

void klog_line(struct klog *k, const char *caller, const char *text, u64 time_ns)
{
	char cut[TEXT_MAX + 1];
	size_t len = strnlen(text, TEXT_MAX);

	memcpy(cut, text, len);
	while (len && (cut[len - 1] == '\n' || cut[len - 1] == '\r'))
		len--;
	cut[len] = '\0';
	copy_line(&k->copy, caller, cut, time_ns);
	window_add(&k->window, cut, time_ns);
	splats_line(&k->splats, caller, cut, time_ns);
}

int klog_read(struct klog *k)
{
	u64 before = k->completed;
	int r = k->source.read ? reader_drain(k) : 0;

	if (k->source.read) {
		splats_expire(&k->splats, now_ns());
		reader_arm_timer(k);
	}
	if (r == 0 && k->copy.error) {
		r = k->copy.error;
		k->copy.error = 0;
	}
	return r < 0 ? r : (int)(k->completed - before);
}

void klog_feed(struct klog *k, const char *line, u64 time_ns)
{
	char caller[CALLER_MAX] = "";
	u64 usec = 0;
	const char *text = console_strip(line, &usec, caller);

	klog_line(k, caller, text, time_ns ? time_ns : usec * NSEC_PER_USEC);
}

void klog_finish(struct klog *k)
{
	splats_finish(&k->splats);
}

size_t klog_count(const struct klog *k)
{
	return k->nevents;
}

const struct klog_event *klog_event(const struct klog *k, size_t i)
{
	return i < k->nevents ? k->events[i] : NULL;
}

u64 klog_lost(const struct klog *k)
{
	/* An overrun whose size no later record has told yet. */
	return k->lost + (k->overrun ? 1 : 0);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void klog_close(struct klog *k)
{
	if (!k)
		return;
	if (k->rules)
		splats_finish(&k->splats);
	events_free(k);
	allow_free(k);
	window_free(&k->window);
	if (k->copy.f)
		fclose(k->copy.f);
	close_fd(k->epoll_fd);
	close_fd(k->timer_fd);
	close_fd(k->source.fd);
	task_patterns_free(k->tasks);
	rules_free(k->rules);
	free(k);
}
