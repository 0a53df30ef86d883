// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz entry of the kernel-log reader: each line of the input is fed as a console line and parsed
 * as a /dev/kmsg record. What must hold for any input is checked here; memory errors are the
 * sanitizer's business.
 */
#include <stdlib.h>
#include <string.h>

#include "klog/internal.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct klog *k)
{
	must(klog_count(k) <= EVENTS_MAX);
	for (size_t i = 0; i < klog_count(k); i++) {
		const struct klog_event *e = klog_event(k, i);

		must(*e->title && strlen(e->title) < sizeof(e->title));
		must(e->nlines > 0 && e->nlines <= SPLAT_LINES_MAX + 1);
		for (size_t j = 0; j < i; j++)
			must(strcmp(e->title, klog_event(k, j)->title));
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct klog *k;
	u64 now = 1;

	if (klog_open_memory(&k) < 0)
		return 0;
	while (size) {
		const u8 *nl = memchr(data, '\n', size);
		size_t len = nl ? (size_t)(nl - data) : size;
		char *line = malloc(len + 1);
		struct kmsg_record r;

		must(line != NULL);
		memcpy(line, data, len);
		line[len] = '\0';
		/* The first byte sets the pace, so that splats time out, too. */
		now += len ? (u64)data[0] * NSEC_PER_MSEC : 1;
		klog_feed(k, line, now);
		if (kmsg_parse(line, len, &r) == 0)
			klog_line(k, r.caller, r.text, now);
		free(line);
		data += len + (nl ? 1 : 0);
		size -= len + (nl ? 1 : 0);
	}
	klog_finish(k);
	check(k);
	klog_close(k);
	return 0;
}
