// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The undo journal as a file: append, sync, replay. The order "record, sync, change, put back,
 * done, sync" makes every kill leave a journal that undoes right. What an entry means is in
 * kinds.c, how it is written in line.c.
 */
#include "undo/undo.h"
#include "undo/internal.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define FORMAT_VERSION 1
#define JOURNAL_MAX    (16 * MIB)
#define SUFFIX	       ".journal"
#define POLL_NS	       (5 * NSEC_PER_MSEC)

const struct undo_kind_row undo_kinds[UNDO_KINDS] = {
#define X(id, name_, fn_, when_, help) [UNDO_##id] = { .name = name_, .fn = fn_, .when = when_ },
#include "undo/undo.def"
#undef X
};

/* A POSIX lock is lost when its process closes any descriptor of the file: undo_recover() must
 * not even open what this process itself has open. */
static struct undo *open_journals;

static void list_add(struct undo *u)
{
	u->next = open_journals;
	open_journals = u;
}

static void list_del(struct undo *u)
{
	for (struct undo **p = &open_journals; *p; p = &(*p)->next)
		if (*p == u) {
			*p = u->next;
			return;
		}
}

static bool open_here(const char *path)
{
	for (struct undo *u = open_journals; u; u = u->next)
		if (u->owner == getpid() && !strcmp(u->path, path))
			return true;
	return false;
}

static void drop_entries(struct undo *u)
{
	for (size_t i = 0; i < u->n; i++)
		undo_line_free(&u->entries[i].line);
	free(u->entries);
	u->entries = NULL;
	u->n = 0;
	u->damaged = 0;
	u->end = 0;
}

/* Give up @u; the file stays as it is. */
static void undo_drop(struct undo *u)
{
	list_del(u);
	drop_entries(u);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}
DEFINE_CLEANUP(struct undo *, undo_drop);

static int lock(struct undo *u)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(u->fd, F_SETLK, &fl) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	u->owner = getpid();
	return 0;
}

static int boot_id(char *buf, size_t size)
{
	return attr_read("/proc/sys/kernel/random/boot_id", buf, size);
}

static int kind_by_name(const char *name)
{
	for (int i = 0; i < UNDO_KINDS; i++)
		if (!strcmp(undo_kinds[i].name, name))
			return i;
	return -1;
}

/* Takes the arguments of @l over. */
static int add_entry(struct undo *u, struct undo_line *l)
{
	struct undo_entry *e = realloc(u->entries, (u->n + 1) * sizeof(*e));

	if (!e)
		return -ENOMEM;
	u->entries = e;
	e[u->n++] = (struct undo_entry){ .line = *l, .kind = kind_by_name(l->kind) };
	*l = (struct undo_line){ 0 };
	return 0;
}

/* Numbers below @number whose lines were lost to damage: nothing can be undone for them. */
static int pad_entries(struct undo *u, unsigned int number, size_t lost)
{
	if (number < u->n || number - u->n > lost)
		return -EBADMSG;
	while (u->n < number) {
		struct undo_line none = { .number = (unsigned int)u->n };
		int r = add_entry(u, &none);

		if (r < 0)
			return r;
		u->entries[u->n - 1].done = true;
	}
	return 0;
}

/* -EBADMSG for a line that cannot follow the ones before it, @lost damaged ones among them. */
static int take_line(struct undo *u, struct undo_line *l, size_t lost)
{
	char boot[64];
	int r;

	switch (l->type) {
	case UNDO_LINE_HEADER:
		if (l->number != FORMAT_VERSION || !l->arg[1])
			return -EBADMSG;
		u->rebooted = boot_id(boot, sizeof(boot)) == 0 && strcmp(boot, l->arg[1]) != 0;
		return 0;
	case UNDO_LINE_ENTRY:
		r = pad_entries(u, l->number, lost);
		return r < 0 ? r : add_entry(u, l);
	case UNDO_LINE_DONE:
		if (l->number >= u->n)
			return -EBADMSG;
		u->entries[l->number].done = true;
		return 0;
	}
	return -EBADMSG;
}

/* Read the journal from its start. A bad tail is what a kill during the append leaves: it is
 * cut off, its change was never made. A bad line before good ones is damage, and is counted. */
