// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every rule against its samples: tests/klog/NAME.match must give exactly one event of that rule,
 * with the title, severity and task in its first lines; NAME.near must not give that rule, nor
 * any event that a run would fail at. A rule without samples fails, as does a sample without rule.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "klog/rules.h"

#define SAMPLES SOURCE_DIR "/tests/klog/"

static const char *const severities[] = { "info", "notice", "warning", "error", "bug" };

struct sample {
	char title[160], severity[16], comm[17];
	int pid;
	struct klog *k;
	size_t nlines;
};

/* Change what differs between two runs of the same bug: addresses, CPU numbers, pids. */
static void vary(char *line)
{
	for (char *p = line; *p; p++) {
		if (!strncmp(p, "ffff8", 5))
			p[4] = '9';
		if (!strncmp(p, "CPU: 1", 6) || !strncmp(p, "CPU#2", 5))
			p[strcspn(p, "12")] = '7';
		if (!strncmp(p, "+0x", 3) && strchr("12345678abcde", p[3]))
			p[3]++;
		if (!strncmp(p, "loop0", 5))
			p[4] = '3';
	}
}

static void load(const char *name, const char *suffix, bool varied, struct sample *s)
{
	char path[512], line[4096];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), SAMPLES "%s.%s", name, suffix);
	f = fopen(path, "re");
	if (!f)
		fail_msg("rule %s has no sample: write %s", name, path);
	*s = (struct sample){ .pid = -1 };
	assert_int_equal(klog_open_memory(&s->k), 0);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "# title: %159[^\n]", s->title) == 1 ||
		    sscanf(line, "# severity: %15s", s->severity) == 1 ||
		    sscanf(line, "# pid: %d", &s->pid) == 1 ||
		    sscanf(line, "# comm: %16[^\n]", s->comm) == 1 || !strncmp(line, "# ", 2))
			continue;
		if (varied)
			vary(line);
		klog_feed(s->k, line, NSEC_PER_SEC);
		s->nlines++;
	}
	klog_finish(s->k);
}

static void matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < klog_nrules; i++) {
		const struct klog_event *e;
		struct sample s;

		load(klog_rules[i].name, "match", false, &s);
		e = klog_event(s.k, 0);
		if (!e)
			fail_msg("%s.match gives no event", klog_rules[i].name);
		if (klog_count(s.k) != 1)
			fail_msg("%s.match gives a second event: %s", klog_rules[i].name,
				 klog_event(s.k, 1)->title);
		assert_string_equal(e->rule, klog_rules[i].name);
		assert_string_equal(e->title, s.title);
		assert_string_equal(severities[e->severity], s.severity);
		assert_int_equal(e->finding, klog_rules[i].finding);
		if (s.pid >= 0)
			assert_int_equal(e->pid, s.pid);
		if (*s.comm)
			assert_string_equal(e->comm, s.comm);
		klog_close(s.k);
	}
}

/* The first line of every splat is kept, and so is its last. */
static void blocks_are_whole(void **state)
{
	static const char *const whole[] = { "kasan",	  "folio-check", "bad-page-state",
					     "kfence",	  "kcsan",	 "ubsan",
					     "refcount",  "null-deref",	 "kernel-bug",
					     "warning",	  "hung-task",	 "lockdep-circular",
					     "slab",	  "rcu-stall",	 "busy-inodes",
					     "xfs-assert" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		struct sample s;

		load(whole[i], "match", false, &s);
		if (klog_event(s.k, 0)->nlines != s.nlines)
			fail_msg("%s: %zu of %zu lines kept", whole[i], klog_event(s.k, 0)->nlines,
				 s.nlines);
		klog_close(s.k);
	}
}

/* Of a line that kernels word in several ways, each is known. */
static void all_forms_are_known(void **state)
{
	static const char *const worded[] = { "xfs-errortag", "jbd2-data", "jbd2-error", "ext4-recorded" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(worded); i++) {
		struct sample s;

		load(worded[i], "match", false, &s);
		assert_int_equal(klog_event(s.k, 0)->repeats + 1, s.nlines);
		klog_close(s.k);
	}
}

static void titles_are_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < klog_nrules; i++) {
		struct sample s;

		load(klog_rules[i].name, "match", true, &s);
		assert_non_null(klog_event(s.k, 0));
		assert_string_equal(klog_event(s.k, 0)->title, s.title);
		klog_close(s.k);
	}
}

static void near_misses(void **state)
{
	(void)state;
	for (size_t i = 0; i < klog_nrules; i++) {
		struct sample s;

		load(klog_rules[i].name, "near", false, &s);
		assert_true(s.nlines > 0);
		for (size_t n = 0; n < klog_count(s.k); n++) {
			const struct klog_event *e = klog_event(s.k, n);

			if (!strcmp(e->rule, klog_rules[i].name) || e->severity >= SEV_WARNING)
				fail_msg("%s.near gives \"%s\" (%s)", klog_rules[i].name, e->title,
					 e->rule);
		}
		klog_close(s.k);
	}
}

static void samples_have_rules(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir(SAMPLES);
	struct dirent *d;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((d = readdir(dir))) {
		char *dot = strrchr(d->d_name, '.');

		if (!dot || (strcmp(dot, ".match") && strcmp(dot, ".near")))
			continue;
		*dot = '\0';
		if (rules_by_name(d->d_name) == RULE_NONE)
			fail_msg("sample %s has no rule", d->d_name);
		n++;
	}
	assert_int_equal(n, 2 * klog_nrules);
}

/* What rules.def promises: anchors, so that prefixes can be compared, unique names, help. */
static void table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < klog_nrules; i++) {
		const struct klog_rule *r = &klog_rules[i];
		int depth = 0, class = 0;

		assert_int_equal(r->pattern[0], '^');
		for (const char *p = r->pattern; *p; p++) {
			if (*p == '\\' && p[1])
				p++;
			else if (class || *p == '[')
				class = *p != ']';
			else if (*p == '(' || *p == ')')
				depth += *p == '(' ? 1 : -1;
			else if (*p == '|' && depth == 0)
				fail_msg("%s: alternatives outside parentheses", r->name);
		}
		assert_true(*r->title && *r->help);
		assert_int_equal(rules_by_name(r->name), (int)i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),      cmocka_unit_test(matches),
		cmocka_unit_test(blocks_are_whole),    cmocka_unit_test(titles_are_stable),
		cmocka_unit_test(all_forms_are_known), cmocka_unit_test(near_misses),
		cmocka_unit_test(samples_have_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
