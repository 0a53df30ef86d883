// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image file on a loop device: the default target, as it runs on any machine. The loop device
 * clears itself when its last user is gone (LO_FLAGS_AUTOCLEAR), so that even kill -9 of
 * everything leaves no device behind.
 */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/loopdev.h"
#include "base/units.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

/* In a guest of `stressd vm` the image is a disk, so that the host has it when the guest is dead.
 * The loop device over it has a cache in the guest's memory: reads are as fast as of an image
 * there, and what was written and not flushed is lost with the guest, as a real disk loses it with
 * the power. The serial number is given to nothing else. (vm/guest.h) */
#define LENT_DISK "/dev/disk/by-id/virtio-stressd-image"
/* Left free where the image is made: results and shadow live there too. */
#define SPARE (64 * MIB)

struct image_options {
	struct disk_options disk;
	u64 size;
	char *where;
};
_Static_assert(offsetof(struct image_options, disk) == 0, "DISK_OPTIONS count from the start");

static const struct opt_def options[] = {
	DISK_OPTIONS,
	OPT(struct image_options, size, OPT_SIZE, .def = "512M", .min = "16M",
	    .help = "of the image file"),
	OPT(struct image_options, where, OPT_STRING,
	    .help = "directory for the image file; default: the run directory"),
	{ 0 },
};

static const char *image_dir(const struct target *t)
{
	const struct image_options *o = t->options;

	return o->where ? o->where : t->run_dir;
}

static int check(const void *block, const char **ret_key, struct err *e)
{
	const struct image_options *o = block;

	*ret_key = "size";
	return disk_check_size(&o->disk, o->size, 4096, e);
}

static int check_space(const struct target *t, struct err *e)
{
	const struct image_options *o = t->options;
	char want[UNITS_MAX], have[UNITS_MAX];
	u64 need = o->size + SPARE, free_bytes;
	struct statvfs v;

	/* The log, what it is replayed to, and the copy that is mounted. */
	if (o->disk.layers >> DM_LAYER_LOG & 1)
		need += o->disk.log_size + 2 * o->size;
	if (statvfs(image_dir(t), &v) < 0)
		return err_set(e, -errno, "%s: %s", image_dir(t), strerror(errno));
	free_bytes = (u64)v.f_bavail * v.f_frsize;
	if (free_bytes >= need)
		return 0;
	return err_set(e, -ENOSPC,
		       "%s has %s free, the image needs %s; make room, or set "
		       "target.size or target.where",
		       image_dir(t), format_size(have, ROUND_DOWN(free_bytes, MIB)),
		       format_size(want, need));
}

static bool disk_is_lent(void)
{
	return access(LENT_DISK, F_OK) == 0;
}

static int probe(const struct target *t, struct err *e)
{
	const struct image_options *o = t->options;
	char dev[LOOP_NAME_MAX];
	int r = o->where ? target_refuse_path(o->where, e) : 0;

	if (r == 0)
		r = disk_probe(t, e);
	if (r == 0 && !disk_is_lent())
		r = check_space(t, e);
	if (r < 0)
		return r;
	r = loop_find_free(dev);
	if (r < 0)
		return err_set(e, r == -EPERM ? -EACCES : r,
			       "no loop device to be had: %s; load "
			       "the loop module (modprobe loop)",
			       strerror(-r));
	return 0;
}

