/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's fault_attr directories in debugfs (fail_make_request, failslab, fail_page_alloc):
 * the knobs that all of them have, as options and as writes.
 * (Documentation/fault-injection/fault-injection.rst)
 */
#ifndef STRESSD_FAULT_ATTR_H
#define STRESSD_FAULT_ATTR_H

#include "faults/fault.h"

/* First member of the option struct of such a fault. */
struct attr_options {
	u64 probability, interval, times, space;
	char **workers; /* NULL-terminated types; none: all */
	char *within, *outside;
	u64 depth;
};

#define ATTR_FUNCTION                                                                              \
	.max = "100", .pattern = "^[A-Za-z_][A-Za-z0-9_.]*$", .expects = "the name of a function"

#define ATTR_OPTIONS                                                                               \
	OPT(struct attr_options, probability, OPT_PERCENT, .def = "100", .min = "1",               \
	    .help = "of each chance that interval and space leave"),                               \
		OPT(struct attr_options, interval, OPT_COUNT, .def = "1", .min = "1",              \
		    .max = "1000000000", .help = "only every so many chances"),                    \
		OPT(struct attr_options, times, OPT_COUNT, .def = "100", .min = "1",               \
		    .max = "1000000", .help = "errors at most, each time it is armed"),            \
		OPT(struct attr_options, space, OPT_SIZE, .def = "0", .max = "1G",                 \
		    .help = "bytes that pass unharmed first, each time it is armed"),              \
		OPT(struct attr_options, workers, OPT_STRINGS, .def = "",                          \
		    .expects = "types of workers that the scenario has",                           \
		    .help = "mark only workers of these types as those that may fail; none: all"), \
		OPT(struct attr_options, within, OPT_STRING, ATTR_FUNCTION,                        \
		    .help = "only what this function of the kernel has called, directly or not: "  \
			    "do_writepages, for one; CONFIG_FAULT_INJECTION_STACKTRACE_FILTER"),   \
		OPT(struct attr_options, outside, OPT_STRING, ATTR_FUNCTION,                       \
		    .help = "nothing that this function has called; likewise"),                    \
		OPT(struct attr_options, depth, OPT_COUNT, .def = "32", .min = "1", .max = "32",   \
		    .help = "callers that are looked at for within and outside")

/* Addresses of a function, as its knobs take them. */
struct attr_range {
	char start[24], end[24];
};

/* First member of its state. */
struct attr_state {
	struct attr_range within, outside; /* those of the options, if they name functions */
	bool set;			   /* the knobs hold what we wrote */
	u64 injected;			   /* of past armings */
	char sw[128];			   /* path of the device's switch; attr_kind only */
};

/* One knob besides those that all have: its name, and the value that it is given. */
struct attr_knob {
	const char *name;
	char value[32];
};

/* One that is on or off. */
static inline struct attr_knob attr_switch(const char *name, bool on)
{
	return (struct attr_knob){ name, { on ? 'Y' : 'N' } };
}

/* fault_type.check: does the scenario have the workers that are to be marked? */
int attr_check(const void *options, const struct scenario *sc, const struct sc_fault *f,
	       struct err *e);

/* Most knobs besides those that all have, and one without a name that ends them. */
#define ATTR_KNOBS 5

/*
 * fault_type.kind of a fault that is one such directory and, maybe, a switch of the target's
 * device. Its state is a struct attr_state, or begins with one.
 */
struct attr_kind {
	const char *dir;    /* in debugfs */
	const char *config; /* the option that brings it */
	const char *sw;	    /* attribute of the device in /sys that lets it be hit; NULL: none */
	bool below_layers;  /* ... of the device below device-mapper layers */
	/* The knobs that only it has; @k is zeroed. */
	void (*knobs)(const void *options, struct attr_knob k[ATTR_KNOBS]);
	/* Are workers to be marked as those that may fail? NULL: always. */
	bool (*marks)(const void *options);
};

int attr_kind_probe(const struct fault *f, struct err *e);
int attr_kind_save(struct fault *f, struct err *e);
int attr_kind_arm(struct fault *f, struct err *e);
int attr_kind_disarm(struct fault *f, struct err *e);
bool attr_kind_is_armed(const struct fault *f);
u64 attr_kind_injected(const struct fault *f);

/* In a fault_type: what the kind decides, with @name of the directory. */
#define ATTR_FUNCTIONS(of, name)                                                                   \
	.kind = of, .probe = attr_kind_probe, .disarm = attr_kind_disarm,                          \
	.is_armed = attr_kind_is_armed, .injected = attr_kind_injected,                            \
	.source = name "/times: the kernel counts it down once an error"

/* What such a fault says of allocations that fail. */
extern const int attr_alloc_errnos[];
extern const char *const attr_alloc_log[];

/* The parts, for a fault that does more. */

/* Is the directory @dir there, and does nobody use it? Then it is this run's: another that used it
 * between two armings would take our values for the machine's. @config is the option that brings
 * it. */
int attr_probe(const char *dir, const char *config, struct err *e);
/* Is there a knob @dir/@name? */
bool attr_has(const char *dir, const char *name);
/* Can the callers be asked, if the options name functions? */
int attr_probe_callers(const struct fault *f, const char *dir, struct err *e);
/* Into the journal: all knobs of @dir that stressd writes, and the NULL-named-terminated @extra.
 * The probability comes last here, and so is put back first. */
int attr_save(struct fault *f, const char *dir, const struct attr_knob *extra, struct err *e);
/* Write them; the probability last. */
int attr_arm(struct fault *f, const char *dir, const struct attr_knob *extra, struct err *e);
/* Probability 0, and the count is taken. What else was set stays for the next arming; the journal
 * has what it was. */
int attr_disarm(struct fault *f, const char *dir, struct err *e);
/* A probability and times left: the machine says so. */
bool attr_is_armed(const char *dir);
/* times written less times left, over all armings: the kernel counts down once an error. */
u64 attr_injected(const struct fault *f, const char *dir);
/* Mark the tasks of the workers of the option (and what they fork from now on) as those that may
 * fail. */
int attr_mark_tasks(const struct fault *f, bool on, struct err *e);

#endif
