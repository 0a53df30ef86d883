// SPDX-License-Identifier: GPL-2.0-or-later
/* The second half of a run whose power was cut. */
#include "vm/cut.h"

#include "base/cleanup.h"
#include "base/proc.h"

#include <jansson.h>
#include <string.h>

#define EXIT_FINDING 1
#define EXIT_TROUBLE 3
#define VERIFY_NS    (600 * NSEC_PER_SEC)
#define SAID_MAX     MIB

int cut_check(const struct vm_options *o, struct err *e)
{
	const json_t *target = json_object_get(o->scenarios[0]->resolved, "target");
	const char *type = json_string_value(json_object_get(target, "type"));

	if (o->nscenarios > 1)
		return err_set(e, -EINVAL, "a power cut ends the guest; expected one scenario");
	if (!type || strcmp(type, "image") != 0)
		return err_set(e, -EINVAL,
			       "%s: only an image outlives a power cut; expected a target of type "
			       "image",
			       o->scenarios[0]->path);
	return 0;
}

int cut_verify(const struct vm_options *o, int status, struct err *e)
{
	const char *const argv[] = { "/proc/self/exe", "verify",   o->keep ? "--keep" : "--quiet",
				     "--quiet",	       o->run_dir, NULL };
	_cleanup_(proc_result_free) struct proc_result res = { 0 };
	int r = proc_run(argv, VERIFY_NS, SAID_MAX, &res, e);

	if (r < 0)
		return EXIT_TROUBLE;
	fwrite(res.output, 1, res.output_len, o->out);
	fflush(o->out);
	if (res.exit_code < 0)
		return err_set(e, EXIT_TROUBLE, "stressd verify %s did not come to its end%s",
			       o->run_dir, res.timed_out ? " in time" : "");
	return status == EXIT_FINDING ? status : res.exit_code;
}
