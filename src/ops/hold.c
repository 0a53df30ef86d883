// SPDX-License-Identifier: GPL-2.0-or-later
/* userfaultfd: registering a page, and the thread that gives it back. See hold.h. */
#include "ops/hold.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_MOST 65536
#define LOOK_NS	  (20 * NSEC_PER_USEC) /* between two questions whether it is over */

struct hold {
	enum hold_kind kind;
	bool (*over)(void *);
	void *arg;
	u64 limit_ns;
	int fd;
	bool enabled, running, armed;
	u64 page; /* bytes */
	u8 *at;	  /* the page that is taken away */
	_Atomic u64 count;
	_Alignas(64) u8 bytes[PAGE_MOST]; /* what it holds */
};

static int open_fd(void)
{
	_cleanup_close_ int dev = -1;
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0 || errno != EPERM)
		return fd < 0 ? -errno : fd;
	dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC); /* since Linux 6.1 */
	if (dev >= 0)
		fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC);
	return fd < 0 ? -EPERM : fd;
}

int hold_open(enum hold_kind kind, bool (*over)(void *), void *arg, u64 limit_ns, struct hold **ret,
	      struct err *e)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct hold *h = calloc(1, sizeof(*h));

	*ret = h;
	if (!h)
		return err_set(e, -ENOMEM, "no memory for a hold");
	*h = (struct hold){ .kind = kind, .over = over, .arg = arg, .limit_ns = limit_ns };
	h->page = (u64)sysconf(_SC_PAGESIZE);
	h->fd = open_fd();
	if (h->fd < 0)
		return err_set(e, h->fd,
			       "a hold needs userfaultfd(2) for faults in the kernel (%s): run as "
			       "root, or set vm.unprivileged_userfaultfd to 1",
			       strerror(-h->fd));
	if (h->page > PAGE_MOST || ioctl(h->fd, UFFDIO_API, &api) < 0)
		return err_set(e, -ENOSYS, "userfaultfd(2) does not know API %llu here",
			       (unsigned long long)UFFD_API);
	return 0;
}

static void give_back(struct hold *h)
{
	struct uffdio_copy copy = { .dst = (u64)(uintptr_t)h->at,
				    .src = (u64)(uintptr_t)h->bytes,
				    .len = h->page };

	/* EEXIST: it is back already; EAGAIN: the mapping changes, and the fault is retried. */
	while (ioctl(h->fd, UFFDIO_COPY, &copy) < 0 && errno == EAGAIN)
		copy.copy = 0;
}

static void *serve(void *arg)
{
	struct hold *h = arg;
	struct uffd_msg msg;

	while (read(h->fd, &msg, sizeof(msg)) == sizeof(msg)) {
		u64 deadline = now_ns() + h->limit_ns;

		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		atomic_fetch_add(&h->count, 1);
		while (!h->over(h->arg) && now_ns() < deadline)
			nanosleep(&(struct timespec){ .tv_nsec = (long)LOOK_NS }, NULL);
		give_back(h);
	}
	return NULL;
}

/* At the first use: by then the process has dropped its rights, and a thread that was there before
 * would have kept them. */
static bool start_thread(struct hold *h)
{
	pthread_t thread;

	if (!h->running && pthread_create(&thread, NULL, serve, h) == 0)
		h->running = pthread_detach(thread) == 0;
	return h->running;
}

void hold_enable(struct hold *h, bool on)
{
	if (h)
		h->enabled = on;
}

u64 hold_count(const struct hold *h)
{
	return h ? atomic_load(&h->count) : 0;
}

bool hold_arm(struct hold *h, enum hold_kind kind, u8 *buf, u64 len)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (!h || !h->enabled || h->armed || h->kind != kind || !len || !start_thread(h))
		return false;
	h->at = (u8 *)ROUND_DOWN((uintptr_t)buf + len - 1, h->page);
	memcpy(h->bytes, h->at, h->page);
	reg.range.start = (u64)(uintptr_t)h->at;
	reg.range.len = h->page;
	if (ioctl(h->fd, UFFDIO_REGISTER, &reg) < 0)
		return false;
	h->armed = true;
	madvise(h->at, h->page, MADV_DONTNEED);
	return true;
}

bool hold_arm_direct(struct hold *h, enum hold_kind kind, u8 *buf, u64 len)
{
	return hold_arm(h, kind, buf, MIN(len, (u64)1));
}

void hold_disarm(struct hold *h)
{
	struct uffdio_range range;

	if (!h || !h->armed)
		return;
	h->armed = false;
	range = (struct uffdio_range){ .start = (u64)(uintptr_t)h->at, .len = h->page };
	give_back(h); /* if the call never came to it */
	ioctl(h->fd, UFFDIO_UNREGISTER, &range);
}
