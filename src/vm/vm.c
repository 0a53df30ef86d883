// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything that a guest needs, then the guest, then what became of it. Nothing is left of the
 * first: the initramfs is memory, the disks have no name. */
#include "vm/vm.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "vm/boot_words.h"
#include "vm/cut.h"
#include "vm/guest.h"
#include "vm/host.h"
#include "vm/initramfs.h"
#include "vm/kernel.h"
#include "vm/modules.h"
#include "vm/needs.h"
#include "vm/outcome.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define EXIT_TROUBLE 3
#define EXIT_SKIP    4
#define EXIT_USAGE   2
#define KVM_MUTE_NS  (10 * NSEC_PER_SEC)
#define REST_NS	     (300 * NSEC_PER_SEC)

/* The kernel says everything on the serial line, with its clock, and dies for good. Its test of the
 * timer counts ticks for a few loops: on a loaded host an emulated one fails it, and panics. */
#define APPEND                                                                                     \
	"console=ttyS0 printk.time=1 panic=-1 random.trust_cpu=on sysrq_always_enabled "           \
	"no_timer_check rdinit=/init"

struct vm {
	const struct vm_options *o;
	struct kernel_image kernel;
	struct watch watch;
	struct vm_disk disks[VM_DISKS_MAX];
	size_t ndisks;
	int initrd_fd, disk_fds[VM_DISKS_MAX];
	char append[4096];
};

int vm_scenario_dir(const struct vm_options *o, size_t i, char *buf, size_t size)
{
	return path_set(buf, size, o->nscenarios > 1 ? "%s/%zu" : "%s", o->run_dir, i + 1);
}

/* The disk that a scenario wants is the guest's own: it may be destroyed. */
static const char *device_of(const struct scenario *sc)
{
	json_t *target = json_object_get(sc->resolved, "target");

	const char *type = json_string_value(json_object_get(target, "type"));

	if (!type || strcmp(type, "device") != 0)
		return NULL;
	return json_string_value(json_object_get(target, "path"));
}

static int add_plan(const struct vm_options *o, struct cpio *c)
{
	json_t *plan = json_pack("{s:b, s:b, s:b, s:s*, s:s*, s:[]}", "keep", o->keep, "json",
				 o->json, "doubt_ends", o->doubt_ends, "runner", o->runner,
				 "output", o->output, "scenarios");
	json_t *rows = json_object_get(plan, "scenarios");
	_cleanup_free_ char *text = NULL;
	char dir[512], name[64];

	for (size_t i = 0; i < o->nscenarios; i++) {
		const struct scenario *sc = o->scenarios[i];
		_cleanup_free_ char *path = realpath(sc->path, NULL), *resolved = NULL;

		/* As it was resolved here, seed and all: what the host judges by is what runs. */
		resolved = json_dumps(sc->resolved, JSON_INDENT(2));
		if (!path || !resolved || vm_scenario_dir(o, i, dir, sizeof(dir)) < 0)
			break;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s*, s:I}", "path", path, "dir",
						      dir, "destroy", device_of(sc), "mutant",
						      (json_int_t)o->mutants[i]));
		snprintf(name, sizeof(name), GUEST_SCENARIO, (u32)i);
		cpio_data(c, name, 0644, resolved, strlen(resolved));
	}
	if (json_array_size(rows) == o->nscenarios)
		text = json_dumps(plan, 0);
	json_decref(plan);
	if (!text)
		return -ENOMEM;
	cpio_data(c, GUEST_PLAN, 0644, text, strlen(text));
	return 0;
}

static int make_initramfs(struct vm *v, struct err *e)
{
	struct cpio c = { .fd = memfd_create("initramfs", MFD_CLOEXEC) };
	int r;

	v->initrd_fd = c.fd;
	if (c.fd < 0)
		return err_set(e, -errno, "memfd_create: %s", strerror(errno));
	cpio_self(&c);
	r = modules_add(&c, v->kernel.release, e);
	if (r < 0)
		return r;
	r = add_plan(v->o, &c);
	if (r == 0)
		r = cpio_end(&c);
	return r < 0 ? err_set(e, r, "cannot make the initramfs: %s", strerror(-r)) : 0;
}

