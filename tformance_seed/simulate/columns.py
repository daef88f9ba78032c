"""Column helpers that the builders share: moments, exact hours, nullable values, timestamps."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.sampling.arrays import Booleans, Floats, Ints, Times
from tformance_seed.sources.records import Columns

SECONDS_PER_HOUR, HUNDREDTH_OF_AN_HOUR = 3600, 36


def seconds(moments: Times) -> Ints:
    """Return seconds since 1970; meaningless for NaT."""
    return moments.astype("datetime64[s]").astype(np.int64)


def moments(seconds: Ints, known: Booleans | bool = True) -> Times:
    """Return seconds since 1970 as ``datetime64[s]``; NaT where not ``known``."""
    return np.where(known, seconds.astype("datetime64[s]"), np.datetime64("NaT", "s"))


def hours(seconds: Ints, known: Booleans | bool = True) -> Floats:
    """Return seconds as hours with two decimals, as Python's ``round`` does; NaN where not ``known``."""
    hundredths = (seconds * 100 + SECONDS_PER_HOUR // 2) // SECONDS_PER_HOUR
    rounded = hundredths / 100
    # Halfway between two hundredths, the binary fraction decides, so those few are left to Python.
    halfway = np.flatnonzero(known & (seconds % HUNDREDTH_OF_AN_HOUR == HUNDREDTH_OF_AN_HOUR // 2))
    rounded[halfway] = [round(value / SECONDS_PER_HOUR, 2) for value in seconds[halfway].tolist()]
    return np.where(known, rounded, np.nan)


def half_up(values: Floats, decimals: int = 0) -> Floats:
    """Return positive numbers rounded half up."""
    scale = 10.0**decimals
    rounded: Floats = np.floor(values * scale + 0.5) / scale
    return rounded


def nullable(values: npt.NDArray[Any], known: Booleans) -> np.ma.MaskedArray[Any, Any]:
    """Return a column that is NULL where not ``known``."""
    return np.ma.MaskedArray(values, mask=~known)


def with_timestamps(columns: Columns, when: Times) -> Columns:
    """Return the columns with ``created_at`` and ``updated_at`` added, both the time of the row's event."""
    return {**columns, "created_at": when, "updated_at": when}
