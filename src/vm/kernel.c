// SPDX-License-Identifier: GPL-2.0-or-later
/* The setup header of a bzImage. */
#include "vm/kernel.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SECTOR	   512U
#define HEADER_AT  0x1f1
#define HEADER_END 0x268
#define RELEASE_AT 0x200 /* what kernel_version counts from */

static u32 get(const u8 *head, size_t at, size_t bytes)
{
	u32 v = 0;

	memcpy(&v, head + at, bytes);
	return v;
}

static void get_release(int fd, const u8 *head, struct kernel_image *ret)
{
	u32 at = get(head, 0x20e, 2);

	if (!at || pread(fd, ret->release, sizeof(ret->release) - 1, at + RELEASE_AT) <= 0)
		return;
	ret->release[strcspn(ret->release, " \n")] = '\0';
}

/* Since protocol 2.08: counted from the protected-mode code. */
static void get_payload(const u8 *head, u64 setup_bytes, struct kernel_image *ret)
{
	if (get(head, 0x206, 2) < 0x208)
		return;
	ret->payload_at = setup_bytes + get(head, 0x248, 4);
	ret->payload_bytes = get(head, 0x24c, 4);
}

int kernel_look(const char *path, struct kernel_image *ret, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	u8 head[HEADER_END] = { 0 };
	u64 setup, whole;
	struct stat st;

	*ret = (struct kernel_image){ .release = "" };
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "%s: cannot read the kernel: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || pread(fd, head, sizeof(head), 0) < HEADER_AT ||
	    get(head, 0x1fe, 2) != 0xaa55 || memcmp(head + 0x202, "HdrS", 4) != 0)
		return err_set(e, -ENOEXEC,
			       "%s: not a bootable kernel; expected a bzImage, such as "
			       "arch/x86/boot/bzImage or /boot/vmlinuz-VERSION",
			       path);
	/* An old image says 0 and means 4. */
	setup = get(head, HEADER_AT, 1) ? get(head, HEADER_AT, 1) : 4;
	whole = (setup + 1) * SECTOR + (u64)get(head, 0x1f4, 4) * 16;
	if ((u64)st.st_size < whole)
		return err_set(e, -ENOEXEC,
			       "%s: cut short, %llu of %llu bytes; copy or build the kernel again",
			       path, (unsigned long long)st.st_size, (unsigned long long)whole);
	get_release(fd, head, ret);
	get_payload(head, (setup + 1) * SECTOR, ret);
	return 0;
}
