// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When lies are told: each operation of a file, done truly but for the lies that are armed for
 * it. Holds the counting; what the bytes become is in lie_kinds.c.
 */
#include "liarfs.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct span {
	u64 from, to;
};

/* Of one command; it is copied twice in memory. */
#define NOW_MAX	   (64 * MIB)
#define WHOLE_FILE ((struct span){ 0, UINT64_MAX })

#define lies_foreach(l, ls) for (struct lie *l = (ls)->slots; l < (ls)->slots + LIES_MAX; l++)

void lies_init(struct lies *ls)
{
	pthread_condattr_t attr;

	*ls = (struct lies){ 0 };
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&ls->released, &attr);
	pthread_condattr_destroy(&attr);
}

void lies_release(struct lies *ls)
{
	ls->releases++;
	pthread_cond_broadcast(&ls->released);
}

/* Is @l to be told here? Then where it and @request meet goes to *ret. */
static bool meets(const struct lie *l, const struct node *n, unsigned int moment,
		  struct span request, struct span *ret)
{
	if (!l->kind || !l->left || !(l->at & moment))
		return false;
	*ret = (struct span){ MAX(request.from, l->offset), MIN(request.to, l->end) };
	return ret->from < ret->to && node_at_path(n, l->path);
}

static void count(struct lies *ls, struct span s)
{
	ls->told++;
	ls->last_offset = s.from;
	ls->last_len = s.to == UINT64_MAX ? 0 : s.to - s.from;
}

static void use_up(struct lie *l)
{
	if (--l->left == 0 && l->unsynced == 0)
		l->kind = NULL;
}

static void tell(struct lies *ls, struct lie *l, struct span s)
{
	if (l->kind->act == ACT_SWALLOW)
		l->unsynced++;
	else
		count(ls, s);
	use_up(l);
}

/* Wait while a delay holds this request back. Lets go of the lock meanwhile. */
static void hold(struct liarfs *fs, const struct node *n, unsigned int moment, struct span request)
{
	struct lies *ls = &fs->lies;
	struct span s;

	lies_foreach(l, ls)
	{
		u64 releases = ls->releases, until_ns = now_ns() + l->hold_ms * NSEC_PER_MSEC;
		struct timespec until = { (time_t)(until_ns / NSEC_PER_SEC),
					  (long)(until_ns % NSEC_PER_SEC) };
		bool forever = !l->hold_ms;
		int ret = 0;

		if (!meets(l, n, moment, request, &s) || l->kind->act != ACT_HOLD ||
		    ls->held >= LIES_HELD_MAX)
			continue;
		/* Told before the wait: the slot may be cleared or armed anew meanwhile. */
		tell(ls, l, s);
		ls->held++;
		while (ls->releases == releases && ret != ETIMEDOUT)
			ret = forever ? pthread_cond_wait(&ls->released, &fs->lock)
				      : pthread_cond_timedwait(&ls->released, &fs->lock, &until);
		ls->held--;
	}
}

/* Put the lie into @buf, which begins at @offset; *ret_told says whether it changed anything. */
static int edit(struct liarfs *fs, const struct lie *l, const struct node *n, char *buf, u64 offset,
		struct span s, bool *ret_told)
{
	size_t len = (size_t)(s.to - s.from);
	_cleanup_free_ char *truth = malloc(len);
	char *bytes = buf + (s.from - offset);
	int ret;

	*ret_told = false;
	if (!truth)
		return -ENOMEM;
	memcpy(truth, bytes, len);
	ret = l->kind->edit(l, fs, n, bytes, len, s.from);
	if (ret < 0)
		memcpy(bytes, truth, len);
	*ret_told = memcmp(bytes, truth, len) != 0;
	return ret;
}

