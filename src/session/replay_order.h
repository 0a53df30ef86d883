/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the log of writes is in another order than the device was written. dm-log-writes logs what
 * was written before a flush when that flush is over. Of two flushes that are under way at the same
 * time the later one may be over first: then a cell's older bytes stand in the log behind its newer
 * ones, though the device had them in the right order. Generations tell.
 * (drivers/md/dm-log-writes.c, log_writes_map() and normal_end_io())
 */
#ifndef STRESSD_SESSION_REPLAY_ORDER_H
#define STRESSD_SESSION_REPLAY_ORDER_H

#include "shadow/shadow.h"
#include "writelog.h"

/* A cell whose older generation @gen was replayed over a newer one. */
struct swapped {
	u64 cell;
	u32 gen;
	u16 file;
};

struct replay_order {
	struct swapped *swapped; /* those that are so now; owned */
	size_t n, seen;		 /* seen: that ever were */
};

/* Before @entry is applied to the file @image: what does it put older bytes over? 0 or -errno. */
int order_look(struct replay_order *o, u64 run, const struct writelog *log,
	       const struct writelog_entry *entry, int image);
/* Of these cells nothing newer is claimed: to the shadow of a moment (shadow/moment.h). */
void order_forgive(const struct replay_order *o, struct shadow *then);
void order_free(struct replay_order *o);

#endif
