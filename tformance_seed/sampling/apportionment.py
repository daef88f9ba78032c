"""Proportional allocation in whole numbers, by the largest remainders (Hamilton's method)."""

import numpy as np

from tformance_seed.sampling.arrays import Floats, Ints


def apportion(totals: Ints, weights: Ints | Floats) -> Ints:
    """Divide each total into whole parts that are proportional to the weights and add up to the total.

    Parts are rounded down. The missing units go to the parts with the largest remainders; in a tie, to the
    first.

    Parameters:
      totals: the total of each row, not negative.
      weights: rows x parts. Either whole numbers, where a row of zeros gives parts of zero, or shares, where
        each row sums to 1.
    """
    divisors = np.maximum(weights.sum(axis=1), 1)[:, None] if weights.dtype.kind == "i" else 1.0
    quotients, remainders = np.divmod(totals[:, None] * weights, divisors)
    parts = quotients.astype(np.int64)
    missing = np.where(weights.any(axis=1), totals - parts.sum(axis=1), 0)
    rank = np.argsort(np.argsort(-remainders, axis=1, kind="stable"), axis=1, kind="stable")
    return parts + (rank < missing[:, None])
