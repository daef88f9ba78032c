"""How large generated pull requests are: lines, files, commits, and how the lines lie in those.

Lines are capped lognormals with the published medians and means. Files and commits are a product of two
lognormal factors, one of the quantile of the lines (large changes touch more) and one of their own, rounded
and cut to what is possible. The scale of each product is solved so that its mean over the unit square of
both quantiles (midpoint rule, 1024 x 1024) is the published one: 8.8 files and 4.1 commits, within 1%
for the lines of any of the three kinds, hence for any share of AI.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tformance_seed.catalog.calibration import PUBLISHED_BY_AI_KIND
from tformance_seed.sampling.distributions import CappedLogNormal

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: The most lines of a pull request, by ``ai_kind``: what people open as one. Those of the rarer kinds are
#: lower, so that their means settle within a thousand pull requests.
MAX_LINES = (17_000, 8_000, 8_000)

#: Lines changed, additions and deletions, by ``ai_kind``.
LINES = tuple(
    CappedLogNormal(figures.lines_median, figures.lines_mean, cap)
    for figures, cap in zip(PUBLISHED_BY_AI_KIND, MAX_LINES, strict=True)
)

#: Lines are scaled by a factor between these, so that nothing piles up at a cap.
BLUR = (0.85, 1.15)


@dataclass(frozen=True)
class Count:
    """A count that grows with the lines: scale x by_lines x own, rounded, from 1 to the cap or the lines."""

    scale: float
    by_lines: CappedLogNormal
    own: CappedLogNormal
    cap: int

    def of(self, lines: Ints, u_lines: npt.ArrayLike, u_own: npt.ArrayLike) -> Ints:
        """The counts of changes of so many lines, whose quantile that is, at their own quantiles."""
        product = self.scale * self.by_lines.quantile(u_lines) * self.own.quantile(u_own)
        return np.clip(np.rint(product), 1, np.minimum(lines, self.cap)).astype(np.int64)


#: Files and commits of a pull request.
FILES = Count(3.15, CappedLogNormal(1.0, 1.8, 1000.0), CappedLogNormal(1.0, 1.6, 1000.0), cap=200)
COMMITS = Count(2.10, CappedLogNormal(1.0, 1.3, 1000.0), CappedLogNormal(1.0, 1.5, 1000.0), cap=60)


def lines_changed(kind: npt.NDArray[np.int8] | int, u: Floats, blur: npt.ArrayLike = 1.0) -> Ints:
    """Lines of pull requests of each ``ai_kind`` at each quantile, scaled by ``blur``; at least 1."""
    lines = np.choose(kind, [distribution.quantile(u) for distribution in LINES]) * blur
    return np.maximum(1, np.rint(lines)).astype(np.int64)
