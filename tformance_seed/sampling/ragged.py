"""Ragged arrays: the rows of a child table, which stand together by parent."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def ragged(counts: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows of a table that has ``counts[i]`` rows for parent i: each row's parent, its place there."""
    counts = np.asarray(counts, dtype=np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def group_offsets(owner: Ints, parents: int) -> tuple[Ints, Ints]:
    """Where the rows of each parent start in a table in which they stand together, and how many they are.

    Rows of parent -1 are left out; a parent without rows starts at 0.
    """
    starts, counts = np.zeros(parents, dtype=np.int64), np.zeros(parents, dtype=np.int64)
    heads = np.flatnonzero(np.diff(owner, prepend=-2))
    heads = heads[owner[heads] >= 0]
    starts[owner[heads]] = heads
    counts += np.bincount(owner[owner >= 0], minlength=parents)
    return starts, counts


def ascending(values: npt.NDArray[Any], owner: Ints) -> npt.NDArray[Any]:
    """The values of each parent in ascending order; rows of one parent stand together."""
    run = np.cumsum(np.diff(owner, prepend=-2) != 0)
    return values[np.lexsort((values, run))]


def running(values: Ints, counts: Ints) -> Ints:
    """Running sums within each parent of a table of positive ``counts``; exact, so whatever stands before."""
    sums = np.cumsum(values)
    starts = np.cumsum(counts) - counts
    return sums - np.repeat(sums[starts] - values[starts], counts)


def split(totals: Ints, counts: Ints, weights: Ints) -> Ints:
    """Parts, at least 1 each, that sum to the total of their parent, about in proportion to weights.

    Parameters:
      totals, counts: of each parent what to split and into how many parts; 1 <= count <= total.
      weights: of each part, positive.
    """
    upto = running(weights, counts)
    whole = np.repeat(upto[np.cumsum(counts) - 1], counts)
    return 1 + differences(upto * np.repeat(totals - counts, counts) // whole, counts)


def differences(sums: Ints, counts: Ints) -> Ints:
    """The inverse of ``running``."""
    parts = np.diff(sums, prepend=0)
    starts = np.cumsum(counts) - counts
    parts[starts] = sums[starts]
    return parts