static int load(struct undo *u)
{
	_cleanup_free_ char *text = NULL;
	size_t len, bad = 0;
	int r;

	drop_entries(u);
	if (lseek(u->fd, 0, SEEK_SET) < 0)
		return -errno;
	r = read_fd(u->fd, JOURNAL_MAX, &text, &len);
	if (r < 0)
		return r;
	for (char *p = text, *nl; (nl = memchr(p, '\n', len - (size_t)(p - text))); p = nl + 1) {
		struct undo_line l;

		r = undo_line_parse(p, (size_t)(nl - p), &l);
		if (r == 0)
			r = take_line(u, &l, bad);
		undo_line_free(&l);
		if (r < 0 && r != -EBADMSG)
			return r;
		if (r < 0) {
			bad++;
			continue;
		}
		u->damaged += bad;
		bad = 0;
		u->end = nl + 1 - text;
	}
	return ftruncate(u->fd, u->end) < 0 ? -errno : 0;
}

/* One write and one sync. What could not be written whole is cut off again. */
static int append(struct undo *u, char type, unsigned int number, const char *kind,
		  const char *const arg[UNDO_ARGS])
{
	_cleanup_free_ char *line = NULL;
	size_t len;
	int r;

	if (u->owner != getpid())
		return -EPERM;
	line = undo_line_format(type, number, kind, arg);
	if (!line)
		return -ENOMEM;
	len = strlen(line);
	r = pwrite_all(u->fd, line, len, (u64)u->end);
	if (r == 0 && fdatasync(u->fd) < 0)
		r = -errno;
	if (r < 0) {
		if (ftruncate(u->fd, u->end) < 0)
			return -errno;
		return r;
	}
	u->end += (off_t)len;
	change(type == UNDO_LINE_DONE ? "done in the journal:" : "in the journal:", kind);
	return 0;
}

static struct undo *undo_new(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct undo *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->fd = -1;
	path_set(u->path, sizeof(u->path), "%s", path);
	path_set(u->run, sizeof(u->run), "%s", slash ? slash + 1 : path);
	u->run[strcspn(u->run, ".")] = '\0';
	list_add(u);
	return u;
}

/* Open, lock, and see that it is still the file of that name: another process that recovers may
 * have removed it in between. -ESTALE then. */
