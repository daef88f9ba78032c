"""Describe how the counts in a series become the rows of a chart and of the table behind it."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tformance_seed.metrics.weekly import WEEK
from tformance_seed.report.figures import Report, Usage
from tformance_seed.report.series import DAYS_OF_WEEK, Daily


@dataclass(frozen=True)
class Content:
    """All data that a page shows, from which pivots are created."""

    report: Report
    daily: Daily

    def values(self, series: str, dimension: str) -> Sequence[Any]:
        """Return the values of a series' dimension."""
        return self.daily.series[series].dimensions[dimension]

    @functools.cached_property
    def extents(self) -> list[tuple[int, int] | None]:
        """The first and the last day of each organisation, as days after the first Monday.

        They are of the window for which it was seeded last, and of what is counted by the day, except for
        pull requests that were not merged, which may be of any age; None if there are none.
        """
        organisations, mondays = self.report.organisations, self.daily.mondays
        first = np.full(len(organisations), len(mondays) * DAYS_OF_WEEK)
        last = np.full(len(organisations), -1)
        usage = {item.organisation: item for item in self.report.usage}
        for index, item in enumerate(organisations):
            if mondays and (window := self._window(usage[item.organisation])):
                first[index], last[index] = window
        for indexes in self._days:
            organisation, day = indexes["organisation"], indexes["day"]
            if "merged" in indexes:
                merged = indexes["merged"] != 0
                organisation, day = organisation[merged], day[merged]
            np.minimum.at(first, organisation, day)
            np.maximum.at(last, organisation, day)
        days = zip(first.tolist(), last.tolist(), strict=True)
        return [(since, until) if since <= until else None for since, until in days]

    def period(self) -> tuple[int, int] | None:
        """Return the first and the last day of all, pull requests that were not merged included."""
        days = [day for extent in self.extents if extent for day in extent]
        for indexes in self._days:
            if indexes["day"].size:
                days += [int(indexes["day"].min()), int(indexes["day"].max())]
        return (min(days), max(days)) if days else None

    @functools.cached_property
    def _days(self) -> list[dict[str, NDArray[np.int64]]]:
        """The dimensions of each series that is counted by the day."""
        return [series.indexes() for series in self.daily.series.values() if not series.by_week]

    def _window(self, usage: Usage) -> tuple[int, int] | None:
        """Return the first and the last day of a window, within the weeks that have counts."""
        if usage.since is None or usage.until is None:
            return None
        mondays = self.daily.mondays
        last = (mondays[-1] + WEEK - mondays[0]).days - 1
        since, until = ((day - mondays[0]).days for day in (usage.since, usage.until))
        return min(max(since, 0), last), max(min(until, last), 0)


#: Dimension -> the indexes of those of its values that are counted; of other dimensions, all are.
Where = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Sum:
    """A sum of a measure.

    Parameters:
      units: the number of the measure's units in one of the figure's, such as 100 hundredths.
    """

    where: Where = field(default_factory=dict)
    measure: str = "count"
    units: int = 1
    kind: str = field(default="sum", init=False)


@dataclass(frozen=True)
class Ratio:
    """A sum divided by another one; unknown if that is 0.

    Parameters:
      of_column: divide by the sum of all rows instead of the row's own.
    """

    over: Sum
    under: Sum
    of_column: bool = False
    kind: str = field(default="ratio", init=False)


@dataclass(frozen=True)
class Median:
    """The median hours, estimated from the dimension ``bin``; unknown if there are none."""

    where: Where = field(default_factory=dict)
    kind: str = field(default="median", init=False)


Figure = Sum | Ratio | Median


@dataclass(frozen=True)
class Pivot:
    """The table behind a chart, which the page's script fills for the chosen organisation and period.

    Each row has the values of its columns, a text ``key`` that is unique among the rows, ``says``, the row in
    words, and, if it is a week, ``monday`` and ``partial``: whether the period or the data begins
    or ends within it.

    Parameters:
      columns: heading -> format of the column: text, count, tenths, share, duration, rating, day,
        week or size.
      rows: heading -> values of a column that does not depend on the choice.
      by: the dimension whose values become rows; also ``week`` or ``weekday``, which follow from the day.
      groups: the row for each value of ``by``, or None for no row; by default each value has its own row.
      figures: heading -> the figure that is computed for each row.
      colours: heading of each column that is drawn -> its colour.
      words: what a row says after the first column: texts that alternate with headings of columns, whose
        values take their places.
      limit: the maximum number of rows: those with the greatest first figure. If set, rows where that is 0
        are dropped.
    """

    columns: Mapping[str, str]
    rows: Mapping[str, Sequence[Any]]
    by: str = ""
    groups: Sequence[int | None] | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()
    limit: int | None = None

    def packed(self) -> dict[str, Any]:
        """Return the pivot as JSON values."""
        return asdict(self)


def weeks(content: Content) -> dict[str, Sequence[Any]]:
    """Return the fixed column of a table that has one row per week."""
    return {"Week": content.daily.mondays}


def phrase(form: str, *headings: str) -> list[str]:
    """Return the words of a pivot from a text in which ``{}`` stands for the value of each heading."""
    texts = form.split("{}")
    values = [*headings, ""]
    return [part for pair in zip(texts, values, strict=True) for part in pair][:-1]
