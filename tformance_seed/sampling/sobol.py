"""Sobol points and Owen scrambling: low-discrepancy values for each ordinal.

The direction numbers are from Joe and Kuo (2008). Hash-based shuffling and scrambling follow Laine and
Karras, in the version of Burley, "Practical Hash-based Owen Scrambling" (JCGT 9(4), 2020).
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UInt32 = npt.NDArray[np.uint32]

#: Primitive polynomials and initial direction numbers from Joe and Kuo (new-joe-kuo-6) for Sobol dimensions 2
#: to 8: (degree, coefficients, initial direction numbers).
JOE_KUO = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
)

#: Maximum number of dimensions of a sequence.
MAX_DIMENSIONS = len(JOE_KUO) + 1

#: Number of bits in an ordinal and in a point, and in each chunk of an ordinal that is looked up in a table.
BITS, CHUNK_BITS = 32, 8

#: Each byte with its bits in reverse order.
_REVERSED_BYTES = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], dtype=np.uint8)


@dataclass(frozen=True)
class SobolSequence:
    """A low-discrepancy sequence whose dimensions are named after their purposes.

    The values of one sequence are jointly well spread. Two sequences are independent, because each shuffles
    the ordinals separately (Burley, section 5). Since dimensions have names, none can serve two purposes.

    Parameters:
      name: distinguishes the sequence from every other one.
      dimensions: a name for each purpose.

    Raises:
      ValueError: a dimension is named twice, or there are none or more than ``MAX_DIMENSIONS``.
    """

    name: str
    dimensions: tuple[str, ...] = ("value",)

    def __post_init__(self) -> None:
        if not 1 <= len(set(self.dimensions)) == len(self.dimensions) <= MAX_DIMENSIONS:
            raise ValueError(f"{self.name}: expected 1 to {MAX_DIMENSIONS} different dimensions")

    def index(self, dimension: str | None) -> int:
        """Return the number of a dimension, starting at 0.

        Raises:
          ValueError: no dimension has this name, or None was given and there are several.
        """
        if dimension is None:
            if len(self.dimensions) > 1:
                raise ValueError(f"{self.name}: expected one of the dimensions {', '.join(self.dimensions)}")
            return 0
        return self.dimensions.index(dimension)


def sobol_points(ordinals: UInt32, dimension: int) -> UInt32:
    """Return the Sobol point of each ordinal in a dimension (from 0), as a 32-bit binary fraction."""
    table = _points_by_byte(dimension)
    points: UInt32 = table[0][ordinals & np.uint32(255)]
    for byte in range(1, -(-int(ordinals.max(initial=0)).bit_length() // CHUNK_BITS)):
        points ^= table[byte][ordinals >> np.uint32(CHUNK_BITS * byte) & np.uint32(255)]
    return points


def owen_scramble(points: UInt32, seed: UInt32) -> UInt32:
    """Apply nested uniform scrambling, with the constants of Burley's listing 3 (after Vegdahl).

    Applied to points, it scrambles their digits; applied to ordinals, it maps each aligned block of 2^k onto
    another.
    """
    with np.errstate(over="ignore"):
        x = reverse_bits(points)
        x ^= x * np.uint32(0x3D20ADEA)
        x = x + seed  # not in place: the shapes may differ
        x *= (seed >> np.uint32(16)) | np.uint32(1)
        x ^= x * np.uint32(0x05526C56)
        x ^= x * np.uint32(0x53A22864)
    return reverse_bits(x)


def reverse_bits(x: UInt32) -> UInt32:
    """Reverse the bits of each number: first those in each byte, using a table, then the byte order."""
    reversed_bytes = _REVERSED_BYTES[np.ascontiguousarray(x)[..., None].view(np.uint8)]
    return reversed_bytes.view(np.uint32)[..., 0].byteswap()


@functools.cache
def direction_numbers(dimension: int) -> list[int]:
    """Return the 32 direction numbers of a Sobol dimension (from 0)."""
    if dimension == 0:
        return [1 << (BITS - 1 - bit) for bit in range(BITS)]
    degree, coefficients, initial = JOE_KUO[dimension - 1]
    numbers = [m << (BITS - 1 - bit) for bit, m in enumerate(initial)]
    for bit in range(degree, BITS):
        value = numbers[bit - degree] ^ (numbers[bit - degree] >> degree)
        for step in range(1, degree):
            if coefficients >> (degree - 1 - step) & 1:
                value ^= numbers[bit - step]
        numbers.append(value)
    return numbers


@functools.cache
def _points_by_byte(dimension: int) -> UInt32:
    """Return what each value of each byte of an ordinal (lowest first) contributes to its point: 4 x 256."""
    points = np.zeros((BITS // CHUNK_BITS, 256), dtype=np.uint32)
    values = np.arange(256)
    for bit, direction in enumerate(direction_numbers(dimension)):
        points[bit // CHUNK_BITS] ^= np.where(values >> bit % CHUNK_BITS & 1, direction, 0).astype(np.uint32)
    return points
