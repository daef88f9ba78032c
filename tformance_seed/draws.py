"""Random values without a stream: each is a function of a seed, an organisation, a purpose and keys.

Two kinds. ``uniform`` and what is built on it are independent hashes of their keys: the SplitMix64
finaliser of Steele, Lea and Flood (OOPSLA 2014), in the constants of Stafford's "Mix13". ``spread`` is for
values that must match a calibration closely even in a small sample: a Sobol point (direction numbers of
Joe and Kuo, 2008) at the entity's own ordinal, Owen-scrambled by hashing after Laine and Karras in the
form of Burley, "Practical Hash-based Owen Scrambling" (JCGT 9(4), 2020). It is just as free of order, since
the ordinal belongs to the entity; but any run of consecutive ordinals is evenly spread.
"""

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

UInt64 = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Key = Any  # an int, a str, bytes, a date array, or an array of ints; arrays broadcast

#: Weyl increment of SplitMix64, the odd integer nearest to 2^64 / golden ratio.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

#: Primitive polynomials and initial numbers of Joe and Kuo (new-joe-kuo-6) for Sobol dimensions 2 to 8:
#: degree, coefficients, initial direction numbers.
JOE_KUO = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
)

#: How many independent dimensions ``spread`` has.
DIMENSIONS = len(JOE_KUO) + 1


#: Shifts and factors of the finaliser.
SHIFTS, FACTORS = (30, 27, 31), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)

_MASK = 2**64 - 1
_SHIFTS = [np.uint64(shift) for shift in SHIFTS]
_FACTORS = [np.uint64(factor) for factor in FACTORS]


def mix(values: npt.ArrayLike) -> UInt64:
    """The SplitMix64 finaliser over 64-bit integers: a bijection that flips half of all bits."""
    x = np.array(values, dtype=np.uint64)  # a copy, which is changed in place
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        x ^= x >> shift
        x *= factor
    x ^= x >> _SHIFTS[-1]
    return x[()]


def _mixed(x: int) -> int:
    """``mix`` of one integer, without the cost of an array."""
    for shift, factor in zip(SHIFTS, FACTORS, strict=False):
        x = (x ^ (x >> shift)) * factor & _MASK
    return x ^ (x >> SHIFTS[-1])


