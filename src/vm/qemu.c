// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line, as an array of words, and the process. */
#include "vm/qemu.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "vm/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define WORDS	  128
#define ANSWER_MS 2000

struct words {
	char *word[WORDS];
	size_t n;
	bool failed;
};

static void __attribute__((format(printf, 2, 3))) add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed || w->n + 1 >= WORDS) {
		w->failed = true;
		return;
	}
	va_start(ap, fmt);
	w->failed = vasprintf(&w->word[w->n], fmt, ap) < 0;
	va_end(ap);
	if (!w->failed)
		w->n++;
	w->word[w->n] = NULL;
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->word[i]);
}

static void add_socket(struct words *w, const char *id, int fd)
{
	add(w, "-chardev");
	add(w, "socket,id=%s,fd=%d", id, fd);
}

/* What a full host disk or a dead image does to a write must be the guest's EIO, not a pause. */
static void add_disk(struct words *w, size_t i, const struct vm_disk *d, int fd)
{
	add(w, "-drive");
	add(w,
	    "file=/proc/self/fd/%d,if=none,id=disk%zu,format=raw,cache=unsafe,werror=report,"
	    "rerror=report,discard=%s",
	    fd, i, d->keep_space ? "ignore" : "unmap");
	add(w, "-device");
	add(w, "virtio-blk-pci,drive=disk%zu%s%s", i, d->serial[0] ? ",serial=" : "", d->serial);
}

static void command_line(struct words *w, const struct qemu_plan *p, const int ends[3])
{
	static const char *const fixed[] = { "-nodefaults", "-no-reboot", "-display", "none",
					     "-no-user-config" };

	add(w, QEMU_PROGRAM);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		add(w, "%s", fixed[i]);
	add(w, "-accel");
	add(w, "%s", p->accel == ACCEL_KVM ? "kvm" : "tcg,thread=multi");
	add(w, "-cpu");
	add(w, "%s", p->accel == ACCEL_KVM ? "host" : "max");
	add(w, "-smp");
	add(w, "%llu", (unsigned long long)p->cpus);
	add(w, "-m");
	add(w, "%lluM", (unsigned long long)(p->memory_bytes / MIB));
	add(w, "-kernel");
	add(w, "%s", p->kernel);
	add(w, "-initrd");
	add(w, "/proc/self/fd/%d", p->initrd_fd);
	add(w, "-append");
	add(w, "%s", p->append);
	add_socket(w, "console", ends[0]);
	add(w, "-serial");
	add(w, "chardev:console");
	add_socket(w, "results", ends[1]);
	add(w, "-device");
	add(w, "virtio-serial-pci");
	add(w, "-device");
	add(w, "virtserialport,chardev=results,name=" VM_PORT);
	add_socket(w, "monitor", ends[2]);
	add(w, "-mon");
	add(w, "chardev=monitor,mode=control");
	add(w, "-virtfs");
	add(w, "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap");
	add(w, "-object");
	add(w, "memory-backend-file,id=arena,share=on,mem-path=/proc/self/fd/%d,size=%llu",
	    p->arena_fd, (unsigned long long)p->arena_bytes);
	add(w, "-device");
	add(w, "ivshmem-plain,memdev=arena");
	for (size_t i = 0; i < p->ndisks; i++)
		add_disk(w, i, &p->disks[i], p->disk_fds[i]);
}

/* Only what is safe after fork(2). */
static void __attribute__((noreturn))
child(const char *path, const struct words *w, const int *keep, size_t nkeep, int errors_fd,
      pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0); /* a ^C is ours to answer */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(errors_fd, STDERR_FILENO);
	for (size_t i = 0; i < nkeep; i++)
		fcntl(keep[i], F_SETFD, 0);
	execv(path, w->word);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

static int launch(const char *path, const struct qemu_plan *p, int ends[3], int errors_w,
		  struct qemu *ret)
{
	int keep[5 + VM_DISKS_MAX] = { ends[0], ends[1], ends[2], p->initrd_fd, p->arena_fd };
	struct words w = { .n = 0 };
	pid_t parent = getpid();
	int r = 0;

	for (size_t i = 0; i < p->ndisks; i++)
		keep[5 + i] = p->disk_fds[i];
	command_line(&w, p, ends);
	ret->pid = w.failed ? -1 : fork();
	if (ret->pid == 0)
		child(path, &w, keep, 5 + p->ndisks, errors_w, parent);
	if (ret->pid < 0) {
		r = w.failed ? -ENOMEM : -errno;
		ret->pid = 0;
	}
	words_free(&w);
	return r;
}

int qemu_start(const struct qemu_plan *p, struct qemu *ret, struct err *e)
{
	int *const ours[] = { &ret->console_fd, &ret->results_fd, &ret->monitor_fd };
	int ends[3] = { -1, -1, -1 }, pipe_fds[2] = { -1, -1 }, r = 0;
	char path[FSUTIL_PATH_MAX];

	*ret = (struct qemu){ 0, -1, -1, -1, -1, -1 };
	if (proc_find(QEMU_PROGRAM, path, sizeof(path)) < 0)
		return err_set(e, -ENOENT, QEMU_PROGRAM " is gone");
	for (int i = 0; i < 3 && r == 0; i++) {
		int fds[2];

		r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
		if (r == 0) {
			*ours[i] = fds[0];
			ends[i] = fds[1];
			fcntl(fds[0], F_SETFL, O_NONBLOCK);
		}
	}
	if (r == 0)
		r = pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
	ret->errors_fd = pipe_fds[0];
	if (r == 0)
		r = launch(path, p, ends, pipe_fds[1], ret);
	for (int i = 0; i < 3; i++)
		closep(&ends[i]);
	closep(&pipe_fds[1]);
	if (r == 0) {
		ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
		r = ret->pidfd < 0 ? -errno : 0;
	}
	if (r < 0) {
		qemu_stop(ret);
		return err_set(e, r, "cannot start %s: %s", path, strerror(-r));
	}
	return 0;
}

int qemu_stop(struct qemu *q)
{
	int *const fds[] = { &q->pidfd, &q->console_fd, &q->results_fd, &q->monitor_fd,
			     &q->errors_fd };
	int status = 0;

	if (q->pid) {
		kill(q->pid, SIGKILL);
		while (waitpid(q->pid, &status, 0) < 0 && errno == EINTR)
			;
		q->pid = 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		closep(fds[i]);
		*fds[i] = -1;
	}
	return status;
}

/* The break must be there before the key: the monitor says when. */
bool qemu_sysrq(struct qemu *q, char key)
{
	static const char command[] = "{\"execute\":\"qmp_capabilities\"}\n"
				      "{\"execute\":\"chardev-send-break\",\"id\":\"break\","
				      "\"arguments\":{\"id\":\"console\"}}\n";
	struct pollfd p = { .fd = q->monitor_fd, .events = POLLIN };
	char answer[4096];
	ssize_t n;

	while (read(q->monitor_fd, answer, sizeof(answer)) > 0)
		;
	if (write_all(q->monitor_fd, command, strlen(command)) < 0)
		return false;
	while (poll(&p, 1, ANSWER_MS) == 1) {
		n = read(q->monitor_fd, answer, sizeof(answer));
		if (n <= 0 || memmem(answer, (size_t)n, "\"break\"", 7))
			return n > 0 && write_all(q->console_fd, &key, 1) == 0;
	}
	return false;
}
