"""Ragged arrays: rows by parent, and what is computed within each parent."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tformance_seed.sampling.ragged import (
    cumulative_sums,
    differences,
    expand_counts,
    group_offsets,
    sort_within_groups,
    split_totals,
)

GROUPS = st.lists(st.lists(st.integers(min_value=-1000, max_value=1000), min_size=1), min_size=1, max_size=8)


def test_counts_expand_to_parents_and_positions():
    owner, position = expand_counts([2, 0, 3])
    assert owner.tolist() == [0, 0, 2, 2, 2]
    assert position.tolist() == [0, 1, 0, 1, 2]


def test_offsets_ignore_rows_of_no_parent():
    starts, counts = group_offsets(np.array([-1, 2, 2, 0, -1]), 4)
    assert starts.tolist() == [3, 0, 1, 0]
    assert counts.tolist() == [1, 0, 2, 0]


@given(GROUPS)
def test_sums_are_those_of_each_group_alone(groups):
    values, counts = np.concatenate(groups), np.array(list(map(len, groups)))
    sums = cumulative_sums(values, counts)
    assert sums.tolist() == np.concatenate([np.cumsum(group) for group in groups]).tolist()
    assert differences(sums, counts).tolist() == values.tolist()


@given(GROUPS)
def test_values_are_sorted_within_each_group(groups):
    owner = np.repeat(np.arange(len(groups)), list(map(len, groups)))
    expected = [value for group in groups for value in sorted(group)]
    assert sort_within_groups(np.concatenate(groups), owner).tolist() == expected


def test_parts_are_at_least_one_and_follow_their_weights():
    parts = split_totals(np.array([10, 3, 1000]), np.array([2, 3, 2]), np.array([1, 1, 5, 5, 5, 1, 9]))
    assert parts.tolist() == [5, 5, 1, 1, 1, 100, 900]
