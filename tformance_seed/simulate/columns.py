"""Columns that builders share: moments, exact hours, nullable values, timestamps."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tformance_seed.sources.records import Columns

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]


def seconds(moments: Moments) -> Integers:
    """Return seconds since 1970; meaningless for NaT."""
    return moments.astype("datetime64[s]").astype(np.int64)


def moments(seconds: Integers, known: Booleans | bool = True) -> Moments:
    """Return ``datetime64[s]`` of seconds since 1970, NaT where not ``known``."""
    return np.where(known, seconds.astype("datetime64[s]"), np.datetime64("NaT", "s"))


def hours(seconds: Integers, known: Booleans | bool = True) -> Floats:
    """Return seconds as hours of two decimals, rounded half up; NaN where not ``known``."""
    return np.where(known, (seconds * 100 + 1800) // 3600 / 100, np.nan)


def half_up(values: Floats, decimals: int = 0) -> Floats:
    """Return positive numbers rounded to the nearest, halves upward."""
    return np.floor(values * 10**decimals + 0.5) / 10**decimals


def nullable(values: npt.NDArray[Any], known: Booleans) -> np.ma.MaskedArray[Any, Any]:
    """Return a column that is NULL where not ``known``."""
    return np.ma.MaskedArray(values, mask=~known)


def with_timestamps(columns: Columns, when: Moments) -> Columns:
    """Return the columns with ``created_at`` and ``updated_at``: a row dates from the event it is about."""
    return {**columns, "created_at": when, "updated_at": when}
