"""The size distributions of generated pull requests: lines, files and commits.

Lines follow capped lognormal distributions with the published medians and means. The number of files, or of
commits, is the product of two lognormal factors, rounded and limited to possible values. One factor is taken
at the quantile of the lines, because large changes touch more files, and the other at an independent
quantile. The scale of each product is chosen so that its mean over the unit square of both quantiles
(midpoint rule, 1024 x 1024) is within 1% of the published mean. This holds for each of the three kinds, and
hence for any share of AI.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import PUBLISHED_BY_AI_KIND
from tformance_seed.sampling.arrays import Floats, Ints
from tformance_seed.sampling.distributions import CappedLogNormal

#: Maximum number of lines that people put into one pull request, by ``ai_kind``. It is lower for the rarer
#: kinds, so that their means settle within a thousand pull requests.
MAX_LINES = (17_000, 8_000, 8_000)

#: Distributions of lines changed (additions plus deletions), by ``ai_kind``.
LINES = tuple(
    CappedLogNormal(figures.lines_median, figures.lines_mean, cap)
    for figures, cap in zip(PUBLISHED_BY_AI_KIND, MAX_LINES, strict=True)
)

#: Lines are scaled by a factor in this range, so that values do not pile up at the cap.
JITTER = (0.85, 1.15)

#: Cap on the factors of a count, in multiples of their median; high enough to be hardly ever reached.
FACTOR_CAP = 1000.0


@dataclass(frozen=True)
class CountDistribution:
    """The distribution of a count that grows with the lines of a change.

    The count is ``scale`` x ``by_lines`` x ``own``, rounded; at least 1, and at most ``cap`` and the number
    of lines.
    """

    scale: float
    by_lines: CappedLogNormal
    own: CappedLogNormal
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


#: Files and commits of a pull request.
FILES = CountDistribution(3.15, by_lines=_factor(1.8), own=_factor(1.6), cap=200)
COMMITS = CountDistribution(2.10, by_lines=_factor(1.3), own=_factor(1.5), cap=60)


def lines_changed(kind: npt.NDArray[np.int8] | int, u: Floats, jitter: Floats | float = 1.0) -> Ints:
    """Return the number of lines changed in each pull request, at least 1.

    Parameters:
      kind: the ``ai_kind`` of each pull request.
      u: the quantile of each pull request, in [0, 1).
      jitter: a factor for each pull request.
    """
    lines = np.choose(kind, [distribution.quantile(u) for distribution in LINES]) * jitter
    return np.maximum(1, np.rint(lines)).astype(np.int64)
