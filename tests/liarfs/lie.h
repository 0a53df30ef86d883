/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lies: what may be told (lie_kinds.c), when it is told (lie.c) and how it is asked for
 * (lie_command.c). A lie applies to the bytes in which a request and its range meet, and no
 * others. A lie that would be the truth, since the bytes come out the same, is not told and
 * not used up: "told" counts only what a checker can find. No FUSE in here.
 */
#ifndef LIARFS_LIE_H
#define LIARFS_LIE_H

#include "base/base.h"

#include <pthread.h>
#include <sys/types.h>

struct liarfs;
struct node;
struct lie;
struct stat;

#define LIES_MAX      16
#define LIES_HELD_MAX 8 /* fewer than the threads that serve, so that release always gets in */
#define LIE_PATH_MAX  256

/* The moments at which a lie can be told. */
enum lie_moment {
	AT_READ = 1 << 0,  /* the reply differs from what is stored */
	AT_WRITE = 1 << 1, /* what is stored differs from what was sent */
	AT_NOW = 1 << 2,   /* what is stored is changed when the command comes */
	AT_FSYNC = 1 << 3,
	AT_GETATTR = 1 << 4,
	AT_TRUNCATE = 1 << 5, /* a change of size, a punched or zeroed range */
	AT_ALLOCATE =
		1 << 6,	    /* what is stored is changed when a range that meets it is allocated */
	AT_BESIDE = 1 << 7, /* ... when a range of the same file is that does not */
};
#define AT_ANY (AT_READ | AT_WRITE | AT_FSYNC | AT_TRUNCATE)

/* What a lie does to the request, other than to its bytes. */
enum lie_act {
	ACT_EDIT,	/* the bytes are edited; the request does well */
	ACT_SWALLOW,	/* the same, and told only when an fsync returned 0 over it */
	ACT_FAIL,	/* the request fails, and nothing is done */
	ACT_PHANTOM,	/* the request fails, and the bytes are stored */
	ACT_SHORTEN,	/* the reply ends where the lie begins */
	ACT_LOSE_DIRTY, /* fsync fails, and what it was to sync is gone */
	ACT_RESIZE,	/* the size is off by delta */
	ACT_IGNORE,	/* the truncate is not done */
	ACT_KEEP_DATA,	/* the truncate is done, and the data stays */
	ACT_HOLD,	/* the request waits */
};

/* Bits for what the command must give beside file, offset and length. */
enum lie_key {
	KEY_AT = 1 << 0,
	KEY_ERRNO = 1 << 1,
	KEY_BIT = 1 << 2,
	KEY_CELL = 1 << 3,
	KEY_DELTA = 1 << 4,
	KEY_MS = 1 << 5,
	KEY_OTHER = 1 << 6,
	KEY_WITH = 1 << 7,
	KEY_BYTE = 1 << 8,
	KEY_RANDOM = 1 << 9,
};

/* What has to be remembered of writes while the lie is armed. */
enum lie_keep {
	KEEP_PREVIOUS = 1 << 0, /* the version before the last write */
	KEEP_SYNCED = 1 << 1,	/* the version of the last good fsync */
};

struct lie_kind {
	const char *name;
	unsigned int moments; /* at which it may be told */
	unsigned int default_moment;
	enum lie_act act;
	unsigned int keys, required; /* enum lie_key */
	bool exchanges;		     /* of what is stored: the bytes that were there go to "with" */
	unsigned int keeps;	     /* enum lie_keep */
	/* Make the lie of @buf, [@offset, @offset + @len) of @n as it truly is or is to be. */
	int (*edit)(const struct lie *l, struct liarfs *fs, const struct node *n, char *buf,
		    size_t len, u64 offset);
	const char *help;
};

struct lie {
	const struct lie_kind *kind; /* NULL: free slot */
	char path[LIE_PATH_MAX];
	u64 offset, end;   /* bytes of the file; end is not included */
	u64 left;	   /* times that it may still be told */
	u64 unsynced;	   /* ACT_SWALLOW: dropped, no fsync has passed over it yet */
	unsigned int at;   /* enum lie_moment */
	unsigned int keys; /* which of these were given */
	int error;	   /* positive errno */
	u64 bit, cell_bytes, hold_ms, with, byte, random;
	s64 delta;
	char other[LIE_PATH_MAX];
};

struct lies {
	struct lie slots[LIES_MAX];
	u64 told, last_offset, last_len;
	unsigned int held;
	u64 releases; /* a held request goes on when this moves */
	pthread_cond_t released;
	char error[256]; /* why the last command was refused, "" if it was not */
};

extern const struct lie_kind lie_kinds[]; /* ends with a NULL name */

void lies_init(struct lies *ls);
void lies_release(struct lies *ls);

/* Stored bytes that a command or a write changed behind the kernel's back. */
struct lie_change {
	struct node *node; /* NULL: none */
	u64 offset, len;
};

/*
 * The operations as they are told. Each takes the lock as held and may let go of it while a
 * request is held back. 0, a count or -errno, which is the reply.
 */
ssize_t lies_read(struct liarfs *fs, struct node *n, char *buf, size_t len, u64 offset);
ssize_t lies_write(struct liarfs *fs, struct node *n, const char *buf, size_t len, u64 offset,
		   struct lie_change *ret_change);
int lies_truncate(struct liarfs *fs, struct node *n, u64 size);
int lies_punch(struct liarfs *fs, struct node *n, u64 offset, u64 end);
/* [@offset, @end) is allocated: its bytes stay as they are, but for a lie. */
void lies_allocate(struct liarfs *fs, struct node *n, u64 offset, u64 end,
		   struct lie_change *ret_change);
int lies_fsync(struct liarfs *fs, struct node *n);
void lies_getattr(struct liarfs *fs, const struct node *n, struct stat *st);

/* Tell an AT_NOW lie. -ENODATA when it would be the truth. */
int lies_tell_now(struct liarfs *fs, struct lie *l, struct lie_change *ret_change);
/* One command line; -EINVAL and others leave a text in lies.error. */
int lies_command(struct liarfs *fs, const char *line, size_t len, struct lie_change *ret_change);
/* What reading the control file gives, in @buf; returns its length. */
size_t lies_status(const struct lies *ls, char *buf, size_t size);

#endif
