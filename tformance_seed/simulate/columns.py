"""What the row builders share: rows that hang on other rows, nullable columns, exact hours."""

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


def seconds(moments: npt.NDArray[np.datetime64]) -> Integers:
    """Seconds since 1970; meaningless for NaT."""
    return moments.astype("datetime64[s]").astype(np.int64)


def moments(seconds: Integers, known: Booleans | bool = True) -> npt.NDArray[np.datetime64]:
    """``datetime64[s]`` of seconds since 1970, NaT where not ``known``."""
    return np.where(known, seconds.astype("datetime64[s]"), np.datetime64("NaT", "s"))


def hours(seconds: Integers, known: Booleans | bool = True) -> npt.NDArray[np.float64]:
    """Seconds as hours of two decimals, rounded half up; NaN where not ``known``."""
    return np.where(known, (seconds * 100 + 1800) // 3600 / 100, np.nan)


def half_up(values: npt.NDArray[np.float64], decimals: int = 0) -> npt.NDArray[np.float64]:
    """Positive numbers rounded to the nearest, halves upward."""
    return np.floor(values * 10**decimals + 0.5) / 10**decimals


def nullable(values: npt.NDArray[Any], known: Booleans) -> np.ma.MaskedArray:
    """A column that is NULL where not ``known``."""
    return np.ma.MaskedArray(values, mask=~known)


def stamped(columns: dict[str, npt.NDArray[Any]], when: npt.NDArray[np.datetime64]) -> dict[str, Any]:
    """The columns with ``created_at`` and ``updated_at``: a row dates from the event it tells of."""
    return {**columns, "created_at": when, "updated_at": when}
