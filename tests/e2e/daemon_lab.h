/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon for tests: started with a state directory of its own, spoken to over its socket. Knows
 * the protocol as stressd-daemon(8) has it, and the files that the manual names.
 */
#ifndef STRESSD_TEST_DAEMON_LAB_H
#define STRESSD_TEST_DAEMON_LAB_H

#include "e2e.h"

#define LAB_LIMIT 60.0

struct lab {
	struct e2e run;
	char state[300], socket[100], config[300];
	const char *env[4]; /* further environment of the daemon, NULL-terminated */
};

/* A fresh state directory and a configuration with @keys, which begin with a comma, or "". */
void lab_init(struct lab *l, const char *name, const char *keys);
/* Start the daemon and wait until it listens. */
void lab_start(struct lab *l);
/* SIGKILL, and wait for it. Its children are left to themselves. */
void lab_kill(struct lab *l);
/* SIGTERM, and wait: exit 0 is asserted. Its stderr stays in l->run.err until e2e_free(). */
void lab_stop(struct lab *l);

/* Most tests need one: cmocka sets it up, as above, with another word of environment or NULL, and
 * tears it down by SIGTERM, with whatever runs. */
extern struct lab lab;
int lab_begin(const char *name, const char *keys, const char *env);
int lab_end(void **state);

/* A connection; reads give up after LAB_LIMIT. -1: refused, with errno. */
int lab_connect(const struct lab *l);
void lab_put(int fd, const char *text, size_t len);
/* The next line, without its end; "" when the daemon has closed. Valid until the next call. */
const char *lab_line(int fd);
/* One request on a connection of its own: the last line of its answer. New reference. */
json_t *lab_ask(const struct lab *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text of the error that the request is answered with; fails if it is none. */
const char *lab_refusal(const struct lab *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* How long: some operations, however busy the machine; until somebody stops it. */
#define LAB_SHORT "\"stop_on\": { \"attempts\": 20 }, \"duration\": \"1m\""
#define LAB_LONG  "\"stop_on\": \"never\", \"duration\": \"10m\""
/* A scenario without rights. Valid until the next call. */
const char *lab_scenario(const struct lab *l, const char *how_long);
/* Submit it with further @keys. Returns the id. */
int lab_submit(const struct lab *l, const char *how_long, const char *keys);
/* Wait until job @id is in the state. */
void lab_await(const struct lab *l, int id, const char *state);
/* A number of a job as `status` has it. */
json_int_t lab_number(const struct lab *l, int id, const char *key);
/* Of the job's file: the process that runs it. */
pid_t lab_pid(const struct lab *l, int id);
bool lab_alive(pid_t pid);

#endif
