"""The size distributions of generated pull requests: lines, files and commits.

Lines are capped lognormals with the published medians and means. Files and commits are a product of two
lognormal factors, one at the quantile of the lines (large changes touch more) and one at their own, rounded
and limited to what is possible. The scale of each product is solved so that its mean over the unit square of
both quantiles (midpoint rule, 1024 x 1024) is the published one within 1%, for the lines of any of the three
kinds, hence for any share of AI.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import PUBLISHED_BY_AI_KIND
from tformance_seed.sampling.arrays import Floats, Ints
from tformance_seed.sampling.distributions import CappedLogNormal

#: Greatest number of lines of a pull request, by ``ai_kind``: what people open as one. Those of the rarer
#: kinds are lower, so that their means settle within a thousand pull requests.
MAX_LINES = (17_000, 8_000, 8_000)

#: Lines changed, additions and deletions, by ``ai_kind``.
LINES = tuple(
    CappedLogNormal(figures.lines_median, figures.lines_mean, cap)
    for figures, cap in zip(PUBLISHED_BY_AI_KIND, MAX_LINES, strict=True)
)

#: Lines are scaled by a factor between these, so that no values pile up at a cap.
JITTER = (0.85, 1.15)

#: Cap of the factors of a count, in multiples of their median: so high that it is hardly ever met.
FACTOR_CAP = 1000.0


@dataclass(frozen=True)
class CountDistribution:
    """A count that grows with the lines of a change.

    It is ``scale`` x ``by_lines`` x ``own``, rounded, at least 1, and at most ``cap`` and the lines.
    """

    scale: float
    by_lines: CappedLogNormal
    own: CappedLogNormal
    cap: int

    def counts(self, lines: Ints, u_lines: Floats, u_own: Floats) -> Ints:
        """Return the counts of changes.

        Parameters:
          lines, u_lines: the lines of each change, and their quantile.
          u_own: the quantile of its own factor.
        """
        product = self.scale * self.by_lines.quantile(u_lines) * self.own.quantile(u_own)
        return np.clip(np.rint(product), 1, np.minimum(lines, self.cap)).astype(np.int64)


def _factor(mean: float) -> CappedLogNormal:
    return CappedLogNormal(1.0, mean, FACTOR_CAP)


#: Files and commits of a pull request.
FILES = CountDistribution(3.15, by_lines=_factor(1.8), own=_factor(1.6), cap=200)
COMMITS = CountDistribution(2.10, by_lines=_factor(1.3), own=_factor(1.5), cap=60)


def lines_changed(kind: npt.NDArray[np.int8] | int, u: Floats, jitter: Floats | float = 1.0) -> Ints:
    """Return the lines of pull requests, at least 1.

    Parameters:
      kind: ``ai_kind`` of each.
      u: quantile of each, in [0, 1).
      jitter: factor of each.
    """
    lines = np.choose(kind, [distribution.quantile(u) for distribution in LINES]) * jitter
    return np.maximum(1, np.rint(lines)).astype(np.int64)