/* Lies of bytes pile up in the order of their slots; a failure or a short reply ends it there. */
ssize_t lies_read(struct liarfs *fs, struct node *n, char *buf, size_t len, u64 offset)
{
	ssize_t size;
	struct span s;
	bool told;

	hold(fs, n, AT_READ, (struct span){ offset, offset + len });
	size = node_read(n, buf, len, offset);
	if (size <= 0)
		return size;
	lies_foreach(l, &fs->lies)
	{
		if (!meets(l, n, AT_READ, (struct span){ offset, offset + (u64)size }, &s))
			continue;
		switch (l->kind->act) {
		case ACT_FAIL:
			size = -l->error;
			tell(&fs->lies, l, s);
			return size;
		case ACT_SHORTEN:
			tell(&fs->lies, l, s);
			return (ssize_t)(s.from - offset);
		case ACT_EDIT:
			if (edit(fs, l, n, buf, offset, s, &told) == 0 && told)
				tell(&fs->lies, l, s);
			break;
		default:
			break;
		}
	}
	return size;
}

/* Does some armed lie need to know what the file held before? */
static bool remembers(struct liarfs *fs, const struct node *n, enum lie_keep what)
{
	lies_foreach(l, &fs->lies) if (l->kind && l->kind->keeps & what &&
				       node_at_path(n, l->path)) return true;
	return false;
}

/* Each write passes here before it is stored, also what a phantom stores. */
static int remember(struct liarfs *fs, struct node *n, const char *buf, size_t len, u64 offset)
{
	const struct {
		struct preimage *preimage;
		enum lie_keep what;
		enum preimage_keep keep;
	} rows[] = {
		{ &n->previous, KEEP_PREVIOUS, PREIMAGE_LAST },
		{ &n->synced, KEEP_SYNCED, PREIMAGE_FIRST },
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(rows); i++) {
		if (remembers(fs, n, rows[i].what))
			ret = preimage_save(rows[i].preimage, n->fd, buf, len, offset,
					    rows[i].keep);
		else
			preimage_reset(rows[i].preimage); /* else it would miss this version */
	}
	return ret;
}

static int store(struct liarfs *fs, struct node *n, const char *buf, size_t len, u64 offset)
{
	int ret = remember(fs, n, buf, len, offset);

	return ret ? ret : node_write(n, buf, len, offset);
}

/* Would a write of @buf change what is stored in @s? */
static bool differs(const struct node *n, const char *buf, u64 offset, struct span s)
{
	_cleanup_free_ char *stored = malloc((size_t)(s.to - s.from));

	return stored && node_peek(n, stored, (size_t)(s.to - s.from), s.from) == 0 &&
	       memcmp(stored, buf + (s.from - offset), (size_t)(s.to - s.from)) != 0;
}

/* A write that fails: -errno, after the lie stored what it stores. 0: no such lie. */
static int fail_write(struct liarfs *fs, struct node *n, const char *buf, u64 offset,
		      struct span request)
{
	struct span s;

	lies_foreach(l, &fs->lies)
	{
		int error = -l->error;

		if (!meets(l, n, AT_WRITE, request, &s))
			continue;
		if (l->kind->act == ACT_FAIL) {
			tell(&fs->lies, l, s);
			return error;
		}
		if (l->kind->act == ACT_PHANTOM && differs(n, buf, offset, s)) {
			int ret = store(fs, n, buf + (s.from - offset), (size_t)(s.to - s.from),
					s.from);

			tell(&fs->lies, l, s);
			return ret < 0 ? ret : error;
		}
	}
	return 0;
}

ssize_t lies_write(struct liarfs *fs, struct node *n, const char *buf, size_t len, u64 offset,
		   struct lie_change *ret_change)
{
	struct span request = { offset, offset + len }, s;
	_cleanup_free_ char *copy = NULL;
	int ret;

	/* Failures first: a write that is refused has no bytes to lie about. */
	hold(fs, n, AT_WRITE, request);
	ret = fail_write(fs, n, buf, offset, request);
	if (ret < 0)
		return ret;
	lies_foreach(l, &fs->lies)
	{
		bool told;

		if (!meets(l, n, AT_WRITE, request, &s) || !l->kind->edit)
			continue;
		/* The request's buffer is the truth; copied only when a lie is near. */
		if (!copy) {
			copy = malloc(len);
			if (!copy)
				return -ENOMEM;
			memcpy(copy, buf, len);
		}
		if (edit(fs, l, n, copy, offset, s, &told) < 0 || !told)
			continue;
		tell(&fs->lies, l, s);
		*ret_change = (struct lie_change){ n, s.from, s.to - s.from };
	}
	ret = store(fs, n, copy ? copy : buf, len, offset);
	return ret < 0 ? ret : (ssize_t)len;
}

