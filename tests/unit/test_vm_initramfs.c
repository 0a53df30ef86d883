// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The initramfs as the kernel's rules say it must be, the modules that go into it, and what is
 * said of files that are no kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fsutil.h"
#include "vm/guest.h"
#include "vm/kernel.h"
#include "vm/modules.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[] = "/tmp/stressd-vm-initramfs-XXXXXX";

struct archive {
	char *bytes;
	size_t len;
};

static struct cpio begin(void)
{
	struct cpio c = { .fd = memfd_create("cpio", MFD_CLOEXEC) };

	assert_true(c.fd >= 0);
	return c;
}

static struct archive end(struct cpio *c)
{
	struct archive a;

	assert_int_equal(cpio_end(c), 0);
	assert_int_equal(lseek(c->fd, 0, SEEK_SET), 0);
	assert_int_equal(read_fd(c->fd, GIB, &a.bytes, &a.len), 0);
	close(c->fd);
	assert_int_equal(a.len % 4, 0);
	assert_int_equal(a.len, c->at);
	return a;
}

static u32 field(const char *head, int i)
{
	char text[9] = "";

	memcpy(text, head + 6 + 8 * i, 8);
	return (u32)strtoul(text, NULL, 16);
}

/* The bytes of entry @name, read as init/initramfs.c reads them; NULL: it is not there. */
static const char *find(const struct archive *a, const char *name, u32 *ret_mode, size_t *ret_len)
{
	size_t at = 0;

	while (at + 110 <= a->len) {
		const char *head = a->bytes + at, *entry = head + 110;
		size_t size = field(head, 6), name_len = field(head, 11);
		size_t data = ROUND_UP(at + 110 + name_len, 4);

		assert_memory_equal(head, "070701", 6);
		assert_int_equal(strlen(entry) + 1, name_len);
		assert_true(data + size <= a->len);
		if (!strcmp(entry, name)) {
			*ret_mode = field(head, 1);
			*ret_len = size;
			return a->bytes + data;
		}
		if (!strcmp(entry, "TRAILER!!!"))
			return NULL;
		at = ROUND_UP(data + size, 4);
	}
	fail_msg("no end of archive");
	return NULL;
}

static void entries(void **state)
{
	struct cpio c = begin();
	struct archive a;
	size_t len;
	u32 mode;

	(void)state;
	cpio_dir(&c, "/dev");
	cpio_data(&c, "/odd", 0644, "12345", 5);
	cpio_node(&c, "/dev/console", S_IFCHR | 0600, 5, 1);
	cpio_data(&c, "/empty", 0600, "", 0);
	a = end(&c);
	assert_non_null(find(&a, "dev", &mode, &len));
	assert_int_equal(mode, S_IFDIR | 0755);
	assert_memory_equal(find(&a, "odd", &mode, &len), "12345", 5);
	assert_int_equal(len, 5);
	assert_non_null(find(&a, "dev/console", &mode, &len));
	assert_int_equal(mode, S_IFCHR | 0600);
	assert_non_null(find(&a, "empty", &mode, &len));
	assert_null(find(&a, "no such", &mode, &len));
	free(a.bytes);
}

static void holds_this_program(void **state)
{
	struct cpio c = begin();
	struct archive a;
	size_t len;
	u32 mode;

	(void)state;
	cpio_self(&c);
	a = end(&c);
	assert_memory_equal(find(&a, "init", &mode, &len), "\177ELF", 4);
	assert_int_equal(mode, S_IFREG | 0755);
	assert_non_null(find(&a, "dev/console", &mode, &len));
	/* Where the loader is, the program itself says: PT_INTERP. */
	assert_memory_equal(find(&a, "lib64/ld-linux-x86-64.so.2", &mode, &len), "\177ELF", 4);
	/* Entry names of archives have no leading slash; paths inside of programs do. */
	assert_non_null(memmem(a.bytes, a.len, "-linux-gnu/libc.so.6\0", 21));
	free(a.bytes);
}

static void missing_source(void **state)
{
	struct cpio c = begin();

	(void)state;
	cpio_copy(&c, "/a", 0644, "/nonexistent");
	cpio_dir(&c, "/b");
	assert_int_equal(cpio_end(&c), -ENOENT);
	close(c.fd);
}

