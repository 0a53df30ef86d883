// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The FUSE requests: decode, take the lock, let nodes and lies do it, reply. Nothing is decided
 * in here. Attributes are never cached by the kernel, so that every stat is a request.
 */
#define FUSE_USE_VERSION 312
#include "liarfs.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/statvfs.h>

#define ENTRY_TIMEOUT_S 3600.0 /* names change through this mount only */
#define COPY_MAX	(1 * MIB)

/* The control file has no node: it is this address. */
static char control;
#define CONTROL_INO ((fuse_ino_t)(uintptr_t)&control)

static struct liarfs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct node *node_of(struct liarfs *fs, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? fs->tree.root : (struct node *)(uintptr_t)ino;
}

static void control_stat(struct stat *st)
{
	*st = (struct stat){ .st_ino = 2, .st_mode = S_IFREG | 0600, .st_nlink = 1 };
}

static bool is_control(const struct liarfs *fs, const struct node *parent, const char *name)
{
	return parent == fs->tree.root && strcmp(name, CONTROL_NAME) == 0;
}

/* Counts a reference for the kernel. */
static void fill_entry(struct node *n, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){ .ino = (fuse_ino_t)(uintptr_t)n,
					  .entry_timeout = ENTRY_TIMEOUT_S };
	n->lookups++;
	node_stat(n, &ret->attr);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct liarfs *fs = userdata;

	/* The kernel alone changes these files: its page cache must not be dropped because a
	 * time stamp moved. Truncation comes as setattr only, so that a lie sees them all. */
	conn->want &= ~(unsigned int)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC);
	conn->want |= conn->capable & FUSE_CAP_EXPLICIT_INVAL_DATA;
	if (fs->writeback)
		conn->want |= conn->capable & FUSE_CAP_WRITEBACK_CACHE;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct liarfs *fs = fs_of(req);
	struct fuse_entry_param e = { .entry_timeout = ENTRY_TIMEOUT_S };
	struct node *n;
	LOCKED(fs);

	if (is_control(fs, node_of(fs, parent), name)) {
		e.ino = CONTROL_INO;
		control_stat(&e.attr);
		fuse_reply_entry(req, &e);
		return;
	}
	n = node_child(node_of(fs, parent), name);
	if (n)
		fill_entry(n, &e);
	if (n)
		fuse_reply_entry(req, &e);
	else
		fuse_reply_err(req, ENOENT);
}

static void forget(struct liarfs *fs, fuse_ino_t ino, u64 lookups)
{
	LOCKED(fs);

	if (ino != CONTROL_INO)
		node_forget(&fs->tree, node_of(fs, ino), lookups);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	forget(fs_of(req), ino, lookups);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *f)
{
	for (size_t i = 0; i < count; i++)
		forget(fs_of(req), f[i].ino, f[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	struct stat st;
	LOCKED(fs);

	(void)fi;
	if (ino == CONTROL_INO)
		control_stat(&st);
	else
		lies_getattr(fs, node_of(fs, ino), &st);
	fuse_reply_attr(req, &st, 0);
}

static void set_times(struct node *n, const struct stat *attr, int to_set)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
		n->attr.st_atim = to_set & FUSE_SET_ATTR_ATIME_NOW ? now : attr->st_atim;
	if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		n->attr.st_mtim = to_set & FUSE_SET_ATTR_MTIME_NOW ? now : attr->st_mtim;
	n->attr.st_ctim = to_set & FUSE_SET_ATTR_CTIME ? attr->st_ctim : now;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	struct node *n = node_of(fs, ino);
	struct stat st;
	int ret = 0;
	LOCKED(fs);

	(void)fi;
	if (ino == CONTROL_INO) {
		control_stat(&st); /* a shell's "> .liar" truncates it first */
		fuse_reply_attr(req, &st, 0);
		return;
	}
	if (to_set & FUSE_SET_ATTR_SIZE)
		ret = n->fd >= 0 ? lies_truncate(fs, n, (u64)attr->st_size) : -EISDIR;
	if (ret < 0) {
		fuse_reply_err(req, -ret);
		return;
	}
	if (to_set & FUSE_SET_ATTR_MODE)
		n->attr.st_mode = (n->attr.st_mode & S_IFMT) | (attr->st_mode & 07777);
	if (to_set & FUSE_SET_ATTR_UID)
		n->attr.st_uid = attr->st_uid;
	if (to_set & FUSE_SET_ATTR_GID)
		n->attr.st_gid = attr->st_gid;
	set_times(n, attr, to_set);
	node_stat(n, &st);
	if (to_set & FUSE_SET_ATTR_SIZE)
		st.st_size = attr->st_size; /* acknowledged, done or not */
	fuse_reply_attr(req, &st, 0);
}

/* Make a node and fill its entry. 0 or -errno. */
static int make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		struct fuse_entry_param *ret)
{
	struct liarfs *fs = fs_of(req);
	struct node *dir = node_of(fs, parent), *n;
	int err;

	if (is_control(fs, dir, name))
		return -EPERM;
	if (node_child(dir, name))
		return -EEXIST;
	err = node_new(&fs->tree, dir, name, mode, &n);
	if (err < 0)
		return err;
	n->attr.st_uid = fuse_req_ctx(req)->uid;
	n->attr.st_gid = fuse_req_ctx(req)->gid;
	fill_entry(n, ret);
	return 0;
}