@functools.lru_cache(maxsize=4096)
def text_key(text: str | bytes) -> int:
    """64 bits of BLAKE2b of a text, to key draws by names."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def text_keys(texts: Sequence[str | bytes] | npt.NDArray[Any]) -> UInt64:
    """``text_key`` of each text, as an array."""
    return np.fromiter((text_key(text) for text in texts), dtype=np.uint64, count=len(texts))


def _hashed(key: Key) -> UInt64 | int:
    """The hash of a key: an integer for a scalar, an array for an array."""
    if isinstance(key, str | bytes):
        key = text_key(key)
    if isinstance(key, int | np.integer):
        return _mixed(int(key) + int(GOLDEN) & _MASK)
    array = np.asarray(key)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[s]").astype(np.int64)
    if array.ndim == 0:
        return _hashed(int(array))
    return mix(
        (array.astype(np.int64).view if array.dtype.kind in "ib" else array.astype)(np.uint64) + GOLDEN
    )


class Draws:
    """Every draw of one organisation under one seed.

    Parameters:
      seed: any integer.
      organisation: the slug.
    """

    def __init__(self, seed: int, organisation: str) -> None:
        self._root = text_key(f"{seed}\x00{organisation}")

    def bits(self, purpose: str, *keys: Key) -> UInt64:
        """64 random bits for each combination of the keys, which broadcast against one another."""
        state: UInt64 | int = _mixed(self._root ^ text_key(purpose))
        for key in keys:
            hashed = _hashed(key)
            if isinstance(state, int):
                state = state + int(GOLDEN) & _MASK
                both = state ^ hashed if isinstance(hashed, int) else np.uint64(state) ^ hashed
            else:
                both = (state + GOLDEN) ^ (np.uint64(hashed) if isinstance(hashed, int) else hashed)
            state = _mixed(both) if isinstance(both, int) else mix(both)
        return np.uint64(state) if isinstance(state, int) else state  # type: ignore[return-value]

    def uniform(self, purpose: str, *keys: Key, low: float = 0.0, high: float = 1.0) -> Floats:
        """Uniform in [low, high)."""
        unit = (self.bits(purpose, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + (high - low) * unit

    def integers(self, purpose: str, *keys: Key, low: int, high: int) -> npt.NDArray[np.int64]:
        """Whole numbers from low to high, both included."""
        return np.floor(self.uniform(purpose, *keys, low=low, high=high + 1)).astype(np.int64)

    def chance(self, purpose: str, probability: npt.ArrayLike, *keys: Key) -> npt.NDArray[np.bool_]:
        """True with the given probability."""
        return self.uniform(purpose, *keys) < probability

    def pick(self, purpose: str, weights: npt.ArrayLike, *keys: Key) -> npt.NDArray[np.intp]:
        """An index into ``weights``, drawn in proportion to them."""
        bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(bounds[:-1] / bounds[-1], self.uniform(purpose, *keys), side="right")

    def identifier(self, purpose: str, *keys: Key) -> npt.NDArray[np.int64]:
        """A positive number below 2^53, which every JSON reader keeps exact."""
        return (self.bits(purpose, *keys) >> np.uint64(11)).astype(np.int64) | np.int64(1 << 40)

    def hexadecimal(self, purpose: str, *keys: Key) -> npt.NDArray[np.bytes_]:
        """40 hexadecimal digits, the form of a commit's SHA-1, as an ``S40`` array."""
        words = [np.atleast_1d(self.bits(f"{purpose}/{word}", *keys)) for word in range(3)]
        raw = np.stack(words, axis=-1).astype(">u8").view(np.uint8)[..., :20]
        digits = np.stack([raw >> 4, raw & 15], axis=-1).reshape(*raw.shape[:-1], 40)
        return np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[digits].view("S40")[..., 0]

    def spread(self, dimension: int, purpose: str, ordinal: npt.ArrayLike, *keys: Key) -> Floats:
        """Uniform in [0, 1), evenly spread over any run of consecutive ordinals.

        Parameters:
          dimension: 0 to ``DIMENSIONS`` - 1; values of different dimensions at the same ordinals are
            jointly well spread, so each purpose of one entity takes its own.
          ordinal: the entity's place in its own sequence (a pull request's number), modulo 2^32.
          keys: what the sequence belongs to (a repository); scalars.
        """
        points = _sobol(np.asarray(ordinal, dtype=np.int64).astype(np.uint32), dimension)
        seed = self.bits(f"spread/{purpose}/{dimension}", *keys).astype(np.uint32)
        fine = (self.bits(f"spread-fine/{purpose}", ordinal, *keys) >> np.uint64(43)).astype(np.float64)
        return _owen(points, seed).astype(np.float64) * 2.0**-32 + fine * 2.0**-53


@functools.cache
def _directions(dimension: int) -> npt.NDArray[np.uint32]:
    """The 32 direction numbers of a Sobol dimension."""
    if dimension == 0:
        return np.array([1 << (31 - bit) for bit in range(32)], dtype=np.uint32)
    degree, coefficients, initial = JOE_KUO[dimension - 1]
    numbers = [m << (31 - bit) for bit, m in enumerate(initial)]
    for bit in range(degree, 32):
        value = numbers[bit - degree] ^ (numbers[bit - degree] >> degree)
        for step in range(1, degree):
            if coefficients >> (degree - 1 - step) & 1:
                value ^= numbers[bit - step]
        numbers.append(value)
    return np.array(numbers, dtype=np.uint32)


def _sobol(ordinals: npt.NDArray[np.uint32], dimension: int) -> npt.NDArray[np.uint32]:
    points = np.zeros_like(ordinals)
    used = int(ordinals.max()).bit_length() if ordinals.size else 0
    for bit, direction in enumerate(_directions(dimension)[:used]):
        points ^= np.where(ordinals >> np.uint32(bit) & np.uint32(1), direction, np.uint32(0))
    return points


def _reverse_bits(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
        s, m = np.uint32(shift), np.uint32(mask)
        x = ((x >> s) & m) | ((x & m) << s)
    return (x >> np.uint32(16)) | (x << np.uint32(16))


def _owen(points: npt.NDArray[np.uint32], seed: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Nested uniform scrambling, constants of Burley's listing 3 (after Vegdahl)."""
    with np.errstate(over="ignore"):
        x = _reverse_bits(points)
        x = x ^ (x * np.uint32(0x3D20ADEA))
        x = x + seed
        x = x * ((seed >> np.uint32(16)) | np.uint32(1))
        x = x ^ (x * np.uint32(0x05526C56))
        x = x ^ (x * np.uint32(0x53A22864))
    return _reverse_bits(x)
