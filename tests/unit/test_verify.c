// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle's truth table: states of a cell down, contents across, the judgement where they meet.
 * A state is a script of what happened to the cell, with | where the reader took its first view.
 */
#include "shadow_fixture.h"

#include "verify.h"

#include <string.h>

#define CELL	3
#define SETTLED 5 /* every script starts with five writes done */
#define OTHERS	11
#define CUT_AT	99
#define CUT_END 301

/* Who writes a generation, in these tests. */
static u16 writer_of(u32 gen)
{
	return (u16)(2 + gen % 3);
}

static void stamp(u8 *dst, u64 run, u16 file, u64 cell, u32 gen)
{
	struct stamp id = {
		.run = run, .gen = gen, .file = file, .writer = writer_of(gen), .cell = cell
	};

	stamp_fill(dst, FIX_CELL, &id);
}

static void flip(u8 *dst, u32 bits)
{
	for (u32 i = 0; i < bits; i++)
		dst[(i * 31 + 7) % FIX_CELL] ^= (u8)(1 << i % 8);
}

/* dst[from..to) becomes that of generation @gen of the cell. */
static void patch(u8 *dst, u32 gen, u32 from, u32 to)
{
	u8 other[FIX_CELL];

	stamp(other, FIX_RUN, 0, CELL, gen);
	memcpy(dst + from, other + from, to - from);
}

/* The columns, in their order. */
static const char columns[] = "s567489 0 XrFM bB mytzcun g";

/* clang-format off: tables */
static void content(char column, u8 *dst)
{
	stamp(dst, FIX_RUN, 0, CELL, SETTLED);
	switch (column) {
	case 's':
		break;
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		stamp(dst, FIX_RUN, 0, CELL, (u32)(column - '0'));
		break;
	case '0':
		memset(dst, 0, FIX_CELL);
		break;
	case 'X':
		prefill_fill(dst, FIX_CELL, 1 << 20);
		break;
	case 'r':
		stamp(dst, FIX_RUN + 1, 0, CELL, SETTLED);
		break;
	case 'F':
		stamp(dst, FIX_RUN, 1, 8, OTHERS);
		break;
	case 'M':
		stamp(dst, FIX_RUN, 0, 8, OTHERS);
		break;
	case 'b':
		flip(dst, 1);
		break;
	case 'B':
		flip(dst, 16);
		break;
	case 'm':
		patch(dst, 6, 64, 256);
		break; /* words of 5 and 6 */
	case 'y':
		patch(dst, 6, 0, 259);
		break; /* ... that meet within a word */
	case 't':
		patch(dst, 4, 64, 256);
		break; /* words of 5 and 4 */
	case 'z':
		memset(dst + 64, 0, 192);
		break; /* words of 5 and zeros */
	case 'c':
		memset(dst + CUT_AT, 0, CUT_END - CUT_AT);
		break;
	case 'u':
		patch(dst, 7, 200, 512);
		break; /* words of 5 and 7 */
	case 'n':
		stamp(dst, FIX_RUN, 1, 8, OTHERS);
		patch(dst, 7, 0, 64);
		break;
	case 'g':
		memset(dst, 0xa5, FIX_CELL);
		break;
	}
}

static void settle(struct shadow_fixture *x, enum outcome how)
{
	shadow_settle(&x->sh, x->f, CELL, 1, how, false);
}

static void begin(struct shadow_fixture *x, enum cell_kind kind)
{
	u32 gen = CELL_GEN(shadow_view(shadow_cell(&x->sh, x->f, CELL)).flight) + 1;

	assert_int_equal(shadow_begin(&x->sh, x->f, CELL, 1, writer_of(gen), kind, 0), 1);
}

/* -: nobody reshapes the file; b y k v: begin a write, a punch, a cut, a move; d f m: it is done,
 * failed, maybe; K V: a cut, a move done. */
static struct cell_view play(struct shadow_fixture *x, const char *script)
{
	struct cell_view s = { 0 };

