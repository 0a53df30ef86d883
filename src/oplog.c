// SPDX-License-Identifier: GPL-2.0-or-later
/* The history ring: making, writing, and reading it back after anybody's death. */
#include "oplog.h"

#include "base/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OPLOG_SLOTS_MAX (1ULL << 32)
#define OPLOG_MAGIC	0x31676f6c706f5373ULL /* "sSoplog1" */

struct oplog_header {
	u64 magic, slots;
	_Atomic u64 count;
	char name[32];
	char pad[4096 - 56];
};
_Static_assert(sizeof(struct oplog_header) == 4096, "records start on a page");

const struct op_info op_infos[OP_KINDS] = {
	[OP_NONE] = { "nothing", '-' },
#define X(id, text, what) [OP_##id] = { text, what },
#include "ops.def"
#undef X
};

static void attach(struct oplog *ret, void *map, size_t len)
{
	ret->h = map;
	ret->ring = (struct op_record *)(ret->h + 1);
	ret->slots = (len - sizeof(*ret->h)) / sizeof(struct op_record);
	ret->map_len = len;
}

u64 oplog_bytes(u64 slots)
{
	return sizeof(struct oplog_header) + slots * sizeof(struct op_record);
}

int oplog_create(const char *path, const char *name, u64 slots, struct oplog *ret, struct err *e)
{
	u64 len = oplog_bytes(slots);
	void *map;
	int r;

	if (!slots || slots & (slots - 1) || slots > OPLOG_SLOTS_MAX)
		return err_set(e, -EINVAL, "%s: %llu slots; expected a power of two up to %llu",
			       path, (unsigned long long)slots, OPLOG_SLOTS_MAX);
	r = state_create(path, len, &map);
	if (r < 0)
		return err_set(e, r, "%s: cannot be made, %llu bytes long: %s", path,
			       (unsigned long long)len, strerror(-r));
	attach(ret, map, len);
	snprintf(ret->h->name, sizeof(ret->h->name), "%s", name);
	ret->h->slots = slots;
	ret->h->magic = OPLOG_MAGIC;
	return 0;
}

static int open_ring(const char *path, enum state_how how, struct oplog *ret, struct err *e)
{
	size_t len;
	void *map;
	int r = state_open(path, how, &map, &len);

	if (r < 0)
		return err_set(e, r, "%s: cannot be opened: %s", path, strerror(-r));
	if (len <= sizeof(struct oplog_header)) {
		state_close(map, len);
		return err_set(e, -EBADMSG, "%s: too short for a history", path);
	}
	attach(ret, map, len);
	if (ret->h->magic != OPLOG_MAGIC || ret->h->slots != ret->slots || !ret->slots ||
	    ret->slots & (ret->slots - 1) || !memchr(ret->h->name, 0, sizeof(ret->h->name))) {
		oplog_close(ret);
		return err_set(e, -EBADMSG, "%s: not a history, or damaged", path);
	}
	return 0;
}

int oplog_open(const char *path, struct oplog *ret, struct err *e)
{
	return open_ring(path, STATE_READ, ret, e);
}

int oplog_open_writable(const char *path, struct oplog *ret, struct err *e)
{
	return open_ring(path, STATE_WRITE, ret, e);
}

void oplog_close(struct oplog *log)
{
	if (log->h)
		state_close(log->h, log->map_len);
	*log = (struct oplog){ 0 };
}

const char *oplog_name(const struct oplog *log)
{
	return log->h->name;
}

/* Each word times an odd number of its own: no change of one word goes unseen before the mixing,
 * and the products do not wait for each other. */
#define WORD(value, n) (((value) + (n)) * (0x9e3779b97f4a7c15ULL + 0x1f83d9abfb41bd6aULL * (n)))

/* Of record number @i: one that a wrap has overwritten is not taken for the other. From values and
 * not from the record's bytes, which have only just been stored, in parts. */
