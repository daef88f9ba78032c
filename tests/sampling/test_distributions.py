"""The capped lognormal has the median and the mean that it is given."""

import statistics

import numpy as np
import pytest

from tformance_seed.sampling.distributions import POINTS, CappedLogNormal, root


@pytest.mark.parametrize(
    "shape", [(44, 652, 17_000), (0.2, 10.4, 240.0), (1.0, 2.2, 40.0), (3.6, 25.0, 720.0)]
)
def test_a_tables_sigma_gives_the_mean(shape):
    distribution = CappedLogNormal(*shape)
    median, mean, cap = shape
    z = quantiles()

    def excess(sigma):
        return float(np.minimum(median * np.exp(sigma * z), cap).mean()) - mean

    assert distribution._sigma() == pytest.approx(root(excess, 0.0, 8.0), rel=1e-13)
    assert distribution.quantile(0.5) == pytest.approx(median, rel=1e-3)
    assert distribution.quantile(1 - 1e-9) <= cap


def quantiles():
    """The quantiles at all points, one by one."""
    normal = statistics.NormalDist()
    return np.array([normal.inv_cdf((point + 0.5) / POINTS) for point in range(POINTS)])


def test_an_impossible_mean_is_refused():
    with pytest.raises(ValueError, match="no capped lognormal"):
        CappedLogNormal(1.0, 600.0, 1000.0).quantile(0.5)
