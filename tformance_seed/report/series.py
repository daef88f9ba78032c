"""Weekly counts in the compact form that the HTML report carries and its script adds up."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import peewee

from tformance_seed.metrics.weekly import WEEK
from tformance_seed.report.weekly_queries import Counts, Query, Row, count_undated
from tformance_seed.storage.models import Team


@dataclass(frozen=True)
class Series:
    """Sums by several dimensions.

    Parameters:
      dimensions: the values of each dimension, by its name.
      keys: the combinations of values that have a sum, ascending. Each is one number in a mixed radix whose
        digits are the values' indexes, the first dimension's the most significant.
      sums: one number for each key, by the name of the measure.
    """

    dimensions: Mapping[str, Sequence[Any]]
    keys: Sequence[int]
    sums: Mapping[str, Sequence[int]]

    def packed(self) -> dict[str, Any]:
        """Return the series as JSON values: sizes of dimensions, and differences of keys, which are short."""
        steps = np.diff(np.array(self.keys, np.int64), prepend=0).tolist()
        sizes = {name: len(values) for name, values in self.dimensions.items()}
        return {"dimensions": sizes, "steps": steps, "sums": dict(self.sums)}


@dataclass(frozen=True)
class Weekly:
    """Everything counted by week.

    Parameters:
      slugs: of the organisations, by the id of their team.
      mondays: of all weeks from the first to the last in which anything was counted.
      undated: number of pull requests that belong to no week.
      series: by the name of their query's function.
    """

    slugs: Mapping[int, str]
    mondays: Sequence[datetime.date]
    undated: int
    series: Mapping[str, Series]


def gather_weekly(database: peewee.Database, slugs: Sequence[str], queries: Iterable[Query]) -> Weekly:
    """Run queries for organisations; each query runs once, however often it is given."""
    found = Team.select(Team.slug, Team.id).where(Team.slug.in_(list(slugs))).tuples().execute(database)
    ids = dict(found)
    teams = [ids[slug] for slug in slugs]
    counts = {query.__name__: query(database, teams) for query in dict.fromkeys(queries)}
    mondays = _span(row[1] for each in counts.values() for row in each.rows)
    return Weekly(
        slugs=dict(zip(teams, slugs, strict=True)),
        mondays=mondays,
        undated=count_undated(database, teams),
        series={name: _series(each, teams, mondays) for name, each in counts.items()},
    )


def _span(weeks: Iterable[datetime.date]) -> list[datetime.date]:
    """Return all Mondays from the first to the last of those given."""
    given = set(weeks)
    if not given:
        return []
    first = min(given)
    return [first + number * WEEK for number in range((max(given) - first) // WEEK + 1)]


def _series(counts: Counts, teams: Sequence[int], mondays: Sequence[datetime.date]) -> Series:
    return add_up(counts.rows, {"organisation": teams, "week": mondays, **counts.dimensions}, counts.measures)


def add_up(rows: Iterable[Row], dimensions: Mapping[str, Sequence[Any]], measures: Sequence[str]) -> Series:
    """Add up rows, each of which is a value of every dimension and then a number for every measure."""
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
