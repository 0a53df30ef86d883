// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which errors are a fault's doing. While it is armed, and for a grace after, all that it names. An
 * error of writeback is kept in the mapping until somebody asks, so that operations that wait for
 * writeback may be told of it at any time later. (mm/filemap.c, filemap_check_errors(); fsync(2))
 * A filesystem that went down stays down: nothing that fails from then on says more.
 */
#include "ops/told.h"

#include "ops/sight.h"

#include <errno.h>
#include <sys/stat.h>

/* A read through the cache asks for no writeback, and is told of none. */
static bool waits_for_writeback(enum op_kind op)
{
	return op != OP_PREAD && op != OP_LOAD && op != OP_STAT;
}

/* A signal instead of an error number: the cause is not told. (mmap(2), SIGBUS) */
static bool by_signal(enum op_kind op)
{
	return op == OP_LOAD || op == OP_STORE;
}

static int column(const struct run_fault *fault, enum op_kind op, int err)
{
	for (int i = 0; i < RUN_FAULT_ERRNOS && fault->errnos[i]; i++)
		if (fault->errnos[i] == (u32)err || by_signal(op))
			return i;
	return -1;
}

static bool was_armed(const struct run_fault *fault)
{
	u64 first = atomic_load_explicit(&fault->first_ns, memory_order_acquire);

	return first && first <= now_ns();
}

/* Is the filesystem read-only, or does it not even say what a file is? ext4 and btrfs do the one
 * and XFS the other once they gave up. (ext4(5), errors=; xfs_is_shutdown()) */
static bool is_down(const struct afile *f, int err)
{
	struct stat st;

	if (err == EROFS || err == ESHUTDOWN)
		return true;
	return err == EIO && f && f->fd >= 0 && fstat(f->fd, &st) < 0 && errno == EIO;
}

static bool ended_by(struct actor *a, const struct run_fault *fault, const struct afile *f, int err)
{
	u64 none = 0;

	if (!fault->ends_fs)
		return false;
	if (atomic_load(&a->run->fs_down_ns))
		return true;
	if (!is_down(f, err))
		return false;
	if (atomic_compare_exchange_strong(&a->run->fs_down_ns, &none, now_ns())) {
		atomic_store(&a->run->fs_down_errno, (u32)err);
		risk_begin(a->sh);
	}
	return true;
}

/* Nobody is told whose an error is: it is laid to one that is armed, rather than to one that was.
 */
bool told_explains(struct actor *a, const struct afile *f, const struct op_record *rec, int err)
{
	struct run_fault *whose = NULL;
	int as = 0;

	for (u32 i = 0; i < a->run->nfaults; i++) {
		struct run_fault *fault = &a->run->faults[i];
		bool armed = rec->start_ns <= atomic_load(&fault->until_ns);
		int c = column(fault, rec->op, err);

		if (!was_armed(fault))
			continue;
		if (ended_by(a, fault, f, err)) {
			whose = fault;
			as = c < 0 ? RUN_FAULT_ERRNOS : c;
			break;
		}
		if (c < 0 || (!armed && (whose || !waits_for_writeback(rec->op))))
			continue;
		whose = fault;
		as = c;
		if (armed)
			break;
	}
	if (whose)
		atomic_fetch_add_explicit(&whose->told[rec->op][as], 1, memory_order_relaxed);
	return whose;
}

bool told_durable(const struct actor *a)
{
	return !atomic_load(&a->run->cut_ns);
}

bool told_loss(int err)
{
	switch (err) {
	case EINTR:
	case EBADF:
	case EINVAL:
	case EAGAIN:
	case EFAULT:
	case ESPIPE:
	case EOPNOTSUPP:
		return false;
	}
	return true;
}

void told_now(struct afile *f)
{
	f->asked_ns = now_ns();
}

/* One that is logged shortly after the descriptor was told may be what it was told of. */
u64 told_owed(const struct afile *f)
{
	u64 from = atomic_load(&f->sf->error_ns);

	return from > f->asked_ns + TOLD_SLACK_NS ? from : 0;
}

void told_nothing(struct actor *a, struct afile *f, const struct op_record *rec, u64 owed)
{
	char text[256];

	if (!owed || atomic_load(&a->run->fs_down_ns))
		return;
	snprintf(text, sizeof(text),
		 "%.64s: %s by %s returned 0, but at most %llu ms before the kernel had logged an "
		 "error "
		 "of its writeback, of which this open descriptor was never told",
		 f->sf->name, op_infos[rec->op].name, a->slot->name,
		 (unsigned long long)((rec->start_ns - owed) / NSEC_PER_MSEC));
	sight_text(a, FINDING_UNREPORTED_LOSS, text);
	f->asked_ns = now_ns(); /* once */
}

bool told_doubts(const struct actor *a)
{
	for (u32 i = 0; i < a->run->nfaults; i++)
		if (a->run->faults[i].loses_writes && was_armed(&a->run->faults[i]))
			return true;
	return false;
}

static u64 count(const struct run_fault *fault, bool syncs_only)
{
	u64 n = 0;

	for (int op = 0; op < OP_KINDS; op++)
		for (int c = 0; c <= RUN_FAULT_ERRNOS; c++)
			if (!syncs_only || op_infos[op].effect == 'S')
				n += atomic_load(&fault->told[op][c]);
	return n;
}

u64 told_count(const struct run_fault *fault)
{
	return count(fault, false);
}

u64 told_by_sync(const struct run_fault *fault)
{
	return count(fault, true);
}
