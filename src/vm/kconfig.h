/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel was configured with, from its .config, from /proc/config.gz, or out of the kernel
 * itself (CONFIG_IKCONFIG). Knows no option by name.
 */
#ifndef STRESSD_VM_KCONFIG_H
#define STRESSD_VM_KCONFIG_H

#include "base/base.h"

struct kconfig_option {
	const char *name, *value; /* name without CONFIG_, value without quotes */
};

struct kconfig {
	struct kconfig_option *options; /* that are set, sorted by name */
	size_t n;
	char *text; /* what they point into */
};

/*
 * @path: a .config or /boot/config-RELEASE, config.gz, a vmlinux or a bzImage. 0, or -errno with
 * one line in @e that says what to give instead: -ENODATA: a kernel without CONFIG_IKCONFIG;
 * -ENOTSUP: one that is compressed with something not read here; -ENOEXEC: neither a configuration
 * nor a kernel; -EBADMSG: damaged. After success and after failure kconfig_free() releases it.
 */
int kconfig_read(const char *path, struct kconfig *ret, struct err *e);
/* "y", "m", or the value of the option @name, with or without CONFIG_; NULL: it is not set. */
const char *kconfig_get(const struct kconfig *c, const char *name);
void kconfig_free(struct kconfig *c);

#endif
