// SPDX-License-Identifier: GPL-2.0-or-later
/* Patterns of good and bad layers, and the sentence for each. */
#include "report/layers.h"

bool layers_read(const struct finding *f)
{
	for (int i = 0; i < LAYERS; i++)
		if (f->layers[i].state != LAYER_NOT_READ)
			return true;
	return false;
}

/* The device is left out: what it holds may only be late, the others flush before they read. */
const char *layers_say(const struct finding *f)
{
	static const int disk[] = { LAYER_DIRECT, LAYER_DROPPED, LAYER_REMOUNTED };
	int cache = f->layers[LAYER_CACHE].state, direct = f->layers[LAYER_DIRECT].state;
	int good = 0, bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(disk); i++) {
		good += f->layers[disk[i]].state == LAYER_GOOD;
		bad += f->layers[disk[i]].state == LAYER_BAD;
	}
	if (cache == LAYER_BAD && good && !bad)
		return "The page cache is wrong; the disk has the right bytes.";
	if (cache == LAYER_GOOD && direct == LAYER_BAD && good && bad == 1)
		return "Page cache and disk have the right bytes; what the direct read returned "
		       "was wrong.";
	if (cache == LAYER_GOOD && bad && !good)
		return "The page cache has the right bytes; the disk has not.";
	if (cache == LAYER_BAD && bad && !good)
		return "Wrong in the page cache and on the disk.";
	return "";
}
