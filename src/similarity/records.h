/*
 * records.h
 *		Records of subjects and items: a header and the key.
 */
#ifndef PERSONALIZE_RECORDS_H
#define PERSONALIZE_RECORDS_H

#include "similarity/similarity.h"

extern void *sim_record_at(Page page, SimPageKind kind, OffsetNumber offset);
extern Size sim_record_size(SimPageKind kind, TypedKey *key, Datum value);
extern void *sim_record_form(SimPageKind kind, TypedKey *key, Datum value,
							 uint64 hash, Size size);
extern Datum
sim_record_key(SimPageKind kind, TypedKey *key, const void *record);
extern OffsetNumber sim_record_add(Page page, void *record, Size size);
extern Buffer sim_record_buffer(SimIndex *ix, SimPageKind kind, Size size);

#endif
