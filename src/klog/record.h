/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record of /dev/kmsg, or one line of a console, taken apart. Pure functions on text:
 * no device, no rules. Format: Documentation/ABI/testing/dev-kmsg.
 */
#ifndef STRESSD_KLOG_RECORD_H
#define STRESSD_KLOG_RECORD_H

#include "base/base.h"

#define CALLER_MAX    16
#define FACILITY_KERN 0 /* user space cannot claim it: devkmsg_write() forces LOG_USER for 0 */

struct kmsg_record {
	u64 seq, usec;
	int facility, level;
	char caller[CALLER_MAX]; /* "T123", "C1", or "" without CONFIG_PRINTK_CALLER */
	char *text;		 /* in the buffer, unescaped; may hold newlines */
};

/*
 * Parse the record at @buf; buf[len] must be writable, it gets the terminator, and the text is
 * unescaped in place. The " KEY=value" lines after the text are left out: no rule looks there.
 * Returns 0 or -EINVAL.
 */
int kmsg_parse(char *buf, size_t len, struct kmsg_record *ret);

/* Skip the "<4>[   12.345678][  T123] " of a console line. What it says goes to *usec and
 * @caller, which stay as they are where it says nothing. */
const char *console_strip(const char *line, u64 *usec, char caller[CALLER_MAX]);

#endif