static u32 begin_seal(const struct op_record *r, u64 i)
{
	u64 call = (u64)r->gen << 32 | (u64)r->op << 24 | (u64)r->file << 16 | r->how;
	u64 sum = WORD(r->start_ns, 1) + WORD(r->offset, 2) + WORD(r->len, 3) + WORD(r->arg, 4) +
		  WORD(call, 5) + WORD(i, 6);

	return (u32)mix64(sum) | 1;
}

static u32 end_seal(const struct op_record *r)
{
	u64 sum = WORD(r->end_ns, 1) + WORD((u64)r->result, 2) + WORD((u64)r->begin_seal, 3);

	return (u32)mix64(sum) | 1;
}

struct op_record *oplog_begin(struct oplog *log, const struct op_record *op)
{
	u64 n = atomic_load_explicit(&log->h->count, memory_order_relaxed);
	struct op_record *r = &log->ring[n & (log->slots - 1)];
	struct op_record new = *op;

	new.start_ns = now_ns();
	new.end_ns = 0;
	new.result = 0;
	new.end_seal = 0;
	new.begin_seal = begin_seal(&new, n);
	r->begin_seal = 0; /* until it is whole, it is nothing */
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(r, &new, offsetof(struct op_record, begin_seal));
	r->end_seal = 0;
	atomic_signal_fence(memory_order_seq_cst);
	r->begin_seal = new.begin_seal;
	atomic_store_explicit(&log->h->count, n + 1, memory_order_release);
	return r;
}

void oplog_end(struct op_record *r, s64 result)
{
	r->result = result;
	r->end_ns = now_ns();
	atomic_signal_fence(memory_order_seq_cst);
	r->end_seal = end_seal(r);
}

void oplog_note(struct oplog *log, const struct op_record *op, s64 result)
{
	oplog_end(oplog_begin(log, op), result);
}

u64 oplog_count(const struct oplog *log)
{
	return atomic_load_explicit(&log->h->count, memory_order_acquire);
}

u64 oplog_oldest(const struct oplog *log)
{
	u64 n = oplog_count(log);

	return n > log->slots ? n - log->slots : 0;
}

int oplog_read(const struct oplog *log, u64 i, struct op_record *ret)
{
	memcpy(ret, &log->ring[i & (log->slots - 1)], sizeof(*ret));
	if (ret->op == OP_NONE || ret->op >= OP_KINDS || ret->begin_seal != begin_seal(ret, i))
		return -EBADMSG;
	if (ret->end_seal == end_seal(ret))
		return 1;
	ret->end_ns = 0;
	ret->result = 0;
	return 0;
}

/* NULL for what is no errno: it is told as a number. */
static const char *errno_name(s64 result)
{
	return result >= -4095 ? strerrorname_np((int)-result) : NULL;
}

void op_describe(const struct op_record *r, char *buf, size_t len)
{
	const char *name = op_infos[r->op < OP_KINDS ? r->op : OP_NONE].name;
	char effect = op_infos[r->op < OP_KINDS ? r->op : OP_NONE].effect;
	char what[96] = "";

	if (r->op == OP_TRUNCATE)
		snprintf(what, sizeof(what), "(to %llu)", (unsigned long long)r->offset);
	else if (effect == 'M')
		snprintf(what, sizeof(what), "(%llu bytes from %llu to %llu)",
			 (unsigned long long)r->len, (unsigned long long)r->arg,
			 (unsigned long long)r->offset);
	else if (r->len)
		snprintf(what, sizeof(what), "(%llu bytes at %llu)", (unsigned long long)r->len,
			 (unsigned long long)r->offset);
	if (!r->end_ns)
		snprintf(buf, len, "%s%s, in flight", name, what);
	else if (r->result < 0 && errno_name(r->result))
		snprintf(buf, len, "%s%s = %s", name, what, errno_name(r->result));
	else
		snprintf(buf, len, "%s%s = %lld", name, what, (long long)r->result);
}
