// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz entry of the configurations: any file may be given for a .config or for a kernel. What must
 * hold is checked here; memory errors are the sanitizer's business.
 */
#include "../fake_image.h"
#include "vm/kconfig.h"
#include "vm/needs.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct kconfig *c)
{
	struct needs n = { .rows = NULL };

	for (size_t i = 0; i < c->n; i++) {
		const char *value = kconfig_get(c, c->options[i].name);

		must(value && strcmp(value, "n") != 0);
		must(!strpbrk(value, "\r\n"));
	}
	needs_add_guest(&n, true);
	must(needs_check(&n, c, NULL) >= 0);
	needs_free(&n);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int fd = memfd_create("kconfig", MFD_CLOEXEC);
	struct err e = { "" };
	struct kconfig c;
	char path[64];
	int r;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = kconfig_read(path, &c, &e);
	must(r == 0 || (r < 0 && e.text[0] && !strchr(e.text, '\n')));
	if (r == 0)
		check(&c);
	kconfig_free(&c);
	close(fd);
	return 0;
}

#ifndef STRESSD_LIBFUZZER
#define CONFIG "# comment\nCONFIG_64BIT=y\nCONFIG_A=\"b\"\n# CONFIG_B is not set\nCONFIG_C=m\n"

/* Half of the changes are where the lengths and offsets are. */
static void change(struct rng *rng, u8 *data, size_t len)
{
	for (u64 n = 1 + rng_below(rng, 4); n; n--) {
		u64 most = rng_below(rng, 2) ? len : MIN(len, (size_t)0x400);

		data[rng_below(rng, most)] ^= (u8)(1 + rng_below(rng, 255));
	}
}

int main(void)
{
	static u8 seed[FAKE_MAX + 4096], data[FAKE_MAX + 4096];
	u64 rounds = getenv("STRESSD_TEST_FAST") ? 100 : 500;

	for (int kind = 0; kind < FAKE_PACKERS + 3; kind++) {
		struct rng rng = { .state = (u64)kind };
		size_t len = kind < FAKE_PACKERS
				     ? fake_bzimage(CONFIG, (enum fake_packer)kind, seed)
			     : kind == FAKE_PACKERS	? fake_vmlinux(CONFIG, seed)
			     : kind == FAKE_PACKERS + 1 ? fake_gzip(CONFIG, strlen(CONFIG), seed)
							: strlen(CONFIG);

		if (kind == FAKE_PACKERS + 2)
			memcpy(seed, CONFIG, len);
		LLVMFuzzerTestOneInput(seed, len);
		for (u64 i = 0; i < rounds; i++) {
			memcpy(data, seed, len);
			change(&rng, data, len);
			LLVMFuzzerTestOneInput(data, i % 4 ? len : 1 + rng_below(&rng, len));
		}
	}
	return 0;
}
#endif
