// SPDX-License-Identifier: GPL-2.0-or-later
/* dlopen(3), and a table of the calls. */
#include "daemon/mhd.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* Of the interface that the header has: what a linker would have written down. */
#define SONAME "libmicrohttpd.so.12"

const struct mhd *mhd_load(struct err *e)
{
	static struct mhd api;
	static void *handle;
	static const char *const names[] = {
#define X(name) "MHD_" #name,
		MHD_CALLS(X)
#undef X
	};
	void *calls[ARRAY_SIZE(names)];

	_Static_assert(sizeof(api) == sizeof(calls), "one pointer a call");
	if (handle)
		return &api;
	handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < ARRAY_SIZE(names) && handle; i++)
		if (!(calls[i] = dlsym(handle, names[i])))
			break;
		else if (i == ARRAY_SIZE(names) - 1)
			return memcpy(&api, calls, sizeof(api));
	err_set(e, -ENOENT, "%s; install libmicrohttpd (Debian: libmicrohttpd12)", dlerror());
	if (handle)
		dlclose(handle);
	handle = NULL;
	return NULL;
}