static int open_locked(struct undo *u, int flags)
{
	struct stat st;
	int r;

	u->fd = open(u->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (u->fd < 0)
		return -errno;
	r = lock(u);
	if (r < 0)
		return r;
	return fstat(u->fd, &st) < 0 ? -errno : st.st_nlink ? 0 : -ESTALE;
}

/* Made under a name that nobody recovers, and renamed when it is locked and says what it is. */
static int create_locked(struct undo *u, const char *run, const char *path)
{
	char boot[64] = "";
	int r = open_locked(u, O_CREAT | O_TRUNC);

	if (r == 0)
		r = boot_id(boot, sizeof(boot));
	if (r == 0)
		r = append(u, UNDO_LINE_HEADER, FORMAT_VERSION, "journal",
			   (const char *[UNDO_ARGS]){ run, boot });
	if (r == 0 && renameat2(AT_FDCWD, u->path, AT_FDCWD, path, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r < 0) {
		unlink(u->path);
		return r;
	}
	strcpy(u->path, path);
	return fsync_parent(path);
}

int undo_create(const char *state_dir, const char *run, struct undo **ret, struct err *e)
{
	_cleanup_(undo_dropp) struct undo *u = NULL;
	char dir[PATH_MAX], path[PATH_MAX], fresh[PATH_MAX];
	int r;

	if (!*run || strpbrk(run, "/.") || strlen(run) > 200)
		return err_set(e, -EINVAL, "'%s' cannot name a run: no '/' and no '.'", run);
	r = path_set(path, sizeof(path), "%s/undo", state_dir);
	if (r == 0)
		r = mkdir_p(path, 0700);
	if (r == 0 && !realpath(path, dir))
		r = -errno;
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/%s" SUFFIX, dir, run);
	if (r == 0)
		r = path_set(fresh, sizeof(fresh), "%s/%s.new", dir, run);
	if (r < 0)
		return err_set(e, r, "%s/undo: %s; choose another state directory", state_dir,
			       strerror(-r));
	u = undo_new(fresh);
	r = u ? create_locked(u, run, path) : -ENOMEM;
	if (r < 0)
		return err_set(e, r, "%s: cannot make the undo journal: %s%s", path, strerror(-r),
			       r == -EEXIST ? "; run `stressd recover` first" : "");
	*ret = take_ptr(u);
	return 0;
}

int undo_open(const char *path, struct undo **ret, struct err *e)
{
	_cleanup_(undo_dropp) struct undo *u = NULL;
	int r;

	if (open_here(path))
		return err_set(e, -EAGAIN, "%s: its run is alive, in this process", path);
	u = undo_new(path);
	r = u ? open_locked(u, 0) : -ENOMEM;
	if (r == -EAGAIN)
		return err_set(e, r, "%s: its run is alive", path);
	if (r == 0)
		r = load(u);
	if (r < 0)
		return err_set(e, r, "%s: %s", path, strerror(-r));
	*ret = take_ptr(u);
	return 0;
}

int undo_take_over(struct undo *u, u64 limit_ns)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + limit_ns;
	int r;

	while ((r = lock(u)) == -EAGAIN && now_ns() < end_ns)
		nanosleep(&pause, NULL);
	return r < 0 ? r : load(u);
}

int undo_record(struct undo *u, enum undo_kind kind, const char *a, const char *b, const char *c)
{
	const char *const arg[UNDO_ARGS] = { a, b, c };
	struct undo_line l = { .type = UNDO_LINE_ENTRY, .number = (unsigned int)u->n };
	int r = 0;

	strcpy(l.kind, undo_kinds[kind].name);
	for (int i = 0; i < UNDO_ARGS && r == 0; i++)
		if (arg[i] && !(l.arg[i] = strdup(arg[i])))
			r = -ENOMEM;
	if (r == 0)
		r = append(u, UNDO_LINE_ENTRY, l.number, l.kind, arg);
	if (r == 0)
		r = add_entry(u, &l);
	undo_line_free(&l);
	return r < 0 ? r : (int)u->n - 1;
}

int undo_forget(struct undo *u, int n)
{
	struct undo_entry *en;
	int r;

	if (n < 0 || (size_t)n >= u->n)
		return -ENOENT;
	en = &u->entries[n];
	if (en->done)
		return 0;
	r = append(u, UNDO_LINE_DONE, (unsigned int)n, en->line.kind,
		   (const char *[UNDO_ARGS]){ NULL });
	en->done = r == 0;
	return r;
}

int undo_one(struct undo *u, size_t i, struct err *e)
{
	struct undo_entry *en = &u->entries[i];
	const char *arg[UNDO_ARGS];
	int r = 0;

	for (int k = 0; k < UNDO_ARGS; k++)
		arg[k] = en->line.arg[k] ? en->line.arg[k] : "";
	e->text[0] = '\0';
	if (en->kind < 0)
		return err_set(e, -EOPNOTSUPP,
			       "this stressd does not know '%s'; use the one that "
			       "ran it",
			       en->line.kind);
	if (u->rebooted && undo_kinds[en->kind].when != REVERSE)
		err_set(e, 0, "gone with the reboot");
	else
		r = undo_kinds[en->kind].fn(arg, e);
	change("put back:", en->line.kind);
	if (r == 0 && undo_forget(u, (int)i) < 0)
		r = err_set(e, -EIO, "%s: put back, but the journal cannot be written", u->path);
	return r;
}

int undo_put_back(struct undo *u, int n, struct err *e)
{
	if (n < 0 || (size_t)n >= u->n)
		return err_set(e, -ENOENT, "%s: no entry %d", u->path, n);
	return u->entries[n].done ? 0 : undo_one(u, (size_t)n, e);
}

size_t undo_pending(const struct undo *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += !u->entries[i].done;
	return n;
}

const char *undo_path(const struct undo *u)
{
	return u->path;
}

int undo_fd(const struct undo *u)
{
	return u->fd;
}

void undo_close(struct undo *u)
{
	if (!u)
		return;
	/* Unlinked before the lock goes, so that nobody recovers a finished run. */
	if (u->owner == getpid() && !undo_pending(u) && !u->damaged)
		unlink(u->path);
	undo_drop(u);
}
