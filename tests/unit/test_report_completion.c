// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * completions/stressd.bash, driven as bash drives it: words in, candidates out. A stub stands for
 * the program, so that only the completion is tested. Skipped (77) where there is no bash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

static char dir[] = "/tmp/stressd-completion-XXXXXX";

/* Candidates for @words, of which the last is being typed: sorted, each between two bars. */
static void complete(const char *words, char *buf, size_t size)
{
	char command[2048];
	FILE *p;
	size_t n;

	snprintf(command, sizeof(command),
		 "cd %s && bash --norc -c '. " SOURCE_DIR "/completions/stressd.bash;"
		 "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _stressd;"
		 "printf \"%%s\\n\" \"${COMPREPLY[@]}\" | LC_ALL=C sort | tr \"\\n\" \"|\"'",
		 dir, words);
	p = popen(command, "r");
	assert_non_null(p);
	buf[0] = '|';
	n = fread(buf + 1, 1, size - 2, p);
	buf[n + 1] = '\0';
	assert_int_equal(pclose(p), 0);
}

static void candidates(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
		{ "./stressd re", "|recover|report|repro|results|" },
		{ "./stressd c", "|cancel|caps|check|compare|" },
		{ "./stressd wa", "|watch|" },
		{ "./stressd submit s", "|some dir|some.json|" },
		{ "./stressd status --k", "||" },
		{ "./stressd daemon --co", "|--config|" },
		{ "./stressd matrix s", "|some dir|some.json|" },
		{ "./stressd compare s", "|some dir|" },
		{ "./stressd history --st", "|--store|" },
		{ "./stressd nothing-like-it", "||" },
		{ "./stressd run --j", "|--json|" },
		{ "./stressd run --run-d", "|--run-dir|" },
		{ "./stressd run s", "|some dir|some.json|" },
		{ "./stressd check s", "|some dir|some.json|" },
		{ "./stressd run --run-dir s", "|some dir|" },
		{ "./stressd run --run-dir = s", "|some dir|" },
		{ "./stressd vm --kernel some.t", "|some.txt|" },
		{ "./stressd repro --finding t", "|torn|" },
		{ "./stressd minimize s", "|some dir|some.json|" },
		{ "./stressd bisect-step --r", "|--rate|--run-dir|" },
		{ "./stressd list w", "|workers|" },
		{ "./stressd list workers m", "|mixer|mmap_writer|" },
		{ "./stressd list reports j", "|json|junit|" },
		{ "./stressd list --j", "|--json|" },
		{ "./stressd run --destroy /dev/nul", "|/dev/null|" },
		{ "./stressd run --output j", "|json|junit|" },
		{ "./stressd minimize --output some.j", "|some.json|" },
		{ "./stressd report --format t", "|text|" },
		{ "./stressd report s", "|some dir|" },
		{ "./stressd verify s", "|some dir|" },
	};
	char got[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		complete(rows[i].words, got, sizeof(got));
		if (strcmp(got, rows[i].want))
			fail_msg("%s: got %s, expected %s", rows[i].words, got, rows[i].want);
	}
}

/* What the stub prints stands for `stressd list`: names with their help, options indented. */
#define SET_UP                                                                                     \
	"cd %s && mkdir 'some dir' && touch some.json some.txt && cat >stressd <<'END'\n"          \
	"#!/bin/sh\n"                                                                              \
	"case $2 in\n"                                                                             \
	"workers) printf '%%s\\n' 'mmap_writer  stores' '    msync  often' 'mixer  mixes' ;;\n"    \
	"findings) printf '%%s\\n' 'torn  words' 'zeroed  zeros' ;;\n"                             \
	"reports) printf '%%s\\n' 'json  all' 'junit  for CI' 'text  for people' ;;\n"             \
	"esac\n"                                                                                   \
	"END\n"                                                                                    \
	"chmod +x stressd"

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(candidates),
	};
	char command[1024];
	int failed;

	if (system("bash --version >/dev/null 2>&1") != 0)
		return 77;
	if (!mkdtemp(dir))
		return 1;
	snprintf(command, sizeof(command), SET_UP, dir);
	failed = system(command) != 0;
	if (!failed)
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) != 0 || failed;
}