/* The image's name leads to the disk, whose space is the host's affair. */
static int open_lent(const struct target *t, u64 size, int *ret_fd, struct err *e)
{
	_cleanup_free_ char *disk = realpath(LENT_DISK, NULL);
	const char *const protect[] = { t->run_dir, NULL };
	_cleanup_close_ int fd = -1;
	u64 bytes;
	int r = disk ? target_refuse_device(disk, protect, e) : -ENODEV;

	if (r < 0)
		return r;
	fd = open(disk, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return err_set(e, -errno, "%s: %s", disk, strerror(errno));
	if (bytes < size)
		return err_set(e, -ENOSPC, "%s: too small for the image", disk);
	if (symlink(disk, t->image) < 0)
		return err_set(e, -errno, "%s: %s", t->image, strerror(errno));
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Space is given to the image before the run: a full disk under it would look like a fault of
 * the filesystem in it. */
static int open_new(const struct target *t, u64 size, int *ret_fd, struct err *e)
{
	_cleanup_close_ int fd = open(t->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", t->image, strerror(errno));
	r = posix_fallocate(fd, 0, (off_t)size);
	if (r > 0)
		unlink(t->image);
	if (r > 0)
		return err_set(e, -r, "%s: %s", t->image, strerror(r));
	*ret_fd = take_fd(&fd);
	return 0;
}

static int make_image(struct target *t, int *ret_fd, struct err *e)
{
	const struct image_options *o = t->options;
	const char *run = strrchr(t->run_dir, '/');
	_cleanup_close_ int fd = -1;
	char dir[512];
	int r;

	/* Absolute: the journal is read in another working directory. */
	_cleanup_free_ char *full = realpath(image_dir(t), NULL);

	if (!full || path_set(dir, sizeof(dir), "%s", full) < 0)
		return err_set(e, -errno, "%s: %s", image_dir(t), strerror(errno));
	r = path_set(t->image, sizeof(t->image), "%s/stressd-%s.img", dir, run ? run + 1 : "run");
	if (r < 0)
		return err_set(e, r, "%s: path too long", dir);
	t->undo_image = undo_record(t->undo, UNDO_IMAGE, t->image, NULL, NULL);
	if (t->undo_image < 0)
		return err_set(e, t->undo_image, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_image));
	r = disk_is_lent() ? open_lent(t, o->size, &fd, e) : open_new(t, o->size, &fd, e);
	if (r < 0) {
		/* Not ours, if it was there: teardown must not remove it. */
		t->image[0] = '\0';
		undo_forget(t->undo, t->undo_image);
		return r;
	}
	if (o->disk.prefill)
		r = disk_prefill(fd, o->size, e);
	t->prefilled = o->disk.prefill && r == 0;
	*ret_fd = r < 0 ? -1 : take_fd(&fd);
	return r;
}

static int bind_loop(struct target *t, int image_fd, u64 len, bool direct, struct err *e)
{
	int r = target_loop_bind(t->undo, t->image, image_fd, len, direct, &t->loop, e);

	if (r == 0)
		path_set(t->device, sizeof(t->device), "%s", t->loop.device);
	return r;
}

static int setup(struct target *t, struct err *e)
{
	const struct image_options *o = t->options;
	_cleanup_close_ int fd = -1;
	int r = make_image(t, &fd, e);

	if (r == 0)
		r = bind_loop(t, fd, o->size, !disk_is_lent(), e);
	return r < 0 ? r : disk_setup(t, e);
}

/* The loop device of a dead run goes with its last user; a second one over the same image would
 * be a second cache of the same blocks. */
static int check_unused(const struct target *t, struct err *e)
{
	char dev[LOOP_NAME_MAX];

	if (loop_find_backed(t->image, dev) < 0)
		return 0;
	return err_set(e, -EBUSY, "%s is in use by %s; free it with `losetup -d %s`", t->image, dev,
		       dev);
}

static int attach(struct target *t, struct err *e)
{
	_cleanup_close_ int fd = open(t->image, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "the image %s cannot be opened: %s", t->image,
			       strerror(errno));
	r = check_unused(t, e);
	if (r < 0)
		return r;
	t->undo_image = undo_record(t->undo, UNDO_IMAGE, t->image, NULL, NULL);
	if (t->undo_image < 0)
		return err_set(e, t->undo_image, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_image));
	r = bind_loop(t, fd, 0, true, e);
	return r < 0 ? r : disk_attach(t, e);
}

static int teardown_loop(struct target *t, struct err *e)
{
	int r = target_loop_release(t->undo, t->image, &t->loop, e);

	if (r == 0)
		t->device[0] = '\0';
	return r;
}

static int teardown(struct target *t, bool keep, struct err *e)
{
	int r = disk_teardown(t, e);

	if (r == 0)
		r = teardown_loop(t, e);
	if (r < 0 || !t->image[0])
		return r;
	if (!keep && unlink(t->image) < 0 && errno != ENOENT)
		return err_set(e, -errno, "%s: %s", t->image, strerror(errno));
	r = t->undo_image < 0 ? 0 : undo_forget(t->undo, t->undo_image);
	return r < 0 ? err_set(e, r, "%s: %s", undo_path(t->undo), strerror(-r)) : 0;
}

extern const struct target_type target_image;
const struct target_type target_image = {
	.name = "image",
	.help = "a filesystem in a file of its own, on a loop device; needs root",
	.options = options,
	.options_size = sizeof(struct image_options),
	.kconfig = "BLK_DEV_LOOP VIRTIO_BLK", /* a loop device over a disk of the host */
	.check = check,
	.probe = probe,
	.setup = setup,
	.attach = attach,
	.remount_cycle = disk_remount_cycle,
	.unmount = disk_unmount,
	.teardown = teardown,
};
