// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the shadow costs, without a filesystem: nanoseconds of lease, stamp and settle, of a history
 * record, and of the judgement of a cell beside a memcpy() of the same bytes. Prints one
 * "name value" pair a line, best of the rounds; the program `shadow` makes tables of them.
 */
#include "base/cleanup.h"
#include "oplog.h"
#include "scenario.h"
#include "shadow/shadow.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROUNDS	   7
#define OP_BYTES   4096	       /* one operation: a page, in cells */
#define FILE_BYTES (64 * MIB)  /* more than the caches hold: shadow and data come from memory */
#define WARM_BYTES (128 * KIB) /* stays in the second-level cache */
#define OPLOG_OPS  (1ULL << 18)

struct bench {
	char dir[64];
	struct shadow sh;
	struct oplog log;
	struct shadow_file *f;
	u8 *data, *copy;
	u64 bytes; /* of the file that are used */
	struct rng rng;
};

static volatile u64 sink; /* what the compiler must not optimise away */

static void must(int r, const struct err *e)
{
	if (r == 0)
		return;
	fprintf(stderr, "bench-shadow: %s\n", e->text);
	exit(3);
}

static void set_up(struct bench *b, u64 cell_bytes)
{
	struct sc_file file = { .name = (char *)"data",
				.size_bytes = FILE_BYTES,
				.max_bytes = FILE_BYTES,
				.cell_bytes = cell_bytes };
	struct scenario sc = { .files = &file, .nfiles = 1 };
	char path[128];
	struct err e;

	*b = (struct bench){ .dir = "/dev/shm/bench-shadow.XXXXXX", .bytes = FILE_BYTES };
	if (!mkdtemp(b->dir))
		must(err_set(&e, -errno, "%s: %s", b->dir, strerror(errno)), &e);
	snprintf(path, sizeof(path), "%s/shadow", b->dir);
	must(shadow_create(path, &sc, 0x5eed, &b->sh, &e), &e);
	unlink(path); /* mapped: nothing stays behind, whatever happens */
	snprintf(path, sizeof(path), "%s/log", b->dir);
	must(oplog_create(path, "bench", 16384, &b->log, &e), &e);
	unlink(path);
	rmdir(b->dir);
	b->f = &b->sh.files[0];
	b->data = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	b->copy = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->data == MAP_FAILED || b->copy == MAP_FAILED)
		must(err_set(&e, -ENOMEM, "no memory for %llu bytes", 2 * FILE_BYTES), &e);
}

static void tear_down(struct bench *b)
{
	munmap(b->data, FILE_BYTES);
	munmap(b->copy, FILE_BYTES);
	oplog_close(&b->log);
	shadow_close(&b->sh);
}

static void stamp_range(struct bench *b, u64 first, u64 n, u8 *at)
{
	struct stamp id = { .run = b->sh.run, .file = 0, .writer = 2 };

	for (u64 i = 0; i < n; i++, at += b->f->cell_bytes) {
		id.cell = first + i;
		id.gen = CELL_GEN(atomic_load_explicit(&shadow_cell(&b->sh, b->f, id.cell)->flight,
						       memory_order_relaxed));
		stamp_fill(at, b->f->cell_bytes, &id);
	}
}

/* Each returns how many operations it did. */
static u64 run_write(struct bench *b)
{
	u64 per_op = OP_BYTES >> b->f->cell_shift, ops = b->bytes / OP_BYTES;

	for (u64 i = 0; i < ops; i++) {
		u64 first = rng_below(&b->rng, ops) * per_op;

		shadow_begin(&b->sh, b->f, first, per_op, 2, CELL_STAMP, 0);
		stamp_range(b, first, per_op, b->copy);
		shadow_settle(&b->sh, b->f, first, per_op, OUTCOME_DONE, false);
	}
	return ops;
}

static u64 run_lease(struct bench *b)
{
	u64 per_op = OP_BYTES >> b->f->cell_shift, ops = b->bytes / OP_BYTES;

	for (u64 i = 0; i < ops; i++) {
		u64 first = rng_below(&b->rng, ops) * per_op;

		shadow_begin(&b->sh, b->f, first, per_op, 2, CELL_STAMP, 0);
		shadow_settle(&b->sh, b->f, first, per_op, OUTCOME_DONE, false);
	}
	return ops;
}

