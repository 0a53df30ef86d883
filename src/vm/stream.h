/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest and host say to each other over the results port: frames with a checksum, one way.
 * The guest may die within a frame, or run wild: the reader takes what is whole and skips the
 * rest. Pure functions on bytes; knows no file, no device and no scenario.
 */
#ifndef STRESSD_VM_STREAM_H
#define STRESSD_VM_STREAM_H

#include "base/base.h"

#define VM_PORT	       "org.stressd.results"
#define FRAME_DATA_MAX (64 * 1024U)
#define FRAME_HEAD     32U
#define FRAME_MAX      (FRAME_HEAD + FRAME_DATA_MAX)

enum frame_type {
	FRAME_HELLO = 1, /* data: release of the guest's kernel; the port works */
	FRAME_BEAT,	 /* PID 1 is alive */
	FRAME_BEGIN,	 /* scenario @id begins */
	FRAME_FILE,	 /* file @id is called data, and is @offset bytes long */
	FRAME_DATA,	 /* bytes of file @id at @offset */
	FRAME_GONE,	 /* file @id was removed */
	FRAME_OUTPUT,	 /* what the run wrote to descriptor @id */
	FRAME_END,	 /* scenario @id ended with exit status @offset */
	FRAME_DONE,	 /* all ended: the guest goes down now */
	FRAME_FAIL,	 /* data: one line, why the guest could not run a scenario */
	FRAME_TYPES
};

struct frame {
	u32 type; /* enum frame_type */
	u32 id;
	u64 offset;
	const void *data;
	u32 len; /* bytes, at most FRAME_DATA_MAX */
};

/* Write @f to @buf, of FRAME_MAX bytes; returns its length. */
size_t frame_encode(u8 *buf, const struct frame *f);
/* Encode and write to @fd, all of it. 0 or -errno. Uses a buffer of the stack. */
int frame_write(int fd, const struct frame *f);

struct stream {
	u8 *buf; /* owned; FRAME_MAX bytes */
	size_t have;
	u64 frames, skipped; /* skipped: bytes that belong to no whole frame */
};

int stream_open(struct stream *s);
void stream_close(struct stream *s);
/* Take @len bytes; @fn is called for each frame that is whole, its data valid during the call. */
void stream_feed(struct stream *s, const void *buf, size_t len,
		 void (*fn)(void *ctx, const struct frame *f), void *ctx);

#endif
