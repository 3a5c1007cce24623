/*
 * mix.h
 *		Mixing of 64 bits.
 *
 * The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every input bit
 * changes every output bit with probability one half.  Samples and ties are
 * decided by it, so it must never change.
 */
#ifndef PERSONALIZE_MIX_H
#define PERSONALIZE_MIX_H

static inline uint64
mix64(uint64 x)
{
	x ^= x >> 30;
	x *= UINT64CONST(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64CONST(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

#endif
