// SPDX-License-Identifier: GPL-2.0-or-later
/* A table of magic numbers, and one loop a library. (scripts/extract-vmlinux of the kernel has the
 * same list.) */
#include "vm/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK	   (64 * KIB)
#define MEMORY_MAX (256 * MIB) /* of a decoder; the kernel's own dictionaries are up to 32 MiB */
#define WITH_GZIP  16	       /* inflateInit2(): a gzip header, not a zlib one */

struct job {
	const u8 *data;
	size_t len;
	unpack_fn *fn;
	void *ctx;
	u8 *out; /* CHUNK bytes */
};

static int gunzip(struct job *j)
{
	z_stream z = { .next_in = (u8 *)j->data,
		       .avail_in = (uInt)MIN(j->len, (size_t)UINT32_MAX) };
	int r = 0, step = Z_OK;

	if (inflateInit2(&z, MAX_WBITS + WITH_GZIP) != Z_OK)
		return -ENOMEM;
	while (r == 0 && step == Z_OK) {
		z.next_out = j->out;
		z.avail_out = CHUNK;
		step = inflate(&z, Z_NO_FLUSH);
		r = j->fn(j->ctx, j->out, CHUNK - z.avail_out);
	}
	inflateEnd(&z);
	return r ? r : step == Z_STREAM_END ? 0 : -EBADMSG;
}

/* .xz, and the .lzma that came before it. */
static int unxz(struct job *j)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret step = lzma_auto_decoder(&s, MEMORY_MAX, 0);
	int r = step == LZMA_OK ? 0 : -ENOMEM;

	s.next_in = j->data;
	s.avail_in = j->len;
	while (r == 0 && step == LZMA_OK) {
		s.next_out = j->out;
		s.avail_out = CHUNK;
		step = lzma_code(&s, LZMA_RUN);
		r = j->fn(j->ctx, j->out, CHUNK - s.avail_out);
	}
	lzma_end(&s);
	return r ? r : step == LZMA_STREAM_END ? 0 : -EBADMSG;
}

static int unzstd(struct job *j)
{
	ZSTD_inBuffer in = { j->data, j->len, 0 };
	ZSTD_DStream *s = ZSTD_createDStream();
	size_t left = 1;
	int r = s ? 0 : -ENOMEM;

	if (s)
		ZSTD_DCtx_setParameter(s, ZSTD_d_windowLogMax, 28);
	while (r == 0 && left != 0) {
		ZSTD_outBuffer out = { j->out, CHUNK, 0 };
		size_t before = in.pos;

		left = ZSTD_decompressStream(s, &out, &in);
		if (ZSTD_isError(left) || (!out.pos && in.pos == before))
			r = -EBADMSG;
		else
			r = j->fn(j->ctx, j->out, out.pos);
	}
	ZSTD_freeDStream(s);
	return r;
}

static const struct {
	const char *name, *magic;
	size_t len;
	int (*run)(struct job *j); /* NULL: known by name */
} kinds[] = {
	{ "gzip", "\x1f\x8b", 2, gunzip },
	{ "xz",
	  "\xfd"
	  "7zXZ\0",
	  6, unxz },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, unzstd },
	{ "lzma", "\x5d\0\0", 3, unxz },
	{ "bzip2", "BZh", 3, NULL },
	{ "lz4", "\x02\x21\x4c\x18", 4, NULL },
	{ "lzo", "\x89LZO", 4, NULL },
};

static size_t kind_of(const u8 *data, size_t len)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) &&
	       (len < kinds[i].len || memcmp(data, kinds[i].magic, kinds[i].len) != 0))
		i++;
	return i;
}

const char *unpack_kind(const u8 *data, size_t len)
{
	size_t i = kind_of(data, len);

	return i < ARRAY_SIZE(kinds) ? kinds[i].name : NULL;
}

int unpack(const u8 *data, size_t len, unpack_fn *fn, void *ctx, struct err *e)
{
	u8 out[CHUNK];
	struct job j = { data, len, fn, ctx, out };
	size_t i = kind_of(data, len);
	int r;

	if (i == ARRAY_SIZE(kinds))
		return err_set(e, -ENOTSUP, "compressed with something that is not known here");
	if (!kinds[i].run)
		return err_set(e, -ENOTSUP, "compressed with %s, which is not read here",
			       kinds[i].name);
	r = kinds[i].run(&j);
	if (r == -EBADMSG)
		err_set(e, r, "damaged or cut short (%s)", kinds[i].name);
	else if (r == -ENOMEM)
		err_set(e, r, "no memory to unpack it (%s)", kinds[i].name);
	return MIN(r, 0);
}