	for (; *script; script++) {
		switch (*script) {
		case 'b':
			begin(x, CELL_STAMP);
			break;
		case 'y':
			begin(x, CELL_ZERO);
			break;
		case 'k':
			begin(x, CELL_CUT);
			break;
		case 'v':
			begin(x, CELL_MOVED);
			break;
		case 'd':
			settle(x, OUTCOME_DONE);
			break;
		case 'f':
			settle(x, OUTCOME_FAILED);
			break;
		case 'm':
			settle(x, OUTCOME_MAYBE);
			break;
		case 'K':
			begin(x, CELL_CUT);
			shadow_settle_as(&x->sh, x->f, CELL, CELL_CUT, writer_of(SETTLED),
					 CUT(SETTLED, CUT_AT, CUT_END));
			break;
		case 'V':
			begin(x, CELL_MOVED);
			shadow_settle_as(&x->sh, x->f, CELL, CELL_MOVED, writer_of(OTHERS),
					 ORIGIN(1, 8, OTHERS));
			break;
		case '-':
			x->f->reshaped = 0;
			break;
		case '|':
			s = shadow_view(shadow_cell(&x->sh, x->f, CELL));
			break;
		default:
			break;
		}
	}
	return s;
}

/* . legal, ? open, and a letter for each finding. */
static char letter(enum judgement j, const struct verdict *v)
{
	static const char kinds[FINDING_KINDS] = {
		[FINDING_LOST_WRITE] = 'L',	[FINDING_ZEROED] = 'Z',
		[FINDING_STALE_EXPOSURE] = 'S', [FINDING_RESURRECTED] = 'R',
		[FINDING_TORN] = 'T',		[FINDING_MISPLACED] = 'M',
		[FINDING_FOREIGN] = 'F',	[FINDING_BIT_FLIP] = 'B',
		[FINDING_PHANTOM] = 'P',
	};

	if (j == JUDGED_WRONG)
		return v->kind >= 0 && kinds[v->kind] ? kinds[v->kind] : '!';
	return j == JUDGED_LEGAL ? '.' : '?';
}

static const struct {
	const char *what, *script, *want;
} table[] = {
	/*                                               s567489 0 XrFM bB mytzcun g */
	{ "settled", "|", "..PPLPP Z SSFM BB SSTZSSS S" },
	{ "write under way", "b|", "...PLPP Z SSFM BB ..TZSSS S" },
	{ "write done meanwhile", "|bd", "...PLPP Z SSFM BB ..TZSSS S" },
	{ "write began meanwhile", "|b", "...PLPP Z SSFM BB ..TZSSS S" },
	{ "write ended meanwhile", "b|d", "...PLPP Z SSFM BB ..TZSSS S" },
	{ "write failed before", "bf|", "..PPLPP Z SSFM BB TSTZSSS S" },
	{ "write failed meanwhile", "b|f", "...PLPP Z SSFM BB ..TZSSS S" },
	{ "failed before, next begins", "bf|b", "..P.LPP Z SSFM BB TSTZS.S S" },
	{ "twenty failed before", "bfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbf|b",
	  "..PPLPP Z SSFM BB TSTZSTS S" },
	{ "maybe", "bm|", "...PLPP Z SSFM BB ..TZSSS S" },
	{ "maybe, then failed", "bmbf|", "....LPP Z SSFM BB ..TZS.S S" },
	{ "maybe, then done", "bmbd|", "LLL.LPP Z SSFM SS TSTTSTS S" },
	{ "maybe, twenty failed", "bmbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbf|",
	  "....L.. Z SSFM ?? ??????? ?" },
	{ "three writes meanwhile", "|bdbdbd", "....... . SS.. ?? ..?...? ?" },
	{ "... on a file not reshaped", "-|bdbdbd", "....L.P Z SSFM BB ..TZS.S S" },
	{ "begun, done, next meanwhile", "-b|db", "....LPP Z SSFM BB ..TZS.S S" },
	{ "punch under way", "y|", "...PLPP . SSFM BB ..T..SS S" },
	{ "punch failed before", "yf|", "..PPLPP Z SSFM BB TSTZSSS S" },
	{ "punch maybe", "ym|", "...PLPP . SSFM BB ..T..SS S" },
	{ "punched", "yd|", "RRRPRPP . SSFM SS TSTRRSS S" },
	{ "punched and rewritten", "ydbd|", "LLL.LPP Z SSFM SS TSTTSTS S" },
	{ "punched meanwhile", "|yd", "...PRPP . SSFM BB ..T..SS S" },
	{ "punched, written meanwhile", "|ydbd", "....... . SS.. ?? ..?...? ?" },
	{ "cut under way", "k|", "...PLPP . SSFM BB ..T..SS S" },
	{ "cut", "K|", "RRLPLPP Z SSFM SS TSTR.SS S" },
	{ "cut meanwhile", "|K", "...PLPP Z SSFM BB ..TZ.SS S" },
	{ "cut maybe", "km|", "...PLPP . SSFM BB ..T..SS S" },
	{ "moved here", "V|", "LLLPLPP Z SS.M SS TSTTSSS S" },
	{ "moved here meanwhile", "|V", "....... . SS.. ?? ..?..?? ?" },
	{ "write over moved", "Vb|", "LLL.LPP Z SS.M SS TSTTST. S" },
	{ "moving here", "v|", "....... . SS.. ?? ..?..?? ?" },
	{ "move maybe", "vm|", "....... . SS.. ?? ..?..?? ?" },
	{ "move maybe, then written", "vmbd|", "LLL.LPP Z SSFM SS TSTTSTS S" },
};

