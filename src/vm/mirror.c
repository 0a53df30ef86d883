// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's half: which chunks of which files changed. */
#include "vm/mirror.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#define CHUNK FRAME_DATA_MAX

struct sender {
	int (*send)(void *ctx, const struct frame *f);
	void *ctx;
	u8 buf[CHUNK];
};

static u64 zeros_sum(void)
{
	static const u8 zeros[CHUNK];
	static u64 sum;

	if (!sum)
		sum = XXH3_64bits(zeros, CHUNK);
	return sum;
}

/* Images are the size of a disk; temporary files get their name when they are whole. */
static bool wanted(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len < MIRROR_NAME && !strstr(name, ".tmp") &&
	       !(len > 4 && !strcmp(name + len - 4, ".img"));
}

static struct mirror_file *file_of(struct mirror *m, const char *name)
{
	struct mirror_file *unused = NULL;

	for (size_t i = 0; i < MIRROR_FILES; i++) {
		if (!strcmp(m->files[i].name, name))
			return &m->files[i];
		if (!m->files[i].name[0] && !unused)
			unused = &m->files[i];
	}
	if (unused)
		strcpy(unused->name, name);
	return unused;
}

static u32 id_of(const struct mirror *m, const struct mirror_file *f)
{
	return m->base + (u32)(f - m->files);
}

static void forget(struct mirror_file *f)
{
	free(f->sums);
	*f = (struct mirror_file){ 0 };
}

/* A file begins as zeros, which the host makes by its length: they are never sent. */
static int resize(struct mirror *m, struct mirror_file *f, const struct stat *st,
		  const struct sender *s)
{
	u64 chunks = ((u64)st->st_size + CHUNK - 1) / CHUNK, known;
	int r = 0;
	u64 *sums;

	if (f->ino == st->st_ino && f->size == (u64)st->st_size)
		return 0;
	/* Another file took the name: the host has the bytes of the old one. */
	if (f->ino && f->ino != st->st_ino) {
		r = s->send(s->ctx, &(struct frame){ .type = FRAME_GONE, .id = id_of(m, f) });
		f->chunks = 0;
	}
	sums = r == 0 ? reallocarray(f->sums, chunks + 1, sizeof(*sums)) : NULL;
	if (!sums)
		return r < 0 ? r : -ENOMEM;
	f->sums = sums;
	known = MIN(f->chunks, chunks);
	for (u64 i = known; i < chunks; i++)
		sums[i] = zeros_sum();
	/* The end may have moved within it. */
	if (known)
		sums[known - 1] = 0;
	f->chunks = chunks;
	f->size = (u64)st->st_size;
	f->ino = st->st_ino;
	return s->send(s->ctx, &(struct frame){ FRAME_FILE, id_of(m, f), f->size, f->name,
						(u32)strlen(f->name) });
}

static int send_chunks(struct mirror *m, struct mirror_file *f, int fd, struct sender *s)
{
	for (u64 i = 0; i < f->chunks; i++) {
		ssize_t n = pread(fd, s->buf, CHUNK, (off_t)(i * CHUNK));
		u64 sum;
		int r;

		if (n < 0)
			return -errno;
		/* It shrank meanwhile: the next scan sees its length. */
		if (n == 0)
			return 0;
		sum = XXH3_64bits(s->buf, (size_t)n);
		if (sum == f->sums[i])
			continue;
		r = s->send(s->ctx,
			    &(struct frame){ FRAME_DATA, id_of(m, f), i * CHUNK, s->buf, (u32)n });
		if (r < 0)
			return r;
		f->sums[i] = sum;
	}
	return 0;
}

static int scan_file(struct mirror *m, int dirfd, const char *name, struct sender *s)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct mirror_file *f;
	struct stat st;
	int r;

	/* Renamed or removed since the directory was read. */
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	f = file_of(m, name);
	if (!f)
		return -ENOSPC;
	f->seen = m->scans;
	r = resize(m, f, &st, s);
	return r < 0 ? r : send_chunks(m, f, fd, s);
}

static int scan_gone(struct mirror *m, const struct sender *s)
{
	for (size_t i = 0; i < MIRROR_FILES; i++) {
		struct mirror_file *f = &m->files[i];
		int r;

		if (!f->name[0] || f->seen == m->scans)
			continue;
		r = s->send(s->ctx, &(struct frame){ .type = FRAME_GONE, .id = id_of(m, f) });
		if (r < 0)
			return r;
		forget(f);
	}
	return 0;
}

int mirror_scan(struct mirror *m, int dirfd, int (*send)(void *ctx, const struct frame *f),
		void *ctx)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct sender s = { .send = send, .ctx = ctx };

	if (!d)
		return -errno;
	m->scans++;
	for (struct dirent *de; (de = readdir(d));) {
		int r = wanted(de->d_name) ? scan_file(m, dirfd, de->d_name, &s) : 0;

		if (r < 0)
			return r;
	}
	return scan_gone(m, &s);
}

void mirror_free(struct mirror *m)
{
	for (size_t i = 0; i < MIRROR_FILES; i++)
		forget(&m->files[i]);
}
