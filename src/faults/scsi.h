/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What faults of a scsi_debug disk share: bits of the driver's opts, settings of the disk, and the
 * counters that the SCSI layer keeps of each disk. (drivers/scsi/scsi_debug.c;
 * Documentation/scsi/scsi_mid_low_api.rst)
 */
#ifndef STRESSD_FAULT_SCSI_H
#define STRESSD_FAULT_SCSI_H

#include "faults/fault.h"

enum scsi_opt {
	SCSI_OPT_MEDIUM = 0x2,
	SCSI_OPT_TIMEOUT = 0x4,
	SCSI_OPT_RECOVERED = 0x8,
	SCSI_OPT_TRANSPORT = 0x10,
	SCSI_OPT_DIF = 0x20,
};

/* First member of the state of such a fault. */
struct scsi_state {
	char counter[128];
	u64 before, injected;
};

/* fault_type.check: is it such a disk, and is its counter this fault's alone? */
int scsi_check(const void *options, const struct scenario *sc, const struct sc_fault *f,
	       struct err *e);
/* fault_type.probe: the target's has asked for all that it takes. */
int scsi_probe(const struct fault *f, struct err *e);

/* Into the journal: the driver's opts. Saved last, so that it is put back first. */
int scsi_save_opts(struct fault *f, struct err *e);
/* Set or clear @bits. 0 or -errno with text in @e. */
int scsi_opts(unsigned int bits, bool on, struct err *e);
bool scsi_has_opts(unsigned int bits);

/* Into the journal: how often a command is tried again, and how long the disk may take for one. */
int scsi_save_patience(struct fault *f, struct err *e);
int scsi_set_patience(const struct fault *f, u64 retries, u64 patience_ns, struct err *e);

/* Injected is what the disk's attribute @counter shows from now on: ioerr_cnt, commands that ended
 * in an error, or iotmo_cnt, those that timed out. */
int scsi_count(struct fault *f, const char *counter, struct err *e);
u64 scsi_injected(const struct fault *f);

/* What a read, a write or a flush comes to when its command fails: by what is wrong with it, and
 * EIO through the page cache. (block/blk-core.c, blk_errors[]) */
extern const int scsi_errnos[];

/* In a fault_type. The kind marks those that share a counter. */
extern const char scsi_counted[];
#define SCSI_FAILS                                                                                 \
	.kconfig = "SCSI_DEBUG BLK_DEV_SD", .errnos = scsi_errnos,                                 \
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,                           \
	.log = fault_log_device_errors, .log_after = fault_log_device_failed, .probe = scsi_probe

#endif
