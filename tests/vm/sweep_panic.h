/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A panic while faults are armed, and `stressd recover` in the next boot. */
#ifndef STRESSD_SWEEP_PANIC_H
#define STRESSD_SWEEP_PANIC_H

/* The first boot: panics. Returns only when it could not, which it has said. */
int panic_armed(void);
/* The second boot, with the disk of the first as file @image: 0 if everything that a reboot does
 * not put back was put back. */
int recover_after(const char *image);

#endif
