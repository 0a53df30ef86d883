/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: what is known of all runs, in one SQLite file. It is an index of run directories and
 * never their only copy: what is damaged or lost is made again by importing them. Prints nothing,
 * reads results and writes none. A struct store is one connection, for one thread at a time;
 * several processes may have the same file open.
 *
 *   store.c       open, close, errors          migrations.c   the schema, version by version
 *   queries.def   every statement, once        import*.c      run directories to rows
 *   history.c     what a person asks           night*.c       what a comparison needs
 *   compare.c     two nights: pure arithmetic  fingerprint.c  which findings are the same one
 *   prune*.c      run directories that go      content.c      what names a run
 */
#ifndef STRESSD_STORE_H
#define STRESSD_STORE_H

#include "base/base.h"

struct store;

enum store_mode {
	STORE_READ,  /* it must be there */
	STORE_WRITE, /* made, or brought up to this version's schema, if need be */
};

/* Open the file @path; ":memory:" is one of its own that goes with store_close(). 0 with *ret, the
 * caller's until store_close(); or -errno with one line in @e that says what to do: -ENOENT: there
 * is none; -EBADMSG: damaged, or no store; -EPROTO: of a newer stressd; -EROFS: cannot be written;
 * -ENOSPC; -EAGAIN: somebody else has it locked; -EIO. The calls below return the same. */
int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *e);
void store_close(struct store *s);
/* Is the whole file in order? 0, or -EBADMSG with the first complaint. Reads all of it. */
int store_check(struct store *s, struct err *e);

enum store_imported {
	STORE_ADDED,
	STORE_KNOWN,  /* it was there already */
	STORE_BROKEN, /* it has no result, or none that can be read: the text says why */
	STORE_IMPORTED_ENDS
};

/* One run directory was looked at; @text is for a person, "" if there is nothing to say. */
typedef void store_imported_fn(void *ctx, const char *dir, enum store_imported how,
			       const char *text);

/* Store every run below the directory @dir: a run directory, those of a `stressd vm` with several
 * scenarios, a night's, or any directory that holds some. Links are not followed. Runs that are
 * there already stay as they are; those of no night yet become ones of @night ("" for none), which
 * a night's directory may name itself. Each run is stored as a whole or not at all, so an error
 * leaves those before it. @fn may be NULL. */
int store_import(struct store *s, const char *dir, const char *night, store_imported_fn *fn,
		 void *ctx, struct err *e);

/* Rows of answers. Strings are valid until the callback returns; "" where a thing is not known.
 * Times are seconds since the epoch. A callback that returns nonzero ends the query, and the call
 * returns that. */
struct store_run {
	const char *scenario, *target, *label, *release, *night, *verdict, *reason, *dir;
	s64 seed, started_s;
	s64 removed_s; /* when its directory went, by `stressd store prune`; 0: it did not */
	double duration_s;
};

/* How often something was found in complete runs ("pass" or "fail"). */
struct store_rate {
	const char *scenario, *target, *label;
	u64 hits, tries;
	s64 first_s, last_s; /* of the runs */
};

struct store_fingerprint {
	const char *hash, *kind, *title, *fs;
	u64 runs, findings;
	s64 first_s, last_s; /* seen */
	const char *first_release, *last_release, *first_dir, *last_dir;
};

struct store_night {
	const char *name;
	u64 runs, failed;
	s64 first_s, last_s;
};

typedef int store_run_fn(void *ctx, const struct store_run *r);
typedef int store_rate_fn(void *ctx, const struct store_rate *r);
typedef int store_fingerprint_fn(void *ctx, const struct store_fingerprint *f);
typedef int store_night_fn(void *ctx, const struct store_night *n);

/* Runs of a scenario, or those with a finding of a fingerprint, newest first, at most @limit. */
int store_runs_of_scenario(struct store *s, const char *scenario, u64 limit, store_run_fn *fn,
			   void *ctx, struct err *e);
int store_runs_of_fingerprint(struct store *s, const char *hash, u64 limit, store_run_fn *fn,
			      void *ctx, struct err *e);
/* How often anything was found by a scenario ("" for all), or this one thing by the scenarios that
 * ever found it: the flake rate, by scenario, target and kernel. */
int store_rates_of_scenario(struct store *s, const char *scenario, store_rate_fn *fn, void *ctx,
			    struct err *e);
int store_rates_of_fingerprint(struct store *s, const char *hash, store_rate_fn *fn, void *ctx,
			       struct err *e);
/* Fingerprints, those seen last first: all (@scenario "", @hash ""), of a scenario, or the one. */
int store_fingerprints(struct store *s, const char *scenario, const char *hash,
		       store_fingerprint_fn *fn, void *ctx, struct err *e);
/* Nights, the newest first. */
int store_nights(struct store *s, store_night_fn *fn, void *ctx, struct err *e);

#endif
