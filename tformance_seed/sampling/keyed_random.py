"""Random values without a stream: each is a function of a seed, an organisation, a purpose and keys.

Two kinds. ``uniform`` and what is built on it are independent hashes of their keys: the SplitMix64
finaliser of Steele, Lea and Flood (OOPSLA 2014), in the constants of Stafford's "Mix13". ``sobol`` is for
values that must match a calibration closely even in a small sample: a Sobol point (direction numbers of
Joe and Kuo, 2008) at the entity's own ordinal, shuffled and Owen-scrambled by hashing after Laine and Karras
in the form of Burley, "Practical Hash-based Owen Scrambling" (JCGT 9(4), 2020). It is just as free of order,
since the ordinal belongs to the entity; but any run of consecutive ordinals is evenly spread.

Values of one ``Sequence`` are jointly well spread; two sequences are independent, since each shuffles the
ordinals by itself (Burley, section 5). A sequence names its dimensions, so none can serve two purposes.
"""

import functools
import hashlib
from collections import abc
from dataclasses import dataclass
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

#: The most dimensions of a sequence.
MAX_DIMENSIONS = len(JOE_KUO) + 1


#: Shifts and factors of the finaliser.
SHIFTS, FACTORS = (30, 27, 31), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)

_MASK = 2**64 - 1
_SPARE = np.uint64(11)  # bits that a float has no room for
_FIRST, _SECOND, _THIRD = (np.uint64(shift) for shift in SHIFTS)
_BY_FIRST, _BY_SECOND = (np.uint64(factor) for factor in FACTORS)


def mix(values: npt.ArrayLike) -> UInt64:
    """The SplitMix64 finaliser over 64-bit integers: a bijection that flips half of all bits."""
    return _stir(np.array(values, dtype=np.uint64, ndmin=1)).reshape(np.shape(values))[()]


def _stir(x: UInt64) -> UInt64:
    """``mix`` of an array of at least one dimension, in place."""
    shifted = x >> _FIRST
    x ^= shifted
    x *= _BY_FIRST
    np.right_shift(x, _SECOND, out=shifted)
    x ^= shifted
    x *= _BY_SECOND
    np.right_shift(x, _THIRD, out=shifted)
    x ^= shifted
    return x


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


def text_keys(texts: abc.Sequence[str | bytes] | npt.NDArray[Any]) -> UInt64:
    """``text_key`` of each text, as an array."""
    listed = texts.tolist() if isinstance(texts, np.ndarray) else texts
    known = {text: text_key(text) for text in set(listed)}  # often one, over and over
    return np.fromiter(map(known.__getitem__, listed), dtype=np.uint64, count=len(listed))


def _hashed(key: Key) -> UInt64 | int:
    """The hash of a key: an integer for a scalar, a new array for an array."""
    if isinstance(key, str | bytes):
        key = text_key(key)
    if isinstance(key, int | np.integer):
        return _mixed(int(key) + int(GOLDEN) & _MASK)
    array = np.asarray(key)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[s]")
    if array.ndim == 0:
        return _hashed(int(array.astype(np.int64)))
    if array.dtype.itemsize < 8:
        array = array.astype(np.int64)
    return _stir(array.view(np.uint64) + GOLDEN)


@dataclass(frozen=True)
class Sequence:
    """A low-discrepancy sequence.

    Parameters:
      name: tells it from every other sequence, of which it is independent.
      dimensions: one name for each purpose; the values of an ordinal are jointly well spread over them.
    Raises:
      ValueError: a dimension is named twice, or there are none or too many.
    """

    name: str
    dimensions: tuple[str, ...] = ("value",)

    def __post_init__(self) -> None:
        if not 1 <= len(set(self.dimensions)) == len(self.dimensions) <= MAX_DIMENSIONS:
            raise ValueError(f"{self.name}: expected 1 to {MAX_DIMENSIONS} different dimensions")


