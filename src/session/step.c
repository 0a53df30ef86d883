// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps that can be died at. */
#include "session/step.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VICTIMS 64

static struct {
	char who[32];
	int pidfd; /* by number one could hit a stranger, once it was reaped */
} victims[VICTIMS];
static int nvictims;

void step_register(const char *who, int pid)
{
	int fd;

	if (nvictims == VICTIMS || !getenv("STRESSD_KILL"))
		return;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return;
	snprintf(victims[nvictims].who, sizeof(victims[0].who), "%s", who);
	victims[nvictims++].pidfd = fd;
}

static void kill_named(const char *who)
{
	for (int i = 0; i < nvictims; i++)
		if (!strcmp(victims[i].who, who) || !strcmp(who, "both"))
			syscall(SYS_pidfd_send_signal, victims[i].pidfd, SIGKILL, NULL, 0);
	if (!strcmp(who, "coordinator") || !strcmp(who, "both"))
		kill(getpid(), SIGKILL);
}

void step(const char *name)
{
	static int number;
	const char *plan = getenv("STRESSD_KILL"), *colon;
	char who[32];

	if (!plan)
		return;
	number++;
	colon = strrchr(plan, ':');
	if (!strcmp(plan, "list"))
		fprintf(stderr, "step %d: %s\n", number, name);
	if (!colon || atoi(colon + 1) != number || colon - plan >= (long)sizeof(who))
		return;
	memcpy(who, plan, (size_t)(colon - plan));
	who[colon - plan] = '\0';
	kill_named(who);
}
