/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cannot be armed, or no longer: skipped or ended, with the reason, and nothing half-armed. */
#ifndef STRESSD_SWEEP_BAD_H
#define STRESSD_SWEEP_BAD_H

/* How many of the cases failed; each is told of on stdout. */
int bad_cases(void);

#endif