/* clang-format on */
static void row(size_t i, char *got)
{
	struct shadow_fixture x;
	struct cell_view s;
	size_t c;

	fixture_make(&x, false);
	x.f->reshaped = 1;
	play(&x, "bdbdbdbdbd");
	s = play(&x, table[i].script);
	for (c = 0; columns[c]; c++) {
		u8 bytes[FIX_CELL];
		struct verdict v;

		got[c] = ' ';
		if (columns[c] == ' ')
			continue;
		content(columns[c], bytes);
		got[c] = letter(verify_cell(&x.sh, x.f, CELL, bytes, 0, FIX_CELL, s, &v), &v);
	}
	got[c] = 0;
	fixture_free(&x);
}

static void truth_table(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char got[sizeof(columns)];

		row(i, got);
		if (strcmp(got, table[i].want)) {
			print_error("%-28s    %s\n  judged %s\n  wanted %s\n", table[i].what,
				    columns, got, table[i].want);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

static enum judgement judge(struct shadow_fixture *x, const u8 *bytes, u32 from, u32 to,
			    struct cell_view s, struct verdict *v)
{
	return verify_cell(&x->sh, x->f, CELL, bytes, from, to, s, v);
}

/* A cell of a bare hole: nothing was ever written. */
static void a_hole_is_zeros(void **state)
{
	static const char want[] = "PPPPPPP . SSFM BB SSSS.SS S";
	struct shadow_fixture x;
	struct cell_view s;

	(void)state;
	fixture_make(&x, false);
	s = play(&x, "|");
	for (size_t c = 0; columns[c]; c++) {
		u8 bytes[FIX_CELL] = { 0 };
		struct verdict v = { 0 };

		if (columns[c] == 'b' || columns[c] == 'B')
			flip(bytes, columns[c] == 'b' ? 1 : 16);
		else if (columns[c] != 'c')
			content(columns[c], bytes);
		if (columns[c] != ' ')
			assert_int_equal(letter(judge(&x, bytes, 0, FIX_CELL, s, &v), &v), want[c]);
	}
	fixture_free(&x);
}

static void a_few_bits_are_a_flip(void **state)
{
	static const char *const states[] = { "|", "b|", "K|", "V|", "bf|", "yd|" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct shadow_fixture x;
		struct cell_view s;

		fixture_make(&x, false);
		play(&x, "bdbdbdbdbd");
		s = play(&x, states[i]);
		for (u32 bits = 0; bits <= 17; bits++) {
			u8 bytes[FIX_CELL];
			struct verdict v;

			assert_true(verify_expected(&x.sh, x.f, CELL, s, bytes));
			flip(bytes, bits);
			assert_int_equal(letter(judge(&x, bytes, 0, FIX_CELL, s, &v), &v),
					 bits == 0    ? '.'
					 : bits <= 16 ? 'B'
						      : 'S');
			if (bits == 1)
				assert_int_equal(v.where, 7);
		}
		fixture_free(&x);
	}
}

/* Any part of a cell is judged as the whole would be, at odd bytes too. */
static void parts_are_judged(void **state)
{
	static const struct {
		const char *script;
		char good, bad;
	} rows[] = {
		{ "|", 's', '6' },   { "b|", '6', '4' },  { "b|", 'y', '4' },
		{ "yd|", '0', 's' }, { "K|", 'c', 's' },  { "V|", 'F', 'M' },
		{ "bm|", 'm', 't' }, { "bf|", 's', '6' }, { "-|bdbdbd", '7', '4' },
	};
	static const u32 parts[][2] = { { 0, 512 },   { 0, 301 }, { 7, 512 },  { 90, 310 },
					{ 100, 300 }, { 0, 130 }, { 65, 255 }, { 0, 200 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
			u8 good[FIX_CELL], bad[FIX_CELL];
			struct shadow_fixture x;
			struct cell_view s;
			struct verdict v;

			fixture_make(&x, false);
			x.f->reshaped = 1;
			play(&x, "bdbdbdbdbd");
			s = play(&x, rows[i].script);
			content(rows[i].good, good);
			content(rows[i].bad, bad);
			assert_int_equal(judge(&x, good, parts[p][0], parts[p][1], s, &v),
					 JUDGED_LEGAL);
			assert_int_equal(judge(&x, bad, parts[p][0], parts[p][1], s, &v),
					 JUDGED_WRONG);
			/* prefill shows whatever else is open, from an odd byte too */
			content('X', bad);
			assert_int_equal(judge(&x, bad, parts[p][0], parts[p][1], s, &v),
					 JUDGED_WRONG);
			assert_int_equal(v.kind, FINDING_STALE_EXPOSURE);
			fixture_free(&x);
		}
	}
}

/* A part that does not show the header is named as the whole would be. */
static void parts_have_names(void **state)
{
	static const struct {
		const char *script;
		char column;
		int kind;
	} rows[] = {
		{ "|", '4', FINDING_LOST_WRITE },    { "|", '0', FINDING_ZEROED },
		{ "|", 't', FINDING_TORN },	     { "|", 'g', FINDING_STALE_EXPOSURE },
		{ "yd|", 's', FINDING_RESURRECTED }, { "K|", 's', FINDING_RESURRECTED },
		{ "yd|", 'c', FINDING_RESURRECTED }, { "bf|", '6', FINDING_PHANTOM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 bytes[FIX_CELL];
		struct shadow_fixture x;
		struct cell_view s;
		struct verdict v;

		fixture_make(&x, false);
		play(&x, "bdbdbdbdbd");
		s = play(&x, rows[i].script);
		content(rows[i].column, bytes);
		assert_int_equal(judge(&x, bytes, 90, 310, s, &v), JUDGED_WRONG);
		assert_int_equal(v.kind, rows[i].kind);
		fixture_free(&x);
	}
}

/* A cell in change by somebody who does not go on is unknown, and nobody waits for it. */
static void a_cell_in_change_is_unknown(void **state)
{
	u8 old[FIX_CELL], new[FIX_CELL], stale[FIX_CELL];
	struct shadow_fixture x;
	struct cell_view s;
	struct verdict v;

	(void)state;
	fixture_make(&x, false);
	play(&x, "bdbdbdbdbdv");
	atomic_fetch_or(&shadow_cell(&x.sh, x.f, CELL)->settled, CELL_UPDATING);
	s = shadow_view(shadow_cell(&x.sh, x.f, CELL));
	content('s', old);
	content('F', new);
	content('X', stale);
	assert_int_equal(judge(&x, old, 0, FIX_CELL, s, &v), JUDGED_LEGAL);
	assert_int_equal(judge(&x, new, 0, FIX_CELL, s, &v), JUDGED_LEGAL);
	assert_int_equal(judge(&x, stale, 0, FIX_CELL, s, &v), JUDGED_WRONG);
	fixture_free(&x);
}

/* Two to four writers of one cell, all under way at once, then done one by one, then one more. */
static void write_cell(struct shadow_fixture *x, u64 cell)
{
	assert_int_equal(shadow_begin(&x->sh, x->f, cell, 1, 2, CELL_STAMP, 0), 1);
	shadow_settle(&x->sh, x->f, cell, 1, OUTCOME_DONE, false);
}

static enum judgement judge_generation(struct shadow_fixture *x, u64 cell, u32 gen)
{
	struct cell_view s = shadow_view(shadow_cell(&x->sh, x->f, cell));
	struct stamp id = { .run = FIX_RUN, .gen = gen, .writer = 2, .cell = cell };
	u8 bytes[FIX_CELL] = { 0 };
	struct verdict v;

	if (gen)
		stamp_fill(bytes, sizeof(bytes), &id);
	return verify_cell(&x->sh, x->f, cell, bytes, 0, FIX_CELL, s, &v);
}

/* A sync that fails with EIO has told of a loss: back to the last good sync everything is legal,
 * for what was dirty then and for no other cell, until it is written again. */
static void a_told_error_allows_the_old(void **state)
{
	enum { SYNCED, DIRTY, NEVER_SYNCED, LATER };
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	write_cell(&x, SYNCED);
	write_cell(&x, DIRTY);
	sync_commit(x.f, sync_begin(x.f));
	for (u32 gen = 2; gen <= 3; gen++)
		write_cell(&x, DIRTY);
	write_cell(&x, NEVER_SYNCED);
	/* before the error: only what was written last */
	for (u32 gen = 0; gen <= 3; gen++)
		assert_int_equal(judge_generation(&x, DIRTY, gen),
				 gen == 3 ? JUDGED_LEGAL : JUDGED_WRONG);
	sync_begin(x.f);
	sync_failed(x.f);
	write_cell(&x, LATER);
	write_cell(&x, LATER);
	assert_int_equal(judge_generation(&x, SYNCED, 0), JUDGED_WRONG);
	assert_int_equal(judge_generation(&x, SYNCED, 1), JUDGED_LEGAL);
	for (u32 gen = 0; gen <= 4; gen++)
		assert_int_equal(judge_generation(&x, DIRTY, gen),
				 gen >= 1 && gen <= 3 ? JUDGED_LEGAL : JUDGED_WRONG);
	assert_int_equal(judge_generation(&x, NEVER_SYNCED, 0), JUDGED_LEGAL);
	assert_int_equal(judge_generation(&x, NEVER_SYNCED, 1), JUDGED_LEGAL);
	assert_int_equal(judge_generation(&x, LATER, 1), JUDGED_WRONG);
	assert_int_equal(judge_generation(&x, LATER, 2), JUDGED_LEGAL);
	/* written again, it is certain again */
	write_cell(&x, DIRTY);
	assert_int_equal(judge_generation(&x, DIRTY, 3), JUDGED_WRONG);
	assert_int_equal(judge_generation(&x, DIRTY, 4), JUDGED_LEGAL);
	fixture_free(&x);
}

static void shared_cells(void **state)
{
	(void)state;
	for (u32 n = 2; n <= 4; n++) {
		u8 bytes[FIX_CELL], other[FIX_CELL];
		struct shadow_fixture x;
		struct cell_view s;
		struct verdict v;

		fixture_make(&x, true);
		play(&x, "bdbdbdbdbd");
		for (u32 i = 0; i < n; i++)
			play(&x, "b");
		for (u32 done = 0; done <= n; done++, play(&x, done <= n ? "d" : "")) {
			s = play(&x, "|");
			for (u32 gen = SETTLED - 1; gen <= SETTLED + n + 1; gen++) {
				bool legal = gen <= SETTLED + n && gen >= SETTLED + (done > 0);

				stamp(bytes, FIX_RUN, 0, CELL, gen);
				assert_int_equal(judge(&x, bytes, 0, FIX_CELL, s, &v),
						 legal ? JUDGED_LEGAL : JUDGED_WRONG);
				assert_int_equal(judge(&x, bytes, 33, 400, s, &v),
						 legal ? JUDGED_LEGAL : JUDGED_WRONG);
			}
			stamp(bytes, FIX_RUN, 0, CELL, SETTLED + 1);
			stamp(other, FIX_RUN, 0, CELL, SETTLED + n);
			memcpy(bytes + 128, other + 128, 256);
			assert_int_equal(judge(&x, bytes, 0, FIX_CELL, s, &v), JUDGED_LEGAL);
			memset(bytes, 0, sizeof(bytes));
			assert_int_equal(judge(&x, bytes, 0, FIX_CELL, s, &v), JUDGED_WRONG);
		}
		/* one alone, done: it is what is there, and nothing that came before */
		s = play(&x, "bd|");
		stamp(bytes, FIX_RUN, 0, CELL, SETTLED + n + 1);
		assert_int_equal(judge(&x, bytes, 0, FIX_CELL, s, &v), JUDGED_LEGAL);
		assert_int_equal(judge(&x, other, 0, FIX_CELL, s, &v), JUDGED_WRONG);
		assert_int_equal(v.kind, FINDING_LOST_WRITE);
		fixture_free(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truth_table),
		cmocka_unit_test(a_hole_is_zeros),
		cmocka_unit_test(a_few_bits_are_a_flip),
		cmocka_unit_test(parts_are_judged),
		cmocka_unit_test(parts_have_names),
		cmocka_unit_test(a_cell_in_change_is_unknown),
		cmocka_unit_test(a_told_error_allows_the_old),
		cmocka_unit_test(shared_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
