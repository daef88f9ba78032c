"""Parts are whole, in proportion, and sum to their total."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tformance_seed.sampling.apportionment import apportion


def test_shares_of_repositories_are_whole_and_complete():
    shares = np.array([[0.48, 0.24, 0.16, 0.12]])
    assert apportion(np.array([10]), shares).tolist() == [[5, 2, 2, 1]]
    assert apportion(np.array([1]), shares).tolist() == [[1, 0, 0, 0]]


@given(
    st.integers(min_value=0, max_value=10**6),
    st.lists(st.integers(min_value=0, max_value=1000), min_size=1, max_size=6).filter(any),
)
def test_parts_sum_to_the_total_and_are_within_one_of_the_exact_share(total, weights):
    parts = apportion(np.array([total]), np.array([weights]))[0]
    assert parts.sum() == total
    exact = np.array(weights) * total / sum(weights)
    assert parts == pytest.approx(exact, abs=1)


def test_a_row_without_weights_gets_nothing():
    assert apportion(np.array([5, 5]), np.array([[0, 0], [1, 1]])).tolist() == [[0, 0], [3, 2]]
