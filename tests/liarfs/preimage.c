// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preimages: saved lines lie in a memfd at their own offsets, and a bitmap says which there are.
 * Which lie wants them, and when they are to be forgotten, is not known here.
 */
#include "preimage.h"
#include "base/cleanup.h"

#include <string.h>
#include <sys/mman.h>

#define LINE 64ULL

void preimage_init(struct preimage *p)
{
	*p = (struct preimage){ .fd = -1 };
}

void preimage_free(struct preimage *p)
{
	closep(&p->fd);
	free(p->bits);
	preimage_init(p);
}

void preimage_reset(struct preimage *p)
{
	if (p->fd >= 0)
		preimage_free(p);
}

static bool saved(const struct preimage *p, u64 line)
{
	return line / 64 < p->nwords && (p->bits[line / 64] >> (line % 64) & 1);
}

void preimage_forget(struct preimage *p, u64 offset, u64 end)
{
	u64 lines = p->nwords * 64ULL;

	for (u64 line = offset / LINE; line < lines && line * LINE < end; line++)
		p->bits[line / 64] &= ~(1ULL << (line % 64));
}

bool preimage_any(const struct preimage *p, u64 offset, u64 end)
{
	for (u64 line = offset / LINE; line * LINE < end && line / 64 < p->nwords; line++)
		if (saved(p, line))
			return true;
	return false;
}

/* Room for the bit of @line, and the descriptor. */
static int reserve(struct preimage *p, u64 line)
{
	if (p->fd < 0) {
		p->fd = memfd_create("liarfs-preimage", MFD_CLOEXEC);
		if (p->fd < 0)
			return -errno;
	}
	if (line / 64 >= p->nwords) {
		size_t nwords = (line / 64 + 1) * 2;
		u64 *bits = reallocarray(p->bits, nwords, sizeof(*bits));

		if (!bits)
			return -ENOMEM;
		memset(bits + p->nwords, 0, (nwords - p->nwords) * sizeof(*bits));
		p->bits = bits;
		p->nwords = nwords;
	}
	return 0;
}

int preimage_save(struct preimage *p, int stored, const void *buf, size_t len, u64 offset,
		  enum preimage_keep keep)
{
	u64 start = ROUND_DOWN(offset, LINE), stop = ROUND_UP(offset + len, LINE);
	_cleanup_free_ char *old = calloc(1, stop - start);
	int ret = old ? reserve(p, stop / LINE) : -ENOMEM;

	if (ret < 0)
		return ret;
	if (pread(stored, old, stop - start, (off_t)start) < 0)
		return -errno;
	for (u64 at = start; at < stop; at += LINE) {
		u64 from = MAX(at, offset), to = MIN(at + LINE, offset + len);

		if (memcmp(old + (from - start), (const char *)buf + (from - offset), to - from) ==
			    0 ||
		    (keep == PREIMAGE_FIRST && saved(p, at / LINE)))
			continue;
		if (pwrite(p->fd, old + (at - start), LINE, (off_t)at) < 0)
			return -errno;
		p->bits[at / LINE / 64] |= 1ULL << (at / LINE % 64);
	}
	return 0;
}

int preimage_apply(const struct preimage *p, void *buf, size_t len, u64 offset)
{
	for (u64 at = ROUND_DOWN(offset, LINE); at < offset + len; at += LINE) {
		u64 from = MAX(at, offset), to = MIN(at + LINE, offset + len);

		if (saved(p, at / LINE) &&
		    pread(p->fd, (char *)buf + (from - offset), to - from, (off_t)from) < 0)
			return -errno;
	}
	return 0;
}
