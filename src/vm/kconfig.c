// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a configuration is found in each kind of file, and its lines. An image has it as gzip
 * between two marks. (kernel/configs.c, scripts/extract-ikconfig) */
#include "vm/kconfig.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "vm/kernel.h"
#include "vm/unpack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CONFIG_MAX (16 * MIB)
#define PREFIX	   "CONFIG_"
#define BEGIN_MARK "IKCFG_ST"
#define END_MARK   "IKCFG_ED"
#define MARK	   (sizeof(BEGIN_MARK) - 1)

/* Bytes that grow: a text, or the part of an image that may hold a mark. */
struct bytes {
	u8 *data;
	size_t len, room;
};

static int append(struct bytes *b, const u8 *data, size_t len)
{
	if (b->len + len > CONFIG_MAX)
		return -EFBIG;
	if (b->len + len + 1 > b->room) {
		size_t room = 2 * (b->len + len + 1);
		u8 *grown = realloc(b->data, room);

		if (!grown)
			return -ENOMEM;
		b->data = grown;
		b->room = room;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

static int keep(void *ctx, const u8 *data, size_t len)
{
	return append(ctx, data, len);
}

/* An image goes by: kept is what may be the beginning of the mark, then all from it to the other.
 */
struct search {
	struct bytes found;
	bool begun, ended;
};

static int look(void *ctx, const u8 *data, size_t len)
{
	struct search *s = ctx;
	struct bytes *b = &s->found;
	size_t from = b->len > MARK ? b->len - MARK : 0;
	int r = append(b, data, len);
	const u8 *at;

	if (r < 0)
		return r;
	if (!s->begun) {
		at = memmem(b->data, b->len, BEGIN_MARK, MARK);
		from = at ? (size_t)(at - b->data) + MARK : b->len - MIN(b->len, MARK - 1);
		memmove(b->data, b->data + from, b->len - from);
		b->len -= from;
		from = 0;
		s->begun = at;
	}
	at = s->begun ? memmem(b->data + from, b->len - from, END_MARK, MARK) : NULL;
	if (!at)
		return 0;
	b->len = (size_t)(at - b->data);
	s->ended = true;
	return 1;
}

static int no_ikconfig(const char *release, struct err *e)
{
	return err_set(e, -ENODATA,
		       "this kernel does not carry its configuration (CONFIG_IKCONFIG); give its "
		       ".config instead, or /boot/config-%s",
		       release[0] ? release : "RELEASE");
}

static int unpack_found(const struct search *s, const char *release, struct bytes *text,
			struct err *e)
{
	if (!s->begun)
		return no_ikconfig(release, e);
	if (!s->ended)
		return err_set(e, -EBADMSG, "the configuration in this kernel has no end");
	return unpack(s->found.data, s->found.len, keep, text, e);
}

static int from_payload(const u8 *data, size_t len, const char *release, struct bytes *text,
			struct err *e)
{
	struct search s = { .begun = false };
	int r = unpack(data, len, look, &s, e);

	if (r == 0)
		r = unpack_found(&s, release, text, e);
	else if (r == -ENOTSUP)
		snprintf(e->text + strlen(e->text), sizeof(e->text) - strlen(e->text), "%s",
			 "; give its .config instead, or the vmlinux that it was made from");
	free(s.found.data);
	return r;
}

static int from_bzimage(const char *path, const u8 *data, size_t len, struct bytes *text,
			struct err *e)
{
	struct kernel_image image;
	int r = kernel_look(path, &image, e);

	if (r < 0)
		return r;
	if (!image.payload_bytes)
		return no_ikconfig(image.release, e);
	if (image.payload_at > len || image.payload_bytes > len - image.payload_at)
		return err_set(e, -EBADMSG, "cut short, or not a kernel for this machine");
	return from_payload(data + image.payload_at, image.payload_bytes, image.release, text, e);
}

static int from_vmlinux(const u8 *data, size_t len, struct bytes *text, struct err *e)
{
	const u8 *from = memmem(data, len, BEGIN_MARK, MARK), *to;

	if (!from)
		return no_ikconfig("", e);
	from += MARK;
	to = memmem(from, len - (size_t)(from - data), END_MARK, MARK);
	if (!to)
		return err_set(e, -EBADMSG, "the configuration in this kernel has no end");
	return unpack(from, (size_t)(to - from), keep, text, e);
}

/* The kinds of files, told by their first bytes. */
static int get_text(const char *path, const u8 *data, size_t len, struct bytes *text, struct err *e)
{
	if (len > 0x206 && !memcmp(data + 0x202, "HdrS", 4))
		return from_bzimage(path, data, len, text, e);
	if (len > 4 && !memcmp(data, "\177ELF", 4))
		return from_vmlinux(data, len, text, e);
	if (unpack_kind(data, len))
		return unpack(data, len, keep, text, e);
	return append(text, data, MIN(len, (size_t)CONFIG_MAX));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kconfig_option *)a)->name,
		      ((const struct kconfig_option *)b)->name);
}

