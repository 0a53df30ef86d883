// SPDX-License-Identifier: GPL-2.0-or-later
/* The three engines. See engine.h. (io_submit(2), io_uring_enter(2)) */
#include "ops/engine.h"

#include <errno.h>
#include <liburing.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct engine_type {
	enum op_kind read, write;
	int (*open)(struct engine *e, unsigned int depth);
	void (*close)(struct engine *e);
	int (*submit)(struct engine *e, struct engine_io *io);
	int (*wait)(struct engine *e, struct engine_io **ret);
};

struct engine {
	const struct engine_type *type;
	unsigned int in_flight;
	struct engine_io *done; /* ended at submission: psync's, and those that were refused */
	union {
		io_context_t aio;
		struct io_uring ring;
	};
};

static void finish(struct engine *e, struct engine_io *io, s64 result)
{
	io->result = result;
	io->next = e->done;
	e->done = io;
}

static int psync_submit(struct engine *e, struct engine_io *io)
{
	ssize_t n = io->write ? pwrite(io->fd, io->buf, io->len, (off_t)io->offset)
			      : pread(io->fd, io->buf, io->len, (off_t)io->offset);

	finish(e, io, n < 0 ? -errno : n);
	return 0;
}

static int aio_open(struct engine *e, unsigned int depth)
{
	return io_setup((int)depth, &e->aio);
}

static void aio_close(struct engine *e)
{
	io_destroy(e->aio);
}

static int aio_submit(struct engine *e, struct engine_io *io)
{
	struct iocb *list[] = { &io->iocb };
	int r;

	if (io->write)
		io_prep_pwrite(&io->iocb, io->fd, io->buf, io->len, (long long)io->offset);
	else
		io_prep_pread(&io->iocb, io->fd, io->buf, io->len, (long long)io->offset);
	io->iocb.data = io;
	r = io_submit(e->aio, 1, list);
	if (r != 1)
		finish(e, io, r < 0 ? r : -EAGAIN);
	return 0;
}

static int aio_wait(struct engine *e, struct engine_io **ret)
{
	struct io_event event;
	int r;

	do
		r = io_getevents(e->aio, 1, 1, &event, NULL);
	while (r == -EINTR || r == 0);
	if (r < 0)
		return r;
	*ret = event.data;
	(*ret)->result = (s64)event.res;
	return 0;
}

static int uring_open(struct engine *e, unsigned int depth)
{
	return io_uring_queue_init(depth, &e->ring, 0);
}

static void uring_close(struct engine *e)
{
	io_uring_queue_exit(&e->ring);
}

static int uring_submit(struct engine *e, struct engine_io *io)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&e->ring);
	int r;

	if (!sqe)
		return -EBUSY;
	if (io->write)
		io_uring_prep_write(sqe, io->fd, io->buf, (unsigned int)io->len, io->offset);
	else
		io_uring_prep_read(sqe, io->fd, io->buf, (unsigned int)io->len, io->offset);
	io_uring_sqe_set_data(sqe, io);
	/* The entry stays queued until the kernel takes it: short of memory, try again. */
	while ((r = io_uring_submit(&e->ring)) == -EINTR || r == -EAGAIN || r == -EBUSY)
		sched_yield();
	return r < 0 ? r : 0;
}

static int uring_wait(struct engine *e, struct engine_io **ret)
{
	struct io_uring_cqe *cqe;
	int r;

	do
		r = io_uring_wait_cqe(&e->ring, &cqe);
	while (r == -EINTR);
	if (r < 0)
		return r;
	*ret = io_uring_cqe_get_data(cqe);
	(*ret)->result = cqe->res;
	io_uring_cqe_seen(&e->ring, cqe);
	return 0;
}

const char *const engine_names[] = { "psync", "libaio", "io_uring", NULL };
const char *const engine_kconfig[] = { NULL, "AIO", "IO_URING" };

static const struct engine_type engines[] = {
	[ENGINE_PSYNC] = { .read = OP_DIRECT_PREAD,
			   .write = OP_DIRECT_PWRITE,
			   .submit = psync_submit },
	[ENGINE_LIBAIO] = { .read = OP_DIRECT_AIO_READ,
			    .write = OP_DIRECT_AIO_WRITE,
			    .open = aio_open,
			    .close = aio_close,
			    .submit = aio_submit,
			    .wait = aio_wait },
	[ENGINE_URING] = { .read = OP_DIRECT_URING_READ,
			   .write = OP_DIRECT_URING_WRITE,
			   .open = uring_open,
			   .close = uring_close,
			   .submit = uring_submit,
			   .wait = uring_wait },
};

enum op_kind engine_op(enum engine_kind kind, bool write)
{
	return write ? engines[kind].write : engines[kind].read;
}

int engine_open(enum engine_kind kind, unsigned int depth, struct engine **ret, struct err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return err_set(err, -ENOMEM, "no memory for an engine");
	e->type = &engines[kind];
	r = e->type->open ? e->type->open(e, depth) : 0;
	if (r < 0) {
		free(e);
		return err_set(err, r, "%s cannot be set up here: %s; use another \"engine\"",
			       engine_names[kind], strerror(-r));
	}
	*ret = e;
	return 0;
}

void engine_close(struct engine *e)
{
	if (e && e->type->close)
		e->type->close(e);
	free(e);
}

int engine_submit(struct engine *e, struct engine_io *io)
{
	int r = e->type->submit(e, io);

	if (r == 0)
		e->in_flight++;
	return r;
}

int engine_reap(struct engine *e, struct engine_io **ret)
{
	int r = 0;

	if (!e->in_flight)
		return -ENOENT;
	if (e->done) {
		*ret = e->done;
		e->done = e->done->next;
	} else {
		r = e->type->wait(e, ret);
	}
	if (r == 0)
		e->in_flight--;
	return r;
}

unsigned int engine_in_flight(const struct engine *e)
{
	return e->in_flight;
}
