// SPDX-License-Identifier: GPL-2.0-or-later
/* Points that can be died at. */
#include "base/step.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VICTIMS	  64
#define MARK	  ":change"
#define POINT_MAX 200

static struct {
	char who[32];
	int pidfd; /* by number one could hit a stranger, once it was reaped */
} victims[VICTIMS];
static int nvictims;
static pid_t owner; /* who counts: others are forked with the numbers that there were */

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
	if (!strcmp(who, "pause"))
		kill(getpid(), SIGSTOP);
}

/* @plan: WHO:N, or WHO:change:N. */
static void reached(const char *plan, bool is_change, int number, const char *name)
{
	const char *colon = strrchr(plan, ':'), *end = colon;
	char who[32];

	if (!strcmp(plan, "list"))
		fprintf(stderr, "%s %d: %s\n", is_change ? "change" : "step", number, name);
	if (!colon || atoi(colon + 1) != number)
		return;
	if (end - plan > (long)strlen(MARK) && !strncmp(end - strlen(MARK), MARK, strlen(MARK)))
		end -= strlen(MARK);
	if ((end != colon) != is_change || end - plan >= (long)sizeof(who))
		return;
	memcpy(who, plan, (size_t)(end - plan));
	who[end - plan] = '\0';
	kill_named(who);
}

void step(const char *name)
{
	const char *plan = getenv("STRESSD_KILL");
	static int number;

	if (!plan)
		return;
	if (!owner)
		owner = getpid();
	reached(plan, false, ++number, name);
}

void change(const char *verb, const char *what)
{
	const char *plan;
	static int number;
	char name[POINT_MAX];
	int before = errno;

	if (!owner || owner != getpid())
		return;
	plan = getenv("STRESSD_KILL");
	if (!plan)
		return;
	snprintf(name, sizeof(name), "%.60s %.130s", verb, what);
	reached(plan, true, ++number, name);
	errno = before;
}
