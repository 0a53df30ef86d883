// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which findings are the same one: those of one kind with one title on one kind of filesystem. The
 * kernel log's titles are normalised where they are made (klog/titles.h); of data that is wrong the
 * kind says it all; the sentence of an error that nothing explains names operation and error, and
 * its numbers are left out.
 */
#include "store/internal.h"

#include "finding.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define SAID                                                                                       \
	(1ULL << FINDING_READ_ERROR | 1ULL << FINDING_UNEXPECTED_ERRNO |                           \
	 1ULL << FINDING_PROGRAM_FAILED | 1ULL << FINDING_FSCK)

/* A word that holds a '/' is a path; digits are a number, whatever stands before them. */
static size_t put_word(char *buf, size_t size, const char *word, size_t len)
{
	size_t at = 0;

	if (len > 1 && memchr(word, '/', len))
		return (size_t)snprintf(buf, size, "PATH");
	for (size_t i = 0; i < len && at + 1 < size;) {
		bool hex = word[i] == '0' && i + 2 < len && word[i + 1] == 'x';

		if (!isdigit((unsigned char)word[i])) {
			buf[at++] = word[i++];
			continue;
		}
		for (i += hex ? 2 : 1; i < len && (hex ? isxdigit((unsigned char)word[i])
						       : isdigit((unsigned char)word[i]));)
			i++;
		buf[at++] = 'N';
	}
	return at;
}

void store_title(const char *kind, const char *title, const char *sentence,
		 char buf[STORE_TITLE_MAX])
{
	int k = finding_by_name(kind);
	size_t at = 0;

	snprintf(buf, STORE_TITLE_MAX, "%s", title);
	if (*title || k < 0 || !(SAID >> k & 1))
		return;
	for (const char *p = sentence; *p && at + 8 < STORE_TITLE_MAX;) {
		size_t len = strcspn(p, " \t\n");

		if (len && at)
			buf[at++] = ' ';
		at += put_word(buf + at, STORE_TITLE_MAX - at, p, len);
		p += len + (p[len] != '\0');
	}
	buf[MIN(at, (size_t)STORE_TITLE_MAX - 1)] = '\0';
}

void store_hash(const char *kind, const char *title, const char *fs, char buf[STORE_HASH_MAX])
{
	const char *parts[] = { kind, title, fs };
	XXH64_hash_t hash = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		hash = XXH3_64bits_withSeed(parts[i], strlen(parts[i]) + 1, hash);
	snprintf(buf, STORE_HASH_MAX, "%016llx", (unsigned long long)hash);
}
