// SPDX-License-Identifier: GPL-2.0-or-later
/* PID 1: bring up, run, go down. What fails is said to the host, on the port when there is one
 * and else on the console. */
#include "vm/guest.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/utsname.h>

#define CONSOLE_LEVEL 8
#define WARNINGS_ONLY 5

int guest_say(int port, u32 type, const char *text)
{
	return frame_write(port, &(struct frame){ .type = type,
						  .data = text,
						  .len = (u32)strnlen(text, FRAME_DATA_MAX) });
}

static void complain(int port, const struct err *e)
{
	_cleanup_close_ int console = -1;

	if (port >= 0 && guest_say(port, FRAME_FAIL, e->text) == 0)
		return;
	console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (console >= 0)
		dprintf(console, "\n" GUEST_COMPLAINS "%s\n", e->text);
}

static int bring_up(int *ret_port, struct err *e)
{
	struct utsname u;
	int r = guest_devices(e);

	if (r == 0)
		r = guest_open_port(ret_port, e);
	if (r < 0)
		return r;
	uname(&u);
	r = guest_say(*ret_port, FRAME_HELLO, u.release);
	if (r < 0)
		return err_set(e, r, "the results port does not work: %s", strerror(-r));
	/* An emulated serial line is slow, and whoever prints waits for it: from here on only what
	 * may be a finding. All of it is in kernel.log. */
	klogctl(CONSOLE_LEVEL, NULL, WARNINGS_ONLY);
	return guest_root(e);
}

void vm_guest(void)
{
	struct err e = { "" };
	int port = -1, r;

	signal(SIGPIPE, SIG_IGN);
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	r = bring_up(&port, &e);
	if (r == 0)
		r = guest_run(port, &e);
	if (r < 0)
		complain(port, &e);
	else
		frame_write(port, &(struct frame){ .type = FRAME_DONE });
	sync();
	reboot(RB_POWER_OFF);
	/* No power to turn off: a restart ends QEMU as well. PID 1 must not return. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