static u64 run_record(struct bench *b)
{
	struct op_record op = { .op = OP_PWRITE, .len = OP_BYTES };

	for (u64 i = 0; i < OPLOG_OPS; i++) {
		op.offset = i * OP_BYTES;
		oplog_note(&b->log, &op, OP_BYTES);
	}
	return OPLOG_OPS;
}

/* Lease once, fill the data to be judged, settle: afterwards every cell is legal. */
static void lay_out(struct bench *b)
{
	shadow_begin(&b->sh, b->f, 0, b->f->ncells, 2, CELL_STAMP, 0);
	stamp_range(b, 0, b->f->ncells, b->data);
	shadow_settle(&b->sh, b->f, 0, b->f->ncells, OUTCOME_DONE, false);
}

/* As much work over few bytes as over many, so that the clock has something to see. */
static u64 passes(const struct bench *b)
{
	return FILE_BYTES / b->bytes;
}

static u64 run_verify(struct bench *b)
{
	u64 cells = b->bytes >> b->f->cell_shift, wrong = 0;
	struct verdict v;

	for (u64 p = 0; p < passes(b); p++)
		for (u64 c = 0; c < cells; c++) {
			struct cell_view view = shadow_view(shadow_cell(&b->sh, b->f, c));
			const u8 *bytes = b->data + (c << b->f->cell_shift);

			if (!verify_plain(&b->sh, b->f, c, bytes, 0, b->f->cell_bytes,
					  view.settled) &&
			    verify_cell(&b->sh, b->f, c, bytes, 0, b->f->cell_bytes, view, &v) !=
				    JUDGED_LEGAL)
				wrong++;
		}
	if (wrong) {
		fprintf(stderr, "bench-shadow: %llu good cells were judged wrong\n",
			(unsigned long long)wrong);
		exit(3);
	}
	return cells * passes(b);
}

static u64 run_memcpy(struct bench *b)
{
	u64 cells = b->bytes >> b->f->cell_shift;

	for (u64 p = 0; p < passes(b); p++)
		for (u64 c = 0; c < cells; c++) {
			memcpy(b->copy + (c << b->f->cell_shift), b->data + (c << b->f->cell_shift),
			       b->f->cell_bytes);
			sink = b->copy[c << b->f->cell_shift];
		}
	return cells * passes(b);
}

/* The best round: what is slower was disturbed by something that is not measured here. */
static double best_ns(struct bench *b, u64 (*run)(struct bench *b))
{
	double best = 1e18;

	for (int i = 0; i < ROUNDS; i++) {
		u64 start = now_ns(), n = run(b);

		best = MIN(best, (double)(now_ns() - start) / (double)n);
	}
	return best;
}

static void measure(u64 cell_bytes)
{
	double per_op = (double)OP_BYTES / (double)cell_bytes;
	unsigned int cell = (unsigned int)cell_bytes;
	struct bench b;

	set_up(&b, cell_bytes);
	lay_out(&b); /* touches every page before the clock runs */
	printf("lease_settle_ns_per_cell.%u %.2f\n", cell, best_ns(&b, run_lease) / per_op);
	double op = best_ns(&b, run_write);

	printf("lease_stamp_settle_ns_per_op.%u %.2f\n", cell, op);
	printf("lease_stamp_settle_ns_per_cell.%u %.2f\n", cell, op / per_op);
	lay_out(&b);
	printf("verify_memory_ns_per_cell.%u %.2f\n", cell, best_ns(&b, run_verify));
	printf("memcpy_memory_ns_per_cell.%u %.2f\n", cell, best_ns(&b, run_memcpy));
	b.bytes = WARM_BYTES;
	printf("verify_cached_ns_per_cell.%u %.2f\n", cell, best_ns(&b, run_verify));
	printf("memcpy_cached_ns_per_cell.%u %.2f\n", cell, best_ns(&b, run_memcpy));
	if (cell_bytes == 512)
		printf("oplog_ns_per_record %.2f\n", best_ns(&b, run_record));
	tear_down(&b);
}

int main(void)
{
	measure(64);
	measure(512);
	measure(4096);
	printf("bytes_per_cell %zu\n", sizeof(struct shadow_cell));
	return 0;
}
