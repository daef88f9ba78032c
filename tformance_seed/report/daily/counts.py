"""What a query returns, and the parts that queries share."""

import bisect
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee
from peewee import fn

from tformance_seed.bulk.dialect import is_postgresql
from tformance_seed.metrics.weekly import hundredths

#: The number of bins per doubling of the hours.
BINS_PER_DOUBLING = 4

#: The lower edge of the first doubling, in hours: just under 2 minutes.
MIN_HOURS = 1 / 32

#: The number of times the hours double, starting at ``MIN_HOURS`` and ending at about 12 weeks.
DOUBLINGS = 16
MAX_HOURS = MIN_HOURS * 2**DOUBLINGS

#: Hours at the edges of the bins. Bin 0 is below all edges, the last bin above all of them.
BIN_EDGES = tuple(
    MIN_HOURS * 2 ** (step / BINS_PER_DOUBLING) for step in range(BINS_PER_DOUBLING * DOUBLINGS + 1)
)

#: The bin for rows whose hours are unknown.
UNKNOWN_BIN = len(BIN_EDGES) + 1
BINS = range(UNKNOWN_BIN + 1)

NO_YES = (0, 1)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Counts:
    """The result of a query: sums by organisation, day and any other dimensions.

    Each row consists of a team's id, a day, a value for every dimension, and a number for every measure.

    Parameters:
      dimensions: name of each other dimension -> its values, in the order in which charts show them.
      by_week: whether what is counted belongs to a week as a whole, whose Monday is the day.
    """

    dimensions: Mapping[str, Sequence[Any]]
    measures: Sequence[str]
    rows: Sequence[Row]
    by_week: bool = False


#: Returns counts for the teams with the given ids.
Query = Callable[[peewee.Database, Sequence[int]], Counts]


def rows_of(database: peewee.Database, query: Any) -> list[Row]:
    """Return the rows of a query as tuples."""
    return list(query.tuples().execute(database))


def by_position(count: int) -> list[peewee.SQL]:
    """Return the first columns of a query as terms to group by."""
    return [peewee.SQL(str(position)) for position in range(1, count + 1)]


def day_of(database: peewee.Database, moment: Any) -> Any:
    """Return, as SQL, the day of a timestamp in UTC, whatever the session's time zone."""
    if is_postgresql(database):
        return fn.timezone("UTC", moment).cast("DATE")
    return fn.SUBSTR(moment, 1, 10).python_value(datetime.date.fromisoformat)


def as_number(condition: Any) -> peewee.Case:
    """Return, as SQL, 1 if a condition holds, and 0 if it does not or is NULL."""
    return peewee.Case(None, [(condition, 1)], 0)


def total_hundredths(hours: Any) -> Any:
    """Return, as SQL, the sum of hours in hundredths; unknown hours are 0."""
    return fn.COALESCE(fn.SUM(hundredths(hours)), 0).cast("BIGINT")


def bin_of(database: peewee.Database, hours: Any) -> Any:
    """Return, as SQL, the bin of hours; on SQLite, register PostgreSQL's function for it first."""
    if isinstance(database, peewee.SqliteDatabase):
        database.register_function(find_bin, "width_bucket", 1)
        found = fn.width_bucket(hours)
    else:
        edges = peewee.Value(list(BIN_EDGES), unpack=False).cast("DOUBLE PRECISION[]")
        found = fn.width_bucket(hours.cast("DOUBLE PRECISION"), edges)
    return fn.COALESCE(found, UNKNOWN_BIN)


def find_bin(hours: float | None) -> int | None:
    """Return the bin of hours; None if they are unknown."""
    return None if hours is None else bisect.bisect_right(BIN_EDGES, hours)


def as_date(value: Any) -> datetime.date:
    """Return a date that a query computed; SQLite returns it as text where Peewee does not convert it."""
    return datetime.date.fromisoformat(str(value))
