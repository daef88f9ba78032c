"""Sobol sequences are evenly spread, and independent of one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tformance_seed.sampling.keyed_random import KeyedRandom
from tformance_seed.sampling.sobol import (
    MAX_DIMENSIONS,
    SobolSequence,
    direction_numbers,
    reverse_bits,
    sobol_points,
)


@given(st.lists(st.integers(min_value=0, max_value=2**32 - 1), min_size=1, max_size=20))
def test_bits_are_reversed(values):
    expected = [int(f"{value:032b}"[::-1], 2) for value in values]
    assert reverse_bits(np.array(values, dtype=np.uint32)).tolist() == expected
    assert reverse_bits(np.uint32(values[0])) == expected[0]


@given(st.integers(min_value=0, max_value=MAX_DIMENSIONS - 1), st.integers(min_value=0, max_value=2**32 - 1))
def test_a_sobol_point_is_the_sum_of_its_bits_directions(dimension, ordinal):
    expected = 0
    for bit, direction in enumerate(direction_numbers(dimension)):
        expected ^= direction if ordinal >> bit & 1 else 0
    assert sobol_points(np.array([ordinal], dtype=np.uint32), dimension).tolist() == [expected]


ALL_DIMENSIONS = SobolSequence("test", tuple(f"dimension {number}" for number in range(MAX_DIMENSIONS)))


@pytest.mark.parametrize("dimension", ALL_DIMENSIONS.dimensions)
def test_each_block_of_ordinals_has_one_value_in_each_part(dimension):
    values = KeyedRandom(42, "acme").sobol(
        ALL_DIMENSIONS, np.arange(64, 128), "repository", dimension=dimension
    )
    assert sorted((values * 64).astype(int).tolist()) == list(range(64))


def test_the_first_two_dimensions_are_jointly_spread():
    random, ordinals = KeyedRandom(42, "acme"), np.arange(64, 128)
    cells = [
        (random.sobol(ALL_DIMENSIONS, ordinals, "repository", dimension=name) * 8).astype(int)
        for name in ALL_DIMENSIONS.dimensions[:2]
    ]
    assert len(set(zip(*map(np.ndarray.tolist, cells), strict=True))) == 64


def overlaps(one, other, share, count=256):
    """Return how often both of two values are below a share, for each of many organisations, as z-scores.

    Each value is below it for exactly its share of the ordinals. Of two independent scrambles, the
    variance is at most twice that of independent values.
    """
    ordinals = np.arange(1, count + 1)
    scores = []
    for number in range(300):
        random = KeyedRandom(42, f"organisation {number}")
        first, second = one(random, ordinals) < share, other(random, ordinals) < share
        mean = first.sum() * second.sum() / count
        variance = mean * (count - first.sum()) * (count - second.sum()) / count / (count - 1)
        scores.append(((first & second).sum() - mean) / variance**0.5)
    return np.array(scores)


def sequence(name, *keys):
    return lambda random, ordinals: random.sobol(SobolSequence(name), ordinals, *keys)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sequence("one", "repository"), sequence("other", "repository")),
        (sequence("one", "repository"), sequence("one", "another repository")),
        (sequence("one", 0), sequence("one", 1)),
        (
            sequence("one", 0),
            lambda random, ordinals: random.sobol(ALL_DIMENSIONS, ordinals, 0, dimension="dimension 0"),
        ),
    ],
    ids=["two sequences", "two repositories", "two checks", "one of many dimensions"],
)
def test_two_sequences_are_independent(one, other, share):
    scores = overlaps(one, other, share)
    assert abs(scores.mean()) < 4 * 1.5 / len(scores) ** 0.5
    assert scores.std() < 1.7
    assert abs(scores).max() < 6.5


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_what_is_the_same_is_not_independent(share):
    scores = overlaps(sequence("one", 0), sequence("one", 0), share)
    assert scores.min() > 6.5


def test_a_key_of_many_values_is_as_many_sequences():
    random, checks = KeyedRandom(42, "acme"), np.array([0, 1, 0, 2])
    together = random.sobol(SobolSequence("test"), np.arange(4), "repository", checks)
    alone = [
        random.sobol(SobolSequence("test"), [ordinal], "repository", int(check))[0]
        for ordinal, check in enumerate(checks)
    ]
    assert together.tolist() == alone


@pytest.mark.parametrize("dimensions", [(), ("one", "one"), tuple(map(str, range(MAX_DIMENSIONS + 1)))])
def test_a_dimension_serves_one_purpose(dimensions):
    with pytest.raises(ValueError, match="different dimensions"):
        SobolSequence("test", dimensions)


def test_of_several_dimensions_one_is_named():
    with pytest.raises(ValueError, match="expected one of the dimensions dimension 0, dimension 1"):
        KeyedRandom(42, "acme").sobol(ALL_DIMENSIONS, 1)
