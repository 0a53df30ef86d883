/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finished run for the tests of the reports: a scenario, two workers and as many findings as a
 * test asks for. Static, so that a test may change it and the next one starts afresh.
 */
#ifndef TESTS_REPORT_SAMPLE_H
#define TESTS_REPORT_SAMPLE_H

#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SAMPLE_FINDINGS_MAX 1000

/* Everything that a text may hold and some format may not. */
#define EVIL                                                                                       \
	"a \"quote\" & <tag> ]]> 'q'\nnew\tline \x01\x1b[31m \xc3\xa9 \xff\xc3( \xed\xa0\x80 \\ "  \
	"end"

struct sample {
	struct run_result r;
	struct scenario sc;
	struct worker_result workers[2];
	struct finding *findings[SAMPLE_FINDINGS_MAX], *f;
	char *notes[1], *dropped[1], *log[2];
	struct timeline timeline; /* of every finding */
	struct output_file output;
};

/* A store that lasts from before the read to after it, another long before, a fault, a line. */
static inline void sample_timeline(struct timeline *t)
{
	const u64 at = 1204 * NSEC_PER_MSEC;

	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "short_write.1", "mmap_writer.0",
						     "dio_reader.1" };

		assert_int_equal(timeline_lane(t, names[i]), i);
	}
	t->ops[0] = (struct timeline_op){ .lane = 1,
					  .role = ROLE_WRITE,
					  .effect = 'W',
					  .in_file = true,
					  .on_cell = true,
					  .on_page = true,
					  .offset = 812 * 512,
					  .len = 512,
					  .start_ns = 200 * NSEC_PER_MSEC,
					  .end_ns = 200 * NSEC_PER_MSEC + 4000,
					  .text = "store(512 bytes at 415744) = 512" };
	t->ops[1] = (struct timeline_op){ .lane = 0,
					  .role = ROLE_SUSPECT,
					  .effect = 'W',
					  .in_file = true,
					  .on_cell = true,
					  .on_page = true,
					  .offset = 393216,
					  .len = 458752,
					  .start_ns = at - 2 * NSEC_PER_MSEC,
					  .end_ns = at - 50000,
					  .text = "pwrite(458752 bytes at 393216) = 12288" };
	t->ops[2] = (struct timeline_op){ .lane = 2,
					  .role = ROLE_FINDER,
					  .effect = 'R',
					  .in_file = true,
					  .on_cell = true,
					  .on_page = true,
					  .offset = 811 * 512,
					  .len = 4096,
					  .start_ns = at - 70000,
					  .end_ns = at - 1000,
					  .text = "direct pread(4096 bytes at 415232) = 4096" };
	t->ops[3] = (struct timeline_op){ .lane = 1,
					  .effect = 'W',
					  .in_file = true,
					  .offset = 900 * 512,
					  .len = 512,
					  .start_ns = at - 30000,
					  .text = "store(512 bytes at 460800), in flight" };
	t->nops = 4;
	t->left_out = 12;
	timeline_mark(t, MARK_FAULT, NSEC_PER_SEC, 0, "fail_make_request");
	timeline_mark(t, MARK_LOG, at - 60000, at - 60000, "XFS (loop0): first line");
}

static inline void sample_finding(struct sample *s, struct finding *f, size_t i)
{
	f->kind = FINDING_ZEROED;
	snprintf(f->sentence, sizeof(f->sentence),
		 "data cell %zu (offset %zu): store 31 by mmap_writer.0 is gone; the page reads as "
		 "zeros; it was in place until short_write.1's pwrite(458752 bytes at 393216) "
		 "returned 12288.",
		 812 + i, (812 + i) * 512);
	f->time_ns = 1204 * NSEC_PER_MSEC;
	strcpy(f->file, "data");
	f->has_cell = true;
	f->cell = 812 + i;
	f->offset = f->cell * 512;
	f->cell_bytes = 512;
	strcpy(f->writer, "mmap_writer.0");
	strcpy(f->finder, "dio_reader.1");
	for (size_t b = 0; b < 512; b++)
		f->expected[b] = (u8)(b | 1);
	f->layers[LAYER_CACHE] = (struct finding_layer){ LAYER_BAD, "zeros" };
	f->layers[LAYER_DIRECT] = (struct finding_layer){ LAYER_GOOD, "generation 31" };
	f->layers[LAYER_DEVICE].state = LAYER_UNAVAILABLE;
	f->ops[0] = (struct finding_op){ "short_write.1", "pwrite(458752 bytes at 393216) = 12288",
					 1202 * NSEC_PER_MSEC, 1204 * NSEC_PER_MSEC - 50000 };
	f->ops[1] = (struct finding_op){ "mmap_writer.0", "store(512 bytes at 415744)",
					 1204 * NSEC_PER_MSEC + 2000, 0 };
	f->nops = 2;
	f->log[0] = s->log[0];
	f->log[1] = s->log[1];
	f->nlog = 2;
	f->repeats = 3;
	strcpy(f->expected_text, "generation 31 by mmap_writer.0");
	strcpy(f->found_text, "zeros");
	f->timeline = &s->timeline;
}

