"""The size distributions of generated pull requests: lines, files and commits.

Most changes are of a size that a person writes, and a few are huge: lock files, generated code, moves, sweeps
through the whole repository. So each distribution has a body, which is lognormal, and a tail, in which all
orders of magnitude are equally likely (log-uniform). Lines have the published medians and means. The number
of files, or of commits, is the product of two factors, rounded and limited to possible values: one at the
quantile of the lines, because large changes touch more files, and one at an independent quantile. The scale
of each product is chosen so that its mean over the unit square of both quantiles (midpoint rule, 1024 x
1024) is within 1% of the published mean. This holds for each of the three kinds, and hence for any share of
AI.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import PUBLISHED_BY_AI_KIND
from tformance_seed.sampling.arrays import Floats, Ints
from tformance_seed.sampling.distributions import CappedLogNormal, root

#: The mean of the lines that people write, in multiples of the median, and the most that they write.
WRITTEN_MEAN, MAX_WRITTEN = 3.6, 6_000

#: Shares of huge changes by ``ai_kind``, and the number of lines at which they begin. They are less huge for
#: the rarer kinds, so that their means settle within a thousand pull requests.
HUGE_SHARES, MIN_HUGE = (0.022, 0.04, 0.04), (2_500, 1_500, 1_500)

#: Lines are scaled by a factor in this range, so that values do not pile up at the cap.
JITTER = (0.85, 1.15)

#: Number of knots of a tail, and of significant digits of their values, so that the last bit of a platform's
#: ``exp`` cannot show in the data.
TAIL_KNOTS, TAIL_DIGITS = 65, 7

#: Cap on the factors of a count, in multiples of their median; high enough to be hardly ever reached.
FACTOR_CAP = 1000.0


@dataclass(frozen=True)
class Tailed:
    """A body and, above it, a tail that is log-uniform.

    Parameters:
      share: the share of the tail.
      low, high: the bounds of the tail.
    """

    body: CappedLogNormal
    share: float
    low: float
    high: float

    def quantile(self, u: float | Floats) -> Floats:
        """Return the value below which a share ``u`` of all values lies, 0 <= u < 1."""
        u = np.asarray(u, dtype=np.float64)
        bound = 1 - self.share
        values = np.array(self.body.quantile(np.minimum(u / bound, 1 - 1e-12)))
        rows = u >= bound
        values[rows] = np.interp((u[rows] - bound) / self.share, np.linspace(0, 1, TAIL_KNOTS), self._knots())
        return values[()]

    @functools.lru_cache(maxsize=64)  # noqa: B019  (frozen, so equal instances share the knots)
    def _knots(self) -> Floats:
        knots = self.low * (self.high / self.low) ** np.linspace(0, 1, TAIL_KNOTS)
        return np.array([float(f"{value:.{TAIL_DIGITS}g}") for value in knots.tolist()])


@functools.cache
def line_distributions() -> tuple[Tailed, ...]:
    """Return the distributions of lines changed (additions plus deletions), by ``ai_kind``."""
    distributions = []
    for figures, share, low in zip(PUBLISHED_BY_AI_KIND, HUGE_SHARES, MIN_HUGE, strict=True):
        # The median of all is a higher quantile of the body, to which the tail does not belong.
        median = figures.lines_median * (1 - 2 * share)
        body = CappedLogNormal(median, median * WRITTEN_MEAN, MAX_WRITTEN)
        mean_of_huge = (figures.lines_mean - (1 - share) * body.mean) / share

        def excess(high: float, low: float = low, wanted: float = mean_of_huge) -> float:
            return (high - low) / math.log(high / low) - wanted

        distributions.append(Tailed(body, share, low, round(root(excess, low + 1, 1e6))))
    return tuple(distributions)


@dataclass(frozen=True)
class CountDistribution:
    """The distribution of a count that grows with the lines of a change.

    The count is ``scale`` x ``by_lines`` x ``own``, rounded; at least 1, and at most ``cap`` and the number
    of lines.
    """

    scale: float
    by_lines: CappedLogNormal | Tailed
    own: CappedLogNormal | Tailed
    cap: int

    def counts(self, lines: Ints, u_lines: Floats, u_own: Floats) -> Ints:
        """Return the count for each change.

        Parameters:
          lines, u_lines: the number of lines in each change, and its quantile.
          u_own: the quantile of the factor ``own`` for each change.
        """
        product = self.scale * self.by_lines.quantile(u_lines) * self.own.quantile(u_own)
        return np.clip(np.rint(product), 1, np.minimum(lines, self.cap)).astype(np.int64)


def _factor(mean: float) -> CappedLogNormal:
    return CappedLogNormal(1.0, mean, FACTOR_CAP)


#: Files and commits of a pull request. A few changes go through many files whatever their lines.
FILES = CountDistribution(
    2.645, by_lines=Tailed(_factor(1.4), 0.025, 10, 90), own=Tailed(_factor(1.2), 0.025, 10, 60), cap=300
)
COMMITS = CountDistribution(2.10, by_lines=_factor(1.3), own=_factor(1.5), cap=60)


def lines_changed(kind: npt.NDArray[np.int8] | int, u: Floats, jitter: Floats | float = 1.0) -> Ints:
    """Return the number of lines changed in each pull request, at least 1.

    Parameters:
      kind: the ``ai_kind`` of each pull request.
      u: the quantile of each pull request, in [0, 1).
      jitter: a factor for each pull request.
    """
    kinds, u = np.broadcast_arrays(kind, u)
    lines = np.array(line_distributions()[0].quantile(u))
    for number, distribution in enumerate(line_distributions()[1:], start=1):
        rows = kinds == number
        lines[rows] = distribution.quantile(u[rows])
    return np.maximum(1, np.rint(lines * jitter)).astype(np.int64)
