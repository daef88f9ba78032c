"""Draws are functions of their keys alone, and what makes them fast changes none of them."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tformance_seed.sampling.keyed_random import KeyedRandom, finalise
from tformance_seed.sampling.sobol import (
    MAX_DIMENSIONS,
    SobolSequence,
    direction_numbers,
    reverse_bits,
    sobol_points,
)
from tformance_seed.sources.synthetic.people import argsort_smallest

WORDS = st.integers(min_value=0, max_value=2**64 - 1)


def finalised(x: int) -> int:
    """Stafford's Mix13, as published, on one integer."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


@given(st.lists(WORDS, max_size=20))
def test_mix_is_the_published_finaliser(values):
    before = np.array(values, dtype=np.uint64)
    kept = before.copy()
    assert finalise(before).tolist() == [finalised(value) for value in values]
    assert (before == kept).all()


def test_mix_keeps_the_shape():
    assert finalise(np.uint64(7)) == finalised(7)
    assert np.ndim(finalise(np.uint64(7))) == 0
    assert finalise(np.zeros((2, 3), dtype=np.uint64)).shape == (2, 3)


@given(st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1), min_size=1, max_size=10), WORDS)
def test_a_draw_does_not_depend_on_what_is_drawn_beside_it(keys, other):
    random = KeyedRandom(42, "acme")
    together = random.random_bits("test", np.array(keys), np.uint64(other), "text")
    assert together.tolist() == [
        int(random.random_bits("test", key, np.uint64(other), b"text")) for key in keys
    ]
    grid = random.random_bits("test", np.array(keys)[:, None], np.array([other], dtype=np.uint64), "text")
    assert grid[:, 0].tolist() == together.tolist()


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint32, np.bool_, np.int64, np.uint64])
def test_the_type_of_a_key_does_not_matter(kind):
    random, values = KeyedRandom(42, "acme"), [0, 1, 1, 0]
    assert random.random_bits("test", np.array(values, dtype=kind)).tolist() == [
        int(random.random_bits("test", value)) for value in values
    ]


def test_days_and_seconds_of_the_same_moment_are_the_same_key():
    random, day = KeyedRandom(42, "acme"), datetime.date(2026, 3, 18)
    seconds = int(np.datetime64(day, "s").astype(np.int64))
    assert random.random_bits("test", np.array([day], "M8[D]"))[0] == random.random_bits("test", seconds)
    assert random.random_bits("test", np.datetime64(day)) == random.random_bits("test", seconds)


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
    """How often both of two values are below a share, for each of many organisations, as z-scores.

    Each value is below it for exactly its share of the ordinals. Of two independent scrambles of pairs the
    variance is at most twice that of independent random.
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


def of(name, *keys):
    return lambda random, ordinals: random.sobol(SobolSequence(name), ordinals, *keys)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("one", "repository"), of("other", "repository")),
        (of("one", "repository"), of("one", "another repository")),
        (of("one", 0), of("one", 1)),
        (
            of("one", 0),
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
    scores = overlaps(of("one", 0), of("one", 0), share)
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


@given(st.lists(WORDS, min_size=1, max_size=30, unique=True), st.integers(min_value=0, max_value=40))
def test_the_least_are_the_first_of_all_in_order(values, count):
    array = np.array(values, dtype=np.uint64)
    assert argsort_smallest(array, count)[:count].tolist() == np.argsort(array)[:count].tolist()
