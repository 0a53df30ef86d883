// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every key of a scenario that does not belong to a worker, fault or target type, once: parser,
 * schema and lists read these rows. What a key means for another is in checks.c.
 */
#include "scenario/internal.h"

const char *const sc_layout_names[] = { "hole", "written", "prealloc", "empty", NULL };
const char *const sc_layer_names[] = { "cache", "direct", "dropped", "remounted", "device", NULL };
const char *const sc_severity_names[] = {
	"info", "notice", "warning", "error", "bug", "never", NULL
};
const char *const sc_hold_names[] = { "none", "source-fault", "dest-fault", "probe-delay", NULL };
const char *const sc_hold_kconfig[] = { NULL, "USERFAULTFD", "USERFAULTFD",
					"KPROBE_EVENTS BPF_SYSCALL BPF_EVENTS" };
const char *const sc_stop_names[] = { "hit", "never", NULL };
_Static_assert(ARRAY_SIZE(sc_layer_names) == LAYERS + 1, "a name for every layer");
_Static_assert(ARRAY_SIZE(sc_severity_names) == SEV_NEVER + 2, "a name for every severity");
_Static_assert(ARRAY_SIZE(sc_layout_names) == LAYOUT_EMPTY + 2, "a name for every layout");
_Static_assert(ARRAY_SIZE(sc_hold_names) == HOLD_PROBE_DELAY + 2, "a name for every hold");
_Static_assert(ARRAY_SIZE(sc_hold_kconfig) == HOLD_PROBE_DELAY + 1, "and what it needs");
_Static_assert(ARRAY_SIZE(sc_stop_names) == STOP_NEVER + 2, "a name for every stop but attempts");

static const char *const finding_names[] = {
#define X(id, name, help) name,
#include "findings.def"
#undef X
	NULL,
};

const struct opt_def sc_root_options[] = {
	OPT(struct scenario, version, OPT_COUNT, .min = "1", .max = "1",
	    .expects = "1, the only version of the format there is", .help = "of the format"),
	OPT(struct scenario, name, OPT_STRING, .required = true,
	    .pattern = "^[a-zA-Z0-9._-]{1,64}$",
	    .expects = "1 to 64 letters, digits, '.', '_' or '-'", .help = "names run and results"),
	OPT(struct scenario, description, OPT_STRING, .help = "what the scenario shows"),
	OPT(struct scenario, reference, OPT_STRING,
	    .help = "commit or thread that it goes back to"),
	OPT(struct scenario, seed, OPT_COUNT, .def = "", .max = "9223372036854775807",
	    .help = "of every random choice; drawn when absent"),
	OPT_AS("duration", struct scenario, duration_ns, OPT_TIME, .def = "30s", .min = "1ms",
	       .max = "720h", .help = "how long the workers run"),
	OPT_AS("watchdog", struct scenario, watchdog_ns, OPT_TIME, .def = "60s", .min = "100ms",
	       .max = "1h",
	       .help = "longest time without a sign of life of a worker; syncs get five times "
		       "that"),
	OPT_RAW("stop_on", .def = "\"hit\"", .expects = "\"hit\", \"never\" or {\"attempts\": N}",
		.help = "when to end early"),
	OPT(struct scenario, expect, OPT_STRING, .choices = finding_names,
	    .help = "the finding that this scenario is written to provoke"),
	OPT_RAW("target", .def = "{}", .help = "where the files live"),
	OPT_RAW("files", .required = true, .expects = "an array of 1..64 files",
		.help = "what is written and checked"),
	OPT_RAW("workers", .required = true, .expects = "an array of 1..256 workers",
		.help = "who works on the files"),
	OPT_RAW("faults", .def = "[]", .help = "errors that the kernel is made to return"),
	OPT_RAW("races", .def = "[]", .help = "operations of workers that are lined up"),
	OPT_RAW("verify", .def = "{}", .help = "when and through which layers contents are read"),
	OPT_RAW("kernel_log", .def = "{}", .help = "which lines of the kernel log are findings"),
	{ .type = OPT_END },
};

const struct opt_def sc_attempts_options[] = {
	OPT(struct scenario, attempts, OPT_COUNT, .min = "1", .help = "of each race, then stop"),
	{ .type = OPT_END },
};