/* Is anything but zeros stored in @s? */
static bool has_data(const struct node *n, struct span s)
{
	char buf[65536];

	for (u64 at = s.from; at < s.to; at += sizeof(buf)) {
		s64 data = node_seek(n, at, SEEK_DATA); /* files may be sparse and huge */
		size_t len;

		at = data < 0 ? s.to : (u64)data;
		if (at >= s.to)
			return false;
		len = (size_t)MIN((u64)sizeof(buf), s.to - at);
		if (node_peek(n, buf, len, at) == 0 &&
		    (buf[0] || memcmp(buf, buf + 1, len - 1) != 0))
			return true;
	}
	return false;
}

int lies_truncate(struct liarfs *fs, struct node *n, u64 size)
{
	struct span cut, s;
	u64 old;
	int ret;

	hold(fs, n, AT_TRUNCATE, WHOLE_FILE);
	old = n->size;
	cut = (struct span){ MIN(size, old), MAX(size, old) };
	preimage_forget(&n->previous, size, UINT64_MAX);
	preimage_forget(&n->synced, size, UINT64_MAX);
	lies_foreach(l, &fs->lies)
	{
		if (!meets(l, n, AT_TRUNCATE, cut, &s))
			continue;
		if (l->kind->act == ACT_IGNORE) {
			tell(&fs->lies, l, s);
			return 0;
		}
		if (l->kind->act == ACT_KEEP_DATA && size < old && has_data(n, s)) {
			/* The memfd keeps its length: growing shows again what is left in it. */
			ret = node_punch(n, cut.from, s.from);
			ret = ret ? ret : node_punch(n, s.to, cut.to);
			tell(&fs->lies, l, s);
			n->size = size;
			node_touch(n);
			return ret;
		}
	}
	return node_resize(n, size);
}

int lies_punch(struct liarfs *fs, struct node *n, u64 offset, u64 end)
{
	struct span range, s;
	int ret;

	hold(fs, n, AT_TRUNCATE, (struct span){ offset, end });
	range = (struct span){ offset, MIN(end, n->size) };
	preimage_forget(&n->previous, offset, end);
	preimage_forget(&n->synced, offset, end);
	lies_foreach(l, &fs->lies)
	{
		if (!meets(l, n, AT_TRUNCATE, range, &s) || !has_data(n, s))
			continue;
		if (l->kind->act == ACT_IGNORE) {
			tell(&fs->lies, l, range);
			return 0;
		}
		if (l->kind->act == ACT_KEEP_DATA) {
			tell(&fs->lies, l, s);
			ret = node_punch(n, offset, s.from);
			return ret ? ret : node_punch(n, s.to, end);
		}
	}
	return node_punch(n, offset, end);
}

/* Put back what the file held at the last good fsync. */
static int lose_dirty(struct node *n, struct span s, bool *ret_lost)
{
	char buf[65536];
	u64 end = MIN(s.to, n->size);

	*ret_lost = false;
	for (u64 at = s.from; at < end; at += sizeof(buf)) {
		size_t len = (size_t)MIN((u64)sizeof(buf), end - at);
		int ret;

		if (!preimage_any(&n->synced, at, at + len))
			continue;
		ret = node_peek(n, buf, len, at);
		ret = ret ? ret : preimage_apply(&n->synced, buf, len, at);
		if (ret < 0)
			return ret;
		if (!differs(n, buf, at, (struct span){ at, at + len }))
			continue;
		ret = node_write(n, buf, len, at);
		if (ret < 0)
			return ret;
		*ret_lost = true;
	}
	return 0;
}

