/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What end-to-end tests share: running the built program the way a person does, with a state
 * directory of its own, and looking at what it printed, returned and wrote. Knows the program by
 * its documented outside only; nothing of stressd's insides may come in.
 */
#ifndef STRESSD_TEST_E2E_H
#define STRESSD_TEST_E2E_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define E2E_ARGS  16
#define E2E_SKIP  77
#define E2E_LIMIT 60.0 /* seconds; a run that takes longer is killed and fails the test */

/* The state directory of this test program: a fresh one on tmpfs, made by e2e_setup(). Every
 * process that was started carries it in its environment as STRESSD_STATE_DIR. */
extern char e2e_base[256];
/* For cmocka_run_group_tests(). */
int e2e_setup(void **state);
int e2e_teardown(void **state);
/* What is run: STRESSD_BIN, unless a test puts another build of it here. */
extern const char *e2e_program;
/* Can a scenario with an image target run here? Root and loop devices; else return E2E_SKIP. */
bool e2e_privileged(void);

/* One run of the program, finished or not. */
struct e2e {
	pid_t pid;
	int out_fd, err_fd; /* memory files */
	int exit;	    /* -1: a signal ended it */
	int signal;	    /* 0: it exited */
	bool timed_out;
	double seconds;	  /* from start to end */
	double started_s; /* CLOCK_MONOTONIC */
	char *out, *err;  /* NUL-terminated; until e2e_free() */
};

/* Start stressd with @argv (argv[0] is the subcommand; NULL-terminated) and further environment
 * @env ("NAME=value", NULL-terminated, or NULL). Fails the test when it cannot be started. */
void e2e_start(struct e2e *r, const char *const argv[], const char *const env[]);
/* Wait for its end at most @limit_s; kills it after that. Fills in exit, signal, out and err. */
void e2e_wait(struct e2e *r, double limit_s);
/* Both, with E2E_LIMIT. E2E(&r, "run", "--quiet", path) has no further environment. */
void e2e_run(struct e2e *r, const char *const argv[], const char *const env[]);
#define E2E(r, ...) e2e_run(r, (const char *const[]){ __VA_ARGS__, NULL }, NULL)
void e2e_free(struct e2e *r);

/* Fail the test, with everything that the program printed, unless it exited with @exit. */
#define e2e_assert_exit(r, code) e2e_assert_exit_(r, code, __FILE__, __LINE__)
void e2e_assert_exit_(const struct e2e *r, int code, const char *file, int line);

/* result.json of a run directory, new reference. NULL: there is none, or it is no JSON. */
json_t *e2e_result(const char *run_dir);
/* The number of findings of kind @kind (NULL: of any) in a result. */
size_t e2e_findings(const json_t *result, const char *kind);

/* A path below e2e_base; valid until the eighth call after. */
const char *e2e_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Write @text to @path, replacing what is there. */
void e2e_write(const char *path, const char *text);
/* Remove a file or a tree; nothing there is fine. */
void e2e_remove(const char *path);
bool e2e_exists(const char *path);
double e2e_now(void); /* seconds, CLOCK_MONOTONIC */

/* Poll @ok every 2 ms until it is true or @limit_s passed; returns its last answer. */
bool e2e_until(bool (*ok)(void *ctx), void *ctx, double limit_s);

#endif
