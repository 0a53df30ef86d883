/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the guest: stressd as PID 1. It makes a root of the host's files, runs scenarios with
 * `stressd run`, and sends what comes of them. Knows no QEMU; runs nowhere else.
 */
#ifndef STRESSD_VM_GUEST_H
#define STRESSD_VM_GUEST_H

#include "vm/stream.h"

#include <sys/types.h>

/* In the initramfs these are below "/"; guest_root() brings them into the new root. */
#define GUEST_HOME     "/run/stressd"
#define GUEST_PROGRAM  "/init"
#define GUEST_PLAN     "/plan.json"
#define GUEST_SCENARIO "/scenario.%u"
#define GUEST_MODULES  "/modules/order" /* one path a line, as they are to be loaded */
/* The serial number of the disk that an image is made on. */
#define GUEST_IMAGE "stressd-image"
/* In a run directory: the host's word that the run was a guest's, and how that ended. */
#define GUEST_NOTE "guest.json"
#define GUEST_DONE "done" /* the run came to its end; anything else: the kernel died under it */
/* How a guest that has no results port yet says on its console why it cannot. */
#define GUEST_COMPLAINS "stressd guest: "

/* main() of PID 1: does not return. */
void vm_guest(void) __attribute__((noreturn));

/* guest_boot.c: everything before the first scenario. 0, or -errno with one line in @e. */
int guest_devices(struct err *e);
int guest_open_port(int *ret_fd, struct err *e);
int guest_root(struct err *e);
/* Copy a file, and make the directories that lead to @to. */
int guest_copy(const char *from, const char *to, mode_t mode, struct err *e);

/* guest_arena.c: the memory that the host shares; @buf gets its path. */
struct arena;
int guest_arena(char *buf, size_t size, struct arena **ret, struct err *e);
/* Wait, beating, until the host has taken what @taken scenarios left. */
int guest_arena_wait(const struct arena *a, u32 taken, int port);
/* guest_mutant.c: a fault of a lab kernel, for one scenario. */
#define GUEST_MUTANT_FILE "mutant.json" /* in the run directory: {"mutant", "hits", "error"} */
/* Switch fault @id on; 0, or -errno with one line in @e. */
int guest_mutant_on(u64 id, struct err *e);
/* Switch it off and write GUEST_MUTANT_FILE below @dirfd: how often it was reached, where the
 * kernel counts that, or why it could not be switched on (@why, NULL: it could). 0 or -errno. */
int guest_mutant_off(u64 id, const char *why, int dirfd);
/* Does the end of a run, with its results below @dirfd, leave the kernel in doubt? Anything but a
 * pass, a skip, and findings that are not the kernel's own. */
bool guest_in_doubt(int status, int dirfd);

/* guest_run.c: run the scenarios of the plan, with @port to tell of it. */
int guest_run(int port, struct err *e);
/* Send @text, one line. 0 or -errno. */
int guest_say(int port, u32 type, const char *text);

#endif
