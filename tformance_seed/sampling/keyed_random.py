"""Random values without a stream: each is a function of the seed, the organisation, a purpose and keys.

``uniform`` and the methods built on it are independent hashes of their keys: the SplitMix64 finaliser by
Steele, Lea and Flood (OOPSLA 2014), with the constants of Stafford's "Mix13". ``sobol`` is for values that
must match a calibration closely even in a small sample: it returns a scrambled Sobol point at the entity's
own ordinal. It does not depend on the order of generation either, because the ordinal belongs to the entity,
but the values of any run of consecutive ordinals are evenly spread.
"""

import functools
import hashlib
from collections import abc
from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Texts, UInt64
from tformance_seed.sampling.sobol import SobolSequence, owen_scramble, sobol_points

#: A key: an int, a str, bytes, a date, an array of dates, or an array of ints. Arrays are broadcast.
Key = Any

#: Weyl increment of SplitMix64: the odd integer nearest to 2^64 / golden ratio.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

#: Shifts and factors of the finaliser.
SHIFTS, FACTORS = (30, 27, 31), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)

#: Number of bits of a hash that do not fit in a float.
SPARE_BITS = np.uint64(11)

#: A bit that is set in every identifier, so that none is small.
IDENTIFIER_BIT = np.int64(1 << 40)

_MASK = 2**64 - 1
_SHIFT_1, _SHIFT_2, _SHIFT_3 = (np.uint64(shift) for shift in SHIFTS)
_FACTOR_1, _FACTOR_2 = (np.uint64(factor) for factor in FACTORS)
_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def finalise(values: npt.ArrayLike) -> UInt64:
    """Apply the SplitMix64 finaliser, a bijection that mixes the bits well, to 64-bit integers."""
    hashes: UInt64 = finalise_in_place(np.array(values, dtype=np.uint64, ndmin=1)).reshape(np.shape(values))[
        ()
    ]
    return hashes


def finalise_in_place(x: UInt64) -> UInt64:
    """Apply ``finalise`` in place to an array with at least one dimension, and return the array."""
    shifted = x >> _SHIFT_1
    x ^= shifted
    x *= _FACTOR_1
    np.right_shift(x, _SHIFT_2, out=shifted)
    x ^= shifted
    x *= _FACTOR_2
    np.right_shift(x, _SHIFT_3, out=shifted)
    x ^= shifted
    return x


def finalise_integer(x: int) -> int:
    """Apply ``finalise`` to a single integer, without the cost of an array."""
    for shift, factor in zip(SHIFTS, FACTORS, strict=False):
        x = (x ^ (x >> shift)) * factor & _MASK
    return x ^ (x >> SHIFTS[-1])


