/*
 * records.h
 *		Records of subjects and items: a 16-byte header and the key.
 */
#ifndef PERSONALIZE_RECORDS_H
#define PERSONALIZE_RECORDS_H

#include "similarity/similarity.h"

extern void *sim_record_at(Page page, SimPageKind kind, OffsetNumber offset);
extern Size sim_record_size(TypedKey *key, Datum value);
extern void *
sim_record_form(TypedKey *key, Datum value, uint64 hash, Size size);
extern OffsetNumber sim_record_add(Page page, void *record, Size size);
extern Buffer sim_record_buffer(SimIndex *ix, SimPageKind kind, Size size);

#endif
