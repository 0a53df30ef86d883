// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames to bytes and back. All numbers are little-endian, as both sides are: stressd vm is for
 * guests of the host's own architecture. */
#include "vm/stream.h"

#include "base/fsutil.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MAGIC 0x72667353U /* "Ssfr" */

struct head {
	u32 magic, type, id, len;
	u64 offset, sum;
};
_Static_assert(sizeof(struct head) == FRAME_HEAD, "no padding on the wire");

/* Over header and data: a length that was damaged cannot pass for another. */
static u64 sum_of(const struct head *h, const void *data)
{
	return XXH64(data, h->len, XXH64(h, offsetof(struct head, sum), 0));
}

size_t frame_encode(u8 *buf, const struct frame *f)
{
	struct head h = {
		.magic = MAGIC, .type = f->type, .id = f->id, .len = f->len, .offset = f->offset
	};

	if (f->len)
		memcpy(buf + FRAME_HEAD, f->data, f->len);
	h.sum = sum_of(&h, buf + FRAME_HEAD);
	memcpy(buf, &h, sizeof(h));
	return FRAME_HEAD + f->len;
}

int frame_write(int fd, const struct frame *f)
{
	u8 buf[FRAME_MAX];

	return write_all(fd, buf, frame_encode(buf, f));
}

int stream_open(struct stream *s)
{
	*s = (struct stream){ .buf = malloc(FRAME_MAX) };
	return s->buf ? 0 : -ENOMEM;
}

void stream_close(struct stream *s)
{
	free(s->buf);
	*s = (struct stream){ 0 };
}

/* What begins at @p, of which @have bytes are there. Its length, 0: more is needed, -1: no frame.
 */
static ssize_t frame_at(const u8 *p, size_t have, struct frame *ret)
{
	struct head h;

	if (have < sizeof(h))
		return memcmp(p, &(u32){ MAGIC }, MIN(have, sizeof(u32))) ? -1 : 0;
	memcpy(&h, p, sizeof(h));
	if (h.magic != MAGIC || h.len > FRAME_DATA_MAX || !h.type || h.type >= FRAME_TYPES)
		return -1;
	if (have < sizeof(h) + h.len)
		return 0;
	if (h.sum != sum_of(&h, p + sizeof(h)))
		return -1;
	*ret = (struct frame){ h.type, h.id, h.offset, p + sizeof(h), h.len };
	return (ssize_t)(sizeof(h) + h.len);
}

static void take(struct stream *s, void (*fn)(void *ctx, const struct frame *f), void *ctx)
{
	size_t at = 0;

	while (at < s->have) {
		struct frame f;
		ssize_t n = frame_at(s->buf + at, s->have - at, &f);

		if (n == 0)
			break;
		if (n < 0) {
			at++;
			s->skipped++;
			continue;
		}
		s->frames++;
		fn(ctx, &f);
		at += (size_t)n;
	}
	s->have -= at;
	memmove(s->buf, s->buf + at, s->have);
}

void stream_feed(struct stream *s, const void *buf, size_t len,
		 void (*fn)(void *ctx, const struct frame *f), void *ctx)
{
	const u8 *p = buf;

	/* The buffer holds the longest frame, so that taking always makes room. */
	while (len) {
		size_t n = MIN(len, FRAME_MAX - s->have);

		memcpy(s->buf + s->have, p, n);
		s->have += n;
		p += n;
		len -= n;
		take(s, fn, ctx);
	}
}
