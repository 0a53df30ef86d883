/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splats: lines that belong to one report, gathered while lines of other tasks pass between them.
 *
 * One splat can be open per caller (the T123 or C1 of CONFIG_PRINTK_CALLER); without that field
 * all lines share one, and what other CPUs print in the middle may end up in it. A splat ends
 *
 *	UNTIL_TRACE	at "---[ end trace"	"cut here" blocks, oopses
 *	UNTIL_FRAME	at the closing "====="	KASAN, KCSAN, KFENCE, KMSAN
 *	UNTIL_ALIEN	after ALIEN_MAX lines that no stack dump has; such lines are left out once
 *			the stack has begun	lockdep behind "stack backtrace:", hung tasks,
 *stalls UNTIL_OTHER	at the first such line	one-line messages
 *
 * and, whatever it waits for, when its caller was silent for quiet_ns[], at LINES_SEEN_MAX
 * lines, or when a second report starts. Lines that a LINE rule matches never join a block:
 * an allow pattern for them must not excuse the block. Stack lines of a caller without a splat
 * join an open report of a stall or lockup: those are the other CPUs' backtraces.
 */
#ifndef STRESSD_KLOG_SPLAT_H
#define STRESSD_KLOG_SPLAT_H

#include "klog/record.h"
#include "klog/rules.h"

#define SPLATS_OPEN_MAX 32
#define SPLAT_LINES_MAX 400
#define SPLAT_BYTES_MAX (64 * KIB)
#define LINES_SEEN_MAX	4096
#define ALIEN_MAX	16

enum until { UNTIL_OTHER, UNTIL_ALIEN, UNTIL_FRAME, UNTIL_TRACE, UNTILS };

struct splat {
	char caller[CALLER_MAX];
	char **lines; /* owned, until the event takes them */
	size_t nlines, bytes;
	u64 left_out;
	size_t seen, aliens;
	int rule;     /* that names it, or RULE_NONE: only a frame so far */
	char *anchor; /* the line that the rule matched; owned */
	int until;    /* enum until */
	bool cut, stack;
	u64 first_ns, last_ns;
};

struct splats {
	const struct rules *rules;
	struct splat *open[SPLATS_OPEN_MAX];
	size_t nopen;
	/* A finished splat with a rule. The callee may take its lines. */
	void (*done)(void *ctx, struct splat *s);
	void *ctx;
};

void splats_line(struct splats *s, const char *caller, const char *text, u64 time_ns);
/* Close what has been silent at @now_ns. */
void splats_expire(struct splats *s, u64 now_ns);
/* When splats_expire() has something to do next, or 0. */
u64 splats_deadline_ns(const struct splats *s);
void splats_finish(struct splats *s);

#endif
