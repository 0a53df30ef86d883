/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One QEMU: its command line, its life, and the three sockets to it: the guest's console, the
 * results port and QEMU's own monitor. It dies with its starter. Knows nothing of runs.
 */
#ifndef STRESSD_VM_QEMU_H
#define STRESSD_VM_QEMU_H

#include "base/base.h"

#include <sys/types.h>

#define VM_DISKS_MAX 17
#define QEMU_PROGRAM "qemu-system-x86_64"
#define QEMU_PACKAGE "qemu-system-x86"

enum vm_accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

struct vm_disk {
	u64 bytes;
	bool keep_space; /* what the guest discards stays allocated */
	char serial[21]; /* at most 20 characters: virtio_blk(4) has no more */
};

struct qemu_plan {
	const char *kernel, *append; /* append: all of the command line */
	int initrd_fd, arena_fd;
	int accel;			     /* enum vm_accel, not AUTO */
	u64 cpus, memory_bytes, arena_bytes; /* arena: of memory that the guest shares with us */
	const struct vm_disk *disks;
	const int *disk_fds; /* -1: none */
	size_t ndisks;
};

struct qemu {
	pid_t pid; /* 0: none */
	int pidfd, console_fd, results_fd, monitor_fd;
	int errors_fd; /* what QEMU itself says */
};

/* 0, or -errno with text in @e. */
int qemu_start(const struct qemu_plan *p, struct qemu *ret, struct err *e);
/* Kill it if it lives, reap it, close all. Returns the status of waitpid(2). */
int qemu_stop(struct qemu *q);
/* A serial break on the console and @key: magic SysRq. False: QEMU itself does not answer.
 * (Documentation/admin-guide/sysrq.rst) */
bool qemu_sysrq(struct qemu *q, char key);

#endif