static void reply_entry(fuse_req_t req, int ret, const struct fuse_entry_param *e)
{
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_entry(req, e);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param e;
	LOCKED(fs_of(req));

	reply_entry(req, make(req, parent, name, S_IFDIR | (mode & 07777), &e), &e);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	struct fuse_entry_param e;
	LOCKED(fs_of(req));

	(void)dev;
	reply_entry(req, S_ISREG(mode) ? make(req, parent, name, mode, &e) : -EPERM, &e);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	struct fuse_entry_param e;
	int ret;
	LOCKED(fs_of(req));

	ret = make(req, parent, name, S_IFREG | (mode & 07777), &e);
	fi->keep_cache = 1;
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_create(req, &e, fi);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	/* Only the control must bypass the page cache; O_DIRECT of a file is the kernel's. */
	fi->direct_io = ino == CONTROL_INO;
	fi->keep_cache = ino != CONTROL_INO;
	fuse_reply_open(req, fi);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct liarfs *fs = fs_of(req);
	struct node *dir = node_of(fs, parent), *n;
	int ret = 0;
	LOCKED(fs);

	n = node_child(dir, name);
	if (!n)
		ret = is_control(fs, dir, name) ? EPERM : ENOENT;
	else if (!LIST_EMPTY(&n->children))
		ret = ENOTEMPTY;
	else
		node_unlink(&fs->tree, n);
	fuse_reply_err(req, ret);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		      const char *newname, unsigned int flags)
{
	struct liarfs *fs = fs_of(req);
	struct node *dir = node_of(fs, newparent), *n;
	int ret;
	LOCKED(fs);

	n = node_child(node_of(fs, parent), name);
	if (flags)
		ret = -EINVAL; /* rename(2): not every filesystem has them */
	else if (is_control(fs, node_of(fs, parent), name) || is_control(fs, dir, newname))
		ret = -EPERM;
	else
		ret = n ? node_rename(&fs->tree, n, dir, newname) : -ENOENT;
	fuse_reply_err(req, -ret);
}

static void read_control(fuse_req_t req, size_t size, off_t off)
{
	char buf[512];
	size_t len = lies_status(&fs_of(req)->lies, buf, sizeof(buf));
	size_t from = MIN(len, (size_t)off);

	fuse_reply_buf(req, buf + from, MIN(len - from, size));
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	_cleanup_free_ char *buf = malloc(size + 1);
	ssize_t ret;
	LOCKED(fs);

	(void)fi;
	if (ino == CONTROL_INO) {
		read_control(req, size, off);
		return;
	}
	ret = buf ? lies_read(fs, node_of(fs, ino), buf, size, (u64)off) : -ENOMEM;
	if (ret < 0)
		fuse_reply_err(req, (int)-ret);
	else
		fuse_reply_buf(req, buf, (size_t)ret);
}

/* The kernel's pages over @change are of the time before it. Called without the lock: dirty
 * ones come back as writes first. @ino stays valid, as the request that changed it holds it or,
 * for a command, since the kernel answers ENOENT for what it does not know. */
static void drop_pages(struct liarfs *fs, fuse_ino_t ino, const struct lie_change *change)
{
	if (fs->invalidate && ino)
		fuse_lowlevel_notify_inval_inode(fs->se, ino, (off_t)change->offset,
						 (off_t)change->len);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	struct lie_change change = { 0 };
	ssize_t ret;

	(void)fi;
	{
		LOCKED(fs);
		if (ino != CONTROL_INO)
			ret = lies_write(fs, node_of(fs, ino), buf, size, (u64)off, &change);
		else if ((ret = lies_command(fs, buf, size, &change)) == 0)
			ret = (ssize_t)size;
	}
	/* A command is answered when its lie shows; a write first, since its pages are locked. */
	if (ino == CONTROL_INO)
		drop_pages(fs, (fuse_ino_t)(uintptr_t)change.node, &change);
	if (ret < 0)
		fuse_reply_err(req, (int)-ret);
	else
		fuse_reply_write(req, (size_t)ret);
	if (ino != CONTROL_INO)
		drop_pages(fs, (fuse_ino_t)(uintptr_t)change.node, &change);
}

