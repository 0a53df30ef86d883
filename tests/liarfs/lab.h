/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of lies share: a server with one file whose bytes are known, and assertions on
 * what it holds and what was told. What is stored is seen through O_DIRECT, which goes past the
 * page cache. For cmocka tests only: everything fails the test, nothing returns an error.
 */
#ifndef LIARFS_LAB_H
#define LIARFS_LAB_H

#include "liar_client.h"

#define SIZE (64 * KIB)
#define PAGE 4096

/* A server with a file "data", and what it should hold. */
struct lab {
	struct liar l;
	int fd, direct;
	u64 told;
	u8 model[SIZE] __attribute__((aligned(PAGE)));
	u8 buf[SIZE] __attribute__((aligned(PAGE)));
};

/* Bytes that differ at every place and in every version, and are never zero. */
void fill(u8 *dst, u64 off, u64 len, u64 version);
int open_in(const struct lab *t, const char *name, int flags);
/* Write through @fd what the model then holds. */
void write_version(struct lab *t, int fd, u64 off, u64 len, u64 version);

/* For cmocka: version 1 is written; with --invalidate in the second. */
int lab_setup(void **state);
int lab_setup_invalidate(void **state);
int lab_teardown(void **state);

/* @n lies were told since the last call, the last one there. */
void assert_told(struct lab *t, u64 n, u64 off, u64 len);
void assert_armed(struct lab *t, u64 armed);
/* The whole file reads as @want, past the page cache or into a fresh one. */
void assert_reads(struct lab *t, const u8 *want);
void cached_reads(struct lab *t, const u8 *want);
/* The file is what the model says, and reading it told nothing. */
void assert_true_content(struct lab *t);

#define LAB(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

#endif
