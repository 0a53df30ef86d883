/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types for the tests and the fuzzer of the scenario parser: one of every option type, one of
 * every flag that a check asks for. The program's own workers may change without touching these.
 */
#ifndef TESTS_SCENARIO_SAMPLE_H
#define TESTS_SCENARIO_SAMPLE_H

#include "scenario/internal.h"

struct sample_options {
	bool flag;
	u64 number, size, time, percent, set, weights[3];
	struct range numbers, sizes, times;
	int choice;
	char *text, **list;
};

static const char *const sample_choices[] = { "red", "green", "blue", NULL };

static const struct opt_def sample_option_table[] = {
	OPT(struct sample_options, flag, OPT_BOOL, .def = "true", .help = "a bool"),
	OPT(struct sample_options, number, OPT_COUNT, .def = "8", .min = "1", .max = "64",
	    .help = "a count"),
	OPT(struct sample_options, size, OPT_SIZE, .def = "64K", .min = "512", .max = "16M",
	    .help = "a size"),
	OPT(struct sample_options, time, OPT_TIME, .def = "1ms", .min = "1us", .max = "10s",
	    .help = "a time"),
	OPT(struct sample_options, percent, OPT_PERCENT, .def = "50", .help = "a percentage"),
	OPT(struct sample_options, numbers, OPT_COUNT_RANGE, .def = "1..4", .max = "9",
	    .help = "a range of counts"),
	OPT(struct sample_options, sizes, OPT_SIZE_RANGE, .def = "512..64K", .min = "512",
	    .help = "a range of sizes"),
	OPT(struct sample_options, times, OPT_TIME_RANGE, .def = "0..200us", .max = "1s",
	    .help = "a range of times"),
	OPT(struct sample_options, choice, OPT_ENUM, .def = "green", .choices = sample_choices,
	    .help = "one choice"),
	OPT(struct sample_options, set, OPT_ENUM_SET, .def = "red,blue", .choices = sample_choices,
	    .help = "some choices"),
	OPT(struct sample_options, weights, OPT_WEIGHTS, .def = "1", .max = "100",
	    .choices = sample_choices, .help = "how often each"),
	OPT(struct sample_options, text, OPT_STRING, .min = "1", .max = "8", .help = "a string"),
	OPT(struct sample_options, list, OPT_STRINGS, .def = "a,b", .help = "some strings"),
	{ .type = OPT_END },
};

struct sample_program {
	char **argv;
};

static const struct opt_def sample_program_table[] = {
	OPT(struct sample_program, argv, OPT_STRINGS, .min = "1", .help = "program, arguments"),
	{ .type = OPT_END },
};

static const struct worker_type sample_writer = {
	.name = "writer",
	.help = "writes stamps, takes every kind of option",
	.options = sample_option_table,
	.options_size = sizeof(struct sample_options),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS,
};
static const struct worker_type sample_reader = {
	.name = "reader",
	.flags = WORKER_NEEDS_FILE | WORKER_READS_INLINE,
};
static const struct worker_type sample_cutter = {
	.name = "cutter",
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_RESHAPES,
};
static const struct worker_type sample_direct = {
	.name = "direct",
	.flags = WORKER_NEEDS_FILE | WORKER_DIRECT_WRITES,
};
static const struct worker_type sample_dropper = { .name = "dropper", .flags = WORKER_QUIET };
static const struct worker_type sample_remount = {
	.name = "remount",
	.flags = WORKER_UNMOUNTS | WORKER_NEEDS_MOUNT,
};
static const struct worker_type sample_exec = {
	.name = "exec",
	.options = sample_program_table,
	.options_size = sizeof(struct sample_program),
	.flags = WORKER_HOLDS_FILES,
};
static const struct worker_type sample_mixer = {
	.name = "mixer",
	.flags = WORKER_NEEDS_FILE | WORKER_WHOLE_FS | WORKER_STAMPS | WORKER_RESHAPES,
};
static const struct worker_type sample_alien = {
	.name = "alien",
	.flags = WORKER_NEEDS_FILE | WORKER_DIRTIES,
};
static const struct worker_type *const sample_workers[] = {
	&sample_writer,	 &sample_reader, &sample_cutter, &sample_direct, &sample_dropper,
	&sample_remount, &sample_exec,	 &sample_mixer,	 &sample_alien,	 NULL,
};

struct sample_fault {
	u64 probability;
};
static const struct opt_def sample_fault_table[] = {
	OPT(struct sample_fault, probability, OPT_PERCENT, .def = "100", .help = "of failing"),
	{ .type = OPT_END },
};
static const struct fault_type sample_bio = {
	.name = "bio",
	.options = sample_fault_table,
	.options_size = sizeof(struct sample_fault),
};
static const struct fault_type *const sample_faults[] = { &sample_bio, NULL };

struct sample_image {
	int fs;
	u64 size;
	char **mount;
};
static const char *const sample_fs[] = { "xfs", "ext4", NULL };
static const struct opt_def sample_image_table[] = {
	OPT(struct sample_image, fs, OPT_ENUM, .def = "xfs", .choices = sample_fs, .help = "kind"),
	OPT(struct sample_image, size, OPT_SIZE, .def = "512M", .min = "64M", .help = "of it"),
	OPT(struct sample_image, mount, OPT_STRINGS, .def = "", .help = "options of mount(8)"),
	{ .type = OPT_END },
};
struct sample_directory {
	char *path;
};
static const struct opt_def sample_directory_table[] = {
	OPT(struct sample_directory, path, OPT_STRING, .required = true, .help = "where"),
	{ .type = OPT_END },
};
static const struct target_type sample_image_type = {
	.name = "image",
	.options = sample_image_table,
	.options_size = sizeof(struct sample_image),
};
static const struct target_type sample_directory_type = {
	.name = "directory",
	.options = sample_directory_table,
	.options_size = sizeof(struct sample_directory),
};
static const struct target_type *const sample_targets[] = { &sample_image_type,
							    &sample_directory_type, NULL };

static const struct scenario_tables sample_tables = {
	.workers = sample_workers,
	.faults = sample_faults,
	.targets = sample_targets,
};

#endif
