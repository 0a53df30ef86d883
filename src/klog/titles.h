/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a splat is called and whom it names. Reads finished splats; keeps nothing. The same bug
 * must get the same title on another machine, CPU, device, build and day.
 */
#ifndef STRESSD_KLOG_TITLES_H
#define STRESSD_KLOG_TITLES_H

#include "klog/splat.h"

struct task_patterns;

int task_patterns_new(struct task_patterns **ret);
void task_patterns_free(struct task_patterns *t);

/* Write the title of @s, as its rule's template says, to @buf. */
void title_of(const struct rules *r, const struct splat *s, char *buf, size_t len);
/* The task that the splat is about; *ret_pid is -1 and @comm "" where none is named. */
void task_of(const struct task_patterns *t, const struct splat *s, int *ret_pid, char comm[17]);

#endif
