"""Ragged arrays: child rows stored in one flat array, grouped by parent."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.sampling.arrays import Ints


def expand_counts(counts: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Return each row's parent, and its position among the rows of that parent, starting at 0.

    Parameters:
      counts: the number of rows of each parent.
    """
    counts = np.asarray(counts, dtype=np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(group_starts(counts), counts)


def group_starts(counts: Ints) -> Ints:
    """Return the first row of each parent; all rows are in the order of their parents."""
    starts: Ints = np.cumsum(counts) - counts
    return starts


def group_offsets(owner: Ints, parents: int) -> tuple[Ints, Ints]:
    """Return the first row and the number of rows of each of ``parents`` parents.

    The rows of a parent are adjacent, and parents may be in any order. Rows with parent -1 have no parent. A
    parent without rows has offset 0.
    """
    starts, counts = np.zeros(parents, dtype=np.int64), np.zeros(parents, dtype=np.int64)
    heads = np.flatnonzero(np.diff(owner, prepend=-2))
    heads = heads[owner[heads] >= 0]
    starts[owner[heads]] = heads
    counts += np.bincount(owner[owner >= 0], minlength=parents)
    return starts, counts


def sort_within_groups(values: npt.NDArray[Any], owner: Ints) -> npt.NDArray[Any]:
    """Return the values, sorted in ascending order within each parent; the rows of a parent are adjacent."""
    group = np.cumsum(np.diff(owner, prepend=-2) != 0)
    return values[np.lexsort((values, group))]


def cumulative_sums(values: Ints, counts: Ints) -> Ints:
    """Return running sums that restart with each group; all counts are positive.

    They are computed as differences of sums over all rows, which are exact only for whole numbers.
    """
    sums = np.cumsum(values)
    starts = group_starts(counts)
    within: Ints = sums - np.repeat(sums[starts] - values[starts], counts)
    return within


def differences(sums: Ints, counts: Ints) -> Ints:
    """Return the values whose ``cumulative_sums`` are ``sums``; the inverse of that function."""
    parts = np.diff(sums, prepend=0)
    starts = group_starts(counts)
    parts[starts] = sums[starts]
    return parts


def split_totals(totals: Ints, counts: Ints, weights: Ints) -> Ints:
    """Split the total of each parent into parts of at least 1, roughly in proportion to weights.

    Parameters:
      totals, counts: for each parent, the total to split and the number of parts; 1 <= count <= total.
      weights: the positive weight of each part.
    """
    sums = cumulative_sums(weights, counts)
    group_sums = np.repeat(sums[np.cumsum(counts) - 1], counts)
    return 1 + differences(sums * np.repeat(totals - counts, counts) // group_sums, counts)
