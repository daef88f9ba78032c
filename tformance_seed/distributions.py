"""Skewed distributions fitted to a published median and mean, as tables of quantiles.

Hours and sizes of pull requests have a median far below the mean. A lognormal distribution cut off at a
cap has both; the cap also keeps the sample mean near the true one. Tables are rounded to seven digits, so
that the last bit of a platform's ``exp`` or ``erf`` cannot show in the data.
"""

import functools
import statistics
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Knots of a quantile table, closer together towards the tail, where the values run apart.
KNOTS = 1.0 - (1.0 - np.linspace(0.0, 1.0, 2049)) ** 3
_NORMAL = statistics.NormalDist()
_Z = np.array([_NORMAL.inv_cdf(min(max(u, 1e-12), 1 - 1e-12)) for u in (np.arange(65536) + 0.5) / 65536])


@dataclass(frozen=True)
class Skewed:
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

    @functools.lru_cache(maxsize=256)  # noqa: B019  (frozen, so equal instances share a table)
    def _table(self) -> npt.NDArray[np.float64]:
        low, high = 0.0, 8.0
        for _ in range(60):  # bisection: the capped mean grows with sigma
            sigma = (low + high) / 2
            if np.minimum(self.median * np.exp(sigma * _Z), self.cap).mean() < self.mean:
                low = sigma
            else:
                high = sigma
        values = np.minimum(self.median * np.exp(high * _Z), self.cap)
        if abs(values.mean() / self.mean - 1) > 0.01:
            raise ValueError(
                f"no capped lognormal has median {self.median}, mean {self.mean}, cap {self.cap}"
            )
        table = np.interp(KNOTS, (np.arange(65536) + 0.5) / 65536, values)
        return np.array([float(f"{value:.7g}") for value in table])
