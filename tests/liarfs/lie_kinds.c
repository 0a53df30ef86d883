// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kinds of lies: one table, and the functions that make a lie of bytes. An edit sees the
 * bytes where request and lie meet, and the stored file; it neither counts nor stores.
 */
#include "liarfs.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

/* A write is dropped: what was stored stays. */
static int edit_stored(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		       size_t len, u64 offset)
{
	(void)l, (void)fs;
	return node_peek(n, buf, len, offset);
}

/* New words in front of each cell, old words behind. */
static int edit_tear(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		     size_t len, u64 offset)
{
	u64 front = ROUND_DOWN(l->cell_bytes / 2, 8);
	_cleanup_free_ char *stored = malloc(len);
	int ret = stored ? node_peek(n, stored, len, offset) : -ENOMEM;

	(void)fs;
	for (size_t i = 0; ret == 0 && i < len; i++)
		if ((offset + i) % l->cell_bytes >= front)
			buf[i] = stored[i];
	return ret;
}

static int edit_previous(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
			 size_t len, u64 offset)
{
	(void)l, (void)fs;
	return preimage_apply(&n->previous, buf, len, offset);
}

static int edit_zeros(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		      size_t len, u64 offset)
{
	(void)l, (void)fs, (void)n, (void)offset;
	memset(buf, 0, len);
	return 0;
}

static int edit_flip(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		     size_t len, u64 offset)
{
	(void)fs, (void)n, (void)offset;
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(buf[i] ^ 1 << l->bit);
	return 0;
}

static int edit_swap(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		     size_t len, u64 offset)
{
	(void)fs;
	return node_peek(n, buf, len, l->with + (offset - l->offset));
}

static int edit_other(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		      size_t len, u64 offset)
{
	const struct node *other = node_find(&fs->tree, l->other);

	(void)n;
	return other && other->fd >= 0 ? node_peek(other, buf, len, offset) : -ENOENT;
}

/* Lines that are truly zero show what lay on the disk before. Each line is judged alone, so that
 * a hole of the size of a cell is found in a page that also has data. */
static int edit_stale(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		      size_t len, u64 offset)
{
	_cleanup_free_ char *old = malloc(len);

	if (!old)
		return -ENOMEM;
	memset(old, (int)l->byte, len);
	if (l->keys & KEY_RANDOM)
		for (size_t i = 0; i < len; i++)
			old[i] = (char)mix64(l->random + offset + i);
	if (l->keys & KEY_OTHER && edit_other(l, fs, n, old, len, offset) < 0)
		return -ENOENT;
	for (size_t i = 0, step; i < len; i += step) {
		static const char zeros[64];

		step = MIN(len - i, 64 - (offset + i) % 64);
		if (memcmp(buf + i, zeros, step) == 0)
			memcpy(buf + i, old + i, step);
	}
	return 0;
}

#define AT_ALLOCATION (AT_ALLOCATE | AT_BESIDE)
#define AT_BYTES      (AT_READ | AT_WRITE | AT_NOW | AT_ALLOCATION)

/* clang-format off */
const struct lie_kind lie_kinds[] = {
	{ "drop-write", AT_WRITE, AT_WRITE, .edit = edit_stored,
	  .help = "the write is acknowledged and not stored" },
	{ "swallow-error", AT_WRITE, AT_WRITE, ACT_SWALLOW, .edit = edit_stored,
	  .help = "the same; told when an fsync has returned 0 over it" },
	{ "tear", AT_WRITE, AT_WRITE, .edit = edit_tear, .keys = KEY_CELL,
	  .help = "each cell=512 gets the first half of the new data" },
	{ "old-data", AT_READ | AT_ALLOCATION, AT_READ, .edit = edit_previous, .keeps = KEEP_PREVIOUS,
	  .help = "the version before the last write that came while this was armed" },
	{ "zeros", AT_BYTES, AT_READ, .edit = edit_zeros, .help = "zeros" },
	{ "flip-bit", AT_BYTES, AT_READ, .edit = edit_flip, .keys = KEY_BIT,
	  .help = "bit=0 of each byte of the range is flipped" },
	{ "swap-blocks", AT_BYTES, AT_NOW, .edit = edit_swap, .keys = KEY_WITH,
	  .required = KEY_WITH, .exchanges = true,
	  .help = "the range and the one at with=OFFSET are exchanged; at=read and at=write: "
		  "the range holds what is stored at with=" },
	{ "other-file", AT_BYTES, AT_READ, .edit = edit_other, .keys = KEY_OTHER,
	  .required = KEY_OTHER, .help = "what other=FILE holds at the same offset" },
	{ "stale", AT_BYTES, AT_READ, .edit = edit_stale,
	  .keys = KEY_OTHER | KEY_BYTE | KEY_RANDOM,
	  .help = "where zeros should be: byte=0xa5, random=SEED, or the bytes of other=FILE" },
	{ "phantom", AT_WRITE, AT_WRITE, ACT_PHANTOM, .keys = KEY_ERRNO,
	  .help = "the write fails with errno=EIO and its bytes in the range are stored" },
	{ "write-error", AT_WRITE, AT_WRITE, ACT_FAIL, .keys = KEY_ERRNO,
	  .help = "the write fails with errno=EIO and nothing is stored" },
	{ "read-error", AT_READ, AT_READ, ACT_FAIL, .keys = KEY_ERRNO,
	  .help = "the read fails with errno=EIO" },
	{ "short-read", AT_READ, AT_READ, ACT_SHORTEN,
	  .help = "the reply ends where the range begins" },
	{ "fsync-error", AT_FSYNC, AT_FSYNC, ACT_LOSE_DIRTY, .keys = KEY_ERRNO,
	  .keeps = KEEP_SYNCED,
	  .help = "fsync fails with errno=EIO; what was written in the range since the last good "
		  "one, and since this was armed, is gone" },
	{ "wrong-size", AT_GETATTR, AT_GETATTR, ACT_RESIZE, .keys = KEY_DELTA,
	  .required = KEY_DELTA, .help = "the size is off by delta=BYTES; the range is ignored" },
	{ "lost-truncate", AT_TRUNCATE, AT_TRUNCATE, ACT_IGNORE,
	  .help = "truncate, punch or zeroing is acknowledged and not done" },
	{ "resurrect", AT_TRUNCATE, AT_TRUNCATE, ACT_KEEP_DATA,
	  .help = "the same is done, but data in the range stays, to show when the file grows" },
	{ "delay", AT_ANY | AT_GETATTR, AT_ANY, ACT_HOLD, .keys = KEY_MS,
	  .help = "the request waits for \"release\", or ms=N; at=read,write,fsync,truncate,getattr" },
	{ 0 },
};
/* clang-format on */