/* close(2): answered, so that the kernel goes on sending dirty pages first. */
static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino, (void)fi;
	fuse_reply_err(req, 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	LOCKED(fs);

	(void)datasync, (void)fi;
	fuse_reply_err(req, ino == CONTROL_INO ? 0 : -lies_fsync(fs, node_of(fs, ino)));
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino, (void)datasync, (void)fi;
	fuse_reply_err(req, 0);
}

static int allocate(struct liarfs *fs, struct node *n, int mode, u64 from, u64 to,
		    struct lie_change *ret_change)
{
	int ret = 0;
	LOCKED(fs);

	/* Preallocation promises space, which is not modelled: it costs no memory here. */
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		ret = lies_punch(fs, n, from, to);
	else
		lies_allocate(fs, n, from, to, ret_change);
	if (ret == 0 && !(mode & FALLOC_FL_KEEP_SIZE) && to > n->size)
		ret = node_resize(n, to);
	return ret;
}

/* The kernel passes no other mode on: FALLOC_FL_UNSHARE_RANGE of FUSE is EOPNOTSUPP. */
static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
			 struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	struct lie_change change = { 0 };
	int ret = -EOPNOTSUPP;

	(void)fi;
	if (ino != CONTROL_INO &&
	    !(mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		ret = allocate(fs, node_of(fs, ino), mode, (u64)off, (u64)off + (u64)len, &change);
	drop_pages(fs, (fuse_ino_t)(uintptr_t)change.node, &change);
	fuse_reply_err(req, -ret);
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		     struct fuse_file_info *fi)
{
	s64 ret;
	LOCKED(fs_of(req));

	(void)fi;
	ret = ino == CONTROL_INO ? -EINVAL : node_seek(node_of(fs_of(req), ino), (u64)off, whence);
	if (ret < 0)
		fuse_reply_err(req, (int)-ret);
	else
		fuse_reply_lseek(req, ret);
}

static void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			       struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
			       struct fuse_file_info *fi_out, size_t len, int flags)
{
	struct liarfs *fs = fs_of(req);
	size_t size =
		(size_t)MIN((u64)len, COPY_MAX); /* fewer than asked is legal: the caller loops */
	_cleanup_free_ char *buf = malloc(size + 1);
	struct lie_change change = { 0 };
	ssize_t ret = -EINVAL;
	LOCKED(fs);

	(void)fi_in, (void)fi_out, (void)flags;
	if (ino_in != CONTROL_INO && ino_out != CONTROL_INO)
		ret = buf ? node_read(node_of(fs, ino_in), buf, size, (u64)off_in) : -ENOMEM;
	if (ret > 0)
		ret = lies_write(fs, node_of(fs, ino_out), buf, (size_t)ret, (u64)off_out, &change);
	if (ret < 0)
		fuse_reply_err(req, (int)-ret);
	else
		fuse_reply_write(req, (size_t)ret);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct liarfs *fs = fs_of(req);
	_cleanup_free_ char *buf = malloc(size + 1);
	struct node *n;
	size_t used = 0;
	LOCKED(fs);

	(void)fi;
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	/* Inode numbers are the positions: they fall along the list, and an entry that goes
	 * meanwhile moves no other. */
	LIST_FOREACH(n, &node_of(fs, ino)->children, sibling)
	{
		size_t need;

		if (off && n->attr.st_ino >= (ino_t)off)
			continue;
		need = fuse_add_direntry(req, buf + used, size - used, n->name, &n->attr,
					 (off_t)n->attr.st_ino);
		if (need > size - used)
			break;
		used += need;
	}
	fuse_reply_buf(req, buf, used);
}

/* A sparse filesystem of a terabyte that never fills: ENOSPC is for lies. */
static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct liarfs *fs = fs_of(req);
	u64 total = 1024 * GIB / 4096, used = 0;
	struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };
	struct node *n;
	LOCKED(fs);

	(void)ino;
	LIST_FOREACH(n, &fs->tree.every, every)
	{
		struct stat stored;

		node_stat(n, &stored);
		used += (u64)stored.st_blocks / 8;
	}
	st.f_blocks = total;
	st.f_bfree = st.f_bavail = total - MIN(used, total);
	st.f_files = st.f_ffree = st.f_favail = 1 << 20;
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops liarfs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_unlink,
	.rename = op_rename,
	.create = op_create,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.fsync = op_fsync,
	.fsyncdir = op_fsyncdir,
	.readdir = op_readdir,
	.statfs = op_statfs,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
	.copy_file_range = op_copy_file_range,
};