/* A name is one path component and stays on its line in logs: no '/', no control characters,
 * not "." and not "..". */
#define NAME_CHAR	 "[^/\x01-\x1f\x7f]"
#define NAME_CHAR_NO_DOT "[^./\x01-\x1f\x7f]"

const struct opt_def sc_file_options[] = {
	OPT(struct sc_file, name, OPT_STRING, .required = true, .max = "60",
	    .pattern = "^([.]{0,2}" NAME_CHAR_NO_DOT NAME_CHAR "*|[.]{3}" NAME_CHAR "*)$",
	    .expects = "one path component of at most 60 bytes, not \".\" or \"..\"",
	    .help = "in the target's directory"),
	OPT_AS("size", struct sc_file, size_bytes, OPT_SIZE, .help = "at the start"),
	OPT_AS("max", struct sc_file, max_bytes, OPT_SIZE, .def = "",
	       .help = "how far it may grow; default: its size"),
	OPT_AS("cell", struct sc_file, cell_bytes, OPT_SIZE, .def = "512", .min = "64",
	       .max = "4096", .help = "unit of ownership, a power of two"),
	OPT(struct sc_file, layout, OPT_ENUM, .def = "hole", .choices = sc_layout_names,
	    .help = "what it starts from"),
	OPT(struct sc_file, conflict, OPT_BOOL, .def = "false",
	    .help = "writers may own the same cell at once"),
	{ .type = OPT_END },
};

const struct opt_def sc_worker_options[] = {
	OPT(struct sc_worker_keys, type, OPT_STRING, .required = true,
	    .expects = "the name of a worker, see `stressd list workers`", .help = "what it does"),
	OPT(struct sc_worker_keys, file, OPT_STRING, .expects = "the name of one of the files",
	    .help = "which file it works on"),
	OPT(struct sc_worker_keys, count, OPT_COUNT, .def = "1", .min = "1", .max = "256",
	    .help = "processes"),
	OPT(struct sc_worker_keys, optional, OPT_BOOL, .def = "false",
	    .help = "dropped where the machine lacks what it needs"),
	OPT_AS("after", struct sc_worker_keys, after_ns, OPT_TIME, .def = "0",
	       .help = "starts so long after the others"),
	OPT_RAW("options", .def = "{}", .help = "of the type"),
	{ .type = OPT_END },
};

const struct opt_def sc_fault_options[] = {
	OPT(struct sc_fault_keys, type, OPT_STRING, .required = true,
	    .expects = "the name of a fault, see `stressd list faults`", .help = "what fails"),
	OPT(struct sc_fault_keys, optional, OPT_BOOL, .def = "false",
	    .help = "dropped where the machine lacks what it needs"),
	OPT_AS("after", struct sc_fault_keys, after_ns, OPT_TIME, .def = "0",
	       .help = "armed so long after the start"),
	OPT_AS("for", struct sc_fault_keys, for_ns, OPT_TIME, .def = "0",
	       .help = "disarmed so long after that; 0: at the end"),
	OPT_AS("every", struct sc_fault_keys, every_ns, OPT_TIME, .def = "0",
	       .help = "armed again with this period; 0: once"),
	OPT_RAW("options", .def = "{}", .help = "of the type"),
	{ .type = OPT_END },
};

/* The options of the target's type stand beside this key. */
const struct opt_def sc_target_options[] = {
	OPT(struct sc_target_keys, type, OPT_STRING, .def = "image",
	    .expects = "the name of a target, see `stressd list targets`",
	    .help = "what the files live on"),
	{ .type = OPT_END },
};

