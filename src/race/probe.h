/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes: a kprobe on a named kernel function that spins for a given time when one given process
 * comes by, so that a window of a few instructions is as wide as one likes on an unmodified kernel.
 * Knows functions, processes and a page of counters; nothing of races, workers or scenarios.
 *
 * A probe is two file descriptors of whoever planted it, close-on-exec and in no other process:
 * with its death, whatever killed it, the kernel takes the probe out and frees the program.
 */
#ifndef STRESSD_PROBE_H
#define STRESSD_PROBE_H

#include "base/base.h"

#include <stdatomic.h>
#include <sys/types.h>

#define PROBE_DELAY_MOST                                                                           \
	"10ms" /* it spins with preemption off: no tick of a watchdog is missed                    \
		*/

/* Where, and for how long. */
struct probe_spec {
	const char *function; /* as in /proc/kallsyms, "+0x40" behind it: an instruction of it */
	bool at_return;
	u64 delay_ns;
	u64 every; /* spin at the first of so many calls; 1: at each */
};

/* One process's probe, in memory that it shares with the kernel's program. */
struct probe_word {
	_Atomic u64 on;	      /* written by the process: spin from now on, or no more */
	_Atomic u64 calls;    /* since it is on */
	_Atomic u64 held;     /* times that it span */
	_Atomic u64 since_ns; /* when it last began to; CLOCK_MONOTONIC */
	u64 pad[4];	      /* a cache line each */
};

struct probe_board {
	int map;		  /* descriptor, -1: none */
	struct probe_word *words; /* NULL: none */
	u32 nwords;
	int *fds; /* of what was planted */
	u32 nfds;
};

/* Could a probe be planted here at all? 0, or -errno with the cure in @e. */
int probe_possible(struct err *e);
/* Can this one? Plants it, off, and takes it out again. 0, or -errno with what to do in @e. */
int probe_check(const struct probe_spec *spec, struct err *e);

/* Words for @n processes, before they are forked: they inherit them. Root. */
int probe_board_open(struct probe_board *b, u32 n, struct err *e);
/* Plant the probe of process @pid, whose word is @i. */
int probe_plant(struct probe_board *b, u32 i, pid_t pid, const struct probe_spec *spec,
		struct err *e);
/* Take all out. A board that was never opened, all zeros, is fine. */
void probe_board_close(struct probe_board *b);

/* By the process: from now on, or no more. NULL is fine. */
void probe_enable(struct probe_word *w, bool on);
u64 probe_held(const struct probe_word *w);

/* probe_program.c: the descriptor of a loaded program, or -errno with text in @e. The word is @at
 * bytes into the value of the map. */
int probe_program(int map, u32 at, pid_t pid, const struct probe_spec *spec, struct err *e);
int probe_map(u32 bytes, struct err *e);

#endif
