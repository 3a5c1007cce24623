#!/usr/bin/env python3
"""A second implementation of the similarity formula, in numpy, from its description alone.
usage: reference.py TRAIN.tsv OUTPUT.tsv G Q S NEIGHBORS HISTORY [time]

TRAIN: subject <TAB> item [<TAB> quantity <TAB> time], no header, integers.  With "time" a history
is the HISTORY most recent items of a subject, of those with the same time the ones with the highest
numbers; without it, it is all of them.
OUTPUT: subject <TAB> rank <TAB> item, the 20 best of every subject that it does not have, be it ever so long ago.

c_ij = sum of d_u^-G over the subjects u that have both, d_u being the length of a history;
raw_ij = (c_ij / d_j^Q)^S, d_j being the number of histories with j; the NEIGHBORS highest of each i
are kept and divided by their sum; the score of j is the sum over a history.
"""
import sys

import numpy as np


def histories(columns, limit, by_time):
    subject, item = columns[0], columns[1]
    if by_time:
        order = np.lexsort((-columns[1], -columns[3], subject))
        subject, item = subject[order], item[order]
        starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
        place = np.arange(len(subject)) - np.repeat(starts, np.diff(np.r_[starts, len(subject)]))
        subject, item = subject[place < limit], item[place < limit]
    pairs = np.unique(np.stack([subject, item], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def ranges(starts, ends, values):
    """The concatenation of values[starts[n]:ends[n]]."""
    lengths = ends - starts
    offsets = np.repeat(starts - np.r_[0, np.cumsum(lengths)[:-1]], lengths)
    return values[np.arange(lengths.sum()) + offsets], lengths


def train(subject, item, n_subjects, n_items, g, q, s, neighbors):
    d_u = np.bincount(subject, minlength=n_subjects)
    d_j = np.bincount(item, minlength=n_items)
    ends = np.cumsum(d_u)
    starts = ends - d_u
    by_item = np.argsort(item, kind='stable')
    item_ends = np.cumsum(d_j)
    weight = np.where(d_u > 0, np.maximum(d_u, 1) ** -g, 0)
    damping = np.maximum(d_j, 1) ** -q
    targets, values = [], []
    for i in range(n_items):
        who = subject[by_item[item_ends[i] - d_j[i]:item_ends[i]]]
        together, lengths = ranges(starts[who], ends[who], item)
        c = np.bincount(together, np.repeat(weight[who], lengths), minlength=n_items)
        c[i] = 0
        found = np.flatnonzero(c)
        raw = (c[found] * damping[found]) ** s
        if len(found) > neighbors:
            best = np.argpartition(-raw, neighbors - 1)[:neighbors]
            found, raw = found[best], raw[best]
        targets.append(found)
        values.append((raw / raw.sum()).astype(np.float32) if len(found) else raw)
    return targets, values, starts, ends


def main():
    source, output = sys.argv[1:3]
    g, q, s = map(float, sys.argv[3:6])
    neighbors, limit = map(int, sys.argv[6:8])
    columns = np.loadtxt(source, dtype=np.int64, ndmin=2).T
    subjects, columns[0] = np.unique(columns[0], return_inverse=True)
    items, columns[1] = np.unique(columns[1], return_inverse=True)
    subject, item = histories(columns, limit, 'time' in sys.argv[8:])
    owner, owned = histories(columns, None, False)
    targets, values, starts, ends = train(subject, item, len(subjects), len(items), g, q, s, neighbors)
    with open(output, 'w') as out:
        for u in range(len(subjects)):
            history = item[starts[u]:ends[u]]
            scores = np.bincount(np.concatenate([targets[i] for i in history]),
                                 np.concatenate([values[i] for i in history]), minlength=len(items))
            scores[owned[np.searchsorted(owner, u):np.searchsorted(owner, u, 'right')]] = 0
            order = np.lexsort((items, -scores))[:20]
            for rank, j in enumerate(order[scores[order] > 0], 1):
                out.write('%d\t%d\t%d\n' % (subjects[u], rank, items[j]))


if __name__ == '__main__':
    main()
