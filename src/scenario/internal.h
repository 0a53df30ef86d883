/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of the scenario room. Its parser takes the tables of types as an argument:
 * the program passes its own (tables.c), the tests and the fuzzer pass samples.
 *
 *   scenario.c  load, the keys of the whole      keys.c    option tables of the fixed parts
 *   parts.c     files, workers, faults, target   checks.c  what one part may not do to another
 *   races.c     races and their actors             holds.c   what keeps their windows open
 *   tables.c    the program's own tables         schema.c  the same tables as JSON Schema
 */
#ifndef STRESSD_SCENARIO_INTERNAL_H
#define STRESSD_SCENARIO_INTERNAL_H

#include "base/json_at.h"
#include "base/option.h"
#include "faults/fault.h"
#include "ops/hold.h"
#include "race/probe.h"
#include "race/race.h"
#include "scenario.h"
#include "target/target.h"
#include "workers/worker.h"

#define SC_MAX_TEXT  (1 * MIB)	  /* of a scenario; one that people write has some KiB */
#define SC_MAX_CELLS (1ULL << 24) /* of a file: 512 MiB of shadow at 32 bytes a cell */

/* Each NULL-terminated. */
struct scenario_tables {
	const struct worker_type *const *workers;
	const struct fault_type *const *faults;
	const struct target_type *const *targets;
};

int scenario_load_with(const struct scenario_tables *tables, const char *path,
		       struct scenario **ret, struct err *e);
int scenario_parse_with(const struct scenario_tables *tables, const char *path, const char *text,
			size_t len, struct scenario **ret, struct err *e);
json_t *scenario_schema_with(const struct scenario_tables *tables);

/* keys.c: the fixed parts. Each table decodes into the struct of the same name. */
struct sc_worker_keys {
	char *type, *file;
	u64 count, after_ns;
	bool optional;
};
struct sc_fault_keys {
	char *type;
	u64 after_ns, for_ns, every_ns;
	bool optional;
};
struct sc_target_keys {
	char *type;
};
extern const struct opt_def sc_root_options[]; /* struct scenario */
extern const struct opt_def sc_file_options[]; /* struct sc_file */
extern const struct opt_def sc_worker_options[], sc_fault_options[], sc_target_options[];
extern const struct opt_def sc_race_options[];	     /* struct sc_race */
extern const struct opt_def sc_actor_options[];	     /* struct sc_actor */
extern const struct opt_def sc_hold_options[];	     /* struct sc_hold */
extern const struct opt_def sc_verify_options[];     /* struct sc_verify */
extern const struct opt_def sc_kernel_log_options[]; /* struct sc_kernel_log */
extern const struct opt_def sc_attempts_options[];   /* struct scenario */
extern const char *const sc_stop_names[];	     /* "hit", "never" */

/* parts.c: decode one key of the root from @resolved, where its default already stands, and put
 * the resolved value back. 0 or -errno with the line in the document's err. */
int sc_decode_target(struct scenario *sc, const struct scenario_tables *tables,
		     const struct json_at *root, json_t *resolved);
int sc_decode_files(struct scenario *sc, const struct json_at *root, json_t *resolved);
int sc_decode_workers(struct scenario *sc, const struct scenario_tables *tables,
		      const struct json_at *root, json_t *resolved);
int sc_decode_faults(struct scenario *sc, const struct scenario_tables *tables,
		     const struct json_at *root, json_t *resolved);

/* races.c: after the workers, which it names. */
int sc_decode_races(struct scenario *sc, const struct json_at *root, json_t *resolved);
void sc_free_races(struct scenario *sc);
json_t *sc_actor_schema(void);

/* holds.c: the hold of an actor of @w, of the value @v at @at. */
int sc_decode_hold(const struct sc_worker *w, const json_t *v, const struct json_at *at,
		   struct sc_hold *h);
json_t *sc_hold_schema(void);

/* parts.c: an array of the root. open: is it one of @min..@max elements? Then *ret has room for
 * them, @size bytes each. decode: each in turn; *count grows with each that may own something, so
 * that scenario_free() sees just those, wherever it fails. */
typedef int (*sc_element_fn)(struct scenario *, size_t, const struct scenario_tables *,
			     const json_t *, const struct json_at *, json_t **);
int sc_open_array(const struct json_at *at, const json_t *resolved, size_t min, size_t max,
		  size_t size, void *ret);
int sc_decode_array(struct scenario *sc, const struct scenario_tables *tables,
		    const struct json_at *at, json_t *resolved, sc_element_fn decode,
		    size_t *count);

/* checks.c: what the tables cannot say. */
int sc_check_file(const struct scenario *sc, size_t i, const struct json_at *at);
/* zones.c: every direct writer has a place; @workers is the list. */
int sc_check_zones(const struct scenario *sc, const struct json_at *workers);
int sc_check_workers(const struct scenario *sc, const struct json_at *root);
int sc_check_fault(const struct scenario *sc, size_t i, const struct json_at *at);

#endif
