/*
 * degree.h
 *		With how many others an identifier is linked.
 */
#ifndef PERSONALIZE_DEGREE_H
#define PERSONALIZE_DEGREE_H

#include "evidence/evidence.h"

extern int stored_degree(Tables *tables, int64 id);

#endif
