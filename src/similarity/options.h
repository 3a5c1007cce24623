/*
 * options.h
 *		The storage parameters of a similarity index.
 */
#ifndef PERSONALIZE_OPTIONS_H
#define PERSONALIZE_OPTIONS_H

extern void sim_register_options(void);

#endif