class KeyedRandom:
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
            if not isinstance(state, int):
                state = _stir((state + GOLDEN) ^ (np.uint64(hashed) if isinstance(hashed, int) else hashed))
            elif isinstance(hashed, int):
                state = _mixed((state + int(GOLDEN) & _MASK) ^ hashed)
            else:
                hashed ^= np.uint64(state + int(GOLDEN) & _MASK)
                state = _stir(hashed)
        return np.uint64(state) if isinstance(state, int) else state  # type: ignore[return-value]

    def uniform(self, purpose: str, *keys: Key, low: float = 0.0, high: float = 1.0) -> Floats:
        """Uniform in [low, high)."""
        unit = (self.bits(purpose, *keys) >> _SPARE).astype(np.float64)
        unit *= 2.0**-53
        return unit if low == 0.0 and high == 1.0 else low + (high - low) * unit

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
        return (self.bits(purpose, *keys) >> _SPARE).astype(np.int64) | np.int64(1 << 40)

    def hexadecimal(self, purpose: str, *keys: Key) -> npt.NDArray[np.bytes_]:
        """40 hexadecimal digits, the form of a commit's SHA-1, as an ``S40`` array."""
        words = [np.atleast_1d(self.bits(f"{purpose}/{word}", *keys)) for word in range(3)]
        raw = np.stack(words, axis=-1).astype(">u8").view(np.uint8)[..., :20]
        digits = np.stack([raw >> 4, raw & 15], axis=-1).reshape(*raw.shape[:-1], 40)
        return np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[digits].view("S40")[..., 0]

    def sobol(
        self, sequence: Sequence, ordinal: npt.ArrayLike, *keys: Key, dimension: str | None = None
    ) -> Floats:
        """Uniform in [0, 1), evenly spread over any run of consecutive ordinals.

        Parameters:
          ordinal: the entity's place in its own sequence (a pull request's number), modulo 2^32.
          keys: what the sequence belongs to (a repository): with others, it is another, independent one.
          dimension: which of the sequence's; may be left out where there is one only.
        """
        number = sequence.dimensions.index(dimension) if dimension else 0
        if dimension is None and len(sequence.dimensions) > 1:
            raise ValueError(f"{sequence.name}: which of its dimensions?")
        ordinals = np.asarray(ordinal, dtype=np.int64).astype(np.uint32)
        shuffle = self.bits(f"sobol-shuffle/{sequence.name}", *keys).astype(np.uint32)
        scramble = self.bits(f"sobol/{sequence.name}/{number}", *keys).astype(np.uint32)
        points = _owen(_sobol(_owen(ordinals, shuffle), number), scramble)
        fine = self.bits(f"sobol-fine/{sequence.name}/{number}", ordinal, *keys) >> np.uint64(43)
        return points.astype(np.float64) * 2.0**-32 + fine.astype(np.float64) * 2.0**-53


@functools.cache
def _directions(dimension: int) -> list[int]:
    """The 32 direction numbers of a Sobol dimension."""
    if dimension == 0:
        return [1 << (31 - bit) for bit in range(32)]
    degree, coefficients, initial = JOE_KUO[dimension - 1]
    numbers = [m << (31 - bit) for bit, m in enumerate(initial)]
    for bit in range(degree, 32):
        value = numbers[bit - degree] ^ (numbers[bit - degree] >> degree)
        for step in range(1, degree):
            if coefficients >> (degree - 1 - step) & 1:
                value ^= numbers[bit - step]
        numbers.append(value)
    return numbers


@functools.cache
def _points_of_bytes(dimension: int) -> npt.NDArray[np.uint32]:
    """What each value of each byte of an ordinal, the lowest first, brings to its Sobol point: 4 x 256."""
    points = np.zeros((4, 256), dtype=np.uint32)
    values = np.arange(256)
    for bit, direction in enumerate(_directions(dimension)):
        points[bit // 8] ^= np.where(values >> bit % 8 & 1, direction, 0).astype(np.uint32)
    return points


def _sobol(ordinals: npt.NDArray[np.uint32], dimension: int) -> npt.NDArray[np.uint32]:
    table = _points_of_bytes(dimension)
    points = table[0][ordinals & np.uint32(255)]
    for byte in range(1, -(-int(ordinals.max(initial=0)).bit_length() // 8)):
        points ^= table[byte][ordinals >> np.uint32(8 * byte) & np.uint32(255)]
    return points


_REVERSED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], dtype=np.uint8)


def _reverse_bits(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Each byte's bits by a table, and the bytes of each number."""
    return _REVERSED[np.ascontiguousarray(x)[..., None].view(np.uint8)].view(np.uint32)[..., 0].byteswap()


def _owen(points: npt.NDArray[np.uint32], seed: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Nested uniform scrambling, constants of Burley's listing 3 (after Vegdahl).

    Of points it scrambles their digits; of ordinals it shuffles each aligned block of 2^k into another.
    """
    with np.errstate(over="ignore"):
        x = _reverse_bits(points)
        x ^= x * np.uint32(0x3D20ADEA)
        x = x + seed  # which may be of a different shape
        x *= (seed >> np.uint32(16)) | np.uint32(1)
        x ^= x * np.uint32(0x05526C56)
        x ^= x * np.uint32(0x53A22864)
    return _reverse_bits(x)