static void write_text(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
}

static void modules_in_order(void **state)
{
	static const char want[] = "/modules/0.ko\n/modules/1.ko\n/modules/2.ko\n/modules/3.ko\n";
	struct cpio c = begin();
	struct archive a;
	const char *list;
	struct err e;
	size_t len;
	u32 mode;

	(void)state;
	write_text("modules.dep", "fs/9p/9p.ko: net/9p/9pnet.ko fs/fscache.ko\n"
				  "net/9p/9pnet.ko:\n"
				  "fs/fscache.ko:\n"
				  "net/9p/9pnet_virtio.ko: net/9p/9pnet.ko\n"
				  "fs/9px.ko: fs/never.ko\n");
	for (size_t i = 0; i < 2; i++) {
		char path[200];

		snprintf(path, sizeof(path), "%s/%s", base, i ? "net/9p" : "fs/9p");
		assert_int_equal(mkdir_p(path, 0700), 0);
	}
	write_text("fs/9p/9p.ko", "9p");
	write_text("fs/fscache.ko", "fscache");
	write_text("net/9p/9pnet.ko", "9pnet");
	write_text("net/9p/9pnet_virtio.ko", "virtio");
	assert_int_equal(modules_add_from(&c, base, &e), 0);
	a = end(&c);
	list = find(&a, &GUEST_MODULES[1], &mode, &len);
	assert_non_null(list);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(list, want, len);
	/* Each behind what it needs. */
	assert_memory_equal(find(&a, "modules/0.ko", &mode, &len), "9pnet", 5);
	assert_memory_equal(find(&a, "modules/1.ko", &mode, &len), "virtio", 6);
	assert_memory_equal(find(&a, "modules/2.ko", &mode, &len), "fscache", 7);
	assert_memory_equal(find(&a, "modules/3.ko", &mode, &len), "9p", 2);
	free(a.bytes);
}

static void module_that_is_not_there(void **state)
{
	struct cpio c = begin();
	struct err e;

	(void)state;
	write_text("modules.dep", "fs/overlay.ko:\n");
	assert_int_equal(modules_add_from(&c, base, &e), -ENOENT);
	assert_non_null(strstr(e.text, "overlay.ko"));
	assert_int_equal(modules_add_from(&c, "/nonexistent", &e), 0);
	close(c.fd);
}

static void kernels(void **state)
{
	static u8 image[2048];
	struct kernel_image k;
	char path[200];
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "%s/bzImage", base);
	assert_int_equal(kernel_look("/nonexistent", &k, &e), -ENOENT);
	assert_int_equal(kernel_look("/", &k, &e), -ENOEXEC);
	assert_int_equal(kernel_look("/proc/self/exe", &k, &e), -ENOEXEC);
	/* One sector of setup code, 64 paragraphs of the rest. */
	image[0x1f1] = 1;
	image[0x1f4] = 64;
	memcpy(image + 0x1fe, "\x55\xaa", 2);
	memcpy(image + 0x202, "HdrS", 4);
	image[0x20f] = 1; /* the release is at 0x200 + 0x100 */
	strcpy((char *)image + 0x300, "6.1.0-test (somebody)");
	assert_int_equal(write_file_atomic(path, image, sizeof(image), 0600), 0);
	assert_int_equal(kernel_look(path, &k, &e), 0);
	assert_string_equal(k.release, "6.1.0-test");
	assert_int_equal(truncate(path, sizeof(image) - 1), 0);
	assert_int_equal(kernel_look(path, &k, &e), -ENOEXEC);
	assert_non_null(strstr(e.text, "cut short"));
	for (off_t len = 0; len < 0x264; len += 61) {
		assert_int_equal(truncate(path, len), 0);
		assert_int_equal(kernel_look(path, &k, &e), -ENOEXEC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(holds_this_program),
		cmocka_unit_test(missing_source),
		cmocka_unit_test(modules_in_order),
		cmocka_unit_test(module_that_is_not_there),
		cmocka_unit_test(kernels),
	};
	int failed;

	if (!mkdtemp(base))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rm_rf(base);
	return failed;
}
