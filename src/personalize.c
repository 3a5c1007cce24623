/*
 * personalize.c
 *		Loading of the module.
 */
#include "postgres.h"

#include "fmgr.h"

#include "component/component.h"
#include "similarity/options.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	sim_register_options();
	stitch_register_settings();
}
