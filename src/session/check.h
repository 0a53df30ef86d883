/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The check of everything: every cell of every file, read through one layer after another, by the
 * coordinator when the workers have stopped and by `stressd verify` when everybody is dead. Knows
 * targets and the board; judges through verify.c alone.
 */
#ifndef STRESSD_CHECK_H
#define STRESSD_CHECK_H

#include "finding.h"
#include "ops/actor.h"
#include "target/target.h"

struct check {
	struct actor *actor; /* its files are open, but for the time of a remount */
	struct target *target;
	u64 layers; /* bit enum sc_layer */
	u64 done;   /* layers that were checked */
	u64 cells;  /* cells read, over all layers */
	u64 open;   /* ... of which nothing could be said */
	/* Called often with what is going on; takes sightings off the board. */
	void (*progress)(void *ctx);
	void *ctx;
	char notes[LAYERS][160]; /* why a layer was not checked, "" otherwise */
};

/* The filesystem went down: only what a remount brings back can be read, and sizes may be older. */
void check_after_down(struct check *c);
/* Check all layers asked for. 0, or -errno when a remount failed (text in @e). */
int check_all(struct check *c, struct err *e);
/* Fill in, for a finding with a cell, what each layer that can be read now holds. */
void check_layers_of(struct check *c, struct finding *f);

#endif
