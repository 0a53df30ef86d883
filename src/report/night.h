/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A night on one page: what is new first, then the matrix as a grid with the history of each of
 * its fields. Filled by whoever has the results of many runs; strings and arrays stay theirs. This
 * page knows no database and compares nothing: what is new is told to it.
 */
#ifndef STRESSD_REPORT_NIGHT_H
#define STRESSD_REPORT_NIGHT_H

#include "report/report.h"

/* What a night is to the one that it is compared with. The order is the order on the page. */
enum night_news {
	NEWS_NEW,
	NEWS_FLAKY,
	NEWS_KNOWN,
	NEWS_NOT_RUN, /* known, and nothing ran to its end that could find it */
	NEWS_FIXED,
	NEWS_KINDS
};
extern const char *const night_news_names[NEWS_KINDS]; /* "new", ..., "not-run", "fixed" */

/* One finding, however many runs of a field had it. */
struct night_finding {
	enum night_news news;
	size_t row, column;
	const char *kind, *sentence;
	const char
		*reason; /* why it is new or flaky, in words: "p = 0.003"; NULL: nothing to say */
	const char *report; /* its page, relative to this one; NULL: none */
	u64 hits, runs;	    /* of the field, in this night */
};

#define NIGHT_NOT_RUN 255

/* A row and a column of the matrix meet: the runs of one scenario on one kernel and target. */
struct night_field {
	u64 runs, failed, skipped, lost; /* lost: no verdict; runs 0: it is not of this matrix */
	const char *report;		 /* as above */
	/* Earlier nights, the oldest first: how many of a hundred runs failed, or NIGHT_NOT_RUN. */
	const u8 *history;
	size_t nhistory;
};

struct night_page {
	const char *name;	 /* "nightly" */
	const char *against;	 /* the night that it is compared with; NULL: none */
	struct timespec started; /* CLOCK_REALTIME */
	double took_s;
	u64 left;		    /* what was to be run, and was not yet */
	const char *const *rows;    /* scenarios */
	const char *const *columns; /* kernels and targets */
	size_t nrows, ncolumns;
	const struct night_field *fields;     /* row by row */
	const struct night_finding *findings; /* in any order */
	size_t nfindings;
};

/* Write the page; 0 or -errno, as the write of a struct report_format. */
int night_html(const struct night_page *n, FILE *out);

#endif
