"""Random values are functions of their keys alone, however they are computed."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tformance_seed.sampling.keyed_random import KeyedRandom, finalise

WORDS = st.integers(min_value=0, max_value=2**64 - 1)


def finalised(x: int) -> int:
    """Return Stafford's Mix13 of one integer, as published."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


@given(st.lists(WORDS, max_size=20))
def test_finalise_is_the_published_function(values):
    before = np.array(values, dtype=np.uint64)
    kept = before.copy()
    assert finalise(before).tolist() == [finalised(value) for value in values]
    assert (before == kept).all()


def test_finalise_keeps_the_shape():
    assert finalise(np.uint64(7)) == finalised(7)
    assert np.ndim(finalise(np.uint64(7))) == 0
    assert finalise(np.zeros((2, 3), dtype=np.uint64)).shape == (2, 3)


@given(st.lists(st.integers(min_value=-(2**63), max_value=2**63 - 1), min_size=1, max_size=10), WORDS)
def test_a_value_does_not_depend_on_the_others(keys, other):
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
