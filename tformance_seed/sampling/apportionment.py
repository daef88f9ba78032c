"""Proportional allocation in whole numbers, by the largest remainders (Hamilton's method)."""

import numpy as np

from tformance_seed.sampling.arrays import Floats, Ints


def apportion(totals: Ints, weights: Ints | Floats) -> Ints:
    """Divide each total into whole parts that are in proportion to weights and sum to it.

    Parts are rounded down; what is then missing goes to the largest remainders, the first of equal ones.

    Parameters:
      totals: of each row, not negative.
      weights: rows x parts. Whole numbers, of which a row of zeros gives zeros; or shares, each row of which
        sums to 1.
    """
    divisors = np.maximum(weights.sum(axis=1), 1)[:, None] if weights.dtype.kind == "i" else 1.0
    quotients, remainders = np.divmod(totals[:, None] * weights, divisors)
    parts = quotients.astype(np.int64)
    missing = np.where(weights.any(axis=1), totals - parts.sum(axis=1), 0)
    rank = np.argsort(np.argsort(-remainders, axis=1, kind="stable"), axis=1, kind="stable")
    return parts + (rank < missing[:, None])
