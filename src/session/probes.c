// SPDX-License-Identifier: GPL-2.0-or-later
/* The holds by kprobe of a scenario: which there are, and one for each process that has one. */
#include "session/session.h"

static struct probe_spec spec_of(const struct sc_hold *h)
{
	return (struct probe_spec){ .function = h->function,
				    .at_return = h->at_return,
				    .delay_ns = h->delay_ns,
				    .every = h->every };
}

int probes_probe(const struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->sc->nraces; i++) {
		const struct sc_race *race = &s->sc->races[i];

		for (size_t k = 0; k < race->nactors; k++) {
			struct probe_spec spec = spec_of(&race->actors[k].hold);
			int r = spec.function ? probe_check(&spec, e) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int probes_open(struct session *s, struct err *e)
{
	size_t n = 0;
	int r;

	for (size_t i = 0; i < s->ncrew; i++)
		n += s->crew[i].hold && s->crew[i].hold->function;
	if (!n)
		return 0;
	r = probe_board_open(&s->probes, s->crew[s->ncrew - 1].plan.id + 1U, e);
	for (size_t i = 0; i < s->ncrew && r == 0; i++)
		s->crew[i].plan.w.probes = s->probes.words;
	return r;
}

int probes_plant(struct session *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->ncrew && r == 0; i++) {
		const struct crew *c = &s->crew[i];
		struct probe_spec spec;

		if (!c->hold || !c->hold->function)
			continue;
		spec = spec_of(c->hold);
		r = probe_plant(&s->probes, c->plan.id, c->pid, &spec, e);
	}
	return r;
}

void probes_take_out(struct session *s)
{
	probe_board_close(&s->probes);
}