@functools.lru_cache(maxsize=4096)
def text_key(text: str | bytes) -> int:
    """Return 64 bits of the BLAKE2b hash of a text, for random values that are keyed by names."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def text_keys(texts: abc.Sequence[str | bytes] | npt.NDArray[Any]) -> UInt64:
    """Return the ``text_key`` of each text, as an array."""
    listed = texts.tolist() if isinstance(texts, np.ndarray) else texts
    hashes = {text: text_key(text) for text in set(listed)}  # texts are often repeated
    return np.fromiter(map(hashes.__getitem__, listed), dtype=np.uint64, count=len(listed))


def _hash_key(key: Key) -> UInt64 | int:
    """Hash a key: return an integer for a scalar, or a new array for an array."""
    if isinstance(key, str | bytes):
        key = text_key(key)
    if isinstance(key, int | np.integer):
        return finalise_integer(int(key) + int(GOLDEN) & _MASK)
    array = np.asarray(key)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[s]")
    if array.ndim == 0:
        return _hash_key(int(array.astype(np.int64)))
    if array.dtype.itemsize < 8:
        array = array.astype(np.int64)
    return finalise_in_place(array.view(np.uint64) + GOLDEN)


class KeyedRandom:
    """The random values of one organisation for one seed.

    Every method takes a purpose, which makes values for different purposes independent, and keys, which
    identify the entity that the value describes. Keys are broadcast against one another, and the result has
    the resulting shape.

    Parameters:
      seed: any integer.
      organisation: the organisation's slug.
    """

    def __init__(self, seed: int, organisation: str) -> None:
        self._root = text_key(f"{seed}\x00{organisation}")

    def random_bits(self, purpose: str, *keys: Key) -> UInt64:
        """Return 64 random bits for each combination of the keys."""
        state: UInt64 | int = finalise_integer(self._root ^ text_key(purpose))
        for key in keys:
            hashed = _hash_key(key)
            if not isinstance(state, int):
                other = np.uint64(hashed) if isinstance(hashed, int) else hashed
                state = finalise_in_place((state + GOLDEN) ^ other)
            elif isinstance(hashed, int):
                state = finalise_integer((state + int(GOLDEN) & _MASK) ^ hashed)
            else:
                hashed ^= np.uint64(state + int(GOLDEN) & _MASK)
                state = finalise_in_place(hashed)
        if not isinstance(state, int):
            return state
        scalar: UInt64 = np.array(state, dtype=np.uint64)[()]  # behaves like an array without dimensions
        return scalar

    def uniform(self, purpose: str, *keys: Key, low: float = 0.0, high: float = 1.0) -> Floats:
        """Return uniform values in [low, high)."""
        unit = (self.random_bits(purpose, *keys) >> SPARE_BITS).astype(np.float64)
        unit *= 2.0**-53
        return unit if low == 0.0 and high == 1.0 else low + (high - low) * unit

    def integers(self, purpose: str, *keys: Key, low: int, high: int) -> Ints:
        """Return whole numbers from ``low`` to ``high``, both included."""
        return np.floor(self.uniform(purpose, *keys, low=low, high=high + 1)).astype(np.int64)

    def chance(self, purpose: str, probability: float | Floats, *keys: Key) -> Booleans:
        """Return True with the given probability, for each combination of the keys (a Bernoulli trial)."""
        return self.uniform(purpose, *keys) < probability

    def pick(self, purpose: str, weights: npt.ArrayLike, *keys: Key) -> npt.NDArray[np.intp]:
        """Return an index into ``weights``, drawn in proportion to them, for each combination of the keys."""
        bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(bounds[:-1] / bounds[-1], self.uniform(purpose, *keys), side="right")

    def identifier(self, purpose: str, *keys: Key) -> Ints:
        """Return positive integers below 2^53, which every JSON reader represents exactly."""
        return (self.random_bits(purpose, *keys) >> SPARE_BITS).astype(np.int64) | IDENTIFIER_BIT

    def hexadecimal(self, purpose: str, *keys: Key) -> Texts:
        """Return strings of 40 hexadecimal digits, like a commit's SHA-1, as an ``S40`` array."""
        words = [np.atleast_1d(self.random_bits(f"{purpose}/{word}", *keys)) for word in range(3)]
        raw = np.stack(words, axis=-1).astype(">u8").view(np.uint8)[..., :20]
        nibbles = np.stack([raw >> 4, raw & 15], axis=-1).reshape(*raw.shape[:-1], 40)
        return _HEX_DIGITS[nibbles].view("S40")[..., 0]

    def sobol(
        self, sequence: SobolSequence, ordinal: npt.ArrayLike, *keys: Key, dimension: str | None = None
    ) -> Floats:
        """Return uniform values in [0, 1) that are evenly spread over any run of consecutive ordinals.

        Parameters:
          ordinal: the entity's position in its own sequence (a pull request's number), modulo 2^32.
          keys: the owner of the sequence (a repository); different keys give independent sequences.
          dimension: one of the sequence's dimensions; may be omitted if there is only one.
        """
        number = sequence.index(dimension)
        ordinals = np.asarray(ordinal, dtype=np.int64).astype(np.uint32)
        shuffle = self.random_bits(f"sobol-shuffle/{sequence.name}", *keys).astype(np.uint32)
        scramble = self.random_bits(f"sobol/{sequence.name}/{number}", *keys).astype(np.uint32)
        points = owen_scramble(sobol_points(owen_scramble(ordinals, shuffle), number), scramble)
        # 21 more bits, so that the values have the same resolution as those of ``uniform``.
        fine = self.random_bits(f"sobol-fine/{sequence.name}/{number}", ordinal, *keys) >> np.uint64(43)
        return points.astype(np.float64) * 2.0**-32 + fine.astype(np.float64) * 2.0**-53