const struct opt_def sc_hold_options[] = {
	OPT(struct sc_hold, type, OPT_ENUM, .def = "none", .choices = sc_hold_names,
	    .kconfig = sc_hold_kconfig,
	    .help = "source-fault, dest-fault: a page fault inside of a copy from, to its buffer "
		    "lasts until the others are done; probe-delay: a kernel function takes longer"),
	OPT(struct sc_hold, function, OPT_STRING, .max = "100",
	    .pattern = "^[a-zA-Z_][a-zA-Z0-9_.]*([+]0x[0-9a-f]{1,6})?$",
	    .expects =
		    "a function of /proc/kallsyms, with \"+0x40\" behind it an instruction of it",
	    .help = "probe-delay: where"),
	OPT_AS("return", struct sc_hold, at_return, OPT_BOOL, .def = "false",
	       .help = "probe-delay: where the function returns instead of where it begins"),
	OPT_AS("delay", struct sc_hold, delay_ns, OPT_TIME, .def = "200us", .min = "1us",
	       .max = PROBE_DELAY_MOST,
	       .help = "probe-delay: how long, on a CPU that does nothing else"),
	OPT(struct sc_hold, every, OPT_COUNT, .def = "1", .min = "1", .max = "1000000",
	    .help = "probe-delay: at the first of so many calls, and so on; counted anew in each "
		    "attempt"),
	{ .type = OPT_END },
};

#define HOLD_EXPECTS "\"none\", \"source-fault\", \"dest-fault\" or an object with \"type\""

const struct opt_def sc_race_options[] = {
	OPT(struct sc_race, name, OPT_STRING, .required = true, .pattern = "^[a-zA-Z0-9._-]{1,64}$",
	    .expects = "1 to 64 letters, digits, '.', '_' or '-'", .help = "in results"),
	OPT_RAW("actors", .required = true, .expects = "an array of 2..32 actors",
		.help = "who lines up: \"type\", \"type.N\", an index of workers, or an object"),
	OPT_AS("offset", struct sc_race, offset, OPT_TIME_RANGE, .def = "0", .max = "1s",
	       .help = "each actor starts so long after the release; the range is swept"),
	OPT_RAW("hold", .def = "\"none\"", .expects = HOLD_EXPECTS,
		.help = "of the first actor: what keeps its window open for the others"),
	OPT_AS("hold_limit", struct sc_race, hold_limit_ns, OPT_TIME, .def = "50ms", .min = "1us",
	       .max = "10s", .help = "longest time of a hold: others may wait for the held one"),
	OPT_AS("window", struct sc_race, window_bytes, OPT_SIZE, .def = "0", .max = "1G",
	       .help = "each attempt goes to the next window of this size, from which offsets of "
		       "steps count; 0: the whole file"),
	{ .type = OPT_END },
};

const struct opt_def sc_actor_options[] = {
	OPT_RAW("worker", .required = true, .expects = "a type, \"type.N\" or an index",
		.help = "whose operation it is"),
	OPT_AS("offset", struct sc_actor, offset, OPT_TIME_RANGE, .def = "0", .max = "1s",
	       .help = "default: the race's"),
	OPT_RAW("hold", .def = "\"none\"", .expects = HOLD_EXPECTS,
		.help = "of this actor; default of the first: the race's"),
	OPT(struct sc_actor, loop, OPT_BOOL, .def = "false",
	    .help = "repeat the operation until those that do not loop are done"),
	{ .type = OPT_END },
};

const struct opt_def sc_verify_options[] = {
	OPT_AS("inline", struct sc_verify, inline_, OPT_BOOL, .def = "true",
	       .help = "readers check what they read"),
	OPT(struct sc_verify, final, OPT_BOOL, .def = "true",
	    .help = "everything is checked after the workers stopped"),
	OPT(struct sc_verify, layers, OPT_ENUM_SET, .def = "cache,direct,dropped,remounted,device",
	    .choices = sc_layer_names, .help = "ways that a cell is read"),
	OPT_AS("every", struct sc_verify, every_ns, OPT_TIME, .def = "0",
	       .help = "all files are checked with this period; 0: never"),
	OPT(struct sc_verify, fsck, OPT_BOOL, .def = "true",
	    .help = "the filesystem's own checker runs after the unmount"),
	{ .type = OPT_END },
};

const struct opt_def sc_kernel_log_options[] = {
	OPT(struct sc_kernel_log, fail_at, OPT_ENUM, .def = "warning", .choices = sc_severity_names,
	    .help = "least severity that is a finding"),
	/* An empty pattern is in every line: it would switch the detector off unseen. */
	OPT(struct sc_kernel_log, allow, OPT_STRINGS, .def = "", .min = "1",
	    .help = "parts of lines that are expected"),
	{ .type = OPT_END },
};
