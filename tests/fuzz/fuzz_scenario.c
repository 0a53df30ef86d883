// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scenario parser against any bytes. Either a scenario comes back, which then loads again from
 * its resolved copy, or one line that has the shape of every error. Crashes are for ASan.
 */
#include "../scenario_sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void must(bool ok, const char *what, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_scenario: %s: %s\n", what, text);
	abort();
}

static void check_error(const char *text)
{
	const char *p = text + 2;

	must(!strncmp(text, "f:", 2) && *p >= '1' && *p <= '9', "no line", text);
	p += strspn(p, "0123456789");
	must(!strncmp(p, ": /", 3), "no pointer", text);
	must(strstr(p, "; expected ") != NULL, "says not what was expected", text);
	for (; *p; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7f, "control character", text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct scenario *sc = NULL, *again = NULL;
	struct err e = { "" };
	int r = scenario_parse_with(&sample_tables, "f", (const char *)data, len, &sc, &e);
	char *text;

	if (r < 0) {
		must(r == -EINVAL && !sc, "wrong error", e.text);
		check_error(e.text);
		return 0;
	}
	text = json_dumps(sc->resolved, 0);
	r = scenario_parse_with(&sample_tables, "f", text, strlen(text), &again, &e);
	must(r == 0, "the resolved copy does not load", e.text);
	must(json_equal(sc->resolved, again->resolved), "the resolved copy changed", text);
	free(text);
	scenario_free(sc);
	scenario_free(again);
	return 0;
}

#ifndef STRESSD_LIBFUZZER

#define ROUNDS	 6000
#define TEXT_MAX 8192

/* Pieces that parsers stumble over, put in wherever chance has it. */
static const char *const pieces[] = {
	"{",
	"}",
	"[",
	"]",
	"\"",
	",",
	":",
	"null",
	"true",
	"-1",
	"0",
	"1e999",
	"1.5",
	"\\u0000",
	"\\ud800",
	"\xff",
	"\xc3",
	"\n",
	"\"..\"",
	"\"8..1\"",
	"\"99999999999T\"",
	"\"type\"",
	"\"options\": {}",
	"18446744073709551616",
	"{}",
	"[]",
	"\"\"",
	"\"file\": \"more\"",
	"//",
};

/* Replace, remove, repeat or insert something at a random place of @text. */
static size_t mutate(char *text, size_t len, struct rng *rng)
{
	size_t at = rng_below(rng, len + 1), n = MIN(rng_below(rng, 24) + 1, len - at);
	const char *piece = pieces[rng_below(rng, ARRAY_SIZE(pieces))];
	size_t piece_len = strlen(piece);

	switch (rng_below(rng, 5)) {
	case 0:
		if (at < len)
			text[at] = (char)rng_next(rng);
		return len;
	case 1:
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 2:
		if (len + n > TEXT_MAX)
			return len;
		memmove(text + at + n, text + at, len - at);
		return len + n;
	case 3:
		return rng_below(rng, 8) ? len : at;
	default:
		if (len + piece_len > TEXT_MAX)
			return len;
		memmove(text + at + piece_len, text + at, len - at);
		memcpy(text + at, piece, piece_len);
		return len + piece_len;
	}
}

/* fuzz_scenario [SEED]: the same seed does the same. */
int main(int argc, char **argv)
{
	struct rng rng = { .state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1 };
	static char base[TEXT_MAX + 1], text[TEXT_MAX + 1];
	FILE *f = fopen(SOURCE_DIR "/tests/bad-scenarios/base.json", "r");
	size_t base_len = f ? fread(base, 1, TEXT_MAX, f) : 0;

	if (f)
		fclose(f);
	must(base_len > 0, "cannot read", "base.json");
	for (int i = 0; i < ROUNDS; i++) {
		size_t len = base_len;
		char *exact;

		memcpy(text, base, base_len);
		for (u64 n = rng_below(&rng, 4); n > 0; n--)
			len = mutate(text, len, &rng);
		/* Exactly as long as the text: ASan sees a read behind its end. */
		exact = malloc(len ? len : 1);
		must(exact != NULL, "out of memory", "");
		memcpy(exact, text, len);
		LLVMFuzzerTestOneInput((const u8 *)exact, len);
		free(exact);
	}
	return 0;
}

#endif
