/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that look like kernels without being any: a bzImage of two sectors and a payload, by
 * Documentation/arch/x86/boot.rst, whose "kernel" is noise around a configuration.
 */
#ifndef STRESSD_TEST_FAKE_IMAGE_H
#define STRESSD_TEST_FAKE_IMAGE_H

#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define FAKE_MAX     (1 << 20)
#define FAKE_SECTORS 2 /* of set-up, the first one included */
#define FAKE_RELEASE "6.1.0-fake"

enum fake_packer { FAKE_GZIP, FAKE_XZ, FAKE_LZMA, FAKE_ZSTD, FAKE_LZ4, FAKE_PACKERS };

static inline size_t fake_gzip(const void *data, size_t len, uint8_t *out)
{
	z_stream z = { .next_in = (uint8_t *)data,
		       .avail_in = (uInt)len,
		       .next_out = out,
		       .avail_out = FAKE_MAX };

	if (deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return z.total_out;
}

static inline size_t fake_lzma(const void *data, size_t len, uint8_t *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 6);
	s.next_in = data;
	s.avail_in = len;
	s.next_out = out;
	s.avail_out = FAKE_MAX;
	if (lzma_alone_encoder(&s, &options) != LZMA_OK ||
	    lzma_code(&s, LZMA_FINISH) != LZMA_STREAM_END)
		abort();
	len = FAKE_MAX - s.avail_out;
	lzma_end(&s);
	return len;
}

/* FAKE_LZ4 gives its magic and no more: stressd knows it by name. */
static inline size_t fake_pack(enum fake_packer packer, const void *data, size_t len, uint8_t *out)
{
	size_t n = 0;

	switch (packer) {
	case FAKE_GZIP:
		return fake_gzip(data, len, out);
	case FAKE_XZ:
		if (lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, data, len, out, &n,
					    FAKE_MAX) != LZMA_OK)
			abort();
		return n;
	case FAKE_LZMA:
		return fake_lzma(data, len, out);
	case FAKE_ZSTD:
		return ZSTD_compress(out, FAKE_MAX, data, len, 3);
	default:
		memcpy(out, "\x02\x21\x4c\x18", 4);
		return 4;
	}
}

/* What a kernel with (NULL: without) CONFIG_IKCONFIG unpacks to; the mark lies across what a
 * decoder is likely to hand out at a time. */
static inline size_t fake_vmlinux(const char *config, uint8_t *out)
{
	size_t at = 3 * 65536 - 5;

	for (size_t i = 0; i < at; i++)
		out[i] = (uint8_t)(i * 2654435761U >> 13);
	memcpy(out, "\177ELF", 4);
	if (config) {
		memcpy(out + at, "IKCFG_ST", 8);
		at += 8 + fake_gzip(config, strlen(config), out + at + 8);
		memcpy(out + at, "IKCFG_ED", 8);
		at += 8;
	}
	memset(out + at, 'x', 70000);
	return at + 70000;
}

static inline void fake_put(uint8_t *at, uint32_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* A bzImage in @out, FAKE_MAX bytes and some; returns its length. */
static inline size_t fake_bzimage(const char *config, enum fake_packer packer, uint8_t *out)
{
	static uint8_t vmlinux[FAKE_MAX];
	size_t len = fake_vmlinux(config, vmlinux), at = FAKE_SECTORS * 512, payload;

	memset(out, 0, at);
	payload = fake_pack(packer, vmlinux, len, out + at);
	fake_put(out + at + payload, (uint32_t)len, 4); /* as the kernel's Makefile appends it */
	payload += 4;
	while (payload % 16)
		out[at + payload++] = 0;
	out[0x1f1] = FAKE_SECTORS - 1;
	fake_put(out + 0x1f4, (uint32_t)(payload / 16), 4);
	fake_put(out + 0x1fe, 0xaa55, 2);
	memcpy(out + 0x202, "HdrS", 4);
	fake_put(out + 0x206, 0x20f, 2);
	fake_put(out + 0x20e, 0x300 - 0x200, 2);
	strcpy((char *)out + 0x300, FAKE_RELEASE " (somebody@somewhere) #1");
	fake_put(out + 0x248, 0, 4);
	fake_put(out + 0x24c, (uint32_t)payload, 4);
	return at + payload;
}

static inline void fake_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
}

/* The same as a file; @config as for fake_vmlinux(). */
static inline void fake_image(const char *path, const char *config, enum fake_packer packer)
{
	static uint8_t image[FAKE_MAX + 4096];

	fake_write(path, image, fake_bzimage(config, packer, image));
}

#endif
