"""The capped lognormal distribution, fitted to a published median and mean.

Hours and sizes of pull requests have a median far below the mean. A lognormal distribution with a cap can
match both, and the cap keeps the sample mean close to the true mean. Quantiles are stored in tables rounded
to seven digits, so that the last bit of a platform's ``exp`` or ``erf`` cannot show in the data.
"""

import functools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tformance_seed.sampling.arrays import Floats, Ints

#: Knots of a quantile table, closer together towards the tail, where values grow quickly.
KNOTS = 1.0 - (1.0 - np.linspace(0.0, 1.0, 2049)) ** 3

#: Number of significant digits of a table's values, and the powers of ten used to round to them.
DIGITS, POWERS_OF_TEN = 7, np.array([float(f"1e{power}") for power in range(16)])

#: Number of points over which a distribution's mean is computed: the midpoints of equal parts of (0, 1).
POINTS = 65536

#: Maximum sigma that is tried.
MAX_SIGMA = 8.0

#: Newton's method ends when a step is this small relative to sigma (the remaining error is of the order of
#: its square), or after the maximum number of steps; the mean may then have at most this relative error.
LAST_STEP, MAX_STEPS, MAX_MEAN_ERROR = 1e-9, 50, 0.01

#: The indices of the points on both sides of each knot.
_BELOW = np.floor(KNOTS * POINTS - 0.5).astype(np.int64)
_BESIDE = np.unique(np.clip([_BELOW, _BELOW + 1], 0, POINTS - 1))


def first_exceeded(values: Ints, steps: Sequence[tuple[int, float]]) -> Floats:
    """Return, for each value, the amount in the first (bound, amount) step whose bound it exceeds, else 0."""
    return np.select([values > bound for bound, _ in steps], [amount for _, amount in steps], 0.0)


@functools.cache
def _normal_quantiles() -> Floats:
    """Return the standard normal distribution's quantiles at all points.

    They are symmetric about the median.
    """
    normal = statistics.NormalDist()
    lower = np.array([normal.inv_cdf((point + 0.5) / POINTS) for point in range(POINTS // 2)])
    return np.concatenate([lower, -lower[::-1]])


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the zero of an increasing function between ``low`` and ``high``, to the precision of floats.

    Uses the Illinois variant of regula falsi (Dowell and Jarratt, BIT 11, 1971), which needs only a few
    evaluations, while bisection needs sixty. If the function does not change sign, return the end at which it
    is nearer to zero.
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


def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function at ``z``."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def capped_sigma(median: float, mean: float, cap: float) -> float:
    """Return sigma of the capped lognormal with this median and mean, using the closed form of its mean."""
    log_cap = math.log(cap / median)

    def excess(sigma: float) -> float:
        capped = median * math.exp(sigma**2 / 2) * normal_cdf(log_cap / sigma - sigma)
        return capped + cap * normal_cdf(-log_cap / sigma) - mean

    return root(excess, 1e-6, MAX_SIGMA)


@dataclass(frozen=True)
class CappedLogNormal:
    """A positive distribution with the given median, mean and maximum.

    It is a lognormal distribution in which values above the cap are replaced by the cap.

    Parameters:
      median, mean, cap: in the same unit; median < mean < cap.

    Raises:
      ValueError: the parameters are not in that order; or, from ``quantile``, no such distribution has that
        mean.
    """

    median: float
    mean: float
    cap: float

    def __post_init__(self) -> None:
        if not 0 < self.median < self.mean < self.cap:
            raise ValueError(f"expected 0 < median < mean < cap, got {self.median}, {self.mean}, {self.cap}")

    def quantile(self, u: float | Floats) -> Floats:
        """Return the value below which a share ``u`` of all values lies, 0 <= u < 1."""
        return np.asarray(np.interp(np.asarray(u), KNOTS, self._table()))[()]

    @functools.lru_cache(maxsize=64)  # noqa: B019  (frozen, so equal instances share a table)
    def _table(self) -> Floats:
        """Return the quantiles at all knots."""
        values = np.minimum(self.median * np.exp(self._sigma() * _normal_quantiles()[_BESIDE]), self.cap)
        table = np.interp(KNOTS, (_BESIDE + 0.5) / POINTS, values)
        decimals = np.clip(DIGITS - 1 - np.floor(np.log10(table)), 0, len(POWERS_OF_TEN) - 1).astype(np.int64)
        rounded: Floats = np.rint(table * POWERS_OF_TEN[decimals]) / POWERS_OF_TEN[decimals]
        return rounded

    def _sigma(self) -> float:
        """Return the sigma for which the mean over all points is ``self.mean``, using Newton's method.

        It starts from the closed form, which holds for the mean of the continuous distribution.
        """
        log_cap = math.log(self.cap / self.median)
        sigma = capped_sigma(self.median, self.mean, self.cap)
        quantiles = _normal_quantiles()
        for _ in range(MAX_STEPS):
            z = quantiles[: np.searchsorted(quantiles, log_cap / sigma)]  # the points below the cap
            powers = np.exp(sigma * z)
            mean = (self.median * powers.sum() + self.cap * (POINTS - len(z))) / POINTS
            slope = self.median * (powers * z).sum() / POINTS
            step = float((self.mean - mean) / slope)
            sigma = min(max(sigma + step, LAST_STEP), MAX_SIGMA)
            if abs(step) < LAST_STEP * sigma:
                return sigma
        if abs(mean / self.mean - 1) > MAX_MEAN_ERROR:
            raise ValueError(
                f"no capped lognormal has median {self.median}, mean {self.mean}, cap {self.cap}"
            )
        return sigma
