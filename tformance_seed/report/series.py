"""Daily counts in the compact form in which the HTML report stores them for its script to add up."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import peewee
from numpy.typing import NDArray

from tformance_seed import ledger
from tformance_seed.metrics.weekly import WEEK, monday_of
from tformance_seed.report.daily.counts import Counts, Query, Row
from tformance_seed.report.daily.work import count_undated

DAY = datetime.timedelta(days=1)
DAYS_OF_WEEK = WEEK // DAY


@dataclass(frozen=True)
class Series:
    """Sums by several dimensions.

    Parameters:
      dimensions: name of a dimension -> its values.
      keys: the combinations of values that have a sum, in ascending order. Each is a number in a mixed-radix
        system: its digits are the indexes of the values, with the first dimension as the most significant.
      sums: name of a measure -> one number for each key.
      by_week: whether the sums are of whole weeks, on whose Mondays they are.
    """

    dimensions: Mapping[str, Sequence[Any]]
    keys: Sequence[int]
    sums: Mapping[str, Sequence[int]]
    by_week: bool = False

    def indexes(self) -> dict[str, NDArray[np.int64]]:
        """Return each dimension's indexes of values, one for each key."""
        sizes = [len(values) for values in self.dimensions.values()]
        keys = np.array(self.keys, np.int64)
        columns = np.unravel_index(keys, sizes) if keys.size else [keys] * len(sizes)
        return dict(zip(self.dimensions, columns, strict=True))

    def packed(self) -> dict[str, Any]:
        """Return the series as JSON values; keys become differences, which are shorter."""
        steps = np.diff(np.array(self.keys, np.int64), prepend=0).tolist()
        sizes = {name: len(values) for name, values in self.dimensions.items()}
        return {"dimensions": sizes, "steps": steps, "sums": dict(self.sums), "by_week": self.by_week}


@dataclass(frozen=True)
class Daily:
    """All counts by day.

    Parameters:
      slugs: id of a team -> the organisation's slug.
      mondays: the Mondays of all weeks from the first to the last one in which anything was counted.
      undated: the number of pull requests that belong to no day.
      series: name of a query function -> its series.
    """

    slugs: Mapping[int, str]
    mondays: Sequence[datetime.date]
    undated: int
    series: Mapping[str, Series]


def gather_daily(database: peewee.Database, slugs: Sequence[str], queries: Iterable[Query]) -> Daily:
    """Run queries for organisations; a query that is given several times runs only once."""
    ids = ledger.teams_by_name(database)
    teams = [ids[slug] for slug in slugs]
    counts = {query.__name__: query(database, teams) for query in dict.fromkeys(queries)}
    mondays = _span(row[1] for each in counts.values() for row in each.rows)
    return Daily(
        slugs=dict(zip(teams, slugs, strict=True)),
        mondays=mondays,
        undated=count_undated(database, teams),
        series={name: _series(each, teams, mondays) for name, each in counts.items()},
    )


def _span(days: Iterable[datetime.date]) -> list[datetime.date]:
    """Return all Mondays from the week of the earliest to the week of the latest of the given days."""
    given = set(days)
    if not given:
        return []
    first, last = monday_of(min(given)), max(given)
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]


def _series(counts: Counts, teams: Sequence[int], mondays: Sequence[datetime.date]) -> Series:
    days = [monday + number * DAY for monday in mondays for number in range(DAYS_OF_WEEK)]
    series = add_up(counts.rows, {"organisation": teams, "day": days, **counts.dimensions}, counts.measures)
    return replace(series, by_week=counts.by_week)


def add_up(rows: Iterable[Row], dimensions: Mapping[str, Sequence[Any]], measures: Sequence[str]) -> Series:
    """Add up rows, each of which consists of a value for every dimension and a number for every measure."""
    indexes = [{value: index for index, value in enumerate(values)} for values in dimensions.values()]
    totals: dict[int, list[int]] = {}
    for row in rows:
        key = 0
        for index, value in zip(indexes, row, strict=False):
            key = key * len(index) + index[value]
        numbers = row[len(indexes) :]
        known = totals.get(key)
        totals[key] = [a + b for a, b in zip(known, numbers, strict=True)] if known else list(numbers)
    keys = sorted(totals)
    sums = {name: [totals[key][column] for key in keys] for column, name in enumerate(measures)}
    return Series(dimensions, keys, sums)
