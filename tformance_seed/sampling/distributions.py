"""Skewed distributions fitted to a published median and mean, as tables of quantiles.

Hours and sizes of pull requests have a median far below the mean. A lognormal distribution cut off at a
cap has both; the cap also keeps the sample mean near the true one. Tables are rounded to seven digits, so
that the last bit of a platform's ``exp`` or ``erf`` cannot show in the data.
"""

import functools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Knots of a quantile table, closer together towards the tail, where the values run apart.
KNOTS = 1.0 - (1.0 - np.linspace(0.0, 1.0, 2049)) ** 3

#: Digits of a table's values, and the powers that round them.
DIGITS, POWERS_OF_TEN = 7, np.array([float(f"1e{power}") for power in range(16)])

#: Points at which a distribution's mean is taken, the middles of as many equal parts of (0, 1); and the
#: standard normal distribution's quantiles there, which are the same on both sides of its median.
POINTS = 65536
_LOWER = np.array([statistics.NormalDist().inv_cdf((point + 0.5) / POINTS) for point in range(POINTS // 2)])
_Z = np.concatenate([_LOWER, -_LOWER[::-1]])

#: The greatest sigma; a step of Newton's method so small, as a share of sigma, that its square is nothing;
#: and the most steps.
MOST_SIGMA, LAST_STEP, MOST_STEPS = 8.0, 1e-9, 50

#: The points on both sides of each knot.
_BELOW = np.floor(KNOTS * POINTS - 0.5).astype(np.int64)
_BESIDE = np.unique(np.clip([_BELOW, _BELOW + 1], 0, POINTS - 1))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that grows from below zero to above it is zero, as exactly as floats tell.

    Regula falsi in the Illinois variant (Dowell and Jarratt, BIT 11, 1971): a few evaluations where bisection
    takes sixty. Where the function stays on one side of zero, the end that is nearer to it.
    """
    at_low, at_high = function(low), function(high)
    if at_low >= 0:
        return low
    if at_high <= 0:
        return high
    side = 0
    while True:
        middle = high - at_high * (high - low) / (at_high - at_low)
        if not low < middle < high:
            middle = (low + high) / 2
        if not low < middle < high or high - low < 1e-15 * high:
            return high
        value = function(middle)
        if value > 0:
            high, at_high, at_low = middle, value, at_low / 2 if side > 0 else at_low
            side = 1
        elif value < 0:
            low, at_low, at_high = middle, value, at_high / 2 if side < 0 else at_high
            side = -1
        else:
            return middle


def normal(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def capped_sigma(median: float, mean: float, cap: float) -> float:
    """Sigma of the capped lognormal of this median and mean, by its mean in closed form."""
    reach = math.log(cap / median)

    def excess(sigma: float) -> float:
        capped = median * math.exp(sigma**2 / 2) * normal(reach / sigma - sigma)
        return capped + cap * normal(-reach / sigma) - mean

    return root(excess, 1e-6, MOST_SIGMA)


@dataclass(frozen=True)
class CappedLogNormal:
    """A positive distribution with the given median, mean and greatest value.

    Parameters:
      median, mean, cap: in the same unit; median < mean < cap.
    Raises:
      ValueError: no such lognormal exists.
    """

    median: float
    mean: float
    cap: float

    def __post_init__(self) -> None:
        if not 0 < self.median < self.mean < self.cap:
            raise ValueError(f"want 0 < median < mean < cap, not {self.median}, {self.mean}, {self.cap}")

    def quantile(self, u: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The value below which a share ``u`` of all values lies, 0 <= u < 1."""
        return np.interp(u, KNOTS, self._table())

    @functools.lru_cache(maxsize=64)  # noqa: B019  (frozen, so equal instances share a table)
    def _table(self) -> npt.NDArray[np.float64]:
        values = np.minimum(self.median * np.exp(self._sigma() * _Z[_BESIDE]), self.cap)
        table = np.interp(KNOTS, (_BESIDE + 0.5) / POINTS, values)
        places = np.clip(DIGITS - 1 - np.floor(np.log10(table)), 0, len(POWERS_OF_TEN) - 1).astype(np.int64)
        return np.rint(table * POWERS_OF_TEN[places]) / POWERS_OF_TEN[places]

    def _sigma(self) -> float:
        """Where the mean over all points is the given one: Newton's method, from the closed form on."""
        reach = math.log(self.cap / self.median)
        sigma = capped_sigma(self.median, self.mean, self.cap)
        for _ in range(MOST_STEPS):
            z = _Z[: np.searchsorted(_Z, reach / sigma)]  # those below the cap
            powers = np.exp(sigma * z)
            mean = (self.median * powers.sum() + self.cap * (POINTS - len(z))) / POINTS
            slope = self.median * (powers * z).sum() / POINTS
            step = float((self.mean - mean) / slope)
            sigma = min(max(sigma + step, LAST_STEP), MOST_SIGMA)
            if abs(step) < LAST_STEP * sigma:
                return sigma
        if abs(mean / self.mean - 1) > 0.01:
            raise ValueError(
                f"no capped lognormal has median {self.median}, mean {self.mean}, cap {self.cap}"
            )
        return sigma