static inline struct sample *sample_new(size_t nfindings)
{
	struct sample *s = calloc(1, sizeof(*s));
	struct run_result *r = &s->r;

	assert_non_null(s);
	assert_true(nfindings <= SAMPLE_FINDINGS_MAX);
	s->f = calloc(nfindings + 1, sizeof(*s->f));
	s->log[0] = "XFS (loop0): first line";
	s->log[1] = "WARNING: CPU: 1 PID: 7 at fs/iomap/buffered-io.c:1 iomap_thing+0x10/0x20";
	sample_timeline(&s->timeline);
	s->output = (struct output_file){ "fio.0", "fio.3.json", 1234 };
	for (size_t i = 0; i < nfindings; i++) {
		sample_finding(s, &s->f[i], i);
		s->findings[i] = &s->f[i];
	}
	s->sc.name = "short-write-vs-mmap";
	s->workers[0] = (struct worker_result){
		"mmap_writer.0", "mmap_writer", "stopped", "", 1200000, 4 * GIB, 0, 0, 0, 0, 2.5
	};
	s->workers[1] = (struct worker_result){ "dio_reader.1", "dio_reader", "failed", "no memory",
						5000,		2560000,      2,	1,
						5000,		12,	      0.5 };
	s->notes[0] = "ENOSPC from fallocate was explained";
	s->dropped[0] = "dropcache: no cgroup v2";
	*r = (struct run_result){ .sc = &s->sc,
				  .verdict = nfindings ? VERDICT_FAIL : VERDICT_PASS,
				  .exit = nfindings ? 1 : 0,
				  .seed = 7,
				  .started = { 1714564800, 0 },
				  .duration_s = 29.3,
				  .run_key = 0xabcdef,
				  .run_dir = "/var/lib/stressd/runs/1",
				  .kernel = "6.1.0 #1 SMP",
				  .machine = "x86_64",
				  .fs = "xfs",
				  .mount_options = "noatime",
				  .device = "/dev/loop0",
				  .cpus = 2,
				  .memory_bytes = 2 * GIB,
				  .outputs = &s->output,
				  .noutputs = 1,
				  .workers = s->workers,
				  .nworkers = 2,
				  .findings = s->findings,
				  .nfindings = nfindings,
				  .cells = 32768,
				  .cells_checked = 5000,
				  .cells_open = 12,
				  .ops = 1205000,
				  .dropped = s->dropped,
				  .ndropped = 1,
				  .notes = s->notes,
				  .nnotes = 1,
				  .klog_watched = true,
				  .taint_after = 512,
				  .reproduce = "stressd run --run-dir again scenario.json" };
	return s;
}

static inline void sample_free(struct sample *s)
{
	free(s->f);
	free(s);
}

/* Put EVIL wherever foreign text can stand. */
static inline void sample_make_evil(struct sample *s)
{
	strcpy(s->r.reason, EVIL);
	strcpy(s->r.kernel, EVIL);
	strcpy(s->r.mount_options, EVIL);
	strcpy(s->r.run_dir, EVIL);
	strcpy(s->r.reproduce, EVIL);
	strcpy(s->workers[0].error, EVIL);
	s->notes[0] = s->dropped[0] = EVIL;
	for (size_t i = 0; i < s->r.nfindings; i++) {
		strcpy(s->f[i].sentence, EVIL);
		strcpy(s->f[i].ops[0].text, EVIL);
		s->f[i].log[0] = EVIL;
		strcpy(s->f[i].layers[LAYER_CACHE].text, EVIL);
		strcpy(s->f[i].expected_text, EVIL);
		strcpy(s->f[i].file, "a <b> & \"c\"");
	}
	snprintf(s->timeline.lanes[1], sizeof(s->timeline.lanes[1]), "<i onclick='x'>&\xff");
	snprintf(s->timeline.ops[1].text, sizeof(s->timeline.ops[1].text), "%s", EVIL);
	snprintf(s->timeline.marks[1].text, sizeof(s->timeline.marks[1].text), "%s", EVIL);
}

/* A format's output as a string; owned by the caller. */
static inline char *sample_render(const struct sample *s, const char *format)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(report_format_by_name(format)->write(&s->r, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static inline void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" in:\n%s", part, text);
}

#endif
