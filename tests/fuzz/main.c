// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stand-alone driver for fuzz entries, for compilers without libFuzzer: every file of the corpus
 * directories that it is given, as it is and then changed at random with a fixed seed.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/cleanup.h"

#define INPUT_MAX      65536
#define CHANGED_COPIES 5

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static size_t change(struct rng *rng, u8 *data, size_t size)
{
	for (u64 n = rng_below(rng, 16); n && size; n--) {
		size_t at = rng_below(rng, size), len = rng_below(rng, size - at);

		switch (rng_below(rng, 4)) {
		case 0:
			data[at] = (u8)rng_next(rng);
			break;
		case 1:
			data[at] ^= (u8)(1 << rng_below(rng, 8));
			break;
		case 2: /* drop a piece */
			memmove(data + at, data + at + len, size - at - len);
			size -= len;
			break;
		default: /* double a piece */
			len = MIN(len, INPUT_MAX - size);
			memmove(data + at + len, data + at, size - at);
			size += len;
		}
	}
	return size;
}

static void run_file(struct rng *rng, const char *path)
{
	static u8 seed[INPUT_MAX], data[INPUT_MAX];
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t size = f ? fread(seed, 1, sizeof(seed), f) : 0;

	if (!size)
		return;
	LLVMFuzzerTestOneInput(seed, size);
	for (int i = 0; i < CHANGED_COPIES; i++) {
		memcpy(data, seed, size);
		LLVMFuzzerTestOneInput(data, change(rng, data, size));
	}
}

int main(int argc, char **argv)
{
	struct rng rng = { 1 };
	size_t files = 0;

	for (int i = 1; i < argc; i++) {
		_cleanup_closedir_ DIR *dir = opendir(argv[i]);
		struct dirent *d;
		char path[4096];

		while (dir && (d = readdir(dir))) {
			snprintf(path, sizeof(path), "%s/%s", argv[i], d->d_name);
			if (d->d_name[0] != '.') {
				run_file(&rng, path);
				files++;
			}
		}
	}
	if (!files)
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY...; no input found\n", argv[0]);
	return files ? 0 : 1;
}
