/*
 * args.h
 *		Arguments of SQL functions: checks, defaults and keys.
 *
 * Few of the functions are STRICT, because a NULL option means its default
 * while a NULL source or k is a mistake; so arguments are taken through these.
 */
#ifndef PERSONALIZE_ARGS_H
#define PERSONALIZE_ARGS_H

#include "common/typed_key.h"
#include "datatype/timestamp.h"

/* Keys from an array argument, NULL elements left out. */
typedef struct KeyList
{
	bool given; /* false: the argument is NULL */
	int n;
	Datum *keys;
} KeyList;

/* All elements of an array argument as keys; those that are NULL have none. */
typedef struct KeyArray
{
	bool given; /* false: the argument is NULL */
	int n;
	Datum *keys;
	bool *nulls;
} KeyArray;

/* How keys leave a function: as text, or in a type that the caller named. */
typedef struct KeyOutput
{
	TypedKey *key;
	bool as_text;
	Oid domain; /* its constraints are checked, if valid */
	void *domain_cache;
} KeyOutput;

extern Oid arg_source(FunctionCallInfo fcinfo, int argno);
extern int arg_k(FunctionCallInfo fcinfo, int argno);
extern bool arg_bool(FunctionCallInfo fcinfo, int argno, bool value_if_null);

/* Microseconds, a month counting 30 days; 0 for NULL, otherwise positive. */
extern double interval_us(const Interval *interval);
extern double arg_half_life(FunctionCallInfo fcinfo, int argno);

/*
 * Arguments that must be there, and finite; `name` is for the message.  A
 * duration is positive, in microseconds, and knows no months, which have no
 * length of their own.
 */
extern void arg_not_null(FunctionCallInfo fcinfo, int argno, const char *name);
extern double arg_finite(FunctionCallInfo fcinfo, int argno, const char *name);
extern TimestampTz
arg_time(FunctionCallInfo fcinfo, int argno, const char *name);
extern int64 arg_duration(FunctionCallInfo fcinfo, int argno, const char *name);

/* The value itself if it is finite, for what arg_finite() cannot take. */
extern double finite_value(double value, const char *name);

/* An argument of any type, not NULL, as a key. */
extern Datum arg_key(FunctionCallInfo fcinfo, int argno, TypedKey *key);

/* An array argument of any element type, or an untyped '{...}', as keys. */
extern void arg_keys(FunctionCallInfo fcinfo, int argno, const char *name,
					 TypedKey *key, KeyList *list);

extern void arg_key_array(FunctionCallInfo fcinfo, int argno, const char *name,
						  TypedKey *key, KeyArray *array);

/*
 * Return keys as text, or, if type_argno >= 0, in that argument's type, which
 * must be the keys' own type but for domains.
 */
extern void key_output_init(KeyOutput *output, TypedKey *key,
							FunctionCallInfo fcinfo, int type_argno);

/* The same for keys of subjects, which the messages call so. */
extern void subject_output_init(KeyOutput *output, TypedKey *key,
								FunctionCallInfo fcinfo, int type_argno);
extern Datum key_output(KeyOutput *output, Datum value);

#endif
