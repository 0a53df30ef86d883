// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom a splat names: one table of the ways in which the kernel writes comm and pid. */
#include "klog/titles.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In order of trust: a headline names the task at fault, the "CPU: PID: Comm:" line of a stack
 * dump whoever ran when it was printed (khungtaskd for a hung task). 0: not named. */
static const struct {
	const char *pattern;
	int comm, pid; /* groups */
} task_table[] = {
	{ "^INFO: task (.+):([0-9]+) (<[^>]*> )?blocked ", 1, 2 },
	{ " stuck for [0-9]+s! \\[(.+):([0-9]+)\\]", 1, 2 },
	{ "^BUG: scheduling while atomic: (.+)/([0-9]+)/0x", 1, 2 },
	{ "pid: ([0-9]+), name: (.+)$", 2, 1 },
	{ "^WARNING: .*, CPU#[0-9]+: (.+)/([0-9]+)$", 1, 2 }, /* from 6.19 on */
	{ "^WARNING: CPU: [0-9]+ PID: ([0-9]+) at ", 0, 1 },  /* comm comes further down */
	{ " by task (.+)/([0-9]+)( on cpu |$)", 1, 2 },
	{ " by task ([0-9]+) on cpu ", 0, 1 },
	{ "^(.+)/([0-9]+) (is trying to |\\[HC|just changed |is freeing memory)", 1, 2 },
	{ "Killed process ([0-9]+) \\(([^)]+)\\)", 2, 1 },
	{ "PID: ([0-9]+) Comm: (.+) (Not tainted|Tainted:|Kdump:)", 2, 1 },
	{ "PID: ([0-9]+) Comm: (.+)$", 2, 1 },
	{ " code: (.+)/([0-9]+)$", 1, 2 },
	{ "^EXT4-fs .*: comm ([^:]+): ", 1, 0 },
	{ " Comm: ([^ ]+)$", 1, 0 },
};

struct task_patterns {
	regex_t re[ARRAY_SIZE(task_table)];
	size_t ncompiled;
};

int task_patterns_new(struct task_patterns **ret)
{
	struct task_patterns *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(task_table); i++, t->ncompiled++) {
		if (regcomp(&t->re[i], task_table[i].pattern, REG_EXTENDED)) {
			task_patterns_free(t);
			return -ENOMEM;
		}
	}
	*ret = t;
	return 0;
}

void task_patterns_free(struct task_patterns *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->ncompiled; i++)
		regfree(&t->re[i]);
	free(t);
}

static int pid_at(const char *digits)
{
	unsigned long pid = strtoul(digits, NULL, 10);

	return pid <= INT_MAX ? (int)pid : -1;
}

static void take_comm(const char *line, const regmatch_t *m, char comm[17])
{
	int n = (int)(m->rm_eo - m->rm_so);

	snprintf(comm, 17, "%.*s", n, line + m->rm_so);
}

/* Lines that can name a task are few and short; the rest of a splat is frames and registers. */
static bool may_name_task(const char *line)
{
	return line[0] != ' ' && line[0] != '\t' && strpbrk(line, "0123456789:") &&
	       strlen(line) < 512;
}

void task_of(const struct task_patterns *t, const struct splat *s, int *ret_pid, char comm[17])
{
	regmatch_t m[4];

	*ret_pid = -1;
	comm[0] = '\0';
	for (size_t p = 0; p < ARRAY_SIZE(task_table); p++) {
		int c = task_table[p].comm, d = task_table[p].pid;

		for (size_t i = 0; i < s->nlines && !(*comm && *ret_pid >= 0); i++) {
			if (!may_name_task(s->lines[i]) ||
			    regexec(&t->re[p], s->lines[i], ARRAY_SIZE(m), m, 0))
				continue;
			/* A comm without its pid may only join the same pid's line. */
			if (d && *ret_pid >= 0 && pid_at(s->lines[i] + m[d].rm_so) != *ret_pid)
				continue;
			if (d)
				*ret_pid = pid_at(s->lines[i] + m[d].rm_so);
			if (c && !*comm)
				take_comm(s->lines[i], &m[c], comm);
			break;
		}
	}
}