/* Space is taken now: a host that runs full must not look like a disk that fails. */
static int make_disks(struct vm *v, struct err *e)
{
	for (size_t i = 0; i < v->o->ndisks; i++) {
		int fd = open(v->o->run_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), r;

		if (fd < 0)
			return err_set(e, -errno, "%s: cannot hold a disk: %s", v->o->run_dir,
				       strerror(errno));
		v->disk_fds[i] = fd;
		r = posix_fallocate(fd, 0, (off_t)v->o->disks[i].bytes);
		if (r)
			return err_set(
				e, -r, "%s: no room for a disk of %llu MiB: %s", v->o->run_dir,
				(unsigned long long)(v->o->disks[i].bytes / MIB), strerror(r));
	}
	return 0;
}

static int make_run_dirs(struct vm *v, struct err *e)
{
	char path[512];
	int r = 0;

	for (size_t i = 0; i < v->o->nscenarios && r == 0; i++) {
		r = vm_scenario_dir(v->o, i, path, sizeof(path));
		if (r == 0)
			r = mkdir_p(path, 0700);
		if (r == 0)
			v->watch.dir_fds[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (r == 0 && v->watch.dir_fds[i] < 0)
			r = -errno;
	}
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/console.log", v->o->run_dir);
	if (r == 0) {
		v->watch.console_log_fd =
			open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		r = v->watch.console_log_fd < 0 ? -errno : 0;
	}
	return r < 0 ? err_set(e, r, "%s: cannot be written: %s", v->o->run_dir, strerror(-r)) : 0;
}

/* What one attempt at the guest begins with. */
static int reset(struct vm *v, struct err *e)
{
	struct watch *w = &v->watch;
	int r;

	klog_close(w->klog);
	w->klog = NULL;
	stream_close(&w->stream);
	r = stream_open(&w->stream);
	if (r == 0)
		r = klog_open_memory(&w->klog);
	if (r < 0)
		return err_set(e, r, "cannot watch the guest: %s", strerror(-r));
	for (size_t i = 0; i < v->o->nscenarios; i++) {
		w->exits[i] = -1;
		for (char **a = v->o->scenarios[i]->kernel_log.allow; a && *a; a++)
			klog_allow(w->klog, *a);
	}
	w->o = v->o;
	w->current = -1;
	w->complaint[0] = '\0';
	return 0;
}

static u64 limit_of(const struct vm_options *o)
{
	u64 sum = REST_NS;

	for (size_t i = 0; i < o->nscenarios; i++)
		sum += 4 * o->scenarios[i]->duration_ns;
	return o->timeout_ns ? o->timeout_ns : sum;
}

/* Returns enum vm_end, or -errno when there is no guest. */
static int attempt(struct vm *v, int accel, u64 mute_ns, struct err *e)
{
	const struct qemu_plan plan = {
		.kernel = v->o->kernel,
		.append = v->append,
		.initrd_fd = v->initrd_fd,
		.accel = accel,
		.cpus = v->o->cpus,
		.memory_bytes = v->o->memory_bytes,
		.arena_fd = v->watch.salvage.arena_fd,
		.arena_bytes = v->watch.salvage.arena_bytes,
		.disks = v->disks,
		.disk_fds = v->disk_fds,
		.ndisks = v->ndisks,
	};
	int r = reset(v, e);

	if (r == 0)
		r = qemu_start(&plan, &v->watch.qemu, e);
	return r < 0 ? r : watch_guest(&v->watch, limit_of(v->o), mute_ns);
}

/* KVM that is there may still not work, in a virtual machine that only pretends to have it. */
static int boot(struct vm *v, struct err *e)
{
	bool kvm = v->o->accel == ACCEL_KVM ||
		   (v->o->accel == ACCEL_AUTO && access("/dev/kvm", R_OK | W_OK) == 0);
	int end;

	if (!kvm)
		return attempt(v, ACCEL_TCG, 0, e);
	if (v->o->accel == ACCEL_KVM)
		return attempt(v, ACCEL_KVM, 0, e);
	end = attempt(v, ACCEL_KVM, KVM_MUTE_NS, e);
	if (end == VM_MUTE || (end == VM_TROUBLE && !v->watch.console_bytes && !v->watch.error))
		return attempt(v, ACCEL_TCG, 0, e);
	return end;
}

/* The image is on a disk like the others, behind them, so that theirs keep their names. */
static void add_image_disk(struct vm *v)
{
	const struct salvage *s = &v->watch.salvage;

	memcpy(v->disks, v->o->disks, v->o->ndisks * sizeof(v->disks[0]));
	v->ndisks = v->o->ndisks;
	if (s->disk_fd < 0)
		return;
	v->disks[v->ndisks] = (struct vm_disk){ .bytes = s->disk_bytes,
						.keep_space = true,
						.serial = GUEST_IMAGE };
	v->disk_fds[v->ndisks++] = s->disk_fd;
}

/* What cannot work is not booted. */
static int look_ahead(struct vm *v, struct err *e)
{
	int r = kernel_look(v->o->kernel, &v->kernel, e);
	struct needs n = { .rows = NULL };

	if (r == 0)
		r = host_check(v->o, e);
	if (r == 0 && v->o->cut_ns)
		r = cut_check(v->o, e);
	if (r < 0)
		return r;
	needs_add_guest(&n, v->o->ndisks > 0);
	for (size_t i = 0; i < v->o->nscenarios; i++)
		needs_add_scenario(&n, v->o->scenarios[i]);
	r = needs_refuse(v->o->kernel, v->kernel.release, &n, e);
	needs_free(&n);
	return r;
}

/* Ours, then what the targets of the scenarios want, then what the user says: the last word counts.
 */
static int make_append(struct vm *v)
{
	char words[512] = "";
	int r = boot_words(v->o, words, sizeof(words));

	return r < 0 ? r
		     : path_set(v->append, sizeof(v->append), APPEND "%s%s%s", words,
				v->o->append[0] ? " " : "", v->o->append);
}

static int prepare(struct vm *v, struct err *e)
{
	int r = look_ahead(v, e);

	if (r == 0)
		r = make_append(v);
	if (r == -ENAMETOOLONG)
		return err_set(e, -EINVAL, "--append is longer than a kernel command line");
	if (r == 0)
		r = make_initramfs(v, e);
	if (r == 0)
		r = make_run_dirs(v, e);
	if (r == 0)
		r = make_disks(v, e);
	if (r == 0)
		r = salvage_open(&v->watch.salvage, v->o, e);
	if (r == 0)
		add_image_disk(v);
	v->watch.salvage.release = v->watch.release;
	return r;
}

static void vm_free(struct vm *v)
{
	closep(&v->initrd_fd);
	for (size_t i = 0; i < v->o->ndisks; i++)
		closep(&v->disk_fds[i]);
	for (size_t i = 0; i < VM_SCENARIOS_MAX; i++)
		closep(&v->watch.dir_fds[i]);
	closep(&v->watch.console_log_fd);
	salvage_close(&v->watch.salvage);
	stream_close(&v->watch.stream);
	klog_close(v->watch.klog);
	for (size_t i = 0; i < v->watch.nstuck; i++)
		free(v->watch.stuck[i]);
	free(v);
}

int vm_run(const struct vm_options *o, struct err *e)
{
	struct vm *v = calloc(1, sizeof(*v));
	int r, end;

	if (!v)
		return err_set(e, EXIT_TROUBLE, "out of memory");
	v->o = o;
	v->initrd_fd = v->watch.console_log_fd = -1;
	v->watch.salvage.arena_fd = v->watch.salvage.disk_fd = -1;
	memset(v->disk_fds, -1, sizeof(v->disk_fds));
	memset(v->watch.dir_fds, -1, sizeof(v->watch.dir_fds));
	e->text[0] = '\0';
	r = prepare(v, e);
	if (r == -EOPNOTSUPP) {
		r = EXIT_SKIP;
	} else if (r < 0) {
		r = v->watch.console_log_fd < 0 && r != -ENOMEM && r != -ENOSPC ? EXIT_USAGE
										: EXIT_TROUBLE;
	} else {
		end = boot(v, e);
		if (end == VM_CRASH && outcome_panic_asked(&v->watch) &&
		    cut_check(o, &(struct err){ "" }) == 0)
			end = VM_PANIC;
		r = end < 0 ? EXIT_TROUBLE : outcome_settle(&v->watch, end, e);
		if ((end == VM_CUT || end == VM_PANIC) && !e->text[0])
			r = cut_verify(o, r, e);
	}
	vm_free(v);
	return r;
}
