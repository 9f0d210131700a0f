"""Labels that stay as they were, while that is near enough."""

from __future__ import annotations

import numpy as np

from livekm.core.kernels.blocks import P1, P2, P3, P4
from livekm.core.kernels.compiler import WORD, differences, inline_exact_jit, trailing_zeros

_I = np.int64
_U = np.uint64


@inline_exact_jit
def differ(before, nearest, n):
    """Tell whether any label of a block is not what it was before."""
    found = _U(0)
    for start in range(0, _I(n), WORD):
        found |= differences(before, nearest, start)
    return found != _U(0)


@inline_exact_jit
def stick(
    x, n, spacing, centers, biases, slack, most, reach, excess, before, nearest, best,
    old_scores, likely, gained, lost,
):  # fmt: skip
    """Give a pixel its previous label back while it is within the slack of the bisector.

    The distance of x beyond the bisector of an old center a and a new center b is
    (|x - a|^2 - |x - b|^2) / (2 |a - b|); `slack` holds hysteresis * |a - b| for each pair. Most
    pixels that change are far beyond it, which their old center's score tells in vectors, where it
    is among `old_scores`; what is left is looked at one by one.

    Pixels that have got back their label a are counted in `gained` of a and `lost` of b: with one
    count for both, each pixel would wait for the one before it. Returns what they add to the
    scores.

    Parameters
    ----------
    most, reach : float32
        The largest slack, without and with what is rounded in `excess`.
    excess : (k,) float32
        The least by which each center's score is above the best in this block.
    old_scores : (BLOCK,) float32
        The score of the label before where that was compared, else -inf.
    likely : (BLOCK,) uint8
        Written: the label before where it may come back, else the nearest.
    """
    for i in range(n):
        was, new = before[i], nearest[i]
        likely[i] = was if old_scores[i] - best[i] <= most else new
    added = _I(0)
    k = _U(biases.shape[0])
    for start in range(0, _I(n), WORD):
        changed = differences(likely, nearest, start)
        while changed != _U(0):
            i = _U(start) + trailing_zeros(changed)
            changed &= changed - _U(1)
            old, new = _U(before[i]), _U(nearest[i])
            if old >= k or excess[old] > reach:  # it did not count, or is far from all of the block
                continue
            score = biases[old]
            score -= centers[0, old] * x[i]
            score -= centers[1, old] * x[P1 + i]
            score -= centers[2, old] * x[P2 + i]
            if spacing is not None:
                score -= centers[3, old] * x[P3 + i] + centers[4, old] * x[P4 + i]
            worse = score - best[i]
            keep = _I(worse <= slack[old, new])  # no branch, which could not be predicted
            nearest[i] = np.uint8(new + (old - new) * _U(keep))
            gained[old] += keep
            lost[new] += keep
            added += _I(worse) * keep
    return added