/* CONFIG_NAME=value, "# CONFIG_NAME is not set", comments. A value may be "quoted". */
static void parse(struct kconfig *c)
{
	char *save = NULL;

	for (char *line = strtok_r(c->text, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		char *value = strchr(line, '=');

		if (strncmp(line, PREFIX, strlen(PREFIX)) != 0 || !value)
			continue;
		*value++ = '\0';
		if (*value == '"') {
			char *end = strrchr(++value, '"');

			if (end)
				*end = '\0';
		}
		if (strcmp(value, "n") != 0)
			c->options[c->n++] =
				(struct kconfig_option){ line + strlen(PREFIX), value };
	}
	qsort(c->options, c->n, sizeof(*c->options), by_name);
}

static int take_text(struct kconfig *ret, struct bytes *text, struct err *e)
{
	size_t lines = 1;

	if (!text->data || strlen((char *)text->data) != text->len ||
	    !strstr((char *)text->data, PREFIX))
		return err_set(e, -ENOEXEC,
			       "neither a configuration nor a kernel; expected a .config, "
			       "/boot/config-RELEASE, config.gz, a vmlinux or a bzImage");
	for (size_t i = 0; i < text->len; i++)
		lines += text->data[i] == '\n' || text->data[i] == '\r';
	ret->options = calloc(lines, sizeof(*ret->options));
	if (!ret->options)
		return -ENOMEM;
	ret->text = (char *)take_ptr(text->data);
	parse(ret);
	return 0;
}

static int read_open(const char *path, int fd, struct kconfig *ret, struct err *e)
{
	struct bytes text = { .data = NULL };
	_cleanup_free_ char *small = NULL;
	void *map = MAP_FAILED;
	size_t len = 0;
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return err_set(e, -ENOEXEC, "not a file");
	/* A kernel with its symbols is large; /proc/config.gz cannot be mapped. */
	if (st.st_size)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		r = read_fd(fd, CONFIG_MAX, &small, &len);
	else
		len = (size_t)st.st_size;
	if (r == 0)
		r = get_text(path, map == MAP_FAILED ? (u8 *)small : map, len, &text, e);
	if (map != MAP_FAILED)
		munmap(map, len);
	if (r == 0)
		r = take_text(ret, &text, e);
	free(text.data);
	return r;
}

int kconfig_read(const char *path, struct kconfig *ret, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct err why = { "" };
	int r;

	*ret = (struct kconfig){ .options = NULL };
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	r = read_open(path, fd, ret, &why);
	/* kernel_look() names the file itself. */
	if (r < 0 && !strncmp(why.text, path, strlen(path)))
		*e = why;
	else if (r < 0)
		err_set(e, r, "%.300s: %.700s", path, why.text[0] ? why.text : strerror(-r));
	return r;
}

const char *kconfig_get(const struct kconfig *c, const char *name)
{
	struct kconfig_option key = { .name = name }, *found;

	if (!strncmp(name, PREFIX, strlen(PREFIX)))
		key.name += strlen(PREFIX);
	found = c->n ? bsearch(&key, c->options, c->n, sizeof(*c->options), by_name) : NULL;
	return found ? found->value : NULL;
}

void kconfig_free(struct kconfig *c)
{
	free(c->options);
	free(c->text);
	*c = (struct kconfig){ .options = NULL };
}