int lies_fsync(struct liarfs *fs, struct node *n)
{
	struct span s;

	hold(fs, n, AT_FSYNC, WHOLE_FILE);
	lies_foreach(l, &fs->lies)
	{
		int ret = -l->error;
		bool lost;

		if (!meets(l, n, AT_FSYNC, WHOLE_FILE, &s) || l->kind->act != ACT_LOSE_DIRTY)
			continue;
		if (lose_dirty(n, s, &lost) < 0 || !lost)
			continue;
		tell(&fs->lies, l, s);
		preimage_reset(&n->synced);
		return ret;
	}
	/* A good fsync: what was dropped before it is now lost without a word to anyone. */
	preimage_reset(&n->synced);
	lies_foreach(l, &fs->lies)
	{
		if (!l->kind || !l->unsynced || !node_at_path(n, l->path))
			continue;
		for (; l->unsynced; l->unsynced--)
			count(&fs->lies, (struct span){ l->offset, l->end });
		if (!l->left)
			l->kind = NULL;
	}
	return 0;
}

void lies_getattr(struct liarfs *fs, const struct node *n, struct stat *st)
{
	struct span s;

	hold(fs, n, AT_GETATTR, WHOLE_FILE);
	node_stat(n, st);
	lies_foreach(l, &fs->lies)
	{
		if (!meets(l, n, AT_GETATTR, WHOLE_FILE, &s) || l->kind->act != ACT_RESIZE)
			continue;
		st->st_size = MAX((off_t)0, st->st_size + l->delta);
		if ((u64)st->st_size != n->size)
			tell(&fs->lies, l, (struct span){ n->size, n->size });
	}
}

/* Make the lie of what is stored in @s. -ENODATA when it would be the truth. */
static int change_stored(struct liarfs *fs, struct lie *l, struct node *n, struct span s,
			 struct lie_change *ret_change)
{
	size_t len = (size_t)(s.to - s.from);
	_cleanup_free_ char *truth = NULL, *buf = NULL;
	bool told;
	int ret;

	if (len > NOW_MAX)
		return -EFBIG;
	if (l->kind->exchanges && (l->with > n->size || n->size - l->with < s.to - l->offset))
		return -ERANGE;
	truth = malloc(len);
	buf = malloc(len);
	if (!truth || !buf)
		return -ENOMEM;
	ret = node_peek(n, truth, len, s.from);
	if (ret < 0)
		return ret;
	memcpy(buf, truth, len);
	ret = edit(fs, l, n, buf, s.from, s, &told);
	if (ret < 0 || !told)
		return ret < 0 ? ret : -ENODATA;
	ret = node_write(n, buf, len, s.from);
	if (ret == 0 && l->kind->exchanges)
		ret = node_write(n, truth, len, l->with + (s.from - l->offset));
	/* Two ranges changed where they were exchanged: the whole file is named. */
	*ret_change = (struct lie_change){ n, l->kind->exchanges ? 0 : s.from,
					   l->kind->exchanges ? 0 : len };
	tell(&fs->lies, l, s);
	return ret;
}

int lies_tell_now(struct liarfs *fs, struct lie *l, struct lie_change *ret_change)
{
	struct node *n = node_find(&fs->tree, l->path);
	struct span s = { l->offset, n ? MIN(l->end, n->size) : 0 };

	if (!n || n->fd < 0)
		return -ENOENT;
	return s.from < s.to ? change_stored(fs, l, n, s, ret_change) : -ENODATA;
}

/* What would be the truth, or cannot be told, is not told. */
void lies_allocate(struct liarfs *fs, struct node *n, u64 offset, u64 end,
		   struct lie_change *ret_change)
{
	struct span file = { 0, n->size }, range = { offset, MIN(end, n->size) }, s;

	lies_foreach(l, &fs->lies)
	{
		bool beside = l->end <= offset || end <= l->offset;

		if (beside ? meets(l, n, AT_BESIDE, file, &s) : meets(l, n, AT_ALLOCATE, range, &s))
			change_stored(fs, l, n, s, ret_change);
	}
}
